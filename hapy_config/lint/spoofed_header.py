"""Headers that servers trust and that clients may write as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.finals import is_final
from hapy_config.lint.logic import alternatives
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.rules import Rule as ModelRule


_TRUSTED: Final = frozenset(
    {"x-forwarded-proto", "x-forwarded-ssl", "x-forwarded-port", "x-forwarded-scheme", "x-real-ip", "x-client-ip",
     "x-ssl-client-cert", "x-ssl-client-verify", "x-ssl-client-dn", "x-ssl-client-cn", "x-ssl", "front-end-https"}
)  # fmt: skip


def check(view: View) -> Iterator[Finding]:
    """A finding for each such header that is set only sometimes, or beside what the client wrote."""
    for proxy in view.proxies:
        set_always: set[str] = set()
        sometimes: dict[str, list[ModelRule]] = {}
        for rule in proxy.rules.get("http-request", ()):
            if rule.action not in ("set-header", "add-header", "del-header"):
                continue
            name = str(rule.arguments.get("name", "")).lower()
            if name not in _TRUSTED:
                continue
            if rule.action != "add-header" and rule.condition is None:
                set_always.add(name)
            else:
                sometimes.setdefault(name, []).append(rule)
        for name, rules in sometimes.items():
            # Two conditions are taken to cover both cases.
            if name in set_always or (len(rules) > 1 and any(rule.action != "add-header" for rule in rules)):
                continue
            if _set_elsewhere(view, proxy, name) or all(_others_end(proxy, rule) for rule in rules):
                continue
            rule = rules[0]
            header = str(rule.arguments.get("name", ""))
            added = rule.action == "add-header"
            delete = f"add 'http-request del-header {header}' before"
            yield Finding(
                rule.span,
                f"what a client writes into '{header}' itself stays {'beside this one' if added else 'in other cases'}",
                "write 'set-header'" if added and rule.condition is None else delete,
            )


def _others_end(proxy: Proxy, rule: ModelRule) -> bool:
    """Whether a request for which a `set-header` does not hold is answered here (a redirect to TLS, mostly)."""
    wanted = alternatives(rule.condition)
    if rule.action == "add-header" or wanted is None or len(wanted) != 1:
        return False
    conditions = [
        other.condition for other in proxy.rules.get("http-request", ()) if other.action != "allow" and is_final(other)
    ]
    conditions.extend(redirect.condition for redirect in proxy.redirects)
    ended = {one for condition in conditions for one in alternatives(condition) or ()}
    return all(frozenset({(key, not negated)}) in ended for key, negated in wanted[0])


def _set_elsewhere(view: View, proxy: Proxy, name: str) -> bool:
    """Whether the frontends before a backend take the header away."""
    return proxy.kind == "backend" and any(name in view.headers_set(front) for front in view.front_of(proxy))


RULE = Rule(
    "spoofed-header",
    Severity.NOTICE,
    """Servers believe headers such as X-Forwarded-Proto, and a client may write them too. `add-header` leaves the
    client's beside the proxy's, and a `set-header` with a condition leaves it where the condition does not hold. Set
    the header always, or delete it first.""",
    "frontend f\n bind :80\n bind :443 ssl crt /x.pem\n"
    " http-request set-header X-Forwarded-Proto https if { ssl_fc }\n",
    "frontend f\n bind :80\n bind :443 ssl crt /x.pem\n http-request del-header X-Forwarded-Proto\n"
    " http-request set-header X-Forwarded-Proto https if { ssl_fc }\n",
    check,
)
