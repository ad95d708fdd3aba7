"""A backend that nothing sends requests to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend that no rule names; none where a name is computed from the request."""
    for proxy in view.frontends:
        if any(not isinstance(rule.target, str) for rule in proxy.use_backends):
            return
    senders = view.senders
    backends = [proxy for proxy in view.proxies if proxy.kind == "backend" and proxy.servers]
    unused = [proxy for proxy in backends if proxy.name not in senders]
    if any(statement.words[1:2] == ["spoe"] for _, statement in view.lines("filter")):
        unused = [proxy for proxy in unused if proxy.mode == "http"]  # the others may stand in the filter's own file
    # A backend may also serve as a name in expressions (`nbsrv(name)`), as a stick table or for `track name/server`.
    named = view.mentions(proxy.name for proxy in unused)
    for proxy in unused:
        if named[proxy.name] == 1:
            yield Finding(proxy.span, f"nothing sends requests to the backend '{proxy.name}'", "remove it, or use it")


RULE = Rule(
    "unused-backend",
    Severity.NOTICE,
    """No frontend sends requests to the backend, and nothing else names it. Its servers are checked all the same.""",
    "backend b\n server s 10.0.0.1:80\n",
    "frontend a\n bind :80\n default_backend b\nbackend b\n server s 10.0.0.1:80\n",
    check,
)
