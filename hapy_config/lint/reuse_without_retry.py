"""First requests on connections that may be dead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend that puts first requests on used connections and does not try again."""
    for proxy in view.backends:
        if proxy.mode != "http" or proxy.reuse != "always" or not proxy.servers or proxy.http_mode != "keep-alive":
            continue
        if not proxy.retry_on & {"empty-response", "all-retryable-errors"}:
            yield Finding(
                view.place(proxy, "http-reuse"),
                "a client's first request may meet a connection that the server is about to close, and fails then",
                "add 'retry-on conn-failure empty-response', and 'http-request disable-l7-retry' for what must not be"
                " done twice",
            )


RULE = Rule(
    "reuse-without-retry",
    Severity.NOTICE,
    """`http-reuse always` sends even a client's first request over a connection that another one opened. If the server
    closes it at that moment the client gets an error, and browsers repeat only requests on connections that worked
    once. `retry-on empty-response` has HAProxy repeat it; unsafe methods are excepted with `http-request
    disable-l7-retry`.""",
    "listen l\n bind :80\n http-reuse always\n server s 10.0.0.1:80\n",
    "listen l\n bind :80\n http-reuse always\n retry-on conn-failure empty-response\n"
    " http-request disable-l7-retry unless METH_GET\n server s 10.0.0.1:80\n",
    check,
)
