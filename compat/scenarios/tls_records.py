"""How much a TLS record holds (`tune.ssl.maxrecord`, `tune.ssl.hard-maxrecord`, `tune.idletimer`)."""

from __future__ import annotations

import threading
import time

from compat.harness import Client, World
from compat.harness.origin import Connection

_LIMIT = 1419
#: Plain bytes that any program sends in small records at the beginning, and after which it surely sends large ones.
_BEGINNING, _FLOWING = 15000, 50000
#: No limit of ours is as large; what arrived in one piece decides between this and 16 KB.
_LARGE = 4000
_BIND = 'bind "fd@${fe}" ssl crt {dir}/a.pem'


def _records(client: Client, size: int = 200000) -> list[int]:
    """The plain bytes of the records of that many bytes, and of a head before them: reading gives one at a time."""
    records: list[int] = []
    missing = size
    while missing > 0:
        record = client.sock.recv(65536)
        if not record:
            break
        if record.startswith(b"HTTP/1.1"):
            missing += record.index(b"\r\n\r\n") + 4
        missing -= len(record)
        records.append(len(record))
    return records


def _told(records: list[int]) -> str:
    """The largest records of the beginning, and of what comes when it surely flows."""
    place, first, later = 0, 0, 0
    for record in records:
        if place < _BEGINNING:
            first = max(first, record)
        elif place >= _FLOWING:
            later = max(later, record)
        place += record
    return " then ".join("large" if record > _LARGE else str(record) for record in (first, later))


def _scenario(world: World, *, global_: str, mode: str = "http") -> None:
    """Transfers of 200,000 bytes: the first, the next on the connection, and after less and more than the idle time."""
    taken = threading.Event()

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            if not message.head.startswith(b"GET /pause"):
                connection.reply(b"x" * 200000)
                continue
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n" + b"x" * 200000)
            for pause in (0.0, 0.6):
                taken.wait(10)
                taken.clear()
                time.sleep(pause)  # what is idle is what is looked at
                connection.write(b"x" * 200000)

    world.certificate("a.pem", "a.test")
    world.origin("s", script)
    world.start(f"listen fe\n    mode {mode}\n    {_BIND}\n    server s {{s}}\n", global_=global_)
    client = world.tls_client()
    for _ in range(2):
        client.send("GET / HTTP/1.1\nhost: a\n\n")
        world.note(f"{mode}: {_told(_records(client))}")
        if mode == "tcp":
            break  # where messages are not known, the next one may still belong to what flows
    client.send("GET /pause HTTP/1.1\nhost: a\n\n")
    for what in ("the answer", "at once", "when it was idle"):
        world.note(f"{what}: {_told(_records(client))}")
        taken.set()
    world.forget_clients()
    world.forget_origins()


def small_at_first(world: World) -> None:
    """Small records where a transfer begins: the first one, the next message's, and what follows the idle time."""
    _scenario(world, global_=f"tune.ssl.maxrecord {_LIMIT}\n    tune.idletimer 400ms")


def never_idle(world: World) -> None:
    """`tune.idletimer 0` looks for no idle time."""
    _scenario(world, global_=f"tune.ssl.maxrecord {_LIMIT}\n    tune.idletimer 0")


def bytes_of_a_session(world: World) -> None:
    """The same in mode tcp, where nothing is known of messages."""
    _scenario(world, global_=f"tune.ssl.maxrecord {_LIMIT}\n    tune.idletimer 400ms", mode="tcp")


def hard_limit(world: World) -> None:
    """`tune.ssl.hard-maxrecord` holds for all records, also below what the TLS library can be told."""
    _scenario(world, global_=f"tune.ssl.maxrecord {_LIMIT}\n    tune.ssl.hard-maxrecord 300")


def both_limits(world: World) -> None:
    """The larger one holds when it flows."""
    _scenario(world, global_=f"tune.ssl.maxrecord {_LIMIT}\n    tune.ssl.hard-maxrecord 4000")


def uploads(world: World) -> None:
    """The same towards servers."""
    records: dict[str, list[int]] = {}

    def script(connection: Connection) -> None:
        for number in range(2):
            found: list[int] = []
            while sum(found) < 200000:
                piece = connection.sock.recv(65536)
                if not piece:
                    return
                found.append(len(piece))
            records[f"upload {number}"] = found
            connection.reply(b"ok")

    world.tls_origin("s", "a.test", script=script)
    world.start(
        'listen fe\n    bind "fd@${fe}"\n    server s {s} ssl verify none # hapy: pool-min-conn 0\n',
        global_=f"tune.ssl.maxrecord {_LIMIT}",
    )
    client = world.client()
    for _ in range(2):
        client.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 200000\r\n\r\n" + b"x" * 200000)
        client.receive()
    for name, found in sorted(records.items()):
        world.note(f"{name}: {_told(found)}")
    world.forget_clients()
    world.forget_origins()
