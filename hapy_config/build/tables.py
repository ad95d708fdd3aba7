"""A stick table as declared: what later checks need to know of it."""

from __future__ import annotations

from dataclasses import dataclass

from hapy_config.syntax import Statement


@dataclass(slots=True)
class StickTable:
    """One declared table.

    Attributes:
        name: its own name: the proxy's, or `peers/table`.
        kind: ip, ipv6, integer, string or binary.
        stored: the names of the data stored.
        peers: the peers section it is shared through, or empty.
        statement: where it is declared.
        owner: what HAProxy calls the section it stands in.
    """

    name: str
    kind: str
    stored: frozenset[str]
    peers: str
    statement: Statement
    owner: str = "proxy"
