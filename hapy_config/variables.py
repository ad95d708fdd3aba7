"""Variables that are not set where a configuration is checked: `bind ":${PORT}"` in a pipeline without PORT.

HAProxy puts nothing in their place and then mostly refuses the line. That says nothing of the text, so a reading that
assumes another machine (`read_config(assume_machine=True)`) is made twice: as it is, which gives what HAProxy would
say, and with a stand-in for each such variable, which gives the model and all that does not hang on them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Diagnostic, Diagnostics, Severity
from hapy_config.source import Span

if TYPE_CHECKING:
    from hapy_config.api import Result

#: A port, a number, a time, a name: what most variables stand for.
STAND_IN: Final = "1"

#: In addresses HAProxy expands variables outside of quotes, too.
_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z_0-9]*)\}|([A-Za-z_][A-Za-z_0-9]*))")

Unset = dict[tuple[str, int], tuple[str, ...]]


def unset_variables(result: Result, env: Mapping[str, str]) -> Unset:
    """The variables without a value that the lines name, by file and line."""
    unset: Unset = {}
    for file, line, name in result.document.unset:
        unset[file, line] = (*unset.get((file, line), ()), name)
    lines = {source.name: source.lines for source in result.document.sources}
    for found in result.diagnostics:
        place = (found.span.file, found.span.line)
        if found.code == "bad-address" and place not in unset and found.span.file in lines:
            names = (one[1] or one[2] for one in _VARIABLE.finditer(lines[found.span.file][found.span.line - 1]))
            if missing := tuple(name for name in names if name not in env):
                unset[place] = missing
    return unset


def without_variables(first: Result, second: Result, unset: Unset) -> Result:
    """The second reading, the one with stand-ins, with what the first has to say of the lines concerned.

    Errors there become findings about the machine; each variable is noted once.
    """
    findings = [found for found in second.diagnostics if (found.span.file, found.span.line) not in unset]
    for found in first.diagnostics:
        names = unset.get((found.span.file, found.span.line))
        if names is not None:
            findings.append(_of_the_machine(found, names[0]))
    noted: set[str] = set()
    lines = {source.name: source.lines for source in second.document.sources}
    for (file, line), names in unset.items():
        for name in names:
            if name not in noted:
                noted.add(name)
                findings.append(_note(name, file, line, lines[file][line - 1]))
    model = second.config
    if model is None and not any(found.refuses and not found.environment for found in findings):
        model = first.config
    return replace(second, config=model, diagnostics=Diagnostics(findings))


def _of_the_machine(found: Diagnostic, name: str) -> Diagnostic:
    if found.severity is not Severity.ERROR:
        return found
    return replace(found, environment=True, hint=f"the variable {name} is not set", fix=None)


def _note(name: str, file: str, line: int, text: str) -> Diagnostic:
    column = text.find(name) + 1
    return Diagnostic(
        "unset-variable",
        Severity.NOTICE,
        Span(file, line, column, column + len(name)),
        f"the environment variable '{name}' is not set: nothing stands in its place",
        f'to give it a default, write "${{{name}-value}}"',
        environment=True,
    )
