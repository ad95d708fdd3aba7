"""URL and JSON escapes (configuration manual, 7.3.1)."""

from __future__ import annotations

import re
from typing import Final

from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Converter, converter
from hapy.samples.types import Result, Value

_ESCAPED: Final = re.compile(rb"%([0-9a-fA-F]{2})?")
_SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ENCODED: Final = tuple(bytes((i,)) if i in _SAFE else b"%%%02X" % i for i in range(256))


def _unescape(text: bytes) -> bytes | None:
    """Each %XX as the byte it stands for; None when a `%` is not followed by two hexadecimal digits."""
    if b"%" not in text:
        return text
    parts: list[bytes] = []
    position = 0
    for match in _ESCAPED.finditer(text):
        if match[1] is None:
            return None
        parts += (text[position : match.start()], bytes.fromhex(match[1].decode()))
        position = match.end()
    parts.append(text[position:])
    return b"".join(parts)


def url_decode(text: bytes, *, form: bool) -> bytes | None:
    """The decoded text, None when it is malformed. `+` is a space in forms, and after the first `?` otherwise."""
    if form:
        return _unescape(text.replace(b"+", b" "))
    path, mark, query = text.partition(b"?")
    if mark:
        text = path + mark + query.replace(b"+", b" ")
    return _unescape(text)


@converter("url_dec", takes="str", gives="str")
def _url_dec(args: Args, env: CompileEnv) -> Converter:
    form = args.integer(0, 0) != 0
    return lambda value: url_decode(value, form=form)  # type: ignore[arg-type]


@converter("url_enc", takes="str", gives="str")
def _url_enc(args: Args, env: CompileEnv) -> Converter:
    if args.string(0, "query") not in ("", "query"):
        raise args.error("unexpected encode type; expects 'query'")
    return lambda value: b"".join([_ENCODED[byte] for byte in value])  # type: ignore[union-attr]


_CODES: Final = frozenset({"", "ascii", "utf8", "utf8s", "utf8p", "utf8ps"})
_JSON_ESCAPES: Final = {
    ord('"'): b'\\"',
    ord("\\"): b"\\\\",
    ord("/"): b"\\/",
    8: b"\\b",
    12: b"\\f",
    10: b"\\n",
    13: b"\\r",
    9: b"\\t",
}


@converter("json", takes="str", gives="str")
def _json(args: Args, env: CompileEnv) -> Converter:
    code = args.string(0, "ascii")
    if code not in _CODES:
        raise args.error("unexpected character code; allowed values are ascii, utf8, utf8s, utf8p and utf8ps")
    if code in ("", "ascii"):
        return lambda value: b"".join([_escape(byte) for byte in value])  # type: ignore[union-attr]
    silent, permissive = code.endswith("s"), "p" in code

    def escaped(value: Value) -> Result:
        assert isinstance(value, bytes)
        out, position = [], 0
        while position < len(value):
            point, size, problem = _decode(value, position)
            position += size
            if problem == "long" and permissive:
                problem = ""
            if problem or point > 0xFFFF:
                if silent:
                    continue
                return None
            out.append(_escape(point))
        return b"".join(out)

    return escaped


def _escape(point: int) -> bytes:
    """One character in a JSON string."""
    short = _JSON_ESCAPES.get(point)
    if short is not None:
        return short
    return bytes((point,)) if 0x20 <= point < 0x7F else b"\\u%04x" % point


def _decode(text: bytes, position: int) -> tuple[int, int, str]:
    """One UTF-8 sequence: (code point, bytes used, problem: empty, `bad`, `range` or `long`)."""
    first = text[position]
    if first < 0x80:
        return first, 1, ""
    length = 2 if first >> 5 == 6 else 3 if first >> 4 == 14 else 4 if first >> 3 == 30 else 0
    if not length:
        return 0, 1, "bad"
    point, used = first & (0x7F >> length), 1
    while used < length:
        if position + used >= len(text) or text[position + used] >> 6 != 2:
            return 0, used, "bad"
        point = point << 6 | text[position + used] & 0x3F
        used += 1
    if point < (0x80, 0x800, 0x10000)[length - 2]:
        return point, length, "long"
    if 0xD800 <= point <= 0xDFFF or point in (0xFFFE, 0xFFFF) or point > 0x10FFFF:
        return point, length, "range"
    return point, length, ""
