from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy_config.grammar.units import leading_integer, leading_long, wrapped


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("x", 0),
        ("5", 5),
        ("5x", 5),
        (" \t+5", 5),
        ("-5s", -5),
        ("- 5", 0),
        ("007", 7),
        ("2147483647", 2**31 - 1),
        ("2147483648", -(2**31)),
        ("4294967296", 0),
        ("4294967301", 5),
        ("99999999999999999999", -1),
        ("-99999999999999999999", 0),
    ],
)
def test_what_an_int_makes_of_a_word(text: str, number: int) -> None:
    assert leading_integer(text) == number


def test_what_a_long_makes_of_a_word() -> None:
    assert leading_long("99999999999999999999x") == 2**63 - 1
    assert leading_long("-99999999999999999999") == -(2**63)
    assert leading_long("4294967296k") == 4294967296


@given(st.integers(-(2**70), 2**70), st.sampled_from(["", "k", " 5", "."]))
def test_they_are_those_of_c(number: int, behind: str) -> None:
    libc = ctypes.CDLL(None)
    libc.atol.restype = ctypes.c_long
    text = f"{number}{behind}"
    assert leading_long(text) == libc.atol(text.encode())
    assert leading_integer(text) == ctypes.c_int(libc.atol(text.encode())).value
    if number >= 0:
        assert wrapped(str(number)) == leading_integer(text)
