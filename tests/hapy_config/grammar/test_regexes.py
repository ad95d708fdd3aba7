from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.regexes import compile_regex


def attempt(parse: Callable[[], object]) -> GrammarError | None:
    """What a parser raises, if anything."""
    try:
        parse()
    except GrammarError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("pattern", "matches", "fails"),
    [
        ("^/(here)(/|$)", b"/here/x", b"/heret"),
        ("[[:alnum:]]+", b"a9", b"-"),
        ("^[[:^digit:]]$", b"x", b"5"),
        ("^[^[:space:]]+$", b"ab", b"a b"),
        (r"^\h$", b"\t", b"\n"),
        (r"^a\Rb$", b"a\r\nb", b"ab"),
        (r"^\Qa.b*\E$", b"a.b*", b"axbb"),
        ("^a{,3}$", b"a{,3}", b"aa"),
        (r"^\x41\x{42}$", b"AB", b"ab"),
        ("a(?i)b", b"aB", b"AB"),
        ("^(?:a(?i)b|c)d$", b"Cd", b"Abd"),
        ("(?<n>a|b)-\\k<n>", b"a-a", b"a-b"),
        ("^[]a]+$", b"]a", b"["),
        ("^[^]]$", b"a", b"]"),
        ("^[a&&b|~]$", b"|", b"c"),
        (r"^[\w-]$", b"-", b"."),
        ("a++b", b"aab", b"aa"),
        (r"\z", b"", None),
        (r"^a\Z", b"a\n", b"ab"),
        (r"\B", b"", b"a"),
        ("é", "é".encode(), b"e"),
        ("\udcff", b"\xff", b"y"),
        ("(?#note)a", b"a", b"b"),
        (r"^[\d\s]+$", b"1 2", b"1-2"),
        (r"^\pL$", b"a", b"1"),
    ],
)
def test_pcre_in_python(pattern: str, matches: bytes, fails: bytes | None) -> None:
    compiled = compile_regex(pattern)
    assert compiled.search(matches)
    assert fails is None or not compiled.search(fails)


def test_case() -> None:
    assert compile_regex("^/a$", ignore_case=True).search(b"/A")
    assert not compile_regex("É", ignore_case=True).search("é".encode())


def test_captures() -> None:
    assert compile_regex("(a)b(c)").groups == 2
    assert compile_regex("(a)b(c)", captures=False).groups == 0
    assert compile_regex(r"(?<n>a)(b)\1", captures=False).search(b"aba")


@pytest.mark.parametrize(
    ("pattern", "reason", "offset"),
    [
        ("(foo", "missing closing parenthesis", 4),
        ("[a", "missing terminating ] for character class", 2),
        ("*", "quantifier does not follow a repeatable item", 0),
        ("a)", "unmatched closing parenthesis", 1),
        ("[z-a]", "range out of order in character class", 3),
        (r"[\w-.]", "invalid range in character class", 4),
        ("a\\", "\\ at end of pattern", 1),
        ("a{3,2}", "numbers out of order in {} quantifier", 2),
        (r"(a)\2", "reference to non-existent subpattern", 4),
        ("(?R)", "recursion and branch reset are not supported", 0),
        (r"a\Kb", r"\K is not supported", 1),
        ("[[:nope:]]", "unknown POSIX class name", 1),
        (r"\y", "unrecognized character follows \\", 1),
    ],
)
def test_errors(pattern: str, reason: str, offset: int) -> None:
    with pytest.raises(GrammarError) as caught:
        compile_regex(pattern)
    assert f"(error={reason}, erroffset=" in caught.value.message
    assert 0 <= caught.value.offset <= len(pattern)
    assert abs(caught.value.offset - offset) <= 2


_PIECES = [
    "a",
    "/",
    "\\d",
    "\\w+",
    "[a-z]",
    "[^/]+",
    "[[:alpha:]]",
    "[[:^digit:]-]",
    "(",
    "(",
    ")",
    ")",
    "|",
    "*",
    "+",
    "?",
    "{2}",
    "{,3}",
]
_PIECES += [
    "{3,2}",
    "{1,3}",
    "^",
    "$",
    ".",
    "\\.",
    "\\/",
    "(?:",
    "(?i)",
    "(?i:",
    "(?=",
    "(?!",
    "(?<=",
    "(?<n>",
    "\\1",
    "\\h",
    "\\R",
    "\\Q.\\E",
]
_PIECES += [
    "\\x41",
    "\\x{41}",
    "[\\w-.]",
    "[]a]",
    "[a-\\d]",
    "[z-a]",
    "[",
    "]",
    "\\b",
    "\\B",
    "\\A",
    "\\z",
    "\\Z",
    "\\e",
    "\\-",
    "\\ ",
    "\\y",
]
_PIECES += [
    "{",
    "}",
    "a{",
    "??",
    "*+",
    "[\\]]",
    "[\\d\\s]",
    "[a&&b]",
    "[a--b]",
    "(?#c)",
    "\\0",
    "\\012",
    "\\N",
    "(?>a)",
    "(?-i)",
    "\\pL",
    "é",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=8).map("".join) | st.text(max_size=15))
def test_nothing_but_grammar_errors(pattern: str) -> None:
    # Warnings are errors here, so this also says that no pattern reads as one of Python's coming set operations.
    error = attempt(lambda: compile_regex(pattern))
    assert error is None or 0 <= error.offset <= len(pattern)


@pytest.mark.referee
def test_haproxy_agrees_on_regexes(judge) -> None:
    chance = random.Random(5)
    patterns = ["".join(chance.choices(_PIECES, k=chance.randint(1, 6))) for _ in range(800)]
    verdicts = judge([f"acl x path -m reg -- '{pattern}'" for pattern in patterns])
    for pattern, verdict in zip(patterns, verdicts, strict=True):
        try:
            compile_regex(pattern, captures=False)
            ours = None
        except GrammarError as error:
            ours = error.message
        assert (ours is None) == (verdict is None), f"{pattern}: HAProxy says {verdict}, we say {ours}"
