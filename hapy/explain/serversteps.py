"""The end of a walk that leads to a server: which one and why, on which connection, and what it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.acl import compile_condition
from hapy.balance.keys import key_hash
from hapy.explain import values
from hapy.explain.findings import Candidate
from hapy.explain.rulesteps import RuleSteps
from hapy.explain.sharing import PROXY_HEADER, Sharing, connection_key, tell_sharing
from hapy.http.errors import server_redirect_page
from hapy.http.serialize import request_head
from hapy.proxy.backend import NoServer, QueueFull
from hapy.proxy.private import is_bound
from hapy.samples.targets import path_and_query

if TYPE_CHECKING:
    from hapy.proxy.backend import Backend
    from hapy.proxy.route import Route
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction
    from hapy.samples.environment import CompileEnv
    from hapy_config.model.proxy import Proxy


class ServerSteps(RuleSteps):
    """The choice of a server and of the connection to it."""

    def serve(self, route: Route, backend: Backend, model: Proxy) -> None:
        """Choose a server of the backend and tell what it gets, or why there is none."""
        txn = self.txn
        forced, named = None, False
        env = self.runtime.env(backend.model)
        if route.use_server is not None:
            forced = route.use_server(txn)
            for use in backend.model.use_servers:
                applied = use.condition is None or compile_condition(use.condition, env)(txn)
                named = named or applied
                self.tell(use.span, use.condition, env, applied=applied, effects=())
            self.stage("use-server")
        bound = (
            self.mode == "http"
            and txn.request is not None
            and any(
                name in (b"authorization", b"proxy-authorization") and is_bound(value)
                for name, value in txn.request.headers
            )
        )
        usable = backend.active
        how = _how(backend, txn, env, forced, by_rule=named)
        try:
            server = backend.assign(txn, forced, None, None, bound=bound)
        except (NoServer, QueueFull):
            server = None
        self.found.candidates = tuple(
            Candidate(one.model.name, values.address(one.model.address), one.weight, one is server)
            for one in (usable if server is None or server in usable else (server,))
        )
        if server is None:
            if self.mode == "http":
                self.answer_with(503, f"backend {model.name} has no server that takes requests")
            self.closed(f"backend {model.name} has no server that takes connections")
        txn.server = server
        self.found.server = server.model.name
        self.found.how = how
        if (
            server.redir is not None
            and self.mode == "http"
            and txn.request is not None
            and txn.method in (b"GET", b"HEAD")
        ):
            path = path_and_query(txn.request.target)
            if path is not None:
                built = server_redirect_page(server.redir + path).build(txn.method)
                built[0].keep_alive = False
                self.answer(302, built, f"server {server.model.name} is to be asked by clients themselves (redir)")
        self.found.outcome = "server"
        self._towards(route, server, model, env, bound=bound)

    def _towards(self, route: Route, server: Server, model: Proxy, env: CompileEnv, *, bound: bool) -> None:
        """What the server gets, and on which connection."""
        txn = self.txn
        original = next((one for one in model.servers if one.name == server.model.name), server.model)
        self.found.key = connection_key(server, original, txn, env)
        request = txn.request
        told = any(label == PROXY_HEADER for label, _ in self.found.key)
        sharing = Sharing(server, model, closes=route.close_server, bound=bound, mode=self.mode, told=told)
        self.found.sharing = tell_sharing(sharing, txn)
        self.found.shares = sharing.shares
        if request is None or self.mode != "http":
            return
        asks_close = route.asks_close is not None and route.asks_close(request)
        last = None
        if route.name_header is not None:
            request.headers = [field for field in request.headers if field[0] != route.name_header]
            last = (route.name_header, server.label)
        head = request_head(request, close=route.tell_close or asks_close, cases=route.name_cases, last=last)
        self.found.request = head
        sections = dict.fromkeys((self.original, model))
        self.found.later = tuple(
            f"{values.count(len(rules), 'rule')} of {ruleset} in {section.kind} {section.name}"
            for ruleset in ("http-response", "http-after-response")
            for section in sections
            if (rules := section.rules.get(ruleset, ()))
        )


def _how(backend: Backend, txn: Transaction, env: CompileEnv, forced: Server | None, *, by_rule: bool) -> str:
    """Why this server, in a few words."""
    if forced is not None:
        return "named by use-server" if by_rule else "named by its cookie"
    if backend.persist is not None:
        return "by its cookie, else by the balance algorithm"
    balance = backend.model.balance
    name = f"{balance.algorithm} {balance.argument}".strip()
    if len(backend.active) == 1:
        return "the only one that takes requests"
    if backend.balancer.keyed:
        if key_hash(balance, env)(txn) is None:
            return f"in turn, since this request has no key (balance {name}): the first choice right after start"
        return f"by the hash of this request's key (balance {name}): the same request always goes there"
    return f"the first choice right after start (balance {name})"
