"""A backend that nothing sends requests to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.api import Result

_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]+")


def check(result: Result) -> Iterator[Finding]:
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
    unused = [proxy for proxy in config.proxies if proxy.kind == "backend" and proxy.name not in used and proxy.servers]
    if not unused:
        return
    # A backend may also serve as a name in expressions (`nbsrv(name)`), as a stick table or for `track name/server`.
    named = Counter(
        name
        for section in result.document.sections
        for statement in (section.header, *section.statements)
        for word in statement.words
        for name in _NAME.findall(word)
    )
    for proxy in unused:
        if named[proxy.name] == 1:
            yield Finding(proxy.span, f"nothing sends requests to the backend '{proxy.name}'")


RULE = Rule(
    "unused-backend",
    Severity.NOTICE,
    """No frontend sends requests to the backend, and nothing else names it. Its servers are checked all the same.""",
    "backend b\n server s 10.0.0.1:80\n",
    "frontend a\n bind :80\n default_backend b\nbackend b\n server s 10.0.0.1:80\n",
    check,
)
