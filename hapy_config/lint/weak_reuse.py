"""Options that keep server connections from being shared, where the author may not know that they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.api import Result


def check(result: Result) -> Iterator[Finding]:
    """A finding for each HTTP backend whose connections serve one request only, though it asks for reuse."""
    assert result.config is not None
    for proxy in result.config.proxies:
        if proxy.is_backend and proxy.mode == "http" and proxy.http_mode != "keep-alive" and proxy.reuse == "always":
            yield Finding(
                proxy.span,
                f"'http-reuse always' has no effect in '{proxy.name}': its connections are closed after each request",
                "take 'option httpclose' or 'option http-server-close' out",
            )


RULE = Rule(
    "no-reuse",
    Severity.NOTICE,
    """`http-reuse always` asks for server connections that many clients share, and an option says that a server
    connection is closed after each request. The option wins.""",
    "listen a\n bind :80\n option httpclose\n http-reuse always\n",
    "listen a\n bind :80\n http-reuse always\n",
    check,
)
