"""The log variables (configuration manual, 8.2.6): for each the function that reads it from a transaction.

Points in time are milliseconds since the wait for the request began, -1 where they were not reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hapy.net.clock import now, wall
from hapy.samples.formats.dates import gmt, local, stamp
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.observe.process import Process
    from hapy.proxy.transaction import Transaction

#: Reads one variable: an int for numeric ones, else bytes or None (nothing to show).
Reader = Callable[["Transaction"], Any]

BAD_REQUEST: Final = b"<BADREQ>"
NO_SERVER: Final = b"<NOSRV>"


@dataclass(frozen=True, slots=True)
class Alias:
    """One variable.

    Attributes:
        read: reads it.
        kind: `text` (quoted with +Q), `sure` (the same, and never empty), `number` (never quoted), `optional` (a
            number that may be missing), `milliseconds` or `plain` (text that +Q leaves alone).
        hexadecimal: the format of the number (or `ip`) with +X, empty where +X changes nothing.
        total: a final figure, which `logasap` writes with a `+`.
        http: prints nothing in TCP mode.
    """

    read: Reader
    kind: str = "text"
    hexadecimal: str = ""
    total: bool = False
    http: bool = False


# Points in time


def _since_start(t: Transaction, moment: float) -> int:
    return int((moment - t.started) * 1000) if moment >= 0 else -1


def _handshake(t: Transaction) -> int:
    client = t.client
    return int(client.handshake * 1000) if client.requests <= 1 else 0


def _idle(t: Transaction) -> int:
    return int((t.idle_done - t.started) * 1000) - _handshake(t) if t.idle_done >= 0 else 0


def _until_request(t: Transaction) -> int:
    """The wait before the request's first byte, TLS and PROXY header included."""
    idle = _idle(t)
    return idle + _handshake(t) if idle >= 0 else 0


def _request(t: Transaction) -> int:
    return _since_start(t, t.request_done)


def _queue(t: Transaction) -> int:
    return _since_start(t, t.queue_done)


def _connect(t: Transaction) -> int:
    return _since_start(t, t.connect_done)


def _data(t: Transaction) -> int:
    return _since_start(t, t.response_done)


def _close(t: Transaction) -> int:
    return int(((t.finished if t.finished >= 0 else now()) - t.started) * 1000)


def _time_to_receive(t: Transaction) -> int:
    request = _request(t)
    return request - _idle(t) - _handshake(t) if request >= 0 else -1


def _time_queued(t: Transaction) -> int:
    queue = _queue(t)
    return queue - _request(t) if queue >= 0 else -1


def _time_to_connect(t: Transaction) -> int:
    connect = _connect(t)
    return connect - _queue(t) if connect >= 0 else -1


def _time_to_answer(t: Transaction) -> int:
    data = _data(t)
    return data - _connect(t) if data >= 0 else -1


def _time_of_data(t: Transaction) -> int:
    data = _data(t)
    return _close(t) - data if data >= 0 else -1


def _time_active(t: Transaction) -> int:
    return _close(t) - _until_request(t)


def _time_without_idle(t: Transaction) -> int:
    return _close(t) - max(_idle(t), 0)


def accept_wall(t: Transaction) -> float:
    """When the wait for this request began, in seconds since 1970."""
    if t.idle_done >= 0:
        return t.request_wall - (t.idle_done - t.started)
    if t.request is None and t.client.requests <= 1 and t.client.accepted_wall:
        return t.client.accepted_wall
    return wall() - (now() - t.started)


def _request_wall(t: Transaction) -> float:
    return t.request_wall if t.idle_done >= 0 else accept_wall(t)


def _accepted(t: Transaction) -> bytes:
    return stamp(accept_wall(t))


def _requested(t: Transaction) -> bytes:
    return stamp(_request_wall(t))


def _accepted_gmt(t: Transaction) -> bytes:
    return gmt(accept_wall(t))


def _requested_gmt(t: Transaction) -> bytes:
    return gmt(_request_wall(t))


def _accepted_local(t: Transaction) -> bytes:
    return local(accept_wall(t))


def _requested_local(t: Transaction) -> bytes:
    return local(_request_wall(t))


def _accepted_second(t: Transaction) -> int:
    return int(accept_wall(t))


def _accepted_milliseconds(t: Transaction) -> int:
    return int(accept_wall(t) % 1 * 1000)


# The two ends of the client's connection, and of the server's


def _source(t: Transaction) -> bytes:
    return t.client.source if t.source is None else t.source


def _source_port(t: Transaction) -> int:
    return t.client.source_port if t.source_port is None else t.source_port


def _destination(t: Transaction) -> bytes:
    return t.client.destination if t.destination is None else t.destination


def _destination_port(t: Transaction) -> int:
    return t.client.destination_port if t.destination_port is None else t.destination_port


def _server_end(which: int) -> Reader:
    def read(t: Transaction) -> bytes | None:
        ends = t.server_ends
        return None if ends is None else ends[which][0] or None

    return read


def _server_port(which: int) -> Reader:
    def read(t: Transaction) -> int | None:
        ends = t.server_ends
        return ends[which][1] if ends is not None and ends[which][0] else None

    return read


# Names and counts


def _frontend(t: Transaction) -> bytes:
    return t.frontend.label


def _frontend_sessions(t: Transaction) -> int:
    return t.frontend.counters.scur


def _log_lines(t: Transaction) -> int:
    return t.frontend.counters.log_lines


def _backend(t: Transaction) -> bytes:
    return t.backend.label


def _backend_queue(t: Transaction) -> int:
    return t.backend_queue


def _server_queue(t: Transaction) -> int:
    return t.server_queue


def _number(t: Transaction) -> int:
    return t.number


def _method(t: Transaction) -> bytes:
    return t.method or BAD_REQUEST


def _status(t: Transaction) -> int:
    return t.status


def _session_status(t: Transaction) -> int:
    return max(t.status, 0)


def _bytes_in(t: Transaction) -> int:
    return t.bytes_in


def _bytes_out(t: Transaction) -> int:
    return t.bytes_out


def _state(t: Transaction) -> bytes:
    return (t.term_cause + t.term_phase).encode()


def _state_and_cookies(t: Transaction) -> bytes:
    return (t.term_cause + t.term_phase + t.cookie_in + t.cookie_out).encode()


def _frontend_and_layer(t: Transaction) -> bytes:
    label = t.frontend.label
    return label if t.client.tls is None else label + b"~"


def _server(t: Transaction) -> bytes:
    server = t.server
    if server is not None:
        return server.label
    overrides = t.overrides
    return NO_SERVER if overrides is None else overrides.service or NO_SERVER


def _backend_sessions(t: Transaction) -> int:
    backend: Any = t.backend
    return 0 if backend is t.frontend else backend.current


def _server_sessions(t: Transaction) -> int:
    server = t.server
    return 0 if server is None else server.current


def _retries(t: Transaction) -> bytes:
    return b"+%d" % t.retries if t.redispatched else b"%d" % t.retries


def _cookie(which: int) -> Reader:
    def read(t: Transaction) -> bytes | None:
        return None if t.cookie_captures is None else t.cookie_captures[which]

    return read


def _layer(name: str) -> Reader:
    def read(t: Transaction) -> bytes | None:
        layer = t.client.tls
        found: bytes | None = None if layer is None else getattr(layer, name)
        return found

    return read


def unique_id(t: Transaction) -> bytes | None:
    """The transaction's unique id, made when first asked for; None without `unique-id-format`."""
    if t.unique_id is None:
        make = t.frontend.unique_id
        if make is not None:
            t.unique_id = b""  # what a format finds that asks for the id itself
            t.unique_id = make(t)
    return t.unique_id


#: `%ST` of a session of TCP: only what has become HTTP on its way has a status.
SESSION_STATUS: Final = Alias(_session_status, "number")

ALIASES: Final[dict[str, Alias]] = {
    "B": Alias(_bytes_out, "number", total=True),
    "CC": Alias(_cookie(0), http=True),
    "CS": Alias(_cookie(1), http=True),
    "HM": Alias(_method, "sure", http=True),
    "ID": Alias(unique_id),
    "ST": Alias(_status, "number"),
    "T": Alias(_accepted_gmt, "plain"),
    "TR": Alias(_time_to_receive, "number", http=True),
    "Ta": Alias(_time_active, "number", total=True),
    "Tc": Alias(_time_to_connect, "number"),
    "Td": Alias(_time_of_data, "number"),
    "Th": Alias(_handshake, "number"),
    "Ti": Alias(_idle, "number", http=True),
    "Tl": Alias(_accepted_local, "plain"),
    "Tq": Alias(_request, "number", http=True),
    "Tr": Alias(_time_to_answer, "number", http=True),
    "Ts": Alias(_accepted_second, "number", "%04X"),
    "Tt": Alias(_close, "number", total=True),
    "Tu": Alias(_time_without_idle, "number", total=True),
    "Tw": Alias(_time_queued, "number"),
    "U": Alias(_bytes_in, "number"),
    "b": Alias(_backend, "sure"),
    "bc": Alias(_backend_sessions, "number"),
    "bi": Alias(_server_end(0), hexadecimal="ip"),
    "bp": Alias(_server_port(0), "optional", "%04X"),
    "bq": Alias(_backend_queue, "number"),
    "ci": Alias(_source, "sure", "ip"),
    "cp": Alias(_source_port, "number", "%04X"),
    "f": Alias(_frontend, "sure"),
    "fc": Alias(_frontend_sessions, "number"),
    "fi": Alias(_destination, "sure", "ip"),
    "fp": Alias(_destination_port, "number", "%04X"),
    "ft": Alias(_frontend_and_layer, "sure"),
    "lc": Alias(_log_lines, "number", "%04X"),
    "ms": Alias(_accepted_milliseconds, "milliseconds", "%02X"),
    "rc": Alias(_retries, "plain"),
    "rt": Alias(_number, "number", "%04X"),
    "s": Alias(_server, "sure"),
    "sc": Alias(_server_sessions, "number"),
    "si": Alias(_server_end(1), hexadecimal="ip"),
    "sp": Alias(_server_port(1), "optional", "%04X"),
    "sq": Alias(_server_queue, "number"),
    "sslc": Alias(_layer("cipher")),
    "sslv": Alias(_layer("version")),
    "t": Alias(_accepted, "plain"),
    "tr": Alias(_requested, "plain"),
    "trg": Alias(_requested_gmt, "plain"),
    "trl": Alias(_requested_local, "plain"),
    "ts": Alias(_state, "plain"),
    "tsc": Alias(_state_and_cookies, "plain"),
}


def of_process(process: Process) -> dict[str, Alias]:
    """The variables that tell of the process."""
    return {
        "H": Alias(lambda t: to_bytes(process.hostname), "sure"),
        "ac": Alias(lambda t: process.connections, "number"),
        "pid": Alias(lambda t: process.pid, "number", "%04X"),
    }
