"""Options that close each server connection after a request, where reuse is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each HTTP backend whose connections serve one request only, though it asks for reuse."""
    for proxy in view.backends:
        if proxy.mode != "http" or proxy.reuse not in ("always", "aggressive"):
            continue
        closing = [one for one in (proxy, *view.front_of(proxy)) if one.http_mode != "keep-alive"]
        front = view.front_of(proxy)
        if proxy not in closing and len(closing) < max(len(front), 1):
            continue
        option = "httpclose" if closing[0].http_mode == "close" else "http-server-close"
        yield Finding(
            view.place(proxy, "http-reuse"),
            f"'http-reuse {proxy.reuse}' has no effect in '{proxy.name}': connections are closed after each request",
            f"take 'option {option}' out of '{closing[0].name}' or its defaults",
        )


RULE = Rule(
    "no-reuse",
    Severity.NOTICE,
    """`http-reuse always` or `aggressive` asks for server connections that clients share, and an option of the
    backend, or of all frontends that send to it, says that a server connection is closed after each request. The
    option wins.""",
    "listen a\n bind :80\n option httpclose\n http-reuse always\n",
    "listen a\n bind :80\n http-reuse always\n",
    check,
)
