"""Arithmetic and bit operations on signed 64-bit integers; results saturate (configuration manual, 7.3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.samples import variables
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Converter, TxnConverter, converter
from hapy.samples.types import INT_MAX, INT_MIN, Result, Value, clamp, to_int

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

_NUMBER: Final = re.compile(r"[+-]?[0-9]+")


def _add(left: int, right: int) -> int:
    return clamp(left + right)


def _sub(left: int, right: int) -> int:
    return clamp(left - right)


def _mul(left: int, right: int) -> int:
    return clamp(left * right)


def _div(left: int, right: int) -> int:
    """C's division, towards zero; by zero the largest integer."""
    if right == 0:
        return INT_MAX
    quotient = abs(left) // abs(right)
    return clamp(quotient if (left < 0) == (right < 0) else -quotient)


def _mod(left: int, right: int) -> int:
    """C's remainder, with the sign of the left side; by zero 0."""
    if right == 0:
        return 0
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


_OPERATIONS: Final[dict[str, Callable[[int, int], int]]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "mod": _mod,
    "and": int.__and__,
    "or": int.__or__,
    "xor": int.__xor__,
}


def _operand(args: Args, env: CompileEnv) -> int | Callable[[Transaction], Result]:
    """The number, or the variable, that the argument names."""
    text = args.string(0, "") or "0"
    if _NUMBER.fullmatch(text):
        return clamp(int(text))
    if not variables.is_name(text):
        raise args.error("expects an integer or a variable name")
    return variables.reader(text, env)


def _operation(args: Args, env: CompileEnv) -> TxnConverter:
    operate = _OPERATIONS[args.name]
    operand = _operand(args, env)
    if isinstance(operand, int):
        constant = operand
        return lambda value, txn: operate(int(value), constant)
    read = operand

    def with_variable(value: Value, txn: Transaction) -> Result:
        found = read(txn)
        other = None if found is None else to_int(found)
        return None if other is None else operate(int(value), other)

    return with_variable


converter("add", "sub", "mul", "div", "mod", "and", "or", "xor", takes="sint", gives="sint", transaction=True)(
    _operation
)


def _simple(name: str, gives: str, operate: Callable[[int], int]) -> None:
    """Register a converter of one integer without arguments."""

    def build(args: Args, env: CompileEnv) -> Converter:
        return lambda value: operate(int(value))

    converter(name, takes="sint", gives=gives)(build)


_simple("cpl", "sint", lambda value: ~value)
_simple("neg", "sint", lambda value: INT_MAX if value == INT_MIN else -value)
_simple("not", "bool", lambda value: value == 0)
_simple("bool", "bool", lambda value: value != 0)
_simple("even", "bool", lambda value: value % 2 == 0)
_simple("odd", "bool", lambda value: value % 2 == 1)


@converter("iif", takes="bool", gives="str")
def _iif(args: Args, env: CompileEnv) -> Converter:
    yes, no = args.data(0), args.data(1)
    return lambda value: yes if value else no
