"""A tarpit that holds nobody for long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each tarpit without a time of its own."""
    for proxy in view.proxies:
        if proxy.timeouts.tarpit is not None:
            continue
        for rule in proxy.rules.get("http-request", ()):
            if rule.action == "tarpit":
                yield Finding(
                    rule.span,
                    "'timeout connect' says how long the client is held, which is for another purpose",
                    "add 'timeout tarpit', such as 30s",
                )


RULE = Rule(
    "tarpit-timeout",
    Severity.NOTICE,
    """A tarpit keeps a client waiting before it is denied. Without `timeout tarpit` it waits for `timeout connect`,
    which is made for servers nearby, and mostly too short to slow anybody down.""",
    "listen l\n bind :80\n http-request tarpit if { path_beg /x }\n",
    "listen l\n bind :80\n timeout tarpit 30s\n http-request tarpit if { path_beg /x }\n",
    check,
)
