"""A hash that moves nearly all keys when one server fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_KEYED: Final = frozenset({"uri", "url_param"})
_MANY: Final = 3


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend that hashes URLs over servers that come and go, map-based."""
    for proxy in view.backends:
        if proxy.balance.algorithm not in _KEYED or proxy.balance.hash_type != "map-based":
            continue
        if len(proxy.servers) >= _MANY and any(server.check for server in proxy.servers):
            yield Finding(
                view.place(proxy, "balance"),
                f"when one server of '{proxy.name}' goes, nearly all URLs change their server",
                "add 'hash-type consistent'",
            )


RULE = Rule(
    "hash-moves-all",
    Severity.NOTICE,
    """`balance uri` gives each URL its server, mostly so that caches don't all hold the same. With the default
    `hash-type map-based` nearly all URLs move when a server goes down or comes back, and the caches start anew. With
    `hash-type consistent` only that server's move.""",
    "listen l\n bind :80\n balance uri\n server s1 10.0.0.1:80 check\n server s2 10.0.0.2:80 check\n"
    " server s3 10.0.0.3:80 check\n",
    "listen l\n bind :80\n balance uri\n hash-type consistent\n server s1 10.0.0.1:80 check\n"
    " server s2 10.0.0.2:80 check\n server s3 10.0.0.3:80 check\n",
    check,
)
