"""Paths that rules have rewritten: what was asked of the new one, asked of the path as it came."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hapy_config.translate.flow import (
    FALSE,
    TRUE,
    Every,
    Formula,
    Not,
    Some,
    Subject,
    Test,
    Untranslatable,
)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What a rule makes of a path.

    Attributes:
        condition: where it does so, asked of the path as it came.
        text: the new path, or its beginning.
        regex: of the path before, which must match; empty for any.
        rest: what follows the text: nothing, the path before, or something that is not known.
    """

    condition: Formula
    text: str
    regex: str = ""
    rest: str = ""


#: What a pattern begins with, literally.
_BEGINNING: Final = re.compile(r"\^([A-Za-z0-9_/-]*)(?![*?{])")
#: Of `rest`: the whole path before, and parts of it.
BEFORE: Final = "before"
PARTS: Final = "parts"


def as_it_came(whole: Formula, rewritings: tuple[Rewriting, ...], unknown: Formula | None = None) -> Formula:
    """A condition on the path behind some rewritings as one on the path before them.

    Args:
        whole: the condition.
        rewritings: in order.
        unknown: what a test is taken for that can't be told.

    Raises:
        Untranslatable: a test can't be told, and `unknown` is None.
    """
    if not rewritings:
        return whole
    if isinstance(whole, Not):
        return Not(as_it_came(whole.part, rewritings, unknown))
    if isinstance(whole, Every | Some):
        return type(whole)(tuple(as_it_came(one, rewritings, unknown) for one in whole.parts))
    if whole.subject.kind not in ("path", "url", "base", "query"):
        return whole
    *before, last = rewritings
    applies = last.condition
    try:
        if whole.subject.kind != "path":
            raise Untranslatable("routes see the URL as it came, and a rule above rewrites it")
        if last.regex:
            matching = Test(Subject("path"), "regex", (last.regex,))
            applies = Every((applies, as_it_came(matching, tuple(before), unknown)))
        new = Some(tuple(_rewritten(whole, value, last, tuple(before), unknown) for value in whole.values))
    except Untranslatable:
        if unknown is None:
            raise
        new = Some((unknown,))
    old = as_it_came(whole, tuple(before), unknown)
    return Some((Every((applies, new)), Every((Not(applies), old))))


def _rewritten(
    one: Test, value: str, last: Rewriting, before: tuple[Rewriting, ...], unknown: Formula | None
) -> Formula:
    """Whether a rewritten path is equal to a text, or begins or ends with it."""
    if one.how == "regex" and last.rest and _differs(value, last.text):
        return FALSE
    if one.ignore_case or one.how not in ("exact", "prefix", "suffix"):
        raise Untranslatable("routes see the path as it came, and a rule above rewrites it")
    if not last.rest:
        holds = {
            "exact": last.text == value, "prefix": last.text.startswith(value), "suffix": last.text.endswith(value)
        }  # fmt: skip
        return TRUE if holds[one.how] else FALSE
    if one.how == "suffix":
        if last.rest == BEFORE and "/" not in value:
            return as_it_came(Test(one.subject, "suffix", (value,)), before, unknown)
        raise Untranslatable("routes see the path as it came, and a rule above rewrites it")
    if one.how == "prefix" and last.text.startswith(value):
        return TRUE
    if not value.startswith(last.text):
        return FALSE
    if last.rest != BEFORE:
        raise Untranslatable("routes see the path as it came, and a rule above rewrites it")
    return as_it_came(Test(one.subject, one.how, (value.removeprefix(last.text),)), before, unknown)


def _differs(pattern: str, text: str) -> bool:
    """Whether nothing that begins with a text can match a pattern."""
    found = _BEGINNING.match(pattern) if "|" not in pattern else None
    literal = found[1] if found is not None else ""
    return not literal.startswith(text) and not text.startswith(literal)
