"""What servers are asked for by TLS: names of any letters, sessions by name and by member of a template."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from compat.harness import Connection, World
from compat.scenarios.tls import PROXY, TLS12, TLS13

#: What a request may want a server to be asked for: host names, addresses, and what no host is called.
NAMES = (
    *(
        "a.test.",
        "A.Test",
        "a_b.test",
        "-a",
        "a..b",
        ".a.test",
        "a b",
        "a\ttest",
        "a.test:80",
        "*.a.test",
        "a,b",
        "a/b",
    ),
    *("[::1]", "::1", "1.2.3.4", "1.2", "1.2.3", "\\x", '"a"', "x" * 64 + ".test", "q" * 255, "q" * 256, "q" * 4000),
    *(".".join(["y" * 60] * count) for count in (3, 4, 5)),
)


def _serve(connection: Connection) -> None:
    connection.read()
    connection.reply(b"x", headers=("Connection: close",))


def _asked(world: World, servers: str, version: ssl.TLSVersion, names: tuple[str, ...]) -> None:
    origin = world.tls_origin("s1", "a.test", "b.test", script=_serve, maximum_version=version)
    assert origin.tls is not None
    world.certificate("front.pem", "front.test")
    world.start(f"{PROXY}    balance roundrobin\n    {servers} # hapy: pool-min-conn 0\n")
    client = world.tls_client()
    for name in names:
        client.get("/", f"X-Name: {name}")


def names_of_any_letters(world: World) -> None:
    """`sni` sends what the expression gives, up to 255 bytes; what is longer is not sent."""
    _asked(world, "server s {s1} ssl verify none sni req.hdr(x-name)", TLS13, NAMES)


def addresses_as_names(world: World) -> None:
    """A constant that is an address is sent, too."""
    _asked(world, "server s {s1} ssl verify none sni str(127.0.0.1)", TLS12, ("",) * 2)


def _members(version: ssl.TLSVersion, options: str) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        """Each member of a template takes up its own sessions."""
        server = f"server-template s 1-3 {{s1}} ssl verify required ca-file {{dir}}/ca.pem {options}"
        _asked(world, server, version, ("",) * 7)

    return scenario


def sessions_of_names(world: World) -> None:
    """Sessions where names take turns."""
    server = "server s {s1} ssl verify required ca-file {dir}/ca.pem sni req.hdr(x-name)"
    _asked(world, server, TLS13, ("a.test", "a.test", "b.test", "b.test", "a.test", "b.test"))


FAMILY = {
    "members_12": _members(TLS12, ""),
    "members_13": _members(TLS13, "sni str(a.test)"),
    "members_without_sessions": _members(TLS13, "no-ssl-reuse"),
}
