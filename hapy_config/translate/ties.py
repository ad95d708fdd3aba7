"""What ties clients to servers, for proxies that have no tables: an address may become a hash, a cookie another one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hapy_config.model.proxy import Balance, Cookie, Proxy
from hapy_config.translate.flow import Untranslatable

if TYPE_CHECKING:
    from hapy_config.translate.ledger import Ledger


def balance_of(ledger: Ledger, proxy: Proxy) -> Balance:
    """How a backend's servers are picked where `stick on src` alone keeps clients there: by a hash of their address.

    Both send all requests of a client to one server; which one it is, and what becomes of a client whose server
    comes back, differs. Whatever else a table holds can't be had, and its lines are told as lost.
    """
    rules = [words for words in proxy.settings if words[0] == "stick"]
    if rules != [("stick", "on", "src")] or len(proxy.servers) < 2 or not proxy.is_backend:
        return proxy.balance
    tied = "clients keep to a server by a hash of their address instead of a table"
    for words in (("stick-table",), ("stick",)):
        ledger.near(ledger.line(proxy, *words), f"'{proxy.name}': {tied}")
    return replace(proxy.balance, algorithm="source", argument="", options={}, expression=None)


def inserted_cookie(ledger: Ledger, proxy: Proxy) -> Cookie | None:
    """The cookie that the proxy itself gives to clients of a backend in mode http; None where there is none.

    What a proxy that makes the cookie by itself can't say is told as lost.

    Raises:
        Untranslatable: there is one, but it is the application's own.
    """
    cookie = proxy.cookie
    if cookie is None or len(proxy.servers) < 2 or proxy.mode != "http":
        return None
    if cookie.mode != "insert":
        raise Untranslatable("the cookie is the application's, and its values can't be read or changed there")
    if cookie.postonly:
        raise Untranslatable("'postonly' has no counterpart")
    for word, given in (("maxidle", cookie.max_idle), ("maxlife", cookie.max_life)):
        if given:
            ledger.lost(ledger.line(proxy, "cookie"), f"'{proxy.name}': '{word}' was left out: the cookie has no age")
    return cookie
