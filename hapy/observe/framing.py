"""What stands before a message in each of the `log` formats (configuration manual, `log`; RFC 3164, RFC 5424)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy.samples.environment import CompileError
from hapy.samples.formats import dates
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.observe.process import Process
    from hapy_config.model.proxy import LogTarget

#: The syslog levels by name, `error` for `err` too.
LEVELS: Final = {
    "emerg": 0,
    "alert": 1,
    "crit": 2,
    "err": 3,
    "error": 3,
    "warning": 4,
    "notice": 5,
    "info": 6,
    "debug": 7,
}
ERR: Final = LEVELS["err"]
NOTICE: Final = LEVELS["notice"]
INFO: Final = LEVELS["info"]

_FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
    "uucp", "cron", "auth2", "ftp", "ntp", "audit", "alert", "cron2",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Framing:
    """How one target's messages begin.

    Attributes:
        head: the beginning for a level and a point in time (seconds since 1970).
        fixed_for_a_second: it is the same for all of one second (else it is made for each message).
        structured: structured data stands between it and the text (RFC 5424).
    """

    head: Callable[[int, float], bytes]
    fixed_for_a_second: bool = True
    structured: bool = False


def make_framing(target: LogTarget, process: Process, tag: str, hostname: str | None) -> Framing:
    """The framing of a target.

    Args:
        target: the `log` line.
        process: whose number is printed.
        tag: the syslog tag.
        hostname: what `log-send-hostname` says, empty for the machine's own name, None without it.

    Raises:
        CompileError: for a format or facility that does not exist.
    """
    if target.facility not in _FACILITIES:
        raise CompileError(f"unknown log facility '{target.facility}'", target.span)
    facility = _FACILITIES.index(target.facility) * 8
    if hostname == "":
        hostname = process.hostname
    form = target.format or ("rfc3164" if hostname else "local")
    name = to_bytes(tag)
    if form in ("local", "rfc3164"):
        host = b"" if form == "local" else to_bytes(hostname or "localhost") + b" "

        def syslog(level: int, wall: float) -> bytes:
            return b"<%d>%b %b%b[%d]: " % (facility + level, dates.rfc3164(int(wall)), host, name, process.pid)

        return Framing(syslog)
    if form == "rfc5424":
        sender = to_bytes(hostname) if hostname else b"-"

        def ietf(level: int, wall: float) -> bytes:
            return b"<%d>1 %b %b %b %d - " % (facility + level, dates.iso(wall), sender, name, process.pid)

        return Framing(ietf, fixed_for_a_second=False, structured=True)
    simple: dict[str, Framing] = {
        "priority": Framing(lambda level, wall: b"<%d>" % (facility + level)),
        "short": Framing(lambda level, wall: b"<%d>" % level),
        "timed": Framing(lambda level, wall: b"<%d>%b " % (level, dates.iso(wall)), fixed_for_a_second=False),
        "iso": Framing(lambda level, wall: dates.iso(wall) + b" ", fixed_for_a_second=False),
        "raw": Framing(lambda level, wall: b""),
    }
    if form not in simple:
        raise CompileError(f"unknown log format '{form}'", target.span)
    return simple[form]
