"""A few random configurations in HAProxy and, translated, in Envoy: what is not told does not differ."""

from __future__ import annotations

import pytest

from compat.translation_runs import main


@pytest.mark.referee
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [3, 59, 141])
def test_what_is_not_told_does_not_differ(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--to", "envoy", "--seed", str(seed), "--count", "2", "--asks", "30"])
    if status == 2:
        pytest.skip("haproxy or envoy is not installed")
    assert status == 0, capsys.readouterr().out
