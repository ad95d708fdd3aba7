"""Every file of `examples/haproxy_cfgs` runs in both programs and answers the same."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from compat.harness import World
from compat.harness.world import Scenario

EXAMPLES = Path(__file__).parents[2] / "examples" / "haproxy_cfgs"


def _on_private_ports(world: World, text: str) -> tuple[str, str]:
    """The text with its fixed ports replaced, and the name of the listener that clients use."""
    ports = re.findall(r"bind 127\.0\.0\.1:(\d+)", text)
    for port in ports:
        world.listeners[f"p{port}"] = socket.create_server(("127.0.0.1", 0), backlog=128)
    text = re.sub(r"bind 127\.0\.0\.1:(\d+)", r'bind "fd@${p\1}"', text)

    def server(match: re.Match[str]) -> str:
        listener = world.listeners.get(f"p{match[1]}")
        return f"127.0.0.1:{listener.getsockname()[1]}" if listener else "127.0.0.1:1"

    return re.sub(r"127\.0\.0\.1:(\d+)", server, text), f"p{ports[0]}"


def _example(path: Path) -> Scenario:
    targets = [
        target for target in re.findall(r"http://127\.0\.0\.1:\d+(/[^\s;]*)", path.read_text()) if "-c 50" not in target
    ] or ["/"]

    def scenario(world: World) -> None:
        """The example's own requests, on one connection and one by one."""
        text, listener = _on_private_ports(world, path.read_text())
        world.start(text, bare=True)
        client = world.client(listener)
        for target in targets:
            message = client.get(target, "X-User: alice")
            if message is None or message.header("connection") == "close":
                client = world.client(listener)
        for target in targets:
            world.once(target, "Connection: close", "X-User: bob", listener=listener)
        for client in world.clients:
            client.seen = [re.sub(r"request [0-9a-f-]{36}", "request UUID", line) for line in client.seen]

    return scenario


FAMILY = {path.stem: _example(path) for path in sorted(EXAMPLES.glob("*.cfg"))}
