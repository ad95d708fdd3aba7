"""Translated configurations in the real programs: the same requests get the same answers as in HAProxy."""

from __future__ import annotations

from pathlib import Path

import pytest

from hapy_config.translate.report import Loss
from tests.hapy_config.translate.several_cases import SEVERAL
from tests.hapy_config.translate.side_by_side import (
    TARGETS,
    answer,
    free_ports,
    place,
    running,
    start_command,
    translated,
    with_other_ports,
)
from tests.hapy_config.translate.translation_cases import CASES, Case

_PAGE = "HTTP/1.0 {0} Page\r\nContent-Type: text/plain\r\nX-Page: {0}\r\nConnection: close\r\n\r\nown page {0}\n"

_FILES = {
    "friends.lst": "127.0.0.2\n",
    "blocked.lst": "# comment\n127.0.0.3\n10.9.0.0/16\n",
    "bots.lst": "evilbot\nbad spider\n",
    "own.lst": "a.example\nb.example\n",
    "moved.map": "/old /new\n/gone/x https://e.example/?a=b\n/old /second\n",
    "tiers.map": "acme gold\n# comment\nbeta   silver $1\nBETA none\n",
    "gone.map": "/gone yes\n/gone/but no\n/gone/but/this yes\n",
    "hosts.map": "shop.example two\nblog.example three\nlost.example nowhere\n",
    "places.map": "127.0.0.0/8 here\n127.0.5.0/24 there\n127.0.5.7 just\n",
}


def values(names: dict[str, object], folder: Path) -> dict[str, object]:
    port, other = free_ports(2)
    for name, text in _FILES.items():
        (folder / name).write_text(text)
    for status in (403, 503, 504):
        (folder / f"{status}.http").write_text(_PAGE.format(status), newline="")
    return {**names, "port": port, "other": other}


@pytest.mark.referee
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", [*CASES, *SEVERAL], ids=lambda case: case.name)
@with_other_ports
def test_the_answers_are_haproxys(case: Case, target: str, tmp_path: Path) -> None:
    if target in case.not_for:
        pytest.skip(f"{target} has nothing like it; another test sees that this is said")
    with place(tmp_path) as at:
        transcripts = {}
        for name in ("haproxy", target):
            given = values(at.names, tmp_path)
            text = (case.defaults + case.text).format(**given)
            files: dict[str, str] = {"haproxy.cfg": text}
            if name == target:
                outcome, document = translated(target, text)
                files = dict(outcome.files)
                lines = document.sources[0].lines
                lost = {lines[note.span.line - 1].strip() for note in outcome.notes if note.loss is Loss.LOST}
                expected = [one.format(**given) for one in case.lost.get(target, ())]
                assert all(any(line.startswith(one) for line in lost) for one in expected), lost
                assert all(any(line.startswith(one) for one in expected) for line in lost), outcome.notes
            ports = {word: given[word] for word in ("port", "other")}
            used = [ports[word] for word in {one.port for one in case.asks}]
            with running(start_command(name, files, tmp_path / name), used):  # type: ignore[arg-type]
                told = [answer(one, ports, str(tmp_path / "ca.pem")) for one in case.asks]  # type: ignore[arg-type]
            transcripts[name] = [
                repr(found).replace(str(given["port"]), "PORT").replace(str(given["other"]), "OTHER") for found in told
            ]
    unlike = case.unlike.get(target, ())
    differing = {
        one.path: (mine, theirs)
        for one, theirs, mine in zip(case.asks, transcripts["haproxy"], transcripts[target], strict=True)
        if theirs != mine
    }
    assert {path: both for path, both in differing.items() if path not in unlike} == {}
    assert set(unlike) <= set(differing), "these do not differ any more"
