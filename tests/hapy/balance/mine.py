"""hapy's backend without sockets, with the same words as the referee."""

from __future__ import annotations

import random
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

from hapy.http.message import Request
from hapy.proxy.backend import Backend
from hapy.proxy.queue import NoServer, QueueFull
from hapy.proxy.server import Server
from hapy.proxy.transaction import Client, Transaction
from hapy_config.model.addresses import Address
from hapy_config.model.proxy import Balance, Proxy
from hapy_config.model.server import Server as ServerModel
from tests.hapy.balance.referee import Referee

#: (name, options) of each server.
Lines = Sequence[tuple[str, dict[str, Any]]]


def backend_model(balance: Balance, lines: Lines, **settings: Any) -> Proxy:
    """A backend with servers that have these options."""
    servers = tuple(
        ServerModel(name=name, number=index, address=Address("unix", "/nowhere"), **options)
        for index, (name, options) in enumerate(lines, 1)
    )
    return Proxy(name="be", kind="backend", mode="http", balance=balance, servers=servers, **settings)


def server_words(options: dict[str, Any]) -> str:
    """The same options as a server line writes them."""
    return " ".join(
        name if value is True else f"{name} {value}" for name, value in options.items() if value is not False
    )


class Mine:
    """A backend of hapy's."""

    def __init__(self, model: Proxy, env: Any = None) -> None:
        self.backend = Backend(model, env)
        self._held: dict[str, Server] = {}

    def transaction(
        self,
        uri: str = "/",
        headers: Sequence[tuple[str, str]] = (),
        *,
        source: str = "192.0.2.1",
        method: str = "GET",
        body: bytes = b"",
    ) -> Transaction:
        txn = Transaction(Client(source.encode(), 1000, b"127.0.0.1", 80, 2), None, 0.0)  # type: ignore[arg-type]
        fields = [(b"host", b"example.test")]
        fields += [(name.lower().encode(), value.strip(" \t").encode("latin-1")) for name, value in headers]
        txn.request = Request(method.encode(), uri.encode("latin-1"), 11, fields, len(body))
        txn.body = body or None
        return txn

    def _assign(self, txn: Transaction) -> Server | None:
        try:
            return self.backend.assign(txn)
        except (NoServer, QueueFull):
            return None

    def get(self, uri: str = "/", headers: Sequence[tuple[str, str]] = (), **rest: Any) -> str:
        """The server's name; 503 where the request would have to wait."""
        server = self._assign(self.transaction(uri, headers, **rest))
        if server is None:
            return "503"
        self.backend.release(server)
        return server.model.name

    def get_from_the_living(self, dead: Container[str], headers: Sequence[tuple[str, str]] = ()) -> str:
        """The server that answers when connections to some fail and `option redispatch 1` is on (with 3 retries)."""
        txn = self.transaction(headers=headers)
        avoid: Server | None = None
        for _ in range(4):
            server = self.backend.assign(txn, None, avoid)
            assert server is not None
            self.backend.release(server)
            if server.model.name not in dead:
                return server.model.name
            avoid = server
        return "503"

    def hold(self, name: str, headers: Sequence[tuple[str, str]] = ()) -> str | None:
        server = self._assign(self.transaction(headers=headers))
        if server is None:
            return None
        self._held[name] = server
        return server.model.name

    def let_go(self, name: str) -> str:
        server = self._held.pop(name)
        self.backend.release(server)
        return server.model.name


@dataclass
class Story:
    """Random events told to both, who must agree on every server.

    Attributes:
        seed: of the events. steps: how many.
        keys: how many keys requests have, 0 for requests without a key.
        keyless: the share of requests without one.
        states: servers go to maintenance and back. weights: they change weight.
        settled: told until here, for the message of a failure.
    """

    seed: int
    steps: int = 50
    keys: int = 0
    keyless: float = 0.0
    states: bool = False
    weights: bool = False
    settled: list[str] = field(default_factory=list)

    def tell(self, mine: Mine, referee: Referee) -> None:
        chance = random.Random(self.seed)
        holding: list[str] = []
        for step in range(self.steps):
            what = chance.random()
            headers = []
            if self.keys and chance.random() >= self.keyless:
                headers = [("x-key", f"key{chance.randrange(self.keys)}")]
            if what < 0.3:
                name = f"{self.seed}-{step}"
                server = mine.hold(name, headers)
                if server is not None:
                    holding.append(name)
                    self._agree(f"hold {headers}", server, referee.hold(name, headers))
            elif what < 0.5 and holding:
                name = holding.pop(chance.randrange(len(holding)))
                self._agree("free", mine.let_go(name), referee.let_go(name))
            elif what < 0.6 and (self.states or self.weights):
                self._change(chance, mine, referee)
            else:
                self._agree(f"get {headers}", mine.get(headers=headers), referee.get(headers=headers))

    def _change(self, chance: random.Random, mine: Mine, referee: Referee) -> None:
        server = chance.choice(mine.backend.servers)
        name = server.model.name
        if self.weights and (not self.states or chance.random() < 0.4):
            weight = chance.randint(0, 12)
            referee.command(f"set server be/{name} weight {weight}")
            server.set_weight(weight)
            self.settled.append(f"weight {name} {weight}")
        else:
            state = chance.choice(["maint", "ready"])
            referee.command(f"set server be/{name} state {state}")
            server.set_admin_state(maintenance=state == "maint")
            self.settled.append(f"{state} {name}")

    def _agree(self, event: str, mine: str | None, theirs: str | None) -> None:
        assert mine == theirs, f"seed {self.seed}: {event}: {mine}, not {theirs}, after {self.settled}"
        self.settled.append(f"{event}: {mine}")
