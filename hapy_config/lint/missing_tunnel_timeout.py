"""WebSockets that end after a minute of silence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.proxy import Proxy


_LONG: Final = 300_000


def check(view: View) -> Iterator[Finding]:
    """A finding for each frontend that knows WebSockets, where they end as soon as a request would."""
    for proxy in view.frontends:
        if proxy.mode != "http" or not _knows_websockets(view, proxy):
            continue
        names = {proxy.default_backend, *(rule.target for rule in proxy.use_backends)}
        targets = [view.config.backend(name) for name in names if isinstance(name, str)]
        behind = [one for one in (*targets, proxy if proxy.is_backend else None) if one is not None]
        if not behind or any(one.timeouts.tunnel is not None for one in (*behind, proxy)):
            continue
        waits = [one.timeouts.server for one in behind] + [proxy.timeouts.client]
        shortest = min((wait for wait in waits if wait is not None), default=_LONG)
        if shortest < _LONG:
            yield Finding(
                proxy.span,
                f"'{proxy.name}' passes WebSockets on, and {shortest // 1000} s of silence end them",
                "add 'timeout tunnel 1h' to the backend",
            )


def _knows_websockets(view: View, proxy: Proxy) -> bool:
    return any(
        "websocket" in pattern.lower()
        for use in view.uses(proxy)
        if use.header == "upgrade" and use.acl is not None
        for pattern in use.acl.patterns
    )


RULE = Rule(
    "missing-tunnel-timeout",
    Severity.NOTICE,
    """A WebSocket without traffic ends after `timeout client` or `timeout server`, whichever is less, as a request
    would. `timeout tunnel` takes the place of both once the connection is upgraded.""",
    "frontend f\n bind :80\n use_backend b if { hdr(upgrade) -i websocket }\nbackend b\n server s 10.0.0.1:80\n",
    "frontend f\n bind :80\n use_backend b if { hdr(upgrade) -i websocket }\n"
    "backend b\n timeout tunnel 1h\n server s 10.0.0.1:80\n",
    check,
)
