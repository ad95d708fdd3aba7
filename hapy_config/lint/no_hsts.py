"""A redirect to TLS that has to be followed every time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.model.rules import Redirect

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.syntax import Section, Statement


_PERMANENT: Final = frozenset({301, 308})


def check(view: View) -> Iterator[Finding]:
    """A finding for each TLS site that moves everybody to https for good and tells no browser to remember."""
    candidates = [(proxy, one, one.span, one.condition) for proxy in view.frontends for one in proxy.redirects]
    for proxy in view.frontends:
        for rule in proxy.rules.get("http-request", ()):
            redirect = rule.arguments.get("redirect")
            if isinstance(redirect, Redirect):
                candidates.append((proxy, redirect, rule.span, rule.condition))
    candidates = [found for found in candidates if found[1].kind == "scheme" and found[1].code in _PERMANENT]
    if not candidates:
        return
    if any("strict-transport-security" in word.lower() for _, line in _headers(view) for word in line.words):
        return
    for proxy, one, span, condition in candidates:
        if one.target.constant != "https":
            continue
        simple = condition is not None and len(condition.alternatives) == 1 and len(condition.alternatives[0]) == 1
        tls = any(bind.tls is not None for bind in proxy.binds)
        if not tls or not simple or proxy.mode != "http":
            continue
        yield Finding(
            span,
            "browsers ask in plain text each time before they are redirected: none is told to remember",
            "add 'http-response set-header Strict-Transport-Security max-age=31536000 if { ssl_fc }'",
        )


def _headers(view: View) -> Iterator[tuple[Section, Statement]]:
    for word in ("http-response", "http-after-response", "rspadd"):
        yield from view.lines(word)


RULE = Rule(
    "no-hsts",
    Severity.NOTICE,
    """All requests in plain text are moved to https for good. Each first request of a visit still goes out in plain
    text, where it can be caught and kept from TLS. The header Strict-Transport-Security has browsers use TLS at
    once.""",
    "frontend f\n bind :80\n bind :443 ssl crt /x.pem\n"
    " http-request redirect scheme https code 301 unless { ssl_fc }\n",
    "frontend f\n bind :80\n bind :443 ssl crt /x.pem\n http-request redirect scheme https code 301 unless { ssl_fc }\n"
    " http-response set-header Strict-Transport-Security max-age=31536000\n",
    check,
)
