"""Log variables: section 8.2.6 of the configuration manual (8.2.4 before 2.6).

A row reads: name, type, what it requires (HTTP, TLS), what it prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.spec import OLDEST, TARGET, Context, Keyword, Runs, Table, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAlias(Keyword):
    """One log variable; its name carries no percent sign.

    Attributes:
        type: string, numeric, date or ip.
        requires: `http`, `tls` or empty: without it the variable prints `-`.
        description: what it prints, in a few words.
    """

    where: Context = Context.PROXY
    type: str = "string"
    requires: str = ""
    description: str = ""


_ROWS: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("B", "numeric", "", "bytes sent to the client"),
    ("CC", "string", "http", "captured request cookie"),
    ("CS", "string", "http", "captured response cookie"),
    ("H", "string", "", "host name"),
    ("HM", "string", "http", "request method"),
    ("HP", "string", "http", "request URI without its query string"),
    ("HPO", "string", "http", "request path without host and query string"),
    ("HQ", "string", "http", "query string with its question mark"),
    ("HU", "string", "http", "request URI"),
    ("HV", "string", "http", "request version"),
    ("ID", "string", "", "unique id"),
    ("ST", "numeric", "", "status code"),
    ("T", "date", "", "date in GMT"),
    ("Ta", "numeric", "http", "active time of the request"),
    ("Tc", "numeric", "", "time to connect"),
    ("Td", "numeric", "", "time to transfer the data"),
    ("Tl", "date", "", "local date"),
    ("Th", "numeric", "", "time of the handshakes"),
    ("Ti", "numeric", "http", "idle time before the request"),
    ("Tq", "numeric", "http", "handshakes, idle time and request together"),
    ("TR", "numeric", "http", "time to receive the request"),
    ("Tr", "numeric", "http", "response time of the server"),
    ("Ts", "numeric", "", "time stamp in seconds"),
    ("Tt", "numeric", "", "total time of the stream"),
    ("Tu", "numeric", "", "total time seen by the user"),
    ("Tw", "numeric", "", "time in queues"),
    ("U", "numeric", "", "bytes received from the client"),
    ("ac", "numeric", "", "connections of the process"),
    ("b", "string", "", "backend name"),
    ("bc", "numeric", "", "connections of the backend"),
    ("bi", "ip", "", "source address towards the server"),
    ("bp", "numeric", "", "source port towards the server"),
    ("bq", "numeric", "", "position in the backend's queue"),
    ("ci", "ip", "", "client address"),
    ("cp", "numeric", "", "client port"),
    ("f", "string", "", "frontend name"),
    ("fc", "numeric", "", "connections of the frontend"),
    ("fi", "ip", "", "address the client connected to"),
    ("fp", "numeric", "", "port the client connected to"),
    ("ft", "string", "", "frontend name, with `~` over TLS"),
    ("hr", "string", "", "captured request headers, between braces"),
    ("hrl", "string", "", "captured request headers, one word each"),
    ("hs", "string", "", "captured response headers, between braces"),
    ("hsl", "string", "", "captured response headers, one word each"),
    ("lc", "numeric", "", "counter of the frontend's log lines"),
    ("ms", "numeric", "", "milliseconds of the accept date"),
    ("pid", "numeric", "", "process id"),
    ("r", "string", "http", "request line"),
    ("rc", "numeric", "", "retries"),
    ("rt", "numeric", "", "request counter"),
    ("s", "string", "", "server name"),
    ("sc", "numeric", "", "connections of the server"),
    ("si", "ip", "", "server address"),
    ("sp", "numeric", "", "server port"),
    ("sq", "numeric", "", "position in the server's queue"),
    ("sslc", "string", "tls", "TLS cipher"),
    ("sslv", "string", "tls", "TLS version"),
    ("t", "date", "", "accept date with milliseconds"),
    ("tr", "date", "http", "date of the request's first byte"),
    ("trg", "date", "http", "the same in GMT"),
    ("trl", "date", "http", "the same in local time"),
    ("ts", "string", "", "termination state"),
    ("tsc", "string", "http", "termination state with cookie status"),
    ("OG", "string", "", "where the line comes from"),
    ("o", "string", "", "nothing; its flags hold for all that follows"),
)

_SINCE: Final[dict[str, Version]] = {
    **dict.fromkeys(("HM", "HP", "HQ", "HU", "HV", "TR", "Ta", "Td", "Th", "Ti", "lc", "tr", "trg", "trl"), (1, 8)),
    "Tu": (2, 2),
    "HPO": (2, 4),
    "OG": (3, 2),
}


def _entry(row: tuple[str, str, str, str]) -> LogAlias:
    name, kind, requires, description = row
    since = _SINCE.get(name, OLDEST)
    loss = ""
    if since > TARGET:
        loss = "the log line shows nothing there"
    return LogAlias(
        name=name,
        type=kind,
        requires=requires,
        description=description,
        since=since,
        runs=Runs.NO if loss else Runs.YES,
        loss=loss,
        manual="8.2.6",
        ok=(f"log-format %{name}", f"log-format %{{+Q}}{name}") if since <= TARGET else (),
        bad=(f"log-format %{name}x1",) if since <= TARGET else (),
    )


ALIASES: Final[dict[str, LogAlias]] = {row[0]: _entry(row) for row in _ROWS}
TABLE: Final = Table("log-aliases", ALIASES.values())
