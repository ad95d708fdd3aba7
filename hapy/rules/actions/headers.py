"""Actions on header fields (configuration manual, 4.2: http-request add-header and its kin)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from hapy.http.errors import reason
from hapy.http.message import Request, Response
from hapy.rules.outcomes import INTERNAL_ERROR, Outcome
from hapy.rules.registry import AFTER, HTTP, REQUEST, RESPONSE, Action, Arguments, action
from hapy.samples import regexes, targets
from hapy.samples.headers import raw_values
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.http.message import Header
    from hapy.proxy.transaction import Transaction

Message = Request | Response


def _message(args: Arguments) -> Callable[[Transaction], Message | None]:
    """The message that a ruleset works on."""
    if args.env.response:
        return lambda txn: txn.response
    return lambda txn: txn.request


def _room(args: Arguments) -> int:
    """The longest value that still fits into a buffer beside the rest of a message."""
    process = args.env.process
    return process.bufsize - process.maxrewrite


def follow_host(request: Message, value: bytes) -> None:
    """A new Host value in a target that names an authority."""
    if isinstance(request, Request) and request.target[:1] not in (b"/", b"*"):
        start = request.target.find(b"://")
        rest = targets.path_and_query(request.target) or b""
        if start > 0:
            request.target = request.target[: start + 3] + value + rest


def failure(args: Arguments) -> Outcome | None:
    """What a rewrite that can't be done comes to."""
    return INTERNAL_ERROR if args.strict else None


@action("set-header", *HTTP)
def _set_header(args: Arguments) -> Action:
    name, value, message_of = args.field_name(), args.format("value"), _message(args)
    room, failed, is_host = _room(args), failure(args), name == b"host"

    def set_header(txn: Transaction) -> Outcome | None:
        message = message_of(txn)
        if message is None:
            return None
        text = value(txn)
        if len(text) > room:
            return failed
        headers = message.headers
        for field in headers:
            if field[0] == name:
                message.headers = headers = [field for field in headers if field[0] != name]
                break
        headers.append((name, text))
        if is_host:
            follow_host(message, text)
        return None

    return set_header


@action("add-header", *HTTP)
def _add_header(args: Arguments) -> Action:
    name, value, message_of = args.field_name(), args.format("value"), _message(args)
    room, failed = _room(args), failure(args)

    def add_header(txn: Transaction) -> Outcome | None:
        message = message_of(txn)
        if message is None:
            return None
        text = value(txn)
        if len(text) > room:
            return failed
        message.headers.append((name, text))
        return None

    return add_header


def _name_test(args: Arguments) -> Callable[[bytes], bool]:
    """Whether a field's name is meant: by the whole name, a part of it or a regular expression."""
    match, name = args.rule.arguments.get("match", "str"), args.field_name()
    if match == "beg":
        return lambda key: key.startswith(name)
    if match == "end":
        return lambda key: key.endswith(name)
    if match == "sub":
        return lambda key: name in key
    if match == "reg":
        search = regexes.compile_regex(args.text("name")).search
        return lambda key: search(key) is not None
    return lambda key: key == name


@action("del-header", *HTTP)
def _del_header(args: Arguments) -> Action:
    meant, message_of = _name_test(args), _message(args)

    def del_header(txn: Transaction) -> None:
        message = message_of(txn)
        if message is not None:
            message.headers = [field for field in message.headers if not meant(field[0])]

    return del_header


def _replacement(args: Arguments, name: str) -> Callable[[Transaction], regexes.Replacement]:
    """The substitution of a rule: fixed, or rendered for each transaction before its references are looked at."""
    fmt = args.rule.arguments[name]
    constant = getattr(fmt, "constant", None)
    if constant is not None:
        fixed = regexes.compile_replacement(to_bytes(constant))
        return lambda txn: fixed
    render = args.format(name)
    return lambda txn: regexes.compile_replacement(render(txn))


@action("replace-header", *HTTP)
def _replace_header(args: Arguments) -> Action:
    name, replacement, message_of = args.field_name(), _replacement(args, "value"), _message(args)
    search = regexes.compile_regex(args.text("regex")).search

    def replace_header(txn: Transaction) -> None:
        message = message_of(txn)
        if message is None:
            return
        headers = message.headers
        for index, (key, value) in enumerate(headers):
            if key == name:
                match = search(value)
                if match is not None:
                    headers[index] = (key, replacement(txn)(match))
                    if name == b"host":
                        follow_host(message, headers[index][1])

    return replace_header


@action("replace-value", *HTTP)
def _replace_value(args: Arguments) -> Action:
    name, replacement, message_of = args.field_name(), _replacement(args, "value"), _message(args)
    search = regexes.compile_regex(args.text("regex")).search

    def replace_value(txn: Transaction) -> None:
        message = message_of(txn)
        if message is None:
            return
        headers = message.headers
        for index, field in enumerate(headers):
            if field[0] == name:
                headers[index] = _values_replaced(field, search, lambda: replacement(txn))

    return replace_value


def _values_replaced(
    field: Header,
    search: Callable[[bytes], re.Match[bytes] | None],
    replacement: Callable[[], regexes.Replacement],
) -> Header:
    """Each comma-separated value that matches replaced, together with the blanks before it."""
    parts = []
    changed = False
    for raw in raw_values(field[1]):
        match = search(raw.strip(b" \t"))
        changed = changed or match is not None
        parts.append(raw if match is None else replacement()(match))
    return (field[0], b",".join(parts)) if changed else field


@action("early-hint", REQUEST)
def _early_hint(args: Arguments) -> Action:
    name, value = args.field_name(), args.format("value")
    # Rules behind each other make one answer; one with a condition begins another.
    begins = args.rule.condition is not None or args.before is None or args.before.action != "early-hint"

    def early_hint(txn: Transaction) -> None:
        overrides = txn.override()
        if overrides.early_hints is None:
            overrides.early_hints = [[]]
        elif begins:
            overrides.early_hints.append([])
        overrides.early_hints[-1].append((name, value(txn)))

    return early_hint


@action("set-status", RESPONSE, AFTER)
def _set_status(args: Arguments) -> Action:
    status = args.number()
    text = args.rule.arguments.get("reason")
    phrase = to_bytes(text) if isinstance(text, str) else reason(status)

    def set_status(txn: Transaction) -> None:
        response = txn.response
        if response is not None:
            response.status = txn.status = status
            response.reason = phrase

    return set_status
