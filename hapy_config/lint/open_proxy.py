"""A way to any server for anybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.networks import is_public
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_GUARDS: Final = frozenset({"auth", "deny", "reject", "tarpit", "silent-drop", "return"})


def check(view: View) -> Iterator[Finding]:
    """A finding for each rule that lets a public client choose the server's address, and for `option http_proxy`."""
    for proxy in view.backends if any(view.lines("option", "http_proxy")) else ():
        if view.statement(proxy, "option", "http_proxy") is not None and not view.actions_before(proxy) & _GUARDS:
            yield Finding(
                view.place(proxy, "option", "http_proxy"),
                "clients choose the address of the server in their requests, and no rule says who may, or which",
                "deny private addresses and unknown clients in rules",
            )
    for proxy in view.proxies:
        for ruleset, rules in proxy.rules.items():
            if not ruleset.endswith(("http-request", "content")):
                continue
            for rule in rules:
                if rule.action != "set-dst" or rule.condition is not None:
                    continue
                front = view.front_of(proxy)
                if not view.actions_before(proxy) & _GUARDS and any(is_public(one) for one in front):
                    yield Finding(
                        rule.span,
                        "clients choose the address of the server, and no rule says who may, or which",
                        "deny private addresses and unknown clients, in rules before this one",
                    )


RULE = Rule(
    "open-proxy",
    Severity.WARNING,
    """The address that a connection goes to is taken from the request, and nobody is denied: strangers can reach
    machines of your own network through this proxy, or hide behind it. Rules have to say which clients may use it and
    which addresses are out of bounds.""",
    "resolvers r\n nameserver n 10.0.0.53:53\nfrontend f\n bind :80\n"
    " http-request do-resolve(txn.ip,r,ipv4) hdr(host),host_only\n http-request set-dst var(txn.ip)\n"
    " default_backend b\nbackend b\n server any 0.0.0.0:0\n",
    "resolvers r\n nameserver n 10.0.0.53:53\nfrontend f\n bind :80\n http-request deny unless { src 10.0.0.0/8 }\n"
    " http-request do-resolve(txn.ip,r,ipv4) hdr(host),host_only\n http-request set-dst var(txn.ip)\n"
    " default_backend b\nbackend b\n server any 0.0.0.0:0\n",
    check,
)
