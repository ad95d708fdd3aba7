"""Names in TLS greetings that are asked for too early."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each TCP frontend that chooses by SNI and does not wait for it."""
    for proxy in view.frontends:
        if proxy.mode != "tcp":
            continue
        waits = proxy.inspect_delay > 0 and bool(proxy.rules.get("tcp-request content"))
        if waits:
            continue
        for use in view.uses(proxy):
            if use.ruleset == "use_backend" and use.fetch.startswith("req.ssl_"):
                yield Finding(
                    use.span,
                    f"'{use.expression.text}' is looked at before the client has said anything",
                    "add 'tcp-request inspect-delay 5s' and 'tcp-request content accept if { req.ssl_hello_type 1 }'",
                )
                break


RULE = Rule(
    "sni-not-awaited",
    Severity.WARNING,
    """The backend is chosen by the name in the client's TLS greeting, and nothing waits for the greeting: whether it
    is there yet is chance. `tcp-request inspect-delay`, with a content rule that accepts once it is there, waits.""",
    "frontend f\n mode tcp\n bind :443\n use_backend b if { req.ssl_sni -i x.example }\nbackend b\n mode tcp\n",
    "frontend f\n mode tcp\n bind :443\n tcp-request inspect-delay 5s\n"
    " tcp-request content accept if { req.ssl_hello_type 1 }\n"
    " use_backend b if { req.ssl_sni -i x.example }\nbackend b\n mode tcp\n",
    check,
)
