"""Converters with an effect: variables set, capture slots filled, values shown (configuration manual, 7.3.1)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.samples import variables
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Converter, TxnConverter, converter
from hapy.samples.types import Binary, Result, Value, to_string

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

#: Whether to set: (value on input, value so far).
_Test = Callable[[Value, Result], bool]


def _both_ints(value: Value, current: Result) -> bool:
    return all(isinstance(one, int) and not isinstance(one, bool) for one in (value, current))


CONDITIONS: Final[dict[str, _Test]] = {
    "ifexists": lambda value, current: current is not None,
    "ifnotexists": lambda value, current: current is None,
    "ifempty": lambda value, current: isinstance(value, bytes) and not value,
    "ifnotempty": lambda value, current: not isinstance(value, bytes) or bool(value),
    "ifset": lambda value, current: current is not None,
    "ifnotset": lambda value, current: current is None,
    "ifgt": lambda value, current: not _both_ints(value, current) or current > value,  # type: ignore[operator]
    "iflt": lambda value, current: not _both_ints(value, current) or current < value,  # type: ignore[operator]
}


#: Sets a variable if it may, and says whether it did.
ConditionalWriter = Callable[["Transaction", Result], bool]


def conditional_writer(name: str, conditions: tuple[str, ...], env: CompileEnv) -> ConditionalWriter:
    """A writer that sets only when all conditions of `set-var(name,cond…)` hold."""
    write = variables.writer(name, env)
    tests = tuple(CONDITIONS[condition] for condition in conditions)
    if not tests:

        def write_always(txn: Transaction, value: Result) -> bool:
            write(txn, value)
            return True

        return write_always
    read = variables.reader(name, env)

    def write_if(txn: Transaction, value: Result) -> bool:
        current = read(txn)
        if value is None or not all(test(value, current) for test in tests):
            return False
        write(txn, value)
        return True

    return write_if


@converter("set-var", takes="any", gives="any", transaction=True)
def _set_var(args: Args, env: CompileEnv) -> TxnConverter:
    conditions = args.words[1:]
    for condition in conditions:
        if condition not in CONDITIONS:
            raise args.error(f"unknown condition {condition!r}")
    write = conditional_writer(args.string(0), conditions, env)

    def set_var(value: Value, txn: Transaction) -> Result:
        return value if write(txn, value) else None

    return set_var


@converter("unset-var", takes="any", gives="any", transaction=True)
def _unset_var(args: Args, env: CompileEnv) -> TxnConverter:
    write = variables.writer(args.string(0), env)

    def unset_var(value: Value, txn: Transaction) -> Result:
        write(txn, None)
        return value

    return unset_var


def slots(txn: Transaction, *, response: bool) -> list[bytes | None]:
    """The frontend's capture slots of one direction, made on first use."""
    found = txn.response_captures if response else txn.request_captures
    if found is None:
        direction = "response" if response else "request"
        found = [None] * sum(1 for capture in txn.frontend.model.captures if capture.direction == direction)
        if response:
            txn.response_captures = found
        else:
            txn.request_captures = found
    return found


@converter("capture-req", "capture-res", takes="str", gives="str", transaction=True)
def _capture(args: Args, env: CompileEnv) -> TxnConverter:
    slot, response = args.integer(0), args.name == "capture-res"
    direction = "response" if response else "request"

    def capture(value: Value, txn: Transaction) -> Result:
        assert isinstance(value, bytes)
        declared = [one for one in txn.frontend.model.captures if one.direction == direction]
        if not 0 <= slot < len(declared):
            return None
        slots(txn, response=response)[slot] = value[: declared[slot].length]
        return value

    return capture


@converter("debug", takes="any", gives="any")
def _debug(args: Args, env: CompileEnv) -> Converter:
    prefix, sink = args.string(0, ""), args.string(1, "")
    stream = {"stdout": sys.stdout, "stderr": sys.stderr}.get(sink)
    if stream is None:
        return lambda value: value

    def show(value: Value) -> Result:
        kind = "bin" if isinstance(value, Binary) else "str" if isinstance(value, bytes) else type(value).__name__
        text = to_string(value).decode("utf-8", "backslashreplace")
        print(f"[debug] {prefix or 'debug'}: type={kind} <{text}>", file=stream, flush=True)
        return value

    return show
