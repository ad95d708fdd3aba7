"""A few random nginx configurations: what HAProxy does otherwise after the migration is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compat.nginx_runs import Run, stubs, untold_of
from tests.hapy_config.translate.side_by_side import program

_USERS = "ann:{PLAIN}secret\n"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    for name in ("nginx", "haproxy"):
        program(name)
    tmp_path.chmod(0o755)
    (tmp_path / "users").write_text(_USERS)
    with stubs(tmp_path) as servers:
        yield Run(servers, tmp_path, "haproxy")


@pytest.mark.referee
@pytest.mark.parametrize("seed", [1, 3, 6, 10, 29])
def test_every_difference_is_told(run: Run, seed: int) -> None:
    assert list(untold_of(run, seed, 20)) == []
    assert run.seen["files"] == 1
