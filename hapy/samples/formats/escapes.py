"""How logs write bytes that could confuse their readers (configuration manual, section 8.6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final


def _encoder(unsafe: bytes, mark: bytes) -> Callable[[bytes], bytes]:
    """Writes each byte of a class as the mark and two hexadecimal digits."""
    pattern = re.compile(unsafe)
    table = tuple(mark + b"%02X" % i for i in range(256))
    safe = bytes(i for i in range(256) if pattern.match(bytes((i,))) is None)

    def replace(match: re.Match[bytes]) -> bytes:
        return table[match[0][0]]

    def encode(text: bytes) -> bytes:
        # Dropping all safe bytes is the quickest way to see whether there are others.
        return pattern.sub(replace, text) if text.translate(None, safe) else text

    return encode


#: Request lines and their parts.
encode_line: Final = _encoder(rb'[^ -~]|["#]', b"#")
#: Captured headers.
encode_header: Final = _encoder(rb'[^ -~]|["#{|}]', b"#")
#: Values that become part of an HTTP message.
encode_http: Final = _encoder(rb"[\x00-\x08\n-\x1f\x7f]", b"%")

_SPECIAL: Final = re.compile(rb'["\\\]]')


def escape(text: bytes) -> bytes:
    r"""`"`, `\` and `]` with a backslash before them: flag E, for RFC 5424's structured data."""
    return text if _SPECIAL.search(text) is None else _SPECIAL.sub(rb"\\\g<0>", text)
