"""A client's word for its own address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.networks import is_public
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each public frontend that keeps the address that a client gives itself."""
    for proxy in view.frontends:
        forwardfor = proxy.forwardfor
        if forwardfor is None or not forwardfor.if_none or proxy.mode != "http" or not is_public(proxy):
            continue
        names = {forwardfor.header.lower(), "x-forwarded-for"}
        if any(
            str(rule.arguments.get("name", "")).lower() in names and rule.action in ("del-header", "set-header")
            for rule in proxy.rules.get("http-request", ())
        ):
            continue
        if any(use.fetch == "src" for use in view.uses(proxy)):
            continue
        yield Finding(
            view.place(proxy, "option", "forwardfor"),
            f"clients may write '{forwardfor.header}' themselves: 'if-none' leaves what they say",
            "take 'if-none' out, or delete the header unless it comes from a proxy of yours",
        )


RULE = Rule(
    "spoofed-forwardfor",
    Severity.WARNING,
    """`option forwardfor if-none` keeps an X-Forwarded-For header that the client wrote, so anybody may choose the
    address that servers log and trust. It is right behind a proxy of your own; then delete the header where the
    request comes from elsewhere.""",
    "listen l\n bind :80\n option forwardfor if-none\n server s 10.0.0.1:80\n",
    "listen l\n bind :80\n http-request del-header X-Forwarded-For unless { src 10.0.0.0/8 }\n"
    " option forwardfor if-none\n server s 10.0.0.1:80\n",
    check,
)
