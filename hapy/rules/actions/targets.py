"""Actions on the request line (configuration manual, 4.2: http-request set-path and its kin)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hapy.http.message import Request
from hapy.http.target import named_authority
from hapy.rules.actions.headers import _replacement, failure
from hapy.rules.registry import REQUEST, Action, Arguments, action
from hapy.samples import regexes, targets

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy.rules.outcomes import Outcome


def _set_path(request: Request, path: bytes) -> bool:
    """A new path; the query string stays, and so does the origin of a URL that has a path."""
    target = request.target
    rest = targets.path_and_query(target)
    _, mark, query = (target if rest is None else rest).partition(b"?")
    request.target = targets.origin(target) + path + mark + query
    return True


def _set_pathq(request: Request, text: bytes) -> bool:
    """A new path and query string; the origin of a URL that has a path stays."""
    request.target = targets.origin(request.target) + text
    return True


def _set_query(request: Request, query: bytes) -> bool:
    """A new query string; a question mark that was there stays."""
    before, mark, _ = request.target.partition(b"?")
    request.target = before + b"?" + query if mark or query else before
    return True


def _set_uri(request: Request, uri: bytes) -> bool:
    """A new target; Host, where there is one, follows its authority. False where it has to name one and names none."""
    request.target = uri
    if uri[:1] in (b"/", b"*"):
        return True
    authority = named_authority(uri)
    if not authority:
        return False
    for index, (key, _) in enumerate(request.headers):
        if key == b"host":
            request.headers[index] = (key, authority)
            break
    return True


def _set_method(request: Request, method: bytes) -> bool:
    request.method = method
    return True


def _rewrite(name: str, change: Callable[[Request, bytes], bool]) -> None:
    """Register an action that puts a rendered format into the request line; `change` tells whether it could."""

    def build(args: Arguments) -> Action:
        render, failed = args.format(), failure(args)

        def act(txn: Transaction) -> Outcome | None:
            request = txn.request
            return None if request is None or change(request, render(txn)) else failed

        return act

    action(name, REQUEST)(build)


_rewrite("set-path", _set_path)
_rewrite("set-pathq", _set_pathq)
_rewrite("set-query", _set_query)
_rewrite("set-uri", _set_uri)
_rewrite("set-method", _set_method)


def _replace(name: str, read: Callable[[bytes], bytes | None], change: Callable[[Request, bytes], bool]) -> None:
    """Register an action that replaces a part of the target when it matches."""

    def build(args: Arguments) -> Action:
        search = regexes.compile_regex(args.text("regex")).search
        replacement, failed = _replacement(args, "format"), failure(args)

        def act(txn: Transaction) -> Outcome | None:
            request = txn.request
            text = None if request is None else read(request.target)
            match = None if text is None else search(text)
            if request is None or match is None or change(request, replacement(txn)(match)):
                return None
            return failed

        return act

    action(name, REQUEST)(build)


_replace("replace-path", targets.path, _set_path)
_replace("replace-pathq", targets.path_and_query, _set_pathq)
_replace("replace-uri", lambda target: target, _set_uri)
