"""Actions on the addresses that later rules, logs and servers see (configuration manual, 4.2: set-src and its kin).

In `tcp-request connection` and `session` they change the connection, for all its requests; elsewhere one request.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Literal

from hapy.rules.registry import CONNECTION, CONTENT, REQUEST, SESSION, Action, Arguments, action
from hapy.samples.types import to_address, to_int, to_string

if TYPE_CHECKING:
    from hapy.proxy.transaction import Client, Transaction

Side = Literal["source", "destination"]
_RULESETS = (CONNECTION, SESSION, CONTENT, REQUEST)


def _holder(args: Arguments) -> Callable[[Transaction], Client | Transaction]:
    """What is changed: the connection or the transaction."""
    if args.rule.ruleset in (CONNECTION, SESSION):
        return lambda txn: txn.client
    return lambda txn: txn


def _is_internet(text: bytes | None) -> bool:
    return text is not None and (b"." in text or b":" in text)


def _register(side: Side, name: str) -> None:
    port_name = f"{side}_port"

    def build_address(args: Arguments) -> Action:
        read, holder_of = args.expression(), _holder(args)

        def set_address(txn: Transaction) -> None:
            value = read(txn)
            address = None if value is None else to_address(value)
            if address is None:
                return
            holder = holder_of(txn)
            if not _is_internet(getattr(txn.client, side)):
                setattr(holder, port_name, 0)
            setattr(holder, side, to_string(address))

        return set_address

    def build_port(args: Arguments) -> Action:
        read, holder_of = args.expression(), _holder(args)

        def set_port(txn: Transaction) -> None:
            value = read(txn)
            number = None if value is None else to_int(value)
            if number is None:
                return
            holder = holder_of(txn)
            known = getattr(holder, side) or getattr(txn.client, side)
            if not _is_internet(known):
                setattr(holder, side, to_string(IPv4Address(0)))
            setattr(holder, port_name, number & 0xFFFF)

        return set_port

    action(name, *_RULESETS)(build_address)
    action(f"{name}-port", *_RULESETS)(build_port)


_register("source", "set-src")
_register("destination", "set-dst")
