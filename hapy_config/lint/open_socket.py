"""A stats socket that too many may write to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.networks import is_local
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each stats socket of level admin that the network or every local user may use."""
    for bind in view.config.global_.stats_binds:
        level = bind.options.get("level", ("operator",))
        if level[:1] == ("user",):
            continue
        if bind.address.family in ("ipv4", "ipv6", "any") and not is_local(bind.address):
            if not (bind.tls is not None and bind.tls.get("verify", ("none",))[:1] == ("required",)):
                yield Finding(
                    bind.span,
                    "the stats socket can be reached from the network, and asks nobody who he is",
                    "listen on a UNIX socket with a mode, or on 127.0.0.1",
                )
        elif bind.mode is not None and bind.mode & 0o002 and level[:1] == ("admin",):
            yield Finding(
                bind.span,
                f"every user of this machine may write to the stats socket (mode {bind.mode:o}) and change servers",
                "use mode 660 and a group",
            )


RULE = Rule(
    "open-socket",
    Severity.WARNING,
    """The stats socket takes commands that stop servers, change certificates and maps and show secrets. It asks for no
    password; who can reach it may use it. Keep it in the file system, with a mode and a group, or on 127.0.0.1.""",
    "global\n stats socket ipv4@*:9999 level admin\n",
    "global\n stats socket /run/hapy.sock mode 660 group hapy level admin\n",
    check,
)
