"""What two requests must have in common to share a server connection, under `http-reuse always`."""

from __future__ import annotations

from compat.harness import Connection, World


def _plain(connection: Connection) -> None:
    while connection.read() is not None:
        connection.reply(b"x")


def _proxied(connection: Connection) -> None:
    """Takes the PROXY line off, then answers requests."""
    line = b""
    while not line.endswith(b"\r\n"):
        line += connection.sock.recv(1)
    _plain(connection)


def _proxied_in_binary(connection: Connection) -> None:
    """The same for the second version of the header."""
    head = b""
    while len(head) < 16:
        head += connection.sock.recv(16 - len(head))
    length = int.from_bytes(head[14:16])
    while length:
        length -= len(connection.sock.recv(length))
    _plain(connection)


def _start(world: World, servers: dict[str, str], front: str = "") -> None:
    """A frontend for each server line."""
    world.start(
        "".join(
            f'frontend {name}\n bind "fd@${{{name}}}"\n {front}\n default_backend {name}-be\n'
            f"backend {name}-be\n http-reuse always\n server s1 {server}\n"
            for name, server in servers.items()
        )
    )


def _ask(world: World, listener: str) -> None:
    """One client asks twice, another from the same address once, and one from another address twice."""
    first = world.client(listener)
    first.get("/a/1")
    first.get("/a/2")
    second = world.client(listener)
    second.get("/b/1")
    first.get("/a/3")
    other = world.client(listener, source="127.0.0.3")
    other.get("/c/1")
    second.get("/b/2")
    other.get("/c/2")


def proxy_headers(world: World) -> None:
    """A PROXY header names the client: only its own requests follow."""
    world.origin("line", _proxied)
    for name in ("v2", "id", "ssl"):
        world.origin(name, _proxied_in_binary)
    servers = {
        "line": "{line} send-proxy",
        "v2": "{v2} send-proxy-v2",
        "id": "{id} send-proxy-v2 proxy-v2-options unique-id",
        "ssl": "{ssl} send-proxy-v2-ssl-cn",
    }
    _start(world, servers)
    for name in servers:
        _ask(world, name)


def proxy_headers_with_ids(world: World) -> None:
    """The header has the request's id in it, and so is another for each request."""
    world.origin("id", _proxied_in_binary)
    _start(world, {"id": "{id} send-proxy-v2 proxy-v2-options unique-id"}, "unique-id-format %[path]")
    _ask(world, "id")


def proxy_headers_of_set_sources(world: World) -> None:
    """Rules say who the client is: clients that are the same by them share."""
    world.origin("line", _proxied)
    front = "http-request set-src str(192.0.2.1),ipmask(32)\n http-request set-src-port int(99)"
    _start(world, {"line": "{line} send-proxy"}, front)
    _ask(world, "line")


def sources(world: World) -> None:
    """An address to come from is the same for all; so is what a range of ports is for."""
    world.origin("one", _plain)
    world.origin("many", _plain)
    _start(world, {"one": "{one} source 127.0.0.5", "many": "{many} source 127.0.0.5:0"})
    _ask(world, "one")
    _ask(world, "many")


def source_ports(world: World) -> None:
    """A range of ports to come from."""
    world.origin("range", _plain)
    _start(world, {"range": "{range} source 127.0.0.6:32000-32020"})
    _ask(world, "range")
