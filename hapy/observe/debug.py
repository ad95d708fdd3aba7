"""`-d`: what comes and goes, on standard output, in HAProxy's form and with the reason of each reuse.

Nothing of this costs a proxy that runs without `-d`: the lines are written by what a frontend calls anyway.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy.http.message import Header
    from hapy.net.listeners import Opened
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.transaction import Transaction

#: Without a server: while a request is coming, and at its end.
_NO_SERVER, _NEVER_ANY = "ffffffff", "ffff"
_ENDS = frozenset({"clicls", "srvcls", "closed"})


def watch(runtime: Runtime, listening: Iterable[Opened]) -> None:
    """Show the requests and the sessions of all frontends from now on, and at which of the sockets they came in."""
    sockets: dict[tuple[str, int], int] = {}
    for opened in listening:
        sockets.setdefault((opened.proxy.name, opened.bind.number), opened.sock.fileno())
    for frontend in runtime.frontends.values():
        _watch(frontend, sockets)


def _watch(frontend: Frontend, sockets: dict[tuple[str, int], int]) -> None:
    keep_request, keep_response = frontend.keep_request, frontend.keep_response
    tell: Callable[..., None] = functools.partial(_tell, frontend)

    def begun(txn: Transaction) -> None:
        request = txn.request
        if keep_request is not None and request is not None:
            keep_request(txn)
        _accepted(txn, frontend.model.name, sockets)
        if request is not None:
            version = b"HTTP/%d.%d" % divmod(request.version, 10)
            tell(txn, "clireq", b" ".join((request.method, request.target, version)))
            _headers(tell, txn, "clihdr", request.headers)

    def answered(txn: Transaction) -> None:
        response = txn.response
        if response is not None:
            tell(txn, "srvrep", b"HTTP/1.1 %d %s" % (response.status, response.reason))
            _headers(tell, txn, "srvhdr", response.headers)
        if keep_response is not None:
            keep_response(txn)

    def over(txn: Transaction) -> None:
        ends = ["clicls", "srvcls"] if txn.connect_done >= 0 else ["clicls"]
        if txn.request is None:  # a TCP session, in which the server's side is told first
            ends.reverse()
        elif txn.server is not None:
            tell(txn, "server", f"{txn.server.model.name} reuse={txn.reuse_reason or '-'}")
        for event in (*ends, "closed"):
            tell(txn, event)

    frontend.keep_request, frontend.keep_response, frontend.told = begun, answered, over
    for route in (frontend.route, *frontend._routes.values()):
        route.looks_at_answers = True


def _tell(frontend: Frontend, txn: Transaction, event: str, text: bytes | str | None = None) -> None:
    where = frontend if txn.backend is None else txn.backend
    server = "0000" if txn.server is not None else _NEVER_ANY if event in _ENDS else _NO_SERVER
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    rest = "" if shown is None else f": {shown}"
    _write(f"{txn.number:08x}:{where.model.name}.{event}[{txn.client.fd & 0xFFFF:04x}:{server}]{rest}\n")


def _accepted(txn: Transaction, frontend: str, sockets: dict[tuple[str, int], int]) -> None:
    client = txn.client
    socket = sockets.get((frontend, client.listener_id), 0)
    source = f"{client.source.decode()}:{client.source_port}"
    protocol = None if client.tls is None else client.tls.alpn
    shown = "<none>" if protocol is None else protocol.decode()
    _write(f"{txn.number:08x}:{frontend}.accept({socket:04x})={client.fd & 0xFFFF:04x} from [{source}] ALPN={shown}\n")


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _headers(tell: Callable[..., None], txn: Transaction, event: str, headers: Iterable[Header]) -> None:
    for name, value in headers:
        tell(txn, event, name + b": " + value)
