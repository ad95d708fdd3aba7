"""Which server: the same requests in the same order reach the same servers."""

from __future__ import annotations

from compat.harness import World
from compat.harness.world import Scenario

CONFIG = """
frontend fe
    bind "fd@${fe}"
    default_backend be
backend be
    %s
"""
SERVERS = "    server s1 {s1}\n    server s2 {s2}\n    server s3 {s3}\n    server s4 {s4}\n"
WEIGHTED = "    server s1 {s1} weight 1\n    server s2 {s2} weight 3\n    server s3 {s3} weight 7\n    server s4 {s4} weight 2\n"
BACKUPS = (
    "    server s1 {s1} disabled\n    server s2 {s2} disabled\n    server s3 {s3} backup\n    server s4 {s4} backup\n"
)


def _sequence(
    settings: str, servers: str = SERVERS, count: int = 30, keyed: bool = False, header: str = "X-Key"
) -> Scenario:
    def scenario(world: World) -> None:
        """The servers that a row of requests reaches."""
        for name in ("s1", "s2", "s3", "s4"):
            world.origin(name)
        world.start(CONFIG % (settings + "\n" + servers))
        row = []
        for number in range(count):
            key = f"key{number * 7919 % 1000}" if keyed else "same"
            row.append(world.once(f"/{key}/x?id={key}&n=1", f"{header}: {key}"))
        world.forget_clients()
        world.forget_origins()
        world.note(" ".join(row))

    return scenario


FAMILY: dict[str, Scenario] = {
    "roundrobin": _sequence("balance roundrobin"),
    "roundrobin_weighted": _sequence("balance roundrobin", WEIGHTED, 40),
    "static_rr": _sequence("balance static-rr"),
    "static_rr_weighted": _sequence("balance static-rr", WEIGHTED, 40),
    "leastconn": _sequence("balance leastconn"),
    "leastconn_weighted": _sequence("balance leastconn", WEIGHTED),
    "first": _sequence("balance first", "    server s1 {s1} maxconn 2\n    server s2 {s2} maxconn 2\n"),
    "source": _sequence("balance source"),
    "default_algorithm": _sequence(""),
    "backups": _sequence("balance roundrobin", BACKUPS, 6),
    "all_backups": _sequence("balance roundrobin\n    option allbackups", BACKUPS, 8),
    "weight_zero": _sequence(
        "balance roundrobin", "    server s1 {s1} weight 0\n    server s2 {s2}\n    server s3 {s3}\n", 6
    ),
    "use_server": _sequence(
        "use-server s3 if { url_param(id) key0 }\n    use-server s2 if { hdr(x-key) -m beg key9 }", keyed=True
    ),
}
for _by in ("uri", "uri whole", "uri len 5", "uri depth 1", "url_param id", "hdr(X-Key)"):
    for _type in (
        "map-based",
        "consistent",
        "map-based djb2",
        "consistent wt6",
        "map-based crc32 avalanche",
        "consistent sdbm avalanche",
    ):
        _name = f"{_by}_{_type}".replace(" ", "_").replace("(", "_").replace(")", "")
        if _by in ("uri", "hdr(X-Key)") or _type in ("map-based", "consistent"):
            FAMILY[_name] = _sequence(
                f"balance {_by}\n    hash-type {_type}", WEIGHTED if "consistent" in _type else SERVERS, keyed=True
            )
FAMILY["hdr_use_domain_only"] = _sequence("balance hdr(Host) use_domain_only", keyed=True)
FAMILY["missing_hash_key"] = _sequence("balance hdr(X-None)", keyed=True)
FAMILY["rdp_cookie_without_cookie"] = _sequence("balance rdp-cookie", count=8)


def parameters_in_bodies(world: World) -> None:
    """`balance url_param` finds its parameter in a POST's body, without `check_post` too, if it has come by then."""
    row = []
    for name in ("s1", "s2", "s3", "s4"):
        world.origin(name)
    world.start(
        f"frontend fe\n    bind fd@${{fe}}\n    default_backend be\nbackend be\n    balance url_param id\n{SERVERS}"
    )
    for number in range(8):
        client = world.client()
        message = client.post("/", f"a=1&id=key{number}".encode())
        row.append(message.body.decode() if message else "")
    world.forget_clients()
    world.forget_origins()
    world.note(" ".join(row))
