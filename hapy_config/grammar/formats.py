"""Log format strings (configuration manual, section 8.2.6 of 2.6): text, aliases, sample expressions and their flags.

`%` before punctuation other than `%`, `{` and `[` is dropped, as HAProxy drops it. `%{…}o` sets flags for all that
follows and prints nothing, so it leaves no item. Where spaces are merged (log lines, unique ids), runs of them in
literal text are one here; the renderer merges those around an alias that prints nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from hapy_config.grammar.errors import GrammarError, raise_first
from hapy_config.grammar.expressions import needs, parse_prefix, places
from hapy_config.keywords.log_aliases import ALIASES
from hapy_config.keywords.samples import Place
from hapy_config.keywords.spec import TARGET
from hapy_config.model.expressions import FormatAlias, FormatExpression, FormatItem, FormatText, LogFormat

_TEXT: Final = re.compile(r"[^%]+")
_ALIAS: Final = re.compile(r"[A-Za-z0-9]+")
_FLAG: Final = re.compile(r"([+-])([^+,-]*)")
_SPACES: Final = re.compile(r" +")

#: The flags: quote, hexadecimal, escape.
FLAGS: Final = frozenset("QXE")


@lru_cache(maxsize=16384)
def parse_format(text: str, *, context: Place | None = None, merge_spaces: bool = False) -> LogFormat:
    """Parse a format string.

    Args:
        text: one word of the configuration.
        context: where it is evaluated; expressions whose data does not exist there are refused. None checks nothing.
        merge_spaces: runs of spaces count for one, and leading ones for none (log lines).

    Raises:
        GrammarError: in HAProxy's words; for the first fault, with the others in it.
    """
    parser = _Parser(text, context, merge_spaces)
    items = tuple(parser.run())
    raise_first(parser.faults)
    return LogFormat(text, items)


def sound_part(text: str) -> LogFormat:
    """What can be parsed of a format that has faults."""
    return LogFormat(text, tuple(_Parser(text, None, merge=False).run()))


class _Parser:
    """State of one format's parsing: where it is, the flags that `%o` set, what is wrong so far."""

    __slots__ = ("context", "faults", "flags", "items", "literal", "merge", "position", "text")

    def __init__(self, text: str, context: Place | None, merge: bool) -> None:
        self.text = text
        self.context = context
        self.merge = merge
        self.position = 0
        self.flags: frozenset[str] = frozenset()
        self.items: list[FormatItem] = []
        self.literal: list[str] = []
        self.faults: list[GrammarError] = []

    def run(self) -> list[FormatItem]:
        text = self.text
        while self.position < len(text):
            run = _TEXT.match(text, self.position)
            if run is not None:
                self.literal.append(run[0])
                self.position = run.end()
            else:
                self._percent()
        self._flush()
        return self.items

    def _flush(self) -> None:
        """Close the literal text so far."""
        literal = "".join(self.literal)
        self.literal = []
        if self.merge:
            literal = _SPACES.sub(" ", literal)
            if not self.items:
                literal = literal.lstrip(" ")
        if literal:
            self.items.append(FormatText(literal))

    def _percent(self) -> None:
        """What begins with the `%` at the current position."""
        text, start = self.text, self.position
        self.position += 1
        if self.position == len(text):
            self._fault("truncated line after '%'", start)
            return
        character = text[self.position]
        if character == "%":
            self.literal.append("%")
            self.position += 1
            return
        flags = self.flags
        if character == "{":
            flags = self._flags(start)
            character = text[self.position] if self.position < len(text) else ""
        elif character.isspace() or (character.isascii() and character.isdigit()):
            self._fault(
                f"unexpected variable name near '{character}' at position {self.position} line : '{text}'. "
                "Maybe you want to write a single '%', use the syntax '%%'",
                self.position,
            )
            return
        if character == "[":
            self._expression(flags)
        elif character.isascii() and character.isalnum():
            self._alias(flags)
        elif text[start + 1] == "{":
            self._fault(
                f"parse argument modifier without variable name near '%{text[start + 1 : self.position]}'",
                start,
            )

    def _fault(self, message: str, place: int) -> None:
        self.faults.append(GrammarError(message, place))

    def _flags(self, start: int) -> frozenset[str]:
        """`{+Q,-X}`: the flags in force with these changes."""
        end = self.text.find("}", self.position)
        if end < 0:
            self._fault(f"truncated line after '{self.text[self.position + 1 :]}'", start)
            self.position = len(self.text)
            return self.flags
        flags = set(self.flags)
        for sign, name in _FLAG.findall(self.text[self.position + 1 : end]):
            if name in FLAGS:
                (flags.add if sign == "+" else flags.discard)(name)
        self.position = end + 1
        return frozenset(flags)

    def _alias(self, flags: frozenset[str]) -> None:
        match = _ALIAS.match(self.text, self.position)
        assert match is not None
        name = match[0]
        if name == "o":
            self.flags = flags
        elif name in ALIASES and ALIASES[name].known_in(TARGET):
            self._flush()
            self.items.append(FormatAlias(name, flags))
        else:
            self._fault(
                f"no such format variable '{name}'. If you wanted to emit the '%' character verbatim,"
                " you need to use '%%'",
                self.position,
            )
        self.position = match.end()

    def _expression(self, flags: frozenset[str]) -> None:
        """`[expression]`."""
        text, begin = self.text, self.position + 1
        rest = text[begin:]
        faults: list[GrammarError] = []
        expression, end = parse_prefix(text, begin, faults)
        for one in faults:
            self._fault(f"failed to parse sample expression <{rest}> : {one.message}", one.offset)
        if end >= len(text):
            if not faults:
                self._fault(f"missing ']' after '{expression.text}'", end)
            self.position = end
            return
        if text[end] != "]":
            if not faults:
                self._fault(f"expected ']' after '{expression.text}', but found '{text[end]}'", end)
            behind = text.find("]", end) + 1
            self.position = behind or len(text)
            return
        self.position = end + 1
        if faults:
            return
        if self.context is not None and not places(expression) & self.context:
            self._fault(
                f"sample fetch <{rest}> may not be reliably used here because it needs '{needs(expression)}' "
                "which is not available here.",
                begin,
            )
        self._flush()
        self.items.append(FormatExpression(expression, flags))
