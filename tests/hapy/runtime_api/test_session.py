"""Lines, words, forms of statistics, and that nothing typed breaks a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hapy.net.accepting import Gate
from hapy.net.clock import NEVER
from hapy.observe.startup import Messages
from hapy.proxy.runtime import build
from hapy.runtime_api.control import Control
from hapy.runtime_api.fields import csv_value
from hapy.runtime_api.registry import Level, registered
from hapy.runtime_api.session import Session, split_commands, split_words
from hapy.worker import Job
from hapy_config.api import read_text
from hapy_config.keywords.runtime_api import TABLE
from hapy_config.keywords.spec import Runs

_CONFIG = """
global
    stats socket /run/none.sock level admin
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend fe
    bind 127.0.0.1:80
    default_backend be
backend be
    cookie SRV insert dynamic
    dynamic-cookie-key sesame
    server a 127.0.0.1:8000 weight 10
    server b 127.0.0.1:8001 backup disabled
"""


class _Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        pass


def _control() -> Control:
    config = read_text(_CONFIG).config
    assert config is not None
    job = Job(config, build(config, descriptors=1000), (), 100, Messages())
    return Control(job, Gate(100), [], None)  # type: ignore[arg-type] - no task is started


CONTROL = _control()


def _session(level: Level = Level.ADMIN) -> tuple[Session, _Transport]:
    session = Session(CONTROL, lambda: None, level, timeout=NEVER)
    transport: Any = _Transport()
    session.connection_made(transport)
    return session, transport


def _ask(*pieces: bytes, level: Level = Level.ADMIN) -> str:
    session, transport = _session(level)
    for piece in pieces:
        session.data_received(piece)
    return transport.written.decode()


@pytest.mark.parametrize(
    ("line", "commands"),
    [("a;b", ["a", "b"]), ("a\\;b;c", ["a\\;b", "c"]), ("", [""]), ("a;", ["a", ""]), ("a\\", ["a\\"])],
)
def test_commands(line: str, commands: list[str]) -> None:
    """Semicolons part them, but not behind a backslash."""
    assert split_commands(line) == commands


@pytest.mark.parametrize(
    ("text", "words"), [(" a  b ", ["a", "b"]), ("a\\ b", ["a b"]), ("a\\;b \\\\", ["a;b", "\\"]), ("", [])]
)
def test_words(text: str, words: list[str]) -> None:
    """Blanks part them, but not behind a backslash."""
    assert split_words(text) == words


def test_a_line_in_pieces() -> None:
    """A command comes as it comes."""
    assert _ask(b"get wei", b"ght be/", b"a\n") == "10 (initial 10)\n\n"


def test_the_session_ends_after_an_answer() -> None:
    """Unless it is interactive."""
    session, transport = _session()
    session.data_received(b"show version\n")
    assert transport.closed
    session, transport = _session()
    session.data_received(b"prompt\nshow version\n")
    assert not transport.closed
    assert transport.written.endswith(b"\n> ")
    session.data_received(b"quit\n")
    assert transport.closed


def test_levels() -> None:
    """Users look, administrators change."""
    for level in (Level.USER, Level.OPERATOR):
        assert _ask(b"set weight be/a 3\n", level=level) == "Permission denied\n\n"
    assert _ask(b"get weight be/a\n", level=Level.USER) == "10 (initial 10)\n\n"


def test_what_is_known_but_not_run_says_so() -> None:
    """HAProxy's other commands."""
    assert _ask(b"show pools\n") == "'show pools' is not run by hapy.\n\n"
    assert _ask(b"add ssl crt-list x y\n") == "'add ssl crt-list' is not run by hapy.\n\n"


def test_the_table_says_what_runs() -> None:
    """The language's table and the commands agree."""
    known = {entry.name for entry in TABLE}
    missing = {" ".join(one.words) for one in registered() if not one.own} - known - {"operator"}
    assert missing <= {"help", "prompt", "quit", "show servers conn"}


def test_too_long_a_line_ends_the_session() -> None:
    """It is not kept for ever."""
    session, transport = _session()
    session.data_received(b"x" * 20000)
    assert transport.closed


def test_dynamic_cookies_follow_the_address() -> None:
    """A server that moves has another cookie."""
    values = CONTROL.job.runtime.backends["be"].cookie_values
    if values is None:  # made with the first route
        frontend = CONTROL.job.runtime.frontends["fe"]
        frontend.route_to(CONTROL.job.runtime.backends["be"])
        values = CONTROL.job.runtime.backends["be"].cookie_values
    assert values is not None
    server = CONTROL.job.runtime.backends["be"].by_name["b"]
    before = values.of(server)
    _ask(b"set server be/b addr 127.0.0.9\n")
    assert values.of(server) not in (None, before)
    _ask(b"set dynamic-cookie-key backend be other\n")
    assert server in values.servers(values.of(server) or b"")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes(data: bytes) -> None:
    """Nothing that is typed breaks the session."""
    assert "Internal error" not in _ask(data.replace(b"disable", b"show").replace(b"shutdown", b"show") + b"\n")


_NAMES = [" ".join(one.words) for one in registered() if one.words[0] not in ("shutdown", "disable", "enable")]
_ARGUMENTS = ("be/a", "be", "fe", "be/x", "#3", "#1/#1", "-1", "4", "99999999999999999999", "all", "typed", "json", "%")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_NAMES), st.lists(st.sampled_from(_ARGUMENTS) | st.text(max_size=6), max_size=4))
def test_any_arguments(name: str, arguments: list[str]) -> None:
    """Nor any arguments of a command."""
    assert "Internal error" not in _ask(" ".join((name, *arguments)).encode("utf-8", "ignore") + b"\n")


def test_csv_values() -> None:
    """Quoted where it is needed."""
    assert csv_value('a"b,c') == '"a""b,c"'
    assert csv_value(None) == ""
    assert csv_value(0) == "0"


def test_no_socket_is_left_behind() -> None:
    """Building a configuration opens nothing."""
    assert not Path("/run/none.sock").exists()


def test_the_rows_that_run_are_the_commands() -> None:
    run = {entry.name for entry in TABLE if entry.runs is Runs.YES}
    assert run == {" ".join(command.words) for command in registered() if not command.own}


def test_sessions_that_are_not_there() -> None:
    assert _ask(b"show sess\n") == "\n"
    assert "Session not found." in _ask(b"show sess 0x1\n")
    assert "No such session" in _ask(b"shutdown session 0x1\n")
    assert "Session pointer expected" in _ask(b"shutdown session zz\n")
    assert "Session pointer expected" in _ask(b"shutdown session\n")
    assert "Permission denied" in _ask(b"shutdown session 0x1\n", level=Level.OPERATOR)
