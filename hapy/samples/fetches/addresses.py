"""Fetches on the addresses and ports of both connections (configuration manual, 7.3.3)."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Fetch, Getter, fetch
from hapy.samples.types import Address, Result, parse_address

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction


@functools.lru_cache(maxsize=4096)
def address_of(text: bytes) -> Address | None:
    """The address of a text, None for UNIX sockets. Clients come back: the last few thousand are kept."""
    return parse_address(text)


def source_text(txn: Transaction) -> bytes:
    """The client's address as text, as rules have left it."""
    return txn.client.source if txn.source is None else txn.source


def source_address(txn: Transaction) -> Address | None:
    """The client's address as rules have left it, None for UNIX sockets."""
    return address_of(txn.client.source if txn.source is None else txn.source)


def destination_address(txn: Transaction) -> Address | None:
    """The address the client connected to, as rules have left it."""
    return address_of(txn.client.destination if txn.destination is None else txn.destination)


@functools.lru_cache(maxsize=1024)
def is_local(address: Address) -> bool:
    """Whether the address is one of this machine's: one that a socket can be bound to."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return not address.is_unspecified


def _local(address: Callable[[Transaction], Address | None]) -> Getter:
    def local(txn: Transaction) -> Result:
        found = address(txn)
        return None if found is None else is_local(found)

    return local


def _source_text(txn: Transaction) -> bytes | None:
    text = txn.client.source if txn.source is None else txn.source
    return None if text == b"unix" else text


def _destination_text(txn: Transaction) -> bytes | None:
    text = txn.client.destination if txn.destination is None else txn.destination
    return None if text == b"unix" else text


@fetch("src", type="addr")
def _src(args: Args, env: CompileEnv) -> Fetch:
    return Fetch(source_address, text=_source_text)


@fetch("dst", type="addr")
def _dst(args: Args, env: CompileEnv) -> Fetch:
    return Fetch(destination_address, text=_destination_text)


def client_port(txn: Transaction) -> int | None:
    """The client's port; UNIX sockets have none."""
    client = txn.client
    return None if client.source == b"unix" else client.source_port


def listening_port(txn: Transaction) -> int | None:
    """The port that the client has connected to; UNIX sockets have none."""
    client = txn.client
    return None if client.destination == b"unix" else client.destination_port


@fetch("src_port", type="sint")
def _src_port(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: (client_port(txn) if txn.source_port is None else txn.source_port) or None


@fetch("dst_port", type="sint")
def _dst_port(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: (listening_port(txn) if txn.destination_port is None else txn.destination_port) or None


@fetch("fc_src", type="addr")
def _fc_src(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: address_of(txn.client.source)


@fetch("fc_dst", type="addr")
def _fc_dst(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: address_of(txn.client.destination)


@fetch("fc_src_port", type="sint")
def _fc_src_port(args: Args, env: CompileEnv) -> Getter:
    return client_port


@fetch("fc_dst_port", type="sint")
def _fc_dst_port(args: Args, env: CompileEnv) -> Getter:
    return listening_port


@fetch("src_is_local", type="bool")
def _src_is_local(args: Args, env: CompileEnv) -> Getter:
    return _local(source_address)


@fetch("dst_is_local", type="bool")
def _dst_is_local(args: Args, env: CompileEnv) -> Getter:
    return _local(destination_address)


@fetch("fc_src_is_local", type="bool")
def _fc_src_is_local(args: Args, env: CompileEnv) -> Getter:
    return _local(lambda txn: address_of(txn.client.source))


@fetch("fc_dst_is_local", type="bool")
def _fc_dst_is_local(args: Args, env: CompileEnv) -> Getter:
    return _local(lambda txn: address_of(txn.client.destination))


@fetch("bc_src", type="addr")
def _bc_src(args: Args, env: CompileEnv) -> Getter:
    env.process.shows_ends = True
    return lambda txn: None if txn.server_ends is None else address_of(txn.server_ends[0][0])


@fetch("bc_src_port", type="sint")
def _bc_src_port(args: Args, env: CompileEnv) -> Getter:
    env.process.shows_ends = True
    return lambda txn: None if txn.server_ends is None else txn.server_ends[0][1] or None


@fetch("bc_dst", type="addr")
def _bc_dst(args: Args, env: CompileEnv) -> Getter:
    env.process.shows_ends = True
    return lambda txn: None if txn.server_ends is None else address_of(txn.server_ends[1][0])


@fetch("bc_dst_port", type="sint")
def _bc_dst_port(args: Args, env: CompileEnv) -> Getter:
    env.process.shows_ends = True
    return lambda txn: None if txn.server_ends is None else txn.server_ends[1][1] or None
