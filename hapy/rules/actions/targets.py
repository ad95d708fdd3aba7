"""Actions on the request line (configuration manual, 4.2: http-request set-path and its kin)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hapy.http.message import Request
from hapy.rules.actions.headers import _replacement
from hapy.rules.registry import REQUEST, Action, Arguments, action
from hapy.samples import regexes, targets

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction


def _set_path(request: Request, path: bytes) -> None:
    """A new path; scheme, authority and query string stay."""
    target = request.target
    if target == b"*":
        request.target = path
        return
    _, mark, query = (targets.path_and_query(target) or b"").partition(b"?")
    request.target = targets.origin(target) + path + mark + query


def _set_pathq(request: Request, text: bytes) -> None:
    """A new path and query string; scheme and authority stay."""
    request.target = text if request.target == b"*" else targets.origin(request.target) + text


def _set_query(request: Request, query: bytes) -> None:
    """A new query string; a question mark that was there stays."""
    before, mark, _ = request.target.partition(b"?")
    request.target = before + b"?" + query if mark or query else before


def set_uri(request: Request, uri: bytes) -> None:
    """A new target; Host follows its authority."""
    request.target = uri
    authority = targets.authority(uri)
    if authority:
        for index, (key, _) in enumerate(request.headers):
            if key == b"host":
                request.headers[index] = (key, authority)
                return
        request.headers.insert(0, (b"host", authority))


def _set_method(request: Request, method: bytes) -> None:
    request.method = method


def _rewrite(name: str, change: Callable[[Request, bytes], None]) -> None:
    """Register an action that puts a rendered format into the request line."""

    def build(args: Arguments) -> Action:
        render = args.format()

        def act(txn: Transaction) -> None:
            request = txn.request
            if request is not None:
                change(request, render(txn))

        return act

    action(name, REQUEST)(build)


_rewrite("set-path", _set_path)
_rewrite("set-pathq", _set_pathq)
_rewrite("set-query", _set_query)
_rewrite("set-uri", set_uri)
_rewrite("set-method", _set_method)


def _replace(name: str, read: Callable[[bytes], bytes | None], change: Callable[[Request, bytes], None]) -> None:
    """Register an action that replaces a part of the target when it matches."""

    def build(args: Arguments) -> Action:
        search = regexes.compile_regex(args.text("regex")).search
        replacement = _replacement(args, "format")

        def act(txn: Transaction) -> None:
            request = txn.request
            text = None if request is None else read(request.target)
            match = None if text is None else search(text)
            if request is not None and match is not None:
                change(request, replacement(txn)(match))

        return act

    action(name, REQUEST)(build)


_replace("replace-path", targets.path, _set_path)
_replace("replace-pathq", targets.path_and_query, _set_pathq)
_replace("replace-uri", lambda target: target, set_uri)
