"""The log variables (configuration manual, 8.2.6) as pieces of the source text that a format is compiled to.

In that text `t` is the transaction, `c` its client, `p` the process, `fe` the frontend; `ms_…` are the points in time
in milliseconds since the accept, -1 where not reached. Each piece names what it needs computed before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Alias:
    """One variable.

    Attributes:
        code: an expression: an int for numeric ones, else bytes or None (nothing to show).
        kind: `text` (quoted with +Q), `sure` (the same, and never empty), `number` (never quoted), `optional` (a
            number that may be missing), `milliseconds`, `plain` (text that +Q leaves alone) or `many` (several texts).
        needs: names of PRELUDE entries.
        hexadecimal: the format of the number (or `ip`) with +X, empty where +X changes nothing.
        total: a final figure, which `logasap` writes with a `+`.
        http: prints nothing in TCP mode.
    """

    code: str
    kind: str = "text"
    needs: tuple[str, ...] = ()
    hexadecimal: str = ""
    total: bool = False
    http: bool = False


#: What several variables need, in the order in which it is computed.
PRELUDE: Final = {
    "server": "s = t.server",
    "backend": "b = t.backend",
    "ms_handshake": "ms_handshake = int(c.handshake * 1000) if c.requests <= 1 else 0",
    "start": "start = t.started",
    "ms_idle": "ms_idle = int((t.idle_done - start) * 1000) - ms_handshake if t.idle_done >= 0 else 0",
    "ms_request": "ms_request = int((t.request_done - start) * 1000) if t.request_done >= 0 else -1",
    "ms_queue": "ms_queue = int((t.queue_done - start) * 1000) if t.queue_done >= 0 else -1",
    "ms_connect": "ms_connect = int((t.connect_done - start) * 1000) if t.connect_done >= 0 else -1",
    "ms_data": "ms_data = int((t.response_done - start) * 1000) if t.response_done >= 0 else -1",
    "ms_close": "ms_close = int(((t.finished if t.finished >= 0 else now()) - start) * 1000)",
    "accepted": "accepted = accept_wall(t)",
    "requested": "requested = t.request_wall if t.idle_done >= 0 else accept_wall(t)",
}

_IDLE: Final = ("ms_handshake", "start", "ms_idle")
_REQUEST: Final = ("start", "ms_request")
_QUEUE: Final = ("start", "ms_queue")
_CONNECT: Final = ("start", "ms_connect")
_DATA: Final = ("start", "ms_data")
_CLOSE: Final = ("start", "ms_close")

ALIASES: Final[dict[str, Alias]] = {
    "B": Alias("t.bytes_out", "number", total=True),
    "CC": Alias("None if t.cookie_captures is None else t.cookie_captures[0]", http=True),
    "CS": Alias("None if t.cookie_captures is None else t.cookie_captures[1]", http=True),
    "H": Alias("hostname", "sure"),
    "HM": Alias("t.method or BAD", "sure", http=True),
    "HP": Alias("encode_line(target(t).partition(b'?')[0]) if t.method else BAD", "sure", http=True),
    "HPO": Alias("path_only(t)", "sure", http=True),
    "HQ": Alias("query(t)", "sure", http=True),
    "HU": Alias("encode_line(target(t)) if t.method else BAD", "sure", http=True),
    "HV": Alias("version(t)", "sure", http=True),
    "ID": Alias("unique_id(t)"),
    "ST": Alias("t.status", "number"),
    "T": Alias("gmt(accepted)", "plain", ("accepted",)),
    "TR": Alias(
        "ms_request - ms_idle - ms_handshake if ms_request >= 0 else -1", "number", (*_IDLE, *_REQUEST), http=True
    ),
    "Ta": Alias("ms_close - (ms_idle + ms_handshake if ms_idle >= 0 else 0)", "number", (*_IDLE, *_CLOSE), total=True),
    "Tc": Alias("ms_connect - ms_queue if ms_connect >= 0 else -1", "number", (*_QUEUE, *_CONNECT)),
    "Td": Alias("ms_close - ms_data if ms_data >= 0 else -1", "number", (*_DATA, *_CLOSE)),
    "Th": Alias("ms_handshake", "number", ("ms_handshake",)),
    "Ti": Alias("ms_idle", "number", _IDLE, http=True),
    "Tl": Alias("local(accepted)", "plain", ("accepted",)),
    "Tq": Alias("ms_request", "number", _REQUEST, http=True),
    "Tr": Alias("ms_data - ms_connect if ms_data >= 0 else -1", "number", (*_CONNECT, *_DATA), http=True),
    "Ts": Alias("int(accepted)", "number", ("accepted",), "%04X"),
    "Tt": Alias("ms_close", "number", _CLOSE, total=True),
    "Tu": Alias("ms_close - (ms_idle if ms_idle >= 0 else 0)", "number", (*_IDLE, *_CLOSE), total=True),
    "Tw": Alias("ms_queue - ms_request if ms_queue >= 0 else -1", "number", (*_REQUEST, *_QUEUE)),
    "U": Alias("t.bytes_in", "number"),
    "ac": Alias("p.connections", "number"),
    "b": Alias("b.label", "sure", needs=("backend",)),
    "bc": Alias("0 if b is fe else b.current", "number", ("backend",)),
    "bi": Alias("None if t.server_ends is None else t.server_ends[0][0] or None", hexadecimal="ip"),
    "bp": Alias(
        "t.server_ends[0][1] if t.server_ends is not None and t.server_ends[0][0] else None",
        "optional",
        hexadecimal="%04X",
    ),
    "bq": Alias("t.backend_queue", "number"),
    "ci": Alias("c.source if t.source is None else t.source", "sure", hexadecimal="ip"),
    "cp": Alias("c.source_port if t.source_port is None else t.source_port", "number", hexadecimal="%04X"),
    "f": Alias("fe.label", "sure"),
    "fc": Alias("fe.counters.scur", "number"),
    "fi": Alias("c.destination if t.destination is None else t.destination", "sure", hexadecimal="ip"),
    "fp": Alias(
        "c.destination_port if t.destination_port is None else t.destination_port", "number", hexadecimal="%04X"
    ),
    "ft": Alias("fe.label if c.tls is None else fe.label + b'~'", "sure"),
    "hr": Alias("braces(t.request_captures, request_slots)"),
    "hrl": Alias("t.request_captures or no_request_captures", "many"),
    "hs": Alias("braces(t.response_captures, response_slots)"),
    "hsl": Alias("t.response_captures or no_response_captures", "many"),
    "lc": Alias("fe.counters.log_lines", "number", hexadecimal="%04X"),
    "ms": Alias("int(accepted % 1 * 1000)", "milliseconds", ("accepted",), "%02X"),
    "pid": Alias("p.pid", "number", hexadecimal="%04X"),
    "r": Alias("line(t)", "sure", http=True),
    "rc": Alias("b'+%d' % t.retries if t.redispatched else b'%d' % t.retries", "plain"),
    "rt": Alias("t.number", "number", hexadecimal="%04X"),
    "s": Alias(
        "s.label if s is not None else NO_SERVER if t.overrides is None else t.overrides.service or NO_SERVER",
        "sure",
        needs=("server",),
    ),
    "sc": Alias("0 if s is None else s.current", "number", ("server",)),
    "si": Alias("None if t.server_ends is None else t.server_ends[1][0] or None", hexadecimal="ip"),
    "sp": Alias(
        "t.server_ends[1][1] if t.server_ends is not None and t.server_ends[1][0] else None",
        "optional",
        hexadecimal="%04X",
    ),
    "sq": Alias("t.server_queue", "number"),
    "sslc": Alias("None if c.tls is None else c.tls.cipher"),
    "sslv": Alias("None if c.tls is None else c.tls.version"),
    "t": Alias("stamp(accepted)", "plain", ("accepted",)),
    "tr": Alias("stamp(requested)", "plain", ("requested",)),
    "trg": Alias("gmt(requested)", "plain", ("requested",)),
    "trl": Alias("local(requested)", "plain", ("requested",)),
    "ts": Alias("(t.term_cause + t.term_phase).encode()", "plain"),
    "tsc": Alias("(t.term_cause + t.term_phase + t.cookie_in + t.cookie_out).encode()", "plain"),
}
