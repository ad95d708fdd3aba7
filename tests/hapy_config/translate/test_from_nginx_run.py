"""nginx configurations in nginx, and what they become in HAProxy and in hapy: the same answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from hapy_config.source import Source
from hapy_config.translate.from_nginx import from_nginx
from hapy_config.translate.report import Loss
from tests.hapy_config.translate.nginx_cases import CASES, NginxCase
from tests.hapy_config.translate.nginx_cases_of_requests import OF_REQUESTS
from tests.hapy_config.translate.side_by_side import answer, free_ports, place, running, start_command, with_other_ports

_USERS = "ann:{PLAIN}secret\nbob:$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA\n"


@pytest.mark.referee
@pytest.mark.parametrize("program", ["haproxy", "hapy"])
@pytest.mark.parametrize("case", [*CASES, *OF_REQUESTS], ids=lambda case: case.name)
@with_other_ports
def test_the_answers_are_nginxs(case: NginxCase, program: str, tmp_path: Path) -> None:
    if program in case.not_for:
        pytest.skip(f"{program} does not run all of it")
    (tmp_path / "users").write_text(_USERS)
    transcripts = {}
    with place(tmp_path) as at:
        for name in ("nginx", program):
            port, other = free_ports(2)
            text = case.whole.format(**at.names, port=port, other=other)
            files = {"nginx.conf": text}
            if name == program:
                outcome = from_nginx([Source.from_text("nginx.conf", text)])
                lines = text.splitlines()
                lost = {lines[note.span.line - 1].strip() for note in outcome.notes if note.loss is Loss.LOST}
                assert all(any(line.startswith(one) for line in lost) for one in case.lost), lost
                assert all(any(line.startswith(one) for one in case.lost) for line in lost), outcome.notes
                files = dict(outcome.files)
            ports = {"port": port, "other": other}
            used = [ports[word] for word in {one.port for one in case.asks}]
            with running(start_command(name, files, tmp_path / name), used):
                told = [answer(one, ports, str(tmp_path / "ca.pem")) for one in case.asks]
            transcripts[name] = [repr(one).replace(str(port), "PORT").replace(str(other), "OTHER") for one in told]
    differing = {
        one.path: (mine, theirs)
        for one, theirs, mine in zip(case.asks, transcripts["nginx"], transcripts[program], strict=True)
        if theirs != mine
    }
    assert {path: both for path, both in differing.items() if path not in case.unlike} == {}
    assert set(case.unlike) <= set(differing), "these do not differ any more"
