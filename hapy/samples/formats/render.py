"""From a parsed format to a function: one template, filled with what one reader each finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.expression import TextGetter, compile_text
from hapy.samples.formats import lines
from hapy.samples.formats.aliases import ALIASES, SESSION_STATUS, Alias, Reader, of_process
from hapy.samples.formats.escapes import encode_header, encode_http, escape
from hapy.samples.types import parse_address
from hapy_config.grammar.units import leading_integer
from hapy_config.model.expressions import FormatAlias, FormatExpression, FormatItem, FormatText, LogFormat
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

#: A compiled format.
Renderer = Callable[["Transaction"], bytes]
#: Makes a text presentable that may be None or empty.
Show = Callable[[bytes | None], bytes]

#: Variables that tell of both ends of the server connection.
_ENDS: Final = frozenset({"bi", "bp", "si", "sp"})
#: How fetches begin whose strings may hold a zero byte, at which logs cut them.
_ANY_BYTES: Final = ("ssl_", "var")
#: Variables made of captured headers, and the direction of the messages.
_CAPTURES: Final = {"hr": "request", "hrl": "request", "hs": "response", "hsl": "response"}


def compile_format(fmt: LogFormat, env: CompileEnv) -> Renderer:
    """The function that renders a format inside rules: header values, locations, bodies.

    Raises:
        CompileError: for an expression that does not run.
    """
    constant = fmt.constant
    if constant is not None:
        return _constant(to_bytes(constant))
    if len(fmt.items) == 1 and isinstance(fmt.items[0], FormatExpression) and "E" not in fmt.items[0].flags:
        return _single(compile_text(fmt.items[0].expression, env))
    return _Compilation(env, log=False).build(fmt.items)


def compile_log_format(fmt: LogFormat, env: CompileEnv) -> Renderer:
    """The function that renders a format for a log line or a unique id.

    Raises:
        CompileError: for an expression that does not run.
    """
    compilation = _Compilation(env, log=True)
    full = compilation.build(fmt.items)
    if not any(compilation.slots.values()) or not any(
        isinstance(item, FormatAlias) and item.name in _CAPTURES for item in fmt.items
    ):
        return full
    # Before a request has been taken in, no capture prints anything and the blanks around it are one. A TCP session has
    # none to wait for.
    session = env.proxy.mode == "tcp"
    bare = _Compilation(env, log=True, captures=False).build(fmt.items)

    def render(txn: Transaction) -> bytes:
        if txn.request_captures is None and txn.request is None and not (session and txn.request_done >= 0):
            return bare(txn)
        return full(txn)

    return render


def _constant(text: bytes) -> Renderer:
    return lambda txn: text


def _single(read: TextGetter) -> Renderer:
    """A format that is nothing but one expression."""

    def render(txn: Transaction) -> bytes:
        text = read(txn)
        return encode_http(text) if text else b""

    return render


def _filled(template: bytes, readers: Sequence[Reader]) -> Renderer:
    """The template with the readers' values in its places."""
    ways = list(readers)

    def render(txn: Transaction) -> bytes:
        return template % tuple([read(txn) for read in ways])

    return render


class _Compilation:
    """One format's way to a function."""

    def __init__(self, env: CompileEnv, *, log: bool, captures: bool = True) -> None:
        self.env = env
        self.log = log
        model = env.proxy
        self.slots = {
            direction: sum(1 for capture in model.captures if capture.direction == direction) if captures else 0
            for direction in ("request", "response")
        }
        self.as_soon = log and "logasap" in model.options
        self.http = model.mode == "http"
        self.template: list[bytes] = []
        self.readers: list[Reader] = []
        length = leading_integer(str(env.config.global_.tune.get("http.logurilen", lines.LENGTH)))
        self.aliases = {**ALIASES, **of_process(env.process), **lines.aliases(length)}
        if not self.http:
            self.aliases["ST"] = SESSION_STATUS

    def build(self, items: Sequence[FormatItem]) -> Renderer:
        """Compile the items to a function."""
        for item in items:
            if isinstance(item, FormatText):
                self._text(to_bytes(item.text))
            elif isinstance(item, FormatExpression):
                self._expression(item)
            else:
                self._alias(item)
        template = b"".join(self.template)
        if not self.readers:
            return _constant(template.replace(b"%%", b"%"))
        return _filled(template, self.readers)

    def _text(self, text: bytes) -> None:
        """Literal text; in logs, blanks on both sides of something that printed nothing are one."""
        if self.log and text.startswith(b" ") and (not self.template or self.template[-1].endswith(b" ")):
            text = text[1:]
        if text:
            self.template.append(text.replace(b"%", b"%%"))

    def _add(self, form: bytes, read: Reader) -> None:
        self.template.append(form)
        self.readers.append(read)

    def _show(self, flags: frozenset[str], *, quotes: bool = True) -> Show:
        """What makes a text presentable."""
        missing = b'""' if quotes and "Q" in flags else b"-" if self.log else b""
        return _presenter(missing, quoted=quotes and "Q" in flags, escaped="E" in flags)

    def _shown(self, read: Reader, flags: frozenset[str]) -> None:
        """A text that may be None or empty."""
        self._add(b"%b", _through(self._show(flags), read))

    def _never(self, text: bytes, flags: frozenset[str]) -> None:
        """A text that never changes."""
        self.template.append(self._show(flags)(text).replace(b"%", b"%%"))

    def _expression(self, item: FormatExpression) -> None:
        read = compile_text(item.expression, self.env)
        if self.log and (item.expression.converters or item.expression.fetch.name.startswith(_ANY_BYTES)):
            read = _up_to_zero(read)
        show = self._show(item.flags, quotes=self.log)
        self._add(b"%b", _through(show, read if self.log else _as_http(read)))

    def _alias(self, item: FormatAlias) -> None:
        flags, name = item.flags, item.name
        if name in _CAPTURES:
            self._captures(item)
            return
        alias = self.aliases.get(name)
        if alias is None:
            raise CompileError(f"no such format variable '{name}'")
        constant = self._known(name)
        if constant is not None:
            self._never(constant, flags)
            return
        if name in _ENDS:
            self.env.process.shows_ends = True
        if alias.http and not self.http:
            self._never(b"", flags)
        elif alias.kind == "number":
            plus = b"+" if alias.total and self.as_soon else b""
            self._add(plus + self._form(alias, flags), alias.read)
        elif alias.kind == "optional":
            missing = b'""' if self.log and "Q" in flags else b"-" if self.log else b""
            self._add(b"%b", _optional(alias.read, self._form(alias, flags), missing))
        elif alias.kind == "milliseconds":
            self._add(b"%02X" if "X" in flags else b"%03d", alias.read)
        elif alias.kind == "plain":
            self._add(b"%b", alias.read)
        elif alias.hexadecimal == "ip" and "X" in flags:
            self._add(b"%b", _hexadecimal(alias.read, self._show(flags)))
        elif alias.kind == "sure":
            read = alias.read
            if "E" in flags:
                read = _through(_presenter(b"", quoted=False, escaped=True), read)
            self._add(b'"%b"' if "Q" in flags else b"%b", read)
        else:
            self._shown(alias.read, flags)

    def _known(self, name: str) -> bytes | None:
        """What a variable always is in this frontend's log, None when it depends on the request."""
        model = self.env.proxy
        if not self.log:
            return None
        if name in ("CC", "CS") and not any(capture.direction == "cookie" for capture in model.captures):
            return b""
        if name == "f" or (name == "ft" and not any(bind.tls is not None for bind in model.binds)):
            return to_bytes(model.name)
        return None

    def _form(self, alias: Alias, flags: frozenset[str]) -> bytes:
        """How a number is written."""
        return alias.hexadecimal.encode() if alias.hexadecimal and "X" in flags else b"%d"

    def _captures(self, item: FormatAlias) -> None:
        """Captured headers: nothing at all where none are declared."""
        direction = _CAPTURES[item.name]
        count = self.slots[direction]
        if not count:
            return
        captured = _request_captures if direction == "request" else _response_captures
        if item.name in ("hr", "hs"):
            self._shown(_braces(captured, count), item.flags)
        else:
            self._add(b"%b", _words(captured, count, self._show(item.flags), b'""' if "Q" in item.flags else b""))


def _presenter(missing: bytes, *, quoted: bool, escaped: bool) -> Show:
    """What shows a text: `missing` where there is none."""

    def show(text: bytes | None) -> bytes:
        if not text:
            return missing
        if escaped:
            text = escape(text)
        return b'"%b"' % text if quoted else text

    return show


def _through(show: Show, read: Callable[[Transaction], bytes | None]) -> Reader:
    return lambda txn: show(read(txn))


def _up_to_zero(read: TextGetter) -> TextGetter:
    def text(txn: Transaction) -> bytes | None:
        found = read(txn)
        return found if found is None or (end := found.find(b"\0")) < 0 else found[:end]

    return text


def _as_http(read: TextGetter) -> TextGetter:
    def text(txn: Transaction) -> bytes | None:
        found = read(txn)
        return None if found is None else encode_http(found)

    return text


def _optional(read: Reader, form: bytes, missing: bytes) -> Reader:
    def text(txn: Transaction) -> bytes:
        value = read(txn)
        return missing if value is None else form % value

    return text


def _hexadecimal(read: Reader, show: Show) -> Reader:
    """An address in hexadecimal digits, which are never quoted; other texts are shown as they are."""

    def digits(txn: Transaction) -> bytes:
        text: bytes | None = read(txn)
        address = parse_address(text) if text else None
        return show(text) if address is None else address.packed.hex().upper().encode()

    return digits


#: What was captured in one direction, None before.
_Captured = Callable[["Transaction"], "list[bytes | None] | None"]


def _request_captures(txn: Transaction) -> list[bytes | None] | None:
    return txn.request_captures


def _response_captures(txn: Transaction) -> list[bytes | None] | None:
    return txn.response_captures


def _braces(captured: _Captured, count: int) -> Reader:
    """`{a|b}`."""
    none = b"{" + b"|" * (count - 1) + b"}"

    def text(txn: Transaction) -> bytes:
        found = captured(txn)
        if found is None:
            return none
        return b"{%b}" % b"|".join([encode_header(one) if one else b"" for one in found])

    return text


def _words(captured: _Captured, count: int, show: Show, empty: bytes) -> Reader:
    """Each captured header as a word of its own; `empty` is one without a value."""

    def text(txn: Transaction) -> bytes:
        found = captured(txn) or [None] * count
        return b" ".join([empty if one == b"" else show(encode_header(one) if one else one) for one in found])

    return text
