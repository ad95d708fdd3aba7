"""`return`, `rewrite`, `if` and `set` as rules of http-request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from hapy_config.translate.from_nginx.known import Known, map_test
from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.from_nginx.locations import NO_QUERY, PATH, canonical
from hapy_config.translate.from_nginx.notes import Notes
from hapy_config.translate.from_nginx.values import (
    NoCounterpartError,
    condition,
    fetch,
    first_of,
    format_string,
    variables,
)
from hapy_config.translate.lines import write
from hapy_config.translate.writing import word as quoted

GROUP: Final = re.compile(r"\$(\d)")
#: The query, as it is written behind a path.
QUERY: Final = re.compile(r"\$\{?is_args\}?\$\{?(?:args|query_string)\}?$")
_OF_PATH: Final = re.compile(r"\{ path (?=-m )")
_OPENED: Final = re.compile(r"(?<!\\)\((?!\?)")


class Rules:
    """Makes rules.

    Args:
        maps: those of the `http` block, by the variable they make.
        notes: takes what is to be said.
    """

    def __init__(self, maps: Mapping[str, Directive], notes: Notes) -> None:
        self._maps = maps
        self._notes = notes
        #: What stands before addresses that begin with a slash: scheme, host and port, or nothing.
        self.base = ""
        self.in_location = False
        #: The tests that hold where a rewrite or `break` has ended the rules of the block.
        self.ended: list[str] = []
        #: Those that hold where one has changed the path.
        self.moved: list[str] = []
        self._ends = 0

    def begin(self, base: str, *, in_location: bool) -> None:
        """Begin with the rules of another block."""
        self.base, self.in_location, self.ended, self.moved = base, in_location, [], []

    def _end(self, tests: Sequence[str]) -> str:
        """The rule that ends the rules of the block where tests hold."""
        self._ends += 1
        name = f"txn.ngx_end_{self._ends}"
        self.ended.append(f"{{ var({name}) -m found }}")
        return f"http-request set-var({name}) bool(true){' if ' + ' '.join(tests) if tests else ''}"

    def write(self, one: Directive, where: list[str], known: Known, kind: str, server: Directive) -> Iterator[str]:
        """The rules that a `return`, `rewrite`, `if` or `set` becomes; nothing for other directives.

        Args:
            one: the directive.
            where: the tests that lead to it.
            known: what variables hold; takes more of it.
            kind: the type of what is answered, empty for text.
            server: the block around it.
        """
        if one.name in ("return", "rewrite", "set", "if", "break"):
            where = [*where, *(f"!{test}" for test in self.ended if f"!{test}" not in where)]
        tail = f" if {' '.join(where)}" if where else ""
        try:
            if one.name == "break" and not one.args:
                one.used = True
                yield self._end(where)
            elif one.name == "return" and one.args:
                one.used = True
                if QUERY.search(one.args[-1]):  # behind a path only where there is one
                    path = QUERY.sub("", one.args[-1])
                    queried = replace(one, args=(*one.args[:-1], f"{path}?$args"))
                    tests = " ".join((*where, "{ query -m len gt 0 }"))
                    yield f"{self._return(queried, known, kind, server)} if {tests}"
                    yield self._return(replace(one, args=(*one.args[:-1], path)), known, kind, server) + tail
                    return
                yield self._return(one, known, kind, server) + tail
            elif one.name == "rewrite" and len(one.args) >= 2:
                one.used = True
                yield from self._rewrite(one, where, known, server)
            elif one.name == "set" and len(one.args) == 2:
                one.used = True
                name = one.args[0].lstrip("$")
                if not variables(one.args[1]) and len(where) <= known.base:
                    known[name] = one.args[1]
                else:
                    if {"uri", "document_uri"}.intersection(variables(one.args[1])):
                        self._notes.near(one.span, f"${name} has the path as it came, not decoded")
                    yield from known.change(name, one.args[1], where[known.base :] and where)
            elif one.name == "if":
                one.used = True
                acls, test = self._mapped_condition(one) or ([], "")
                test = test or _OF_PATH.sub(f"{{ {PATH} ", condition(one.args, known))
                yield from acls
                if any(inner.name == "return" for inner in one.block or ()):
                    yield from self._own_headers(one, [*where, test], known)
                for inner in one.block or ():
                    found = list(self.write(inner, [*where, test], known, kind, server))
                    if not found and not inner.used:
                        self._notes.lost(inner.span, f"'{inner.name}' within 'if' was left out")
                    yield from found
        except NoCounterpartError as reason:
            shut = list(_shut(one, where)) if one.name == "if" else []
            what = "can't be had" if shut else "was left out"
            self._notes.lost(one.span, f"{one.name} {what}: {reason}{'; all are refused' if shut else ''}")
            if one.name == "if":
                one.take()
            yield from shut

    @staticmethod
    def _own_headers(one: Directive, tests: list[str], known: Known) -> Iterator[str]:
        """`add_header` beside the `return` of an `if`, where those of the location are not added."""
        given = [inner for inner in one.block or () if inner.name == "add_header" and len(inner.args) > 1]
        if given:
            known.own_headers = True
            yield f"http-request set-var(txn.ngx_own) bool(true) if {' '.join(tests)}"
        for inner in given:
            inner.used = True
            kept = f"var(txn.ngx_own_{len(known.heads) + 1})"
            text = write(format_string(inner.args[1], known))
            known.heads.append(
                f"http-after-response add-header {write(inner.args[0])} %[{kept}] if {{ {kept} -m found }}"
            )
            yield f"http-request set-{kept.replace('(', '-fmt(')} {text} if {' '.join(tests)}"

    def _mapped_condition(self, one: Directive) -> tuple[list[str], str] | None:
        """`if ($variable)` about a map, as the lines of an ACL and the test that names it."""
        match = re.fullmatch(r"\(\s*\$\{?(\w+)\}?\s*\)", " ".join(one.args))
        chosen = self._maps.get(match[1]) if match is not None else None
        if chosen is None or match is None:
            return None
        if chosen.first("hostnames") or any(one.args and variables(one.args[0]) for one in chosen.block or ()):
            return None
        looked_at = chosen.args[0].strip("${}")
        if not re.fullmatch(r"\$\{?\w+\}?", chosen.args[0]) or first_of(looked_at) is not None:
            return None
        source = fetch(looked_at)
        source = PATH if source == "path" else source
        default, keys = False, {True: list[str](), False: list[str]()}
        for entry in chosen.block or ():
            holds = bool(entry.args) and entry.args[0] not in ("", "0")
            if entry.name == "default":
                default = holds
            elif entry.name == "include":
                raise NoCounterpartError(f"the map ${match[1]} has entries without a counterpart")
            elif entry.name != "volatile":
                keys[holds].append(entry.name)
        if any(key.startswith("~") for key in keys[default]):
            return None
        tests = [map_test(source, key) for key in keys[not default]]
        if any(test.startswith("!") for test in tests):
            return None
        chosen.take()
        acl = f"{'not_' if default else ''}{match[1]}"
        lines = [f"acl {acl} {test.removeprefix('{ ').removesuffix(' }')}" for test in tests]
        return (
            (lines, f"{'!' if default else ''}{acl}")
            if lines
            else ([], "{ always_true }" if default else "{ always_false }")
        )

    def _return(self, one: Directive, known: dict[str, str], kind: str, server: Directive) -> str:
        code = one.args[0]
        if not code.isdecimal():
            code, text = "302", one.args[0]
        else:
            text = one.args[1] if len(one.args) > 1 else ""
        if code == "444":
            return "http-request reject"
        if code in ("301", "302", "303", "307", "308"):
            text = _with_scheme(text, server)
            text = format_string(text, known, location=True)
            base = self.base if text.startswith(("/", "%[path]")) else ""
            if {"uri", "document_uri"}.intersection(variables(one.args[-1])):
                self._notes.near(one.span, "the address has the path as it came, not decoded")
            return f"http-request redirect location {write(f'{base}{text}')} code {code}"
        if not 200 <= int(code) <= 599:
            raise NoCounterpartError(f"HAProxy gives no answers with status {code}")
        if not text:
            if int(code) < 300:
                return f"http-request return status {code}"
            try:
                text = f"<html><body><h1>{code} {HTTPStatus(int(code)).phrase}</h1></body></html>\n"
            except ValueError:
                text = f"<html><body><h1>{code}</h1></body></html>\n"
            kind = "text/html"
        word = "lf-string" if variables(text) else "string"
        body = format_string(text, known).replace("%[path]", f"%[{PATH}]") if variables(text) else text
        return f"http-request return status {code} content-type {write(kind or 'text/plain')} {word} {quoted(body)}"

    def _rewrite(self, one: Directive, where: list[str], known: dict[str, str], server: Directive) -> Iterator[str]:
        regex, new = one.args[0], _with_scheme(one.args[1], server)
        flag = one.args[2] if len(one.args) > 2 else ""
        away = new.startswith(("http://", "https://", "$scheme")) or flag in ("redirect", "permanent")
        plain = GROUP.sub("", new)
        if variables(plain) and not away:
            raise NoCounterpartError("the new path depends on more than the old one")
        carried = not new.endswith("?")  # the query goes on behind the new address
        new = new.removesuffix("?")
        sign = "&" if "?" in new else "?"
        if away:
            test = f"{{ {PATH} -m reg {write(regex)} }}"
            code = "301" if flag == "permanent" else "302"
            if GROUP.search(new):
                before, groups = _split_address(new)
                if variables(GROUP.sub("", new)) or "'" in regex + groups:
                    raise NoCounterpartError("the new address depends on too much")
                inner = f"%[path,regsub('{regex}','{backrefs(groups)}')]"
                target = before + inner
            else:
                target = format_string(new, known, location=True)
            target = f"{self.base}{target}" if target.startswith("/") else target
            found = " ".join((*where, test))
            if carried and "%[query]" not in target:
                whole = write(f"{target}{sign}%[query]")
                yield f"http-request redirect location {whole} code {code} if {found} {{ query -m found }}"
            yield f"http-request redirect location {write(target)} code {code} if {found}"
            return
        path, _, query = new.partition("?")
        if flag != "break" and self.in_location:
            self._notes.near(one.span, "the new path is not looked up among the locations again")
        tail = f" if {' '.join(where)}" if where else ""
        matched = (*where, f"{{ {PATH} -m reg {write(regex)} }}")
        if flag in ("last", "break"):
            yield self._end(matched)
            self.moved.append(self.ended[-1])
        yield from canonical(matched)
        if query:
            yield from self._with_query(regex, new, tail, carried=carried)
            return
        if not carried:
            yield f"{NO_QUERY} if {' '.join(matched)}"
        yield f"http-request replace-path {write(regex)} {write(backrefs(path).replace('%', '%%'))}{tail}"

    @staticmethod
    def _with_query(regex: str, new: str, tail: str, *, carried: bool) -> Iterator[str]:
        """A rewrite of the path that sets the query, too; the old query goes behind it."""
        begins, ends = regex.startswith("^"), regex.endswith("$") and not regex.endswith("\\$")
        inner = f"{'' if begins else '[^?]*'}{regex[begins : len(regex) - ends]}{'' if ends else '[^?]*'}"
        last = len(_OPENED.findall(inner)) + 1
        if last > 9:
            raise NoCounterpartError("its regular expression has too many groups")
        text = backrefs(new).replace("%", "%%")
        more = f"{text}&\\{last}" if carried else text
        yield f"http-request replace-pathq {write(f'^{inner}[?](.*)$')} {write(more)}{tail}"
        yield f"http-request replace-pathq {write(f'^{inner}$')} {write(text)}{tail}"


def _with_scheme(text: str, server: Directive) -> str:
    """A text with the scheme of a server's listeners for the variable."""
    tls = any("ssl" in listen.args for listen in server.all("listen"))
    return re.sub(r"\$\{?scheme\}?", "https" if tls else "http", text)


def _shut(one: Directive, where: list[str]) -> Iterator[str]:
    """What stands for an `if` that can't be had but keeps out all except those who pass its test: nobody passes."""
    text = " ".join(one.args)
    keeps = re.search(r"""(!=|!~|=\s*(""|''|0)?\s*\)$)""", text) is not None and "-f" not in text
    codes = [inner.args[0] for inner in one.block or () if inner.name == "return" and inner.args]
    if keeps and codes and codes[0].isdecimal() and 400 <= int(codes[0]) < 600:
        tail = f" if {' '.join(where)}" if where else ""
        yield f"http-request return status {codes[0] if codes[0] != '444' else '403'}{tail}"


def _split_address(text: str) -> tuple[str, str]:
    """Scheme and host of an address, and the rest."""
    match = re.match(r"https?://[^/$]*", text)
    return (match[0], text[match.end() :]) if match else ("", text)


def backrefs(text: str) -> str:
    r"""A text with `\1` for `$1`."""
    return GROUP.sub(r"\\\1", text)
