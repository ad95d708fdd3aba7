"""What two requests must share to share a connection. Compared by value, so that no collision can mix two of them."""

from __future__ import annotations

from typing import NamedTuple


class ConnectionKey(NamedTuple):
    """The identity of a server connection (section "http-reuse" of the manual tells the same in words).

    The server itself is not in it: each server has its own pool. The server line fixes TLS settings, ALPN and
    certificates, so these need no place here either.

    Attributes:
        generation: counts the server's addresses; a connection to an address it had before can't match.
        name: the value of `pool-conn-name`, else of `sni`, else None.
        host: the destination where it isn't the server's own (transparent mode, `set-dst`), else None.
        port: the destination port where the server line maps ports, else 0.
        source: the local address bound by `source`, else None.
        source_port: the local port bound by `source`, else 0.
        proxy_header: the whole PROXY header that the connection starts with, else empty: with it a connection
            belongs in practice to one client address and port.
        mark: the firewall mark, else 0. tos: the TOS/DSCP byte, else 0.
        namespace: the client's network namespace where the connection leaves from that, else None.
    """

    generation: int
    name: bytes | None = None
    host: bytes | None = None
    port: int = 0
    source: bytes | None = None
    source_port: int = 0
    proxy_header: bytes = b""
    mark: int = 0
    tos: int = 0
    namespace: str | None = None
