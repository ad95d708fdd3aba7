"""The heads of the answers: what is always fresh comes without a length, in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.http.message import CHUNKED, UNTIL_CLOSE, Response
from hapy.net.clock import now

if TYPE_CHECKING:
    from hapy.http.message import Header
    from hapy.proxy.transaction import Transaction

NO_CACHE: Final = (b"cache-control", b"no-cache")
_IN_CHUNKS: Final = (b"transfer-encoding", b"chunked")


def fresh(
    txn: Transaction, content_type: bytes, text: str, *more: Header, told: bool = False
) -> tuple[Response, bytes]:
    """The answer to a GET or a HEAD.

    Args:
        txn: the request.
        content_type: what the text is.
        text: the body.
        more: further fields of the head.
        told: the answer to a HEAD tells how the body would come.
    """
    headers: list[Header] = [NO_CACHE, (b"content-type", content_type), *more]
    if txn.method == b"HEAD":
        if told:
            headers.append(_IN_CHUNKS)
        return Response(200, b"OK", headers, 0), b""
    if txn.version < 11:
        return Response(200, b"OK", headers, UNTIL_CLOSE, keep_alive=False), text.encode("utf-8", "surrogateescape")
    headers.append(_IN_CHUNKS)
    return Response(200, b"OK", headers, CHUNKED), text.encode("utf-8", "surrogateescape")


def served(txn: Transaction, service: bytes) -> None:
    """Note in a transaction that a service of the process answers it, and takes no time for it."""
    txn.override().service = service
    txn.queue_done = txn.connect_done = txn.response_done = now()
