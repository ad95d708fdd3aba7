"""Patterns that what they are compared with never has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.expressions import AclExpression
    from hapy_config.source import Span


def check(view: View) -> Iterator[Finding]:
    """A finding for each ACL of which no pattern can match."""
    told: set[Span] = set()
    for proxy in view.proxies:
        for use in view.uses(proxy):
            test = use.acl
            if test is None or test.span in told or test.files or not test.patterns or not test.span.line:
                continue
            told.add(test.span)
            reason = _reason(test)
            if reason:
                yield Finding(test.span, reason, "the test never matches; see what it is compared with")


def _reason(test: AclExpression) -> str:
    call, converters = test.criterion.fetch, [one.name for one in test.criterion.converters]
    patterns = test.patterns
    if test.match not in ("str", "beg"):
        return ""
    if converters[-1:] == ["lower"] and not test.ignore_case and all(text != text.lower() for text in patterns):
        return f"'{patterns[0]}' has capital letters, and what it is compared with was made lower case"
    if converters[-1:] == ["upper"] and not test.ignore_case and all(text != text.upper() for text in patterns):
        return f"'{patterns[0]}' has small letters, and what it is compared with was made upper case"
    if converters and set(converters) - {"lower", "upper", "url_dec"}:
        return ""
    if call.name == "path":
        if all(not text.startswith(("/", "*", "%")) for text in patterns):
            return f"'{patterns[0]}' has no slash in front, and every path begins with one"
        if all("?" in text for text in patterns) and "url_dec" not in converters:
            return f"'{patterns[0]}' has a query string, which is no part of 'path'"
    if call.name == "method" and not test.ignore_case and all(text.islower() for text in patterns):
        return f"'{patterns[0]}' is written in small letters, and methods are not"
    if (call.name, call.args[:1]) == ("req.hdr", ("host",)) or call.name in ("ssl_fc_sni", "req.ssl_sni"):
        if all("/" in text for text in patterns):
            return f"'{patterns[0]}' has a slash, and host names have none"
        if call.name != "req.hdr" and test.match == "str" and all(":" in text for text in patterns):
            return f"'{patterns[0]}' has a port, and the name in a TLS greeting has none"
    return ""


RULE = Rule(
    "impossible-pattern",
    Severity.WARNING,
    """The pattern can't match: a path without its slash or with a query string, a host name with a scheme or path,
    capital letters compared with what was made lower case, a method in small letters. The line looks right and never
    applies.""",
    "frontend a\n bind :80\n http-request deny if { path_beg admin }\n",
    "frontend a\n bind :80\n http-request deny if { path_beg /admin }\n",
    check,
)
