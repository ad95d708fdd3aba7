"""Actions that answer the client themselves (configuration manual, 4.2: deny, return, redirect, tarpit, auth)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.http.errors import Page
from hapy.rules.outcomes import Outcome, Reply, Tarpit
from hapy.rules.pages import builder, compile_reply_page, error_pages
from hapy.rules.redirects import compile_redirect
from hapy.rules.registry import REQUEST, RESPONSE, Action, Arguments, action
from hapy.samples.fetches.logins import asks_a_proxy
from hapy_config.model.rules import HttpReply, Redirect
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.http.message import Header, Response
    from hapy.proxy.transaction import Transaction


def _reply(args: Arguments, kind: str, status: int, cause: str, phase: str) -> Reply:
    """The outcome that sends what the rule describes."""
    described = args.rule.arguments.get("reply")
    assert isinstance(described, HttpReply)
    build = builder(compile_reply_page(described, status, args.env))
    return Reply(args.rule.action, kind, described.status or status, cause, phase, build)


def _always(outcome: Outcome) -> Action:
    return lambda txn: outcome


@action("deny", REQUEST, RESPONSE)
def _deny(args: Arguments) -> Action:
    if args.env.response:
        return _always(_reply(args, "deny", 502, "P", "H"))
    return _always(_reply(args, "deny", 403, "P", "R"))


@action("return", REQUEST, RESPONSE)
def _return(args: Arguments) -> Action:
    return _always(_reply(args, "return", 200, "L", "H" if args.env.response else "R"))


@action("tarpit", REQUEST)
def _tarpit(args: Arguments) -> Action:
    return _always(Tarpit("tarpit", _reply(args, "deny", 500, "P", "T")))


@action("redirect", REQUEST, RESPONSE)
def _redirect(args: Arguments) -> Action:
    redirect = args.rule.arguments["redirect"]
    assert isinstance(redirect, Redirect)
    return compile_redirect(redirect, args.env)


@action("auth", REQUEST)
def _auth(args: Arguments) -> Action:
    realm = args.rule.arguments.get("realm")
    text = to_bytes(realm if isinstance(realm, str) else args.env.proxy.name)
    challenge = b'Basic realm="%b"' % text
    pages = error_pages(args.env)

    def build_for(status: int, name: bytes) -> Reply:
        field: Header = (name, challenge)

        def build(txn: Transaction) -> tuple[Response, bytes] | None:
            page = pages.page(txn, status)
            if page is None:
                return None
            kept = tuple(one for one in page.headers if one[0] != name)
            asking = Page(page.status, page.reason, kept, page.body, page.version, page.keep_alive)
            return asking.build(txn.method or b"GET", (field,))

        return Reply("auth", "auth", status, "L", "R", build)

    asked = build_for(401, b"www-authenticate")
    if not any("http-use-proxy-header" in proxy.options for proxy in args.env.config.proxies):
        return _always(asked)
    asked_as_proxy = build_for(407, b"proxy-authenticate")
    return lambda txn: asked_as_proxy if asks_a_proxy(txn) else asked
