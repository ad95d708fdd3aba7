"""The arguments of keywords that need no handler of their own, checked by what their table entry says."""

from __future__ import annotations

from typing import Final

from hapy_config.build.arguments import size
from hapy_config.build.context import Build
from hapy_config.build.refused import Refused
from hapy_config.grammar.patterns import network
from hapy_config.grammar.units import leading_integer, leading_long
from hapy_config.keywords.spec import Arg, Keyword, Kind
from hapy_config.syntax import Statement

#: The largest `int` of C.
_INT_MAX: Final = 2**31 - 1

#: What HAProxy calls the argument of some words.
_NAMED: Final = {"log-tag": "a tag for use in syslog"}
_LOOKS: Final = {
    Kind.INTEGER: "an integer argument",
    Kind.TIME: "<time> as argument",
    Kind.SECONDS: "<time> as argument",
    Kind.SIZE: "a size",
    Kind.FILE: "a file name as an argument",
    Kind.DIRECTORY: "a directory as an argument",
    Kind.NAME: "a name as an argument",
}


def check_arguments(
    build: Build, keyword: Keyword, statement: Statement, count: int, words: list[str] | None = None
) -> None:
    """Check what follows the keyword's own `count` words; wrong values are noted.

    Raises:
        Refused: when a word is missing, or too many.
    """
    words = statement.words if words is None else words
    index = count
    for argument in keyword.args:
        if argument.kind in (Kind.REST, Kind.CONDITION):
            if index >= len(words) and not argument.optional:
                raise _missing(keyword, argument, index)
            return
        if index >= len(words) or not words[index]:
            if argument.optional:
                words, index = build.read_on(words), count + len(keyword.args)
                break
            raise _missing(keyword, argument, index)
        with build.noting():
            _check(build, keyword, argument, statement, words, index)
        index += 1
        while argument.repeat and index < len(words):
            with build.noting():
                _check(build, keyword, argument, statement, words, index)
            index += 1
    if index < len(words) and words[index] and not keyword.surplus:
        raise Refused(f"'{keyword.name}' cannot handle unexpected argument '{words[index]}'.", index)


def _missing(keyword: Keyword, argument: Arg, index: int) -> Refused:
    if argument.kind is Kind.CHOICE:
        choices = ", ".join(f"'{choice}'" for choice in argument.choices)
        return Refused(f"'{keyword.name}' expects one of {choices}.", index, code="missing-argument")
    what = _NAMED.get(keyword.name) or _LOOKS.get(argument.kind, f"<{argument.name}> as argument")
    return Refused(f"'{keyword.name}' expects {what}.", index, code="missing-argument")


def _check(build: Build, keyword: Keyword, argument: Arg, statement: Statement, words: list[str], index: int) -> None:
    text = words[index]
    if argument.kind is Kind.CHOICE:
        if text not in argument.choices:
            choices = ", ".join(f"'{choice}'" for choice in argument.choices)
            raise Refused(
                f"'{keyword.name}' expects one of {choices} but got '{text}'.",
                index,
                hint=build.nearest(text, argument.choices),
            )
    elif argument.kind is Kind.INTEGER:
        _integer(build, keyword, argument, statement, text, index)
    elif argument.kind in (Kind.TIME, Kind.SECONDS):
        unit = "s" if argument.kind is Kind.SECONDS else "ms"
        value = build.time(statement, words, index, f"<{keyword.name}>", unit)
        if (argument.maximum is not None and value > argument.maximum) or (
            argument.minimum is not None and value < argument.minimum
        ):
            raise Refused(
                f"'{keyword.name}' expects a timer value between {argument.minimum or 0} and {argument.maximum} ms.",
                index,
            )
    elif argument.kind is Kind.NETWORK:
        if network(text) is None:
            raise Refused(f"'{keyword.name}' expects address[/mask].", index)
    elif argument.kind is Kind.SIZE:
        try:
            size(text)
        except ValueError as error:
            raise Refused(f"'{keyword.name}' : unexpected character '{error}' in size '{text}'.", index) from None


def _integer(build: Build, keyword: Keyword, argument: Arg, statement: Statement, text: str, index: int) -> None:
    if not argument.lax:
        digits = text[1:] if text[:1] in ("-", "+") else text
        if not (digits.isascii() and digits.isdecimal()):
            raise Refused(f"'{keyword.name}' passed a missing or unparsable integer value in '{text}'", index)
    else:
        build.loose_number(statement, index, text)
    low, high = argument.minimum, argument.maximum
    if high == _INT_MAX:  # compared before it becomes an int
        value = leading_long(text)
    else:
        value = leading_integer(text) & 0xFFFFFFFF if argument.unsigned else leading_integer(text)
    if (low is not None and value < low) or (high is not None and value > high):
        if high is None:
            raise Refused(f"'{keyword.name}' expects a number of at least {low} (got {text}).", index)
        if low is None:
            raise Refused(f"'{keyword.name}' expects a number of at most {high} (got {text}).", index)
        raise Refused(f"'{keyword.name}' expects a numeric value between {low} and {high} (got {text}).", index)
