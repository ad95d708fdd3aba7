"""Expressions, formats and conditions of HAProxy's as expressions of Lua."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from hapy_config.model.expressions import (
    AclExpression,
    Call,
    Condition,
    FormatAlias,
    FormatText,
    LogFormat,
    SampleExpression,
)
from hapy_config.translate.envoy.script.patterns import Pattern, patterns
from hapy_config.translate.flow import Lookup, Untranslatable, check_methods
from hapy_config.translate.lookups import lookup, pattern_lines

#: By fetch: a function of Lua that gives its one value.
_PLAIN: Final = {
    "path": "path",
    "pathq": "url",
    "url": "url",
    "query": "query",
    "base": "base",
    "method": "method",
    "src": "src",
    "src_port": "src_port",
    "dst": "dst",
    "dst_port": "dst_port",
    "ssl_fc": "encrypted",
    "ssl_fc_sni": "server_name",
    "req.ver": "version",
    "req_ver": "version",
}
#: Those that are the same when the answer has come.
_LASTING: Final = frozenset({"method", "src", "src_port", "dst", "dst_port", "ssl_fc", "ssl_fc_sni"})
_ALIASES: Final = {
    "ci": "src", "cp": "src_port", "fi": "dst", "fp": "dst_port", "HM": "method", "HP": "came_path", "HPO": "came_path",
    "HU": "came_url",
}  # fmt: skip
#: By fetch without its prefix: how all headers of a name are read.
_HEADERS: Final = {"hdr": "values", "fhdr": "lines", "hdr_cnt": "values", "fhdr_cnt": "lines", "hdr_val": "values",
                   "hdr_ip": "values"}  # fmt: skip
_COOKIES: Final = frozenset({"req.cook", "cook", "cookie", "req.cook_cnt", "cook_cnt", "req.cook_val", "cook_val"})
_PARAMETERS: Final = frozenset({"url_param", "urlp", "url_param_val", "urlp_val"})
_CONVERTED: Final = frozenset({"lower", "upper", "length", "host_only", "port_only"})
_FITS: Final = {
    "beg": "begins", "end": "ends", "sub": "contains", "dir": "has_directory", "dom": "has_domain", "reg": "matches",
}  # fmt: skip
_KINDS: Final = {"prefix": "begins", "suffix": "ends", "contains": "contains", "network": "in_network"}
_BOUNDS: Final = {"dir": "/?", "dom": "/?.:"}
_HUGE: Final = "math.huge"
_OPERATORS: Final = frozenset({"eq", "ge", "gt", "le", "lt"})
#: Entries of a table that stand in the line that uses it.
_SHORT: Final = 8


def quoted(value: str) -> str:
    """A text as Lua writes it."""
    raw = value.encode("utf-8", "surrogateescape")
    shown = "".join(
        f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if 32 <= byte < 127 else f"\\{byte:03d}" for byte in raw
    )
    return f'"{shown}"'


def table(parts: Iterable[str]) -> str:
    """A list of Lua."""
    return "{" + ", ".join(parts) + "}"


def pattern_table(found: Iterable[Pattern]) -> str:
    """Patterns with the groups that their captures are."""
    return table(table([quoted(one.text), *map(str, one.groups)]) for one in found)


class Values:
    """Writes the expressions of one script, and keeps its tables.

    Attributes:
        tables: the long lists and maps, each written once in front of the rules.
        answering: the rules are those about answers.
        identified: an expression asks for a UUID.
    """

    def __init__(self) -> None:
        self.tables: dict[str, str] = {}
        self.answering = False
        self.identified = False

    def _table(self, text: str, entries: int) -> str:
        """A table where it stands, or its name where it is long."""
        if entries <= _SHORT and len(text) < 200:
            return text
        return self.tables.setdefault(text, f"table_{len(self.tables) + 1}")

    # -- expressions

    def one(self, sample: SampleExpression) -> str:
        """The value that an expression gives; nil for none.

        Raises:
            Untranslatable: it can't be had.
        """
        return self._convert(self._fetched(sample), sample.converters, sample)

    def text(self, sample: SampleExpression) -> str:
        """The same as text."""
        return f"text({self.one(sample)})"

    def _fetched(self, sample: SampleExpression) -> str:
        fetch = sample.fetch
        name, args = fetch.name, [argument for argument in fetch.args if argument]
        constant = self._constant(fetch)
        if constant is not None:
            return constant
        several = self._several(sample)
        if several is not None:
            found, occurrence, kind = several
            if kind.endswith("_cnt"):
                return f"#{found}"
            return f"nth({found}, {occurrence})"
        if name == "capture.req.method":
            name = "method"
        if name == "capture.req.uri" and not self.answering:
            name = "url"
        if name in _PLAIN and not args and not (self.answering and name not in _LASTING):
            return f"{_PLAIN[name]}(r)"
        if name == "status" and self.answering:
            return "status(r)"
        if name == "var" and len(args) == 1 and args[0].partition(".")[0] in ("txn", "req", "res"):
            return f"r.vars[{quoted(args[0])}]"
        if name == "uuid" and not args and not self.answering:
            self.identified = True
            return "r.uuid"
        if name == "rand" and len(args) == 1 and args[0].isdecimal() and int(args[0]):
            return f"math.random(0, {int(args[0]) - 1})"
        raise Untranslatable(f"'{sample.text}' can't be looked at there")

    @staticmethod
    def _constant(fetch: Call) -> str | None:
        """A constant; None for other fetches."""
        name, args = fetch.name, fetch.args
        if name in ("always_true", "always_false"):
            return "true" if name == "always_true" else "false"
        if name == "bool" and len(args) == 1:
            return "true" if args[0].lower() in ("true", "1") else "false"
        if name == "int" and len(args) == 1 and re.fullmatch(r"-?\d+", args[0]):
            return args[0]
        if name == "str" and len(args) == 1:
            return quoted(args[0])
        return None

    def _several(self, sample: SampleExpression) -> tuple[str, int, str] | None:
        """All that there is of a name, which one of it an expression takes, and the fetch; None for other fetches."""
        fetch = sample.fetch
        name, args = fetch.name, fetch.args
        plain = name.removeprefix("req.").removeprefix("res.")
        plain = "hdr" + plain[4:] if plain.startswith("shdr") else plain
        wanted = args[0] if args else ""
        if plain in _HEADERS and wanted and len(args) <= 2:
            of_answers = name.startswith(("res.", "shdr")) or (self.answering and not name.startswith("req."))
            if of_answers != self.answering:
                raise Untranslatable(f"'{sample.text}' can't be looked at there")
            occurrence = args[1] if len(args) > 1 and args[1] else "0"
            if not re.fullmatch(r"-?\d+", occurrence):
                raise Untranslatable(f"'{sample.text}' can't be looked at there")
            found = f"{_HEADERS[plain]}(r, {quoted(wanted.lower())})"
        elif name in _COOKIES and wanted and len(args) == 1 and not self.answering:
            found, occurrence = f"cookies(r, {quoted(wanted)})", "-1"
        elif name in _PARAMETERS and wanted and len([one for one in args if one]) == 1 and not self.answering:
            found, occurrence = f"parameters(r, {quoted(wanted)})", "1"
        else:
            return None
        if plain.endswith("_val"):
            found = f"each({found}, number)"
        elif plain.endswith("_ip"):
            found = f"each({found}, told_address)"
        return found, int(occurrence), plain

    def all(self, sample: SampleExpression) -> str:
        """The values that a test looks at.

        Raises:
            Untranslatable: they can't be had.
        """
        several = self._several(sample)
        given = len(sample.fetch.args) > 1 and sample.fetch.args[1]
        if several is None or several[2].endswith("_cnt") or given:
            return table([self.one(sample)])
        changed = self._convert("value", sample.converters, sample)
        return several[0] if changed == "value" else f"each({several[0]}, function(value) return {changed} end)"

    def _convert(self, value: str, converters: Iterable[Call], sample: SampleExpression) -> str:
        for call in converters:
            value = self._converted(value, call, sample)
        return value

    def _converted(self, value: str, call: Call, sample: SampleExpression) -> str:
        name, args = call.name, call.args
        if name in _CONVERTED and not args:
            return f"{name}({value})"
        if name in ("field", "word") and len(args) in (2, 3) and re.fullmatch(r"-?[1-9]\d*", args[0]) and args[1]:
            count = args[2] if len(args) > 2 else "1"
            if count.isdecimal():
                return f"{name}({value}, {args[0]}, {quoted(args[1])}, {count})"
        if name in ("ltrim", "rtrim") and len(args) == 1 and args[0]:
            return f"{name}({value}, {quoted(args[0])})"
        if name == "concat" and (len(args) < 2 or not args[1]):
            before, behind = (*args, "", "", "")[0], (*args, "", "", "")[2]
            return f"with_tail({value}, {quoted(before + behind)})"
        if name == "concat" and args[1].partition(".")[0] in ("txn", "req", "res"):
            before, behind = args[0], (*args, "")[2] if len(args) > 2 else ""
            tail = f"{quoted(before)} .. text(r.vars[{quoted(args[1])}]) .. {quoted(behind)}"
            return f"with_tail({value}, {tail})"
        if name == "regsub" and len(args) >= 2 and "g" not in "".join(args[2:]):
            found = patterns(args[0], ignore_case="i" in "".join(args[2:]), captures=True)
            return f"regsub({value}, {pattern_table(found)}, {quoted(args[1])})"
        if name.split("_")[0] == "map" and args:
            return self._looked_up(value, call, sample)
        raise Untranslatable(f"the converter '{name}' of '{sample.text}' has no counterpart")

    def _looked_up(self, value: str, call: Call, sample: SampleExpression) -> str:
        plain = SampleExpression(sample.text, Call("path"), (call,), "str")
        found = lookup(plain)
        default = "nil" if found.default is None else quoted(found.default)
        if found.how == "exact":
            entries = table(f"[{quoted(key)}] = {quoted(text)}" for key, text in found.entries)
            return f"looked_up({value}, {self._table(entries, len(found.entries))}, {default})"
        entries = table(table([key, quoted(text)]) for key, text in self._keys(found))
        fits = _KINDS.get(found.how, "matches")
        return f"first_entry({value}, {fits}, {self._table(entries, len(found.entries))}, {default})"

    @staticmethod
    def _keys(found: Lookup) -> Iterable[tuple[str, str]]:
        """The keys of a map in Lua's words."""
        for key, text in found.entries:
            if found.how == "regex":
                for pattern in patterns(key):
                    yield quoted(pattern.text), text
            else:
                yield network(key) if found.how == "network" else quoted(key), text

    def format(self, format_: LogFormat) -> str:
        """A format as text.

        Raises:
            Untranslatable: it holds what can't be had.
        """
        parts: list[str] = []
        for item in format_.items:
            if isinstance(item, FormatText):
                parts.append(quoted(item.text))
            elif item.flags:
                raise Untranslatable(f"'{format_.text}' is written with flags")
            elif isinstance(item, FormatAlias):
                name = _ALIASES.get(item.name)
                if name is None or (self.answering and name not in _LASTING):
                    raise Untranslatable(f"'%{item.name}' can't be had there")
                parts.append(f"text({name}(r))")
            else:
                parts.append(self.text(item.expression))
        return " .. ".join(parts) or '""'

    # -- conditions

    def condition(self, condition: Condition | None, unknown: str | None = None) -> str:
        """Whether a condition holds.

        Args:
            condition: it; None always holds.
            unknown: of a rule that must keep somebody out: its action; tests that can't be made are taken for what
                keeps more out of `auth`, and for not true of others.

        Raises:
            Untranslatable: a test of it can't be made, and `unknown` is None.
        """
        if condition is None:
            return "true"
        cases: list[str] = []
        for terms in condition.alternatives:
            tests: list[str] = []
            for term in terms:
                found = [self._tested(one, unknown, term.negated == condition.unless) for one in term.expressions]
                distinct = [one for one in dict.fromkeys(found) if one != "false"] or ["false"]
                joined = "true" if "true" in distinct else _joined(distinct, "or")
                tests.append(_not(joined) if term.negated else joined)
            tests = [one for one in dict.fromkeys(tests) if one != "true"] or ["true"]
            cases.append("false" if "false" in tests else _joined(tests, "and"))
        cases = [one for one in dict.fromkeys(cases) if one != "false"] or ["false"]
        whole = "true" if "true" in cases else _joined(cases, "or")
        return _not(whole) if condition.unless else whole

    def _tested(self, acl: AclExpression, unknown: str | None, keeps_out: bool) -> str:
        try:
            return self.test(acl)
        except Untranslatable:
            if unknown is None:
                raise
            return "true" if unknown == "auth" and keeps_out else "false"

    def test(self, acl: AclExpression) -> str:
        """Whether a test holds.

        Raises:
            Untranslatable: it can't be made.
        """
        if acl.files:
            lines = [
                text.split(None, 1)[0] if acl.as_map else text for file in acl.files for text in pattern_lines(file)
            ]
            acl = replace(acl, files=(), patterns=(*acl.patterns, *lines))
            if not acl.patterns:
                return "false"
        fetch = acl.criterion.fetch.name
        if fetch in ("always_true", "always_false") and not acl.criterion.converters and not acl.patterns:
            return "true" if fetch == "always_true" else "false"
        values = self.all(acl.criterion)
        if fetch == "method" and not acl.criterion.converters:
            values = "{asked_method(r)}"
            if acl.match == "str" and acl.ignore_case:
                check_methods(acl.patterns)
        if acl.match == "found":
            return f"#{values} > 0"
        if acl.match == "bool":
            wanted = acl.patterns not in (("0",), ("false",))
            return f"true_one({values})" if wanted else _not(f"true_one({values})")
        return self._compared(acl, values)

    def _compared(self, acl: AclExpression, values: str) -> str:
        given = acl.patterns
        if acl.match == "int":
            return f"any({values}, between, {table(_ranges(given))})"
        if acl.match == "len":
            return f"any({values}, is_long, {table(_ranges(given))})"
        if acl.match == "ip":
            nets = table(network("127.0.0.1" if one == "localhost" else one) for one in given)
            return f"any({values}, in_network, {self._table(nets, len(given))})"
        if acl.match == "reg":
            found = [pattern.text for one in given for pattern in patterns(one, ignore_case=acl.ignore_case)]
            return f"any({values}, matches, {self._table(table(map(quoted, found)), len(found))})"
        if acl.ignore_case:
            values = f"each({values}, lower)"
            given = tuple(one.lower() for one in given)
        if acl.match == "str":
            entries = table(f"[{quoted(one)}] = true" for one in dict.fromkeys(given))
            return f"among({values}, {self._table(entries, len(given))})"
        if acl.match in _BOUNDS:
            given = tuple(text for one in given if (text := one.strip(_BOUNDS[acl.match])))
            if not given:
                return "false"
        if acl.match not in _FITS:
            raise Untranslatable(f"values of '{acl.criterion.text}' can't be compared in that way ({acl.match})")
        return f"any({values}, {_FITS[acl.match]}, {self._table(table(map(quoted, given)), len(given))})"


def _joined(parts: list[str], word: str) -> str:
    if len(parts) == 1:
        return parts[0]
    other = "or" if word == "and" else "and"
    return f" {word} ".join(f"({one})" if f" {other} " in one or f" {word} " in one else one for one in parts)


def _not(text: str) -> str:
    if text in ("true", "false"):
        return "false" if text == "true" else "true"
    return f"not ({text})"


def network(text: str) -> str:
    """The bytes of a network's address, and how many bits of it count.

    Raises:
        Untranslatable: it is none.
    """
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Untranslatable(f"'{text}' is no network") from None
    return table([*map(str, found.network_address.packed), f"bits = {found.prefixlen}"])


def _ranges(given: tuple[str, ...]) -> list[str]:
    """The least and the most of each range of numbers.

    Raises:
        Untranslatable: one is written otherwise.
    """
    operator, found = "eq", []
    for one in given:
        if one in _OPERATORS:
            operator = one
            continue
        low, colon, high = one.partition(":")
        if not all(re.fullmatch(r"-?\d+", part) for part in (low, high) if part) or not (low or high):
            raise Untranslatable(f"'{one}' is no range of numbers")
        bounds = (low or f"-{_HUGE}", high or _HUGE) if colon else (low, low)
        if operator != "eq":
            if colon:
                raise Untranslatable(f"'{one}' is a range behind an operator")
            number = int(low)
            bounds = {
                "ge": (low, _HUGE), "gt": (str(number + 1), _HUGE), "le": (f"-{_HUGE}", low),
                "lt": (f"-{_HUGE}", str(number - 1)),
            }[operator]  # fmt: skip
        found.append(table(bounds))
    return found
