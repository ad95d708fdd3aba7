"""Configurations that one program takes and the other does not, on purpose."""

from __future__ import annotations

import subprocess

from compat.harness import PROGRAMS, World


def _judged(world: World, name: str, text: str) -> None:
    file = world.dir / f"{name.replace(' ', '-')}.cfg"
    times = "".join(f"    timeout {side} 5s\n" for side in ("client", "server", "connect"))
    file.write_text(f"global\n    ca-base {world.dir}\ndefaults\n    mode http\n{times}{text}")
    command = [*PROGRAMS[world.program], "-c", "-f", str(file)]
    world.note(f"{name}: {subprocess.run(command, capture_output=True, check=False, timeout=30).returncode}")


def system_authorities_beside_a_base(world: World) -> None:
    """`ca-file @system-ca` where `ca-base` is set."""
    server = "    server s 127.0.0.1:1 ssl verify required ca-file"
    _judged(world, "file", f"listen fe\n    bind 127.0.0.1:1\n{server} {world.dir}/nowhere.pem\n")
    _judged(world, "system", f"listen fe\n    bind 127.0.0.1:1\n{server} @system-ca\n")


def bracket_that_stays_open(world: World) -> None:
    """A line of a crt-list whose options don't end."""
    world.certificate("a.pem", "a.test")
    for name, line in (
        ("closed", "[alpn h2]"),
        ("unknown", "[foo bar]"),
        ("open", "[foo bar"),
        ("names", "[alpn h2 a.test"),
    ):
        (world.dir / name).write_text(f"{world.dir}/a.pem {line}\n")
        _judged(world, name, f"frontend fe\n    bind 127.0.0.1:1 ssl crt-list {world.dir}/{name}\n")


def more_sessions_than_memory(world: World) -> None:
    """`tune.ssl.cachesize` beyond what the machine has."""
    world.certificate("a.pem", "a.test")
    world.start(
        'frontend fe\n    bind "fd@${fe}" ssl crt {dir}/a.pem\n    http-request return status 200\n',
        global_="tune.ssl.cachesize 2000000000",
    )
    world.tls_client("a.test").get("/")
