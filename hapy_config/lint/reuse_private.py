"""Connections that belong to who logged in over them, asked to be shared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.expressions import AclExpression
    from hapy_config.model.proxy import Proxy


_NAMES: Final = re.compile(r"\b(?:ntlm|negotiate|kerberos)\b", re.IGNORECASE)
_PATHS: Final = re.compile(r"^/(?:mapi|ews|rpc|autodiscover|owa)(?:/|$)", re.IGNORECASE)


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend that asks for reuse and whose rules speak of NTLM or Negotiate."""
    backends = [proxy for proxy in view.backends if proxy.mode == "http" and proxy.reuse in ("always", "aggressive")]
    if not backends:
        return
    words = _words(view)
    for proxy in backends:
        word = words.get(proxy.name) or _own_word(view, proxy)
        if word:
            yield Finding(
                view.place(proxy, "http-reuse"),
                f"'{word}' looks like NTLM or Negotiate, which logs a connection in, not a request",
                "write 'http-reuse never' (or 'safe') in this backend",
            )


def _words(view: View) -> dict[str, str]:
    """The pattern that betrays it, by the name of each backend that frontends send such requests to."""
    found: dict[str, str] = {}
    for front in view.frontends:
        names = [rule.target for rule in front.use_backends if isinstance(rule.target, str)]
        if front.default_backend is not None:
            names.append(front.default_backend)
        everywhere = next(
            (use for use in view.uses(front) if use.acl is not None and _pattern(use.acl, _NAMES)),
            None,
        )
        if everywhere is not None and everywhere.acl is not None and everywhere.ruleset != "use_backend":
            found |= dict.fromkeys(names, _pattern(everywhere.acl, _NAMES))
        for rule in front.use_backends:
            for terms in rule.condition.alternatives if rule.condition is not None else ():
                for test in (test for term in terms for test in term.expressions):
                    word = _pattern(test, _PATHS if test.criterion.fetch.name == "path" else _NAMES)
                    if word and isinstance(rule.target, str):
                        found.setdefault(rule.target, word)
    return found


def _own_word(view: View, proxy: Proxy) -> str:
    for use in view.uses(proxy):
        if use.acl is not None:
            word = _pattern(use.acl, _NAMES) or (_pattern(use.acl, _PATHS) if use.fetch == "path" else "")
            if word:
                return word
    return ""


def _pattern(test: AclExpression, wanted: re.Pattern[str]) -> str:
    return next((pattern for pattern in test.patterns if wanted.search(pattern)), "")


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
