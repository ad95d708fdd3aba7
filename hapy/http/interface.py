"""The codec interface: bytes in, events out; one parser a direction of a connection. No I/O here.

A parser is fed whatever arrived and calls its sink: the head once it is complete and sound, the body's bytes as they
come, the end with the trailers. It never goes past the end of one message: bytes after it are kept in `pending` until
`resume()` asks for the next message, so that a pipelined request waits its turn. Bodies of a known length and
close-delimited ones are handed on as slices of what was fed, unlooked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hapy.http.message import Header, Request, Response


@dataclass(frozen=True, slots=True)
class Limits:
    """What a message head may be (`tune.bufsize`, `tune.maxrewrite`, `tune.http.maxhdr`, `accept-invalid-http-*`).

    Attributes:
        bufsize: bytes of a buffer.
        maxrewrite: bytes of it kept free for rules that add headers: a head must fit in the difference.
        max_headers: the most fields of a head.
        accept_invalid: `option accept-invalid-http-request` for a request parser, `-response` for a response parser.
        any_payload: `h1-accept-payload-with-any-method`.
        looking: what is read goes on as bytes, and is only looked at: less is asked of a request.
    """

    bufsize: int = 16384
    maxrewrite: int = 1024
    max_headers: int = 101
    accept_invalid: bool = False
    any_payload: bool = False
    looking: bool = False


class BadMessage(Exception):  # noqa: N818  the field's word, as in "400 Bad Request"
    """The peer broke the protocol; its connection can't go on.

    Attributes:
        status: what to answer the client: 400, 413 or 422 for a request, 502 for a response, 0 when
            a body was cut short by its peer.
        reason: for the log and debug output.
        read: a head that was sound and is refused for what it asks: the answer is a page as for any request.
        late: the head could be read; what came before it goes on all the same.
        refused: an answer's head that is refused for what it says.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        read: Request | None = None,
        late: bool = False,
        refused: Response | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.read = read
        self.late = late
        self.refused = refused


class RequestSink(Protocol):
    """What a request parser tells. The calls come from within `feed`, `feed_eof` and `resume`."""

    def on_head(self, head: Request, /) -> None:
        """The head is complete; `head.body` says what follows."""

    def on_data(self, data: bytes, /) -> None:
        """Bytes of the body, never empty; chunk framing is taken off."""

    def on_end(self, trailers: list[Header], /) -> None:
        """The message is complete. Trailers come after chunked bodies only."""


class ResponseSink(Protocol):
    """What a response parser tells."""

    def on_head(self, head: Response, /) -> None:
        """The final head is complete; `head.body` says what follows (TUNNEL after 101 and a CONNECT's 2xx)."""

    def on_informational(self, head: Response, /) -> None:
        """A 1xx head other than 101; the final one is still to come."""

    def on_data(self, data: bytes, /) -> None:
        """Bytes of the body, never empty; chunk framing is taken off."""

    def on_end(self, trailers: list[Header], /) -> None:
        """The message is complete."""


class Parser(Protocol):
    """What both directions share.

    Attributes:
        pending: bytes received and not yet told to the sink: a part of a head or of a chunk's framing, or what
            follows a complete message. The owner stops reading when it grows.
    """

    pending: bytes

    @property
    def idle(self) -> bool:
        """Whether nothing of the next message has come yet; blank lines before it don't count."""

    def feed(self, data: bytes) -> None:
        """Takes what arrived.

        Raises:
            BadMessage: and again for whatever is fed after it.
        """

    def feed_eof(self) -> None:
        """Says that the peer has closed: ends a close-delimited body or a tunnel, does nothing between messages.

        Raises:
            BadMessage: a message is cut short: 400 or 502 within a head, 0 within a body.
        """

    def resume(self) -> None:
        """Goes on to the next message, after `on_end`. Events may come at once, from `pending`.

        Not to be called from within a sink's method.

        Raises:
            BadMessage: as from `feed`.
        """

    def start_tunnel(self) -> None:
        """From here on all bytes, `pending` first, go to `on_data` as they are, until `feed_eof`.

        For the request side once a CONNECT or an upgrade has been granted; the response side does it itself.
        """
