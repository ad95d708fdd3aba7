"""Findings about hapy itself: what HAProxy would run and hapy does not. They don't change the verdict."""

from __future__ import annotations

from typing import Final

from hapy_config.codes.spec import Code, Kind, code

CODES: Final[tuple[Code, ...]] = (
    code(
        Kind.NOT_RUN,
        "not-run",
        """hapy knows the keyword and does not run it; the message says what would differ. `hapy -f` stops there, unless
        it is started with `--lenient`. What only watches over the service is a warning.""",
        "global\n wurfl-cache-size 100\n",
    ),
    code(
        Kind.NOT_RUN,
        "harmless",
        """The keyword tunes something that hapy has no counterpart for. No client and no server sees a difference.""",
        "global\n busy-polling\n",
    ),
)
