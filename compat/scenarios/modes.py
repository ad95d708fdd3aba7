"""Keep-alive modes: what frontend and backend options make of the Connection header and of the connections."""

from __future__ import annotations

from compat.harness import World
from compat.harness.world import Scenario

CONFIG = """
frontend fe
    bind "fd@${fe}"
    option httplog
    {front}
    default_backend be
backend be
    {back}
    http-reuse always
    server s1 {s1}
"""

MODES = {
    "default": "",
    "keep_alive": "option http-keep-alive",
    "server_close": "option http-server-close",
    "close": "option httpclose",
}


def _mode(front: str, back: str, *headers: str, version: str = "1.1") -> Scenario:
    def scenario(world: World) -> None:
        """Two requests on one client connection, then one on another."""
        world.origin("s1")
        world.start(CONFIG.replace("{front}", front).replace("{back}", back))
        client = world.client()
        client.get("/1", *headers, version=version)
        if client.ending() == "open":
            client.get("/2", *headers, version=version)
            client.ending()
        other = world.client()
        other.get("/3")
        other.ending()
        world.logs(2)

    return scenario


FAMILY: dict[str, Scenario] = {}
for _front, _front_line in MODES.items():
    for _back, _back_line in MODES.items():
        FAMILY[f"{_front}_with_{_back}"] = _mode(_front_line, _back_line)
for _name, _line in MODES.items():
    FAMILY[f"{_name}_client_closes"] = _mode(_line, "", "Connection: close")
    FAMILY[f"{_name}_http10_client"] = _mode(_line, "", version="1.0")
    FAMILY[f"{_name}_http10_keep_alive"] = _mode(_line, "", "Connection: keep-alive", version="1.0")
FAMILY["pretend_keepalive"] = _mode("", "option http-server-close\n    option http-pretend-keepalive")
FAMILY["pretend_keepalive_close"] = _mode("option httpclose", "option http-pretend-keepalive")
