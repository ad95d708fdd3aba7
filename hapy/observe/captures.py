"""What `capture request header`, `capture response header` and `capture cookie` keep for logs (sections 8.7, 8.8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.http.message import Header
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.proxy import Proxy

#: Keeps something of a transaction's request or answer.
Keeper = Callable[["Transaction"], None]
_Slots = tuple[tuple[bytes, int], ...]


def _fill(slots: _Slots, headers: list[Header]) -> list[bytes | None]:
    """The last field of each name, cut to its length; None where there is none or the slot is a declared one."""
    found: list[bytes | None] = [None] * len(slots)
    for index, (name, length) in enumerate(slots):
        if name:
            for key, value in headers:
                if key == name:
                    found[index] = value[:length]
    return found


def _slots(model: Proxy, direction: str) -> _Slots:
    return tuple(
        (to_bytes(capture.name).lower(), capture.length) for capture in model.captures if capture.direction == direction
    )


def request_captures(model: Proxy) -> Keeper | None:
    """Fills the request slots as soon as the request's head is there, before any rule; None without slots."""
    slots = _slots(model, "request")
    if not slots:
        return None

    def keep(txn: Transaction) -> None:
        request = txn.request
        txn.request_captures = _fill(slots, [] if request is None else request.headers)

    return keep


def response_captures(model: Proxy) -> Keeper | None:
    """Fills the response slots as soon as the server's answer is there, before any rule; None without slots.

    What rules have put into a declared slot stays.
    """
    slots = _slots(model, "response")
    if not slots:
        return None

    def keep(txn: Transaction) -> None:
        response = txn.response
        found = _fill(slots, [] if response is None else response.headers)
        for index, earlier in enumerate(txn.response_captures or ()):
            if found[index] is None:
                found[index] = earlier
        txn.response_captures = found

    return keep


def request_cookie(model: Proxy) -> Keeper | None:
    """Keeps the first request cookie that `capture cookie` means, the name's beginning; None without one.

    Blanks between a name and its value go, whoever's cookie it is. HAProxy looks for it after the http-request rules
    have let the request pass, or have denied it, not when they have answered otherwise.
    """
    capture = next((one for one in model.captures if one.direction == "cookie"), None)
    if capture is None:
        return None
    wanted, length = to_bytes(capture.name), capture.length
    from hapy.persist.fields import first_with

    def keep(txn: Transaction) -> None:
        kept: bytes | None = None
        request = txn.request
        if request is not None and any(key == b"cookie" for key, _value in request.headers):
            headers = list(request.headers)
            for index, (key, value) in enumerate(headers):
                if key == b"cookie":
                    line, found = first_with(value, wanted)
                    if kept is None and found is not None:
                        kept = found[:length]
                    if line != value:
                        headers[index] = key, line
                        request.plain_size = -1
            request.headers = headers
        txn.cookie_captures = [kept, None]

    return keep


def response_cookie(model: Proxy) -> Keeper | None:
    """Keeps the first cookie of the answer that `capture cookie` means, `Set-Cookie2` last; None without one."""
    capture = next((one for one in model.captures if one.direction == "cookie"), None)
    if capture is None:
        return None
    wanted, length = to_bytes(capture.name), capture.length
    from hapy.persist.fields import first_set

    def keep(txn: Transaction) -> None:
        kept = txn.cookie_captures or [None, None]
        response = txn.response
        if response is not None:
            headers = list(response.headers)
            for name in (b"set-cookie", b"set-cookie2"):
                for index, (key, value) in enumerate(headers):
                    if key == name:
                        line, found = first_set(key, value, wanted)
                        if kept[1] is None and found is not None:
                            kept[1] = found[:length]
                        headers[index] = key, line
            response.headers = headers
        txn.cookie_captures = kept

    return keep
