"""A sample expression compiled: the fetch, then each converter with the cast it needs, as one chain of callables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, TypeVar
from typing import cast as typed

from hapy.samples.casts import cast, to_text
from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.registry import (
    CONVERTERS,
    FETCHES,
    Args,
    Converter,
    ConverterEntry,
    Fetch,
    Getter,
    Lister,
    TxnConverter,
)
from hapy.samples.types import Result, Value

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.expressions import Call, SampleExpression

#: The modules that register something, the usual ones first: they are imported until a name is found.
_FETCH_MODULES: Final = (
    "heads",
    "targets",
    "addresses",
    "constants",
    "proxies",
    "tls",
    "tls_hello",
    "internals",
    "bodies",
    "logins",
    "payload",
    "rdp",
    "hello",
)
_CONVERTER_MODULES: Final = (
    "text",
    "maps",
    "integers",
    "binary",
    "variables",
    "escapes",
    "dates",
    "lookups",
    "digests",
    "json",
    "tokens",
)

_Entry = TypeVar("_Entry")


def _look_up(name: str, entries: Mapping[str, _Entry], package: str, modules: Iterable[str]) -> _Entry | None:
    """An entry by name; modules that may register it are imported one after another."""
    found = entries.get(name)
    for module in modules:
        if found is not None:
            break
        import_module(f"hapy.samples.{package}.{module}")
        found = entries.get(name)
    return found


def registered() -> Mapping[str, frozenset[str]]:
    """The names that run, by family: `fetches` and `converters`."""
    for package, modules in (("fetches", _FETCH_MODULES), ("converters", _CONVERTER_MODULES)):
        for module in modules:
            import_module(f"hapy.samples.{package}.{module}")
    return {"fetches": frozenset(FETCHES), "converters": frozenset(CONVERTERS)}


def _fetch(call: Call, env: CompileEnv) -> tuple[Fetch, str]:
    entry = _look_up(call.name, FETCHES, "fetches", _FETCH_MODULES)
    if entry is None:
        raise CompileError(f"sample fetch {call.name!r} is not run by hapy")
    built = entry.build(Args(call.name, call.args), env)
    return (built if isinstance(built, Fetch) else Fetch(built)), entry.type


def _entry(call: Call) -> ConverterEntry:
    entry = _look_up(call.name, CONVERTERS, "converters", _CONVERTER_MODULES)
    if entry is None:
        raise CompileError(f"converter {call.name!r} is not run by hapy")
    return entry


#: One step of the chain: value and transaction in, value out.
_Step = Callable[[Value, "Transaction"], Result]


def _steps(calls: Iterable[Call], source: str, env: CompileEnv) -> tuple[list[tuple[Callable[..., Result], bool]], str]:
    """The converters' callables with whether they want the transaction, casts included, and the final type."""
    steps: list[tuple[Callable[..., Result], bool]] = []
    current = source
    for call in calls:
        entry = _entry(call)
        between = cast(current, entry.input)
        if between is not None:
            steps.append((between, False))
        steps.append((entry.build(Args(call.name, call.args), env), entry.needs_transaction))
        current = current if entry.output == "any" and entry.name in _KEEPS_TYPE else entry.output
    return steps, current


_KEEPS_TYPE = frozenset({"set-var", "unset-var", "debug"})


def _then(getter: Getter, step: Callable[..., Result], wants_transaction: bool) -> Getter:
    """A getter followed by one step; no value stays no value."""
    if wants_transaction:
        with_transaction = typed(TxnConverter, step)

        def get_with(txn: Transaction) -> Result:
            value = getter(txn)
            return None if value is None else with_transaction(value, txn)

        return get_with
    plain = typed(Converter, step)

    def get(txn: Transaction) -> Result:
        value = getter(txn)
        return None if value is None else plain(value)

    return get


def compile_expression(expression: SampleExpression, env: CompileEnv) -> Getter:
    """The callable that gives the expression's value for a transaction, None where there is none.

    Raises:
        CompileError: for a fetch or converter that does not run, or an argument that it can't take.
    """
    fetch, source = _fetch(expression.fetch, env)
    getter = fetch.one
    steps, _ = _steps(expression.converters, source, env)
    for step, wants_transaction in steps:
        getter = _then(getter, step, wants_transaction)
    return getter


#: Gives an expression's text.
TextGetter = Callable[["Transaction"], "bytes | None"]


def compile_text(expression: SampleExpression, env: CompileEnv) -> TextGetter:
    """The callable that gives the expression's value as text, None where there is none.

    Raises:
        CompileError: as `compile_expression`.
    """
    fetch, source = _fetch(expression.fetch, env)
    if fetch.text is not None and not expression.converters:
        return fetch.text
    getter = compile_expression(expression, env)
    if _steps(expression.converters, source, env)[1] in ("str", "meth"):
        return typed(TextGetter, getter)

    def text(txn: Transaction) -> bytes | None:
        value = getter(txn)
        return None if value is None else typed("bytes | None", to_text(value))

    return text


def compile_values(expression: SampleExpression, env: CompileEnv) -> tuple[Getter, Lister | None, str]:
    """For ACLs: the one-value callable, the all-values callable (None where there is only one), and the output type."""
    fetch, source = _fetch(expression.fetch, env)
    steps, final = _steps(expression.converters, source, env)
    getter = fetch.one
    for step, wants_transaction in steps:
        getter = _then(getter, step, wants_transaction)
    if fetch.many is None:
        return getter, None, final
    if not steps:
        return getter, fetch.many, final
    return getter, _many(fetch.many, steps), final


def _many(lister: Lister, steps: list[tuple[Callable[..., Result], bool]]) -> Lister:
    """All values, each through the whole chain, up to the first that comes to nothing."""

    def values(txn: Transaction) -> Iterator[Value]:
        for value in lister(txn):
            current = value
            for step, wants_transaction in steps:
                result = step(current, txn) if wants_transaction else step(current)
                if result is None:
                    return
                current = result
            yield current

    return values


def output_type(expression: SampleExpression, env: CompileEnv) -> str:
    """The expression's static type: bool, sint, str, bin, ipv4, ipv6, addr, meth or any."""
    fetch, source = _fetch(expression.fetch, env)
    return _steps(expression.converters, source, env)[1] if fetch else source
