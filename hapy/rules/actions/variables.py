"""Actions on variables (configuration manual, 4.2: http-request set-var and its kin)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.rules.registry import HTTP, TCP, Action, Arguments, action
from hapy.samples import variables
from hapy.samples.converters.variables import CONDITIONS, ConditionalWriter, conditional_writer
from hapy.samples.environment import CompileError

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction


def _writer(args: Arguments) -> ConditionalWriter:
    """The writer of a rule's variable, with the conditions in its parentheses."""
    options = args.rule.arguments.get("options") or ()
    assert isinstance(options, tuple)
    for option in options:
        if option not in CONDITIONS:
            raise CompileError(f"{args.rule.action}: unknown condition {option!r}")
    return conditional_writer(args.text("variable"), options, args.env)


@action("set-var*", *HTTP, *TCP)
def _set_var(args: Arguments) -> Action:
    write, read = _writer(args), args.expression()

    def set_var(txn: Transaction) -> None:
        value = read(txn)
        if value is not None:
            write(txn, value)

    return set_var


@action("set-var-fmt*", *HTTP, *TCP)
def _set_var_fmt(args: Arguments) -> Action:
    write, render = _writer(args), args.raw_format()

    def set_var_fmt(txn: Transaction) -> None:
        write(txn, render(txn))

    return set_var_fmt


@action("unset-var*", *HTTP, *TCP)
def _unset_var(args: Arguments) -> Action:
    write = variables.writer(args.text("variable"), args.env)

    def unset_var(txn: Transaction) -> None:
        write(txn, None)

    return unset_var
