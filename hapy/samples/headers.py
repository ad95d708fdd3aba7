"""Reading header lists the way HAProxy's fetches do: whole lines or comma-separated values, cookies, parameters.

Nothing here knows a transaction; everything takes the list of `(lower-case name, value)` fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

Headers = Sequence[tuple[bytes, bytes]]

# A comma inside double quotes does not part values; a backslash inside them takes the next character.
_QUOTED_VALUES: Final = re.compile(rb'(?:[^",]|"(?:[^"\\]|\\.)*"?)*', re.DOTALL)
# Cookies are parted by `;`, and by a `,` that an open quote has kept with them; a value's own quotes may hold both.
_COOKIE: Final = re.compile(
    rb"[ \t]*(?P<name>[^=;,]*?)[ \t]*"
    rb'(?:=[ \t]*(?P<value>(?:[^";,]|"(?:[^"\\]|\\.)*+"?+)*?)[ \t]*)?(?:[;,]|$)',
    re.DOTALL,
)


def split_values(value: bytes) -> list[bytes]:
    """The comma-separated values of one field, blanks around them removed. An empty field is one empty value."""
    if b"," not in value:
        return [value]
    if b'"' not in value:
        return [part.strip(b" \t") for part in value.split(b",")]
    parts, position = [], 0
    while True:
        match = _QUOTED_VALUES.match(value, position)
        end = match.end() if match else len(value)
        parts.append(value[position:end].strip(b" \t"))
        if end >= len(value):
            return parts
        position = end + 1


def lines(headers: Headers, name: bytes | None) -> list[bytes]:
    """All whole fields of that name, or of any name for None."""
    if name is None:
        return [value for _, value in headers]
    return [value for key, value in headers if key == name]


def values(headers: Headers, name: bytes | None) -> list[bytes]:
    """All comma-separated values of that name, or of any name for None."""
    found: list[bytes] = []
    for key, value in headers:
        if key == name or name is None:
            if b"," in value:
                found.extend(split_values(value))
            else:
                found.append(value)
    return found


def nth(items: Sequence[bytes], occurrence: int) -> bytes | None:
    """The occurrence counted from 1, or from the end when negative; 0 is the last."""
    if occurrence > 0:
        return items[occurrence - 1] if occurrence <= len(items) else None
    if occurrence == 0:
        occurrence = -1
    return items[occurrence] if -occurrence <= len(items) else None


def last_value(headers: Headers, name: bytes) -> bytes | None:
    """The last comma-separated value of that name."""
    for key, value in reversed(headers):
        if key == name:
            return split_values(value)[-1] if b"," in value else value
    return None


def cookies(headers: Headers, name: bytes | None) -> list[bytes]:
    """The values of all request cookies of that name (of all for None), in order.

    Attributes (`$Path`) and those without `=` don't count, nor does one that is only its name and `=` where a field or
    its part up to a comma ends.
    """
    found: list[bytes] = []
    least = 1 if name is None else len(name) + 1
    for key, line in headers:
        if key != b"cookie" or (name is not None and name not in line):
            continue
        for part in split_values(line):
            if b'"' in part:
                found += [
                    match["value"]
                    for match in _COOKIE.finditer(part)
                    if match["value"] is not None and len(part) - match.start() > least and _named(match["name"], name)
                ]
                continue
            pairs = part.split(b";")
            if len(pairs[-1]) <= least:
                del pairs[-1]
            for pair in pairs:
                label, equals, value = pair.partition(b"=")
                if equals and _named(label.strip(b" \t"), name):
                    found.append(value.strip(b" \t"))
    return found


def _named(label: bytes, name: bytes | None) -> bool:
    return name in (None, label) and label[:1] != b"$"


def set_cookies(headers: Headers, name: bytes | None) -> list[bytes]:
    """The values of the cookies that `Set-Cookie` fields set.

    As in HAProxy a field, or its part up to a comma, is read up to the first pair of another name: an attribute that is
    named like its cookie counts, too, and without a name all attributes with a value do.
    """
    found: list[bytes] = []
    least = 1 if name is None else len(name) + 1
    for key, line in headers:
        if key != b"set-cookie":
            continue
        for part in split_values(line):
            for match in _COOKIE.finditer(part):
                if len(part) - match.start() <= least:
                    break
                if match["value"] is not None and match["name"][:1] != b"$":
                    if name not in (None, match["name"]):
                        break
                    found.append(match["value"])
    return found


def parameters(query: bytes, name: bytes | None, delimiters: bytes) -> list[bytes]:
    """The values of all parameters of that name (of any for None) in a query string or form body, undecoded.

    Args:
        query: without the leading `?`.
        name: the parameter's name, case-sensitive.
        delimiters: the characters that end a parameter, besides `&` and `;`.
    """
    for byte in delimiters:
        query = query.replace(bytes((byte,)), b"&")
    found = []
    for part in query.split(b"&"):
        key, equals, value = part.partition(b"=")
        if equals and (name is None or key == name):
            found.append(value)
    return found


def raw_values(value: bytes) -> list[bytes]:
    """The comma-separated values of one field with the blanks around them, so that joining gives the field again."""
    if b'"' not in value:
        return value.split(b",")
    parts, position = [], 0
    while True:
        match = _QUOTED_VALUES.match(value, position)
        end = match.end() if match else len(value)
        parts.append(value[position:end])
        if end >= len(value):
            return parts
        position = end + 1
