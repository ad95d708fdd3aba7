"""Where log messages go: UDP, UNIX datagram sockets, file descriptors. Nothing here ever waits.

A message that can't be handed over at once is dropped and counted.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy.net.clock import wall
from hapy.observe.framing import LEVELS, Framing
from hapy.samples.environment import CompileError

if TYPE_CHECKING:
    from hapy_config.model.addresses import Address
    from hapy_config.model.proxy import LogTarget

SYSLOG_PORT: Final = 514


@dataclass(frozen=True, slots=True)
class Transport:
    """The way to one target.

    Attributes:
        send: hands one message over; raises OSError when it can't.
        close: gives the socket back; a descriptor that was inherited stays open.
    """

    send: Callable[[bytes], object]
    close: Callable[[], None]


def _udp(address: Address) -> Transport:
    """Datagrams to one address, from a connected socket: the route is looked up once."""
    family = socket.AF_INET6 if address.family == "ipv6" else socket.AF_INET
    host, port = address.host, address.port or SYSLOG_PORT
    if address.family == "name":
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, _, _, _, where = found[0]
        host, port = str(where[0]), int(where[1])
    sender = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sender.connect((host, port))
    return Transport(sender.send, sender.close)


def _unix(path: str | bytes) -> Transport:
    """Datagrams to a socket in the file system: its owner may come and go."""
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    return Transport(lambda data: sender.sendto(data, path), sender.close)


def _descriptor(number: int) -> Transport:
    os.set_blocking(number, False)
    return Transport(lambda data: os.write(number, data), lambda: None)


_STREAMS: Final = {"stdout": 1, "stderr": 2}


def make_transport(target: LogTarget) -> Transport:
    """What hands messages over to a target.

    Raises:
        CompileError: for a target that does not run, or can't be opened.
    """
    address = target.address
    try:
        if target.stream in _STREAMS:
            return _descriptor(_STREAMS[target.stream])
        if target.stream or address is None:
            raise CompileError(f"log target '{target.stream or 'global'}' is not run by hapy", target.span)
        if address.family == "fd":
            return _descriptor(int(address.host))
        if address.family == "unix":
            return _unix(address.host)
        if address.family == "abns":
            return _unix(b"\0" + address.host.encode("utf-8", "surrogateescape"))
        return _udp(address)
    except OSError as error:
        raise CompileError(f"log target can't be opened: {error.strerror or error}", target.span) from None


class Sender:
    """One `log` target of one section.

    Attributes:
        dropped: messages that could not be handed over.
        transport: hands one over.
        close: gives the target's socket back, which other sections may share: for the very end.
    """

    __slots__ = (
        "_cached_second",
        "_framing",
        "_heads",
        "_level",
        "_limit",
        "_minimum",
        "_period",
        "_position",
        "_sampled",
        "close",
        "dropped",
        "transport",
    )

    def __init__(self, target: LogTarget, framing: Framing, transport: Transport, longest: int) -> None:
        self._framing = framing
        self.transport = transport.send
        self.close = transport.close
        self._level = LEVELS[target.level]
        self._minimum = LEVELS[target.minimum_level] if target.minimum_level else 0
        # What a message may be with its line end, which only a descriptor's limit counts.
        address = target.address
        syslog = not target.stream and address is not None and address.family != "fd"
        self._limit = target.length + 1 if syslog else target.length
        if target.format == "raw":  # nothing stands before a text, which is cut to the greatest length of all targets
            self._limit = min(self._limit, longest)
        self._heads: dict[int, bytes] = {}
        self._cached_second = -1
        self._sampled: frozenset[int] | None = None
        self._period = 0
        self._position = 0
        if target.sample is not None:
            ranges, self._period = target.sample
            self._sampled = frozenset(number for low, high in ranges for number in range(low, high + 1))
        self.dropped = 0

    def send(self, level: int, text: bytes, structured: bytes = b"-") -> None:
        """Send one message, if its level is wanted.

        Args:
            level: 0 (emerg) to 7 (debug).
            text: the message without its line end.
            structured: RFC 5424's structured data.
        """
        if level > self._level:
            return
        if self._sampled is not None:
            self._position = self._position % self._period + 1
            if self._position not in self._sampled:
                return
        level = max(level, self._minimum)
        moment = wall()
        framing = self._framing
        if framing.fixed_for_a_second:
            second = int(moment)
            if second != self._cached_second:
                self._heads.clear()
                self._cached_second = second
            head = self._heads.get(level)
            if head is None:
                head = self._heads[level] = framing.head(level, moment)
            data = b"%b%b\n" % (head, text)
        elif framing.structured:
            data = b"%b%b %b\n" % (framing.head(level, moment), structured, text)
        else:
            data = b"%b%b\n" % (framing.head(level, moment), text)
        if len(data) > self._limit:
            data = data[: self._limit - 1] + b"\n"
        try:
            self.transport(data)
        except OSError as error:
            self._failed(error, data)

    def _failed(self, error: OSError, data: bytes) -> None:
        """A message was not taken: a refusal tells what an earlier one met, so this one is tried again."""
        if isinstance(error, ConnectionRefusedError):
            with contextlib.suppress(OSError):
                self.transport(data)
                return
        self.dropped += 1
