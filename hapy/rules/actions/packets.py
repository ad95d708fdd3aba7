"""Actions on the packets that go to the client: their mark and type of service (configuration manual, 4.2)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from hapy.rules.registry import CONNECTION, CONTENT, REQUEST, RESPONSE, SESSION, TCP_RESPONSE, Action, Arguments, action

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

_RULESETS: Final = (CONNECTION, SESSION, CONTENT, TCP_RESPONSE, REQUEST, RESPONSE)
_SO_MARK: Final = getattr(socket, "SO_MARK", 36)


def _on_client(change: Callable[[socket.socket, int], None]) -> Callable[[Arguments], Action]:
    """The builder of an action that sets a socket option; where the system refuses, things go on without it."""

    def build(args: Arguments) -> Action:
        number = args.number()
        number -= number >> 31 << 32  # setsockopt takes an int

        def act(txn: Transaction) -> None:
            client = txn.client
            if client.fd < 0 or client.family == socket.AF_UNIX:
                return
            with suppress(OSError), socket.socket(fileno=socket.dup(client.fd)) as twin:
                change(twin, number)

        return act

    return build


def _set_tos(client: socket.socket, number: int) -> None:
    if client.family == socket.AF_INET6:
        client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, number)
    # An IPv6 socket may carry IPv4.
    with suppress(OSError):
        client.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, number)


def _set_mark(client: socket.socket, number: int) -> None:
    client.setsockopt(socket.SOL_SOCKET, _SO_MARK, number)


action("set-tos", *_RULESETS)(_on_client(_set_tos))
action("set-mark", *_RULESETS)(_on_client(_set_mark))
