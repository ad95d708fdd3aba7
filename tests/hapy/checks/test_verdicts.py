"""What answers of servers and agents mean: no bytes whatever make more than a verdict of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.checks import protocols, spop
from hapy.checks.agent import Advice, read_advice
from hapy.checks.result import Ended, Status, decoded, shown

JUDGES = [
    protocols.judge_ssl,
    protocols.judge_smtp_greeting,
    protocols.judge_smtp_hello,
    protocols.judge_smtp,
    protocols.judge_mysql_greeting,
    protocols.judge_mysql_login,
    protocols.judge_pgsql,
    protocols.judge_redis,
    protocols.judge_ldap,
    spop.judge_spop,
]

#: Bytes that look like the beginning of something.
LIKELY = st.one_of(
    st.binary(min_size=1, max_size=64),
    st.builds(
        lambda start, rest: start + rest,
        st.sampled_from(
            [
                b"0\x0c\x02\x01\x01a",
                b"R\0\0\0",
                b"E\0\0\0\x50S",
                b"220 ",
                b"250-",
                b"+PONG",
                b"\x05\0\0\0\x0a",
                b"\xff",
                b"\0\0\0\x09\x65",
            ]
        ),
        st.binary(max_size=40),
    ),
)


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.__name__)
@given(data=LIKELY)
def test_any_bytes_give_a_verdict(judge: object, data: bytes) -> None:
    assert callable(judge)
    partial = judge(data, False)
    final = judge(data, True)
    assert isinstance(final, Ended)
    assert shown(final.result.info).isprintable()
    if partial is not None:
        assert partial.result.status.passed == final.result.status.passed


@given(data=LIKELY, cut=st.integers(1, 64))
@pytest.mark.parametrize(
    "judge",
    [protocols.judge_mysql_greeting, protocols.judge_ldap, spop.judge_spop],
    ids=lambda judge: judge.__name__,
)
def test_more_bytes_never_change_a_verdict(judge: object, data: bytes, cut: int) -> None:
    assert callable(judge)
    early = judge(data[:cut], False)
    if early is not None and data[:cut]:
        late = judge(data, False)
        assert late is not None
        assert late.result.status.passed == early.result.status.passed


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"up", Advice(state="up")),
        (b"UP", Advice(state="UP")),
        (b"75% up ready", Advice(state="up", mode="ready", weight="75%")),
        (b"up,50%\tmaxconn:5", Advice(state="up", weight="50%", maxconn="5")),
        (b"down # why, though", Advice(state="down", text=" why, though".strip())),
        (b"down#some reason", Advice(unknown="down#some")),
        (b"MAINT", Advice(mode="maint")),
        (b"50", Advice(unknown="50")),
        (b"", Advice()),
    ],
)
def test_agents_lines(line: bytes, wanted: Advice) -> None:
    assert read_advice(line) == wanted


@given(line=st.binary(max_size=200))
def test_any_line_of_an_agent_is_taken_apart(line: bytes) -> None:
    advice = read_advice(line)
    assert advice.state.lower() in ("", "up", "down", "stopped", "fail")
    assert advice.mode in ("", "ready", "drain", "maint")


def test_ldap_result_codes() -> None:
    answer = protocols.judge_ldap(bytes.fromhex("300c02010161070a013104000400"), False)
    assert answer is not None
    assert (answer.result.status, answer.result.code) == (Status.L7STS, 49)


def test_mysql_login_packets() -> None:
    modern = protocols.mysql_login(b"bob", modern=True)
    assert modern[:4] == b"\x25\x00\x00\x01"
    assert len(modern) == 4 + 0x25 + 5
    old = protocols.mysql_login(b"bob", modern=False)
    assert old == b"\x0a\x00\x00\x01\x00\x80\x00\x00\x01bob\x00\x00\x01\x00\x00\x00\x01"


def test_bytes_are_shown_as_the_log_shows_them() -> None:
    assert shown(decoded(b'a\r\n\xff"<b>')) == "a<0D><0A><FF><22><3C>b<3E>"
