"""`show sess`, `shutdown session`: what is going on, request by request in HTTP, connection by connection in TCP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy.net.clock import now
from hapy.runtime_api.registry import Call, Level, Refusal, command

if TYPE_CHECKING:
    from hapy.proxy.frontend import FrontConnection
    from hapy.proxy.transaction import Client, Transaction


def _sessions(call: Call) -> Iterator[tuple[str, FrontConnection, Transaction]]:
    """The name of each session, its client's connection, and what is known of it."""
    for frontend in call.control.job.runtime.frontends.values():
        for connection in tuple(frontend.connections):
            found = getattr(connection, "exchange", None) or getattr(connection, "session", None)
            if found is not None:
                yield f"0x{id(connection):x}", connection, found.txn


@command("show sess", usage="[<id>]", tells="the sessions that are going on", level=Level.OPERATOR)
def show_sessions(call: Call) -> str:
    """One line a session; with a name more of that one."""
    wanted = call.argument(0)
    if not _pointer(wanted):
        return "".join(f"{_line(name, txn)}\n" for name, _connection, txn in _sessions(call))
    for name, _connection, txn in _sessions(call):
        if _same(name, wanted):
            return f"{_line(name, txn)}\n{_more(txn)}"
    return "Session not found.\n"


@command("shutdown session", usage="<id>", tells="end a session", level=Level.ADMIN)
def shutdown_session(call: Call) -> str:
    """Nothing."""
    wanted = call.argument(0)
    if not _pointer(wanted):
        raise Refusal("Session pointer expected (use 'show sess').\n")
    for name, connection, _txn in _sessions(call):
        if _same(name, wanted):
            connection.kill()
            return ""
    raise Refusal("No such session (use 'show sess').\n")


def _pointer(text: str) -> int:
    """The number that names a session, as C's `strtoul` reads it; 0 for none."""
    found = re.match(r"0[xX]([0-9a-fA-F]+)|([0-9]+)", text)
    if found is None:
        return 0
    return int(found[1], 16) if found[1] else int(found[2])


def _same(name: str, wanted: str) -> bool:
    return int(name, 16) == _pointer(wanted)


def _source(client: Client) -> str:
    return f"{client.source.decode('latin-1')}:{client.source_port}"


def _protocol(client: Client) -> str:
    source = client.source
    return "unix_stream" if source == b"unix" else "tcpv6" if b":" in source else "tcpv4"


def _line(name: str, txn: Transaction) -> str:
    backend = "<NONE>" if txn.backend is txn.frontend and not txn.frontend.model.is_backend else txn.backend.model.name
    server = "<none>" if txn.server is None else txn.server.model.name
    begun = txn.idle_done if txn.idle_done >= 0 else txn.started
    return (
        f"{name}: proto={_protocol(txn.client)} src={_source(txn.client)} fe={txn.frontend.model.name} be={backend}"
        f" srv={server} age={int(now() - begun)}s calls={txn.client.requests}"
    )


def _more(txn: Transaction) -> str:
    request = f"{txn.method.decode('latin-1')} {txn.uri.decode('latin-1')}" if txn.method else "-"
    return (
        f"  request={request}\n  bytes in={txn.bytes_in} out={txn.bytes_out} retries={txn.retries}"
        f" state={txn.term_cause}{txn.term_phase} reuse={txn.reuse_reason or '-'}\n"
    )
