"""Access rules that believe what clients say of their address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_HEADERS: Final = frozenset({"x-forwarded-for", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"})
_GATES: Final = frozenset({"allow", "auth", "deny", "reject", "tarpit", "return"})


def check(view: View) -> Iterator[Finding]:
    """A finding for each rule that sets the source, or lets somebody in, by a header that anybody may write."""
    for proxy in view.frontends:
        if any(use.fetch == "src" for use in view.uses(proxy)) or any(bind.accept_proxy for bind in proxy.binds):
            continue  # the author looks where requests come from
        rules = {rule.span: rule for rule in proxy.rules.get("http-request", ())}
        for use in view.uses(proxy):
            if use.ruleset != "http-request" or use.header not in _HEADERS:
                continue
            rule = rules[use.span]
            if rule.action == "set-src" and rule.condition is None:
                what = "every client may choose its address"
            elif use.acl is not None and use.acl.match == "ip" and rule.action in _GATES:
                what = "every client may pass for another address"
            else:
                continue
            yield Finding(
                use.span,
                f"{what}: '{use.expression.fetch.args[0]}' is believed whoever sends it",
                "add 'if { src 10.0.0.0/8 }' with the networks of the proxies in front",
            )


RULE = Rule(
    "spoofed-source",
    Severity.WARNING,
    """A header with the client's address decides who gets in, or becomes the source address, and no rule looks whether
    a trusted proxy wrote it. Who connects directly writes whatever helps.""",
    "frontend f\n bind :80\n http-request deny unless { req.hdr_ip(x-forwarded-for) 192.0.2.0/24 }\n",
    "frontend f\n bind :80\n http-request set-src hdr_ip(x-forwarded-for) if { src 10.0.0.0/8 }\n"
    " http-request deny unless { src 192.0.2.0/24 }\n",
    check,
)
