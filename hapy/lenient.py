"""`--lenient`: the configuration without what hapy does not run.

Rules: a rule whose action or argument is not run is left out. In a condition such a sample is never true. In a log
format it is `-`. What is left out has been warned of before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from hapy_config.keywords import table
from hapy_config.keywords.spec import Keyword, Runs
from hapy_config.model.config import Config
from hapy_config.model.expressions import (
    AclExpression,
    FormatAlias,
    FormatExpression,
    FormatItem,
    FormatText,
    LogFormat,
    SampleExpression,
    Term,
)
from hapy_config.model.rules import Rule


def without_what_is_not_run(config: Config) -> Config:
    """The configuration as far as hapy runs it."""
    mended: Config = _mend(config)
    return mended


def _runs(entry: Keyword | None) -> bool:
    return entry is not None and entry.runs is not Runs.NO


def _sample_runs(sample: SampleExpression) -> bool:
    return _runs(table("fetches").get(sample.fetch.name)) and all(
        _runs(table("converters").get(converter.name)) for converter in sample.converters
    )


def _rule_runs(rule: Rule) -> bool:
    samples = (value for value in rule.arguments.values() if isinstance(value, SampleExpression))
    return _runs(table("actions").get(rule.action)) and all(map(_sample_runs, samples))


def _item(item: FormatItem) -> FormatItem:
    if isinstance(item, FormatExpression):
        return item if _sample_runs(item.expression) else FormatText("-")
    if isinstance(item, FormatAlias):
        return item if _runs(table("log-aliases").get(item.name)) else FormatText("-")
    return item


def _mend(value: Any) -> Any:
    """A copy of any part of the model; the part itself where nothing changes."""
    if isinstance(value, tuple):
        parts = tuple(_mend(part) for part in value if not isinstance(part, Rule) or _rule_runs(part))
        same = len(parts) == len(value) and all(new is old for new, old in zip(parts, value, strict=True))
        return value if same else parts
    if isinstance(value, Mapping):
        entries = {key: _mend(entry) for key, entry in value.items()}
        return value if all(entries[key] is value[key] for key in value) else entries
    if isinstance(value, LogFormat):
        items = tuple(_item(item) for item in value.items)
        return value if items == value.items else dataclasses.replace(value, items=items)
    if isinstance(value, Term):
        expressions = tuple(expression for expression in value.expressions if _acl_runs(expression))
        return value if expressions == value.expressions else dataclasses.replace(value, expressions=expressions)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value) if each.init}
        changed = {name: new for name, old in fields.items() if (new := _mend(old)) is not old}
        return dataclasses.replace(value, **changed) if changed else value
    return value


def _acl_runs(expression: AclExpression) -> bool:
    return _sample_runs(expression.criterion)
