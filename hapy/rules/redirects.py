"""Redirects: `redirect` lines and the `redirect` actions (configuration manual, 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hapy.http.errors import redirect_page
from hapy.http.message import first_value
from hapy.rules.outcomes import Outcome, Reply
from hapy.samples import targets
from hapy.samples.environment import CompileEnv
from hapy.samples.formats import compile_format
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.http.message import Response
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.rules import Redirect


def _rest(redirect: Redirect) -> Callable[[bytes], bytes]:
    """What of the request's target a prefix or scheme redirect keeps."""
    drop_query, append_slash = redirect.drop_query, redirect.append_slash

    def rest(target: bytes) -> bytes:
        found = (targets.path(target) if drop_query else targets.path_and_query(target)) or b"/"
        return found + b"/" if append_slash and not found.endswith(b"/") else found

    return rest


def _location(redirect: Redirect, env: CompileEnv) -> Callable[[Transaction], bytes]:
    """The URL that a redirect sends the client to."""
    render = compile_format(redirect.target, env)
    if redirect.kind == "location":
        return render
    rest = _rest(redirect)
    if redirect.kind == "prefix":
        if redirect.target.constant == "/":  # on its own it adds nothing
            return lambda txn: rest(_target(txn))
        return lambda txn: render(txn) + rest(_target(txn))

    def scheme(txn: Transaction) -> bytes:
        host = first_value(txn.request.headers, b"host") if txn.request is not None else None
        return render(txn) + b"://" + (host or b"") + rest(_target(txn))

    return scheme


def _target(txn: Transaction) -> bytes:
    return txn.request.target if txn.request is not None else b"/"


def _cookie(redirect: Redirect) -> bytes | None:
    if redirect.set_cookie is not None:
        return to_bytes(redirect.set_cookie) + b"; path=/;"
    if redirect.clear_cookie is not None:
        return to_bytes(redirect.clear_cookie) + b"; path=/; Max-Age=0;"
    return None


@dataclass(frozen=True, slots=True)
class _Answer:
    """Builds the answer from the URL that was worked out when the rule ran.

    As in HAProxy, the client's connection ends after the redirect of a request with a body.
    """

    code: int
    url: bytes
    cookie: bytes | None
    of_request: bool

    def __call__(self, txn: Transaction) -> tuple[Response, bytes]:
        response, body = redirect_page(self.code, self.url, self.cookie).build(txn.method or b"GET")
        if self.of_request and txn.request is not None and txn.request.body != 0:
            response.keep_alive = False
        return response, body


def compile_redirect(redirect: Redirect, env: CompileEnv) -> Callable[[Transaction], Outcome | None]:
    """The action of a redirect; None from it (an empty location with `ignore-empty`) lets the request go on.

    Raises:
        CompileError: for an expression that does not run.
    """
    locate, cookie = _location(redirect, env), _cookie(redirect)
    ignore_empty = redirect.kind == "location" and redirect.ignore_empty and redirect.target.constant is None
    rendered = compile_format(redirect.target, env)
    of_request = not env.response
    phase = "R" if of_request else "H"

    def act(txn: Transaction) -> Outcome | None:
        if ignore_empty and not rendered(txn):
            return None
        answer = _Answer(redirect.code, locate(txn), cookie, of_request)
        return Reply("redirect", "redirect", redirect.code, "L", phase, answer)

    return act
