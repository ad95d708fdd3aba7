from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.options import Options, UsageError, number, parse


def changed(words: str) -> dict[str, object]:
    """What differs from the defaults."""
    found, default = parse(words.split()), Options()
    return {name: getattr(found, name) for name in Options.__slots__ if getattr(found, name) != getattr(default, name)}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", {}),
        ("-f a -f b", {"files": ["a", "b"]}),
        ("-f a -- b -c -- d", {"files": ["a", "b", "-c", "--", "d"]}),
        ("-fxyz a", {"files": ["a"]}),
        ("-c", {"check": True}),
        ("-cx", {"check": True}),
        ("-cc foo", {"condition": "foo"}),
        ("-ccx foo", {"condition": "foo"}),
        ("-v", {"version": 1}),
        ("-vx", {"version": 1}),
        ("-vvv", {"version": 2}),
        ("-v -Z", {"version": 1}),
        ("-D", {"daemon": True}),
        ("-W", {"master": True}),
        ("-Ws", {"master": True, "notify": True}),
        ("-Wc", {"master": True}),
        ("-d", {"debug": True}),
        ("-dZ", {"debug": True}),
        ("-db", {"foreground": True}),
        ("-dbx", {"foreground": True}),
        ("-dD -dW -dR -dr -dV -dL", dict.fromkeys(
            ["diagnostics", "zero_warning", "no_reuse_port", "no_resolve_errors", "no_verify", "dump_libraries"], True
        )),
        ("-dS", {}),
        ("-dKall", {"keyword_classes": "all"}),
        ("-dK", {"keyword_classes": ""}),
        ("-dMhelp", {"memory_help": True, "unused": [("-dM", "there are no memory pools to debug")]}),
        ("-q -V", {"quiet": True, "verbose": True}),
        ("-n 10 -N 0x5 -m abc", {"maxconn": 10, "proxy_maxconn": 0}),
        ("-p -q", {"pidfile": "-q"}),
        ("-C d -L n -x s -S m", {"directory": "d", "local_peer": "n", "old_socket": "s", "master_socket": "m"}),
        ("-x a -x b", {"old_socket": "b", "warnings": ["-x option already set, overwriting the value"]}),
        ("-sf", {}),
        ("-sf 1 2 -q", {"old_pids": [1, 2], "quiet": True}),
        ("-st 7", {"old_pids": [7], "terminate": True}),
        ("-sf 1 -st 2", {"old_pids": [1, 2], "terminate": True}),
        ("-sf 5 -- a", {"old_pids": [5], "files": ["a"]}),
        ("--strict", {"strict": True}),
        ("--lenient", {"lenient": True}),
        ("--help", {"help": True}),
        ("--version", {"version": 1}),
    ],
)  # fmt: skip
def test_flags(words: str, expected: dict[str, object]) -> None:
    assert changed(words) == expected


def test_a_quoted_pid_list_counts_as_several_pids() -> None:
    assert parse(["-sf", "12 34\n56"]).old_pids == [12, 34, 56]


@pytest.mark.parametrize(
    ("words", "word"),
    [
        *((word, word) for word in ("-Z", "a.cfg", "-", "--nope", "-s", "-cc", "-x")),
        ("-Z 1", "-Z"),
        ("-c a.cfg", "a.cfg"),
        ("-sx 1", "-sx"),
        ("-sf 0", "0"),
    ],
)
def test_what_is_not_understood_gets_the_usage(words: str, word: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(words.split())
    assert raised.value.message == ""
    assert raised.value.word == word


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-f", "option '-f' needs an argument"),
        ("-c -n", "option '-n' needs an argument"),
        ("-sf 1 a", "-sf option: some bytes unconsumed in PID list {a}"),
        ("-st 12x", "-st option: some bytes unconsumed in PID list {x}"),
        ("-dMfoo", "-dM: unknown pool debugging feature <foo>"),
        ("-dM0x50,fail,bar", "-dM: unknown pool debugging feature <bar>"),
    ],
)
def test_messages(words: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(words.split())
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("text", "value"), [("12", 12), ("12x", 12), ("x", 0), ("", 0), (" -3", -3), ("+4", 4), ("-", 0)]
)
def test_numbers_are_read_as_far_as_they_go(text: str, value: int) -> None:
    assert number(text) == value


@given(st.lists(st.one_of(st.text(max_size=6), st.sampled_from(["-f", "-sf", "-dM", "-cc", "--", "-n", "-x"]))))
def test_any_words_are_parsed_or_refused(words: list[str]) -> None:
    with contextlib.suppress(UsageError):
        parse(words)
