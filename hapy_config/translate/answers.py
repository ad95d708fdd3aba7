"""Answers that a proxy gives by itself, taken apart for other proxies' words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from hapy_config.model.expressions import LogFormat
from hapy_config.model.proxy import ErrorPage, Proxy
from hapy_config.model.rules import HttpReply, Redirect, Rule
from hapy_config.translate.flow import Lookup, Piece, Subject, Untranslatable, pieces

#: Redirects that HAProxy lets nobody keep.
_NOT_KEPT: Final = frozenset({302, 303, 307})
#: Of rules that ask for passwords.
IN_CLEAR: Final = "the passwords stand in what was written, as a client sends them (base64)"
#: Of rules that drop connections without telling the client.
SEEN_DROP: Final = "silent-drop: the client sees that its connection is closed"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: its status.
        content_type: empty where none is told.
        pieces: the body; None for the target's own page of that status.
        headers: names and values.
        location: where a redirect leads.
        kept: it may be kept in caches; HAProxy's own pages and most of its redirects say that they may not.
    """

    status: int
    content_type: str = ""
    pieces: tuple[Piece, ...] | None = None
    headers: tuple[tuple[str, tuple[Piece, ...]], ...] = ()
    location: tuple[Piece, ...] | None = None
    kept: bool = True

    @property
    def told(self) -> tuple[tuple[str, tuple[Piece, ...]], ...]:
        """The headers with what HAProxy says to caches."""
        return self.headers if self.kept else (*self.headers, ("Cache-Control", ("no-cache",)))

    @property
    def body(self) -> tuple[Piece, ...]:
        """The body; of the proxy's own pages a text like HAProxy's."""
        if self.pieces is not None:
            return self.pieces
        return (page(self.status),)


def page(status: int) -> str:
    """A plain page for a status, in the form that HAProxy's own have."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"<html><body><h1>{status} {phrase}</h1>\n</body></html>\n"


def own_page(status: int, *headers: tuple[str, tuple[Piece, ...]], text: str | None = None) -> Answer:
    """A page of HAProxy's own; `text` in place of the target's."""
    return Answer(status, "text/html", None if text is None else (text,), headers, kept=False)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Untranslatable("its body is no text") from None


def answer_of(reply: HttpReply, default: int, proxy: Proxy) -> Answer:
    """The answer of `return`, `deny` or `tarpit`; `default` is the status where none is written.

    Raises:
        Untranslatable: its parts can't be had elsewhere.
    """
    status = reply.status or default
    headers = tuple((name, pieces(value)) for name, value in reply.headers)
    if reply.errorfile is not None:
        return raw_answer(reply.errorfile)
    if reply.errorfiles is not None:
        raise Untranslatable(f"the pages of 'http-errors {reply.errorfiles}' are not at hand")
    if reply.body_format is not None:
        return Answer(status, reply.content_type or "", pieces(reply.body_format), headers)
    if reply.body is not None:
        return Answer(status, reply.content_type or "", (_text(reply.body),), headers)
    own = proxy.error_pages.get(status)
    if reply.default_errorfiles and own is not None:
        return page_answer(own, proxy)
    if not reply.default_errorfiles:  # a status of its own comes without a page
        return Answer(status, "", ("",), headers)
    return own_page(status, *headers)


def page_answer(own: ErrorPage, proxy: Proxy) -> Answer:
    """The answer of an error page of one's own.

    Raises:
        Untranslatable: as for `answer_of`.
    """
    if own.location is not None:
        return Answer(own.location_code, "", ("",), (), (own.location,), kept=False)
    if own.raw is not None:
        return raw_answer(own.raw)
    if own.reply is not None:
        found = answer_of(own.reply, own.status, proxy)
        return Answer(own.status, found.content_type, found.body, found.headers, kept=found.kept)
    return own_page(own.status)


def raw_answer(raw: bytes) -> Answer:
    """A whole HTTP answer, as `errorfile` gives it.

    Raises:
        Untranslatable: it is empty, which closes the connection, or no text.
    """
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    first, *rest = head.decode("latin-1").split("\n")
    words = first.split()
    if len(words) < 2 or not words[1].isdecimal():
        raise Untranslatable("its file holds no HTTP answer")
    content_type, location = "", None
    headers = []
    for line in rest:
        name, _, value = line.partition(":")
        lower = name.strip().lower()
        if lower == "content-type":
            content_type = value.strip()
        elif lower == "location":
            location = (value.strip(),)
        elif lower not in ("content-length", "connection", "transfer-encoding", "date"):
            headers.append((name.strip(), (value.strip(),)))
    return Answer(int(words[1]), content_type, (_text(body),), tuple(headers), location)


def asking(realm: object) -> Answer:
    """The answer that asks for a name and a password."""
    return own_page(401, ("WWW-Authenticate", (f'Basic realm="{realm}"',)))


def formats_of(rule: Rule) -> Iterator[LogFormat]:
    """The format strings of a rule."""
    for value in rule.arguments.values():
        if isinstance(value, LogFormat):
            yield value
        elif isinstance(value, Redirect):
            yield value.target
        elif isinstance(value, HttpReply):
            yield from (text for _, text in value.headers)
            if value.body_format is not None:
                yield value.body_format


def redirect_answer(redirect: Redirect) -> Answer:
    """Where a redirect leads, and the cookies it sets.

    Raises:
        Untranslatable: its target can't be had elsewhere.
    """
    target = pieces(redirect.target)
    whole = Subject("path" if redirect.drop_query else "url")
    slash = Lookup(whole, "rewrite", (("^(.*[^/])$", "\\1/"),))
    asked = slash if redirect.append_slash else whole
    if redirect.kind == "prefix":
        target = (*(() if target == ("/",) else target), asked)
    elif redirect.kind == "scheme":
        target = (*target, "://", Subject("host"), asked)
    headers: list[tuple[str, tuple[Piece, ...]]] = []
    if redirect.set_cookie is not None:
        headers.append(("Set-Cookie", (f"{redirect.set_cookie}; path=/;",)))
    if redirect.clear_cookie is not None:
        headers.append(("Set-Cookie", (f"{redirect.clear_cookie}; path=/; Max-Age=0;",)))
    return Answer(redirect.code, "", ("",), tuple(headers), target, kept=redirect.code not in _NOT_KEPT)
