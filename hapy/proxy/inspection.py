"""Content inspection: `tcp-request content` and `tcp-response content`, in TCP sessions and around HTTP messages.

Rules:
- The rules look at what has come. One that can't decide yet makes all wait for more: until the buffer is full, the peer
  has ended, or `inspect-delay` has passed. Then what is there decides.
- In TCP sessions nothing is passed on before its direction's rules have let it. In HTTP the rules run once a message's
  head is there, and wait for its body at most.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hapy.http.codec import BadMessage, request_parser
from hapy.net.clock import NEVER, now
from hapy.net.connect import ConnectFailed
from hapy.net.routine import pause
from hapy.proxy.exchange import DeadlinePassed
from hapy.proxy.failures import Failed
from hapy.rules.content import NO_RULES, ContentRules, chosen_by_bytes, compile_content
from hapy.rules.outcomes import ALLOW, CLOSE, REJECT, SILENT_DROP, SWITCH, SWITCH_H2, WAIT, Outcome
from hapy.samples.content import Content

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.http.codec import Limits
    from hapy.http.message import Header, Request
    from hapy.proxy.exchange import Exchange
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.side import Side
    from hapy.proxy.tcp import TcpSession
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.proxy import Proxy

#: What an HTTP request begins with, as far as it goes.
_METHOD: Final = re.compile(rb"(?:\r?\n)*[!#$%&'*+.^_`|~0-9A-Za-z-]*(?:[ \t]|\r?\Z)")


#: How long the first look at a client's bytes waits for them, in seconds.
_FIRST_BYTES: Final = 0.001


class Inspection:
    """One section's content rules of one direction.

    Attributes:
        rules: the rules. delay: seconds that they may wait for contents, 0 for none.
        limit: bytes that they see at most.
    """

    __slots__ = ("delay", "limit", "limits", "rules")

    def __init__(self, rules: ContentRules, delay: float, limits: Limits) -> None:
        self.rules = rules
        self.delay = delay
        self.limits = replace(limits, looking=True)
        self.limit = limits.bufsize - limits.maxrewrite


def compile_inspection(model: Proxy, ruleset: str, runtime: Runtime, limits: Limits) -> Inspection | None:
    """A section's inspection, None where it has no such rules, and nothing else looks at a TCP session's first bytes.

    Args:
        model: the section.
        ruleset: `tcp-request content` or `tcp-response content`.
        runtime: its surroundings.
        limits: of the messages that it sees.

    Raises:
        CompileError: for something that can't be run.
    """
    rules = compile_content(model.rules.get(ruleset, ()), runtime.env(model))
    chosen = model.mode == "tcp" and ruleset == "tcp-request content" and chosen_by_bytes(model)
    if rules is None:
        return Inspection(NO_RULES, 0, limits) if chosen else None
    rules.looks_at_bytes |= chosen
    delay = model.inspect_delay if ruleset == "tcp-request content" else model.response_inspect_delay
    return Inspection(rules, delay / 1000, limits)


# HTTP


async def inspect_request(exchange: Exchange, inspection: Inspection) -> Outcome | None:
    """Apply a section's `tcp-request content` rules to a request whose head has come.

    Raises:
        Failed: a backend's reject it.
    """
    txn = exchange.txn
    content = txn.inspection = Content(raw=False, final=not inspection.delay or exchange.request_ended)

    def look() -> None:
        if exchange.pieces:
            txn.body = b"".join(exchange.pieces)
            exchange.pieces = [txn.body]

    def full() -> bool:
        return exchange.request_ended or bool(exchange.client_failure) or exchange.size >= inspection.limit

    try:
        outcome = await _ask(exchange, inspection, content, look, full)
    finally:
        if content.waited:
            txn.request_done = now()
    if outcome in (REJECT, SILENT_DROP) and txn.backend is exchange.frontend:
        # Neither the log nor the counters know of a request that was refused before it was looked at.
        txn.method = txn.uri = b""
        exchange.frontend.counters.req_tot -= 1
    elif outcome is REJECT:
        exchange.frontend.count_denied(txn.client)  # HAProxy does not count it as the backend's
        txn.request_done = -1.0
        raise Failed(0, "P", "R")
    return None if outcome in (SWITCH, SWITCH_H2, WAIT) else outcome


async def inspect_answer(exchange: Exchange, inspection: Inspection) -> None:
    """Apply a backend's `tcp-response content` rules to an answer whose head has come.

    They look before anything of it is there, as in HAProxy; what they can't decide then waits for it, if they may wait.

    Raises:
        Failed: they don't let it pass.
    """
    txn, server = exchange.txn, exchange.server
    assert server is not None
    content = txn.inspection = Content(raw=False, final=not inspection.delay)
    response, txn.response = txn.response, None
    try:
        outcome = await inspection.rules.walk(txn)
    finally:
        txn.response = response
    size = 0  # of what was let in
    if outcome in (None, WAIT) and inspection.delay:
        size = server.size
        outcome = await _inspect_contents(exchange, inspection, content)
        if outcome is CLOSE:  # what has come passes
            if not server.ended:
                server.failure = "closed"
                server.close()
            return
    content.final = True
    if outcome in (None, ALLOW, WAIT):
        return
    txn.response_done = -1.0
    server.size = size
    server.close()
    if outcome is CLOSE:
        raise Failed(502, "S", "H")
    backend = exchange.route.backend
    assert backend is not None
    if outcome is SILENT_DROP:
        exchange.frontend.count_denied(txn.client, backend)
        exchange.frontend.drop(exchange.stream)
        raise Failed(0, "P", "R")
    exchange.frontend.count_denied_answer(txn.client, backend, txn.server)
    if inspection.rules.looks_at_heads and txn.response is not None:
        txn.status = txn.response.status  # a condition has looked at the answer, and so its status is in the log
    raise Failed(0, "P", "D")


async def _inspect_contents(exchange: Exchange, inspection: Inspection, content: Content) -> Outcome | None:
    """What the rules say of what has come of an answer, and comes while they may wait."""
    server = exchange.server
    assert server is not None
    content.final = server.ended

    def look() -> None:
        content.answer = b"".join(server.pieces)

    def full() -> bool:
        return server.ended or bool(server.failure) or server.closed or len(content.answer) >= inspection.limit

    try:
        return await _ask(exchange, inspection, content, look, full)
    finally:
        content.answer = b""


async def _ask(
    exchange: Exchange,
    inspection: Inspection,
    content: Content,
    look: Callable[[], None],
    full: Callable[[], bool],
) -> Outcome | None:
    """Ask the rules until they decide, as more comes: `look` shows them what is there, `full` tells that it is all."""
    try:
        while True:
            look()
            try:
                outcome = await inspection.rules.walk(exchange.txn)
                if outcome is not WAIT or content.final:
                    return outcome
                if not content.waited:
                    content.waited = True
                    exchange.expire_after(inspection.delay)
                await pause()
            except DeadlinePassed:  # perhaps within a rule that waits for something else: it is asked once more
                content.final = True
            if full():
                content.final = True
    finally:
        content.final = True
        if content.waited:
            exchange.deadline = NEVER


# TCP


async def inspect_bytes(session: TcpSession, side: Side, inspection: Inspection) -> Outcome | None:
    """Apply content rules to the bytes that have come from one side of a TCP session, and will come meanwhile.

    Those on answers that may not wait look as soon as the connection stands, when nothing has come, as in HAProxy.
    """
    txn = session.txn
    content = txn.inspection
    if content is None:
        content = txn.inspection = Content(raw=True, final=False)
    passed = content.final = not inspection.delay
    session.inspecting = side
    side.resume()
    waited = False
    answered = side is not session.client
    try:
        if inspection.rules.looks_at_bytes and not answered and not side.held and not side.eof:
            await _glance(session)
        while True:
            data = b"" if answered and not inspection.delay else side.peek(inspection.limit)
            passed = passed or side.closed or side.late or len(data) >= inspection.limit
            content.final = passed or side.eof
            content.ended = side.eof and not passed
            if answered:
                content.answer = data
            else:
                show_bytes(txn, data, inspection.limits)
            try:
                outcome = await inspection.rules.walk(txn)
                if outcome is not WAIT or passed:
                    return None if outcome is WAIT else outcome
                if not waited:
                    waited = True
                    session.expire_after(inspection.delay)
                await pause()
            except ConnectFailed:  # the delay has passed, or the client is gone
                passed = True
    finally:
        session.inspecting = None
        session.deadline = NEVER
        content.final = True
        content.ended = False
        content.answer = b""


async def _glance(session: TcpSession) -> None:
    """Give what a client sends with its first packets the time to come: the rules look at that first."""
    session.expire_after(_FIRST_BYTES)
    with suppress(ConnectFailed):
        await pause()


class _Heads:
    """Takes the head of a request that passes through as bytes."""

    __slots__ = ("head",)

    def __init__(self) -> None:
        self.head: Request | None = None

    def on_head(self, head: Request, /) -> None:
        """It is complete."""
        self.head = head

    def on_data(self, data: bytes, /) -> None:
        """Its body is of no interest."""

    def on_end(self, trailers: list[Header], /) -> None:
        """Nor is its end."""


def show_bytes(txn: Transaction, data: bytes, limits: Limits) -> None:
    """Let the samples see what a client has sent: the bytes, and the HTTP request that they may be."""
    txn.body = data
    content = txn.inspection
    assert content is not None
    content.head_pending = not data
    txn.request = None
    if _METHOD.match(data) is None:
        return
    sink = _Heads()
    try:
        request_parser(limits, sink).feed(data)
    except BadMessage:
        return
    head = sink.head
    content.head_pending = head is None
    if head is not None:
        txn.request = head
        txn.method, txn.uri, txn.version = head.method, head.target, head.version
