"""Rules for TLS where none is spoken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each rule that asks for TLS in a frontend that only speaks plain text."""
    for proxy in view.frontends:
        if not proxy.binds or any(bind.tls is not None or bind.accept_proxy for bind in proxy.binds):
            continue
        for condition, span in view.conditions(proxy):
            if condition.unless or not condition.alternatives:
                continue
            asked = [
                next(
                    (
                        term
                        for term in terms
                        if not term.negated
                        and all(
                            test.criterion.text == "ssl_fc" and test.match == "bool" and not test.patterns
                            for test in term.expressions
                        )
                    ),
                    None,
                )
                for terms in condition.alternatives
            ]
            if all(term is not None for term in asked):
                yield Finding(
                    span,
                    f"the condition asks for TLS, and no bind line of '{proxy.name}' speaks it",
                    "take the line out, or look at a header of the proxy in front",
                )


RULE = Rule(
    "never-tls",
    Severity.NOTICE,
    """`ssl_fc` is true for connections that this proxy took TLS off. No bind line of the frontend has `ssl`, so the
    rule never applies. Where another proxy in front speaks TLS a header has to tell of it.""",
    "frontend f\n bind :80\n http-request set-header X-Forwarded-Proto https if { ssl_fc }\n",
    "frontend f\n bind :443 ssl crt /x.pem\n http-request set-header X-Forwarded-Proto https if { ssl_fc }\n",
    check,
)
