"""Sections ring (configuration manual, section 3.9)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy_config.build.refused import Refused
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords.spec import TARGET, Version

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.sectiondraft import SectionDraft
    from hapy_config.syntax import Statement

#: The first version that says which timeouts a ring's servers lack.
_TIMEOUTS_MISSED: Final[Version] = (2, 4)
#: The first version that makes a ring smaller where it is told to.
_SMALL_RINGS: Final[Version] = (3, 0)


def size(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """`size` and `maxlen`, in bytes."""
    text = words[1] if len(words) > 1 else ""
    wanted = leading_integer(text)
    if wanted <= 0:
        raise Refused(f"invalid size '{text}' for new sink buffer.", 1)
    if words[0] == "size":
        current = draft.numbers.get("size", 16384)
        if wanted < current:
            if TARGET <= build.version < _SMALL_RINGS:
                message = f"ignoring new size '{wanted}' that is smaller than current size '{current}'"
                build.warning("ignored-argument", statement.span(1), f"{message} for ring '{draft.name}'.")
            if build.version != TARGET:  # 2.6 alone refuses what it says it ignores
                return
            raise Refused(f"size '{wanted}' is smaller than the current size '{current}'.", 1)
        if draft.backing_file:
            raise Refused("cannot resize an already mapped file, please specify 'size' before 'backing-file'.", 1)
    draft.numbers[words[0]] = wanted


def backing_file(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """The file that keeps its contents."""
    if len(words) < 2 or not words[1]:
        raise Refused("'backing-file' expects a file name as an argument.", 1, code="missing-argument")
    if draft.backing_file:
        raise Refused(
            f"'backing-file' already specified for ring '{draft.name}' (was '{draft.backing_file}').",
            0,
            code="duplicate-name",
        )
    draft.backing_file = words[1]
    if not build.files.is_directory(str(Path(words[1]).parent)):
        message = f"cannot open backing-file '{words[1]}' for ring '{draft.name}': No such file or directory."
        build.lacking(Refused(message, 1, code="missing-file"))


def finish(build: Build, draft: SectionDraft) -> None:
    """What its lines say together."""
    whole, longest = draft.numbers.get("size", 16384), draft.numbers.get("maxlen", 0)
    if longest > whole:
        build.warning(
            "bad-argument",
            draft.header.span(),
            f"ring '{draft.name}' event max length '{longest}' exceeds size, forced to size '{whole}'.",
        )
    timeouts = {words[1] for words in draft.statements if words[0] == "timeout" and len(words) > 2}
    if draft.has_server and not {"connect", "server"} <= timeouts and build.version >= _TIMEOUTS_MISSED:
        build.warning("missing-timeouts", draft.header.span(), f"missing timeouts for backend '{draft.name}'.")
