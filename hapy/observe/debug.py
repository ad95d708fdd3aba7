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
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.transaction import Transaction

_NO_SERVER = "ffffffff"


def watch(runtime: Runtime) -> None:
    """Show the requests and the sessions of all frontends from now on."""
    for frontend in runtime.frontends.values():
        _watch(frontend)


def _watch(frontend: Frontend) -> None:
    keep_request, keep_response = frontend.keep_request, frontend.keep_response
    tell: Callable[..., None] = functools.partial(_tell, frontend)

    def begun(txn: Transaction) -> None:
        if keep_request is not None:
            keep_request(txn)
        _accepted(tell, txn)
        request = txn.request
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
        if txn.request is None:
            _accepted(tell, txn)
        _closed(tell, txn)

    frontend.keep_request, frontend.keep_response, frontend.told = begun, answered, over
    for route in (frontend.route, *frontend._routes.values()):
        route.looks_at_answers = True


def _tell(frontend: Frontend, txn: Transaction, event: str, text: bytes | str | None = None) -> None:
    where = frontend if txn.backend is None else txn.backend
    server = _NO_SERVER if txn.server is None else "0000"
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    rest = "" if shown is None else f": {shown}"
    sys.stdout.write(f"{txn.number:08x}:{where.model.name}.{event}[{txn.client.fd:04x}:{server}]{rest}\n")
    sys.stdout.flush()


def _accepted(tell: Callable[..., None], txn: Transaction) -> None:
    client = txn.client
    tell(txn, "accept", f"from [{client.source.decode()}:{client.source_port}]")


def _headers(tell: Callable[..., None], txn: Transaction, event: str, headers: Iterable[Header]) -> None:
    for name, value in headers:
        tell(txn, event, name + b": " + value)


def _closed(tell: Callable[..., None], txn: Transaction) -> None:
    if txn.server is not None:
        tell(txn, "server", f"{txn.server.model.name} reuse={txn.reuse_reason or '-'}")
        tell(txn, "srvcls")
    tell(txn, "closed", f"{txn.status} {txn.term_cause}{txn.term_phase}")
