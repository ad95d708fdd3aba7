"""The JSON schema of what `show info json` and `show stat json` tell (`show schema json`, `;json-schema`)."""

from __future__ import annotations

import json
from typing import Final

from hapy.runtime_api import fields

_INTEGER: Final = {"type": "integer", "minimum": 0}
_TEXT: Final = {"type": "string"}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/definitions/{name}"}


def _object(properties: dict[str, object]) -> dict[str, object]:
    """An object all of whose properties are required."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _number(bits: int, *, signed: bool = False) -> dict[str, object]:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    name = ("s" if signed else "u") + str(bits)
    value = {"type": "integer", "minimum": low, "maximum": high}
    return _object({"type": {"type": "string", "enum": [name]}, "value": value})


def _words(table: dict[str, str]) -> dict[str, object]:
    return {"type": "string", "enum": [*dict.fromkeys(table.values()), "Unknown"]}


def schema() -> str:
    """The schema, in one line."""
    common = {
        "field": _reference("field"),
        "processNum": _reference("processNum"),
        "tags": _reference("tags"),
        "value": _reference("typedValue"),
    }
    kinds = {"enum": ["Frontend", "Backend", "Listener", "Server", "Unknown"]}
    row = {"type": "array", "items": _object({"objType": kinds, "proxyId": _INTEGER, "id": _INTEGER, **common})}
    document = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "oneOf": [
            {"title": "Info", "type": "array", "items": _object(dict(common))},
            {"title": "Stat", "type": "array", "items": row},
            {"title": "Error", **_object({"errorStr": _TEXT})},
        ],
        "definitions": {
            "field": _object({"pos": _INTEGER, "name": _TEXT}),
            "processNum": {"type": "integer", "minimum": 1},
            "tags": _object(
                {"origin": _words(fields.ORIGINS), "nature": _words(fields.NATURES), "scope": _words(fields.SCOPES)}
            ),
            "typedValue": {
                "oneOf": [
                    *(_number(bits, signed=signed) for signed in (True, False) for bits in (32, 64)),
                    _object({"type": {"type": "string", "enum": ["str"]}, "value": _TEXT}),
                ]
            },
        },
    }
    return json.dumps(document, separators=(",", ":"))
