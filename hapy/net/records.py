"""How much a TLS record holds: small ones where a transfer begins, large ones when it flows.

Rules (`tune.ssl.maxrecord`, `tune.ssl.hard-maxrecord`, `tune.idletimer`; HAProxy 2.6 on the wire):
- A transfer is seen in buffers of `tune.bufsize`. The first two that it fills go out in records of `maxrecord`, and so
  does what does not fill one; from then on it flows, in the largest records there may be.
- What flows stops flowing with the third piece in a row that fills no buffer, after the idle time, and with the next
  message.
- `hard-maxrecord` holds for all records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: The most plain bytes of a record (RFC 8446, section 5.1).
LARGEST: Final = 16384
_FILLED: Final = 2
_SHORT: Final = 3


@dataclass(frozen=True, slots=True)
class RecordSizes:
    """The limits of one side.

    Attributes:
        first: plain bytes of a record where a transfer begins. most: of any record.
        buffer: `tune.bufsize`.
        idle: seconds without a byte after which a transfer begins anew, infinite for never.
        by_message: it begins anew with each message (`mode http`).
    """

    first: int
    most: int
    buffer: int
    idle: float
    by_message: bool


class Sizer:
    """Cuts what one connection sends.

    Attributes:
        moment: when the peer last took something.
    """

    __slots__ = ("_filled", "_short", "_sizes", "by_message", "moment")

    def __init__(self, sizes: RecordSizes) -> None:
        self._sizes = sizes
        self._filled = 0
        self._short = 0
        self.by_message = sizes.by_message
        self.moment = 0.0

    def begin(self) -> None:
        """A transfer begins."""
        self._filled = self._short = 0

    def cut(self, size: int, moment: float) -> list[int]:
        """The sizes of the records for that many bytes at this moment (see `hapy.net.clock`)."""
        sizes = self._sizes
        if moment - self.moment > sizes.idle:
            self.begin()
        self.moment = moment
        records: list[int] = []
        while size > 0:
            piece = min(size, sizes.buffer)
            size -= piece
            step = sizes.most if self._flows(full=piece == sizes.buffer) else sizes.first
            records += [step] * (piece // step)
            if piece % step:
                records.append(piece % step)
        return records

    def _flows(self, *, full: bool) -> bool:
        """Whether a piece that fills a buffer, or doesn't, belongs to a transfer that flows."""
        if full:
            self._short = 0
            if self._filled == _FILLED:
                return True
            self._filled += 1
            return False
        if self._filled == _FILLED:
            self._short += 1
            if self._short < _SHORT:
                return True
        self.begin()
        return False
