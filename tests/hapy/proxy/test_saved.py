"""The states that an earlier process has left in a file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.names import Names, resolve
from hapy.proxy.runtime import build
from hapy.proxy.saved import BadFile, apply, load, parse
from hapy.proxy.state import Admin, State
from hapy_config import read_text

HEAD = "1\n# be_id be_name srv_id srv_name …\n"


def line(
    name: str, *, host: str = "192.0.2.1", state: int = 2, admin: int = 0, weight: int = 1, first: int = 1, **more: str
) -> str:
    words = f"3 be 1 {name} {host} {state} {admin} {weight} {first} 100 1 0 2 0 0 0 0"
    return f"{words} {more.get('fqdn', '-')} {more.get('port', '80')} {more.get('service', '-')} 0 0 - - 0\n"


CONFIG = """
global
 server-state-file {folder}/all
 server-state-base {folder}
resolvers r
 nameserver n 127.0.0.1:1
frontend fe
 mode http
 timeout client 1s
 bind 127.0.0.1:1
backend be
 mode http
 timeout connect 1s
 timeout server 1s
 load-server-state-from-file {which}
 server plain 192.0.2.9:80
 server named n.test:80 init-addr last,192.0.2.7
 server other n.test:80 init-addr 192.0.2.7
 server off 192.0.2.9:80 disabled
 server checked 192.0.2.9:80 check inter 100s
 server heavy 192.0.2.9:80 weight 4
 server-template srv 2 _http._tcp.test resolvers r
"""


def start(folder: Path, which: str = "global"):
    """The servers after a start, and what was said."""
    said: list[str] = []
    config = read_text(CONFIG.format(folder=folder, which=which)).config
    assert config is not None
    states = load(config, said.append)
    config = resolve(config, Names(), lambda *names: states[names].host if names in states else None)
    runtime = build(config)
    apply(states, runtime, said.append)
    return runtime.backends["be"].by_name, said


def test_servers_go_on_where_they_were(tmp_path: Path) -> None:
    (tmp_path / "all").write_text(
        HEAD
        + line("plain", weight=7, port="81")
        + line("named", host="192.0.2.5")
        + line("other", host="192.0.2.5", admin=8)
        + line("off", admin=4)
        + line("checked", state=0)
        + line("heavy", weight=9, first=5)
        + line("srv2", host="192.0.2.6", fqdn="h.test", port="8080", service="_http._tcp.test")
        + "3 nowhere 1 x - 2 0 1 1 1 1 0 2 0 0 0 0 - 80 - 0 0 - - 0\n"
    )
    servers, said = start(tmp_path)
    plain, named, off, checked = servers["plain"], servers["named"], servers["off"], servers["checked"]
    assert (plain.address.host, plain.address.port, plain.weight) == ("192.0.2.9", 81, 7)
    assert (named.address.host, servers["other"].address.host) == ("192.0.2.5", "192.0.2.7")
    assert servers["other"].drain
    assert not off.maintenance
    assert (checked.state, checked.usable) == (State.STOPPED, False)
    assert servers["heavy"].weight == 4
    kept = servers["srv2"]
    assert (kept.address.host, kept.address.port, kept.fqdn, kept.usable) == ("192.0.2.6", 8080, "h.test", True)
    assert servers["srv1"].unresolved
    assert any("be/checked is DOWN, changed from server-state after a reload." in text for text in said)
    assert "Server be/other remains in forced drain mode." in said


def test_maintenance_stays_and_nothing_is_down_for_ever(tmp_path: Path) -> None:
    (tmp_path / "all").write_text(HEAD)  # it is read, though no backend takes from it
    (tmp_path / "be").write_text(HEAD + line("plain", admin=1, state=0) + line("heavy", state=0))
    servers, said = start(tmp_path, "local")
    assert servers["plain"].admin & Admin.FMAINT
    assert servers["heavy"].usable
    assert len(said) == 1
    (tmp_path / "be").write_text(HEAD + line("plain", admin=1))
    assert start(tmp_path, "local")[1] == []  # it was up then


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    assert "Can't open global server state file" in start(tmp_path)[1][0]
    (tmp_path / "all").write_text("2\n")
    assert "Can't get version of the global server state file" in start(tmp_path)[1][0]
    (tmp_path / "all").write_text(HEAD + line("plain", weight=7) + "3 be 1 plain\n")
    servers, said = start(tmp_path)
    assert f"corrupted global server state file '{tmp_path}/all' at line 3." in said[0]
    assert servers["plain"].weight == 1
    (tmp_path / "all").write_text(HEAD + line("plain", weight=999))
    assert start(tmp_path)[1] == [
        "server-state application failed for server 'be/plain', invalid srv_uweight value '999'"
    ]


@given(
    st.one_of(
        st.text(), st.lists(st.text(alphabet="0189-ab. \t"), max_size=4).map(lambda rest: "1\n" + "\n".join(rest))
    )
)
def test_no_text_breaks_it(text: str) -> None:
    with suppress(BadFile):
        assert parse(text) is not None


@pytest.mark.parametrize("field", range(4, 25))
def test_no_field_breaks_it(field: int, tmp_path: Path) -> None:
    words = line("plain").split()
    for value in ("x", "-1", "99999999999999999999", "é", "٣"):
        words[field] = value
        (tmp_path / "all").write_text(HEAD + " ".join(words) + "\n")
        start(tmp_path)
