"""Whole HTTP answers in files (`errorfile`): HAProxy reads them at start and refuses what it can't send."""

from __future__ import annotations

import re
from typing import Final

_START: Final = re.compile(rb"(?:\r?\n)?HTTP/(?P<version>[0-9.]+) +(?P<status>\d+)[^\r\n]*\r?\n")
_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):((?:[^\r\n]|\r?\n[ \t])*)\r?\n")
_END: Final = re.compile(rb"\r?\n")
_INCOMPLETE: Final = -2


def parse_raw_answer(raw: bytes, buffer: int = 16384) -> str:
    """What is wrong with an answer, or an empty string. An empty file is an answer: it closes without a word.

    Args:
        raw: the file's bytes.
        buffer: `tune.bufsize`, which an answer must fit into.
    """
    if not raw:
        return ""
    start = _START.match(raw)
    if start is None:
        return f"unable to parse headers (error offset: {_bad_offset(raw)})"
    if re.fullmatch(rb"\d\.\d", start["version"]) is None:
        return f"invalid http version (HTTP/{start['version'].decode('ascii')})"
    position = start.end()
    length: int | None = None
    while (end := _END.match(raw, position)) is None:
        header = _HEADER.match(raw, position)
        if header is None:
            place = _INCOMPLETE if position == len(raw) else position + 1
            return f"unable to parse headers (error offset: {place})"
        name = header[1].lower()
        if name == b"content-length":
            length = int(header[2].strip()) if header[2].strip().isdigit() else -1
        elif name == b"transfer-encoding":
            return "chunk-encoded payload not supported"
        position = header.end()
    body = len(raw) - end.end()
    if body and int(start["status"]) in (204, 304):
        return "message payload not expected"
    if length is not None and body != length:
        return f"payload size does not match the announced content-length ({body} != {length})"
    if len(raw) > buffer:
        return "unable to add payload into the HTX message"
    return ""


def _bad_offset(raw: bytes) -> int:
    """About where the first line stops being a status line; -2 when the file ends too early."""
    for offset, wanted in enumerate(b"HTTP/"):
        if offset >= len(raw) or raw.strip() == b"":
            return _INCOMPLETE
        if raw[offset] != wanted:
            return offset
    return 5
