"""A slow start that this way of balancing does not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_STATIC: Final = frozenset({"static-rr", "first"})
_HASHED: Final = frozenset({"source", "uri", "url_param", "hdr", "rdp-cookie", "hash"})


def check(view: View) -> Iterator[Finding]:
    """A finding for each server with `slowstart` whose weight can't change while it runs."""
    for proxy in view.backends:
        balance = proxy.balance
        if balance.algorithm not in _STATIC and not (balance.algorithm in _HASHED and balance.hash_type == "map-based"):
            continue
        for server in proxy.servers:
            if server.slowstart:
                how = balance.algorithm if balance.algorithm in _STATIC else f"{balance.algorithm}, map-based"
                yield Finding(
                    server.span,
                    f"'slowstart' has no effect: weights are fixed with 'balance {how}'",
                    "balance with roundrobin or leastconn, or hash with 'hash-type consistent'",
                )


RULE = Rule(
    "idle-slowstart",
    Severity.NOTICE,
    """`slowstart` raises a server's weight little by little after it comes back. With this way of balancing weights
    don't change while the proxy runs, so the server gets its whole share at once.""",
    "listen l\n bind :80\n balance static-rr\n server s 10.0.0.1:80 check slowstart 30s\n",
    "listen l\n bind :80\n balance roundrobin\n server s 10.0.0.1:80 check slowstart 30s\n",
    check,
)
