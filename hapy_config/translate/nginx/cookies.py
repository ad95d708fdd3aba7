"""Clients that a cookie ties to servers: an `upstream` for each server, where the others stand by, and the cookie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from hapy_config.model.proxy import Cookie, Proxy
from hapy_config.model.server import Server
from hapy_config.translate.flow import Subject, Untranslatable
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.nginx.servers import place, upstream
from hapy_config.translate.nginx.text import literal, upstream_name
from hapy_config.translate.nginx.variables import Variables, escaped

#: HAProxy takes them out wherever a backend has `cookie`.
_BLANKS: Final = "; blanks around '=' stay in Cookie"
_GONE: Final = "Expires=Thu, 01-Jan-1970 00:00:01 GMT; "


def tied(proxy: Proxy) -> Mapping[str, Server]:
    """The servers of a backend by the value that a cookie has for them; none where no cookie ties clients.

    Raises:
        Untranslatable: nginx can't do what the cookie is to do.
    """
    cookie = proxy.cookie
    if cookie is None or proxy.mode != "http" or len(proxy.servers) < 2:
        return {}
    if cookie.mode not in ("insert", "") or cookie.postonly or cookie.dynamic:
        word = "postonly" if cookie.postonly else "dynamic" if cookie.dynamic else cookie.mode
        raise Untranslatable(f"nginx has nothing like '{word}'")
    found: dict[str, Server] = {}
    for server in proxy.servers:
        if server.address.family not in ("ipv4", "ipv6", "unix") or (
            server.address.family != "unix" and (server.address.port is None or server.address.port_offset)
        ):
            raise Untranslatable(f"nginx tells servers apart by addresses, and '{server.name}' has none of its own")
        if server.cookie is not None:
            found.setdefault(server.cookie, server)
    if len({place(server.address) for server in proxy.servers}) < len(proxy.servers):
        raise Untranslatable("nginx tells servers apart by addresses, and two have the same")
    return found


def tied_upstreams(ledger: Ledger, proxy: Proxy, variables: Variables) -> list[str]:
    """An `upstream` for each server that a cookie may name: it, and the others where it fails."""
    try:
        servers = list(tied(proxy).values())
    except Untranslatable:
        return []
    lines: list[str] = []
    for number, server in enumerate(servers, 1):
        lines += ["", *upstream(ledger, proxy, variables, stream=False, first=server, number=number)]
    return lines


def target(ledger: Ledger, proxy: Proxy, variables: Variables) -> tuple[str, list[tuple[str, str]]]:
    """What `proxy_pass` names, and the headers that answers get: names and values, empty where there is none to tell.

    The note about a cookie that can't be had is written here.
    """
    own = upstream_name(proxy.name)
    span = ledger.line(proxy, "cookie")
    try:
        servers = tied(proxy)
        cookie = proxy.cookie
        if not servers or cookie is None:
            if cookie is not None:
                ledger.near(
                    span,
                    f"'{proxy.name}': no cookie is needed where there is nothing to choose from: answers get none"
                    f"{_untouched(cookie)}",
                )
            return own, []
        if "cookie" in variables.changed:
            raise Untranslatable("rules change the cookies of requests")
    except Untranslatable as reason:
        text = f"clients are not tied to servers by a cookie: {reason}{_untouched(proxy.cookie)}"
        ledger.lost(span, f"'{proxy.name}': {text}")
        return own, []
    given = variables.value(Subject("cookie", cookie.name))
    choices = [(f"~^{escaped(value)}$", f"{own}_by_cookie_{number}") for number, value in enumerate(servers, 1)]
    chosen = variables.map(given, choices, own, f"to_{proxy.name}")
    if not cookie.mode:
        text = "; a cookie of that name that a server sets is sent" if cookie.indirect else ""
        ledger.near(span, f"'{proxy.name}': a server that fails is left for the next one at once{text}{_BLANKS}")
        return chosen, []
    ledger.near(span, f"'{proxy.name}': a cookie of that name that a server sets is sent, too{_BLANKS}")
    for word, seconds in (("maxidle", cookie.max_idle), ("maxlife", cookie.max_life)):
        if seconds:
            ledger.lost(span, f"'{proxy.name}': '{word}' was left out: the cookie has no age in nginx")
    told = variables.map(f"{given} $upstream_addr", list(_values(proxy)), "", cookie.name)
    headers = [("Set-Cookie", told)]
    if cookie.nocache:
        headers.append(("Cache-Control", variables.map(told, [("", "")], "private", "private")))
    return chosen, headers


def _untouched(cookie: Cookie | None) -> str:
    """What is told of cookies that pass as they are, where HAProxy edits them."""
    if cookie is None:
        return ""
    edited = "; server names in front of its value are neither set nor taken away" if cookie.mode == "prefix" else ""
    return edited + _BLANKS


def _values(proxy: Proxy) -> Iterator[tuple[str, str]]:
    """By what the client's cookie says and which server answered: the cookie that the client gets."""
    cookie = proxy.cookie
    assert cookie is not None
    tail = "; ".join(
        (
            "path=/",
            *(f"domain={domain}" for domain in cookie.domains),
            *(["HttpOnly"] if cookie.httponly else []),
            *(["Secure"] if cookie.secure else []),
            *cookie.attributes,
        )
    )
    for server in proxy.servers:
        at = rf"(?:.*[, ])?{escaped(place(server.address))}$"
        if server.cookie is None:
            yield f"~^ {at}", ""
            yield f"~ {at}", literal(f"{cookie.name}=; {_GONE}{tail}")
        else:
            yield f"~^{escaped(server.cookie)} {at}", ""
            yield f"~ {at}", literal(f"{cookie.name}={server.cookie}; {tail}")


def without(proxy: Proxy, variables: Variables, before: str) -> str:
    """The header `Cookie` for servers that never see the cookie; `before` where it is not to be taken out."""
    cookie = proxy.cookie
    if cookie is None or cookie.mode != "insert" or not cookie.indirect:
        return before
    name = rf"{escaped(cookie.name)}\s*="
    lines = [
        (rf"~^\s*{name}[^;]*;?\s*$", ""),
        (rf"~^\s*{name}[^;]*;\s*(?<hapy_rest>.+)$", "$hapy_rest"),
        (rf"~^(?<hapy_first>.*?)\s*;\s*{name}[^;]*(?:;\s*(?<hapy_last>.+))$", "$hapy_first; $hapy_last"),
        (rf"~^(?<hapy_first>.*?)\s*;\s*{name}[^;]*$", "$hapy_first"),
    ]
    return variables.map(before, lines, before, "cookies")
