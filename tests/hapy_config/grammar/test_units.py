from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.units import leading_integer, parse_integer, parse_percentage, parse_size, parse_time


def attempt(parse: Callable[[], object]) -> GrammarError | None:
    """What a parser raises, if anything."""
    try:
        parse()
    except GrammarError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0", 0),
        ("5", 5),
        ("5ms", 5),
        ("1us", 1),
        ("1001us", 2),
        ("5s", 5000),
        ("2m", 120000),
        ("1h", 3600000),
        ("24d", 2073600000),
        ("05s", 5000),
        ("5min", 300000),
        ("2147483647", 2147483647),
    ],
)
def test_times(text: str, milliseconds: int) -> None:
    assert parse_time(text) == milliseconds


def test_times_in_seconds() -> None:
    assert parse_time("5", "s") == 5000
    assert parse_time("5ms", "s") == 5


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("5x", "unexpected character 'x' in 'timeout client'", 1),
        ("s", "unexpected character 's' in 'timeout client'", 0),
        ("-5", "unexpected character '-' in 'timeout client'", 0),
        ("1.5s", "unexpected character '.' in 'timeout client'", 1),
        ("5u", "unexpected character 'u' in 'timeout client'", 1),
        ("5S", "unexpected character 'S' in 'timeout client'", 1),
        (
            "25d",
            "timer overflow in argument '25d' to 'timeout client' (maximum value is 2147483647 ms or ~24.8 days)",
            0,
        ),
    ],
)
def test_what_is_no_time(text: str, message: str, offset: int) -> None:
    with pytest.raises(GrammarError) as caught:
        parse_time(text, name="timeout client")
    assert (caught.value.message, caught.value.offset) == (message, offset)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1k", 1024), ("10K", 10240), ("3G", 3 << 30), ("4294967295", 4294967295), ("2m", 2 << 20)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "1kk", "3.5k", "-1", "+1", "1kb", "1M2", "4g", "4294967296", "9" * 20])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_size(text)


def test_integers() -> None:
    assert parse_integer("-5") == -5
    assert leading_integer(" 5x") == 5
    assert leading_integer("x") == 0
    assert parse_percentage("50%") == 50
    with pytest.raises(GrammarError, match=r"not in the range \[0\.\.256\]"):
        parse_integer("257", 0, 256)
    with pytest.raises(GrammarError, match="not an integer"):
        parse_integer("5x")
    with pytest.raises(GrammarError, match="not a percentage"):
        parse_percentage("101%")


@given(st.text(max_size=12))
def test_nothing_but_grammar_errors(text: str) -> None:
    for parse in (parse_time, parse_size, parse_integer, parse_percentage):
        error = attempt(lambda parse=parse: parse(text))
        assert error is None or error.message
    leading_integer(text)


@pytest.mark.referee
def test_haproxy_agrees_on_times(judge) -> None:
    numbers = [
        "",
        "0",
        "5",
        "05",
        "1.5",
        "-5",
        "+5",
        "0x10",
        "24",
        "25",
        "2147483647",
        "2147483648",
        "99999999999999999999",
    ]
    units = ["", "us", "ms", "s", "m", "h", "d", "u", "x", "S", "min", "sx", " "]
    texts = [number + unit for number in numbers for unit in units if (number + unit).strip()]
    verdicts = judge([f"timeout client {text}" for text in texts])
    for text, verdict in zip(texts, verdicts, strict=True):
        try:
            parse_time(text.strip(), name="timeout client")
            ours = None
        except GrammarError as error:
            ours = error.message
        assert (ours is None) == (verdict is None), f"{text}: HAProxy says {verdict}, we say {ours}"
        if ours is not None and verdict is not None:
            assert ours in verdict
