"""How a statement finds its handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hapy_config.build.context import Build
from hapy_config.build.draft import BACK, FRONT, Draft
from hapy_config.syntax import Statement

#: Reads one statement into the draft; raises `Refused` where HAProxy refuses the statement.
Handler = Callable[[Build, Draft, Statement, list[str]], None]

#: Reads one statement of the global section.
GlobalHandler = Callable[[Build, Statement, list[str]], None]

BOTH: Final = FRONT | BACK


def warn_side(build: Build, draft: Draft, statement: Statement, word: str, side: int, note: str = "") -> bool:
    """Warn when `draft` lacks the side that `word` needs; say whether it did."""
    if draft.side & side:
        return False
    capability = "backend" if side == BACK else "frontend"
    extra = f" {note}" if note else ""
    build.warning(
        "ignored-here",
        statement.span(),
        f"'{word}' ignored because {draft.title} '{draft.name}' has no {capability} capability.{extra}",
    )
    return True
