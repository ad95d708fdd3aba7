"""Log lines that say hardly anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_FORMATS: Final = frozenset({"httplog", "httplog clf", "httpslog", "tcplog"})


def check(view: View) -> Iterator[Finding]:
    """A finding for each frontend that logs in the format of old."""
    for proxy in view.frontends:
        if not proxy.log or proxy.log_format is not None or proxy.options & _FORMATS:
            continue
        option = "httplog" if proxy.mode == "http" else "tcplog"
        yield Finding(
            view.place(proxy, "log"),
            f"log lines of '{proxy.name}' tell only addresses: no server, status or time",
            f"add 'option {option}'",
        )


RULE = Rule(
    "plain-log-format",
    Severity.NOTICE,
    """Without `option httplog`, `option tcplog` or `log-format` a log line holds the two addresses and the frontend's
    name: not which server answered, with what, how fast, and why a connection ended, which is what logs are asked
    for.""",
    "listen l\n bind :80\n log 127.0.0.1 local0\n",
    "listen l\n bind :80\n log 127.0.0.1 local0\n option httplog\n",
    check,
)
