"""The request that a walk is asked about: from the words of a command line to what a client would send."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hapy_config.words import to_bytes

#: The address of a client of whom nothing was said (RFC 5737).
DEFAULT_SOURCE: Final = "192.0.2.1"

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
#: Words that are no hosts where they stand alone.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"})
_VERSIONS: Final = {"HTTP/1.0": b"HTTP/1.0", "HTTP/1.1": b"HTTP/1.1"}


class RequestError(ValueError):
    """What was asked about is no request."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        tls: it comes through TLS. host: the name in its URL, empty for none.
        port: the port that its client connects to, None where the URL leaves it open.
        source: the client's address as text.
        head: request line and fields as they go out on the wire. body: what follows.
    """

    tls: bool
    host: str
    port: int | None
    source: str
    head: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        """The bytes that the client sends."""
        return self.head + self.body


def asked(text: str, *, headers: Sequence[str] = (), source: str | None = None, body: str = "") -> Asked:
    """Read a request.

    Args:
        text: `[METHOD] URL [HTTP/1.0]`; the URL may lack scheme and host.
        headers: `Name: value` each. A `Host` takes the place of the URL's.
        source: the client's address.
        body: what it sends after its head.

    Raises:
        RequestError: with the reason.
    """
    words = text.split()
    version = b"HTTP/1.1"
    if words and words[-1].upper().startswith("HTTP/"):
        found = _VERSIONS.get(words.pop().upper())
        if found is None:
            raise RequestError("a request is HTTP/1.0 or HTTP/1.1")
        version = found
    if not 1 <= len(words) <= 2 or (len(words) == 1 and words[0] in _METHODS):
        raise RequestError(f"'{text[:80]}' is no request; write for example: GET https://shop.example/cart")
    method = words[0] if len(words) == 2 else "GET"
    parts = _split(words[-1])
    fields = [_field(line) for line in headers]
    names = {name.lower() for name, _ in fields}
    if parts.netloc and b"host" not in names:
        fields.insert(0, (b"Host", to_bytes(parts.netloc.rpartition("@")[2])))
    content = to_bytes(body)
    if content and not names & {b"content-length", b"transfer-encoding"}:
        fields.append((b"Content-Length", b"%d" % len(content)))
    target = _target(words[-1])
    lines = [b" ".join((to_bytes(method), to_bytes(target), version)), *(b": ".join(field) for field in fields)]
    return Asked(
        tls=parts.scheme == "https",
        host=parts.hostname or "",
        port=parts.port or (_DEFAULT_PORTS[parts.scheme] if parts.scheme else None),
        source=_address(source or DEFAULT_SOURCE),
        head=b"\r\n".join(lines) + b"\r\n\r\n",
        body=content,
    )


def _target(url: str) -> str:
    """What stands in the request line, to the letter: a `?` with nothing behind it, `//` and all."""
    url = url.partition("#")[0]
    if url.startswith(("/", "*")):
        return url
    rest = url.partition("://")[2] if "://" in url else url
    begin = min((place for place in (rest.find("/"), rest.find("?")) if place >= 0), default=len(rest))
    target = rest[begin:]
    return target if target.startswith("/") else f"/{target}"


def _split(url: str) -> SplitResult:
    if url.startswith(("/", "*")):
        return SplitResult("", "", url, "", "")
    if "://" not in url:
        url = f"//{url}"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise RequestError(f"'{url}' is no URL: {error}") from None
    if parts.scheme not in ("", "http", "https"):
        raise RequestError(f"'{url}': only http and https are served")
    return parts


def _field(line: str) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(":")
    if not colon or not name or name != name.strip():
        raise RequestError(f"'{line}' is no header field; write Name: value")
    return to_bytes(name), to_bytes(value.strip())


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise RequestError(f"'{text}' is no IP address") from None
