"""Which requests the statistics page answers, and with what (configuration manual, `stats enable` and its kin).

- A GET, HEAD or POST whose target begins with the page's `uri` is for the page. It is looked at behind `http-request`
  rules and before `redirect` lines.
- Behind the `uri` words that begin with `;` choose: `;csv`, `;typed`, `;json`, `;json-schema`, `;up` (only what works),
  `;no-maint`, `;norefresh`, `;st=WORD` (what has become of a form); `scope=NAME` shows only sections with that in
  their names.
- `stats http-request` rules, or the accounts of `stats auth`, say who may see it; `stats admin` who may change servers.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy.http.message import Response
from hapy.rules.compile import Ruleset, compile_ruleset, preceded
from hapy.rules.field_names import field_names
from hapy.rules.outcomes import ALLOW, Deferred, Outcome, Reply
from hapy.rules.pages import error_pages
from hapy.runtime_api import dump
from hapy.runtime_api.rows import LEGENDS, rows
from hapy.samples.fetches.logins import asks_a_proxy, basic
from hapy.stats import answers
from hapy_config.model.statistics import REALM
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.exchange import Exchange
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.transaction import Transaction
    from hapy.rules.registry import Action
    from hapy.runtime_api.control import Control
    from hapy.runtime_api.rows import Row
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.statistics import StatsPage

_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST"})
_SERVICE: Final = b"<STATS>"
#: A part of names to show; one with other signs in it is none. No more of it counts than `_SCOPE_LENGTH`.
_SCOPE: Final = re.compile(r"scope=([A-Za-z0-9_.:-]*)(?=[;&]|$)")
_SCOPE_LENGTH: Final = 20


@dataclass(frozen=True, slots=True)
class View:
    """What a request wants to see.

    Attributes:
        form: csv, typed, json, json-schema, or empty for the page.
        only_up, no_maintenance: hide servers that are down; hide those in maintenance.
        no_refresh: the browser need not ask again by itself.
        done: what became of the form before. scope: a part of the names to show.
    """

    form: str = ""
    only_up: bool = False
    no_maintenance: bool = False
    no_refresh: bool = False
    done: str = ""
    scope: str = ""

    @classmethod
    def of(cls, rest: str) -> View:
        """The view that is asked for behind the page's address."""
        form = ""
        for word in ("csv", "typed", "json-schema", "json"):
            if f";{word}" in rest:
                form = word
                break
        _before, found, done = rest.partition(";st=")
        return cls(
            form=form,
            only_up=";up" in rest,
            no_maintenance=";no-maint" in rest,
            no_refresh=";norefresh" in rest,
            done=done[:4] if found else "",
            scope=_scope(rest),
        )

    def address(self, page: StatsPage, *, form: str = "", **changed: bool) -> str:
        """Where the same is to be seen, in another form or with other switches."""
        only_up = changed.get("only_up", self.only_up)
        no_maintenance = changed.get("no_maintenance", self.no_maintenance)
        no_refresh = changed.get("no_refresh", self.no_refresh)
        words = [
            page.uri,
            f";{form}" if form else "",
            ";up" if only_up else "",
            ";no-maint" if no_maintenance else "",
            ";norefresh" if no_refresh and page.refresh else "",
            f"?scope={self.scope}" if self.scope else "",
        ]
        return "".join(words)


def _scope(rest: str) -> str:
    found = _SCOPE.search(rest)
    return found[1][:_SCOPE_LENGTH] if found else ""


class Page:
    """A section's statistics page, compiled."""

    def __init__(self, model: Proxy, settings: StatsPage, runtime: Runtime) -> None:
        self.model = model
        self.settings = settings
        self.runtime = runtime
        env = runtime.env(model)
        env.shared["statistics"] = True
        self._uri = to_bytes(settings.uri)
        self._accounts = {to_bytes(user): to_bytes(password) for user, password in reversed(settings.accounts)}
        self._rules = compile_ruleset(settings.rules, env)
        self._admin = [runtime.condition(condition, model) for condition in settings.admin]
        self._pages = error_pages(env)
        realm = to_bytes(REALM if settings.realm is None else settings.realm)
        self._challenge = b'Basic realm="%b"' % realm

    @property
    def control(self) -> Control:
        """The process."""
        control = self.runtime.control
        assert control is not None
        return control

    def answer(self, txn: Transaction) -> Outcome | None:
        """What a request gets that may be for the page; None when it is not."""
        request = txn.request
        if request is None or request.method not in _METHODS:
            return None
        target = request.target
        if target[:1] != b"/":
            _scheme, _sign, rest = target.partition(b"://")
            target = rest[rest.find(b"/") :] if b"/" in rest else b""
        if not target.startswith(self._uri):
            return None
        if self._accounts and not self._knows(txn):
            return self._asks(txn)
        if self._rules is not None:
            outcome = self._rules.run(txn)
            if outcome is not None and outcome is not ALLOW:
                return outcome
        view = View.of(target[len(self._uri) :].decode("latin-1"))
        if request.method == b"POST":
            return Deferred("stats", lambda exchange: self._post(exchange, view))
        return Reply("stats", "stats", 200, "L", "R", lambda served: self._show(served, view))

    def may_change(self, txn: Transaction) -> bool:
        """Whether the client may change servers."""
        return any(applies(txn) for applies in self._admin)

    def shown(self, view: View, *, everything: bool = False) -> Iterator[Row]:
        """The rows of a view.

        Args:
            view: what is asked for.
            everything: of servers, too, that the view leaves out.
        """
        scope = self.settings.scope
        wanted = {self.model.name if name == "." else name for name in scope}
        for row in rows(self.control):
            name = row.proxy.name
            if (scope and name not in wanted) or view.scope.lower() not in name.lower():
                continue
            if row.kind == "S" and not everything:
                if view.only_up and not row.up:
                    continue
                if view.no_maintenance and row.maintenance:
                    continue
            if view.only_up or view.no_maintenance:
                row.count()
            if not self.settings.show_legends:
                for field in LEGENDS:
                    row.values.pop(field, None)
            yield row

    def _knows(self, txn: Transaction) -> bool:
        found = basic(txn)
        if found is None:
            return False
        password = self._accounts.get(found[0])
        return password is not None and hmac.compare_digest(password, found[1])

    def _asks(self, txn: Transaction) -> Reply:
        as_proxy = asks_a_proxy(txn)
        status, name = (407, b"proxy-authenticate") if as_proxy else (401, b"www-authenticate")

        def build(asking: Transaction) -> tuple[Response, bytes] | None:
            answers.served(asking, _SERVICE)
            asking.response_done = -1.0
            return self._pages.build(asking, status, ((name, self._challenge),))

        return Reply("stats", "stats", status, "L", "R", build)

    def _show(self, txn: Transaction, view: View) -> tuple[Response, bytes]:
        answers.served(txn, _SERVICE)
        refresh = self.settings.refresh
        more = ((b"refresh", b"%d" % refresh),) if refresh and not view.no_refresh else ()
        match view.form:
            case "csv":
                return answers.fresh(txn, b"text/plain", dump.as_csv(self.shown(view)), *more)
            case "typed":
                return answers.fresh(txn, b"text/plain", dump.as_typed(self.shown(view)), *more)
            case "json":
                return answers.fresh(txn, b"application/json", dump.as_json(self.shown(view)), *more)
            case "json-schema":
                from hapy.runtime_api.schema import schema

                return answers.fresh(txn, b"application/json", schema(), *more)
            case _:
                from hapy.stats.html import report

                return answers.fresh(txn, b"text/html", report(self, view, admin=self.may_change(txn)), *more)

    async def _post(self, exchange: Exchange, view: View) -> Reply:
        """Do what a form says; then the browser is sent back to the page.

        Raises:
            Failed: the form does not come.
        """
        from hapy.stats.forms import do

        done = "DENY"
        if self.may_change(exchange.txn):
            done = await do(exchange, self.control)
        words = [
            f"{self.settings.uri};st={done}",
            ";up" if view.only_up else "",
            ";norefresh" if view.no_refresh and self.settings.refresh else "",
            f"?scope={view.scope}" if view.scope else "",
        ]
        location = to_bytes("".join(words))

        def build(txn: Transaction) -> tuple[Response, bytes]:
            answers.served(txn, _SERVICE)
            headers = [
                answers.NO_CACHE,
                (b"content-type", b"text/plain"),
                (b"content-length", b"0"),
                (b"location", location),
            ]
            return Response(303, b"See Other", headers, 0), b""

        return Reply("stats", "stats", 303, "L", "R", build)


class _Followed(Ruleset):
    """A section's `http-request` rules with its statistics page behind them."""

    __slots__ = ("_answer", "_inner")

    def __init__(self, inner: Ruleset | None, answer: Action) -> None:
        super().__init__([(None, answer, False)])
        self._inner = inner
        self._answer = answer
        if inner is not None:
            self.is_async = inner.is_async
            before = inner.run

            def run(txn: Transaction) -> Outcome | None:
                outcome = before(txn)
                return (answer(txn) or outcome) if outcome is None or outcome is ALLOW else outcome

            self.run = run

    def after(self, act: Action) -> Ruleset:
        """The same with something done before the rules."""
        return _Followed(preceded(act, self._inner), self._answer)

    async def run_async(self, txn: Transaction) -> Outcome | None:
        """Walk the rules, waiting where one does; then look whether the page is asked for."""
        outcome = await self._inner.run_async(txn) if self._inner is not None else None
        return (self._answer(txn) or outcome) if outcome is None or outcome is ALLOW else outcome


def followed(rules: Ruleset | None, model: Proxy, settings: StatsPage, runtime: Runtime) -> Ruleset:
    """A section's rules, and behind them its look at header names and its statistics page.

    Raises:
        CompileError: for something in its rules that can't be run.
    """
    page = Page(model, settings, runtime).answer
    names = field_names(model, runtime.env(model))
    return _Followed(rules, page if names is None else lambda txn: names(txn) or page(txn))
