"""The commands: their words, who may use them, what they do.

A command is a function of a `Call`; it gives the text to answer, or raises `Refusal` with it. It is registered under
its words, as in `@command("show servers state", usage="[<backend>]", tells="…")`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from hapy_config.keywords.runtime_api import TABLE

if TYPE_CHECKING:
    from hapy.runtime_api.control import Control
    from hapy.runtime_api.session import Session


class Level(IntEnum):
    """What a session may do (`level` of a stats socket)."""

    USER = 0
    OPERATOR = 1
    ADMIN = 2


class Severity(IntEnum):
    """How grave an answer is, by syslog's numbers (`set severity-output`)."""

    ERR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6


class Refusal(Exception):  # noqa: N818 - an answer, not a defect
    """The command is answered with this text and has done nothing."""

    def __init__(self, text: str, severity: Severity = Severity.ERR) -> None:
        super().__init__(text)
        self.severity = severity


@dataclass(slots=True)
class Call:
    """One command as it was typed.

    Attributes:
        words: all of them. arguments: those behind the command's own words.
        payload: the lines that followed `<<`, None without.
        session: where it was typed. control: the process.
        severity: what the command says of its answer, None for what is no message.
    """

    words: list[str]
    arguments: list[str]
    payload: str | None
    session: Session
    control: Control
    severity: Severity | None = None

    def argument(self, index: int) -> str:
        """An argument, empty where there is none."""
        return self.arguments[index] if index < len(self.arguments) else ""

    def need(self, level: Level) -> None:
        """Refuse to go on below a level.

        Raises:
            Refusal: the session may not.
        """
        if self.session.level < level:
            raise Refusal("Permission denied\n")


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        words: its name. level: who may use it. usage: its arguments. help: what it does, in a few words.
        run: gives the answer, to which a final line end is added. own: it is hapy's, HAProxy has none.
    """

    words: tuple[str, ...]
    level: Level
    usage: str
    help: str
    run: Callable[[Call], str]
    own: bool = False

    @property
    def line(self) -> str:
        """Its line in the list of commands."""
        title = " ".join((*self.words, self.usage)).strip()
        return f"  {title:<38}: {self.help}"


_COMMANDS: Final[dict[tuple[str, ...], Command]] = {}

#: The list of commands ends with these, as they belong to the session itself.
_TAIL: Final = ("help", "prompt", "quit")


def command(
    words: str, *, usage: str = "", tells: str, level: Level = Level.USER, own: bool = False
) -> Callable[[Callable[[Call], str]], Callable[[Call], str]]:
    """Register the function that follows."""

    def register(run: Callable[[Call], str]) -> Callable[[Call], str]:
        key = tuple(words.split())
        _COMMANDS[key] = Command(key, level, usage, tells, run, own)
        return run

    return register


def load() -> None:
    """Import all families, once."""
    import hapy.runtime_api.commands  # noqa: F401


def registered() -> list[Command]:
    """All commands that run, in the order of the list."""
    load()
    names = sorted(name for name in _COMMANDS if name[0] not in _TAIL)
    return [_COMMANDS[name] for name in (*names, *((word,) for word in _TAIL if (word,) in _COMMANDS))]


def find(words: Sequence[str]) -> Command | None:
    """The command that a line begins with: the longest name wins."""
    load()
    for length in (4, 3, 2, 1):
        found = _COMMANDS.get(tuple(words[:length])) if len(words) >= length else None
        if found is not None:
            return found
    return None


def is_known(words: Sequence[str]) -> str | None:
    """The name of a command that HAProxy has and hapy does not run, None for a line that is none."""
    best: str | None = None
    for entry in TABLE:
        names = entry.name.split()
        if list(words[: len(names)]) == names and (best is None or len(names) > len(best.split())):
            best = entry.name
    return best


def listing(words: Sequence[str]) -> str:
    """The commands that have all of the words in their names; all commands without any."""
    found = [one for one in registered() if all(any(word in name for name in one.words) for word in words)]
    tail = [one for one in registered() if one.words[0] in _TAIL and one not in found]
    lines = [one.line for one in (*found, *tail)]
    return "\n".join(("The following commands are valid at this level:", *lines)) + "\n"


def not_understood(words: Sequence[str]) -> str:
    """The answer to what is no command: those that it may have meant, or all."""
    everything = registered()
    near: list[Command] = []
    for length in range(len(words), 0, -1):
        near = [one for one in everything if one.words[:length] == tuple(words[:length])]
        if near:
            break
    if not near and words:
        names = {" ".join(one.words): one for one in everything}
        near = [names[name] for name in difflib.get_close_matches(" ".join(words[:3]), names, 5, 0.6)]
    shown = near or [one for one in everything if one.words[0] not in _TAIL]
    tail = [one for one in everything if one.words[0] in _TAIL and one not in shown]
    title = (
        "Unknown command, but maybe one of the following ones is a better match:"
        if near
        else "Unknown command. Please enter one of the following commands only:"
    )
    return "\n".join((title, *(one.line for one in (*shown, *tail)))) + "\n"
