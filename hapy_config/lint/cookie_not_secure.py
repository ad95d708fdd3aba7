"""Cookies of a TLS site that go over plain text, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each inserted cookie without `secure` where all clients come with TLS."""
    for proxy in view.backends:
        cookie = proxy.cookie
        if cookie is None or cookie.mode != "insert" or cookie.secure or proxy.mode != "http":
            continue
        front = view.front_of(proxy)
        if front and all(one.binds and all(bind.tls is not None for bind in one.binds) for one in front):
            yield Finding(
                view.place(proxy, "cookie"),
                f"clients come with TLS only, and the cookie '{cookie.name}' may be sent without",
                "add 'secure httponly'",
            )


RULE = Rule(
    "cookie-not-secure",
    Severity.NOTICE,
    """All clients come with TLS, and the cookie that binds them to a server lacks `secure`, so a browser also sends it
    in plain text where a link leads there. `httponly` keeps scripts from reading it.""",
    "frontend f\n bind :443 ssl crt /x.pem\n default_backend b\nbackend b\n cookie SRV insert\n"
    " server s 10.0.0.1:80 cookie s\n",
    "frontend f\n bind :443 ssl crt /x.pem\n default_backend b\nbackend b\n cookie SRV insert secure httponly\n"
    " server s 10.0.0.1:80 cookie s\n",
    check,
)
