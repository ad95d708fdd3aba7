"""nginx's configuration language: words, strings, blocks and comments, parsed with their lines."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from hapy_config.source import Source, Span

_ESCAPE: Final = re.compile(r"\\([\"'\\ ;{}trn$])")
_CONTROL: Final = {"t": "\t", "r": "\r", "n": "\n"}
_DEPTH: Final = 40


class NginxError(ValueError):
    """The text is no nginx configuration; the message has the place and the reason."""


@dataclass(slots=True)
class Directive:
    """One directive.

    Attributes:
        name: its first word. args: the others, quotes and escapes resolved.
        block: what stands between its braces, None without any.
        span: its line. used: whether something was made of it, or said.
    """

    name: str
    args: tuple[str, ...]
    block: list[Directive] | None
    span: Span
    used: bool = field(default=False, compare=False)

    def all(self, name: str) -> Iterator[Directive]:
        """The directives of a name in its block."""
        return (one for one in self.block or () if one.name == name)

    def first(self, name: str) -> Directive | None:
        """The first of them."""
        return next(self.all(name), None)

    def walk(self) -> Iterator[Directive]:
        """It and all within."""
        yield self
        for one in self.block or ():
            yield from one.walk()

    def take(self) -> None:
        """Note that it and all within have gone over, or need nothing."""
        for one in self.walk():
            one.used = True


def _resolved(text: str) -> str:
    return _ESCAPE.sub(lambda match: _CONTROL.get(match[1], match[1]), text)


@cache
def _grammar() -> Any:
    import pyparsing as pp

    quoted = pp.Regex(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'", re.DOTALL).set_parse_action(
        lambda tokens: _resolved(tokens[0][1:-1])
    )
    bare = pp.Regex(
        r"(?:[^\s;{}\"'\\$#]|\\.|\$\{\w+\}|\$|(?<=\S)#)(?:[^\s;{}\\$]|\\.|\$\{\w+\}|\$|(?<=\{)\d+,?\d*\})*", re.DOTALL
    )
    word = quoted | bare.set_parse_action(lambda tokens: _resolved(tokens[0]))
    block = pp.Forward()
    name = word.copy()
    statement = pp.Located(name + pp.ZeroOrMore(word) + (pp.Suppress(";") | block))
    block <<= pp.Group(pp.Suppress("{") + pp.ZeroOrMore(statement) + pp.Suppress("}"), aslist=False)
    whole = pp.ZeroOrMore(statement) + pp.StringEnd()
    whole.ignore(pp.Regex(r"#[^\n]*"))
    return whole


def parse(source: Source) -> list[Directive]:
    """The directives of a file, in order.

    Raises:
        NginxError: it is not in nginx's language.
    """
    import pyparsing as pp

    text = source.text
    try:
        found = _grammar().parse_string(text)
    except pp.ParseBaseException as error:
        line = text.count("\n", 0, error.loc) + 1
        raise NginxError(f"{source.name}:{line}: this is not nginx's language: a ';' or a brace is missing") from None
    except RecursionError:
        raise NginxError(f"{source.name}: blocks are nested too deeply") from None
    return _directives(source, found, _Lines(text))


class _Lines:
    """Line numbers by offset."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def at(self, offset: int) -> int:
        import bisect

        return bisect.bisect_right(self._starts, offset)


def _directives(source: Source, found: Any, lines: _Lines) -> list[Directive]:
    import pyparsing as pp

    made = []
    parts = list(found)
    for start, value, _end in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        words = [one for one in value if isinstance(one, str)]
        blocks = [one for one in value if isinstance(one, pp.ParseResults)]
        inner = _directives(source, blocks[0], lines) if blocks else None
        number = lines.at(start)
        made.append(Directive(words[0], tuple(words[1:]), inner, Span(source.name, number)))
    return made


def with_includes(
    directives: Sequence[Directive],
    read: Callable[[str], Source],
    lost: Callable[[Span, str], None],
    folder: str,
    depth: int = 0,
) -> list[Directive]:
    """The directives with those of included files in their places.

    Args:
        directives: of one file.
        read: gives a file; raises OSError.
        lost: told of what can't be read.
        folder: what relative names are relative to.
        depth: how many files include this one.
    """
    found: list[Directive] = []
    for one in directives:
        if one.block is not None:
            one.block = with_includes(one.block, read, lost, folder, depth)
        if one.name != "include" or len(one.args) != 1:
            found.append(one)
            continue
        one.used = True
        pattern = one.args[0]
        path = pattern if pattern.startswith("/") else os.path.join(folder, pattern)  # noqa: PTH118 - a pattern, no path
        names = sorted(glob.glob(path)) if re.search(r"[*?\[]", path) else [path]  # noqa: PTH207 - the same
        for name in names:
            try:
                if depth > _DEPTH:
                    raise NginxError("files include each other")
                found += with_includes(parse(read(name)), read, lost, folder, depth + 1)
            except (OSError, NginxError) as error:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                if not name.endswith("mime.types"):
                    lost(one.span, f"include {name} was left out: {reason}")
    return found
