"""Files of patterns and maps, which are read when a configuration is translated; parts of texts that are replaced."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hapy_config.build.patternfiles import entries
from hapy_config.model.expressions import AclExpression, Call, SampleExpression
from hapy_config.translate.flow import (
    FALSE,
    Every,
    Formula,
    Lookup,
    Not,
    Some,
    Subject,
    Test,
    Untranslatable,
    among_others,
    bounded,
    comparison,
    simplified,
    subject,
)

#: Entries that go over; more would make files that nobody reads.
_MOST: Final = 5000
_KINDS: Final = {
    "": "exact", "str": "exact", "int": "exact", "beg": "prefix", "end": "suffix", "sub": "contains", "reg": "regex",
    "ip": "network", "dir": "/?", "dom": "/?.:",
}  # fmt: skip
_OUTPUTS: Final = frozenset({"", "str", "int", "ip"})
#: Fields that are subjects of their own.
_HOST_ONLY: Final = {(name, ("1", ":")) for name in ("req.hdr", "hdr", "req.fhdr", "fhdr")}
#: Groups that can be counted with one digit when two more stand around them.
_MOST_GROUPS: Final = 7
_REFERENCE: Final = re.compile(r"\\(\d)")


def pattern_lines(name: str) -> list[str]:
    """The lines of a file of patterns or of a map.

    Raises:
        Untranslatable: it can't be read here, or is too long.
    """
    try:
        found = [text for _, text in entries(Path(name).read_bytes())]
    except (OSError, ValueError):
        raise Untranslatable(f"the file '{name}' can't be read here") from None
    if len(found) > _MOST:
        raise Untranslatable(f"the file '{name}' has too many lines")
    return found


def readable(names: Iterable[str]) -> bool:
    """Whether the files of patterns of a test can be had."""
    try:
        for name in names:
            pattern_lines(name)
    except Untranslatable:
        return False
    return True


def is_lookup(expression: SampleExpression) -> bool:
    """Whether an expression ends with a map, or with a part replaced."""
    last = expression.converters[-1:]
    if not last or (expression.fetch.name, last[0].args[:2]) in _HOST_ONLY:
        return False
    return last[0].name in ("regsub", "field") or last[0].name.split("_")[0] == "map"


def lookup(expression: SampleExpression) -> Lookup:
    """What an expression that ends with a map or `regsub` gives.

    Raises:
        Untranslatable: other proxies can't have it.
    """
    *before, last = expression.converters
    what = subject(SampleExpression(expression.text, expression.fetch, tuple(before), expression.type))
    if last.name == "regsub":
        return _replaced(what, last)
    if last.name == "field":
        return _field(what, last)
    words = last.name.split("_")[1:]
    kind = words[0] if words else ""
    if kind not in _KINDS or (words[1] if len(words) > 1 else "") not in _OUTPUTS:
        raise Untranslatable(f"the converter '{last.name}' of '{expression.text}' has no counterpart")
    pairs = [
        (text.split(None, 1)[0], text.partition(" ")[2].strip()) for text in map(_spaced, pattern_lines(last.args[0]))
    ]
    if what.lower:  # a key with other letters never fits
        pairs = [(key, value) for key, value in pairs if key == key.lower()]
    how = _KINDS[kind]
    if how == "exact":
        pairs = list(dict(reversed(pairs)).items())[::-1]  # the first of several counts
    elif how == "prefix":
        pairs.sort(key=lambda pair: -len(pair[0]))  # the longest counts
    elif how == "network":
        pairs = sorted(((_network(key), value) for key, value in pairs), key=lambda pair: -int(pair[0].split("/")[1]))
    elif how not in ("suffix", "contains", "regex"):
        pairs = [(bounded(what, (key,), how, ignore_case=False).values[0], value) for key, value in pairs]
        how = "regex"
    default = last.args[1] if len(last.args) > 1 else None
    return Lookup(Subject(what.kind, what.name), how, tuple(pairs), default, ignore_case=what.lower)


def _spaced(text: str) -> str:
    """An entry of a map with one space behind its key."""
    return " ".join(text.split(None, 1))


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise Untranslatable(f"'{text}' is no network") from None


def _replaced(what: Subject, call: Call) -> Lookup:
    """A text with the first part that matches replaced."""
    pattern, text, *flags = (*call.args, "", "")[: max(len(call.args), 2)]
    given = "".join(flags)
    try:
        groups = re.compile(pattern).groups
    except re.error:
        groups = _MOST_GROUPS + 1
    if "g" in given or groups > _MOST_GROUPS or _REFERENCE.search(pattern) or what.lower or re.search(r"\\[0x]", text):
        raise Untranslatable("such a 'regsub' has no counterpart")
    shifted = _REFERENCE.sub(lambda found: f"\\{int(found[1]) + 1}", re.sub(r"\\(\D)", r"\1", text))
    plain = "|" not in pattern
    begins = plain and pattern.startswith("^")
    ends = plain and pattern.endswith("$") and not pattern.endswith("\\$")
    inner = pattern[begins : len(pattern) - ends]
    whole = f"^{'()' if begins else '(.*?)'}(?:{inner}){'()' if ends else '(.*)'}$"
    return Lookup(what, "rewrite", ((whole, f"\\1{shifted}\\{groups + 2}"),), None, ignore_case="i" in given)


def _field(what: Subject, call: Call) -> Lookup:
    """One of the parts between delimiters; nothing where there are not so many."""
    number, delimiters = (*call.args, "")[:2]
    if not number.isdecimal() or not 1 <= int(number) <= 9 or len(call.args) != 2 or what.lower or not delimiters:
        raise Untranslatable("such a 'field' has no counterpart")
    kinds = re.escape(delimiters)
    before = f"(?:[^{kinds}]*[{kinds}]){{{int(number) - 1}}}" if int(number) > 1 else ""
    return Lookup(what, "rewrite", ((rf"^{before}([^{kinds}]*)(?:[{kinds}].*)?$", "\\1"),), "")


def looked_up(acl: AclExpression) -> Formula:
    """A test of what a map gives, as one of what it looks at.

    Raises:
        Untranslatable: other proxies can't make it.
    """
    found = lookup(acl.criterion)
    if found.how == "rewrite":
        raise Untranslatable(f"'{acl.criterion.text}' can't be looked at there")
    there = among_others(Test(found.subject, "present"), acl.criterion.fetch.name)
    if acl.match == "found" and found.default is not None:
        return there
    wanted = [acl.match == "found" or _fits(acl, value) for _, value in found.entries]
    cases: list[Formula] = []
    unwanted: list[str] = []  # what counts before, and is not wanted
    keys: list[str] = []

    def asked(values: tuple[str, ...]) -> Test:
        one = Test(found.subject, found.how, values, found.ignore_case)
        return one if found.how == "network" else among_others(one, acl.criterion.fetch.name)

    def close() -> None:
        if keys:
            test = asked(tuple(keys))
            before = asked(tuple(unwanted))
            cases.append(Every((test, Not(before))) if unwanted and found.how != "exact" else test)
            keys.clear()

    for (key, _), good in zip(found.entries, wanted, strict=True):
        if good:
            keys.append(key)
        else:
            if found.how != "exact":
                close()
            unwanted.append(key)
    close()
    if found.default is not None and _fits(acl, found.default):
        every = asked(tuple(key for key, _ in found.entries))
        cases.append(Every((there, Not(every))) if found.entries else there)
    return simplified(Some(tuple(cases))) if cases else FALSE


def _fits(acl: AclExpression, value: str) -> bool:
    """Whether a text passes a test.

    Raises:
        Untranslatable: that can't be told here.
    """
    text = value.lower() if acl.ignore_case else value
    patterns = [one.lower() if acl.ignore_case else one for one in acl.patterns]
    if acl.match == "str":
        return text in patterns
    if acl.match == "beg":
        return text.startswith(tuple(patterns))
    if acl.match == "end":
        return text.endswith(tuple(patterns))
    if acl.match == "sub":
        return any(one in text for one in patterns)
    if acl.match in ("int", "bool") and value.lstrip("-").isdecimal():
        if acl.match == "bool" and not patterns:
            return int(value) != 0
        bound = comparison(acl.patterns)
        if bound is not None:
            return (int(value) >= bound[1]) == bound[0]
        if all(one.isdecimal() for one in patterns):
            return int(value) in map(int, patterns)
    raise Untranslatable(f"values of '{acl.criterion.text}' can't be compared in that way ({acl.match})")
