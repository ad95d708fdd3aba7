"""Sections cache (configuration manual, section 6.2.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hapy_config.build.refused import Refused
from hapy_config.grammar.units import leading_long

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.sectiondraft import Handler, SectionDraft
    from hapy_config.syntax import Statement

#: What `strtoul` reads to its end.
_UNSIGNED: Final = re.compile(r"[ \t-\r]*(?:\+|-(?=0+\Z))?[0-9]+")
_SIGNED: Final = re.compile(r"[ \t-\r]*[+-]?[0-9]+")


def number(minimum: int, maximum: int | None = None) -> Handler:
    """A number between two limits, a size in MB or bytes or a count by its name."""

    def handle(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
        text = words[1] if len(words) > 1 else ""
        found = leading_long(text)
        if maximum is not None and not 0 <= found <= maximum:  # HAProxy counts without a sign
            raise Refused(f'"{words[0]}" ({found}) must not be greater than {maximum}', 1)
        if words[0] == "max-secondary-entries" and _SIGNED.fullmatch(text):
            found &= 0xFFFFFFFF
        elif not _UNSIGNED.fullmatch(text):
            found = minimum - 1
        if found < minimum:
            raise Refused(f"{words[0]} wrong value '{text}'", 1)
        if len(words) > 2:
            raise Refused(f"'{words[0]}' cannot handle unexpected argument '{words[2]}'.", 2)
        draft.numbers[words[0]] = found

    return handle


def word(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """max-age and process-vary: a missing or strange value is a warning."""
    text = words[1] if len(words) > 1 else ""
    if len(words) > 2:
        raise Refused(f"'{words[0]}' cannot handle unexpected argument '{words[2]}'.", 2)
    if words[0] == "max-age":
        if not text:
            build.warning("missing-argument", statement.span(), "'max-age' expects an age parameter in seconds.")
    elif text not in ("on", "off"):
        build.warning(
            "bad-argument",
            statement.span(),
            '\'process-vary\' expects "on" or "off" (enable or disable vary processing).',
        )


def finish(build: Build, draft: SectionDraft) -> None:
    """It must have a size, of which an object takes half at the most."""
    where = draft.header.span()
    total = draft.numbers.get("total-max-size", 0)
    if not total:
        build.error("missing-size", where, f"Size not specified for cache '{draft.name}'", "add 'total-max-size <MB>'")
    elif draft.numbers.get("max-object-size", 0) > total << 19:
        message = f'"max-object-size" is limited to an half of "total-max-size" => {total << 19}'
        build.error("bad-argument", where, message)
