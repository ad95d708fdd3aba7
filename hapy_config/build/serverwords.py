"""How options of server, default-server and server-template lines are read (configuration manual, section 5.2).

A reader is handed a `ServerWords` that stands behind the option's name and puts what it reads into `values` (fields of
the model) or `options` (what is kept by its name). Here are the words and the readers of ordinary shapes;
`serveroptions` has the options, `servertls` those of TLS and of PROXY headers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hapy_config.build.arguments import TIME_SUFFIX, TimeError, milliseconds
from hapy_config.build.linewords import LineWords
from hapy_config.build.refused import Refused
from hapy_config.grammar.units import is_number, leading_integer
from hapy_config.tls.versions import put

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft
    from hapy_config.syntax import Statement


class ServerWords(LineWords):
    """Where reading stands in a server line, and what it has given so far.

    Attributes:
        label: how messages name the server (`backend/server`), empty for default-server.
        name: the server's name, `default-server` for that.
        values: fields of `model.Server`.
        options: other options by name.
    """

    __slots__ = ("default", "draft", "label", "name", "options", "values")

    def __init__(
        self,
        build: Build,
        draft: Draft,
        statement: Statement,
        words: list[str],
        position: int,
        label: str,
        name: str,
        values: dict[str, object],
        options: dict[str, tuple[str, ...]],
    ) -> None:
        super().__init__(build, statement, words, position)
        self.draft = draft
        self.label = label
        self.name = name
        self.default = not label
        self.values = values
        self.options = options

    @property
    def prefix(self) -> str:
        """What messages begin with."""
        return f"'server {self.label}' : " if self.label else ""

    def refuse(self, message: str, place: int | None = None, *, code: str = "bad-argument", hint: str = "") -> Refused:
        """The refusal in HAProxy's form."""
        where = self.position if place is None else place
        return Refused(f"{self.prefix}{message}.", where, code=code, hint=hint)

    def time(self, missing: str, what: str, name: str) -> int:
        """The next word as a time in ms."""
        text = self.take(missing)
        try:
            value, behind = milliseconds(text)
        except TimeError as error:
            if not error.character:
                raise self.refuse(
                    f"timer overflow in argument <{text}> to <{name}> of server {self.name}, maximum value is"
                    " 2147483647"
                    " ms (~24.8 days)",
                    self.position - 1,
                ) from None
            raise self.refuse(
                f"unexpected character '{error.character}' in {what} of server {self.name}", self.position - 1
            ) from None
        if behind:
            message = f"{self.prefix}{TIME_SUFFIX.format(behind, text)}"
            self.build.warning("time-suffix", self.statement.span(self.position - 1), message)
        return value


Reader = Callable[[ServerWords, str], None]


def flag(field: str, value: object) -> Reader:
    """An option without a value that sets a field."""

    def read(words: ServerWords, name: str) -> None:
        words.values[field] = value

    return read


def keep(count: int, missing: str = "") -> Reader:
    """An option whose `count` words are kept under its name."""

    def read(words: ServerWords, name: str) -> None:
        found = tuple(words.take(missing or f"'{name}' : missing value") for _ in range(count))
        put(words.options, name, found)

    return read


def drop(opposite: str) -> Reader:
    """An option that only undoes its opposite."""

    def read(words: ServerWords, name: str) -> None:
        words.options.pop(opposite, None)

    return read


def instead(opposite: str) -> Reader:
    """An option that is kept, and undoes its opposite."""

    def read(words: ServerWords, name: str) -> None:
        words.options.pop(opposite, None)
        words.options[name] = ()

    return read


def lax_number(field: str) -> Reader:
    """A number for a field, as leniently as HAProxy reads it: digits at the front count, less than 0 is 0."""

    def read(words: ServerWords, name: str) -> None:
        text = words.lax()
        if not is_number(text):
            words.build.loose_number(words.statement, words.position - 1, text)
        words.values[field] = max(leading_integer(text), 0)

    return read


def choice(choices: tuple[str, ...], expected: str, bad: str) -> Reader:
    """One of several words. `bad` says what was expected, with `{}` for what was found."""

    def read(words: ServerWords, name: str) -> None:
        text = words.take(expected)
        if text not in choices:
            raise words.refuse(bad.format(text), words.position - 1, hint=words.build.nearest(text, choices))
        words.options[name] = (text,)

    return read


def string(field: str, missing: str) -> Reader:
    """A word for a field. `missing` says what is wrong without it."""

    def read(words: ServerWords, name: str) -> None:
        words.values[field] = words.take(missing)

    return read
