"""Variables: `proc.`, `sess.`, `txn.`, `req.` and `res.` names, read and written by rules and converters.

`proc.` ones live in the process, `sess.` ones with the client connection, `check.` ones with one run of a health
check, the others with the transaction. `req.` ones
are gone once an answer is being worked on. `txn.hapy.reuse` is hapy's own: why the request did or did not reuse a
server connection; to HAProxy it is a variable that nobody sets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.registry import Getter
from hapy.samples.types import Result, Value

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

#: Sets a variable; None unsets it.
Writer = Callable[["Transaction", "Result"], None]

_NAME: Final = re.compile(r"(proc|sess|txn|req|res|check)\.([A-Za-z0-9_.]+)")

REUSE: Final = "txn.hapy.reuse"


def _scope(name: str) -> str:
    match = _NAME.fullmatch(name)
    if match is None:
        raise CompileError(
            f"invalid variable name {name!r}: it must begin with 'proc.', 'sess.', 'txn.', 'req.', 'res.' or 'check.'",
        )
    return match[1]


def is_name(text: str) -> bool:
    """Whether the text names a variable."""
    return _NAME.fullmatch(text) is not None


def _reuse(txn: Transaction) -> Result:
    reason = txn.reuse_reason
    return str(reason).encode() if reason else None


def reader(name: str, env: CompileEnv) -> Getter:
    """The callable that gives the variable's value, None while it is not set.

    Raises:
        CompileError: for a name without a scope or with other characters than letters, digits, `.` and `_`.
    """
    if name == REUSE:
        return _reuse
    scope = _scope(name)
    if scope == "proc":
        process = env.process.variables
        return lambda txn: process.get(name)
    if scope == "sess":

        def session(txn: Transaction) -> Result:
            variables = txn.client.variables
            return None if variables is None else variables.get(name)

        return session
    if scope == "req":

        def request(txn: Transaction) -> Result:
            variables = txn.variables
            return None if variables is None or txn.response is not None else variables.get(name)

        return request

    def transaction(txn: Transaction) -> Result:
        variables = txn.variables
        return None if variables is None else variables.get(name)

    return transaction


def writer(name: str, env: CompileEnv) -> Writer:
    """The callable that sets the variable, or unsets it for None.

    Raises:
        CompileError: as for `reader`.
    """
    scope = _scope(name)
    if scope == "proc":
        process = env.process.variables

        def write_process(txn: Transaction, value: Result) -> None:
            _put(process, name, value)

        return write_process
    if scope == "sess":

        def write_session(txn: Transaction, value: Result) -> None:
            variables = txn.client.variables
            if variables is None:
                variables = txn.client.variables = {}
            _put(variables, name, value)

        return write_session

    def write(txn: Transaction, value: Result) -> None:
        variables = txn.variables
        if variables is None:
            variables = txn.variables = {}
        _put(variables, name, value)

    return write


def _put(variables: dict[str, Value], name: str, value: Result) -> None:
    if value is None:
        variables.pop(name, None)
    else:
        variables[name] = value
