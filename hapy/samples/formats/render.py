"""From a parsed format to a function.

The generated source is put together from `aliases`, from numbered names of compiled expressions and from one constant
`bytes` template that is only ever passed by name: no text of the configuration becomes source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from hapy.net.clock import now, wall
from hapy.samples import targets
from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.expression import TextGetter, compile_text
from hapy.samples.formats import dates
from hapy.samples.formats.aliases import ALIASES, PRELUDE, Alias
from hapy.samples.formats.escapes import encode_header, encode_http, encode_line, escape
from hapy.samples.types import parse_address
from hapy_config.grammar.units import leading_integer
from hapy_config.model.expressions import FormatAlias, FormatExpression, FormatItem, FormatText, LogFormat
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

#: A compiled format.
Renderer = Callable[["Transaction"], bytes]

BAD_REQUEST = b"<BADREQ>"
NO_SERVER = b"<NOSRV>"


#: Variables that tell of both ends of the server connection.
_ENDS: Final = frozenset({"bi", "bp", "si", "sp"})


def compile_format(fmt: LogFormat, env: CompileEnv) -> Renderer:
    """The function that renders a format inside rules: header values, locations, bodies.

    Raises:
        CompileError: for an expression that does not run.
    """
    constant = fmt.constant
    if constant is not None:
        text = to_bytes(constant)
        return lambda txn: text
    if len(fmt.items) == 1 and isinstance(fmt.items[0], FormatExpression) and "E" not in fmt.items[0].flags:
        return _single(compile_text(fmt.items[0].expression, env))
    return _Generator(fmt, env, log=False).build(fmt.items)


def _single(read: TextGetter) -> Renderer:
    """A format that is nothing but one expression."""

    def render(txn: Transaction) -> bytes:
        text = read(txn)
        return encode_http(text) if text else b""

    return render


def compile_log_format(fmt: LogFormat, env: CompileEnv) -> Renderer:
    """The function that renders a format for a log line or a unique id.

    Raises:
        CompileError: for an expression that does not run.
    """
    generator = _Generator(fmt, env, log=True)
    full = generator.build(fmt.items)
    captures = {"hr", "hs", "hrl", "hsl"}
    if not any(generator.slots.values()) or not any(
        isinstance(item, FormatAlias) and item.name in captures for item in fmt.items
    ):
        return full
    # Before a request has been taken in, no capture prints anything and the blanks around it are one.
    bare = _Generator(fmt, env, log=True, captures=False).build(fmt.items)

    def render(txn: Transaction) -> bytes:
        return bare(txn) if txn.request_captures is None and txn.request is None else full(txn)

    return render


class _Generator:
    """One format's compilation."""

    def __init__(self, fmt: LogFormat, env: CompileEnv, *, log: bool, captures: bool = True) -> None:
        self.fmt = fmt
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
        self.values: list[str] = []
        self.needs: set[str] = set()
        self.names: dict[str, Any] = _names(env, self.slots)

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
        if not self.values:
            constant = template.replace(b"%%", b"%")
            return lambda txn: constant
        self.names["template"] = template
        lines = ["def render(t):", " c = t.client", " fe = t.frontend"]
        lines += [f" {code}" for name, code in PRELUDE.items() if name in self.needs]
        lines.append(f" return template % ({', '.join(self.values)},)")
        exec("\n".join(lines), self.names)  # noqa: S102 - made of this package's own pieces only
        render: Renderer = self.names["render"]
        return render

    def _text(self, text: bytes) -> None:
        """Literal text; in logs, blanks on both sides of something that printed nothing are one."""
        if self.log and text.startswith(b" ") and (not self.template or self.template[-1].endswith(b" ")):
            text = text[1:]
        if text:
            self.template.append(text.replace(b"%", b"%%"))

    def _add(self, form: bytes, code: str) -> None:
        self.template.append(form)
        self.values.append(code)

    def _show(self, flags: frozenset[str], *, quotes: bool) -> str:
        """The name of the function that makes a text presentable."""
        way = "quote" if quotes and "Q" in flags else "show" if self.log else "blank"
        return f"{way}_escaped" if "E" in flags else way

    def _shown(self, code: str, flags: frozenset[str], *, sure: bool = False) -> None:
        """A text that may be None or empty, unless `sure`."""
        if sure:
            form = b'"%b"' if "Q" in flags else b"%b"
            self._add(form, f"blank_escaped({code})" if "E" in flags else code)
        else:
            self._add(b"%b", f"{self._show(flags, quotes=True)}({code})")

    def _constant(self, text: bytes, flags: frozenset[str]) -> None:
        """A text that never changes."""
        show: Callable[[bytes], bytes] = self.names[self._show(flags, quotes=True)]
        self.template.append(show(text).replace(b"%", b"%%"))

    def _expression(self, item: FormatExpression) -> None:
        name = f"e{len(self.values)}"
        read = compile_text(item.expression, self.env)
        self.names[name] = read if self.log else _as_http(read)
        self._add(b"%b", f"{self._show(item.flags, quotes=self.log)}({name}(t))")

    def _alias(self, item: FormatAlias) -> None:
        alias = ALIASES.get(item.name)
        if alias is None:
            raise CompileError(f"no such format variable '{item.name}'")
        flags, name = item.flags, item.name
        constant = self._known(name)
        if constant is not None:
            self._constant(constant, flags)
            return
        self.needs.update(alias.needs)
        if name in _ENDS:
            self.env.process.shows_ends = True
        if name in ("hr", "hrl", "hs", "hsl"):
            self._captures(item)
        elif alias.http and not self.http:
            self._shown("None", flags)
        elif alias.kind == "number":
            plus = "+" if alias.total and self.as_soon else ""
            self._add(plus.encode() + self._form(alias, flags), alias.code)
        elif alias.kind == "optional":
            missing = '""' if self.log and "Q" in flags else "-" if self.log else ""
            self._add(b"%b", f"number({alias.code}, {self._form(alias, flags)!r}, {missing.encode()!r})")
        elif alias.kind == "milliseconds":
            self._add(b"%02X" if "X" in flags else b"%03d", alias.code)
        elif alias.kind == "plain":
            self._add(b"%b", alias.code)
        elif alias.hexadecimal == "ip" and "X" in flags:
            self._shown(f"hexadecimal({alias.code})", flags)
        else:
            self._shown(alias.code, flags, sure=alias.kind == "sure")

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
        direction = "request" if item.name.startswith("hr") else "response"
        count = self.slots[direction]
        if not count:
            return
        if item.name in ("hr", "hs"):
            self._shown(ALIASES[item.name].code, item.flags)
            return
        self._add(b"%b", f"words({ALIASES[item.name].code}, {self._show(item.flags, quotes=True)})")


def _names(env: CompileEnv, slots: dict[str, int]) -> dict[str, Any]:
    """What the generated source may refer to."""
    length = leading_integer(str(env.config.global_.tune.get("http.logurilen", targets.LINE_LENGTH)))
    return {
        "p": env.process,
        "BAD": BAD_REQUEST,
        "NO_SERVER": NO_SERVER,
        "hostname": to_bytes(env.process.hostname),
        "now": now,
        "accept_wall": accept_wall,
        "stamp": dates.stamp,
        "gmt": dates.gmt,
        "local": dates.local,
        "encode_line": encode_line,
        **_request_line(length),
        "unique_id": unique_id,
        "braces": _braces,
        "words": _words,
        "hexadecimal": _hexadecimal,
        "number": _number,
        "show": _show,
        "show_escaped": lambda text: escape(text) if text else b"-",
        "quote": lambda text: b'"%b"' % text if text else b'""',
        "quote_escaped": lambda text: b'"%b"' % escape(text) if text else b'""',
        "blank": lambda text: text or b"",
        "blank_escaped": lambda text: escape(text) if text else b"",
        "request_slots": slots["request"],
        "response_slots": slots["response"],
        "no_request_captures": [None] * slots["request"],
        "no_response_captures": [None] * slots["response"],
    }


def accept_wall(txn: Transaction) -> float:
    """When the wait for this request began, in seconds since 1970."""
    if txn.idle_done >= 0:
        return txn.request_wall - (txn.idle_done - txn.started)
    if txn.request is None and txn.client.requests <= 1 and txn.client.accepted_wall:
        return txn.client.accepted_wall
    return wall() - (now() - txn.started)


def unique_id(txn: Transaction) -> bytes | None:
    """The transaction's unique id, made when first asked for; None without `unique-id-format`."""
    if txn.unique_id is None:
        make = txn.frontend.unique_id
        if make is not None:
            txn.unique_id = b""  # what a format finds that asks for the id itself
            txn.unique_id = make(txn)
    return txn.unique_id


def _as_http(read: TextGetter) -> TextGetter:
    def text(txn: Transaction) -> bytes | None:
        found = read(txn)
        return None if found is None else encode_http(found)

    return text


def _show(text: bytes | None) -> bytes:
    return text or b"-"


def _number(value: int | None, form: bytes, missing: bytes) -> bytes:
    return missing if value is None else form % value


def _hexadecimal(text: bytes | None) -> bytes | None:
    """An address in hexadecimal digits; other texts stay as they are."""
    address = parse_address(text) if text else None
    return text if address is None else address.packed.hex().upper().encode()


def _request_line(length: int) -> dict[str, Callable[[Transaction], bytes]]:
    """The request line as received and its parts: what the first `length` bytes of it hold."""

    def line(txn: Transaction) -> bytes:
        method = txn.method
        if not method:
            return BAD_REQUEST
        version = txn.version
        if version == 11:
            text = method + b" " + txn.uri + b" HTTP/1.1"
        elif version == 10:
            text = b"%b %b HTTP/1.0" % (method, txn.uri)
        else:
            text = b"%b %b HTTP/%d.%d" % (method, txn.uri, *divmod(version, 10))
        return encode_line(text if len(text) <= length else text[:length])

    def target(txn: Transaction) -> bytes:
        return targets.kept(txn.uri, txn.method, length)

    def path_only(txn: Transaction) -> bytes:
        return encode_line(targets.path(target(txn)) or b"") if txn.method else BAD_REQUEST

    def query(txn: Transaction) -> bytes:
        if not txn.method:
            return BAD_REQUEST
        _, mark, text = target(txn).partition(b"?")
        return encode_line(mark + text)

    def version(txn: Transaction) -> bytes:
        if not txn.method:
            return BAD_REQUEST
        room = length - len(txn.method) - len(txn.uri) - 2
        return (b"HTTP/%d.%d" % divmod(txn.version, 10))[:room] if room > 0 else b"HTTP/0.9"  # as if none had come

    return {"line": line, "target": target, "path_only": path_only, "query": query, "version": version}


def _braces(captures: list[bytes | None] | None, count: int) -> bytes:
    """`{a|b}`."""
    if captures is None:
        return b"{" + b"|" * (count - 1) + b"}"
    return b"{%b}" % b"|".join([encode_header(one) if one else b"" for one in captures])


def _words(captures: Sequence[bytes | None], show: Callable[[bytes | None], bytes]) -> bytes:
    """Each captured header as a word of its own."""
    return b" ".join([show(encode_header(one) if one else one) for one in captures])
