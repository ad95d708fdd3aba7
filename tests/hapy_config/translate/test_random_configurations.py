"""Random configurations in HAProxy and, translated, in other programs: what is not told does not differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.translation_runs import main
from tests.hapy_config.translate.side_by_side import program, with_other_ports


@pytest.mark.referee
@pytest.mark.parametrize(
    ("target", "seed"),
    [
        ("nginx", 3),
        ("nginx", 19),
        ("nginx", 55),
        ("nginx", 108),
        ("caddy", 6),
        ("caddy", 23),
        ("caddy", 45),
        ("caddy", 88),
        ("envoy", 4),
        ("envoy", 59),
        ("envoy", 142),
        ("envoy", 257),
    ],
)
@with_other_ports
def test_nothing_untold_differs(target: str, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    program(target)
    status = main(["--to", target, "--seed", str(seed), "--count", "1", "--asks", "30"])
    told = capsys.readouterr().out
    assert status == 0, told
    assert "files: 1" in told


@pytest.mark.referee
def test_a_difference_is_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program("nginx")
    # A translation that forgets a header in silence.
    from compat import translation_runs

    given = translation_runs.translated

    def forgetful(name: str, text: str) -> object:
        outcome, document = given(name, text)
        outcome.files["nginx.conf"] = outcome.files["nginx.conf"].replace('X-New "forgotten"', 'X-Old "forgotten"')  # type: ignore[index]
        return outcome, document

    monkeypatch.setattr(translation_runs, "translated", forgetful)
    file = tmp_path / "haproxy.cfg"
    file.write_text(
        "defaults\nmode http\ntimeout client 4s\ntimeout connect 4s\ntimeout server 4s\n"
        "frontend web0\nbind 127.0.0.1:@PORT0@\nmonitor-uri /alive\nhttp-request set-header X-New forgotten\n"
        "default_backend b1\nbackend b1\nserver one 127.0.0.1:@one@\n"
    )
    assert main(["--to", "nginx", "--config", str(file), "--count", "1", "--asks", "5"]) == 1
    told = capsys.readouterr().out
    assert "UNTOLD" in told
    assert "monitor-uri" not in told, "it makes no difference and is left out"
