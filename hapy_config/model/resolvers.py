"""`resolvers`: name servers, and for how long what they said counts (configuration manual, section 5.3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hapy_config.model.addresses import Address
from hapy_config.model.sealing import seal
from hapy_config.model.server import Server
from hapy_config.source import NOWHERE, Span

#: What a resolution can come to that is no answer, with the default of `hold` in ms.
HOLDS: Mapping[str, int] = {"nx": 30000, "refused": 30000, "timeout": 30000, "other": 30000}


@dataclass(frozen=True, slots=True)
class NameServer:
    """One `nameserver` line.

    Attributes:
        name: its name.
        address: where it is.
        stream: it is asked over TCP (`tcp@…`), else over UDP.
        server: of a stream the options behind the address, as those of a server line.
        span: the place.
    """

    name: str
    address: Address
    stream: bool = False
    server: Server | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Resolvers:
    """One section.

    Attributes:
        name: its name.
        nameservers: in order; None stands for those of /etc/resolv.conf (`parse-resolv-conf`).
        retries: how often a question is asked before it counts as failed.
        timeout_resolve: ms between two resolutions of a name. timeout_retry: ms between two questions of one.
        hold: ms by what an answer was (nx, refused, timeout, other): servers keep their address so long after the last
            good answer. hold_valid: ms after an answer in which a check that finds nobody at the address does
            not make us ask again. hold_obsolete: ms that an address counts after the last answer that had it.
        payload_size: bytes that answers over UDP may have, announced to the name servers.
        span: the place.
    """

    name: str
    nameservers: tuple[NameServer | None, ...] = ()
    retries: int = 3
    timeout_resolve: int = 1000
    timeout_retry: int = 1000
    hold: Mapping[str, int] = field(default_factory=lambda: dict(HOLDS), hash=False)
    hold_valid: int = 10000
    hold_obsolete: int = 0
    payload_size: int = 512
    span: Span = field(default=NOWHERE, compare=False)

    def __post_init__(self) -> None:
        seal(self, "hold")


#: The section that is always there (HAProxy makes it of /etc/resolv.conf).
DEFAULT = Resolvers("default", (None,))
