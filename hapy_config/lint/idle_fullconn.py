"""A fullconn that no server looks at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each `fullconn` of a backend whose servers have no `minconn`."""
    for section, statement in view.lines("fullconn"):
        proxy = view.config.backend(section.name) if section.kind in ("backend", "listen") else None
        if proxy is not None and proxy.servers and not any(server.minconn for server in proxy.servers):
            yield Finding(
                statement.span(),
                "'fullconn' has no effect: it says when 'minconn' limits reach 'maxconn', and no server has one",
                "write 'maxconn' in the frontend or on the server lines to limit anything",
                view.removal(statement),
            )


RULE = Rule(
    "idle-fullconn",
    Severity.NOTICE,
    """`fullconn` is no limit: it is the load at which servers with `minconn` get their whole `maxconn`. No server of
    this backend has `minconn`, so the line does nothing; `--fix` takes it away.""",
    "listen l\n bind :80\n fullconn 1000\n server s 10.0.0.1:80 maxconn 100\n",
    "listen l\n bind :80\n fullconn 1000\n server s 10.0.0.1:80 minconn 10 maxconn 100\n",
    check,
)
