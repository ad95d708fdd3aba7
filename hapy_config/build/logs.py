"""`log` and `no log` (configuration manual, section 4.2)."""

from __future__ import annotations

import re
from typing import Final

from hapy_config.build.addressing import address
from hapy_config.build.basics import LEVELS
from hapy_config.build.context import Build
from hapy_config.build.draft import Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.grammar.addresses import LOG
from hapy_config.grammar.units import leading_integer
from hapy_config.model.addresses import Address
from hapy_config.model.proxy import LogTarget
from hapy_config.syntax import Statement

_FORMATS: Final = ("local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw")
_FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp", "ntp", "audit",
    "alert", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
_RANGE: Final = re.compile(r"([0-9]+)(?:-([0-9]+))?")


def read_target(build: Build, statement: Statement, words: list[str], name: str = "log") -> LogTarget:
    """The target of a `log ADDRESS …` line; what is wrong with its values is noted.

    Args:
        build: the configuration being built.
        statement: the line.
        words: its words.
        name: the keyword, for messages.

    Raises:
        Refused: when words are missing.
    """
    missing = f"{name} : expects <address> and <facility> or global as arguments"
    if len(words) < 3:
        hint = build.nearest(words[1], ("global",)) if len(words) == 2 else ""
        raise Refused(missing, len(words) - bool(hint), code="missing-argument", hint=hint)
    index = 2
    length, form, sample = 1024, "", None
    if index < len(words) and words[index] == "len":
        length = leading_integer(words[index + 1]) if index + 1 < len(words) else 0
        if not 80 <= length <= 65535:
            shown = words[index + 1] if index + 1 < len(words) else ""
            build.fault(Refused(f"{name} : invalid log length '{shown}', must be between 80 and 65535", index + 1))
        index += 2
    if index < len(words) and words[index] == "format":
        form = words[index + 1] if index + 1 < len(words) else ""
        if form not in _FORMATS:
            hint = build.nearest(form, _FORMATS)
            build.fault(Refused(f"{name} : unknown log format '{form}'", index + 1, hint=hint))
        index += 2
    if index < len(words) and words[index] == "sample":
        with build.noting():
            sample = _sample(words[index + 1] if index + 1 < len(words) else "", index + 1, name)
        index += 2
    target, stream = _address(build, words, name)
    facility = words[index] if index < len(words) else ""
    if not facility:
        raise Refused(missing, index, code="missing-argument")
    if facility not in _FACILITIES:
        hint = build.nearest(facility, _FACILITIES)
        build.fault(Refused(f"{name} : unknown log facility '{facility}'", index, hint=hint))
    level = words[index + 1] if index + 1 < len(words) else "debug"
    if level not in LEVELS:
        hint = build.nearest(level, LEVELS)
        build.fault(Refused(f"{name} : unknown optional log level '{level}'", index + 1, hint=hint))
    minimum = words[index + 2] if index + 2 < len(words) else None
    if minimum is not None and minimum not in LEVELS:
        build.fault(Refused(f"{name} : unknown optional minimum log level '{minimum}'", index + 2))
    if len(words) > index + 3:
        build.fault(Refused(f"{name} : cannot handle unexpected argument '{words[index + 3]}'", index + 3))
    return LogTarget(target, stream, form, length, facility, level, minimum, sample, statement.span())


def _address(build: Build, words: list[str], name: str) -> tuple[Address | None, str]:
    text = words[1]
    if text in ("stdout", "stderr"):
        return None, text
    if text.startswith("ring@"):
        return Address("name", text[5:]), "ring"
    found = address(build, text, 1, LOG, f"{name} : ")
    return found, ""


def _sample(text: str, place: int, name: str) -> tuple[tuple[tuple[int, int], ...], int]:
    ranges_text, colon, size_text = text.rpartition(":")
    if not colon or not size_text:
        raise Refused(f"{name} : Missing sample size", place)
    ranges: list[tuple[int, int]] = []
    for part in ranges_text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise Refused(f"{name} : not a valid sample range '{part}'", place)
        low, high = int(match[1]), int(match[2] or match[1])
        if low > high or low < 1:
            raise Refused(f"{name} : not a valid sample range '{part}'", place)
        if any(low <= other_high and other_low <= high for other_low, other_high in ranges):
            raise Refused(f"{name} : sample ranges are overlapping", place)
        ranges.append((low, high))
    size = leading_integer(size_text)
    if not size:
        raise Refused(f"{name} : invalid sample size '{size_text}'", place)
    highest = max(high for _, high in ranges)
    if size < highest:
        raise Refused(
            f"{name} : sample size {size} should be greater or equal to {highest} the maximum of the high ranges"
            " limits",
            place,
        )
    return tuple(ranges), size


def _log(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) == 2 and words[1] == "global":
        draft.log.extend(target for target in build.global_log if target not in draft.log)
        return
    draft.log.append(read_target(build, statement, words))


def no_log(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    """`no log`: forget the targets so far."""
    if len(words) > 1:
        raise Refused("log : 'no log' does not expect arguments", 1)
    draft.log.clear()


HANDLERS: Final[dict[str, Handler]] = {"log": _log}
