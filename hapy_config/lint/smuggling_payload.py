"""Bodies where none are expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_WORDS: Final = (
    "h1-accept-payload-with-any-method",
    "h1-do-not-close-on-insecure-transfer-encoding",
)


def check(view: View) -> Iterator[Finding]:
    """A finding for each global word that lets bodies pass that servers may not expect."""
    for word in _WORDS:
        for section, statement in view.lines(word):
            if section.kind == "global":
                yield Finding(
                    statement.span(),
                    "a server that does not expect the body takes it for the next request",
                    "take the line out, and let clients send POST",
                )


RULE = Rule(
    "smuggling-payload",
    Severity.WARNING,
    """HAProxy refuses HTTP/1.0 requests whose method usually has no body and that have one, since a server that does
    not look for it takes it for another request (request smuggling). The line lets them pass.""",
    "global\n h1-accept-payload-with-any-method\n",
    "global\n maxconn 1000\n",
    check,
)
