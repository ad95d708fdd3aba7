"""Conditions and format strings in a neutral form, which the writers of other proxies render in their words.

A condition is a tree of tests on few subjects that all proxies know: the path, a header, the client's address …
What none of them can look at (counters, stick tables, maps) raises `Untranslatable`.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import Final

from hapy_config.model.expressions import (
    AclExpression,
    Condition,
    FormatAlias,
    FormatExpression,
    FormatText,
    LogFormat,
    SampleExpression,
    Term,
)
from hapy_config.translate.networks import network_pattern
from hapy_config.translate.parts import (
    FIRST,
    LAST,
    LIST,
    Place,
    cookies,
    framed,
    literal,
    lower_number,
    number,
    parameters,
)


class Untranslatable(Exception):  # noqa: N818 - says what is so, not that something broke
    """A part of the configuration has no counterpart; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at.

    Attributes:
        kind: path, query, url (path and query), base (host and path), host (with its port), hostname (without), method,
            header, cookie, param, src, src_port, dst, dst_port, tls (a flag), scheme, sni, client_dn, uuid or version;
            of answers status and answer (a header).
        name: of header, cookie, param and answer.
        lower: it is taken in lower case.
        last: of a text, where it is a list its last value is taken.
    """

    kind: str
    name: str = ""
    lower: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """One test: any of the values may match.

    Attributes:
        how: exact, prefix, suffix, contains, regex, network or present.
    """

    subject: Subject
    how: str
    values: tuple[str, ...] = ()
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold; without parts it is true."""

    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds; without parts it is false."""

    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Formula


@dataclass(frozen=True, slots=True)
class Lookup:
    r"""A text that another one decides on: that of a map, or its own with a part replaced.

    Attributes:
        subject: the other one. how: as of tests, or rewrite, where values may have groups of their key, as `\1`.
        entries: keys and values in the order in which they count.
        default: what a text without an entry gives; None for nothing, and for itself where it is rewritten.
    """

    subject: Subject
    how: str
    entries: tuple[tuple[str, str], ...]
    default: str | None = None
    ignore_case: bool = False


Formula = Test | Every | Some | Not
TRUE: Final = Every()
FALSE: Final = Some()
Piece = str | Subject | Lookup

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
    "ssl_fc": "tls",
    "ssl_fc_sni": "sni",
    "req.ssl_sni": "sni",
    "req_ssl_sni": "sni",
    "ssl_c_s_dn": "client_dn",
    "uuid": "uuid",
    "req.ver": "version",
    "status": "status",
}
_NAMED: Final = {
    "req.hdr": "header",
    "hdr": "header",
    "req.fhdr": "header",
    "fhdr": "header",
    "req.hdr_val": "header",
    "hdr_val": "header",
    "req.hdr_ip": "header",
    "hdr_ip": "header",
    "req.cook": "cookie",
    "cook": "cookie",
    "cookie": "cookie",
    "req.cook_val": "cookie",
    "cook_val": "cookie",
    "url_param": "param",
    "urlp": "param",
    "urlp_val": "param",
    "url_param_val": "param",
    "res.hdr": "answer",
    "res.fhdr": "answer",
    "shdr": "answer",
}
_HOW: Final = {"str": "exact", "beg": "prefix", "end": "suffix", "sub": "contains", "reg": "regex"}
#: What stands around the parts that `dir` and `dom` look for.
_BOUNDS: Final = {"dir": "/?", "dom": "/?.:"}
#: Fetches that take the parts between commas one by one.
LISTS: Final = frozenset({"req.hdr", "hdr", "req.hdr_val", "hdr_val", "req.hdr_ip", "hdr_ip", "res.hdr", "shdr"})
#: The name of a path, URL or method as it came, whatever rules did to it.
CAME: Final = "came"
_AS_CAME: Final = {"capture.req.uri": ("url", CAME), "capture.req.method": ("method", CAME)}
_ALIASES: Final = {
    "ci": Subject("src"),
    "cp": Subject("src_port"),
    "fi": Subject("dst"),
    "fp": Subject("dst_port"),
    "HM": Subject("method", CAME),
    "HP": Subject("path", CAME),
    "HPO": Subject("path", CAME),
    "HU": Subject("url", CAME),
}
#: Methods that HAProxy knows by number.
KNOWN_METHODS: Final = frozenset({"OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT"})
_COUNTED: Final = frozenset({"req.hdr_cnt", "hdr_cnt", "req.fhdr_cnt", "fhdr_cnt"})
#: Of a comparison: whether the number must be reached, and how much more than what stands there that is.
_COMPARISONS: Final = {"ge": (True, 0), "gt": (True, 1), "lt": (False, 0), "le": (False, 1)}
#: The longest text whose length is compared.
_LONGEST: Final = 9000
_REPEATED: Final = 1000
#: What there may be several of.
_MANY: Final = frozenset({"header", "cookie", "param", "answer"})
#: Headers of which a request has one value, whatever commas it holds, or one line.
_SINGLE: Final = frozenset({"host", "authorization", "content-length", "content-type"})
_PLACES: Final = {"1": FIRST, "-1": LAST}
#: Matches nothing.
_NO_TEXT: Final = r"[^\s\S]"
_NETWORK_NAMES: Final = {"localhost": "127.0.0.1/32"}


def subject(expression: SampleExpression) -> Subject:
    """What an expression takes.

    Raises:
        Untranslatable: other proxies can't look at it.
    """
    fetch, converters = expression.fetch, expression.converters
    kind, name = _AS_CAME.get(fetch.name) or (_PLAIN.get(fetch.name, ""), "")
    if fetch.name in _NAMED and fetch.args and len([argument for argument in fetch.args if argument]) == 1:
        kind, name = _NAMED[fetch.name], fetch.args[0]
        if kind == "header" and name.lower() == "host":
            kind, name = "host", ""
    elif fetch.args and any(fetch.args):
        kind = ""
    if not kind:
        raise Untranslatable(f"'{expression.text}' can't be looked at there")
    lower = False
    for call in converters:
        if call.name == "lower":
            lower = True
        elif kind == "host" and (call.name, call.args[:2]) in (
            ("host_only", ()),
            ("field", ("1", ":")),
            ("word", ("1", ":")),
        ):
            kind, lower = "hostname", lower or call.name == "host_only"
        else:
            raise Untranslatable(f"the converter '{call.name}' of '{expression.text}' has no counterpart")
    return Subject(kind, name, lower)


def formula(condition: Condition | None) -> Formula:
    """A condition as a tree; None always holds.

    Raises:
        Untranslatable: a test of it can't be made elsewhere.
    """
    if condition is None:
        return TRUE
    alternatives = [Every(tuple(_term(term) for term in terms)) for terms in condition.alternatives]
    whole = alternatives[0] if len(alternatives) == 1 else Some(tuple(alternatives))
    return simplified(Not(whole) if condition.unless else whole)


def _term(term: Term) -> Formula:
    tests = tuple(acl_test(expression, term.name) for expression in term.expressions)
    whole = tests[0] if len(tests) == 1 else Some(tests)
    return Not(whole) if term.negated else whole


def acl_test(acl: AclExpression, name: str = "") -> Formula:
    """One line of an ACL.

    Raises:
        Untranslatable: it can't be tested elsewhere.
    """
    from hapy_config.translate.lookups import is_lookup, looked_up, pattern_lines

    fetch = acl.criterion.fetch.name
    if acl.files:
        lines = [text.split(None, 1)[0] if acl.as_map else text for file in acl.files for text in pattern_lines(file)]
        acl = replace(acl, files=(), patterns=(*acl.patterns, *lines))
        if not acl.patterns:
            return FALSE
    if not acl.patterns and acl.match not in ("found", "bool"):
        return FALSE  # nothing to compare with
    if acl.match in _BOUNDS:  # what holds nothing but delimiters fits nothing
        acl = replace(acl, patterns=tuple(one for one in acl.patterns if one.strip(_BOUNDS[acl.match])))
        if not acl.patterns:
            return FALSE
    if is_lookup(acl.criterion):
        return looked_up(acl)
    if fetch in ("always_true", "always_false"):
        return TRUE if fetch == "always_true" else FALSE
    if fetch in ("req.ssl_hello_type", "req_ssl_hello_type") and acl.patterns == ("1",):
        return TRUE  # what reads the name in a TLS greeting waits for the greeting by itself
    if fetch == "method" and acl.match == "str" and not acl.criterion.converters:
        return _method_test(acl.patterns, ignore_case=acl.ignore_case)
    if fetch in _COUNTED and (counted := _count(acl)) is not None:
        return counted
    if (place := _occurrence(acl.criterion)) is not None:
        one = _plain_test(acl, place[0])
        found = framed(place[1].frame, one.how, one.values) if isinstance(one, Test) and one.how != "present" else None
        if found is not None and isinstance(one, Test):
            return Test(place[0], "regex", found, one.ignore_case)
    try:
        what = subject(acl.criterion)
    except Untranslatable as reason:
        raise Untranslatable(f"ACL '{name}': {reason}" if name else str(reason)) from None
    if what.kind == "tls":
        wanted = acl.patterns not in (("0",), ("false",))
        return Test(what, "present") if wanted else Not(Test(what, "present"))
    if acl.match == "found" and what.kind == "query":
        return Test(Subject("url"), "regex", (r"\?",))  # an empty query is there; no other proxy tells it from none
    one = _plain_test(acl, what)
    there = {"query": Test(Subject("url"), "regex", (r"\?",)), "host": Test(Subject("host"), "present")}
    exists = there.get("host" if what.kind == "hostname" else what.kind)
    if isinstance(one, Not):
        return one if exists is None else Every((exists, one))  # what is not there passes no test
    whole = among_others(one, fetch)
    return whole if exists is None or not matches_nothing(one) else Every((exists, whole))


def _method_test(patterns: tuple[str, ...], *, ignore_case: bool) -> Formula:
    """A test of the method: those that HAProxy knows are compared exactly, others as -i says with others.

    Raises:
        Untranslatable: a known one is not written in capitals: it fits the method only behind `-m str`.
    """
    what = Subject("method")
    if not ignore_case:
        return Test(what, "exact", patterns)
    check_methods(patterns)
    known = tuple(one for one in patterns if one in KNOWN_METHODS)
    tests: list[Formula] = [Test(what, "exact", known)] if known else []
    tests += [Test(what, "exact", (one,), ignore_case=True) for one in patterns if one not in known]
    return tests[0] if len(tests) == 1 else Some(tuple(tests))


def check_methods(patterns: tuple[str, ...]) -> None:
    """What `-i` makes of a method.

    Raises:
        Untranslatable: a known one is not written in capitals.
    """
    if odd := [one for one in patterns if one not in KNOWN_METHODS and one.upper() in KNOWN_METHODS]:
        raise Untranslatable(f"'-i {odd[0]}' fits {odd[0].upper()} only with '-m str': write {odd[0].upper()}")


def _plain_test(acl: AclExpression, what: Subject) -> Test | Not:
    """A test of a text as if it were the only one of its kind.

    Raises:
        Untranslatable: it can't be made elsewhere.
    """
    ignore_case = acl.ignore_case or what.lower
    many = what.kind in _MANY
    if acl.match == "found":
        return Test(what, "present")
    if acl.match == "ip":
        nets = tuple(_NETWORK_NAMES.get(value, value) for value in acl.patterns)
        try:
            return Test(what, "regex", (f"^{network_pattern(nets)}$",)) if many else Test(what, "network", nets)
        except ValueError as reason:
            raise Untranslatable(str(reason)) from None
    if acl.match == "int":
        return _number_test(acl, what)
    if acl.match in _HOW:
        return Test(what, _HOW[acl.match], acl.patterns, ignore_case)
    if acl.match in ("dir", "dom"):
        return bounded(what, acl.patterns, _BOUNDS[acl.match], ignore_case=ignore_case, apart=many)
    if acl.match == "len" and all(value.isdecimal() for value in acl.patterns):
        return Test(what, "regex", tuple(f"^.{{{value}}}$" for value in acl.patterns))
    if acl.match == "len" and (bound := comparison(acl.patterns)) is not None and bound[1] <= _LONGEST:
        above, least = bound
        if not above and many and least <= _REPEATED:
            return Test(what, "regex", (f"^.{{1,{max(least - 1, 1)}}}$",))
        # No engine takes more than 1,000 of one thing at a time.
        long = f".{{{_REPEATED}}}" * (least // _REPEATED) + f".{{{least % _REPEATED}}}"
        reached = Test(what, "regex", (f"^{long}",))
        return reached if above else Not(reached)
    raise Untranslatable(f"values of '{acl.criterion.text}' can't be compared in that way ({acl.match})")


def _number_test(acl: AclExpression, what: Subject) -> Test:
    """A number compared with others.

    Raises:
        Untranslatable: with a range of them.
    """
    patterns = acl.patterns[1:] if acl.patterns[:1] == ("eq",) else acl.patterns
    counted = what.kind in _MANY or what.kind == "status"
    if all(value.isdecimal() for value in patterns):
        if what.kind in _MANY:
            texts = [f"^0*{int(value)}(|[^0-9].*)$" for value in patterns]
            return Test(what, "regex", (*texts, *(["^[^0-9+-].*$"] if "0" in patterns else [])))
        return Test(what, "exact", patterns)
    bound = comparison(patterns)
    if bound is None or not counted or (bound[1] == 0 and not bound[0]):
        raise Untranslatable(f"ranges of '{acl.criterion.text}' can't be tested there")
    above, least = bound
    return Test(what, "regex", (f"^{number(least) if above else lower_number(least)}$",))


def among_others(one: Test, fetch: str) -> Test:
    """A test of each header of a list, of each cookie or parameter of a name.

    Raises:
        Untranslatable: its expression can't be asked of all at once.
    """
    what = one.subject
    if what.kind in ("cookie", "param"):
        frame = cookies(what.name) if what.kind == "cookie" else parameters(what.name)
        whole = Subject("header", "Cookie") if what.kind == "cookie" else Subject("query")
        found = framed(frame, one.how, one.values)
        if found is None:
            raise Untranslatable(f"its expression can't be asked of each {what.kind} of that name")
        if one.how == "present" and what.kind == "cookie":
            found = (f"{found[0].removesuffix(' *= *')}( +=|=.)",)  # one that ends the header behind `=` is none
        return Test(whole, "regex", found, one.ignore_case)
    if what.kind not in ("header", "answer") or fetch not in LISTS or one.how == "present":
        return one
    if one.how != "regex" and (left := tuple(value for value in one.values if "," not in value)) != one.values:
        one = replace(one, values=left) if left else Test(what, "regex", (_NO_TEXT,))  # no part of a list has a comma
    if one.how == "contains":
        return one
    if "" in one.values:
        return one
    found = framed(LIST, one.how, one.values)
    return one if found is None else Test(what, "regex", found, one.ignore_case)


def _count(acl: AclExpression) -> Formula | None:
    """The count of a header compared with none: whether it is there; None for other numbers."""
    fetch = acl.criterion.fetch
    bound = comparison(acl.patterns)
    if acl.criterion.converters or len(fetch.args) != 1 or (bound is not None and bound[1] != 1):
        return None
    name = fetch.args[0]
    there = Test(Subject("host") if name.lower() == "host" else Subject("header", name), "present")
    if bound is not None:
        return there if bound[0] else Not(there)
    return Not(there) if acl.patterns in (("0",), ("eq", "0")) else None


def comparison(patterns: tuple[str, ...]) -> tuple[bool, int] | None:
    """A comparison as the least number that is reached (True) or not (False); None where it is of another kind."""
    if len(patterns) != 2 or patterns[0] not in _COMPARISONS or not patterns[1].isdecimal():
        return None
    above, more = _COMPARISONS[patterns[0]]
    return above, int(patterns[1]) + more


def whole_of(pattern: str) -> str:
    """A regular expression that takes the whole text where another one matches a part of it; its groups are the same.

    HAProxy replaces the whole where its expression matches anywhere.
    """
    plain = "|" not in pattern
    begins = plain and pattern.startswith("^")
    ends = plain and pattern.endswith("$") and not pattern.endswith("\\$")
    inner = pattern[begins : len(pattern) - ends]
    inner = inner if plain else f"(?:{inner})"
    return f"^{'' if begins else '.*?'}{inner}{'' if ends else '.*'}$"


def matches_nothing(one: Test) -> bool:
    """Whether a test may hold of an empty text, which some take for one that is not there."""
    if one.how != "regex":
        return "" in one.values
    for value in one.values:
        try:
            if re.search(value, ""):
                return True
        except re.error:  # of PCRE's own
            return True
    return False


def bounded(what: Subject, values: tuple[str, ...], bounds: str, *, ignore_case: bool, apart: bool = False) -> Test:
    """Whole parts of a text between delimiters; `apart` writes each way to stand there as a pattern of its own."""
    texts = [re.escape(text) for value in values if (text := value.strip(bounds))] or [_NO_TEXT]
    if apart:
        ways = itertools.product(("^", f"[{bounds}]"), texts, ("$", f"[{bounds}]"))
        return Test(what, "regex", tuple("".join(one) for one in ways), ignore_case)
    return Test(what, "regex", tuple(f"(^|[{bounds}]){text}([{bounds}]|$)" for text in texts), ignore_case)


def simplified(whole: Formula) -> Formula:
    """The same formula with negation at the tests, and without what is constant."""
    return _simplified(whole, negated=False)


def _simplified(whole: Formula, *, negated: bool) -> Formula:
    if isinstance(whole, Not):
        return _simplified(whole.part, negated=not negated)
    if isinstance(whole, Test):
        return Not(whole) if negated else whole
    conjunction = isinstance(whole, Every) != negated
    parts: list[Formula] = []
    for part in (_simplified(one, negated=negated) for one in whole.parts):
        if part == (FALSE if conjunction else TRUE):
            return part
        if isinstance(part, Every if conjunction else Some):
            parts.extend(part.parts)
        elif part not in parts:
            parts.append(part)
    if len(parts) == 1:
        return parts[0]
    return Every(tuple(parts)) if conjunction else Some(tuple(parts))


def alternatives(whole: Formula, limit: int = 64) -> list[list[tuple[Test, bool]]]:
    """A formula as alternatives, each of tests that must all hold (True) or not (False).

    Raises:
        Untranslatable: there would be more than `limit`.
    """
    found = _alternatives(simplified(whole))
    if len(found) > limit:
        raise Untranslatable("the condition has too many cases")
    return found


def _alternatives(whole: Formula) -> list[list[tuple[Test, bool]]]:
    if isinstance(whole, Test):
        return [[(whole, True)]]
    if isinstance(whole, Not):
        assert isinstance(whole.part, Test)
        return [[(whole.part, False)]]
    if isinstance(whole, Some):
        return [case for part in whole.parts for case in _alternatives(part)]
    found: list[list[tuple[Test, bool]]] = [[]]
    for part in whole.parts:
        found = [[*head, *tail] for head in found for tail in _alternatives(part)]
        if len(found) > 4096:
            raise Untranslatable("the condition has too many cases")
    return found


def pieces(format_: LogFormat) -> tuple[Piece, ...]:
    """A format string as texts and subjects.

    Raises:
        Untranslatable: it holds something that can't be had elsewhere.
    """
    found: list[Piece] = []
    for item in format_.items:
        if isinstance(item, FormatText):
            found.append(item.text)
        elif isinstance(item, FormatExpression):
            found.extend(_expression_pieces(item.expression))
        elif isinstance(item, FormatAlias):
            if item.name not in _ALIASES:
                raise Untranslatable(f"'%{item.name}' can't be had there")
            found.append(_ALIASES[item.name])
    return tuple(found)


def _expression_pieces(expression: SampleExpression) -> tuple[Piece, ...]:
    fetch = expression.fetch
    if fetch.name in ("str", "int") and len(fetch.args) == 1 and not expression.converters:
        return (fetch.args[0],)
    from hapy_config.translate.lookups import is_lookup, lookup

    if (place := _occurrence(expression)) is not None:
        return (Lookup(place[0], "rewrite", ((place[1].text, "\\1"),), ""),)
    what = lookup(expression) if is_lookup(expression) else subject(expression)
    if isinstance(what, Subject) and what.kind in ("header", "answer") and fetch.name in LISTS:
        what = replace(what, last=what.name.lower() not in _SINGLE)
    return (_of_several(what) if isinstance(what, Subject) and not what.lower else what,)


def _occurrence(expression: SampleExpression) -> tuple[Subject, Place] | None:
    """The header of an expression that takes the first or the last value of one, and which."""
    fetch = expression.fetch
    if fetch.name not in LISTS or len(fetch.args) != 2 or fetch.args[1] not in _PLACES or expression.converters:
        return None
    name = fetch.args[0]
    if name.lower() in _SINGLE:
        return None
    return Subject(_NAMED[fetch.name], name), _PLACES[fetch.args[1]]


def _of_several(what: Subject) -> Piece:
    """The last cookie of a name and the first parameter, as HAProxy takes them where there are several."""
    name = literal(what.name)
    if what.kind == "cookie":
        pattern = rf"^(?:.*[;,])? *(?-i:{name}) *= *([^;,]*?)(?: *[;,].*)?$"
        return Lookup(Subject("header", "Cookie"), "rewrite", ((pattern, "\\1"),), "")
    if what.kind == "param":
        pattern = rf"^(?:[^&;]*[&;])*?(?-i:{name})=([^&;]*).*$"
        return Lookup(Subject("query"), "rewrite", ((pattern, "\\1"),), "")
    return what


def constant(format_: LogFormat | str) -> str:
    """The text of a format that holds no variable.

    Raises:
        Untranslatable: it holds one.
    """
    if isinstance(format_, str):
        return format_
    text = format_.constant
    if text is None:
        raise Untranslatable(f"'{format_.text}' depends on the request")
    return text


def printable(text: str) -> str:
    """A text for a note, on one line."""
    return text.replace("\n", "\\n").replace("\r", "\\r")
