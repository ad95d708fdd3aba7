"""Which of a server's locations a path goes to, as conditions that are tried one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.from_nginx.values import ORIGINAL
from hapy_config.translate.lines import pattern, write

#: The host that is asked for, without its port.
HOST: Final = "req.hdr(host),regsub(:[0-9]*$,)"
#: The path as nginx compares it: decoded, without doubled slashes and `/./`.
PATH: Final = "var(txn.ngx_path)"
_MERGED: Final = 'path,url_dec,regsub("//+",/,g),regsub("/([.]/)+",/,g)'
#: What nginx can't decode, or does not want to.
_NOT_DECODED: Final = "%(00|[^0-9A-Fa-f]|.[^0-9A-Fa-f]|.?$)"
#: What nginx refuses whatever is configured: requests without a host, for no path or a wrong one, and two methods.
REFUSED: Final = (
    "http-request deny deny_status 405 if { method TRACE CONNECT }",
    "http-request deny deny_status 400 if !{ req.hdr(host) -m len gt 0 } !{ req.ver 1.0 }",
    "http-request deny deny_status 400 if { url -m str * }",
    f"http-request deny deny_status 400 if {{ path -m reg '{_NOT_DECODED}' }}",
)
#: What nginx keeps to itself of what servers say.
UNSEEN: Final = ("http-response del-header X-Accel- -m beg", "http-response del-header X-Pad")
#: The query goes: `set-query` takes no empty one.
NO_QUERY: Final = r"http-request replace-pathq '^([^?]*)[?].*$' '\1'"
#: Rules that change a path.
_MOVES: Final = tuple(
    f"http-request {word}-{what} " for word in ("set", "replace") for what in ("path", "uri", "pathq")
)
#: It again, with those signs encoded that nginx encodes.
_CANONICAL: Final = f"{PATH},regsub(%,%25,g),regsub(' ',%20,g),regsub('[?]',%3F,g),regsub('#',%23,g)"
_PLAIN: Final = f"{{ {PATH} -m reg '^[ -~]*$' }}"
_UNMERGED: Final = 'path,url_dec,regsub("/([.]/)+",/,g)'
#: How those begin that write the same path in another way.
_AGAIN: Final = ('http-request set-path "%[var(txn.ngx_path),', "http-request set-path \"%[path,regsub('//")
#: A path with the query that came, or without one.
_INSTEAD: Final = re.compile(r"(/[^$?]*)(\$\{?is_args\}?\$\{?(?:args|query_string)\}?|\?\$(?:args|query_string))?")


def path_rules(*, merged: bool) -> list[str]:
    """The rules that find that path; those who want to climb in it are refused.

    Args:
        merged: doubled slashes count as one.
    """
    sample = _MERGED if merged else _UNMERGED
    return [
        f"http-request set-{PATH} '{sample}'",
        f"http-request deny deny_status 400 if {{ {PATH} -m reg '/[.][.]?(/|$)' }}",
    ]


def canonical(tests: Sequence[str] = ()) -> list[str]:
    """The rules that write the path anew as nginx does before it changes a part of it: what needs no encoding decoded.

    Args:
        tests: what leads there.
    """
    odd, merged = "{ path -m reg '%|//|/[.]/' }", "path,regsub('//+',/,g),regsub('/([.]/)+',/,g)"
    return [
        f'http-request set-path "%[{_CANONICAL}]" if {" ".join((*tests, odd, _PLAIN))}',
        f'http-request set-path "%[{merged}]" if {" ".join((*tests, odd, f"!{_PLAIN}"))}',
        f"{NO_QUERY} if {' '.join((*tests, '{ pathq -m end ? } !{ query -m len gt 0 }'))}",
    ]


def found_again(rules: Sequence[str], *, merged: bool) -> list[str]:
    """Rules that look at that path, which find it anew where one of them has changed it."""
    lines: list[str] = []
    for number, rule in enumerate(rules):
        lines.append(rule)
        if _moves(rule) and any(PATH in later for later in rules[number + 1 :]):
            lines += path_rules(merged=merged)
    return lines


def _moves(rule: str) -> bool:
    """Whether a rule may change the path, rather than how it is written."""
    return rule.startswith(_MOVES) and not rule.startswith(_AGAIN) and "{ pathq -m end ? }" not in rule


def with_original(lines: Sequence[str]) -> list[str]:
    """All sections, with what keeps path and query as they came where rules that change them are followed by others."""
    if not any(_moves(line.strip()) for line in lines):
        return [line.replace(ORIGINAL, "pathq") for line in lines]
    if not any(ORIGINAL in line for line in lines):
        return list(lines)
    kept = f"    http-request set-{ORIGINAL} pathq"
    return [each for line in lines for each in ((kept, line) if line.strip() == REFUSED[0] else (line,))]


def kind_of(location: Directive) -> tuple[str, str]:
    """A location's modifier (empty for a plain prefix) and its text."""
    if len(location.args) >= 2:
        return location.args[0], location.args[1]
    text = location.args[0] if location.args else "/"
    for modifier in ("^~", "~*", "~", "="):
        if text.startswith(modifier):
            return modifier, text.removeprefix(modifier)
    return "", text


def in_order(locations: Sequence[Directive]) -> Iterator[tuple[Directive, list[str]]]:
    """Locations in the order in which they must be asked, each with its tests; none for the one that takes the rest.

    nginx takes an equal path first; then the longest prefix, if it has `^~`; else the first regular expression; else
    the longest prefix.
    """
    kinds = [(one, *kind_of(one)) for one in locations]
    for one, modifier, text in kinds:
        if modifier == "=":
            yield one, [f"{{ {PATH} -m str {pattern(text)} }}"]
    prefixes = sorted(
        ((one, modifier, text) for one, modifier, text in kinds if modifier in ("", "^~")),
        key=lambda each: -len(each[2]),
    )
    expressions = [(one, modifier, text) for one, modifier, text in kinds if modifier in ("~", "~*")]
    if expressions:
        for one, modifier, text in prefixes:
            if modifier == "^~":
                longer = [other for _, own, other in prefixes if own == "" and other.startswith(text) and other != text]
                yield one, [begins(text), *(f"!{begins(other)}" for other in longer)]
        for one, modifier, text in expressions:
            yield one, [matches(modifier, text)]
    for one, modifier, text in prefixes:
        if modifier == "" or not expressions:
            yield one, [] if text == "/" else [begins(text)]


def files_not_there(server: Directive, tried: Directive) -> tuple[Directive, list[str]] | None:
    """Where `try_files` leads when no file is there: a location, and the rules that come before it; None for others."""
    last = tried.args[-1] if tried.args else ""
    every = [(one, *kind_of(one)) for one in server.all("location")]
    if last.startswith("@"):
        return next(((one, []) for one, _, text in every if text == last), None)
    match = _INSTEAD.fullmatch(last)
    if match is None:
        return None
    path = match[1]
    exact = [one for one, modifier, text in every if modifier == "=" and text == path]
    prefixes = [(one, modifier, text) for one, modifier, text in every if modifier in ("", "^~")]
    within = sorted((each for each in prefixes if path.startswith(each[2])), key=lambda each: -len(each[2]))
    expressions = [
        one
        for one, modifier, text in every
        if modifier in ("~", "~*") and re.search(text, path, re.IGNORECASE if modifier == "~*" else 0)
    ]
    first = [one for one, modifier, _ in within[:1] if modifier == "^~"]
    chosen = next(iter((*exact, *first, *expressions, *(one for one, _, _ in within))), None)
    if chosen is None or chosen.first("proxy_pass") is None:
        return None
    rules = [f"http-request set-path {write(path.replace('%', '%%'))}"]
    return chosen, rules if match[2] else [NO_QUERY, *rules]


def begins(text: str) -> str:
    """The test of a prefix."""
    return f"{{ {PATH} -m beg {pattern(text)} }}"


def matches(modifier: str, text: str) -> str:
    """The test of a regular expression."""
    return f"{{ {PATH} -m reg {'-i ' if modifier == '~*' else ''}{pattern(text)} }}"


def host_test(name: str) -> str:
    """A server_name as a test."""
    sample = f"{HOST},rtrim(.)"
    if name.startswith("~"):
        return f"{{ {sample} -m reg -i {pattern(name[1:])} }}"
    if name.startswith("*."):
        return f"{{ {sample} -m end -i {pattern(name[1:])} }}"
    if name.startswith("."):
        return f"{{ {sample} -m end -i {pattern(name)} }} or {{ {sample} -m str -i {pattern(name[1:])} }}"
    if name.endswith(".*"):
        return f"{{ {sample} -m beg -i {pattern(name[:-1])} }}"
    return f"{{ {sample} -m str -i {pattern(name)} }}"


def host_acls(acl: str, names: Sequence[str]) -> list[str]:
    """The lines of an ACL that any of the names fulfils."""
    tests = (part for name in names for part in host_test(name).split(" or "))
    return [f"acl {acl} {part.removeprefix('{ ').removesuffix(' }')}" for part in tests]


def _strength(name: str) -> tuple[int, int]:
    """How much a name counts: equal names, the longest stars in front, those at the end, expressions."""
    if name.startswith("~"):
        return 3, 0
    if name.startswith("*."):
        return 1, -len(name)
    return (2, -len(name)) if name.endswith(".*") else (0, 0)


def site_rules(name: str, sites: Sequence[tuple[int, Sequence[str]]]) -> tuple[list[str], list[str]]:
    """Which of several servers a host belongs to where names of more than one may fit.

    Args:
        name: what ACLs begin with.
        sites: numbers and names of the servers, in the order of the file.

    Returns:
        rules that find the server's number, the last that fits decides, and the ACLs of all but the last number;
        nothing where no two names can fit one host.
    """
    every = [
        (number, each)
        for number, names in sites
        for one in names
        for each in ((one[1:], f"*{one}") if one.startswith(".") else (one,))
    ]
    plain = [one.lower() for _, one in every]
    if all(_strength(one) == (0, 0) for one in plain) and len(set(plain)) == len(plain):
        return [], []
    every.sort(key=lambda each: _strength(each[1]))  # of equal ones the first counts
    rules = [f"http-request set-var(txn.ngx_site) int({number}) if {host_test(one)}" for number, one in reversed(every)]
    named = [number for number, names in sites if names and number < len(sites)]
    return rules, [f"acl {name}_site_{number} var(txn.ngx_site) -m int {number}" for number in named]
