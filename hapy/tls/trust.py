"""What clients of a bind line are verified by, and which of their faults do no harm (`verify`, manual section 5.1).

Rules: what a line names is read once, for all of its certificates, those among them that are made later (even below
`chroot`). A session is taken up again only where clients are verified as they were where it began; HAProxy doesn't
look.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy.samples.environment import CompileError
from hapy.tls import openssl
from hapy.tls.settings import load_authorities, load_revocations

if TYPE_CHECKING:
    from hapy_config.source import Span
    from hapy_config.tls.versions import Options

_WORDS: Final = ("verify", "crt-ignore-err", "ca-ignore-err", "ca-file", "ca-verify-file", "crl-file")
_MODES: Final = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


class Trusts:
    """What the clients of one bind line are verified by, by the words that say so."""

    __slots__ = ("_known", "_span")

    def __init__(self, span: Span) -> None:
        self._known: dict[tuple[object, ...], Trust] = {}
        self._span = span

    def by(self, own: Options) -> Trust | None:
        """How clients are verified by the words of a line, None where they aren't.

        Raises:
            CompileError: there is nothing to trust, or it can't be read.
        """
        if own.get("verify", ("none",))[0] == "none":
            return None
        key = (*(own.get(word) for word in _WORDS), "no-ca-names" in own)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Trust(own, self._span)
        return found


class Trust:
    """What clients are verified by.

    Raises:
        CompileError: there is nothing to trust, or it can't be read.
    """

    __slots__ = ("_authority", "_leaf", "_mark", "_mode", "_span", "_store")

    def __init__(self, own: Options, span: Span) -> None:
        self._mode = _MODES[own["verify"][0]]
        self._leaf, self._authority = _ignored(own, "crt-ignore-err"), _ignored(own, "ca-ignore-err")
        self._mark = _mark(own)
        self._span = span
        self._store = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        announced = own.get("ca-file")
        trusted = own.get("ca-verify-file") or announced
        if trusted is None:
            raise CompileError("verify is enabled but no CA file specified for this bind line.", span)
        for name in {*trusted, *(announced or ())}:
            load_authorities(self._store, name, span)
        for name in own.get("crl-file", ()):
            load_revocations(self._store, name, span)
        if announced is not None and "no-ca-names" not in own and not announced[0].startswith("@"):
            path = announced[0]
            extend(lambda: openssl.announce_authorities(self._store, path), "CA names", span)

    def apply(self, context: ssl.SSLContext) -> None:
        """Ask clients for certificates, and note what is wrong with them."""
        context.verify_mode = self._mode
        extend(lambda: openssl.share_authorities(context, self._store), "authorities", self._span)
        extend(lambda: openssl.watch_verification(context, self._leaf, self._authority), "verification", self._span)
        extend(lambda: openssl.separate_sessions(context, self._mark), "the mark of sessions", self._span)


def _mark(own: Options) -> bytes:
    """What clients were verified by: a session that began under other rules, or none, does not stand in for it.

    Tickets under keys that several lines share would else let clients in without the certificate that one line wants.
    """
    mark = sha256()
    for word in _WORDS:
        for value in own.get(word, ()):
            mark.update(f"{word} {value}\0".encode("utf-8", "surrogateescape"))
            file = Path(value)
            if word.endswith("-file") and file.is_file():
                mark.update(file.read_bytes())
    return mark.digest()


def _ignored(own: Options, word: str) -> frozenset[int] | None:
    """The errors that do no harm, None for all."""
    text = own.get(word, ("",))[0]
    if text == "all":
        return None
    return frozenset(int(part) for part in text.split(",") if part.isdigit())


def extend(act: Callable[[], None], what: str, span: Span) -> None:
    """Do what needs the library itself.

    Raises:
        CompileError: it is out of reach.
    """
    try:
        act()
    except openssl.Unavailable as error:
        raise CompileError(f"{what} can't be set here: {error}", span) from error
