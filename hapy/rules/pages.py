"""Answers that rules and error pages give: parsed once, built per request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.http import errors
from hapy.http.errors import Page
from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.formats import compile_format
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.http.message import Header, Response
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.proxy import ErrorPage, Proxy
    from hapy_config.model.rules import HttpReply

#: Builds an answer's head and body; None: nothing is sent, the connection is closed.
Builder = Callable[["Transaction"], "tuple[Response, bytes] | None"]
#: Gives the page that answers one transaction.
PageOf = Callable[["Transaction"], "Page | None"]

#: `hdr` fields that an answer gets from its body and its connection alone.
_OWN_FIELDS: Final = frozenset({b"content-length", b"content-type", b"transfer-encoding", b"connection"})


class ErrorPages:
    """The error pages of all sections: a backend's come before its frontend's, and HAProxy's own last."""

    __slots__ = ("_env", "_pages")

    def __init__(self, env: CompileEnv) -> None:
        self._env = env
        self._pages: dict[tuple[int, int], PageOf | None] = {}

    def page(self, txn: Transaction, status: int) -> Page | None:
        """The page for a status; None where an empty errorfile says to close without a word."""
        for model in (txn.backend.model, txn.frontend.model):
            if status in model.error_pages:
                page_of = self._compiled(model, status)
                if page_of is not None:
                    return page_of(txn)
        return errors.BUILTIN[status]

    def build(self, txn: Transaction, status: int, extra: tuple[Header, ...] = ()) -> tuple[Response, bytes] | None:
        """The answer for a status: a fresh head and the body to send behind it; None to close without a word."""
        page = self.page(txn, status)
        return None if page is None else page.build(_method(txn), extra)

    def _compiled(self, model: Proxy, status: int) -> PageOf | None:
        key = (id(model), status)
        if key not in self._pages:
            self._pages[key] = compile_page(model.error_pages[status], self._env)
        return self._pages[key]


def error_pages(env: CompileEnv) -> ErrorPages:
    """The error pages of an environment's configuration, shared by all that is compiled with it."""
    pages = env.shared.get("error pages")
    if pages is None:
        pages = env.shared["error pages"] = ErrorPages(env)
    assert isinstance(pages, ErrorPages)
    return pages


def compile_page(page: ErrorPage, env: CompileEnv) -> PageOf:
    """A configured error page: `errorfile`, `errorloc` or `http-error`.

    Raises:
        CompileError: when the file isn't a whole answer.
    """
    if page.reply is not None:
        return compile_reply_page(page.reply, page.status, env)
    try:
        parsed = errors.configured_page(page)
    except ValueError as error:
        raise CompileError(f"the page of status {page.status} is not an HTTP answer: {error}") from None
    return lambda txn: parsed


def _method(txn: Transaction) -> bytes:
    return txn.method or b"GET"


def _raw(raw: bytes) -> PageOf:
    try:
        parsed = errors.parse_errorfile(raw)
    except ValueError as error:
        raise CompileError(f"the errorfile is not an HTTP answer: {error}") from None
    return lambda txn: parsed


def compile_reply_page(reply: HttpReply, status: int, env: CompileEnv) -> PageOf:
    """The page that an `HttpReply` describes.

    Args:
        reply: the description.
        status: what it answers with when it names no status.
        env: the surroundings.

    Raises:
        CompileError: for an expression that does not run or a file that isn't an answer.
    """
    status = reply.status or status
    if reply.errorfile is not None:
        return _raw(reply.errorfile)
    if reply.errorfiles is not None:
        section = env.config.http_errors.get(reply.errorfiles, {})
        if status not in section:
            raise CompileError(f"http-errors section '{reply.errorfiles}' has no page for status {status}")
        return _raw(section[status])
    if reply.default_errorfiles:
        pages = error_pages(env)
        return lambda txn: pages.page(txn, status)
    content_type = to_bytes(reply.content_type) if reply.content_type else None
    fields = [
        (name, compile_format(fmt, env))
        for name, fmt in ((to_bytes(name).lower(), fmt) for name, fmt in reply.headers)
        if name not in _OWN_FIELDS
    ]
    keep_alive = not any(
        name.lower() == "connection" and (fmt.constant or "").lower() == "close" for name, fmt in reply.headers
    )
    if reply.body_format is not None and reply.body_format.constant is None:
        render = compile_format(reply.body_format, env)
    else:
        body = reply.body or b""
        if reply.body_format is not None:
            body = to_bytes(reply.body_format.constant or "")
        if not fields:
            page = _with_connection(errors.reply_page(status, (), content_type, body), keep_alive=keep_alive)
            return lambda txn: page
        render = _constant(body)

    def page_of(txn: Transaction) -> Page:
        headers = [(name, text) for name, value in fields if (text := value(txn))]
        built = errors.reply_page(status, headers, content_type, render(txn))
        return _with_connection(built, keep_alive=keep_alive)

    return page_of


def _constant(body: bytes) -> Callable[[Transaction], bytes]:
    return lambda txn: body


def _with_connection(page: Page, *, keep_alive: bool) -> Page:
    if keep_alive:
        return page
    return Page(page.status, page.reason, page.headers, page.body, page.version, keep_alive=False)


def builder(page_of: PageOf) -> Builder:
    """The builder of an answer from its page."""

    def build(txn: Transaction) -> tuple[Response, bytes] | None:
        page = page_of(txn)
        return None if page is None else page.build(_method(txn))

    return build
