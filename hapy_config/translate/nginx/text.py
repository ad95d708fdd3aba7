"""nginx's syntax: strings, blocks, times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@=+,*%^~!?&|<>()\[\]-]+")

#: A variable for a literal dollar sign, which nginx's strings can't hold; `DOLLAR_MAP` declares it.
DOLLAR: Final = "${hapy_dollar}"
DOLLAR_MAP: Final = 'geo $hapy_dollar {\n    default "$";\n}'


def quoted(text: str) -> str:
    """A string; variables in it stay variables."""
    if _PLAIN.fullmatch(text) and not text.startswith(("{", "}")):
        return text
    return always_quoted(text)


def always_quoted(text: str) -> str:
    """A string between quotes in any case, such as a regular expression or text for `return`."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def literal(text: str) -> str:
    """Text of which no part is a variable, to be quoted."""
    return text.replace("$", DOLLAR)


def identifier(text: str) -> str:
    """A name for variables and upstreams."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def upstream_name(text: str) -> str:
    """A name for an upstream: that of the backend where nginx can take it for a host's."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)


def duration(milliseconds: int) -> str:
    """A time."""
    if milliseconds % 1000:
        return f"{milliseconds}ms"
    return f"{milliseconds // 1000}s"


def block(head: str, lines: Iterable[str]) -> list[str]:
    """`head { … }` with its lines indented."""
    inner = [f"    {line}" if line else "" for text in lines for line in text.split("\n")]
    return [f"{head} {{", *inner, "}"]
