"""Converters on strings (configuration manual, 7.3.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hapy.samples import regexes, variables
from hapy.samples.casts import to_text
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Converter, TxnConverter, converter
from hapy.samples.types import Result, Value, to_string

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction


def _text(value: Value) -> bytes:
    """The bytes that the cast before has made."""
    assert isinstance(value, bytes)
    return value


@converter("lower", takes="str", gives="str")
def _lower(args: Args, env: CompileEnv) -> Converter:
    return lambda value: _text(value).lower()


@converter("upper", takes="str", gives="str")
def _upper(args: Args, env: CompileEnv) -> Converter:
    return lambda value: _text(value).upper()


@converter("length", takes="str", gives="sint")
def _length(args: Args, env: CompileEnv) -> Converter:
    return lambda value: len(_text(value))


@converter("ltrim", takes="str", gives="str")
def _ltrim(args: Args, env: CompileEnv) -> Converter:
    characters = args.data(0)
    return lambda value: _text(value).lstrip(characters)


@converter("rtrim", takes="str", gives="str")
def _rtrim(args: Args, env: CompileEnv) -> Converter:
    characters = args.data(0)
    return lambda value: _text(value).rstrip(characters)


@converter("cut_crlf", takes="str", gives="str")
def _cut_crlf(args: Args, env: CompileEnv) -> Converter:
    ends = re.compile(rb"[\r\n]")
    return lambda value: ends.split(_text(value), maxsplit=1)[0]


def _pieces(args: Args) -> tuple[int, int, re.Pattern[bytes]]:
    """Index, count and the pattern of one delimiter, for `field` and `word`."""
    index, delimiters, count = args.integer(0), args.data(1), max(0, args.integer(2, 1))
    if index == 0:
        raise args.error("the index must not be 0")
    if not delimiters:
        raise args.error("missing delimiters")
    return index, count, re.compile(b"[" + re.escape(delimiters) + b"]")


@converter("field", takes="str", gives="str")
def _field(args: Args, env: CompileEnv) -> Converter:
    index, count, delimiter = _pieces(args)

    def field(value: Value) -> Result:
        text = _text(value)
        bounds = _bounds(text, delimiter)
        chosen = _choose(bounds, index, count)
        return None if chosen is None else text[chosen[0] : chosen[1]]

    return field


def _bounds(text: bytes, delimiter: re.Pattern[bytes]) -> list[tuple[int, int]]:
    """Start and end of each field, empty ones too."""
    bounds, start = [], 0
    for match in delimiter.finditer(text):
        bounds.append((start, match.start()))
        start = match.end()
    bounds.append((start, len(text)))
    return bounds


def _choose(bounds: Sequence[tuple[int, int]], index: int, count: int) -> tuple[int, int] | None:
    """The span of `count` fields (0: all that remain) from the index on, forwards or backwards; None past the end."""
    if abs(index) > len(bounds):
        return None
    if index > 0:
        first = index - 1
        last = len(bounds) - 1 if count == 0 else min(first + count - 1, len(bounds) - 1)
    else:
        last = len(bounds) + index
        first = 0 if count == 0 else max(last - count + 1, 0)
    return bounds[first][0], bounds[last][1]


@converter("word", takes="str", gives="str")
def _word(args: Args, env: CompileEnv) -> Converter:
    index, count, delimiter = _pieces(args)

    def word(value: Value) -> Result:
        text = _text(value)
        bounds = [bound for bound in _bounds(text, delimiter) if bound[0] < bound[1]]
        chosen = _choose(bounds, index, count)
        return b"" if chosen is None else text[chosen[0] : chosen[1]]

    return word


@converter("concat", takes="str", gives="str", transaction=True)
def _concat(args: Args, env: CompileEnv) -> TxnConverter:
    start, end = args.data(0, ""), args.data(2, "")
    read = variables.reader(args.string(1), env) if args.given(1) else None

    def joined(value: Value, txn: Transaction) -> Result:
        middle = read(txn) if read is not None else None
        return _text(value) + start + (b"" if middle is None else to_string(middle)) + end

    return joined


@converter("add_item", takes="str", gives="str", transaction=True)
def _add_item(args: Args, env: CompileEnv) -> TxnConverter:
    delimiter, suffix = args.data(0), args.data(2, "")
    read = variables.reader(args.string(1), env) if args.given(1) else None
    if read is None and not suffix:
        raise args.error("one of the optional arguments has to be nonempty")

    def joined(value: Value, txn: Transaction) -> Result:
        text, middle = _text(value), read(txn) if read is not None else None
        item = (b"" if middle is None else to_string(middle)) + suffix
        if middle is None and not suffix:
            return text
        return text + delimiter + item if text else item

    return joined


@converter("regsub", takes="str", gives="str")
def _regsub(args: Args, env: CompileEnv) -> Converter:
    flags = args.string(2, "")
    if set(flags) - set("gi"):
        raise args.error(f"invalid flags {flags!r}; expects 'i', 'g' or both")
    pattern = regexes.compile_regex(args.string(0), ignore_case="i" in flags)
    replace = regexes.compile_replacement(args.data(1, ""))
    everywhere = "g" in flags

    def substituted(value: Value) -> Result:
        return regexes.substitute(pattern, replace, _text(value), everywhere=everywhere)

    return substituted


@converter("strcmp", takes="str", gives="sint", transaction=True)
def _strcmp(args: Args, env: CompileEnv) -> TxnConverter:
    read = variables.reader(args.string(0), env)

    def compared(value: Value, txn: Transaction) -> Result:
        found = read(txn)
        other = None if found is None else to_text(found)
        if not isinstance(other, bytes):
            return None
        return _compare(_text(value), other)

    return compared


def _compare(left: bytes, right: bytes) -> int:
    """C's way, up to a zero byte in both: the difference of the first bytes that differ, else which one is longer."""
    for one, other in zip(left, right, strict=False):
        if one != other:
            return one - other
        if not one:
            break
    return (len(left) > len(right)) - (len(left) < len(right))


@converter("host_only", takes="str", gives="str")
def _host_only(args: Args, env: CompileEnv) -> Converter:
    return lambda value: _host_port(_text(value))[0].lower()


@converter("port_only", takes="str", gives="sint")
def _port_only(args: Args, env: CompileEnv) -> Converter:
    def port(value: Value) -> Result:
        number = 0
        for byte in _host_port(_text(value))[1]:
            number = (number * 10 + byte - 48) & 0xFFFFFFFF  # whatever stands there is taken for digits
        return number

    return port


def _host_port(text: bytes) -> tuple[bytes, bytes]:
    """A Host value's name (brackets kept) and its port: what follows the last colon that is not within brackets."""
    colon = text.rfind(b":")
    if colon <= text.rfind(b"]"):
        return text, b""
    return text[:colon], text[colon + 1 :]


@converter("language", takes="str", gives="str")
def _language(args: Args, env: CompileEnv) -> Converter:
    offered = [language for language in args.data(0).split(b";") if language]
    default = args.data(1) if len(args) > 1 else None

    def chosen(value: Value) -> Result:
        best, best_quality = default, 0
        for token in _text(value).split(b","):
            tag, _, parameters = token.strip(b" \t").partition(b";")
            quality = _quality(parameters)
            if quality <= best_quality:
                continue
            match = _match_language(tag.strip(b" \t"), offered)
            if match is not None:
                best, best_quality = match, quality
        return best

    return chosen


def _match_language(tag: bytes, offered: Sequence[bytes]) -> bytes | None:
    """The offered language that a tag asks for: itself, else its base."""
    base = tag.partition(b"-")[0]
    for language in offered:
        if language == tag:
            return language
    return base if base in offered else None


def _quality(parameters: bytes) -> int:
    """`q=0.8` in thousandths; 1000 without one."""
    text = parameters.strip(b" \t")
    if not text:
        return 1000
    key, equals, number = text.partition(b"=")
    if not equals or key.strip(b" \t") != b"q":
        return 1000
    whole, _, decimals = number.strip(b" \t").partition(b".")
    if not whole.isdigit() or (decimals and not decimals.isdigit()):
        return 0
    return min(1000, int(whole) * 1000 + int(decimals[:3].ljust(3, b"0")))
