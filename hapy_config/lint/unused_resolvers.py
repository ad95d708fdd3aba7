"""A resolvers section that no server names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.lint.sections import unused

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each resolvers section that nothing names."""
    for found in unused(view, "resolvers", "write 'resolvers NAME' on the server lines whose names are to be followed"):
        if "'default'" not in found.message:  # HTTP clients of HAProxy's own use that one
            yield found


RULE = Rule(
    "unused-resolvers",
    Severity.WARNING,
    """No server and no rule names the resolvers section. Names on server lines are then resolved once, at the start,
    and a server that moves is lost. `resolvers NAME` on the server or default-server line makes use of it.""",
    "resolvers r\n nameserver n 10.0.0.53:53\nlisten l\n bind :80\n server s web.example:80\n",
    "resolvers r\n nameserver n 10.0.0.53:53\nlisten l\n bind :80\n server s web.example:80 resolvers r\n",
    check,
)
