"""The network namespace that a client belongs to.

It is the one that its PROXY header tells of, if the configuration has that somewhere (of several the last one), else
that of the bind line. Connections to servers with `namespace *` leave from it; PROXY headers of version 2 pass it on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.proxy.transaction import Transaction
    from hapy_config.model.config import Config

    #: Gives the namespace that a client belongs to, None for our own.
    Home: TypeAlias = Callable[[Transaction], str | None]


def clients_home(config: Config) -> Home | None:
    """What tells of clients' namespaces; None where the configuration has none."""
    options = [line.options for proxy in config.proxies for line in proxy.binds]
    options += [line.options for proxy in config.proxies for line in proxy.servers]
    known = {name for words in options for name in words.get("namespace", ())} - {"*"}
    if not known:
        return None
    from hapy.net.proxy_header import NETNS, found

    def home(txn: Transaction) -> str | None:
        client = txn.client
        if client.preface is not None and client.preface.tail:
            for value in reversed(found(client.preface.tail, NETNS)):
                name = value.decode("utf-8", "surrogateescape")
                if name in known:
                    return name
        for bind in txn.frontend.model.binds:
            if bind.number == client.listener_id:
                return next(iter(bind.options.get("namespace", ())), None)
        return None

    return home
