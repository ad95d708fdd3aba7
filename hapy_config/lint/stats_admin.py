"""A statistics page with buttons for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.networks import is_local
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each `stats admin` that neither a password nor its own condition guards."""
    for section, statement in view.lines("stats", "admin"):
        condition = statement.words[2:]
        if condition not in (["if", "TRUE"], ["unless", "FALSE"]):
            continue
        proxy = view.config.backend(section.name) or view.config.frontend(section.name)
        if proxy is None or any(line.words[1] in ("auth", "http-request") for line in view.page_of(proxy)):
            continue
        if any(rule.action in ("auth", "deny", "reject") for rules in proxy.rules.values() for rule in rules):
            continue
        binds = [bind for front in view.front_of(proxy) for bind in front.binds]
        if binds and all(is_local(bind.address) for bind in binds):
            continue
        yield Finding(
            statement.span(),
            "anybody who reaches the statistics page may stop servers",
            "add 'stats auth', or let only some in: 'stats admin if LOCALHOST'",
        )


RULE = Rule(
    "stats-admin",
    Severity.WARNING,
    """`stats admin if TRUE` puts buttons on the statistics page that take servers out of service, and no password is
    asked for. Give it a condition that few fulfil, or ask for a password.""",
    "listen stats\n bind 10.0.0.1:8404\n stats enable\n stats admin if TRUE\n",
    "listen stats\n bind 10.0.0.1:8404\n stats enable\n stats auth admin:$3cr3t\n stats admin if TRUE\n",
    check,
)
