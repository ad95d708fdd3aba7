"""Headers that say where a message ends, written by rules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_HEADERS: Final = frozenset({"content-length", "transfer-encoding"})
_ACTIONS: Final = ("set-header", "add-header", "del-header", "replace-header", "replace-value")


def check(view: View) -> Iterator[Finding]:
    """A finding for each rule that writes or deletes such a header."""
    for ruleset, action in product(("http-request", "http-response", "http-after-response"), _ACTIONS):
        for _, statement in view.lines(ruleset, action):
            words = statement.words
            if len(words) > 2 and words[2].lower() in _HEADERS:
                yield Finding(
                    statement.span(2),
                    f"'{words[2]}' tells the other side where a message ends, and the rule changes it, not the message",
                    "leave the header to the proxy, which writes it to fit the body",
                )


RULE = Rule(
    "smuggling-framing",
    Severity.WARNING,
    """`Content-Length` and `Transfer-Encoding` say where a message ends. A rule that writes or deletes them leaves the
    body as it is: the other side cuts it elsewhere, waits for what does not come, or takes the rest for another
    message (request smuggling).""",
    "listen l\n bind :80\n http-request del-header Transfer-Encoding\n",
    "listen l\n bind :80\n http-request deny if { req.hdr(transfer-encoding) -m found }\n",
    check,
)
