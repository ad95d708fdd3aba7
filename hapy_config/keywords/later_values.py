"""What versions behind 2.6 take behind global keywords that are new, or whose values they read in another way.

Tried with 2.8, 3.0 and 3.2, those of QUIC with the last two. The tables say which versions know a keyword; here stands
what may follow it, from a version on, in the place of what the tables say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hapy_config.grammar.units import leading_long
from hapy_config.keywords.spec import Version

_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SIZE: Final = re.compile(r"([0-9]+)([kmgKMG]?)")
_MOST_SIZE: Final = (1 << 32) - 1


def size_of(text: str) -> int | None:
    """A size with its unit as 3.2 reads it, in bytes; None for what is none."""
    match = _SIZE.fullmatch(text)
    value = int(match[1]) * _UNITS[match[2].lower()] if match else _MOST_SIZE + 1
    return value if value <= _MOST_SIZE else None


@dataclass(frozen=True, slots=True)
class Value:
    """What may stand behind a keyword.

    Attributes:
        since: from this version on.
        form: a whole first word, as a regular expression; empty for a number or a size.
        what: how a message calls it.
        least, most: bounds of a number or size, None for none.
        strict: a number may have nothing behind its digits.
        size: it is a size in bytes, with k, m or g.
        missing: it may be missing. surplus: more words may follow.
    """

    since: Version = (2, 7)
    form: str = ""
    what: str = ""
    least: int | None = None
    most: int | None = None
    strict: bool = False
    size: bool = False
    missing: bool = False
    surplus: bool = False

    def fault(self, words: Sequence[str]) -> tuple[str, int] | None:
        """What is wrong with a statement, and with which of its words; None if nothing is."""
        if len(words) < 2 or not words[1]:
            return None if self.missing else (f"'{words[0]}' expects {self._called()}.", 0)
        if not self._takes(words[1]):
            return f"'{words[0]}' expects {self._called()} but got '{words[1]}'.", 1
        if len(words) > 2 and not self.surplus:
            return f"'{words[0]}' cannot handle unexpected argument '{words[2]}'.", 2
        return None

    def _takes(self, word: str) -> bool:
        if self.form:
            return re.fullmatch(self.form, word) is not None
        if self.what == "no argument":
            return False
        if self.strict and not re.fullmatch(r"-?[0-9]+", word):
            return False
        number = size_of(word) if self.size else leading_long(word)
        return (
            number is not None
            and (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
        )

    def _called(self) -> str:
        if self.what:
            return self.what
        kind = "a size in bytes" if self.size else "a whole number"
        if self.least is None:
            return kind
        return f"{kind} from {self.least} on" if self.most is None else f"{kind} from {self.least} to {self.most}"


_INT: Final = (1 << 31) - 1
_CODES: Final = r"[+-]?[1-5][0-9]{2}(?:-[1-5][0-9]{2})?"
_NONE: Final = Value(what="no argument", missing=True)
_ANY: Final = Value(form=r".*", what="a value", missing=True, surplus=True)
_COUNT: Final = Value(least=0, missing=True)
_LOOSE: Final = Value(missing=True)
_NOT_ZERO: Final = Value(form=r"[+-]?0*[1-9].*", what="a whole number that is not 0")
_PERCENT: Final = Value(least=1, most=100)
_DELAY: Final = Value(least=0, surplus=True)
_SWITCH: Final = Value(form="on|off", what="'on' or 'off'")
_BUFFER: Final = Value(least=1)
_NEW_SIZE: Final = Value(since=(3, 2), size=True)
_NEW_BUFFER: Final = Value(since=(3, 2), size=True, least=1)
_NICE: Final = Value(least=-20, most=19, strict=True, missing=True)
_CAPABILITY: Final = r"cap_(?:net_raw|net_admin|net_bind_service|sys_admin)"
_TIME: Final = r"[0-9]{1,10}(?:us|ms|s|m|h|d)?"
_POLICIES: Final = (
    "none|first-usable-node|group-by-ccx|group-by-[234]-ccx|group-by-cluster|group-by-[234]-clusters|performance|"
    "efficiency|resource"
)

#: The settings of QUIC.
_QUIC: Final = {
    "cc-hystart": _SWITCH,
    "cc.cubic.min-losses": _NOT_ZERO,
    "disable-tx-pacing": _NONE,
    "disable-udp-gso": _NONE,
    "frontend.conn-tx-buffers.limit": _NOT_ZERO,
    "frontend.default-max-window-size": Value(size=True, least=10 << 10),
    "frontend.glitches-threshold": _NOT_ZERO,
    "frontend.max-data-size": Value(size=True, least=1),
    "frontend.max-idle-timeout": Value(form=_TIME, what="a time"),
    "frontend.max-streams-bidi": _NOT_ZERO,
    "frontend.max-tx-mem": Value(form=r"[0-9]*[1-9][0-9]*[kmgKMG]?", what="a size in bytes from 1 on"),
    "frontend.stream-data-ratio": _PERCENT,
    "max-frame-loss": _NOT_ZERO,
    "reorder-ratio": _PERCENT,
    "retry-threshold": _NOT_ZERO,
    "socket-owner": Value(form="listener|connection", what="'listener' or 'connection'"),
}
#: By keyword; of several the last one whose version has come counts.
VALUES: Final[dict[str, tuple[Value, ...]]] = {
    "anonkey": (Value(least=0, most=_MOST_SIZE, surplus=True),),
    "cpu-policy": (Value(form=_POLICIES, what="a CPU policy"),),
    "cpu-set": (
        Value(
            form=r"reset|(?:only|drop)-(?:cpu|node|cluster|core|thread)",
            what="'reset', or 'only-' or 'drop-' with 'cpu', 'node', 'cluster', 'core' or 'thread'",
            surplus=True,
        ),
    ),
    "dns-accept-family": (
        Value(form=r"auto|ipv[46](?:,ipv[46])*", what="'ipv4' and 'ipv6', parted by a comma, or 'auto'"),
    ),
    "expose-deprecated-directives": (
        _ANY,
        Value(since=(3, 2), what="no argument", missing=True),
    ),
    "expose-experimental-directives": (Value(since=(3, 2), what="no argument", missing=True),),
    "harden.reject-privileged-ports.quic": (Value(form="on|off", what="'on' or 'off'", surplus=True),),
    "harden.reject-privileged-ports.tcp": (Value(form="on|off", what="'on' or 'off'", surplus=True),),
    "ocsp-update.disable": (_ANY,),
    "ocsp-update.httpproxy": (Value(form=r".*:[0-9]+", what="an address with its port"),),
    "ocsp-update.maxdelay": (_DELAY,),
    "ocsp-update.mindelay": (_DELAY,),
    "ocsp-update.mode": (_ANY,),
    "setcap": (Value(form=rf"{_CAPABILITY}(?:,{_CAPABILITY})*", what="names of capabilities", surplus=True),),
    "ssl-security-level": (Value(least=0, most=5, strict=True, surplus=True),),
    "stats-file": (Value(form=".*", what="a file", surplus=True),),
    "stress-level": (Value(least=0, most=9, strict=True),),
    "thread-hard-limit": (Value(least=1, most=1024, strict=True),),
    "tune.bufsize": (_NEW_BUFFER,),
    "tune.bufsize.small": (_NEW_BUFFER,),
    "tune.epoll.mask-events": (
        Value(form=r"(?:err|hup|rdhup)(?:,(?:err|hup|rdhup))*", what="'err', 'hup', 'rdhup', in a list", missing=True),
    ),
    "tune.events.max-events-at-once": (Value(least=1, most=10000),),
    "tune.glitches.kill.cpu-usage": (Value(least=0, most=100),),
    **dict.fromkeys(
        (
            f"tune.h2.{side}.{name}"
            for side in ("be", "fe")
            for name in ("glitches-threshold", "initial-window-size", "max-concurrent-streams")
        ),
        (_COUNT,),
    ),
    "tune.h2.be.max-frames-at-once": (_LOOSE,),
    "tune.h2.be.rxbuf": (_NEW_SIZE,),
    "tune.h2.fe.max-frames-at-once": (_LOOSE,),
    "tune.h2.fe.max-rst-at-once": (_LOOSE,),
    "tune.h2.fe.max-total-streams": (_COUNT,),
    "tune.h2.fe.rxbuf": (_NEW_SIZE,),
    "tune.lua.burst-timeout": (Value(form=_TIME, what="a time", surplus=True),),
    "tune.max-checks-per-thread": (_LOOSE,),
    "tune.max-rules-at-once": (Value(least=0),),
    "tune.maxaccept": (Value(least=-_INT - 1, most=_INT),),
    "tune.maxpollevents": (Value(since=(3, 2), most=1000000),),
    "tune.memory.hot-size": (Value(least=1),),
    "tune.pattern.cache-size": (Value(since=(3, 2), least=0),),
    **dict.fromkeys(
        (
            *("tune.pipesize", "tune.recv_enough"),
            *(f"tune.{way}buf.{side}" for way in ("rcv", "snd") for side in ("client", "server")),
        ),
        (_NEW_SIZE,),
    ),
    **dict.fromkeys(
        (f"tune.{way}buf.{side}" for way in ("rcv", "snd") for side in ("backend", "frontend")), (_BUFFER, _NEW_BUFFER)
    ),
    **{f"tune.quic.{name}": (replace(value, since=(3, 0)),) for name, value in _QUIC.items()},
    "tune.renice.runtime": (_NICE,),
    "tune.renice.startup": (_NICE,),
    "tune.ring.queues": (Value(least=0, most=16, missing=True),),
    "tune.ssl.ocsp-update.maxdelay": (_DELAY,),
    "tune.ssl.ocsp-update.mindelay": (_DELAY,),
    "tune.stick-counters": (Value(since=(2, 8), least=0, strict=True, missing=True, surplus=True),),
    "warn-blocked-traffic-after": (
        Value(form=r"0*[1-9][0-9]{0,2}(?:ms)?|0*1000(?:ms)?|0*1s|[0-9]+us", what="a time up to 1 s", surplus=True),
    ),
}
#: Lists of ranges of codes, of which every word must be one.
_OF_CODES: Final = frozenset({"http-err-codes", "http-fail-codes"})


def is_read(words: Sequence[str], version: Version) -> bool:
    """Whether `fault` is the one to judge a statement of the global section."""
    return words[0] in _OF_CODES or any(value.since <= version for value in VALUES.get(words[0], ()))


def fault(words: Sequence[str], version: Version) -> tuple[str, int] | None:
    """What the version refuses in a statement that `is_read`, and in which of its words."""
    if words[0] in _OF_CODES:
        wrong = [index for index in range(1, len(words)) if not _are_codes(words[index])]
        if len(words) < 2 or wrong:
            return f"'{words[0]}' expects codes or ranges of them, as in 404,500-599.", wrong[0] if wrong else 0
        return None
    return [value for value in VALUES[words[0]] if value.since <= version][-1].fault(words)


def _are_codes(word: str) -> bool:
    if not re.fullmatch(rf"{_CODES}(?:,{_CODES})*", word):
        return False
    ranges = (one.lstrip("+-").split("-") for one in word.split(","))
    return all(one[0] <= one[-1] for one in ranges)
