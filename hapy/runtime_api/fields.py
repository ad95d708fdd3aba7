"""The fields of statistics: names, types and tags (management manual, 9.1 and 9.2), and the ways to print them.

A tag is three letters: where a value comes from (Metric, Status, Key, Config, Product), what it is (Gauge, Limit, Min,
maX, Rate, Counter, Duration, Age, Time, Name, Output, aVerage) and whose it is (Cluster, Process, Service, System).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hapy.runtime_api.descriptions import describe

Value = int | str | None


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its place, name, tag and type."""

    position: int
    name: str
    tag: str
    kind: str


ORIGINS: Final = {"M": "Metric", "S": "Status", "K": "Key", "C": "Config", "P": "Product"}
NATURES: Final = {
    "G": "Gauge",
    "L": "Limit",
    "m": "Min",
    "M": "Max",
    "R": "Rate",
    "C": "Counter",
    "D": "Duration",
    "A": "Age",
    "T": "Time",
    "N": "Name",
    "O": "Output",
    "a": "Avg",
    "P": "Product",
}
SCOPES: Final = {"C": "Cluster", "P": "Process", "S": "Service", "Y": "System"}


def read(rows: str, *, skip: Sequence[int] = ()) -> tuple[Field, ...]:
    """A table of `name tag type` rows parted by semicolons; places that nothing stands at are skipped."""
    fields, position = [], 0
    for row in rows.split(";"):
        while position in skip:
            position += 1
        name, tag, kind = row.strip().rsplit(" ", 2)
        fields.append(Field(position, name, tag, kind))
        position += name != "-"  # which parts HAProxy's own columns from those of its modules, in CSV only
    return tuple(fields)


def tags(field: Field) -> dict[str, str]:
    """A tag in words."""
    return {
        "origin": ORIGINS[field.tag[0]],
        "nature": NATURES[field.tag[1]],
        "scope": SCOPES[field.tag[2]],
    }


def csv_value(value: Value) -> str:
    """A value in a CSV line: in quotes where a comma, a quote or a line end asks for them."""
    if value is None:
        return ""
    text = str(value)
    if any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_line(fields: Iterable[Field], row: Mapping[str, Value]) -> str:
    """One CSV line, with HAProxy's comma at its end."""
    return "".join(csv_value("-" if field.name == "-" else row.get(field.name)) + "," for field in fields) + "\n"


def typed(prefix: str, field: Field, value: Value, *, described: bool = False) -> str:
    """One line of the typed form, which may say what the field tells."""
    return f"{prefix}{field.position}.{field.name}.1:{field.tag}:{field.kind}:{value}{shown(field, described)}\n"


def shown(field: Field, described: bool) -> str:
    """The end of a line about a field: what it tells, where that is asked for."""
    return f':"{describe(field.name)}"' if described else ""


def json_item(field: Field, value: Value, head: str = "") -> str:
    """One item of the JSON form; `head` is what stands first in it, with the comma behind it."""
    shown = str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)
    return f"{{{head}{_described(field)}{shown}}}}}"


@functools.lru_cache(maxsize=1024)
def _described(field: Field) -> str:
    """What an item tells of its field, up to the value."""
    item = {
        "field": {"pos": field.position, "name": field.name},
        "processNum": 1,
        "tags": tags(field),
        "value": {"type": field.kind, "value": 0},
    }
    return json.dumps(item, separators=(",", ":"))[1:].removesuffix("0}}")
