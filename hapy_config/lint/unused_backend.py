"""A backend that nothing sends requests to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from hapy_config.api import Result

CODE: Final = "unused-backend"


def check(result: Result) -> Iterator[Diagnostic]:
    """A finding for each backend that no rule names; none where a name is computed from the request."""
    config = result.config
    assert config is not None
    used: set[str] = set()
    for proxy in config.proxies:
        if proxy.default_backend is not None:
            used.add(proxy.default_backend)
        for rule in proxy.use_backends:
            if not isinstance(rule.target, str):
                return
            used.add(rule.target)
    tables = {word for proxy in config.proxies for setting in proxy.settings for word in setting if "table" in setting}
    text = "\n".join(source.text for source in result.document.sources)
    for proxy in config.proxies:
        if proxy.kind != "backend" or proxy.name in used or proxy.name in tables or not proxy.servers:
            continue
        # A backend may also serve as a name in expressions (`nbsrv(name)`) or for `track name/server`.
        if text.count(proxy.name) > 1:
            continue
        yield Diagnostic(CODE, Severity.NOTICE, proxy.span, f"nothing sends requests to the backend '{proxy.name}'")
