"""Connections that belong to who logged in over them, asked to be shared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.proxy import Proxy


_NAMES: Final = re.compile(r"\b(?:ntlm|negotiate|kerberos)\b", re.IGNORECASE)
_PATHS: Final = re.compile(r"^/(?:mapi|ews|rpc|autodiscover|owa)(?:/|$)", re.IGNORECASE)


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend that asks for reuse and whose rules speak of NTLM or Negotiate."""
    for proxy in view.backends:
        if proxy.mode != "http" or proxy.reuse not in ("always", "aggressive"):
            continue
        word = _word(view, proxy)
        if word:
            yield Finding(
                view.place(proxy, "http-reuse"),
                f"'{word}' looks like NTLM or Negotiate, which logs a connection in, not a request",
                "write 'http-reuse never' (or 'safe') in this backend",
            )


def _word(view: View, proxy: Proxy) -> str:
    for one in dict.fromkeys((proxy, *view.front_of(proxy))):
        own = one is proxy
        for use in view.uses(one):
            for pattern in use.acl.patterns if use.acl is not None else ():
                if _NAMES.search(pattern) or (own and use.fetch == "path" and _PATHS.search(pattern)):
                    return pattern
    for rule in (rule for front in view.front_of(proxy) for rule in front.use_backends if rule.target == proxy.name):
        for terms in rule.condition.alternatives if rule.condition is not None else ():
            for term in terms:
                for test in term.expressions:
                    for pattern in test.patterns if test.criterion.fetch.name == "path" else ():
                        if _PATHS.search(pattern):
                            return pattern
    return ""


RULE = Rule(
    "reuse-private",
    Severity.WARNING,
    """NTLM and Negotiate log a connection in: what comes over it afterwards counts as the user's. Such connections
    become private as soon as the server's 401 answer is seen, so reuse brings nothing, and a server that is logged in
    without one could mix users up. Take `http-reuse never` for such servers.""",
    "frontend f\n bind :80\n use_backend b if { path_beg /mapi/ }\nbackend b\n http-reuse always\n"
    " server s 10.0.0.1:80\n",
    "frontend f\n bind :80\n use_backend b if { path_beg /mapi/ }\nbackend b\n http-reuse never\n"
    " server s 10.0.0.1:80\n",
    check,
)
