"""A client may take its time over a request, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.networks import is_public
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_LONG: Final = 60_000


def check(view: View) -> Iterator[Finding]:
    """A finding for each public HTTP frontend that waits more than a minute from byte to byte of a request."""
    for proxy in view.frontends:
        timeouts = proxy.timeouts
        if proxy.mode != "http" or timeouts.http_request is not None or not is_public(proxy):
            continue
        if timeouts.client is None or timeouts.client > _LONG:
            yield Finding(
                view.place(proxy, "timeout", "client"),
                "a client may send a request byte by byte: only 'timeout client' bounds its silence, nothing the whole",
                "add 'timeout http-request 10s'",
            )


RULE = Rule(
    "missing-request-timeout",
    Severity.NOTICE,
    """Without `timeout http-request` a client may send its request's headers as slowly as `timeout client` lets it be
    silent, byte by byte: a few machines then hold all connections of a public service. `timeout http-request` bounds
    the time for the whole.""",
    "listen l\n bind :80\n timeout client 5m\n",
    "listen l\n bind :80\n timeout client 5m\n timeout http-request 10s\n",
    check,
)
