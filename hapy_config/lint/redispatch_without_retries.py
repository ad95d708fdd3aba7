"""Another server, if only there were another attempt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each `option redispatch` beside `retries 0`."""
    for proxy in view.backends:
        if proxy.redispatch is not None and proxy.retries == 0 and proxy.servers:
            yield Finding(
                view.place(proxy, "retries"),
                f"'option redispatch' has no effect in '{proxy.name}': without retries no other server is tried",
                "write 'retries 1' or more",
            )


RULE = Rule(
    "redispatch-without-retries",
    Severity.NOTICE,
    """`option redispatch` sends a retry to another server, and `retries 0` leaves no retry.""",
    "listen l\n bind :80\n option redispatch\n retries 0\n server s 10.0.0.1:80\n",
    "listen l\n bind :80\n option redispatch\n retries 2\n server s 10.0.0.1:80\n",
    check,
)
