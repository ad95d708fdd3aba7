"""Reads HTTP/1 messages off a blocking socket, leniently: the harness must show whatever is sent, not judge it."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass


@dataclass
class Message:
    """One message as seen on the wire.

    Attributes:
        head: the raw head without the empty line.
        body: the body, chunks put together.
        framing: length, chunked, close, none, or `cut` when it ended before its time.
        trailers: raw lines after the last chunk.
    """

    head: bytes
    body: bytes = b""
    framing: str = "none"
    trailers: bytes = b""

    @property
    def start(self) -> str:
        """The request or status line."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def status(self) -> int:
        """The status code of a response."""
        return int(self.head.split(b" ", 2)[1])

    def header(self, name: str) -> str | None:
        """The first field of that name."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None

    def lines(self) -> list[str]:
        """The message for a transcript."""
        shown = [line.decode("latin-1") for line in self.head.split(b"\r\n")]
        body = self.body if len(self.body) <= 200 else b"%d bytes" % len(self.body)
        shown.append(f"[{self.framing}] {body!r}")
        if self.trailers:
            shown.append(f"[trailers] {self.trailers!r}")
        return shown


class Reader:
    """Buffered reading from a socket. `end` tells how the peer ended: fin, reset or empty while it is open."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = b""
        self.end = ""

    def fill(self) -> bool:
        """Receive once; False when the peer has ended."""
        if self.end:
            return False
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            self.end = "reset"
            return False
        except ssl.SSLEOFError:
            self.end = "fin without close_notify"
            return False
        except ssl.SSLError as error:
            self.end = f"alert {error.reason}"
            return False
        if not data:
            self.end = "fin"
            return False
        self.buffer += data
        return True

    def until(self, mark: bytes) -> bytes | None:
        """Bytes up to and with `mark`, or None when the peer ended before."""
        while mark not in self.buffer:
            if not self.fill():
                return None
        found, _, self.buffer = self.buffer.partition(mark)
        return found + mark

    def exactly(self, count: int) -> bytes:
        """`count` bytes, fewer when the peer ended before."""
        while len(self.buffer) < count:
            if not self.fill():
                break
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def to_end(self) -> bytes:
        """All that comes until the peer ends."""
        while self.fill():
            pass
        data, self.buffer = self.buffer, b""
        return data

    def message(self, *, request: bool, method: str = "GET") -> Message | None:
        """The next message, or None when the peer ended before one began."""
        head = self.until(b"\r\n\r\n")
        if head is None:
            if self.buffer:
                return Message(self.to_end(), framing="cut")
            return None
        message = Message(head[:-4])
        fields = message.head.lower()
        length = re.search(rb"\r\ncontent-length:\s*(\d+)", fields)
        if not request and (method == "HEAD" or re.match(rb"http/1.\d (1\d\d|204|304)", fields)):
            return message
        if re.search(rb"\r\ntransfer-encoding:[^\r]*chunked", fields):
            self._chunked(message)
        elif length:
            message.body = self.exactly(int(length[1]))
            message.framing = "length" if len(message.body) == int(length[1]) else "cut"
        elif not request:
            message.body = self.to_end()
            message.framing = "close"
        return message

    def _chunked(self, message: Message) -> None:
        message.framing = "chunked"
        while True:
            line = self.until(b"\r\n")
            if line is None:
                message.framing = "cut"
                return
            size = int(line.split(b";")[0], 16)
            if size == 0:
                break
            data = self.exactly(size + 2)
            message.body += data[:size]
            if len(data) < size + 2:
                message.framing = "cut"
                return
        trailers = b""
        while (line := self.until(b"\r\n")) not in (b"\r\n", None):
            trailers += line or b""
        message.trailers = trailers
