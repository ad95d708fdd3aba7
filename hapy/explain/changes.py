"""What a rule has changed: a transaction before it and after, compared."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hapy.explain.values import text, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hapy.http.message import Header
    from hapy.proxy.transaction import Overrides, Transaction

#: What single values of a transaction are called.
_PLAIN = {
    "source": "the client counts as {}",
    "source_port": "the client's port counts as {}",
    "destination": "the destination counts as {}",
    "destination_port": "the destination port counts as {}",
    "log_level": "log level {}",
}


class Snapshot:
    """A transaction as it stood."""

    def __init__(self, txn: Transaction) -> None:
        self._txn = txn
        head = txn.request
        self._line = (head.method, head.target) if head is not None else (b"", b"")
        self._fields = _fields(txn)
        self._variables = _variables(txn)
        self._plain = {name: getattr(txn, name) for name in _PLAIN}
        self._overrides = _overrides(txn.overrides)

    def changes(self) -> list[str]:
        """What is otherwise now, in words."""
        return list(self._changes())

    def _changes(self) -> Iterator[str]:
        txn = self._txn
        head = txn.request
        if head is not None:
            method, target = self._line
            if head.method != method:
                yield f"the method becomes {text(head.method)}"
            if head.target != target:
                yield f"{text(target)} becomes {text(head.target)}"
        before, after = Counter(self._fields), Counter(_fields(txn))
        yield from (f"- {text(field)}: {text(content)}" for field, content in before - after)
        yield from (f"+ {text(field)}: {text(content)}" for field, content in after - before)
        variables = _variables(txn)
        for variable, content in variables.items():
            if variable not in self._variables or self._variables[variable] != content:
                yield f"{variable} = {value(content)}"
        for variable in self._variables.keys() - variables.keys():
            yield f"{variable} is unset"
        for name, sentence in _PLAIN.items():
            now = getattr(txn, name)
            if now != self._plain[name]:
                yield sentence.format(text(now) if isinstance(now, bytes) else now)
        overrides = _overrides(txn.overrides)
        for what, wanted in overrides.items():
            if self._overrides.get(what) != wanted:
                yield f"{what}: {wanted}"


def _fields(txn: Transaction) -> list[Header]:
    head = txn.response if txn.response is not None else txn.request
    return list(head.headers) if head is not None else []


def _variables(txn: Transaction) -> dict[str, Any]:
    return {**(txn.client.variables or {}), **(txn.variables or {})}


def _overrides(overrides: Overrides | None) -> dict[str, object]:
    if overrides is None:
        return {}
    found: dict[str, object] = {
        f"timeout {name}": f"{milliseconds} ms" for name, milliseconds in (overrides.timeouts or {}).items()
    }
    if overrides.priority_class:
        found["priority class"] = overrides.priority_class
    if overrides.priority_offset:
        found["priority offset"] = overrides.priority_offset
    if overrides.early_hints:
        hints = (hint for answer in overrides.early_hints for hint in answer)
        found["early hints"] = ", ".join(f"{text(name)}: {text(content)}" for name, content in hints)
    if overrides.no_l7_retry:
        found["retries after an answer failed"] = "none"
    return found
