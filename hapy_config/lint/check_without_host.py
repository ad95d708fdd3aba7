"""A check that HTTP/1.1 servers refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.model.checks import CheckRequest

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each HTTP/1.1 check without a Host header."""
    for proxy in view.backends:
        checks = proxy.checks
        if checks.kind != "httpchk" or not any(server.check for server in proxy.servers):
            continue
        requests = [step for step in checks.steps if isinstance(step, CheckRequest)]
        if any(name.lower() == "host" for step in requests for name, _ in step.headers):
            continue
        words = [*checks.arguments, *(step.version or "" for step in requests)]
        if any(word.startswith("HTTP/1.1") for word in words) and not any("host:" in word.lower() for word in words):
            place = view.statement(proxy, "option", "httpchk") or view.statement(proxy, "http-check", "send")
            yield Finding(
                proxy.span if place is None else place.span(),
                "the check is sent as HTTP/1.1 without a Host header, which servers answer with 400",
                "add 'http-check send hdr Host NAME'",
            )


RULE = Rule(
    "check-without-host",
    Severity.WARNING,
    """HTTP/1.1 requests must have a Host header; servers answer 400 without, and the check counts as failed.
    `http-check send hdr Host NAME` adds it. Without a version the check is sent as HTTP/1.0, which needs none.""",
    "listen l\n bind :80\n option httpchk GET / HTTP/1.1\n server s 10.0.0.1:80 check\n",
    "listen l\n bind :80\n option httpchk GET / HTTP/1.1\n http-check send hdr Host web.example\n"
    " server s 10.0.0.1:80 check\n",
    check,
)
