"""The request line in logs and its parts: what its first bytes hold (`tune.http.logurilen`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.samples import targets
from hapy.samples.formats.aliases import BAD_REQUEST, Alias
from hapy.samples.formats.escapes import encode_line

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

#: Of a request line so many bytes are kept where nothing is said.
LENGTH: Final = targets.LINE_LENGTH


def aliases(length: int) -> dict[str, Alias]:
    """The variables that show the request line as received, of which `length` bytes are kept."""

    def line(txn: Transaction) -> bytes:
        method = txn.method
        if not method:
            return BAD_REQUEST
        version = txn.version
        if version == 11:
            text = method + b" " + txn.uri + b" HTTP/1.1"
        elif version == 10:
            text = b"%b %b HTTP/1.0" % (method, txn.uri)
        else:
            text = b"%b %b HTTP/%d.%d" % (method, txn.uri, version // 10, version % 10)
        return encode_line(text if len(text) <= length else text[:length])

    def target(txn: Transaction) -> bytes:
        return targets.kept(txn.uri, txn.method, length)

    def whole(txn: Transaction) -> bytes:
        return encode_line(target(txn)) if txn.method else BAD_REQUEST

    def path(txn: Transaction) -> bytes:
        return encode_line(target(txn).partition(b"?")[0]) if txn.method else BAD_REQUEST

    def path_only(txn: Transaction) -> bytes:
        return encode_line(targets.path(target(txn)) or b"") if txn.method else BAD_REQUEST

    def query(txn: Transaction) -> bytes:
        if not txn.method:
            return BAD_REQUEST
        _, mark, text = target(txn).partition(b"?")
        return encode_line(mark + text)

    def version(txn: Transaction) -> bytes:
        if not txn.method:
            return BAD_REQUEST
        room = length - len(txn.method) - len(txn.uri) - 2
        if room <= 0:
            return b"HTTP/0.9"  # as if none had come
        return (b"HTTP/%d.%d" % (txn.version // 10, txn.version % 10))[:room]

    ways = {"HP": path, "HPO": path_only, "HQ": query, "HU": whole, "HV": version, "r": line}
    return {name: Alias(read, "sure", http=True) for name, read in ways.items()}
