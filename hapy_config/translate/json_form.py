"""The model as JSON and back (`schema` gives the schema of the form).

Every part of the model is an object whose `$` names its class, with the fields that differ from their defaults; bytes
are `{"$": "bytes", "base64": …}`. Places in files are left out, and so are certificates and keys: the configuration
names their files.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Union, cast

from hapy_config.model import addresses, checks, config, expressions, proxy, resolvers, rules, server, statistics
from hapy_config.model.config import Config
from hapy_config.source import NOWHERE, Source, Span
from hapy_config.translate.report import Loss, Note, Translation

#: The form's version; it changes when a reader of the former one would misread.
VERSION: Final = 1
#: What the machine's files say, not the configuration.
LEFT_OUT: Final = frozenset({"span", "certificates", "certificate", "ticket_keys", "stats_binds"})
_MODULES: Final = (addresses, checks, config, expressions, proxy, resolvers, rules, server, statistics)


class BadFormError(ValueError):
    """The JSON is not of this form; the message says where and why."""


@functools.cache
def classes() -> Mapping[str, type]:
    """The model's classes by name."""
    return {
        name: value
        for module in _MODULES
        for name, value in sorted(vars(module).items())
        if isinstance(value, type) and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
    }


def _fields(kind: type) -> Iterator[dataclasses.Field[Any]]:
    for one in dataclasses.fields(kind):
        if one.init and one.name not in LEFT_OUT:
            yield one


@functools.cache
def _hints(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def _default(one: dataclasses.Field[Any]) -> object:
    if one.default_factory is not dataclasses.MISSING:
        return one.default_factory()
    return one.default


def encode(value: object) -> Any:
    """A part of the model as what `json` writes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        found: dict[str, Any] = {"$": type(value).__name__}
        for one in _fields(type(value)):
            own = getattr(value, one.name)
            if own != _default(one):
                found[one.name.rstrip("_")] = encode(own)
        return found
    if isinstance(value, bytes):
        return {"$": "bytes", "base64": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {str(key): encode(own) for key, own in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(encode(own) for own in value)
    if isinstance(value, tuple | list):
        return [encode(own) for own in value]
    return value


def to_json(model: Config) -> Translation:
    """The model as one JSON file."""
    text = json.dumps({"hapy_config": VERSION, "config": encode(model)}, indent=2, ensure_ascii=True)
    return Translation({"config.json": text + "\n"})


def decode(text: str) -> Config:
    """The model that a JSON file describes.

    Raises:
        BadFormError: it is no JSON, or not of this form.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFormError(f"this is no JSON: {error}") from None
    if not isinstance(whole, dict) or whole.get("hapy_config") != VERSION:
        raise BadFormError(f'expects an object with "hapy_config": {VERSION} and "config"')
    found = _decode(whole.get("config"), Config, "config")
    assert isinstance(found, Config)
    return found


def _decode(value: object, hint: Any, place: str) -> object:
    """A value of the type that a field has."""
    if hint is object or hint is Any:
        return _free(value, place)
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        return _one_of(value, typing.get_args(hint), place)
    if origin is tuple:
        return _tuple(value, typing.get_args(hint), place)
    if origin is frozenset:
        return frozenset(_list(value, typing.get_args(hint)[0], place))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(value, typing.get_args(hint), place)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _object(value, hint, place)
    if hint is bytes:
        return _bytes(value, place)
    if hint is type(None) and value is None:
        return None
    if isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise BadFormError(f"{place}: expects {getattr(hint, '__name__', hint)}, not {json.dumps(value)[:40]}")


def _one_of(value: object, hints: Sequence[Any], place: str) -> object:
    faults = []
    for hint in hints:
        if isinstance(value, dict) and "$" in value and dataclasses.is_dataclass(hint):
            if value["$"] != getattr(hint, "__name__", ""):
                continue
            return _object(value, cast(type, hint), place)
        try:
            return _decode(value, hint, place)
        except BadFormError as fault:
            faults.append(fault)
    raise faults[0] if faults else BadFormError(f"{place}: nothing like this may stand here")


def _free(value: object, place: str) -> object:
    """A value of any type that an argument may have."""
    if isinstance(value, dict):
        name = value.get("$")
        if name == "bytes":
            return _bytes(value, place)
        if isinstance(name, str):
            return _object(value, classes().get(name), place)
        return {key: _free(own, f"{place}.{key}") for key, own in value.items()}
    if isinstance(value, list):
        return tuple(_free(own, f"{place}[{index}]") for index, own in enumerate(value))
    return value


def _list(value: object, hint: Any, place: str) -> Iterator[object]:
    if not isinstance(value, list):
        raise BadFormError(f"{place}: expects a list")
    for index, own in enumerate(value):
        yield _decode(own, hint, f"{place}[{index}]")


def _tuple(value: object, hints: Sequence[Any], place: str) -> tuple[object, ...]:
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(_list(value, hints[0], place))
    if not isinstance(value, list) or len(value) != len(hints):
        raise BadFormError(f"{place}: expects a list of {len(hints)}")
    return tuple(
        _decode(own, hint, f"{place}[{index}]") for index, (own, hint) in enumerate(zip(value, hints, strict=True))
    )


def _mapping(value: object, hints: Sequence[Any], place: str) -> dict[object, object]:
    if not isinstance(value, dict):
        raise BadFormError(f"{place}: expects an object")
    found: dict[object, object] = {}
    for key, own in value.items():
        if hints[0] is int and not (key.isascii() and key.isdigit()):
            raise BadFormError(f"{place}: expects numbers as keys, not '{key}'")
        found[int(key) if hints[0] is int else key] = _decode(own, hints[1], f"{place}.{key}")
    return found


def _bytes(value: object, place: str) -> bytes:
    if isinstance(value, dict) and value.get("$") == "bytes" and isinstance(value.get("base64"), str):
        try:
            return base64.b64decode(value["base64"], validate=True)
        except ValueError:
            raise BadFormError(f"{place}: this is no base64") from None
    raise BadFormError(f'{place}: expects {{"$": "bytes", "base64": …}}')


def _object(value: object, kind: type | None, place: str) -> object:
    if kind is None or not isinstance(value, dict) or value.get("$") != kind.__name__:
        wanted = f"a {kind.__name__}" if kind is not None else "a part of the model"
        raise BadFormError(f"{place}: expects {wanted}")
    known = {one.name.rstrip("_"): one for one in _fields(kind)}
    given: dict[str, object] = {}
    for key, own in value.items():
        if key == "$":
            continue
        if key not in known:
            raise BadFormError(f"{place}: a {kind.__name__} has no '{key}'")
        given[known[key].name] = _decode(own, _hints(kind)[known[key].name], f"{place}.{key}")
    try:
        return kind(**given)
    except TypeError as error:
        raise BadFormError(f"{place}: {str(error).rpartition('__init__() ')[2]}") from None


def schema() -> dict[str, Any]:
    """The JSON schema of the form (draft 2020-12), made from the model's classes."""
    definitions = {name: _definition(kind) for name, kind in classes().items()}
    definitions["bytes"] = {
        "type": "object",
        "properties": {"$": {"const": "bytes"}, "base64": {"type": "string"}},
        "required": ["$", "base64"],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A HAProxy configuration as hapy understands it",
        "type": "object",
        "properties": {"hapy_config": {"const": VERSION}, "config": {"$ref": "#/$defs/Config"}},
        "required": ["hapy_config", "config"],
        "$defs": definitions,
    }


def _definition(kind: type) -> dict[str, Any]:
    properties: dict[str, Any] = {"$": {"const": kind.__name__}}
    required = ["$"]
    told = _told(kind)
    for one in _fields(kind):
        name = one.name.rstrip("_")
        properties[name] = _shape(_hints(kind)[one.name])
        if one.name in told:
            properties[name] = {"description": told[one.name], **properties[name]}
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING:
            required.append(name)
    summary = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
    return {
        "description": summary,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _told(kind: type) -> dict[str, str]:
    """What a class's docstring says of its attributes."""
    found: dict[str, str] = {}
    _, _, text = (kind.__doc__ or "").partition("Attributes:\n")
    for line in text.split("\n"):
        name, colon, rest = line.strip().partition(": ")
        if colon and name.isidentifier() and line.startswith("        ") and not line.startswith("         "):
            found[name] = rest.strip()
    return found


def _shape(hint: Any) -> dict[str, Any]:
    origin, given = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_shape(one) for one in given]}
    if origin is tuple and not (len(given) == 2 and given[1] is Ellipsis):
        shapes = [_shape(one) for one in given]
        return {"type": "array", "prefixItems": shapes, "minItems": len(given), "maxItems": len(given)}
    if origin in (tuple, frozenset):
        return {"type": "array", "items": _shape(given[0])}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _shape(given[1])}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return {"$ref": f"#/$defs/{hint.__name__}"}
    simple = {bytes: {"$ref": "#/$defs/bytes"}, str: {"type": "string"}, int: {"type": "integer"}}
    more: dict[Any, dict[str, Any]] = {bool: {"type": "boolean"}, type(None): {"type": "null"}}
    return {**simple, **more}.get(hint, {})


def comparable(model: Config) -> Any:
    """A model as plain data, to be compared with another's."""
    return encode(model)


def from_json(sources: Sequence[Source]) -> Translation:
    """A haproxy.cfg from a JSON file; what could not be written is noted.

    Raises:
        BadFormError: the file is not of this form.
    """
    from hapy_config.translate.compare import differences
    from hapy_config.translate.writer import write_config

    source = sources[0]
    if len(sources) > 1:
        raise BadFormError("one JSON file holds a whole configuration: give one")
    model = decode(source.text)
    try:
        text, files = write_config(model)
        notes = tuple(Note(_nowhere(source), Loss.LOST, one) for one in differences(model))
    except (KeyError, IndexError, TypeError, AttributeError, AssertionError, ValueError) as error:
        raise BadFormError(f"this is no whole configuration: {_fault(error)}") from None
    return Translation({"haproxy.cfg": text, **files}, notes)


def _fault(error: Exception) -> str:
    """What a model of the right types lacks, in words: arguments of an action are known to it alone."""
    if isinstance(error, KeyError):
        return f"an action lacks its '{error.args[0]}'"
    return str(error) or "the arguments of an action are not its own"


def _nowhere(source: Source) -> Span:
    return Span(source.name, 0) if source.name else NOWHERE


__all__ = ["BadFormError", "comparable", "decode", "encode", "from_json", "schema", "to_json"]
