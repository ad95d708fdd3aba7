"""Putting persistence into the path of a request: nothing of it is there for backends that don't ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.persist.cookie import Cookies, bind
from hapy.persist.values import CookieValues
from hapy.rules.compile import Ruleset, preceded

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.proxy.backend import Backend
    from hapy.proxy.route import Route
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction
    from hapy.rules import Outcome


def tie(route: Route, backend: Backend, runtime: Runtime) -> None:
    """Have a route heed what its backend says about persistence."""
    model = backend.model
    cookie = model.cookie if model.mode == "http" else None
    if model.rdp_cookie is not None and backend.persist is None:
        from hapy.persist.rdp import by_rdp_cookie

        backend.persist = by_rdp_cookie(backend, runtime.env(model))
    if cookie is None and not model.persist_rules:
        return
    rules = [(rule.force, runtime.condition(rule.condition, model)) for rule in model.persist_rules]
    cookies = None
    if cookie is not None:
        if backend.cookie_values is None:
            backend.cookie_values = CookieValues(backend.servers, dynamic=cookie.dynamic, key=model.dynamic_cookie_key)
        cookies = Cookies(cookie, backend.cookie_values, persists="persist" in model.options)
        route.response_rules = (*route.response_rules, Ruleset([(None, cookies.review, False)]))
        route.looks_at_answers = True
    begin = route.begin_tie = bind(rules, cookies)
    route.request_rules = preceded(begin, route.request_rules)
    route.use_server = _chooser(begin, route.use_server, cookies)


def _chooser(
    begin: Callable[[Transaction], Outcome | None],
    use_server: Callable[[Transaction], Server | None] | None,
    cookies: Cookies | None,
) -> Callable[[Transaction], Server | None]:
    """`use-server` first, then the cookie."""

    def choose(txn: Transaction) -> Server | None:
        if txn.tie is None:  # a TCP session, which no request rules have met
            begin(txn)
        tie = txn.tie
        assert tie is not None
        if use_server is not None:
            tie.direct = use_server(txn)
        return tie.direct if cookies is None else cookies.choose(txn, tie)

    return choose
