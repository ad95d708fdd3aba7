"""A use-server that comes too late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.logic import Taken, alternatives, is_restless
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.source import Span


def check(view: View) -> Iterator[Finding]:
    """A finding for each use-server with nothing left to send."""
    for proxy in view.backends:
        down = Taken(view.varying)
        end: Span | None = None
        for rule in proxy.use_servers:
            wanted = None if is_restless(rule.condition) else alternatives(rule.condition)
            if wanted is None or not isinstance(rule.target, str):
                continue
            if end is not None or down.has(rule.condition, wanted):
                yield Finding(
                    rule.span,
                    f"'{rule.target}' is chosen only while an earlier rule's server is down",
                    "the first rule that fits counts: move the narrower condition up",
                )
            if frozenset() in wanted:
                end = rule.span
            else:
                down.add(rule.condition, wanted)


RULE = Rule(
    "shadowed-use-server",
    Severity.NOTICE,
    """The first `use-server` whose condition holds and whose server is up counts. This one's condition holds only
    where an earlier one's does, so it matters only while that server is down.""",
    "listen a\n bind :80\n use-server s1 if { path_beg /a }\n use-server s2 if { path_beg /a } { method POST }\n"
    " server s1 10.0.0.1:80\n server s2 10.0.0.2:80\n",
    "listen a\n bind :80\n use-server s2 if { path_beg /a } { method POST }\n use-server s1 if { path_beg /a }\n"
    " server s1 10.0.0.1:80\n server s2 10.0.0.2:80\n",
    check,
)
