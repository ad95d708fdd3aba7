"""The path of an HTTP request, top to bottom: rules, choice of a backend, its rules, a server, the answer, the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.http.message import TUNNEL, UNTIL_CLOSE
from hapy.net.clock import NEVER, now
from hapy.net.routine import pause
from hapy.proxy.answers import answer_error, conclude, conclude_response, send_away
from hapy.proxy.bodies import answer_waiter, buffer_body, look_at_body, meet_expectation, send_hints, waiter
from hapy.proxy.exchange import ClientGone
from hapy.proxy.failures import Failed, Redirected, letter
from hapy.proxy.private import sees_challenge
from hapy.proxy.reframing import Misframed, reframe_response
from hapy.proxy.tunnel import run_tunnel
from hapy.proxy.upstream import fetch
from hapy.rules.outcomes import ALLOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.http.message import Response
    from hapy.proxy.exchange import Exchange
    from hapy.proxy.inspection import Inspection
    from hapy.proxy.route import Route
    from hapy.proxy.transaction import Transaction
    from hapy.rules import Ruleset
    from hapy.rules.outcomes import Outcome


#: A server's close counts as coming with its answer when it comes within as many seconds.
AT_ONCE = 0.01

#: How a client fails to `client_failure` → the letter of the log, where that isn't C.
_LEFT = {"timeout": "c", "bad": "P"}


async def serve(exchange: Exchange, choose: Callable[[Transaction], Route] | None = None) -> None:
    """Serve one request.

    Args:
        exchange: the request.
        choose: gives its route; None leaves that to the frontend.
    """
    frontend = exchange.frontend
    txn = exchange.txn
    cut = False
    try:
        frontend.begin_request(txn)
        if exchange.request.body:
            await look_at_body(exchange)
        outcome = None
        if frontend.inspection is not None and txn.inspection is None:
            outcome = await _inspect(exchange, frontend.inspection)
        if frontend.monitor is not None and outcome is None:
            outcome = frontend.monitor(txn)
        rules = frontend.request_rules
        if rules is not None and outcome is None:
            outcome = rules.run(txn) if not rules.is_async else await _run(exchange, rules)
            if txn.overrides is not None:
                send_hints(exchange, outcome)
        if frontend.redirects is not None and outcome in (None, ALLOW):
            outcome = frontend.redirects(txn)
        if outcome is None or outcome is ALLOW:
            route = exchange.route = frontend.choose(txn) if choose is None else choose(txn)
            backend = route.backend
            if backend is None:
                txn.request_done = -1.0
                raise Failed(503, "S", "C")
            txn.backend = backend
            route.enter(exchange)
            if route.buffer_body and exchange.request.body:
                meet_expectation(exchange)
                if not exchange.request_ended:
                    await _await_body(exchange)
            outcome = None if route.inspection is None else await _inspect(exchange, route.inspection)
            rules = route.request_rules
            if rules is not None and outcome is None:
                outcome = rules.run(txn) if not rules.is_async else await _run(exchange, rules)
                if txn.overrides is not None:
                    send_hints(exchange, outcome)
            if route.redirects is not None and outcome in (None, ALLOW):
                outcome = route.redirects(txn)
        if outcome is not None and outcome is not ALLOW:
            cut = await conclude(exchange, outcome)
        else:
            if frontend.keep_request_cookie is not None:
                frontend.keep_request_cookie(txn)
            if not exchange.request_ended:
                _heed_leaving(exchange)
            for add in route.prepare:
                add(txn)
            exchange.server_timeout = route.server_timeout
            if txn.overrides is not None:
                _heed_overrides(exchange)
            response = await fetch(exchange)

            txn.response = response
            if route.looks_at_answers or exchange.bound or response.status in (401, 407):
                outcome = await _examine(exchange, response)
            if outcome is not None and outcome is not ALLOW:
                cut = conclude_response(exchange, outcome)
            elif response.body == TUNNEL:
                txn.status = response.status
                cut = await run_tunnel(exchange, response)
            else:
                txn.status = response.status
                if response.body == UNTIL_CLOSE:
                    _take_tunnel_time(exchange)
                if frontend.logger.as_soon:
                    frontend.log_as_soon(exchange)
                stay = not (route.reviews_answers and _ends_client(exchange, response))
                exchange.begin_answer(response, stay=stay)
                if not (exchange.complete and exchange.request_sent and exchange.stream.writable):
                    await _attend(exchange)
                if exchange.client_failure == "reset":
                    raise Failed(0, "C", "D")
    except Redirected as found:
        cut = send_away(exchange, found.location)
    except Failed as failure:
        cut = answer_error(exchange, failure)
    except ClientGone:
        cut = answer_error(exchange, Failed(0, "C", "R"))  # in the middle of a rule that waits
    frontend.finish_request(exchange, cut=cut)


def _take_tunnel_time(exchange: Exchange) -> None:
    """As long as an answer lasts that ends with its connection, the server may be silent for `timeout tunnel`."""
    limit = exchange.route.tunnel_timeout
    overrides = exchange.txn.overrides
    if overrides is not None and overrides.timeouts is not None and "tunnel" in overrides.timeouts:
        limit = overrides.timeouts["tunnel"] / 1000
    if limit != NEVER:
        exchange.server_timeout = limit


def _heed_leaving(exchange: Exchange) -> None:
    """The request's body is not complete: no server is asked if its client has left already.

    Raises:
        Failed: it has.
    """
    if exchange.client_failure in ("eof", "reset") and not exchange.route.abort_on_close:
        _name_server(exchange)
        raise Failed(0, "C", "R")


async def _await_body(exchange: Exchange) -> None:
    """Have the request's body, as much of it as fits, before any of the backend's rules.

    Raises:
        Failed: see `buffer_body`.
    """
    route = exchange.route
    if route.begin_tie is not None:
        route.begin_tie(exchange.txn)
    try:
        await buffer_body(exchange, route.body_timeout)
    except Failed as failure:
        if failure.status == 0:
            _name_server(exchange)
        raise


def _name_server(exchange: Exchange) -> None:
    """No server gets the request, but its log line names the one that rules or a cookie would have sent it to."""
    route = exchange.route
    if route.use_server is not None:
        exchange.txn.server = route.use_server(exchange.txn)


def _ends_client(exchange: Exchange, response: Response) -> bool:
    """Rules may have changed what an answer's head says of its body and of the connection; whether that ends it.

    Raises:
        Failed: what it says now can't be told to the client.
    """
    route = exchange.route
    server = exchange.server
    assert server is not None
    ends = route.answers_close is not None and route.answers_close(response)
    if route.reframes:
        known = sum(map(len, server.pieces)) if server.ended else -1
        try:
            ends = reframe_response(response, exchange.txn.method, known) or ends
        except Misframed:
            raise Failed(0, "C", "D") from None
    return ends


async def _inspect(exchange: Exchange, inspection: Inspection) -> Outcome | None:
    """Apply content rules; None to go on."""
    from hapy.proxy.inspection import inspect_request

    begin = exchange.route.begin_tie
    if begin is not None:
        begin(exchange.txn)
    outcome = await inspect_request(exchange, inspection)
    return None if outcome is ALLOW else outcome


async def _run(exchange: Exchange, rules: Ruleset) -> Outcome | None:
    """Run a ruleset some of whose rules may wait."""
    txn = exchange.txn
    txn.body_waiter = waiter(exchange) if txn.response is None else answer_waiter(exchange)
    return await rules.run_async(txn)


def _heed_overrides(exchange: Exchange) -> None:
    """What rules have asked for beyond the usual: timeouts of its own."""
    overrides = exchange.txn.overrides
    assert overrides is not None
    if overrides.timeouts is not None and "server" in overrides.timeouts:
        exchange.server_timeout = overrides.timeouts["server"] / 1000


async def _examine(exchange: Exchange, response: Response) -> Outcome | None:
    """What happens to an answer before it is passed on: captures, a look for challenges, rules."""
    txn = exchange.txn
    frontend = exchange.frontend
    route = exchange.route
    server = exchange.server
    assert server is not None
    if route.answer_inspection is not None:
        from hapy.proxy.inspection import inspect_answer

        await inspect_answer(exchange, route.answer_inspection)
        server.server.counters.answered(response.status)
    if frontend.keep_response is not None:
        frontend.keep_response(txn)
    if exchange.bound or (response.status in (401, 407) and sees_challenge(response)):
        exchange.stream.bound = True
        server.server.pool.claim(server)
    txn.answer_pieces = server.pieces
    for rules in route.response_rules:
        outcome = rules.run(txn) if not rules.is_async else await _run(exchange, rules)
        if outcome is not None and outcome is not ALLOW:
            return outcome
    for rules in route.after_rules:
        rules.run(txn)
    return None


async def _attend(exchange: Exchange) -> None:
    """The answer is on its way: be there until its end, the request's end, and until the client has taken it.

    Raises:
        Failed: the answer is incomplete, or the client did not take it.
    """
    server = exchange.server
    assert server is not None
    unnoticed = -1
    while not exchange.complete:
        if server.failure:
            raise Failed(0, letter(server.failure), "D")
        if exchange.client_failure == "reset" and _is_out_of_sight(exchange) and unnoticed in (-1, server.size):
            unnoticed = server.size
        else:
            _look_at_client(exchange)
        await pause()
    if exchange.client_failure == "reset":
        raise Failed(0, "C", "D")
    if not exchange.request_sent:
        await _outlast(exchange)
    exchange.route.settle(exchange)
    server.server.backend.offer(server.server)
    while not exchange.stream.writable and not exchange.stream.closed:
        if exchange.client_failure == "timeout":
            raise Failed(0, "c", "D")
        await pause()


def _is_out_of_sight(exchange: Exchange) -> bool:
    """Whether a client that has reset its connection is found out only by what is next sent to it.

    HAProxy listens to a client again when the answer is there, with `abortonclose` all the time.
    """
    return exchange.request_ended and exchange.stream.writable and not exchange.route.abort_on_reset


def _look_at_client(exchange: Exchange) -> None:
    """The answer is on its way: whether the client still takes it."""
    gone = exchange.client_failure
    if gone == "timeout":
        if not exchange.stream.writable:
            raise Failed(0, "c", "D")
        exchange.client_failure = ""  # a request that stalls while its answer flows: the server's timeout decides
    elif gone == "bad":
        raise Failed(0, "P", "D")
    elif gone == "reset":
        raise Failed(0, "C", "D")
    elif gone and exchange.client_matters():
        server, response = exchange.server, exchange.txn.response
        if server is None or response is None or response.body != UNTIL_CLOSE or not exchange.request_ended:
            raise Failed(0, "C", "D")
        if not server.closed:
            server.shut_down()  # such an answer is a tunnel: its server is told
    elif gone and not exchange.stream.writable and "abortonclose" in exchange.route.model.options:
        raise Failed(0, "C", "D")


async def _outlast(exchange: Exchange) -> None:
    """The answer is complete, the request is not: take the rest of it, for the server as long as that listens.

    A server that closes with its answer has said that it wants no more; what still comes is then dropped. When it
    breaks off later, that shows with the next piece of the request, which is then cut off unless that was its last.

    Raises:
        Failed: the rest does not come, or the server has gone.
    """
    server = exchange.server
    txn = exchange.txn
    assert server is not None
    at_once = now() + AT_ONCE
    broken = wants_none = False
    received = txn.bytes_in
    while not exchange.request_sent:
        server.failure = ""
        if exchange.client_failure:
            raise Failed(0, _LEFT.get(exchange.client_failure, "C"), "D")
        wants_none = wants_none or (server.eof and not server.closed and now() < at_once)
        await pause()
        if txn.bytes_in != received and broken and not wants_none:
            if not exchange.request_ended:
                raise Failed(0, "S", "D")
            txn.term_cause, txn.term_phase = "S", "D"
        broken = server.is_broken()
