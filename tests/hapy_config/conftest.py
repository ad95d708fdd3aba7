"""The real haproxy as judge of configuration lines."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

#: HAProxy stops at the 50th fatal error.
BATCH = 40

#: Lines in, and for each the first error HAProxy has for it, or None.
Judge = Callable[..., list[str | None]]

HEAD = """\
defaults
 mode http
 timeout client 1s
 timeout server 1s
 timeout connect 1s
userlist ul
 group g1
 user a insecure-password b groups g1
cache cached
 total-max-size 4
resolvers dns
 nameserver a 127.0.0.1:53
frontend fe
 bind 127.0.0.1:18081
backend be
 server s1 127.0.0.1:80
backend st
 stick-table type ip size 1k store gpc(5),gpt(5),conn_rate(10s)
"""

_FINDING = re.compile(r"^\[ALERT\]\s+\(\d+\) : (.*)$", re.MULTILINE)


@pytest.fixture
def judge(haproxy: str, tmp_path: Path) -> Judge:
    """Has HAProxy check lines in one section; what stands beside the configuration is made here."""
    (tmp_path / "map.lst").write_text("1 2\n")
    (tmp_path / "addresses.lst").write_text("192.0.2.1 192.0.2.2\n")
    (tmp_path / "to-addresses.lst").write_text("1 192.0.2.2\n")
    (tmp_path / "from-addresses.lst").write_text("192.0.2.1 2\n")
    path = tmp_path / "judged.cfg"
    place = re.compile(rf"{re.escape(path.name)}:(\d+)")

    def run(lines: list[str], first: int, head: str) -> dict[int, str]:
        path.write_text(head + "".join(f" {line}\n" for line in lines), encoding="utf-8")
        process = subprocess.run(
            [haproxy, "-c", "-f", path.name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        found: dict[int, str] = {}
        for finding in _FINDING.findall(process.stderr):
            where = place.search(finding)
            if where is not None and int(where[1]) > first:
                found.setdefault(int(where[1]) - first - 1, finding)
        return found

    def check(
        lines: list[str], section: str = "listen f\n bind 127.0.0.1:18080\n server s 127.0.0.1", head: str = HEAD
    ) -> list[str | None]:
        full = f"{head}{section}\n"
        first = full.count("\n")
        verdicts: list[str | None] = []
        for start in range(0, len(lines), BATCH):
            batch = list(lines[start : start + BATCH])
            errors: dict[int, str] = {}
            # Some errors end the reading: what is refused is taken out until the rest passes.
            while found := run(batch, first, full):
                errors.update(found)
                for index in found:
                    batch[index] = ""
            verdicts += [errors.get(index) for index in range(len(batch))]
        return verdicts

    return check
