"""What is added to a request's head before it leaves: unique id, x-forwarded-for, x-original-to; in HAProxy's order."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING

from hapy.acl.networks import parse_network
from hapy.http.message import first_value
from hapy.samples.formats.aliases import unique_id
from hapy_config.model.proxy import ForwardFor
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.proxy import Proxy

Addition = Callable[["Transaction"], None]


def compile_additions(fe: Proxy, be: Proxy) -> tuple[Addition, ...]:
    """The additions for a frontend's requests to a backend."""
    additions: list[Addition] = []
    if fe.unique_id_format is not None and fe.unique_id_header:
        additions.append(_unique_id(fe.unique_id_header))
    if (own := ForwardFor.merged(fe.forwardfor, be.forwardfor)) is not None:
        additions.append(_told(own, destination=False))
    if (own := ForwardFor.merged(fe.originalto, be.originalto)) is not None:
        additions.append(_told(own, destination=True))
    return tuple(additions)


def _matcher(networks: tuple[str, ...]) -> Callable[[bytes], bool] | None:
    """Whether an address in text form is in one of the networks; answers are remembered."""
    if not networks:
        return None
    parsed = [parse_network(network, resolve=True) for network in networks]
    known: dict[bytes, bool] = {}

    def test(address: bytes) -> bool:
        found = known.get(address)
        if found is None:
            if len(known) >= 4096:
                known.clear()
            try:
                value = ipaddress.ip_address(address.decode())
                number, version = int(value), value.version
                found = any(
                    version == network.version and number & network.mask == network.address for network in parsed
                )
            except ValueError:
                found = False
            known[address] = found
        return found

    return test


def _told(own: ForwardFor, *, destination: bool) -> Addition:
    """A header that tells where a client came from, or where it came to."""
    name = to_bytes(own.header.lower())
    is_excepted = _matcher(own.excepted)
    if_none = own.if_none

    def add(txn: Transaction) -> None:
        request = txn.request
        assert request is not None
        client = txn.client
        address = txn.destination or client.destination if destination else txn.source or client.source
        if address == b"unix" or (is_excepted is not None and is_excepted(address)):
            return
        if if_none and first_value(request.headers, name) is not None:
            return
        request.headers.append((name, address))

    return add


def _unique_id(header: str) -> Addition:
    name = to_bytes(header.lower())

    def add(txn: Transaction) -> None:
        request = txn.request
        assert request is not None
        request.headers.append((name, unique_id(txn) or b""))

    return add
