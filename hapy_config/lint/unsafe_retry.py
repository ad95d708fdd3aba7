"""Requests that are sent again after they may have been carried out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_AFTER: Final = frozenset({"all-retryable-errors", "empty-response", "response-timeout", "junk-response"})


def check(view: View) -> Iterator[Finding]:
    """A finding for each `retry-on` that repeats POST requests, too."""
    for proxy in view.backends:
        late = sorted(proxy.retry_on & _AFTER) if proxy.mode == "http" and proxy.retries else []
        if not late:
            continue
        if "disable-l7-retry" in view.actions_before(proxy):
            continue
        yield Finding(
            view.place(proxy, "retry-on"),
            f"'{late[0]}' also repeats POST requests, which the server may have carried out already",
            "add 'http-request disable-l7-retry if METH_POST'",
        )


RULE = Rule(
    "unsafe-retry",
    Severity.NOTICE,
    """After an empty answer, or none in time, nobody knows whether the server carried the request out. `retry-on`
    repeats it whatever its method is, so an order may be placed twice. `http-request disable-l7-retry` excepts the
    methods that must not be repeated.""",
    "listen l\n bind :80\n retry-on all-retryable-errors\n server s 10.0.0.1:80\n",
    "listen l\n bind :80\n retry-on all-retryable-errors\n http-request disable-l7-retry if METH_POST\n"
    " server s 10.0.0.1:80\n",
    check,
)
