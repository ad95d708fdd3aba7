"""What HAProxy accepts and its author would want to know: one rule, one file.

A module in this folder that has a `RULE` is a rule; nothing else lists it. Its examples are run by the tests, its text
is what `hapy check --explain` shows. Rules look at a `View` of the model and of the statements; none reads files or
changes anything. What HAProxy itself refuses or warns of belongs into `build`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy_config.api import Result
    from hapy_config.diagnostics import Diagnostic
    from hapy_config.lint.rule import Rule


@functools.cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order of their modules' names."""
    names = sorted(path.stem for path in Path(__path__[0]).iterdir() if path.suffix == ".py")
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names if name != "__init__"]
    return tuple(module.RULE for module in modules if hasattr(module, "RULE"))


def lint(result: Result) -> Iterator[Diagnostic]:
    """All findings of all rules; none for a configuration that was refused."""
    if result.config is None:
        return
    from hapy_config.lint.view import View

    view = View(result, result.config)
    for rule in rules():
        yield from rule.findings(view)
