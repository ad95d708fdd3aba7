"""Where retries go, which connections they use, and what `observe` makes of the attempts."""

from __future__ import annotations

from collections.abc import Callable

from compat.harness import Connection, World

Scenario = Callable[[World], None]

FRONT = """
frontend fe
    bind "fd@${fe}"
    option httplog
    use_backend %[path,field(2,/)]
"""
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nbad"


def _servers(world: World, failure: bytes, count: int = 3) -> list[str]:
    """Servers that fail at every request; gives what will list whom the requests reached."""
    seen: list[str] = []

    def script(name: str) -> Callable[[Connection], None]:
        def run(connection: Connection) -> None:
            while connection.read() is not None:
                seen.append(name)
                if not failure:
                    return
                connection.write(failure)

        return run

    for number in range(1, count + 1):
        world.origin(f"s{number}", script(str(number)))
    return seen


def _backends(world: World, lines: dict[str, str], servers: str) -> None:
    parts = [FRONT]
    for name, line in lines.items():
        parts += [f"backend {name}", *(f"    {part}" for part in line.split("; ")), servers]
    world.start("\n".join(parts))


SERVERS = "    server s1 {s1} cookie c1\n    server s2 {s2} cookie c2\n    server s3 {s3} cookie c3"


def _goes(event: str, failure: bytes) -> Scenario:
    def scenario(world: World) -> None:
        """Retries after answers (or none) go where those after refused connections would: `option redispatch`."""
        seen = _servers(world, failure)
        lines = {}
        for algorithm in ("roundrobin", "static-rr", "leastconn", "first", "uri", "hdr(nope)"):
            for word, redispatch in (("no", ""), ("yes", "option redispatch"), ("two", "option redispatch 2")):
                name = f"{algorithm[:3]}-{word}"
                lines[name] = f"balance {algorithm}; hash-type consistent; retry-on {event}; retries 5; {redispatch}"
        lines["zero"] = f"option redispatch 0; retry-on {event}"
        lines["sent"] = f"option redispatch; use-server s2 if TRUE; retry-on {event}"
        lines["sent2"] = f"option redispatch 2; use-server s2 if TRUE; retry-on {event}; retries 5"
        lines["tied"] = f"option redispatch; cookie C insert indirect; retry-on {event}"
        lines["forced"] = f"option redispatch; cookie C insert indirect; force-persist if TRUE; retry-on {event}"
        lines["once"] = f"option redispatch; http-request disable-l7-retry; retry-on {event}"
        _backends(world, lines, SERVERS)
        for name in lines:
            seen.clear()
            client = world.client()
            client.get(f"/{name}", "Cookie: C=c2")
            world.note(f"{name}: {' '.join(seen)}")
            client.close()
        world.logs(len(lines))
        world.forget_origins()

    return scenario


retries_after_answers = _goes("503", BUSY)
retries_after_silence = _goes("empty-response", b"")
retries_after_junk = _goes("junk-response", b"junk\r\n\r\n")


def connections_of_retries(world: World) -> None:
    """After a status that is asked for again its connection may carry the next attempt; after no answer none may."""
    _servers(world, BUSY)
    lines = {
        reuse: f"http-reuse {reuse}; retry-on 503; retries 2" for reuse in ("never", "safe", "aggressive", "always")
    }
    lines["all"] = "retry-on all-retryable-errors; retries 2"
    lines["closing"] = "option http-server-close; http-reuse always; retry-on 503; retries 2"
    _backends(world, lines, "    server s1 {s1}")
    origin = world.origins["s1"]
    for name in lines:
        for requests in (1, 2):
            before = len(origin.order)
            client = world.client()
            for _ in range(requests):
                client.get(f"/{name}")
            client.close()
            numbers = [number for number, _ in origin.order[before:]]
            world.note(f"{name} {requests}: {[number - min(numbers) for number in numbers]}")
    world.forget_origins()


def _counted(event: str, failure: bytes, downs: int) -> Scenario:
    def scenario(world: World) -> None:
        """`observe layer7` counts the last attempt alone, but each answer that is no HTTP."""
        _servers(world, failure, 1)
        lines = {f"{layer}-{limit}": f"retry-on {event}" for layer in ("layer4", "layer7") for limit in (1, 2, 3)}
        parts = [FRONT]
        for name, line in lines.items():
            layer, limit = name.split("-")
            words = f"check inter 100s observe {layer} error-limit {limit} on-error mark-down"
            parts += [f"backend {name}", f"    {line}", "    retries 2", f"    server s1 {{s1}} {words}"]
        world.start("\n".join(parts))
        for name in lines:
            for _ in range(2):
                client = world.client()
                client.get(f"/{name}")
                client.close()
        world.logs(2 * len(lines) + downs)
        world.forget_origins()

    return scenario


observed_answers = _counted("503", BUSY, 2)
observed_silence = _counted("empty-response", b"", 2)
observed_junk = _counted("junk-response", b"junk\r\n\r\n", 3)
