"""Bodies that are looked at before they have come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_BODY: Final = ("req.body", "req.body_param", "req.body_len")


def check(view: View) -> Iterator[Finding]:
    """A finding for each rule on the body in a proxy that does not wait for it."""
    for proxy in view.proxies:
        if proxy.mode != "http" or "http-request" not in proxy.rules or "http-buffer-request" in proxy.options:
            continue
        use = next((use for use in view.uses(proxy) if use.fetch in _BODY and use.ruleset == "http-request"), None)
        if use is not None and "wait-for-body" not in view.actions_before(proxy):
            buffering = any("http-buffer-request" in front.options for front in view.front_of(proxy))
            if not buffering:
                yield Finding(
                    use.span,
                    f"'{use.expression.text}' sees what came with the headers by chance: nothing waits for the body",
                    "add 'option http-buffer-request', or 'http-request wait-for-body time 5s' before it",
                )


RULE = Rule(
    "body-not-awaited",
    Severity.WARNING,
    """The rule looks at the request's body, which may come after the headers, and nothing waits for it: a client that
    sends slowly passes every such rule. `option http-buffer-request` waits for each body, `http-request wait-for-body`
    where it is needed.""",
    "listen l\n bind :80\n http-request deny if { req.body -m sub attack }\n",
    "listen l\n bind :80\n http-request wait-for-body time 5s\n http-request deny if { req.body -m sub attack }\n",
    check,
)
