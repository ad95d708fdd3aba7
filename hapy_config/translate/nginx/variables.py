"""What rules look at, as nginx variables, and conditions as `map` and `geo` blocks."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Final

from hapy_config.translate.flow import (
    CAME,
    Every,
    Formula,
    Lookup,
    Piece,
    Subject,
    Test,
    Untranslatable,
    alternatives,
    matches_nothing,
)
from hapy_config.translate.nginx.text import DOLLAR, DOLLAR_MAP, always_quoted, block, identifier, literal

_SIMPLE: Final = {
    "url": "$request_uri",
    "query": "$args",
    "host": "$http_host",
    "method": "$request_method",
    "src": "$remote_addr",
    "src_port": "$remote_port",
    "dst": "$server_addr",
    "dst_port": "$server_port",
    "scheme": "$scheme",
    "sni": "$ssl_server_name",
    "client_dn": "$ssl_client_s_dn",
    "uuid": "$request_id",
    "version": "$server_protocol",
    "status": "$status",
}
#: Values that an empty text alone has.
_NOTHING: Final = frozenset({"", "^$", "^.{0}$"})
_WORD: Final = re.compile(r"\w+", re.ASCII)
_LAST_NAME: Final = re.compile(r"\$(\w+)$")
_HEADER: Final = re.compile(r"[A-Za-z0-9_-]+")
#: Named groups and Perl's own escapes are the same in PCRE, which HAProxy and nginx both use.
_REFERENCE: Final = re.compile(r"\\(\d)")
_LITERAL: Final = re.compile(r"([\\.^$*+?{}\[\]|()])")


def escaped(text: str) -> str:
    """Text as a regular expression that is equal to it."""
    return _LITERAL.sub(r"\\\1", text)


class Variables:
    """The maps of one `http` or `stream` block; every distinct question is asked once.

    Args:
        stream: those of a `stream` block, where nothing of HTTP is known.
    """

    def __init__(self, *, stream: bool = False) -> None:
        self.blocks: list[str] = []
        self._known: dict[object, str] = {}
        self._stream = stream
        self.preread = False
        #: Request headers that rules above have changed, by lower-case name: how it is written, and its value.
        self.changed: Mapping[str, tuple[str, str]] = {}
        self._first = 0

    def count(self, first: int) -> None:
        """Number variables from `first` on, where several stand in one block."""
        self._first = first

    def _new(self, key: object, stem: str, text: str) -> str:
        """The variable of a block, made unless one with the same `key` is there; `{}` in `text` becomes its name."""
        name = self._known.get(key)
        if name is None:
            prefix = "hapy_tcp" if self._stream else "hapy"
            name = self._known[key] = f"${prefix}_{identifier(stem)}_{self._first + len(self._known) + 1}"
            self.blocks.append(text.replace("\0", name))
        return name

    def dollar(self, text: str) -> str:
        """The text as it is; a literal dollar sign in it gets its variable declared."""
        if DOLLAR in text and DOLLAR_MAP not in self.blocks:
            self.blocks.insert(0, DOLLAR_MAP)
        return text

    def map(self, source: str, lines: list[tuple[str, str]], default: str, stem: str, *, volatile: bool = False) -> str:
        """A variable that depends on others.

        Args:
            source: a string with variables.
            lines: keys and values in order; a key with `~` first is a regular expression.
            default: the value where no key fits.
            stem: a part of the name.
            volatile: what it depends on may change while a request is served.
        """
        inner = ["volatile;"] if volatile else []
        inner.append(f"default {always_quoted(default)};")
        inner.extend(f"{always_quoted(key)} {always_quoted(value)};" for key, value in lines)
        text = "\n".join(block(f"map {always_quoted(source)} \0", inner))
        for part in (source, default, *(value for _, value in lines)):
            self.dollar(part)
        return self._new(text, stem, text)

    def value(self, what: Subject, *, moved: bool = False) -> str:
        """A subject as a string with variables.

        Args:
            what: the subject.
            moved: the path was rewritten before.

        Raises:
            Untranslatable: nginx has no variable for it.
        """
        text = self._stream_value(what) if self._stream else self._http_value(what, moved=moved)
        if what.lower and what.kind not in ("hostname", "sni"):
            raise Untranslatable("nginx has no lower case of it")
        return text

    def _stream_value(self, what: Subject) -> str:
        if what.kind == "sni":
            if self.preread:
                return "$ssl_preread_server_name"
            return "$ssl_server_name"
        if what.kind in ("src", "src_port", "dst", "dst_port"):
            return _SIMPLE[what.kind]
        raise Untranslatable("nothing of HTTP is known in a stream")

    def _http_value(self, what: Subject, *, moved: bool) -> str:
        moved = moved and what.name != CAME
        if what.kind == "path":
            if moved:
                return "$uri"
            return self.map("$request_uri", [("~^(?<hapy_bare>[^?#]*)", "$hapy_bare")], "$uri", "path")
        if what.kind == "url" and moved:
            return "$uri$is_args$args"
        if what.kind == "hostname":
            whole = self.changed.get("host", ("", "$http_host"))[1]
            if not what.lower or whole != "$http_host":
                if what.lower:
                    raise Untranslatable("nginx has no lower case of a host that rules change")
                return self.map(whole, [("~^(?<hapy_name>[^:]*)", "$hapy_name")], "", "name")
            # $host is in small letters, but without the dot at the end, and something else where there is none.
            lines = [("~^ ", ""), (r"~^[^: ]*\.(?::\S*)? (?<hapy_name>.*)$", "$hapy_name.")]
            return self.map("$http_host $host", lines, "$host", "name")
        if what.kind == "base":
            return f"$http_host{self.value(Subject('path'), moved=moved)}"
        if what.kind in ("header", "host"):
            changed = self.changed.get(what.name.lower() or "host")
            if changed is not None:
                return changed[1]
        if what.kind == "answer":
            if not _HEADER.fullmatch(what.name) or what.name.lower() == "set-cookie":
                raise Untranslatable(f"nginx has no variable for the answers' header '{what.name}'")
            return f"$upstream_http_{what.name.lower().replace('-', '_')}"
        if what.kind == "header":
            if not _HEADER.fullmatch(what.name):
                raise Untranslatable(f"nginx has no variable for the header '{what.name}'")
            return f"$http_{what.name.lower().replace('-', '_')}"
        if what.kind in ("cookie", "param"):
            if _WORD.fullmatch(what.name) and what.kind == "cookie":
                return f"$cookie_{what.name}"
            source, before = ("$http_cookie", r"(?:^|;\s*)") if what.kind == "cookie" else ("$args", "(?:^|&)")
            key = f"~{before}{escaped(what.name)}=(?<hapy_found>[^;&]*)"
            return self.map(source, [(key, "$hapy_found")], "", what.name, volatile=what.kind == "param")
        if what.kind.startswith("$"):
            return what.kind
        if what.kind == "tls":
            return self.map("$https", [("on", "1")], "0", "tls")
        return _SIMPLE[what.kind]

    def string(self, parts: tuple[Piece, ...], *, moved: bool = False) -> str:
        """A format string."""
        found = []
        for part in parts:
            if isinstance(part, str):
                found.append(literal(part))
            elif isinstance(part, Lookup):
                found.append(self._lookup(part, moved=moved))
            else:
                found.append(self.value(part, moved=moved))
        for at, text in enumerate(found[:-1]):
            if not isinstance(parts[at], str) and _WORD.match(found[at + 1]):
                found[at] = _LAST_NAME.sub(r"${\1}", text)
        return self.dollar("".join(found))

    def _lookup(self, what: Lookup, *, moved: bool) -> str:
        """A text that another one decides on."""
        source = self.value(what.subject, moved=moved)
        stem = f"for_{what.subject.name or what.subject.kind}"
        volatile = moved or what.subject.kind == "param"
        flag = "~*" if what.ignore_case else "~"
        if what.how == "rewrite":
            lines = [(f"{flag}{key}", _REFERENCE.sub(r"$\1", literal(value))) for key, value in what.entries]
            return self.map(source, lines, source if what.default is None else "", stem, volatile=volatile)
        default = what.default or ""
        if what.how == "network":
            entries = [f"default {always_quoted(default)};"]
            entries += [f"{key} {always_quoted(value)};" for key, value in what.entries]
            text = "\n".join(block(f"geo {source} \0", entries))
            return self._new(text, stem, text)
        test = Test(what.subject, what.how)
        lines = [(f"{flag}{self._pattern(test, key)}", literal(value)) for key, value in what.entries]
        lines.insert(0, ("", ""))  # where there is nothing to look at there is nothing
        return self.map(source, lines, literal(default), stem, volatile=volatile)

    def test(self, one: Test, *, moved: bool = False) -> str:
        """A variable that is 1 where a test holds, else 0."""
        if one.how == "network":
            return self._network(one)
        if one.subject.kind in ("header", "answer") and _NOTHING.intersection(one.values) and matches_nothing(one):
            raise Untranslatable("nginx can't tell an empty header from none")
        tls = one.subject.kind == "tls"
        source = "$https" if tls else self.value(Subject(one.subject.kind, one.subject.name), moved=moved)
        volatile = moved or self._changes(one)
        flag = "~*" if one.ignore_case else "~"
        stem = f"is_{one.subject.name or one.subject.kind.strip('$')}"
        if one.how == "present":
            return self.map(source, [("", "0")], "1", stem, volatile=volatile)
        prefix = "HTTP/" if one.subject.kind == "version" else ""
        keys = [f"{flag}{self._pattern(one, prefix + value)}" for value in one.values]
        if one.subject.kind not in ("header", "answer") and matches_nothing(one):
            keys.insert(0, "")  # nginx asks no expression of an empty text
        return self.map(source, [(key, "1") for key in keys], "0", stem, volatile=volatile)

    @staticmethod
    def _pattern(one: Test, value: str) -> str:
        if one.how == "regex":
            return value
        text = escaped(value)
        return {"exact": f"^{text}$", "prefix": f"^{text}", "suffix": f"{text}$", "contains": text}[one.how]

    def _network(self, one: Test) -> str:
        source = self.value(one.subject)
        nets = []
        for value in one.values:
            try:
                nets.append(str(ipaddress.ip_network(value, strict=False)))
            except ValueError:
                raise Untranslatable(f"'{value}' is no network") from None
        lines = ["default 0;", *(f"{net} 1;" for net in dict.fromkeys(nets))]
        text = "\n".join(block(f"geo {source} \0", lines))
        return self._new(text, f"is_{one.subject.kind}", text)

    def condition(self, whole: Formula, *, moved: bool = False) -> str:
        """A variable that is 1 where a condition holds, else 0; an empty name where it always does."""
        if whole == Every():
            return ""
        cases = alternatives(whole)
        order = list(dict.fromkeys(one for case in cases for one, _ in case))
        names = [self.test(one, moved=moved) for one in order]
        if len(order) == 1 and cases == [[(order[0], True)]]:
            return names[0]
        lines = []
        for case in cases:
            wanted = dict(case)
            if len(wanted) < len(set(case)):
                continue  # something and its contrary
            key = "".join("." if one not in wanted else str(int(wanted[one])) for one in order)
            lines.append((f"~^{key}$", "1"))
        source = "".join(f"${{{name[1:]}}}" for name in names)
        return self.map(source, lines, "0", "if", volatile=moved or any(self._changes(one) for one in order))

    @staticmethod
    def _changes(one: Test) -> bool:
        return one.subject.kind.startswith("$") or one.subject.kind == "query"
