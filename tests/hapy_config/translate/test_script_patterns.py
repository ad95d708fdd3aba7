"""Regular expressions as patterns of Lua."""

from __future__ import annotations

import pytest

from hapy_config.translate.envoy.script.patterns import patterns
from hapy_config.translate.flow import Untranslatable


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        ("^/api/v[0-9]+/", ["^/api/v[0-9]+/"]),
        (r"\.(png|gif)$", ["%.png$", "%.gif$"]),
        (r"^/(img|css)/.*\.gz$", ["^/img/.*%.gz$", "^/css/.*%.gz$"]),
        ("^$", ["^$"]),
        (r"(^|[/?])static([/?]|$)", ["^static[%/%?]", "^static$", "[%/%?]static[%/%?]", "[%/%?]static$"]),
        ("a|^b$", ["a", "^b$"]),
        ("(?i)ab-1", ["[aA][bB]%-1"]),
        ("x{2,3}y?", ["xxx?y?"]),
        (r"\d\w\W\s", ["%d[%w_][^%w_]%s"]),
        ("(?:ab)?c", ["abc", "c"]),
        ("(ab){2}", ["abab"]),
        (r"[^/.\-]+", ["[^%/%.%-]+"]),
        (r"\bx", ["%f[%w_]x", "%f[^%w_]x"]),
        ("(a)+", ["a+"]),
        ("a^b", []),
    ],
)
def test_each_way_through_is_a_pattern(regex: str, expected: list[str]) -> None:
    assert [one.text for one in patterns(regex)] == expected


def test_captures_tell_their_groups() -> None:
    found = patterns("^/(a(b)|c)/(.*)$", captures=True)
    assert [(one.text, one.groups) for one in found] == [("^/(a(b))/(.*)$", (1, 2, 3)), ("^/(c)/(.*)$", (1, 3))]


def test_a_group_of_nothing_is_no_place() -> None:
    found = patterns("^()(/old)(.*)$", captures=True)
    assert [(one.text, one.groups) for one in found] == [("^(/old)(.*)$", (2, 3))]


def test_an_anchor_in_a_group_is_moved_out_of_it() -> None:
    assert patterns("(^a|b)(c$)", captures=True)[0].text == "^(a)(c)$"


@pytest.mark.parametrize("regex", ["(ab)+", "(?=x)", r"(a)\1", "a++", "[", "(", "a{2,", "x*^a", "*", r"\B", "é"])
def test_others_are_refused(regex: str) -> None:
    with pytest.raises(Untranslatable):
        patterns(regex)


def test_an_alternative_behind_a_repetition_has_no_captures() -> None:
    with pytest.raises(Untranslatable):
        patterns("^.*(a|b)", captures=True)
    assert len(patterns("^.*(a|b)")) == 2
