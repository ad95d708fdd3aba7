"""A statistics page that anybody may read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.networks import is_public
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_GUARDS: Final = frozenset({"auth", "deny", "reject", "tarpit", "silent-drop"})


def check(view: View) -> Iterator[Finding]:
    """A finding for each statistics page on a public address that no rule keeps strangers from."""
    pages = {id(section) for section, _ in view.lines("stats") if section.kind != "global"}
    if not pages:
        return
    for proxy in view.proxies:
        lines = view.page_of(proxy) if proxy.mode == "http" else []
        words = {statement.words[1] for statement in lines}
        if not words & {"enable", "uri", "refresh", "admin", "realm", "scope"} or words & {"auth", "http-request"}:
            continue
        front = view.front_of(proxy)
        if view.actions_before(proxy) & _GUARDS or not any(is_public(one) for one in front):
            continue
        place = next((line for line in lines if line.words[1] in ("uri", "enable")), lines[0])
        yield Finding(
            place.span(),
            f"anybody who reaches '{proxy.name}' may read the statistics page",
            "add 'stats auth', or 'http-request deny unless { src 10.0.0.0/8 }', or bind to 127.0.0.1",
        )


RULE = Rule(
    "stats-without-auth",
    Severity.WARNING,
    """The statistics page tells all names, addresses and loads of the servers behind, and here anybody may read it:
    the address is public, no password is asked and no rule denies anything. Ask for one, let only certain networks in,
    or listen on a private address.""",
    "listen stats\n bind :8404\n stats enable\n stats uri /\n",
    "listen stats\n bind 127.0.0.1:8404\n stats enable\n stats uri /\n",
    check,
)
