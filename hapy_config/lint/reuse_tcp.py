"""http-reuse where no HTTP is spoken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each `http-reuse` line of a TCP backend's own section."""
    for section, statement in view.lines("http-reuse"):
        if section.kind == "defaults" or statement.words[1:2] == ["never"]:
            continue
        proxy = view.config.backend(section.name)
        if proxy is not None and proxy.mode == "tcp":
            yield Finding(
                statement.span(),
                f"'{proxy.name}' works in TCP mode: each client connection has a server connection of its own",
                "write 'mode http' if its servers speak HTTP",
                view.removal(statement),
            )


RULE = Rule(
    "reuse-tcp",
    Severity.NOTICE,
    """In TCP mode a server connection belongs to one client connection from beginning to end, and `http-reuse` has no
    effect. Requests are told apart, balanced one by one and put on shared connections in HTTP mode only.""",
    "listen l\n mode tcp\n bind :80\n http-reuse always\n server s 10.0.0.1:80\n",
    "listen l\n mode http\n bind :80\n http-reuse always\n server s 10.0.0.1:80\n",
    check,
)
