"""stick-table and stick rules (configuration manual, sections 4.2 and 11.1): checked in full, kept for their issue."""

from __future__ import annotations

import re
from typing import Final

from hapy_config.build.arguments import TimeError, milliseconds, size
from hapy_config.build.conditional import rest_condition
from hapy_config.build.context import Build
from hapy_config.build.draft import BACK, Draft
from hapy_config.build.expressions import expression_words
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.build.tables import StickTable
from hapy_config.grammar.expressions import expression_end, needs, places
from hapy_config.grammar.units import leading_integer, leading_long
from hapy_config.keywords.samples import Place
from hapy_config.keywords.spec import Version
from hapy_config.model.expressions import SampleExpression
from hapy_config.syntax import Statement

_TYPES: Final = ("ip", "ipv6", "integer", "string", "binary")

#: What a table can store: the argument each takes: none, a delay (`delay`), a count (`count`) or both.
STORED: Final[dict[str, str]] = {
    "server_id": "",
    "gpt0": "",
    "gpt": "count",
    "gpc0": "",
    "gpc0_rate": "delay",
    "gpc1": "",
    "gpc1_rate": "delay",
    "gpc": "count",
    "gpc_rate": "count,delay",
    "conn_cnt": "",
    "conn_rate": "delay",
    "conn_cur": "",
    "sess_cnt": "",
    "sess_rate": "delay",
    "http_req_cnt": "",
    "http_req_rate": "delay",
    "http_err_cnt": "",
    "http_err_rate": "delay",
    "http_fail_cnt": "",
    "http_fail_rate": "delay",
    "bytes_in_cnt": "",
    "bytes_in_rate": "delay",
    "bytes_out_cnt": "",
    "bytes_out_rate": "delay",
    "server_key": "",
}
_OVERRIDES: Final = (
    ("gpt", "gpt0", "gpt0"),
    ("gpc", "gpc0", "gpc0"),
    ("gpc", "gpc1", "gpc1"),
    ("gpc_rate", "gpc0_rate", "gpc0_rate"),
    ("gpc_rate", "gpc1_rate", "gpc1_rate"),
)
# What stands between a closing parenthesis and the next comma is skipped.
_STORE: Final = re.compile(r"([^,(]*)(?:\(([^)]*)\)(?:[^,(]|\([^),]*\))*)?,?")
#: The first version that takes nothing behind the digits of a key's length.
_WHOLE_LENGTHS: Final[Version] = (2, 8)
_LENGTH: Final = re.compile(r"[+-]?[0-9]+")
_WORDS: Final = ("type", "size", "expire", "nopurge", "peers", "srvkey", "store")


def read_table(build: Build, statement: Statement, words: list[str], index: int, name: str) -> StickTable:
    """The stick table that a line describes from `index` on.

    Raises:
        Refused: in HAProxy's words.
    """
    prefix = words[0]
    kind, entries, peers, stored = "", 0, "", set[str]()
    while index < len(words) and words[index]:
        word = words[index]
        index += 1
        if word == "type":
            kind = words[index] if index < len(words) else ""
            if kind not in _TYPES:
                build.fault(Refused(f"{prefix}: unknown type '{kind}'.", index, hint=build.nearest(kind, _TYPES)))
            index += 1
            if kind in ("string", "binary") and index < len(words) and words[index] == "len":
                text = words[index + 1] if index + 1 < len(words) else ""
                if build.version >= _WHOLE_LENGTHS and _LENGTH.fullmatch(text) is None:
                    build.fault(Refused(f"{prefix}: 'len' expects a positive integer argument.", index + 1))
                elif leading_long(text) == 0:  # read as a size, without a sign
                    build.fault(Refused(f"{prefix}: unknown type '{text}'.", index + 1))
                index += 2
        elif word in ("size", "expire", "peers", "srvkey"):
            if index >= len(words) or not words[index]:
                raise Refused(f"{prefix}: missing argument after '{word}'.", index, code="missing-argument")
            if word == "size":
                entries = 1
                with build.noting():
                    entries = _size(prefix, words, index)
            elif word == "expire":
                with build.noting():
                    _expire(prefix, words, index)
            elif word == "peers":
                peers = words[index]
            elif words[index] not in ("name", "addr"):
                build.fault(Refused(f"{prefix} : unknown server key type '{words[index]}'.", index))
            index += 1
        elif word == "store":
            if index == len(words):
                words = build.read_on(words)
            text = words[index] if index < len(words) else ""
            _stored(build, statement, prefix, text, index, stored)
            index += 1
        elif word != "nopurge":
            build.fault(Refused(f"{prefix}: unknown argument '{word}'.", index - 1, hint=build.nearest(word, _WORDS)))
            while index < len(words) and words[index] not in _WORDS:
                index += 1
    if not kind and entries:
        raise Refused(f"{prefix}: missing type.", code="missing-argument")
    if not entries:
        raise Refused(f"{prefix}: missing size.", code="missing-argument")
    return StickTable(name, kind, frozenset(stored), peers, statement)


def _size(prefix: str, words: list[str], index: int) -> int:
    try:
        return size(words[index])
    except ValueError as error:
        raise Refused(f"{prefix}: unexpected character '{error}' in argument of 'size'.", index) from None


def _expire(prefix: str, words: list[str], index: int) -> None:
    try:
        milliseconds(words[index])
    except TimeError as error:
        if not error.character:
            raise Refused(
                f"{prefix}: timer overflow in argument <{words[index]}> to <expire>, maximum value is 2147483647 ms"
                " (~24.8 days).",
                index,
            ) from None
        raise Refused(f"{prefix}: unexpected character '{error.character}' in argument of 'expire'.", index) from None


def _stored(build: Build, statement: Statement, prefix: str, text: str, index: int, stored: set[str]) -> None:
    """The list after `store`."""
    position = 0
    while position < len(text):
        match = _STORE.match(text, position)
        if match is None or match.end() == position:
            message = f"{prefix}: missing closing parenthesis after store option '{text[position:]}'."
            build.fault(Refused(message, index))
            return
        position = match.end()
        name, argument = match[1], match[2]
        shape = STORED.get(name)
        if shape is None:
            hint = build.nearest(name, STORED)
            build.fault(Refused(f"{prefix}: unknown store option '{name}'.", index, hint=hint))
            continue
        with build.noting():
            _store_argument(prefix, name, shape, argument, index)
        if name in stored:
            build.warning(
                "duplicate", statement.span(index), f"{prefix}: store option '{name}' already enabled, ignored."
            )
        stored.add(name)
    for array, single, shown in _OVERRIDES:
        if array in stored and single in stored:
            raise Refused(
                f"{prefix}: simultaneous usage of '{array}' and '{shown}' in a same table is not permitted as '{array}'"
                f" overrides '{shown}'.",
                index,
            )


def _store_argument(prefix: str, name: str, shape: str, argument: str | None, index: int) -> None:
    if not shape:
        if argument is not None:
            raise Refused(f"{prefix}: unexpected argument to store option '{name}'.", index)
        return
    if argument is None:
        raise Refused(f"{prefix}: missing argument to store option '{name}'.", index)
    parts = [part.strip() for part in argument.split(",")]
    kinds = shape.split(",")
    if len(parts) < len(kinds):
        raise Refused(f"{prefix}: missing argument to store option '{name}'.", index)
    if kinds == ["count"] and len(parts) > 1:
        raise Refused(f"{prefix}: unexpected argument to store option '{name}'.", index)
    for kind, part in zip(kinds, parts, strict=False):
        if kind == "count":
            if not 1 <= leading_integer(part) <= 100:
                raise Refused(f"{prefix}: array size is out of allowed range (1-100) for store option '{name}'.", index)
        else:
            try:
                milliseconds(part or "x")
            except TimeError:
                raise Refused(f"{prefix}: error when processing store option '{name}'.", index) from None


def _stick_table(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if draft.kind == "defaults":
        raise Refused("'stick-table' is not supported in 'defaults' section.", 0, code="wrong-section")
    other = build.tables.get(draft.name)
    if other is not None:
        where = f"{other.statement.source.name}:{other.statement.line}"
        raise Refused(
            f"stick-table name '{draft.name}' conflicts with table declared in {other.owner} '{draft.name}' at"
            f" {where}.",
            0,
            code="duplicate-name",
        )
    table = read_table(build, statement, words, 1, draft.name)
    table.owner = draft.title
    build.tables[draft.name] = table
    draft.settings.append(tuple(words))
    if table.peers:
        build.needs_peers(draft, statement, table.peers)


def _stick(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    kind = words[1] if len(words) > 1 else ""
    if kind not in ("on", "match", "store-request", "store-response"):
        raise Refused("'stick' expects 'on', 'match', or 'store'.", 1)
    if len(words) < 3 or not words[2]:
        raise Refused("'stick' expects a fetch method.", 2, code="missing-argument")
    stores = kind == "store-response"
    where = Place.BACKEND_STORE if stores else Place.BACKEND_SERVER
    expression: SampleExpression | None = None
    try:
        expression, index = expression_words(build, draft, statement, words, 2, Place(0), "'stick': ")
        _check_place(expression.fetch.name, expression, where, stores)
    except Refused as refusal:
        for one in refusal:
            one.message = one.message.removesuffix(".") if expression is None else one.message
        build.fault(refusal)
        index = expression_end(words, 2)
    name = ""
    named = False
    if index < len(words) and words[index] == "table":
        named = True
        name = words[index + 1] if index + 1 < len(words) else ""
        index += 2
    if index < len(words) and words[index]:
        if words[index] not in ("if", "unless"):
            hint = build.nearest(words[index], ("table", "if", "unless"))
            build.fault(Refused(f"'stick': unknown keyword '{words[index]}'.", index, hint=hint))
        error = "'stick': error detected while parsing sticking condition : "
        rest_condition(build, draft, statement, words, index, where, error)
    if draft.side & BACK and expression is not None:
        build.needs_stick_table(draft, statement, name if named else None, stores, expression)
        draft.settings.append(tuple(words))


def _check_place(fetch: str, expression: SampleExpression, where: Place, stores: bool) -> None:
    if not places(expression) & where:
        phase = "response" if stores else "request"
        raise Refused(
            f"'stick': fetch method '{fetch}' extracts information from '{needs(expression)}', none of which is"
            " available"
            f" during {phase}.",
            2,
            code="wrong-place",
        )


HANDLERS: Final[dict[str, Handler]] = {"stick-table": _stick_table, "stick": _stick}
