"""Whether a configuration text means a model: it is read, and both are compared part by part."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hapy_config.api import read_text
from hapy_config.model.config import Config
from hapy_config.translate.json_form import LEFT_OUT, encode
from hapy_config.translate.writer import write_config

#: What is numbered anew by every reading, or told by `settings` in the order of the lines.
_UNORDERED = frozenset({"settings"})
#: A text says it to keep a number that its own order would not give.
_NOT_COMPARED = frozenset({"numbered"})


def differences(model: Config) -> Iterator[str]:
    """What the text written for a model does not say of it, a sentence each."""
    with tempfile.TemporaryDirectory() as folder:
        text, files = write_config(model, f"{folder}/")
        for name, content in files.items():
            Path(folder, name).write_bytes(content.encode("utf-8", "surrogateescape"))
        result = read_text(text, env={}, assume_machine=True)
    if result.config is None:
        for one in result.diagnostics:
            if one.refuses and not one.environment:
                yield f"line {one.span.line} of the result would be refused: {one.message}"
        return
    yield from _parts("global", model.global_, result.config.global_)
    again = {(proxy.name, proxy.kind): proxy for proxy in result.config.proxies}
    for proxy in model.proxies:
        other = again.get((proxy.name, proxy.kind))
        if other is None:
            yield f"{proxy.kind} '{proxy.name}' was not written"
        else:
            yield from _parts(f"{proxy.kind} '{proxy.name}'", proxy, other)
    for field in ("userlists", "http_errors", "others", "resolvers"):
        if encode(getattr(model, field)) != encode(getattr(result.config, field)):
            yield f"the sections behind '{field}' are not all the same"


def _parts(title: str, old: object, new: object) -> Iterator[str]:
    assert dataclasses.is_dataclass(old)
    for field in dataclasses.fields(old):
        if not field.init or field.name in LEFT_OUT or field.name in _NOT_COMPARED:
            continue
        before, after = encode(getattr(old, field.name)), encode(getattr(new, field.name))
        if field.name in _UNORDERED:
            before, after = sorted(map(list, before)), sorted(map(list, after))
        if before != after:
            yield f"{title}: '{field.name}' is not the same"
