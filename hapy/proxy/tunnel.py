"""After `101 Switching Protocols` or a CONNECT's 2xx: bytes both ways until both sides have closed.

As with HAProxy the client's half-close is passed on, and the server's close ends the tunnel; but after a CONNECT the
client's, too, is waited for. `timeout tunnel` takes the place of `timeout client` and `timeout server`; bytes in either
direction move both. Once the client has closed its side only the server's counts, or `timeout server-fin` where that is
set. Without `timeout tunnel` a client that has been silent for `timeout client` counts as one that has closed its side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.net.clock import NEVER
from hapy.net.routine import pause
from hapy.proxy.failures import KILLED, Failed, letter

if TYPE_CHECKING:
    from hapy.http.message import Response
    from hapy.proxy.exchange import Exchange


async def run_tunnel(exchange: Exchange, response: Response) -> bool:
    """Send the head that opens the tunnel, and wait for its end; whether the client's connection must be cut.

    Raises:
        Failed: a side was silent for too long, or broke off.
    """
    route = exchange.route
    server = exchange.server
    stream = exchange.stream
    assert server is not None
    limit = route.tunnel_timeout
    overrides = exchange.txn.overrides
    if overrides is not None and overrides.timeouts is not None and "tunnel" in overrides.timeouts:
        limit = overrides.timeouts["tunnel"] / 1000
    if limit != NEVER:
        exchange.server_timeout = exchange.client_timeout = limit
    else:
        exchange.client_timeout = exchange.frontend.client_timeout
    exchange.answering = True
    if exchange.frontend.logger.as_soon:
        exchange.frontend.log_as_soon(exchange)
    stream.feeder, server.feeder = server, stream
    exchange.send(response, b"", ended=False, trailers=[], stay=False)
    exchange.open_tunnel()
    exchange.forward_answer()
    exchange.on_client_news()
    told_server = silent = False
    while not exchange.complete:
        if exchange.client_failure == "timeout" and exchange.client_timeout < exchange.server_timeout:
            exchange.client_failure = ""
            silent = told_server = True
            server.shut_down()
            rest = exchange.server_timeout - exchange.client_timeout
            exchange.client_timeout = NEVER
            if route.server_fin_timeout != NEVER:
                exchange.server_timeout = rest = route.server_fin_timeout
            server.expire_after(rest)
        if exchange.client_failure == "eof" and not told_server:
            told_server = True
            server.shut_down()
            exchange.client_timeout = NEVER  # nothing more is due from it
            if route.server_fin_timeout != NEVER:
                exchange.server_timeout = route.server_fin_timeout
            exchange.refresh()
        if exchange.client_failure in ("reset", "timeout"):
            if exchange.client_failure == "reset" or exchange.client_timeout >= exchange.server_timeout:
                server.abort()  # it must not take this for an end that somebody meant
            raise Failed(0, "c" if exchange.client_failure == "timeout" else "C", "D")
        if server.failure:
            server.abort()
            killed = server.failure in KILLED
            raise Failed(0, "c" if silent and not killed else letter(server.failure), "-" if killed else "D")
        await pause()
    if silent:
        raise Failed(0, "c", "D")
    if exchange.txn.method == b"CONNECT" and not exchange.client_failure:
        await _outlast(exchange)
    return True


async def _outlast(exchange: Exchange) -> None:
    """The server has closed a CONNECT's tunnel: so do we towards the client, and wait for its end.

    Raises:
        Failed: it did not come in time, or the client broke off.
    """
    limit = exchange.route.client_fin_timeout
    if limit != NEVER:
        exchange.client_timeout = limit
    exchange.server_timeout = NEVER
    exchange.refresh()
    exchange.stream.shut_down()
    while not exchange.client_failure:
        await pause()
    if exchange.client_failure in ("reset", "timeout"):
        raise Failed(0, "c" if exchange.client_failure == "timeout" else "C", "D")
