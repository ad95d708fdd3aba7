"""A redirect to TLS for those who use it already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.logic import always
from hapy_config.lint.rule import Finding, Rule
from hapy_config.model.rules import Redirect

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each redirect to https without a condition where a bind line speaks TLS."""
    for proxy in view.frontends:
        if not any(bind.tls is not None for bind in proxy.binds):
            continue
        found = [(one, one.condition, one.span) for one in proxy.redirects]
        for rule in proxy.rules.get("http-request", ()):
            redirect = rule.arguments.get("redirect")
            if isinstance(redirect, Redirect):
                found.append((redirect, rule.condition, rule.span))
        for one, condition, span in found:
            to_https = one.kind == "scheme" and one.target.constant == "https"
            if to_https and always(condition):
                yield Finding(
                    span,
                    "clients that come with TLS are redirected, too, again and again",
                    "add 'unless { ssl_fc }'",
                )


RULE = Rule(
    "redirect-loop",
    Severity.WARNING,
    """The frontend has a TLS address and redirects every request to https: browsers come back with TLS, are redirected
    again, and give up.""",
    "frontend f\n bind :80\n bind :443 ssl crt /x.pem\n http-request redirect scheme https\n",
    "frontend f\n bind :80\n bind :443 ssl crt /x.pem\n http-request redirect scheme https unless { ssl_fc }\n",
    check,
)
