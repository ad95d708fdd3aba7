"""Redirects to where the request says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule
from hapy_config.lint.walk import full_name
from hapy_config.model.expressions import FormatExpression, FormatText
from hapy_config.model.rules import Redirect

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_CLIENT: Final = ("urlp", "url_param", "req.hdr", "req.fhdr", "req.cook", "query", "url32", "req.body_param")
_HOST: Final = ("http://", "https://", "//")


def check(view: View) -> Iterator[Finding]:
    """A finding for each redirect whose host comes from a parameter, a header or a cookie."""
    for proxy in view.proxies:
        redirects = [(one, one.span) for one in proxy.redirects]
        for rules in proxy.rules.values():
            for rule in rules:
                redirect = rule.arguments.get("redirect")
                if isinstance(redirect, Redirect):
                    redirects.append((redirect, rule.span))
        for one, span in redirects:
            items = [item for item in one.target.items if not (isinstance(item, FormatText) and item.text in _HOST)]
            if one.kind == "scheme" or not items or not isinstance(items[0], FormatExpression):
                continue
            call = items[0].expression.fetch
            is_host = bool(call.args) and call.args[0].lower() == "host"
            if full_name(call.name, "http-request").startswith(_CLIENT) and not is_host:
                yield Finding(
                    span,
                    f"the request itself says where it is sent: '%[{items[0].expression.text}]' begins the target",
                    "write a slash or your own host in front, or look the target up in a map",
                )


RULE = Rule(
    "open-redirect",
    Severity.WARNING,
    """The target of the redirect begins with something from the request, so a link to your site can lead to any other
    one: phishing mails look genuine. Put a host of yours in front, or take the target from a map.""",
    "frontend f\n bind :80\n http-request redirect location %[urlp(next)] if { path /login }\n",
    "frontend f\n bind :80\n http-request redirect location /%[urlp(next)] if { path /login }\n",
    check,
)
