"""Whether a request may go out on a connection that stands already, and whose that may be.

The pool itself is asked: one with the server's settings is given a connection of each sort, and a request tries to take
it, once as the first of its client connection and once as a later one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy.explain.values import text, value
from hapy.pool import ConnectionKey, Pool
from hapy.proxy.upstream import IDEMPOTENT
from hapy.samples.expression import compile_expression

if TYPE_CHECKING:
    from hapy.pool.connection import Holder
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction
    from hapy.samples.environment import CompileEnv
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.server import Server as ServerModel

#: Requests that a connection has carried, and what such a one is called.
_SORTS: Final = {0: "one opened ahead", 1: "one that has carried one request", 2: "one that has carried several"}


#: The part of a key that belongs to one client connection.
PROXY_HEADER: Final = "PROXY header"


@dataclass(frozen=True, slots=True)
class Sharing:
    """What decides about it.

    Attributes:
        server: which one. model: its backend. mode: the frontend's.
        closes: the server connection ends with each answer.
        bound: the request carries credentials that belong to one connection (NTLM, Negotiate).
        told: the connection begins with a PROXY header, which tells of one client connection.
    """

    server: Server
    model: Proxy
    closes: bool
    bound: bool
    mode: str
    told: bool = False

    @property
    def shares(self) -> bool:
        """Whether it may take a connection that another client's request opened."""
        return (
            self.mode == "http"
            and not self.closes
            and not self.bound
            and not self.told
            and self.model.reuse != "never"
            and not self.server.pool.keeps_none
        )


class _Idle:
    """A connection that idles, as far as a pool looks at it."""

    def __init__(self, requests: int) -> None:
        self.key = ConnectionKey(0)
        self.requests = requests
        self.private = False
        self.holder: Holder | None = None

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


def sorts_taken(settings: Pool, *, first: bool, repeatable: bool) -> list[int]:
    """Which sorts of idle connection (by requests carried) a request may take from a pool with these settings."""
    taken = []
    for requests in _SORTS:
        pool = Pool(settings.reuse, retries_lost_requests=settings.repeats_lost_requests)
        idle = _Idle(requests)
        if requests:
            pool.reserve()
            pool.release(idle)
        else:
            pool.add_fresh(idle)
        if pool.acquire(idle.key, first, None, repeatable=repeatable) is not None:
            taken.append(requests)
    return taken


def tell_sharing(sharing: Sharing, txn: Transaction) -> tuple[str, ...]:
    """Whether and how the request shares server connections, in sentences."""
    return tuple(_tell(sharing, txn))


def _tell(sharing: Sharing, txn: Transaction) -> Iterator[str]:
    pool = sharing.server.pool
    if sharing.mode != "http":
        yield "No: in mode tcp each client connection gets a server connection made for it, which ends with it."
    elif sharing.bound:
        yield "No: its credentials belong to one connection (NTLM or Negotiate), which is then this client's own."
    elif sharing.told and not sharing.closes:
        yield "No: a PROXY header tells of one client connection, so what it opens serves that one alone."
    elif sharing.model.reuse == "never":
        yield "No: with http-reuse never a client connection has server connections of its own."
    elif sharing.closes:
        yield (
            "No: option httpclose or http-server-close (in the frontend or the backend) ends the server connection "
            "after each answer."
        )
    elif pool.keeps_none:
        yield "No: the server keeps no idle connections (pool-max-conn 0, pool-purge-delay 0 or max-reuse 0)."
    else:
        repeatable = txn.method in IDEMPOTENT
        yield f"Yes (http-reuse {sharing.model.reuse}), any idle one with the same key, whoever's request opened it:"
        first = sorts_taken(pool, first=True, repeatable=repeatable)
        later = sorts_taken(pool, first=False, repeatable=repeatable)
        if first == later:
            yield f"any request of a client connection may take {_names(first)};"
        else:
            yield f"the first request of a client connection may take {_names(first)};"
            yield f"its later ones may take {_names(later)};"
        yield "else a new one is opened, which stays for others."


def _names(sorts: list[int]) -> str:
    if not sorts:
        return "none: it opens a new one"
    return "any" if len(sorts) == len(_SORTS) else " or ".join(_SORTS[sort] for sort in sorts)


def connection_key(
    server: Server, model: ServerModel, txn: Transaction, env: CompileEnv
) -> tuple[tuple[str, str], ...]:
    """What a connection to the server must match, as (name, value).

    Args:
        server: the server.
        model: its line, with its TLS part.
        txn: the request.
        env: of its backend.
    """
    found = [("server", f"{server.backend.model.name}/{model.name}")]
    if model.tls is not None:
        name = compile_expression(model.tls.sni, env)(txn) if model.tls.sni is not None else None
        found.append(("TLS name (SNI)", value(name) if name is not None else "none"))
    key = server.connector.key(txn)
    for label, part in (
        ("host", key.host),
        ("port", key.port or None),
        ("source", key.source),
        ("source port", key.source_port or None),
        ("mark", key.mark or None),
        ("TOS", key.tos or None),
    ):
        if part is not None:
            found.append((label, text(part) if isinstance(part, bytes) else str(part)))
    if key.proxy_header:
        found.append((PROXY_HEADER, f"{len(key.proxy_header)} bytes about this client: shared with nobody else"))
    return tuple(found)
