"""Options that keep server connections from being shared, where the author may not know that they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from hapy_config.api import Result

CODE: Final = "no-reuse"


def check(result: Result) -> Iterator[Diagnostic]:
    """A finding for each HTTP backend whose connections serve one request only, though it asks for reuse."""
    assert result.config is not None
    for proxy in result.config.proxies:
        if proxy.is_backend and proxy.mode == "http" and proxy.http_mode != "keep-alive" and proxy.reuse == "always":
            yield Diagnostic(
                CODE,
                Severity.NOTICE,
                proxy.span,
                f"'http-reuse always' has no effect in '{proxy.name}': its connections are closed after each request",
                "take 'option httpclose' or 'option http-server-close' out",
            )
