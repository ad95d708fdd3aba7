"""Conditions as Caddy's expressions, format strings with its placeholders, and its syntax for strings."""

from __future__ import annotations

import ipaddress
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from hapy_config.translate.flow import (
    CAME,
    Every,
    Formula,
    Lookup,
    Not,
    Piece,
    Some,
    Subject,
    Test,
    Untranslatable,
    matches_nothing,
)
from hapy_config.translate.parts import LAST

#: The path as it came, which Caddy's own placeholder has decoded; `escaped_paths` makes it.
ESCAPED_PATH: Final = "hapy_path"
#: The same of the request as it came, whatever rules did to it.
CAME_PATH: Final = "hapy_came_path"
#: The port of a site, which sets it where its rules ask for it.
PORT: Final = "http.vars.hapy_port"
_PLACEHOLDERS: Final = {
    "path": ESCAPED_PATH,
    "query": "http.request.uri.query",
    "url": "http.request.uri",
    "host": "http.request.hostport",
    "hostname": "http.request.host",
    "method": "http.request.orig_method",
    "src": "http.request.remote.host",
    "src_port": "http.request.remote.port",
    "scheme": "http.request.scheme",
    "sni": "http.request.tls.server_name",
    "client_dn": "http.request.tls.client.subject",
    "uuid": "http.request.uuid",
    "version": "http.request.proto",
    "backend": "http.vars.hapy_backend",
    "status": "http.reverse_proxy.status_code",
    "dst_port": PORT,
}
_CAME: Final = {"path": CAME_PATH, "url": "http.request.orig_uri", "method": "http.request.orig_method"}
_NAMED: Final = {
    "header": "http.request.header",
    "cookie": "http.request.cookie",
    "param": "http.request.uri.query",
    "answer": "http.reverse_proxy.header",
}
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_SPECIAL: Final = re.compile(r"([\\.^$*+?{}\[\]|()])")
#: What RE2, which Caddy uses, leaves out of PCRE.
_BEYOND: Final = re.compile(r"\(\?(?:[=!]|<[=!]|>|R|\d|&)|\\[1-9]|[*+?}]\+|\(\?\|")
_BACKREFERENCE: Final = re.compile(r"\\(\d)")


def placeholder(what: Subject) -> str:
    """A subject as a placeholder.

    Raises:
        Untranslatable: Caddy has none for it.
    """
    if what.kind in _NAMED:
        if not _NAME.fullmatch(what.name):
            raise Untranslatable(f"Caddy has no placeholder for '{what.name}'")
        written = "-".join(part.capitalize() for part in what.name.split("-")) if what.kind == "answer" else what.name
        return f"{{{_NAMED[what.kind]}.{written}}}"
    if what.kind == "base":
        return f"{{http.request.hostport}}{{{ESCAPED_PATH}}}"
    name = (_CAME if what.name == CAME else _PLACEHOLDERS).get(what.kind)
    if name is None:
        raise Untranslatable(f"Caddy has no placeholder for it ({what.kind})")
    return f"{{{name}}}"


def escaped_paths(lines: Iterable[str]) -> list[str]:
    """The `map` of each path, not decoded, that directives ask for."""
    whole = "\n".join(lines)
    found: list[str] = []
    for name, source in ((ESCAPED_PATH, "http.request.uri"), (CAME_PATH, "http.request.orig_uri")):
        if f"{{{name}}}" in whole:
            found += [f"map {{{source}}} {{{name}}} {{", "\t`~^([^?]*)` `${1}`", '\tdefault ""', "}"]
    return found


def lookup_name(what: Lookup) -> str:
    """The name of the placeholder that `lookup_lines` make."""
    return f"hapy_map_{zlib.crc32(repr(what).encode()):08x}"


def looked_up(parts: Iterable[Piece]) -> tuple[Piece, ...]:
    """Pieces of a text; last values, versions, and what answers have (or not: a placeholder would stay) as lookups."""
    return tuple(_looked_up(part) for part in parts)


def _looked_up(part: Piece) -> Piece:
    if not isinstance(part, Subject) or part.lower:
        return part
    if part.kind == "version":
        return Lookup(part, "rewrite", (("^HTTP/(.*)$", "\\1"),), "")
    if part.kind == "answer" or part.last:
        return Lookup(replace(part, last=False), "rewrite", ((LAST.text if part.last else "^(.*)$", "\\1"),), "")
    return part


def lookup_lines(what: Lookup) -> list[str]:
    """The `map` of a text that another one decides on.

    Raises:
        Untranslatable: Caddy has nothing like it.
    """
    if what.how == "network":
        raise Untranslatable("Caddy's maps know no networks")
    source = placeholder(what.subject)
    flag = "(?i)" if what.ignore_case else ""
    lines = [] if what.how == "rewrite" else ['\t~^$ ""']  # where there is nothing to look at there is nothing
    for key, value in what.entries:
        if "{" in value or "`" in key + value:
            raise Untranslatable("Caddy's maps can't hold such a text")
        text = _SPECIAL.sub(r"\\\1", key)
        patterns = {"exact": f"^{text}$", "prefix": f"^{text}", "suffix": f"{text}$", "contains": text}
        pattern = patterns.get(what.how) or regex(key)
        new = value.replace("$", "$$")
        new = _BACKREFERENCE.sub(r"${\1}", new) if what.how == "rewrite" else new
        lines.append(f"\t`~{flag}{pattern}` `{new}`" if new else f'\t`~{flag}{pattern}` ""')
    default = source if what.how == "rewrite" and what.default is None else quoted(what.default or "")
    return [f"map {source} {{{lookup_name(what)}}} {{", *lines, f"\tdefault {default}", "}"]


def string(parts: tuple[Piece, ...]) -> str:
    """A format string, to be quoted.

    Raises:
        Untranslatable: a part of it can't be had.
    """
    found = []
    for part in looked_up(parts):
        if isinstance(part, str):
            if "{$" in part:
                raise Untranslatable("Caddy takes what stands in {$…} for a variable of its environment")
            found.append(re.sub(r"([{}])", r"\\\1", part))
        elif isinstance(part, Lookup):
            found.append(f"{{{lookup_name(part)}}}")
        elif part.lower and part.kind not in ("host", "hostname"):
            raise Untranslatable("Caddy has no lower case of it")
        else:
            found.append(placeholder(part))
    return "".join(found)


def quoted(text: str) -> str:
    """A token of a Caddyfile."""
    if "\\" in text and "`" not in text:
        return f"`{text}`"
    return '"' + text.replace('"', '\\"') + '"'


def regex(text: str) -> str:
    """A regular expression that Caddy's engine takes.

    Raises:
        Untranslatable: it uses what that engine doesn't know.
    """
    if _BEYOND.search(text):
        raise Untranslatable("its regular expression uses what Caddy's engine doesn't know")
    return text


def replacement(text: str) -> str:
    """The replacement of a regular expression, its groups as Caddy writes them; the brace begins no placeholder."""
    return _BACKREFERENCE.sub(r"$\\{\1}", text.replace("$", "$$"))


def expression(whole: Formula) -> str:
    """A condition.

    Raises:
        Untranslatable: a part of it can't be asked for.
    """
    if isinstance(whole, Not):
        return f"!({expression(whole.part)})"
    if isinstance(whole, Test):
        return _test(whole)
    parts = [expression(part) for part in whole.parts]
    if not parts:
        return "true" if isinstance(whole, Every) else "false"
    return (" && " if isinstance(whole, Every) else " || ").join(
        f"({part})" if isinstance(inner, Some | Every) else part for part, inner in zip(parts, whole.parts, strict=True)
    )


def _test(one: Test) -> str:
    if one.subject.kind == "tls":
        return '{http.request.scheme} == "https"'
    if one.how == "network":
        return _networks(one)
    where = placeholder(Subject(one.subject.kind, one.subject.name))
    if one.subject.kind == "base":
        where = "({})".format(where.replace("}{", "} + {"))
    if one.subject.kind in ("answer", "status"):  # null where there is none
        there = f"{where} != null"
        return there if one.how == "present" else f"({there} && ({_each(where, one)}))"
    if one.how == "present":
        if one.subject.kind == "header":  # an empty one is there, too
            return f'header({{{_text(one.subject.name)}: "*"}})'
        return f'{where} != ""'
    asked = _each(where, one)
    if one.how == "exact" and not one.ignore_case and "" not in one.values:
        return asked
    if one.subject.kind == "header" and matches_nothing(one):
        return f'(header({{{_text(one.subject.name)}: "*"}}) && {asked})'  # none looks empty, too
    return asked


def subjects(whole: Formula) -> Iterator[Subject]:
    """What a condition looks at."""
    if isinstance(whole, Test):
        yield whole.subject
    else:
        for part in (whole.part,) if isinstance(whole, Not) else whole.parts:
            yield from subjects(part)


def _each(where: str, one: Test) -> str:
    """A text compared with each of a test's values."""
    prefix = "HTTP/" if one.subject.kind == "version" else ""
    where = f"string({where})" if one.subject.kind in ("status", "dst_port") else where
    tests = [_one(where, one.how, prefix + value, ignore_case=one.ignore_case) for value in one.values]
    return tests[0] if len(tests) == 1 else f"({' || '.join(tests)})"


def _one(where: str, how: str, value: str, *, ignore_case: bool) -> str:
    if how == "regex" or ignore_case:
        text = regex(value) if how == "regex" else _SPECIAL.sub(r"\\\1", value)
        if how in ("exact", "prefix"):
            text = f"^{text}"
        if how in ("exact", "suffix"):
            text += "$"
        return f"{where}.matches({_text(('(?i)' if ignore_case else '') + text)})"
    if how == "exact":
        return f"{where} == {_text(value)}"
    return f"{where}.{ {'prefix': 'startsWith', 'suffix': 'endsWith', 'contains': 'contains'}[how] }({_text(value)})"


def _text(text: str) -> str:
    if "`" in text:
        raise Untranslatable("Caddy's expressions can't hold a back quote")
    return re.sub(r"\{(?=[A-Za-z$])", r"\\u007b", json.dumps(text))  # no placeholder


def _networks(one: Test) -> str:
    if one.subject.kind != "src":
        raise Untranslatable("Caddy matches the client's address only")
    nets = []
    for value in one.values:
        try:
            nets.append(str(ipaddress.ip_network(value, strict=False)))
        except ValueError:
            raise Untranslatable(f"'{value}' is no network") from None
    return f"remote_ip({', '.join(json.dumps(net) for net in nets)})"
