"""The path of an HTTP request, read top to bottom: rules, choice of a backend, its rules, a server, the answer, the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.http.message import TUNNEL, Response
from hapy.net.routine import pause
from hapy.proxy.answers import answer_error, conclude, conclude_response
from hapy.proxy.bodies import buffer_body, waiter
from hapy.proxy.failures import Failed
from hapy.proxy.private import sees_challenge
from hapy.proxy.sizes import head_size
from hapy.proxy.tunnel import run_tunnel
from hapy.proxy.upstream import fetch
from hapy.rules.outcomes import ALLOW

if TYPE_CHECKING:
    from hapy.proxy.exchange import Exchange
    from hapy.rules import Ruleset
    from hapy.rules.outcomes import Outcome


async def serve(exchange: Exchange) -> None:
    """Serve one request."""
    frontend = exchange.frontend
    txn = exchange.txn
    cut = False
    try:
        frontend.begin_request(txn)
        outcome = frontend.monitor(txn) if frontend.monitor is not None else None
        if outcome is None and frontend.request_rules is not None:
            outcome = await _run(exchange, frontend.request_rules)
        if outcome is None and frontend.redirects is not None:
            outcome = frontend.redirects(txn)
        if outcome is None:
            route = exchange.route = frontend.choose(txn)
            backend = route.backend
            if backend is None:
                txn.request_done = -1.0
                raise Failed(503, "S", "C")
            txn.backend = backend
            route.enter(exchange)
            if route.request_rules is not None:
                outcome = await _run(exchange, route.request_rules)
            if outcome is None and route.redirects is not None:
                outcome = route.redirects(txn)
        if outcome is not None:
            cut = await conclude(exchange, outcome)
            return
        if frontend.keep_request_cookie is not None:
            frontend.keep_request_cookie(txn)
        for add in route.prepare:
            add(txn)
        exchange.server_timeout = route.server_timeout
        if txn.overrides is not None:
            _apply_overrides(exchange)
        if route.buffer_body and not exchange.request_ended:
            await buffer_body(exchange, route.body_timeout)
        response = await fetch(exchange)
        cut = await _deliver(exchange, response)
    except Failed as failure:
        cut = answer_error(exchange, failure)
    finally:
        frontend.finish_request(exchange, cut=cut)


async def _run(exchange: Exchange, rules: Ruleset) -> Outcome | None:
    """Run a ruleset over the request; None when it goes on."""
    txn = exchange.txn
    if rules.is_async:
        txn.body_waiter = waiter(exchange)
        outcome = await rules.run_async(txn)
    else:
        outcome = rules.run(txn)
    overrides = txn.overrides
    if overrides is not None and overrides.early_hints is not None:
        exchange.send_early_hints(overrides.early_hints)
        txn.bytes_out += head_size(Response(103, b"Early Hints", overrides.early_hints))
        overrides.early_hints = None
    return None if outcome is ALLOW else outcome


def _apply_overrides(exchange: Exchange) -> None:
    """What rules have set for this request alone."""
    overrides = exchange.txn.overrides
    if overrides is not None and overrides.timeouts is not None and "server" in overrides.timeouts:
        exchange.server_timeout = overrides.timeouts["server"] / 1000


async def _deliver(exchange: Exchange, response: Response) -> bool:
    """Pass the server's answer on; whether the client's connection must be cut.

    Raises:
        Failed: the answer is incomplete, or the client did not take it.
    """
    txn = exchange.txn
    route = exchange.route
    server = exchange.server
    assert server is not None
    txn.response = response
    frontend = exchange.frontend
    if frontend.keep_response is not None:
        frontend.keep_response(txn)
    if frontend.keep_response_cookie is not None:
        frontend.keep_response_cookie(txn)
    if exchange.bound or (response.status in (401, 407) and sees_challenge(response)):
        server.private = exchange.stream.bound = True
    for rules in route.response_rules:
        outcome = await _run(exchange, rules)
        if outcome is not None:
            return conclude_response(exchange, outcome)
    for rules in route.after_rules:
        if rules.run(txn) not in (None, ALLOW):
            break
    txn.status = response.status
    exchange.answering = True
    exchange.stream.feeder = server
    if response.body == TUNNEL:
        return await run_tunnel(exchange, response)
    exchange.forward_answer(response, stay=not route.answers_close(response))
    if frontend.logger.as_soon:
        frontend.log_as_soon(exchange, server.size)
    while not exchange.complete:
        if server.failure:
            raise Failed(0, "s" if server.failure == "timeout" else "S", "D")
        _look_at_client(exchange)
        await pause()
    if exchange.client_failure == "reset":
        raise Failed(0, "C", "D")
    if not exchange.request_sent:
        await _outlast(exchange)
    route.settle(exchange)
    while not exchange.stream.writable and not exchange.stream.closed:
        if exchange.client_failure == "timeout":
            raise Failed(0, "c", "D")
        await pause()
    return False


def _look_at_client(exchange: Exchange) -> None:
    """The answer is on its way: whether the client still takes it."""
    gone = exchange.client_failure
    if gone == "timeout":
        if not exchange.stream.writable:
            raise Failed(0, "c", "D")
        exchange.client_failure = ""  # a request that stalls while its answer flows: the server's timeout decides
    elif gone == "bad":
        raise Failed(0, "P", "D")
    elif gone and (gone == "reset" or exchange.client_matters()):
        raise Failed(0, "C", "D")


async def _outlast(exchange: Exchange) -> None:
    """The answer is complete, the request is not: take the rest of it, for the server as long as that listens.

    Raises:
        Failed: the rest does not come.
    """
    server = exchange.server
    assert server is not None
    while not exchange.request_sent:
        server.failure = ""
        if server.closed and not exchange.discarding:
            exchange.discarding = True
            exchange.txn.term_cause, exchange.txn.term_phase = "S", "D"
            exchange.on_client_news()
        if exchange.client_failure:
            raise Failed(0, "c" if exchange.client_failure == "timeout" else "C", "D")
        await pause()
