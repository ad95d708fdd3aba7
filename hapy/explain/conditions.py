"""Conditions in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hapy_config.model.expressions import AclExpression, Condition, Term

_SHOWN: Final = 3

#: Common samples, and what is said of them.
_SAMPLES: Final = {
    "path": "the path",
    "url": "the URL",
    "method": "the method",
    "src": "the client's address",
    "dst": "the address connected to",
    "dst_port": "the port connected to",
    "src_port": "the client's port",
    "req.ssl_sni": "the TLS name asked for",
    "ssl_fc_sni": "the TLS name asked for",
    "query": "the query",
}

_MATCHES: Final = {
    "str": "is",
    "beg": "begins with",
    "end": "ends with",
    "sub": "contains",
    "reg": "matches",
    "dir": "has the directory",
    "dom": "has the domain",
    "len": "is as long as",
    "int": "is",
    "ip": "is in",
    "bin": "is",
}


def condition(found: Condition) -> str:
    """`if the path begins with /api and the method is GET`."""
    alternatives = [" and ".join(_term(term) for term in terms) for terms in found.alternatives]
    return f"{'unless' if found.unless else 'if'} {', or '.join(alternatives)}"


def _term(term: Term) -> str:
    if term.negated:
        inner = " or ".join(dict.fromkeys(_expression(expression) for expression in term.expressions))
        return f"not ({inner})"
    return " or ".join(dict.fromkeys(_expression(expression) for expression in term.expressions)) or term.name


def _expression(expression: AclExpression) -> str:
    criterion = expression.criterion
    fetch = criterion.fetch
    plain = not criterion.converters
    argument = fetch.args[0] if fetch.args else ""
    if plain and fetch.name in _SAMPLES and not fetch.args:
        subject = _SAMPLES[fetch.name]
    elif plain and fetch.name in ("hdr", "req.hdr", "req.fhdr") and argument:
        subject = f"the header {argument}"
    elif plain and fetch.name in ("cook", "req.cook") and argument:
        subject = f"the cookie {argument}"
    elif fetch.name in ("always_true", "always_false") and plain:
        return "always" if fetch.name == "always_true" else "never"
    else:
        subject = criterion.text
    if expression.match == "found":
        return f"{subject} is there"
    if expression.match == "bool":
        return f"{subject} is true"
    if expression.match in ("int", "len") and not expression.files:
        what = f"the length of {subject}" if expression.match == "len" else subject
        return f"{what} is {_numbers(expression.patterns)}"
    patterns = [*expression.patterns[:_SHOWN], *(f"what {name} lists" for name in expression.files)]
    if len(expression.patterns) > _SHOWN:
        more = len(expression.patterns) - _SHOWN
        patterns.append(f"{more} others" if more > 1 else expression.patterns[-1])
    if not patterns:
        return f"{subject} is there"
    return f"{subject} {_MATCHES.get(expression.match, 'is')} {' or '.join(patterns)}"


_OPERATORS: Final = {"eq": "", "ne": "", "gt": "over ", "ge": "at least ", "lt": "below ", "le": "at most "}


def _numbers(patterns: tuple[str, ...]) -> str:
    """`gt 5 9:12` as `over 5 or 9 to 12`; an operator counts for all numbers behind it, but not for ranges."""
    told, operator = [], ""
    for pattern in patterns:
        if pattern in _OPERATORS:
            operator = _OPERATORS[pattern]
            continue
        if pattern == "--":  # ends the flags, also behind an operator
            continue
        low, colon, high = pattern.partition(":")
        if not colon:
            told.append(f"{operator}{pattern}")
        elif low and high:
            told.append(f"{low} to {high}")
        else:
            told.append(f"at least {low}" if low else f"at most {high}")
    more = len(told) - _SHOWN - 1
    return " or ".join(told if more < 1 else [*told[:_SHOWN], f"{more + 1} others"])
