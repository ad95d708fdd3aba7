"""The address and options of `-S`: judged as HAProxy does, though hapy serves no master CLI.

They are those of a `stats socket` line, with commas between the words (management manual, section 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy_config import Severity
from hapy_config.api import read_text

if TYPE_CHECKING:
    from hapy_config.api import HostLookup

_LINE: Final = "stats socket"
#: Stands for no address at all, which HAProxy accepts.
_NONE: Final = "/"


def faults(argument: str, lookup: HostLookup | None) -> list[str]:
    """What HAProxy says of a wrong address or option of `-S`; empty when there is nothing wrong.

    Args:
        argument: `ADDRESS[,OPTION[,VALUE]]...`.
        lookup: tells whether a host name resolves; see `read_config`.
    """
    address, *options = argument.split(",")
    options = [option for option in options if option]
    words = [_quoted(word) for word in (address or _NONE, *options)]
    result = read_text(f"global\n{_LINE} {' '.join(words)}\n", lookup=lookup)
    found = next((one for one in result.diagnostics if one.severity is Severity.ERROR), None)
    if found is None:
        return []
    message = found.message.removeprefix(f"'{_LINE}' : ").replace("; did you mean", ". Did you mean")
    # HAProxy names the first option, whichever it is about.
    if options and found.span.column > len(f"{_LINE} {words[0]} "):
        return [f"'{address} {options[0]}' : {message}"]
    return ["Cannot create the listener of the master CLI", message]


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
