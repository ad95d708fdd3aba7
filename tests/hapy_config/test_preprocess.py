"""Conditions and the blocks they decide."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hapy_config import read_text
from hapy_config.preprocess import (
    MAX_NESTED_BLOCKS,
    BlockError,
    Blocks,
    ConditionError,
    Surroundings,
    evaluate_argument,
    evaluate_condition,
    split_version,
)

AROUND = Surroundings(
    {"A": "x", "EMPTY": ""},
    frozenset({"THREAD", "POLL"}),
    version="2.6.12",
    ssl_library="OpenSSL 3.0.17 1 Jul 2025",
    enabled=frozenset({"POLL"}),
)


def evaluate(text: str) -> bool:
    return evaluate_condition(text, AROUND)


def attempt(text: str, function=evaluate_condition) -> int:
    """The exit status of `-cc`."""
    try:
        return 0 if function(text, AROUND) else 1
    except ConditionError as error:
        return 2 if str(error) else 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", False),
        ("0", False),
        ("00", False),
        ("-0", False),
        ("1", True),
        ("-1", True),
        ("+1", True),
        ("0x1", True),
        ("0x0", False),
        ("99999999999", True),
        ("!0", True),
        ("! 1", False),
        ("!!1", True),
        ("(1)", True),
        ("( 0 )", False),
        ("!(0)", True),
        ("1 && 1", True),
        ("1&&0", False),
        ("0 || 1", True),
        ("0 && 1 || 1", True),
        ("1 || 0 && 0", True),
        ("((1) && (0 || 1)) || !(0)", True),
        ("defined(A)", True),
        ("defined(EMPTY)", True),
        ("defined(B)", False),
        ("defined( A )", False),
        ("defined()", False),
        ("defined", False),
        ("feature(THREAD)", True),
        ("feature(THR)", False),
        ("feature(QUIC)", False),
        ("feature()", True),
        ("streq(a,a)", True),
        ("streq(a, a)", False),
        ("streq(,)", True),
        ("streq((,()", True),
        ('streq("a,b","a,b")', True),
        ("streq('a,b',\"a,b\")", True),
        (r"streq(a\ b,a b)", True),
        ("strneq(a,b)", True),
        ("strstr(abc,b)", True),
        ("strstr(b,abc)", False),
        ("version_atleast(2.6)", True),
        ("version_atleast(2.6.12)", True),
        ("version_atleast(2.6.13)", False),
        ("version_atleast(2.6-dev9)", True),
        ("version_atleast(2.7-dev1)", False),
        ("version_atleast(2.6.12-1)", False),
        ("version_before(2.7)", True),
        ("version_before(2.6.12)", False),
        ("openssl_version_atleast(1.1.1)", True),
        ("openssl_version_atleast(3.0.99)", False),
        ("openssl_version_before(1.1.1k)", False),
        ("openssl_version_before(4.0.0)", True),
        ("ssllib_name_startswith(OpenSSL)", True),
        ("ssllib_name_startswith(wolfSSL)", False),
        ("enabled(POLL)", True),
        ("enabled(EPOLL)", False),
        ("awslc_api_atleast(3)", False),
        ("awslc_api_before(3)", False),
    ],
)
def test_values(text: str, value: bool) -> None:
    assert evaluate(text) is value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo", "unparsable conditional expression 'foo'"),
        ("1 || foo(1)", "unparsable conditional expression 'foo(1)'"),
        ("0 && foo", "unparsable conditional expression 'foo'"),
        ("!", "unparsable conditional expression '!'"),
        ("()", "unparsable conditional expression ')'"),
        ("1 ||", "unparsable conditional expression '1 ||'"),
        (" ", "unparsable conditional sub-expression ' '"),
        ("1x", "unexpected character 'x' at the end of conditional expression '1x'"),
        ("1 1", "unexpected character '1' at the end of conditional expression '1 1'"),
        ("1 & 1", "unexpected character '&' at the end of conditional expression '1 & 1'"),
        ("(1", "expected ')' after conditional expression '(1'"),
        ("1)", "unexpected character ')' at the end of conditional expression '1)'"),
        (
            "defined(A,B)",
            "expected ')' before ',B)' in argument 1 of predicate 'defined' used in conditional expression",
        ),
        ("defined(A", "expected ')' in argument 1 of predicate 'defined' used in conditional expression"),
        (
            "streq(a)",
            (
                "missing arguments (got 1/2), type 'string' expected in argument 1 of predicate 'streq' used in "
                "conditional expression"
            ),
        ),
        ("openssl_version_atleast(3)", "'3' is no version of OpenSSL: three numbers are expected"),
    ],
)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        evaluate(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("streq(a  b,a b)", 0),
        ('"1"', 0),
        ('streq("$A",x)', 0),
        ("streq($A,x)", 1),
        ("streq(a#b,a#b)", 0),
        ("1 # no comment", 2),
        (r"streq(\"a,b\",\"a,b\")", 0),
        ('streq("a,b","a,b")', 2),
        (r"\x31", 0),
        (r"streq(\#,#)", 1),
        (r"streq(\#,'\#')", 0),
        (r"streq(a\,b,c)", 2),
        (r"strneq(\(,x)", 0),
        (r"streq('a\\nb','a\\nb')", 0),
        ("defined&&1", 2),
        ("!feature||1", 2),
        ("defined &&1", 1),
        ('"1', 2),
        ('"$1"', 2),
        ("", 1),
    ],
)
def test_the_argument_of_cc(text: str, status: int) -> None:
    assert attempt(text, evaluate_argument) == status


@pytest.mark.referee
def test_haproxy_takes_the_argument_of_cc_alike(haproxy: str) -> None:
    for text in (
        'streq("$A",x)',
        "streq($A,x)",
        "streq(a#b,a#b)",
        "1 # x",
        'streq("a,b","a,b")',
        r"\x31",
        r"streq(\#,#)",
        r"streq(\#,'\#')",
        r"streq(a\,b,c)",
        r"strneq(\(,x)",
        r"streq('a\\nb','a\\nb')",
        "defined&&1",
        "!feature||1",
        "defined &&1",
        '"1',
        '"$1"',
    ):
        result = subprocess.run([haproxy, "-cc", text], capture_output=True, env={"A": "x"}, check=False, timeout=30)
        assert attempt(text, evaluate_argument) == result.returncode, text


def test_without_tls_no_version_of_openssl_is_true() -> None:
    bare = Surroundings({})
    assert not evaluate_condition("openssl_version_atleast(0.9.8)", bare)
    assert not evaluate_condition("openssl_version_before(9.9.9)", bare)


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    assert evaluate("(" * 150 + "1" + ")" * 150)
    with pytest.raises(ConditionError):
        evaluate("(" * 100_000)


def test_versions_sort() -> None:
    ordered = ["2.5", "2.6-dev1", "2.6-dev10", "2.6.0", "2.6.0-5", "2.6.12", "2.7-rc1", "2.7"]
    keys = [split_version(version) for version in ordered]
    assert keys == sorted(keys)


atoms = st.sampled_from(
    [
        "0",
        "1",
        "defined(A)",
        "defined(B)",
        "streq(a,a)",
        "streq(a,b)",
        "version_atleast(2.6)",
        "feature(THREAD)",
        "",
        "x",
    ]
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" && ", "||", " || ", "&&", " ", "&"]), inner).map("".join),
        inner.map("({})".format),
        inner.map("!{}".format),
    ),
    max_leaves=8,
)


@given(conditions | st.text(max_size=30))
@settings(max_examples=400)
def test_any_text_is_decided_or_refused(text: str) -> None:
    assert attempt(text) in {0, 1, 2}


@pytest.mark.referee
@given(text=conditions)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_haproxy_decides_alike(text: str, haproxy: str) -> None:
    result = subprocess.run(
        [haproxy, "-cc", text], capture_output=True, text=True, env={"A": "x"}, check=False, timeout=30
    )
    assert attempt(text, evaluate_argument) == result.returncode, result.stderr


# Blocks


def test_first_true_branch_counts() -> None:
    blocks = Blocks()
    blocks.open(condition=False)
    assert not blocks.active
    assert blocks.wants_condition
    blocks.switch(condition=True, final=False)
    assert blocks.active
    assert not blocks.wants_condition
    blocks.switch(condition=True, final=True)
    assert not blocks.active
    blocks.close()
    assert blocks.active


def test_inner_blocks_of_a_false_one_do_not_count() -> None:
    blocks = Blocks()
    blocks.open(condition=False)
    blocks.open(condition=True)
    assert not blocks.active
    assert not blocks.wants_condition
    blocks.switch(condition=True, final=True)
    assert not blocks.active
    blocks.close()
    blocks.switch(condition=True, final=True)
    assert blocks.active


def test_the_branch_of_an_unreadable_condition_is_read() -> None:
    blocks = Blocks()
    blocks.open(condition=None)
    assert blocks.active
    blocks.switch(condition=True, final=True)
    assert not blocks.active
    blocks.open(condition=None)
    assert not blocks.active
    blocks.close()
    blocks.close()
    assert blocks.active


def test_misplaced_directives() -> None:
    blocks = Blocks()
    for directive in (".elif", ".else", ".endif"):
        with pytest.raises(BlockError, match=f"lone '{directive}' with no matching '.if'"):
            blocks.check(directive)
    blocks.open(condition=True)
    blocks.switch(condition=True, final=True)
    for directive in (".elif", ".else"):
        with pytest.raises(BlockError, match=f"'{directive}' after '.else' is not permitted"):
            blocks.check(directive)
    blocks.check(".endif")


def test_nesting_is_limited() -> None:
    blocks = Blocks()
    for _ in range(MAX_NESTED_BLOCKS - 1):
        blocks.open(condition=True)
    with pytest.raises(BlockError, match=r"too many nested '\.if', max is 100"):
        blocks.open(condition=True)


@pytest.mark.parametrize("condition", ["strstr(abc,b)", "enabled(POLL)", "awslc_api_atleast(1)", "awslc_api_before(1)"])
def test_predicates_of_later_versions(condition: str) -> None:
    text = f".if {condition}\n.endif\n"
    assert [found.code for found in read_text(text, target=(2, 6)).diagnostics] == ["bad-condition"]
    assert not read_text(text, target=(3, 4)).diagnostics
    assert not read_text(text).diagnostics
