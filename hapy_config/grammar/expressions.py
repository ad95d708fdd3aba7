"""Sample expressions: a fetch and its converters (configuration manual, section 7.3).

One expression may go on over several words (`hdr(a) lower`), as long as they name converters; a word that does not ends
it. Inside `%[…]` it ends at the first character that can't belong to it.

Names that begin with `lua.` are taken for registered by a script; whether one is loaded, the builder knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hapy_config.grammar import arguments, checks
from hapy_config.grammar.errors import GrammarError, raise_first
from hapy_config.keywords.acls import ACL_KEYWORDS
from hapy_config.keywords.converters import find_converter
from hapy_config.keywords.fetches import find_fetch
from hapy_config.keywords.samples import CASTS, Converter, Fetch, Place, Sample
from hapy_config.keywords.spec import TARGET
from hapy_config.model.expressions import Call, SampleExpression

_NAME: Final = re.compile(r"[A-Za-z0-9_.:+-]*")

#: Parameter types whose values name something that the rest of the configuration declares.
_REFERENCES: Final = frozenset({"table", "backend", "frontend", "server", "user list"})


@dataclass(frozen=True, slots=True)
class Reference:
    """A name inside an expression.

    Attributes:
        kind: table, backend, frontend, server or user list.
        name: as written (a server as `backend/server` or `server`); empty for the current proxy.
        call: the fetch or converter that names it.
        argument: the argument's index there.
    """

    kind: str
    name: str
    call: Call
    argument: int


@lru_cache(maxsize=65536)
def parse_expression(text: str) -> SampleExpression:
    """Parse one word.

    Raises:
        GrammarError: when it isn't an expression, in HAProxy's words; for the first fault, with the others in it.
    """
    faults: list[GrammarError] = []
    expression, end = _parse(text, 0, faults)
    if end < len(text) and not faults:
        name = expression.converters[-1].name if expression.converters else expression.fetch.name
        kind = "converter" if expression.converters else "fetch keyword"
        raise GrammarError(f"missing comma after {kind} '{name}'", end)
    raise_first(faults)
    return expression


def parse_expression_words(words: Sequence[str], start: int = 0) -> tuple[SampleExpression, int]:
    """Parse an expression that begins in one word and may go on in the next ones.

    Returns:
        The expression, and the index of the first word that does not belong to it.

    Raises:
        GrammarError: with `word` set to the index of the word at fault; for the first fault, with the others in it.
    """
    if start >= len(words) or not words[start]:
        raise GrammarError("missing fetch method", 0, start)
    faults: list[GrammarError] = []
    expression: SampleExpression | None = None
    try:
        expression = parse_expression(words[start])
    except GrammarError as error:
        faults.extend(error.at(start))
    end = expression_end(words, start)
    for index in range(start + 1, end):
        try:
            expression = _join(expression, words[index])
        except GrammarError as error:
            faults.extend(error.at(index))
            expression = None
    raise_first(faults)
    assert expression is not None
    return expression, end


def expression_end(words: Sequence[str], start: int) -> int:
    """The index of the first word that does not belong to the expression at `start`, right or wrong."""
    index = start + 1
    while index < len(words):
        name = _NAME.match(words[index].lstrip(","))
        if name is None or not _known_converter(name[0]):
            break
        index += 1
    return index


def parse_prefix(text: str, position: int, faults: list[GrammarError]) -> tuple[SampleExpression, int]:
    """Parse the expression that begins at `position`; return it and where it ends, as `%[…]` needs it.

    What is wrong goes to `faults`, with `offset` counted from the start of `text`; the expression means nothing then.
    """
    return _parse(text, position, faults)


def acl_keyword(text: str) -> str:
    """The ACL keyword that a word begins with, or an empty string."""
    match = _NAME.match(text)
    return match[0] if match is not None and match[0] in ACL_KEYWORDS else ""


def parse_acl_keyword(text: str) -> tuple[SampleExpression, str]:
    """Parse the first word of an ACL: an ACL keyword (`path_beg`), or any expression.

    Returns:
        The expression over the fetch that the keyword stands for, and the way of matching that is implied (empty where
        the type implies none).
    """
    return _acl_keyword(text)


@lru_cache(maxsize=65536)
def _acl_keyword(text: str) -> tuple[SampleExpression, str]:
    match = _NAME.match(text)
    keyword = ACL_KEYWORDS.get(match[0]) if match is not None else None
    if keyword is None:
        return parse_expression(text), ""
    assert match is not None
    name, position = match[0], match.end()
    fetch, way = keyword
    entry = _entry(fetch)
    faults: list[GrammarError] = []
    call, position = _call(text, name, position, entry, faults)
    fault = "" if faults else checks.fetch(fetch, call.args)
    if fault:
        faults.append(GrammarError(f"invalid args in fetch method '{fetch}' : {fault}", position))
    converters, kind, position = _converters(text, position, entry.type, faults)
    if position < len(text) and not faults:
        what = f"converter '{converters[-1].name}'" if converters else "fetch keyword"
        faults.append(GrammarError(f"missing comma after {what}", position))
    raise_first([GrammarError(f"ACL keyword '{name}' : {one.message}", one.offset) for one in faults])
    expression = SampleExpression(text, Call(fetch, call.args), converters, kind)
    return expression, "" if converters else way


def references(expression: SampleExpression) -> Iterator[Reference]:
    """All names that the expression takes from the rest of the configuration, given or left out."""
    yield from _references(expression.fetch, _entry(expression.fetch.name))
    for call in expression.converters:
        converter = find_converter(call.name)
        assert converter is not None
        yield from _references(call, converter)


def _references(call: Call, entry: Sample) -> Iterator[Reference]:
    types, required = entry.parameters
    for index, kind in enumerate(types):
        if kind in _REFERENCES:
            given = index < len(call.args)
            if given or index < required:
                yield Reference(kind, call.args[index] if given else "", call, index)


def places(expression: SampleExpression) -> Place:
    """Where the expression's fetch finds its data."""
    return _entry(expression.fetch.name).places


def needs(expression: SampleExpression) -> str:
    """What the expression's fetch reads, in HAProxy's words; empty for what always exists."""
    return _entry(expression.fetch.name).reads


def _entry(name: str) -> Fetch:
    """The entry of a fetch that has been parsed."""
    entry = find_fetch(name)
    assert entry is not None
    return entry


def _known_converter(name: str) -> bool:
    entry = find_converter(name)
    return entry is not None and (entry.known_in(TARGET) or entry.early) and not entry.needs


def _parse(text: str, position: int, faults: list[GrammarError]) -> tuple[SampleExpression, int]:
    """Parse from `position` to where the expression ends; what is wrong goes to `faults`, and parsing goes on."""
    match = _NAME.match(text, position)
    assert match is not None
    name = match[0]
    entry = find_fetch(name)
    if entry is None or not (entry.known_in(TARGET) or entry.early) or entry.needs:
        faults.append(GrammarError(f"unknown fetch method '{name}'" if name else "missing fetch method", position))
        call, end, kind = Call(name, ()), _behind_list(text, match.end()), _UNKNOWN
    else:
        own: list[GrammarError] = []
        call, end = _call(text, name, match.end(), entry, own)
        faults.extend(GrammarError(f"fetch method '{name}' : {one.message}", one.offset) for one in own)
        fault = "" if own else checks.fetch(name, call.args)
        if fault:
            faults.append(GrammarError(f"invalid args in fetch method '{name}' : {fault}", match.end()))
        kind = entry.type
    converters, kind, end = _converters(text, end, kind, faults)
    return SampleExpression(text[position:end], call, converters, kind), end


#: The type of what comes out of a fetch or converter that nobody knows: nothing is said of what it can be cast to.
_UNKNOWN: Final = ""


def _behind_list(text: str, position: int) -> int:
    """Where the argument list ends that may stand at `position`."""
    if not text.startswith("(", position):
        return position
    return arguments.cut(text, position)[1] or len(text)


def _call(text: str, name: str, position: int, entry: Sample, faults: list[GrammarError]) -> tuple[Call, int]:
    """The arguments of a fetch or converter whose name ends at `position`."""
    types, required = entry.parameters
    values: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    end, closed = position, True
    if position < len(text) and text[position] == "(":
        values, end, starts = arguments.cut(text, position)
        closed = bool(end)
        end = end or len(text)
    try:
        arguments.check(values, types, required, starts, text, end)
        if not closed:
            raise GrammarError("expected ')'", len(text), min(len(values), 2))
    except GrammarError as error:
        faults.append(error)
    return Call(name, () if values == ("",) and not types else values), end


def _converters(text: str, position: int, kind: str, faults: list[GrammarError]) -> tuple[tuple[Call, ...], str, int]:
    """The converters that follow from `position` on, the type that comes out, and where they end."""
    calls: list[Call] = []
    while position < len(text) and text[position] == ",":
        while text.startswith(",", position):
            position += 1
        if position == len(text):
            break
        match = _NAME.match(text, position)
        assert match is not None
        entry = find_converter(match[0])
        if entry is None or not _known_converter(match[0]):
            faults.append(GrammarError(f"unknown converter '{match[0]}'", position))
            position, kind = _behind_list(text, match.end()), _UNKNOWN
            continue
        if kind != _UNKNOWN and entry.takes not in CASTS[kind]:
            faults.append(GrammarError(f"converter '{entry.name}' cannot be applied", position))
        call, position = _converter(text, match[0], entry, match.end(), faults)
        kind = entry.type
        calls.append(call)
    return tuple(calls), kind, position


def _converter(text: str, name: str, entry: Converter, position: int, faults: list[GrammarError]) -> tuple[Call, int]:
    """The arguments of a converter whose name ends at `position`."""
    own: list[GrammarError] = []
    call, end = _call(text, name, position, entry, own)
    faults.extend(
        GrammarError(f"invalid arg {one.word or 1} in converter '{name}' : {one.message}", one.offset) for one in own
    )
    fault = "" if own else checks.converter(name, call.args)
    if fault:
        faults.append(GrammarError(f"invalid args in converter '{name}' : {fault}", position))
    return call, end


def _join(expression: SampleExpression | None, word: str) -> SampleExpression | None:
    """The expression with the converters of a further word appended; None stays None, and the word is checked."""
    faults: list[GrammarError] = []
    before = _UNKNOWN if expression is None else expression.type
    converters, kind, end = _converters("," + word, 0, before, faults)
    if end < len(word) + 1 and not faults:
        faults.append(GrammarError(f"missing comma after converter '{converters[-1].name}'", end - 1))
    raise_first(faults)
    if expression is None:
        return None
    return SampleExpression(
        f"{expression.text} {word}",
        expression.fetch,
        expression.converters + converters,
        kind,
    )
