"""The rows of statistics as text: CSV, typed lines, JSON. The stats socket and the statistics page share them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from hapy.runtime_api import fields, stat_fields

if TYPE_CHECKING:
    from hapy.runtime_api.rows import Row

_OBJECTS: Final = {"F": "Frontend", "B": "Backend", "S": "Server", "L": "Listener"}


def as_csv(rows: Iterable[Row]) -> str:
    """Rows as CSV, with the line of names."""
    head = "# " + "".join(f"{field.name}," for field in stat_fields.FIELDS) + "\n"
    return head + "".join(fields.csv_line(stat_fields.FIELDS, row.values) for row in rows)


def as_typed(rows: Iterable[Row], *, described: bool = False) -> str:
    """Rows as one line a value, which tells what it is, in words if wanted."""
    return "".join("".join(_typed(row, described=described)) for row in rows)


def as_json(rows: Iterable[Row]) -> str:
    """Rows as a list of lists of values, each of which tells what it is."""
    return "[" + ",".join("[" + ",".join(_json(row)) + "]" for row in rows) + "]\n"


def _typed(row: Row, *, described: bool) -> list[str]:
    prefix = f"{row.kind}.{row.values['iid']}.{row.values['sid']}."
    return [fields.typed(prefix, _tagged(row, field), value, described=described) for field, value in _present(row)]


def _json(row: Row) -> list[str]:
    head = f'"objType":"{_OBJECTS[row.kind]}","proxyId":{row.values["iid"]},"id":{row.values["sid"]},'
    return [fields.json_item(_tagged(row, field), value, head) for field, value in _present(row)]


def _present(row: Row) -> list[tuple[fields.Field, fields.Value]]:
    return [(f, row.values[f.name]) for f in stat_fields.FIELDS if row.values.get(f.name) is not None]


def _tagged(row: Row, field: fields.Field) -> fields.Field:
    tag = stat_fields.TAGS.get((row.kind, field.name))
    return field if tag is None else fields.Field(field.position, field.name, tag, field.kind)
