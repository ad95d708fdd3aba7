"""`option spop-check`: the first words with an agent that offloads processing (configuration manual, 4.2).

The check says hello as HAProxy would and asks for nothing else. The agent answers with its own hello, or says by a code
why it will not. Frames are a length of four bytes, type, flags (the first bit: the frame is complete), two numbers that
name stream and frame, and pairs of a name and a typed value. What HAProxy calls each fault was seen by answering it so.
"""

from __future__ import annotations

from typing import Final

from hapy.checks.result import Ended, Status

HELLO: Final = (
    b"\x00\x00\x00\x4e\x01\x00\x00\x00\x01\x00\x00\x12supported-versions\x08\x032.0\x0emax-frame-size\x03\xfc\xf0\x06"
    b"\x0ccapabilities\x08\x00\x0bhealthcheck\x11"
)
_AGENT_HELLO: Final = 101
_AGENT_DISCONNECT: Final = 102
_COMPLETE: Final = 1
_HEAD: Final = 5
_SMALLEST: Final = 7
_BIGGEST: Final = 16384
#: What an agent may ask for as `max-frame-size`.
_SIZES: Final = range(256, 16381)
_VERSION: Final = b"2.0"

#: By the code of a disconnect frame.
_FAULTS: Final = (
    "normal",
    "I/O error",
    "a timeout occurred",
    "frame is too big",
    "invalid frame received",
    "version value not found",
    "max-frame-size value not found",
    "capabilities value not found",
    "unsupported version",
    "max-frame-size too big or too small",
    "fragmentation not supported",
    "invalid interlaced frames",
    "frame-id not found",
    "resource allocation error",
)
_UNKNOWN: Final = "an unknown error occurred"
_INVALID: Final = 4
_NO_VERSION: Final = 5
_NO_SIZE: Final = 6
_WRONG_VERSION: Final = 8
_WRONG_SIZE: Final = 9
_IN_PIECES: Final = 10

# Types of values.
_NULL: Final = 0
_BOOLEAN: Final = 1
_NUMBERS: Final = frozenset({2, 3, 4, 5})
_ADDRESSES: Final = {6: 4, 7: 16}
_TEXTS: Final = frozenset({8, 9})

Value = int | bytes | None


def judge_spop(data: bytes, ended: bool) -> Ended | None:
    """The agent's hello, or None while more is needed."""
    if len(data) < 4:
        return _fault(_INVALID) if ended else None
    size = int.from_bytes(data[:4], "big")
    if size < _SMALLEST or len(data) > _BIGGEST:
        return _fault(_INVALID)
    if len(data) < 4 + size:
        return _fault(_INVALID) if ended else None
    frame = data[4 : 4 + size]
    try:
        return _read(frame)
    except (IndexError, ValueError):
        return _fault(_INVALID)


def _read(frame: bytes) -> Ended:
    """What a frame says.

    Raises:
        IndexError: it ends too early.
        ValueError: a value has no type that there is.
    """
    kind = frame[0]
    if kind not in (_AGENT_HELLO, _AGENT_DISCONNECT):
        return _fault(_INVALID)
    if not frame[_HEAD - 1] & _COMPLETE:
        return _fault(_IN_PIECES)
    _, place = _number(frame, _HEAD)
    _, place = _number(frame, place)
    values = _values(frame, place)
    if kind == _AGENT_DISCONNECT:
        code = values.get(b"status-code", 0)
        return _fault(code if isinstance(code, int) else _INVALID)
    version, size = values.get(b"version"), values.get(b"max-frame-size")
    for value, wanted in ((version, bytes), (values.get(b"capabilities"), bytes), (size, int)):
        if value is not None and not isinstance(value, wanted):
            return _fault(_INVALID)
    if not isinstance(version, bytes):
        return _fault(_NO_VERSION)
    if version.strip() != _VERSION:
        return _fault(_WRONG_VERSION)
    if not isinstance(size, int):
        return _fault(_NO_SIZE)
    return Ended(Status.L7OK, aside="SPOA server is ok") if size in _SIZES else _fault(_WRONG_SIZE)


def _fault(code: int) -> Ended:
    return Ended(Status.L7RSP, _FAULTS[code] if code < len(_FAULTS) else _UNKNOWN)


def _values(frame: bytes, place: int) -> dict[bytes, Value]:
    """All pairs from there to the end."""
    found: dict[bytes, Value] = {}
    while place < len(frame):
        name, place = _text(frame, place)
        kind = frame[place] & 0x0F
        place += 1
        value: Value = None
        if kind in _NUMBERS:
            value, place = _number(frame, place)
        elif kind in _TEXTS:
            value, place = _text(frame, place)
        elif kind in _ADDRESSES:
            place += _ADDRESSES[kind]
        elif kind not in (_NULL, _BOOLEAN):
            raise ValueError(kind)
        found[name] = value
    if place > len(frame):
        raise IndexError(place)
    return found


def _text(frame: bytes, place: int) -> tuple[bytes, int]:
    """A text with its length before it, and what follows where."""
    size, place = _number(frame, place)
    if place + size > len(frame):
        raise IndexError(place)
    return frame[place : place + size], place + size


def _number(frame: bytes, place: int) -> tuple[int, int]:
    """A number of one byte up to 239, of more with four bits and then seven in each, and what follows where."""
    value = frame[place]
    place += 1
    if value < 0xF0:
        return value, place
    shift = 4
    while True:
        byte = frame[place]
        place += 1
        value += byte << shift
        shift += 7
        if byte < 0x80:
            return value, place
