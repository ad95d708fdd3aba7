"""Conditions about answers where rules before have changed them, as conditions about the answers that came.

HAProxy's rules run one by one, and each sees what those before it have made; other proxies look at what came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hapy_config.model.expressions import LogFormat
from hapy_config.model.rules import Rule
from hapy_config.translate.flow import (
    FALSE,
    TRUE,
    Every,
    Formula,
    Lookup,
    Not,
    Some,
    Subject,
    Test,
    Untranslatable,
    pieces,
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a rule makes of an answer.

    Attributes:
        when: on which answers, as they came.
        subject: what it changes; `*` behind a name stands for all that begin so, before it for all that end so.
        value: what it is then; None where it is gone.
        unknown: it has a value that is not known, or one besides others.
    """

    when: Formula
    subject: Subject
    value: str | None = None
    unknown: bool = False


def change_of(rule: Rule, when: Formula) -> Change:
    """What a rule about a header does."""
    name = str(rule.arguments["name"]).lower()
    if rule.action == "del-header":
        match = rule.arguments.get("match")
        return Change(when, Subject("answer", f"{'*' if match == 'end' else ''}{name}{'*' if match == 'beg' else ''}"))
    value = rule.arguments.get("value")
    text = value.constant if isinstance(value, LogFormat) and rule.action == "set-header" else None
    return Change(when, Subject("answer", name), text, unknown=text is None)


def answer_parts(text: LogFormat) -> set[Subject]:
    """What of an answer a text is made of.

    Raises:
        Untranslatable: of what can't be had.
    """
    parts = [part.subject if isinstance(part, Lookup) else part for part in pieces(text) if not isinstance(part, str)]
    return {Subject(one.kind, one.name.lower()) for one in parts if one.kind in ("answer", "status")}


def as_it_came(whole: Formula, changes: list[Change]) -> Formula:
    """A condition on an answer that was changed, as one on the answer as it came.

    Raises:
        Untranslatable: it asks for a value that isn't known.
    """
    if isinstance(whole, Not):
        return Not(as_it_came(whole.part, changes))
    if isinstance(whole, Every | Some):
        return type(whole)(tuple(as_it_came(part, changes) for part in whole.parts))
    now: Formula = whole
    for one in changes:
        if _concerns(one.subject, whole.subject):
            then = TRUE if _holds(whole, one) else FALSE
            now = Some((Every((one.when, then)), Every((Not(one.when), now))))
    return now


def _concerns(changed: Subject, asked: Subject) -> bool:
    name = asked.name.lower()
    if changed.kind != asked.kind:
        return False
    if changed.name.startswith("*"):
        return name.endswith(changed.name[1:])
    return name.startswith(changed.name[:-1]) if changed.name.endswith("*") else name == changed.name


def _holds(asked: Test, change: Change) -> bool:
    """Whether a test holds of what a change leaves."""
    value = change.value
    if change.unknown or (asked.how == "present" and change.subject.kind == "status"):
        raise Untranslatable("a rule before it changes what it looks at")
    if value is None:
        return False
    if asked.how == "present":
        return True
    fold = str.lower if asked.ignore_case else str
    text, values = fold(value), [fold(one) for one in asked.values]
    if asked.how == "regex":
        flags = re.IGNORECASE if asked.ignore_case else 0
        try:
            return any(re.search(one, value, flags) for one in asked.values)
        except re.error:
            raise Untranslatable("a rule before it changes what it looks at") from None
    if asked.how == "exact":
        return text in values
    if asked.how in ("prefix", "suffix"):
        return text.startswith(tuple(values)) if asked.how == "prefix" else text.endswith(tuple(values))
    return any(one in text for one in values)
