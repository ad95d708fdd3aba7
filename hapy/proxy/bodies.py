"""Waiting for a body before it goes anywhere: `option http-buffer-request`, and `wait-for-body` both ways.

What a client has to hear before it sends its body goes out first: early hints, and `100 Continue` if it expects that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.http.message import Response
from hapy.net.clock import NEVER, now
from hapy.net.routine import pause
from hapy.proxy.exchange import DeadlinePassed, Exchange
from hapy.proxy.failures import Failed
from hapy.proxy.sizes import head_size
from hapy.rules.outcomes import SILENT_DROP

if TYPE_CHECKING:
    from hapy.proxy.transaction import BodyWaiter
    from hapy.rules.outcomes import Outcome


def waiter(exchange: Exchange) -> BodyWaiter:
    """What rules await to have the request's body at hand."""

    async def wait(milliseconds: int, at_least: int) -> None:
        send_hints(exchange)
        meet_expectation(exchange)
        try:
            await buffer_body(exchange, milliseconds / 1000, at_least)
        except Failed as failure:
            if failure.status or failure.cause != "C":
                raise
            # The client has left: the rules go on with what there is, the end comes after them.

    return wait


async def look_at_body(exchange: Exchange) -> None:
    """Before any rule: let them see what has come of the body, or (with the option in the frontend) all of it.

    Raises:
        Failed: as `buffer_body`; but that a client has left is told once a backend is chosen.
    """
    frontend = exchange.frontend
    if frontend.buffers_bodies:
        meet_expectation(exchange)
    if frontend.buffers_bodies and not exchange.request_ended:
        try:
            await buffer_body(exchange, min(frontend.head_timeout, frontend.client_timeout))
        except Failed as failure:
            if failure.status:
                raise
    elif exchange.pieces:
        exchange.txn.body = b"".join(exchange.pieces)


def send_hints(exchange: Exchange, outcome: Outcome | None = None) -> None:
    """Send the 103 answers that rules have put together, whatever answers the request in the end."""
    txn = exchange.txn
    overrides = txn.overrides
    if overrides is None or overrides.early_hints is None:
        return
    if exchange.request.version >= 11 and outcome is not SILENT_DROP:
        for headers in overrides.early_hints:
            exchange.send_early_hints(headers)
            txn.bytes_out += head_size(Response(103, b"Early Hints", headers))
        txn.status = 0  # the log's word for an answer that was begun, should no other follow
    overrides.early_hints = None


def meet_expectation(exchange: Exchange) -> None:
    """A client that waits for `100 Continue` before it sends its body gets it from here; its server is not asked."""
    request = exchange.request
    if not request.expect_continue or not request.body or request.version < 11:
        return
    request.expect_continue = False
    for place, (name, value) in enumerate(request.headers):
        if name == b"expect":
            first, comma, rest = value.partition(b",")
            if first.strip().lower() == b"100-continue":
                request.headers[place : place + 1] = [(name, rest)] if comma else []
                answer = Response(100, b"Continue", [])
                exchange.send_informational(answer)
                exchange.txn.bytes_out += head_size(answer)
            return


async def buffer_body(exchange: Exchange, seconds: float, at_least: int = 0) -> None:
    """Wait until the body is complete, or as much of it as a buffer holds, or `at_least` bytes (0: no such limit).

    Raises:
        Failed: the time is up (408), or the client has left or broken off.
    """
    txn = exchange.txn
    enough = min(at_least or exchange.frontend.buffer_size, exchange.frontend.buffer_size)
    exchange.expire_after(seconds)
    try:
        while not exchange.request_ended and exchange.size < enough:
            failure = exchange.client_failure
            if failure == "timeout":
                raise DeadlinePassed
            if failure:
                txn.request_done = now()
                raise Failed(400, "P", "R") if failure == "bad" else Failed(0, "C", "R")
            await pause()
    except DeadlinePassed:
        txn.request_done = -1.0
        raise Failed(408, "c", "R") from None
    finally:
        exchange.deadline = NEVER
        txn.body = b"".join(exchange.pieces)
    if exchange.pieces:
        exchange.pieces = [txn.body]
    txn.request_done = now()


def answer_waiter(exchange: Exchange) -> BodyWaiter:
    """What response rules await to have the answer's body at hand."""

    async def wait(milliseconds: int, at_least: int) -> None:
        await _buffer_answer(exchange, milliseconds / 1000, at_least)

    return wait


async def _buffer_answer(exchange: Exchange, seconds: float, at_least: int) -> None:
    """Wait until the answer's body is complete, or as much of it as a buffer holds, or `at_least` bytes are there.

    Raises:
        Failed: the time is up (504), or what has come is no answer (502).
    """
    server = exchange.server
    assert server is not None
    enough = min(at_least or exchange.frontend.buffer_size, exchange.frontend.buffer_size)
    exchange.expire_after(seconds)
    try:
        while not server.ended and not server.failure and sum(map(len, server.pieces)) < enough:
            exchange.stream.deadline = NEVER
            await pause()
    except DeadlinePassed:
        exchange.txn.response_done = -1.0
        raise Failed(504, "s", "R") from None
    finally:
        exchange.deadline = NEVER
    if server.failure == "bad":
        exchange.txn.response_done = -1.0
        server.server.counters.eresp += 1
        server.server.backend.counters.eresp += 1
        raise Failed(502, "P", "H")
