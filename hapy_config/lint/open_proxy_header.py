"""A PROXY header from anybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.networks import is_everywhere
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each public address that takes the PROXY header and filters nobody, where addresses matter."""
    for proxy in view.frontends:
        binds = [bind for bind in proxy.binds if bind.accept_proxy and is_everywhere(bind.address)]
        first = proxy.rules.get("tcp-request connection", ())
        if not binds or any(rule.action in ("reject", "silent-drop") for rule in first):
            continue
        gates = {"allow", "deny", "reject", "tarpit", "auth"}
        decides = any(
            use.fetch == "src" and use.acl is not None
            for ruleset, rules in proxy.rules.items()
            if any(rule.action in gates for rule in rules)
            for use in view.uses(proxy)
            if use.ruleset == ruleset
        )
        if decides:
            yield Finding(
                binds[0].span,
                "anybody may send a PROXY header here and choose the address that the rules look at",
                "add 'tcp-request connection reject unless { src 10.0.0.0/8 }' with the networks in front",
            )


RULE = Rule(
    "open-proxy-header",
    Severity.WARNING,
    """The PROXY header is believed whoever sends it, this address can be reached by all, and rules decide by `src`:
    who connects directly gets in with the address he likes. Connection rules see the sender's own address and can
    reject others than your load balancers.""",
    "frontend f\n bind :80 accept-proxy\n http-request deny unless { src 192.0.2.0/24 }\n",
    "frontend f\n bind :80 accept-proxy\n tcp-request connection reject unless { src 10.0.0.0/8 }\n"
    " http-request deny unless { src 192.0.2.0/24 }\n",
    check,
)
