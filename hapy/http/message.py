"""Request and response heads as the path of a request sees them. No HTTP version's wire form shows here.

Header names are lower case, as they go out on the wire (RFC 9112 lets any case in; HAProxy writes lower case).
A header list keeps the order and the repetitions of the wire.
"""

from __future__ import annotations

from typing import Final

#: One field: (lower-case name, value without surrounding blanks).
Header = tuple[bytes, bytes]

#: Request fields that carry credentials.
CREDENTIALS: Final = frozenset({b"authorization", b"proxy-authorization"})

#: `body` of a head: the number of bytes of the body, or one of these.
CHUNKED: Final = -1
UNTIL_CLOSE: Final = -2
TUNNEL: Final = -3


class Request:
    """A request head.

    Attributes:
        method: as received.
        target: the request target as received, or as rules rewrote it.
        version: ten times the client's HTTP version; above 11 it is served as 11.
        headers: fields in order. Of `connection` the codec leaves only options other than `close` and `keep-alive`.
        body: length in bytes or CHUNKED. A CONNECT has TUNNEL: what follows it is kept until the answer is known.
        keep_alive: whether the client's version and Connection header let its connection go on.
        upgrade: the Upgrade protocols asked for with `Connection: upgrade`, or None.
        expect_continue: `Expect: 100-continue` was sent.
        plain_size: bytes of the fields' names and values as the codec hands them over; -1 where it hasn't counted them
            or there are credentials among them.
    """

    __slots__ = (
        "body",
        "expect_continue",
        "headers",
        "keep_alive",
        "method",
        "plain_size",
        "target",
        "upgrade",
        "version",
    )

    def __init__(
        self,
        method: bytes,
        target: bytes,
        version: int,
        headers: list[Header],
        body: int = 0,
        keep_alive: bool = True,
        upgrade: bytes | None = None,
        expect_continue: bool = False,
        plain_size: int = -1,
    ) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.body = body
        self.keep_alive = keep_alive
        self.upgrade = upgrade
        self.expect_continue = expect_continue
        self.plain_size = plain_size

    def __repr__(self) -> str:
        return f"<Request {self.method!r} {self.target!r} {self.headers!r} body={self.body}>"


class Response:
    """A response head.

    Attributes:
        status: 100 to 999.
        reason: the reason phrase, perhaps empty.
        version: the server's, likewise. The client is answered with it, with 11 for all above.
        headers: fields in order; `connection` as in requests.
        body: length in bytes, CHUNKED, UNTIL_CLOSE, or TUNNEL after 101 and CONNECT's 2xx.
        keep_alive: whether the server lets its connection go on.
    """

    __slots__ = ("body", "headers", "keep_alive", "reason", "status", "version")

    def __init__(
        self,
        status: int,
        reason: bytes,
        headers: list[Header],
        body: int = 0,
        version: int = 11,
        keep_alive: bool = True,
    ) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body
        self.version = version
        self.keep_alive = keep_alive

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.headers!r} body={self.body}>"


def first_value(headers: list[Header], name: bytes) -> bytes | None:
    """The first field of that (lower-case) name, or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


def without(headers: list[Header], name: bytes) -> list[Header]:
    """The fields but those of that (lower-case) name."""
    return [field for field in headers if field[0] != name]
