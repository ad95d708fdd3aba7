"""Actions that decide what becomes of a request, and how it is treated (configuration manual, 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.acl.conditions import reads_http
from hapy.rules.outcomes import ALLOW, CLOSE, REJECT, SILENT_DROP, SWITCH, SWITCH_H2, WAIT, Outcome
from hapy.rules.registry import (
    AFTER,
    CONTENT,
    HTTP,
    REQUEST,
    RESPONSE,
    TCP,
    TCP_RESPONSE,
    Action,
    Arguments,
    AsyncAction,
    action,
)
from hapy.samples.converters.variables import slots
from hapy.samples.types import to_int, to_string
from hapy_config.model.expressions import SampleExpression

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction


def _decision(name: str, outcome: Outcome, *rulesets: str) -> None:
    """Register an action that is nothing but an outcome."""

    def build(args: Arguments) -> Action:
        return lambda txn: outcome

    action(name, *rulesets)(build)


_decision("allow", ALLOW, *HTTP)
_decision("accept", ALLOW, *TCP)
_decision("reject", REJECT, REQUEST, *TCP)
_decision("close", CLOSE, TCP_RESPONSE)
_decision("silent-drop", SILENT_DROP, REQUEST, RESPONSE, *TCP)


@action("set-log-level", REQUEST, RESPONSE, CONTENT, TCP_RESPONSE)
def _set_log_level(args: Arguments) -> Action:
    level = args.text("level")

    def set_log_level(txn: Transaction) -> None:
        txn.log_level = level

    return set_log_level


@action("set-timeout", REQUEST)
def _set_timeout(args: Arguments) -> Action:
    which, value = args.text("which"), args.rule.arguments["timeout"]
    read = args.expression("timeout") if isinstance(value, SampleExpression) else None

    def set_timeout(txn: Transaction) -> None:
        milliseconds = value
        if read is not None:
            found = read(txn)
            milliseconds = None if found is None else to_int(found)
        if isinstance(milliseconds, int) and milliseconds > 0:
            overrides = txn.override()
            if overrides.timeouts is None:
                overrides.timeouts = {}
            overrides.timeouts[which] = milliseconds

    return set_timeout


@action("disable-l7-retry", REQUEST)
def _disable_l7_retry(args: Arguments) -> Action:
    def disable(txn: Transaction) -> None:
        txn.override().no_l7_retry = True

    return disable


_CLASS_LIMIT: Final = 2047
_OFFSET_LIMIT: Final = 524287


@action("set-priority-class", REQUEST, CONTENT)
def _set_priority_class(args: Arguments) -> Action:
    read = args.expression()

    def set_class(txn: Transaction) -> None:
        found = read(txn)
        number = None if found is None else to_int(found)
        if number is not None:
            txn.override().priority_class = max(-_CLASS_LIMIT, min(_CLASS_LIMIT, number))

    return set_class


@action("set-priority-offset", REQUEST, CONTENT)
def _set_priority_offset(args: Arguments) -> Action:
    read = args.expression()

    def set_offset(txn: Transaction) -> None:
        found = read(txn)
        number = None if found is None else to_int(found)
        if number is not None:
            txn.override().priority_offset = max(-_OFFSET_LIMIT, min(_OFFSET_LIMIT, number))

    return set_offset


@action("set-nice", REQUEST, RESPONSE, CONTENT, TCP_RESPONSE)
def _set_nice(args: Arguments) -> Action:
    """A hint for HAProxy's own scheduler; requests here take turns in the event loop, none before another."""
    return lambda txn: None


@action("wait-for-handshake", REQUEST)
def _wait_for_handshake(args: Arguments) -> Action:
    """No request is read before the handshake is complete: early data is not accepted."""
    return lambda txn: None


@action("wait-for-body", REQUEST, RESPONSE, waits=True)
def _wait_for_body(args: Arguments) -> AsyncAction:
    milliseconds = args.number("time")
    at_least = args.rule.arguments.get("at_least", 0)
    assert isinstance(at_least, int)

    async def wait_for_body(txn: Transaction) -> Outcome | None:
        if txn.body_waiter is not None:
            await txn.body_waiter(milliseconds, at_least)
        return None

    return wait_for_body


@action("switch-mode", CONTENT)
def _switch_mode(args: Arguments) -> Action:
    outcome = SWITCH_H2 if args.rule.arguments.get("protocol") == "h2" else SWITCH
    return lambda txn: outcome


@action("capture", REQUEST, RESPONSE, AFTER, CONTENT)
def _capture(args: Arguments) -> Action:
    read, slot, response = args.expression(), args.number("slot"), args.env.response
    direction = "response" if response else "request"
    expression = args.rule.arguments["expression"]
    of_head = isinstance(expression, SampleExpression) and reads_http(expression.fetch.name)

    def capture(txn: Transaction) -> Outcome | None:
        content = txn.inspection
        if of_head and content is not None and content.head_pending and (content.ended or not content.final):
            return WAIT
        found = read(txn)
        if found is None:
            return WAIT if content is not None and content.undecided else None
        declared = [one for one in txn.frontend.model.captures if one.direction == direction]
        if 0 <= slot < len(declared):  # HAProxy takes ids below 0, and finds nothing there
            slots(txn, response=response)[slot] = to_string(found)[: declared[slot].length]
        return None

    return capture
