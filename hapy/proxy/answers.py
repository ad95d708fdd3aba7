"""Answers that no server gave: what rules decide, error pages, and closing without a word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hapy.http.message import CHUNKED, UNTIL_CLOSE
from hapy.net.clock import NEVER, now
from hapy.net.routine import pause
from hapy.proxy.exchange import DeadlinePassed, Exchange
from hapy.proxy.failures import Failed, Killed
from hapy.proxy.reframing import Misframed, reframe_response
from hapy.proxy.sizes import CLOSE_SIZE, head_size, most_at_once
from hapy.rules.outcomes import ALLOW, INTERNAL_ERROR, REJECT, SILENT_DROP, Deferred, Reply, Tarpit

if TYPE_CHECKING:
    from hapy.http.message import Response
    from hapy.rules.outcomes import Outcome


async def conclude(exchange: Exchange, outcome: Outcome) -> bool:
    """Do what a ruleset has decided about a request; whether the client's connection must be cut.

    Raises:
        Failed: the decision is an error page, or no answer at all.
    """
    txn = exchange.txn
    backend = exchange.route.backend
    frontend = exchange.frontend
    if isinstance(outcome, Deferred):
        outcome = await outcome.decide(exchange)
    if isinstance(outcome, Tarpit):
        frontend.count_denied(txn.client, backend)
        try:
            await _hold(exchange)
        except Killed as killed:
            outcome = replace(outcome, reply=replace(outcome.reply, cause=killed.cause))
        txn.request_done = -1.0
        txn.queue_done = now()
        outcome = outcome.reply
    if isinstance(outcome, Reply):
        if outcome.kind == "deny":
            if outcome.phase == "R":  # not behind a tarpit, which has been counted
                frontend.count_denied(txn.client, backend)
            if frontend.keep_request_cookie is not None:
                frontend.keep_request_cookie(txn)
            if txn.tie is not None and txn.tie.cookies is not None:
                txn.server = txn.tie.cookies.choose(txn, txn.tie)
        elif not (exchange.entered and outcome.kind == "stats"):
            frontend.counters.intercepted += 1
        return reply(exchange, outcome)
    txn.request_done = -1.0
    if outcome is SILENT_DROP or outcome is REJECT:
        frontend.count_denied(txn.client, backend)
        if outcome is SILENT_DROP:
            frontend.drop(exchange.stream)
        raise Failed(0, "P", "R")
    assert outcome is INTERNAL_ERROR, outcome
    exchange.route.counters.eint += 1
    raise Failed(500, "P", "R")


def conclude_response(exchange: Exchange, outcome: Outcome) -> bool:
    """Do what a ruleset has decided about a server's answer; whether the client's connection must be cut.

    Raises:
        Failed: the decision is an error page, or no answer at all.
    """
    txn = exchange.txn
    backend = exchange.route.backend
    assert backend is not None
    txn.response_done = -1.0
    server = exchange.server
    if server is not None and txn.response is not None:
        limits = exchange.frontend.limits
        server.size = min(server.size, most_at_once(txn.response, limits.bufsize - limits.maxrewrite))
    if isinstance(outcome, Reply):
        if outcome.kind == "deny":
            exchange.frontend.count_denied_answer(txn.client, backend, txn.server)
        return reply(exchange, outcome)
    if outcome is INTERNAL_ERROR:
        backend.counters.eint += 1
        raise Failed(500, "P", "H")
    assert outcome is SILENT_DROP, outcome
    exchange.frontend.count_denied(txn.client, backend)
    exchange.frontend.drop(exchange.stream)
    if txn.response is not None:
        txn.status = txn.response.status
    raise Failed(0, "P", "R")


async def _hold(exchange: Exchange) -> None:
    """A tarpit: keep the client waiting, unless it leaves."""
    exchange.expire_after(exchange.route.tarpit_timeout)
    try:
        while not (exchange.client_failure and exchange.frontend.abort_on_close):
            await pause()
    except DeadlinePassed:
        return
    exchange.deadline = NEVER


def reply(exchange: Exchange, outcome: Reply) -> bool:
    """Send the answer of a rule; whether the client's connection must be cut."""
    txn = exchange.txn
    txn.term_cause = outcome.cause
    txn.term_phase = outcome.phase
    txn.status = outcome.status
    built = outcome.build(txn)
    if built is None:
        return True
    return _send(exchange, *built)


def send_away(exchange: Exchange, location: bytes) -> bool:
    """Answer for a server with `redir`; whether the client's connection must be cut.

    As in HAProxy that is the last answer on the connection.
    """
    from hapy.http.errors import server_redirect_page

    txn = exchange.txn
    txn.term_cause, txn.term_phase, txn.status = "L", "C", 302
    response, body = server_redirect_page(location).build(txn.method or b"GET")
    response.keep_alive = False
    return _send(exchange, response, body)


def answer_error(exchange: Exchange, failure: Failed) -> bool:
    """Send the error page of a failure; whether the client's connection must be cut.

    Once the answer's head has gone out nothing can be said any more, and cutting the connection tells the client.
    """
    txn = exchange.txn
    txn.term_cause = failure.cause
    txn.term_phase = failure.phase
    if failure.silent:
        txn.log_level = "silent"
        txn.status = 0  # which counts as no answer
    if failure.status == 0 or exchange.answering:
        return True
    txn.status = failure.status
    built = exchange.frontend.runtime.pages.build(txn, failure.status)
    if built is None:
        return True
    return _send(exchange, *built)


def _send(exchange: Exchange, response: Response, body: bytes) -> bool:
    """Send an answer of our own, past http-response rules but through http-after-response ones."""
    txn = exchange.txn
    txn.response = response
    stay = response.keep_alive and exchange.request_ended and exchange.client_failure != "bad"
    for rules in exchange.route.after_rules:
        outcome = rules.run(txn)
        if outcome is not None and outcome is not ALLOW:
            break
    if exchange.route.answers_close is not None and exchange.route.answers_close(response):
        stay = False
    gone = exchange.client_failure
    unfinished = gone == "eof" and not exchange.request_ended  # who breaks off a request gets no answer
    if (gone == "reset" and exchange.route.abort_on_reset) or (unfinished and txn.term_phase == "T"):
        return True
    txn.bytes_out += head_size(response) + len(body)
    if response.body == CHUNKED:
        txn.bytes_out += len(b"%X\r\n\r\n0\r\n\r\n" % len(body))
    else:
        if response.body != UNTIL_CLOSE:
            response.body = len(body)
        if not response.keep_alive:
            txn.bytes_out += CLOSE_SIZE
    if exchange.route.reframes:
        try:
            stay = not reframe_response(response, txn.method, len(body)) and stay
        except Misframed:
            return True
    if unfinished:
        return True
    exchange.answering = exchange.complete = True
    exchange.send(response, body, ended=True, trailers=[], stay=stay)
    return False
