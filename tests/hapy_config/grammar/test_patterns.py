from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.patterns import IntegerRange, check, integer_ranges, network


def attempt(parse: Callable[[], object]) -> GrammarError | None:
    """What a parser raises, if anything."""
    try:
        parse()
    except GrammarError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["5"], [(5, 5)]),
        (["5-7"], [(5, 7)]),
        (["-5"], [(None, 5)]),  # a minus sign parts a range too
        (["lt", "0"], [(None, -1)]),
        (["5", "7:9", ":3", "8:"], [(5, 5), (7, 9), (None, 3), (8, None)]),
        (["gt", "5"], [(6, None)]),
        (["ge", "5"], [(5, None)]),
        (["lt", "5"], [(None, 4)]),
        (["le", "5"], [(None, 5)]),
        (["eq", "5"], [(5, 5)]),
        (["1", "gt", "5", "7"], [(1, 1), (6, None), (8, None)]),
        (["lt", "5", "gt", "7"], [(None, 4), (8, None)]),
        (["gt", "1:3"], [(1, 3)]),
        (["gt", "1.9"], [(2, None)]),
        (["gt"], []),
        ([], []),
    ],
)
def test_integers(patterns: list[str], expected: list[tuple[int | None, int | None]]) -> None:
    # The meaning of each was seen in a running HAProxy 2.6.
    assert list(integer_ranges(patterns)) == [IntegerRange(*bounds) for bounds in expected]


def test_dotted_integers() -> None:
    assert integer_ranges(["3:3.1"], dotted=True) == (IntegerRange(0x30000, 0x30001),)
    assert integer_ranges(["gt", "3.1"], dotted=True) == (IntegerRange(0x30002, None),)


@pytest.mark.parametrize(
    "patterns",
    [
        ["x"],
        [""],
        ["5x"],
        ["7-5"],
        ["0x5"],
        ["+5"],
        ["1.2"],
        ["eq", "1.2"],
        [":"],
        ["9:5"],
        ["-5:5"],
        ["5:6:7"],
        ["gt", "x"],
        ["gt", "1x"],
        ["9" * 30],
    ],
)
def test_what_is_no_integer(patterns: list[str]) -> None:
    with pytest.raises(GrammarError) as caught:
        integer_ranges(patterns)
    assert caught.value.word == len(patterns) - 1


@pytest.mark.parametrize(
    ("text", "address", "mask"),
    [
        ("192.0.2.1", "192.0.2.1", "255.255.255.255"),
        ("192.0.2.1/24", "192.0.2.0", "255.255.255.0"),
        ("192.0.2.1/255.0.255.0", "192.0.2.0", "255.0.255.0"),
        ("127.1", "127.0.0.1", "255.255.255.255"),
        ("10.12/8", "10.0.0.0", "255.0.0.0"),
        ("127", "0.0.0.127", "255.255.255.255"),
        ("0/0", "0.0.0.0", "0.0.0.0"),
        ("2001:db8::1/32", "2001:db8::", "ffff:ffff::"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ],
)
def test_networks(text: str, address: str, mask: str) -> None:
    found = network(text)
    assert found is not None
    assert (found.address, found.mask) == (int(ipaddress.ip_address(address)), int(ipaddress.ip_address(mask)))
    assert found.version == ipaddress.ip_address(address).version


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.",
        "256.1.1.1",
        "1.2.3.4/33",
        "1.2.3.4/",
        "1.2.3.4/255.0",
        "::1/129",
        "[::1]",
        "0x7f.1",
        "1.2.3.4.5",
        "::1%lo",
        "a.example",
    ],
)
def test_what_is_no_network(text: str) -> None:
    assert network(text) is None


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_networks_agree_with_the_standard_library(address: ipaddress.IPv4Address, length: int) -> None:
    expected = ipaddress.ip_network(f"{address}/{length}", strict=False)
    found = network(f"{address}/{length}")
    assert found is not None
    assert (found.address, found.mask) == (int(expected.network_address), int(expected.netmask))


@given(st.sampled_from(["int", "len", "ip", "bin", "reg", "str", "found"]), st.lists(st.text(max_size=8), max_size=4))
def test_nothing_but_grammar_errors(match: str, patterns: list[str]) -> None:
    error = attempt(lambda: check(match, patterns))
    assert error is None or 0 <= error.word < len(patterns)
