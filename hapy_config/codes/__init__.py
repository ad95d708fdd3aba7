"""The catalogue of codes: what each finding means, with examples; `hapy check --explain CODE` shows it.

A code is stable: it keeps its name and its meaning, and new findings get new ones. The words of a code go from the
general to the special, so that a prefix names a group (`unknown`, `missing`, `bad`, `duplicate`, `ignored`).

One module a group, each with a `CODES` tuple; the codes of linter rules stand with the rules, in `hapy_config.lint`.
"""

from __future__ import annotations

import functools

from hapy_config import alike
from hapy_config.codes.spec import Code, Kind, code


@functools.cache
def catalogue() -> dict[str, Code]:
    """All codes by name, in alphabetical order."""
    from hapy_config.codes import language, machine, names, running, statements, values, warnings
    from hapy_config.lint import rules

    modules = (language, machine, names, running, statements, values, warnings)
    found = [entry for module in modules for entry in module.CODES]
    found += [code(Kind.ADVICE, rule.code, rule.about, rule.bad, rule.good, alone=rule.alone) for rule in rules()]
    return {entry.name: entry for entry in sorted(found, key=lambda entry: entry.name)}


def matching(prefix: str) -> list[str]:
    """The codes that a word of `--select`, `--ignore` or an ignore comment covers: one, or all that begin with it."""
    return [name for name in catalogue() if name == prefix or name.startswith(f"{prefix.rstrip('-')}-")]


def nearest(name: str) -> str:
    """The code most like a misspelt one, or an empty string."""
    return alike.nearest(name, catalogue())
