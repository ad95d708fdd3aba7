"""balance, hash-type, hash-balance-factor, retry-on (configuration manual, section 4.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from hapy_config.build.context import Build
from hapy_config.build.draft import Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.grammar.units import leading_integer
from hapy_config.model.proxy import Balance
from hapy_config.syntax import Statement

_PLAIN: Final = frozenset({"roundrobin", "static-rr", "first", "leastconn", "source"})
_SUPPORTED: Final = (
    "balance only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hdr(name)' and"
    " 'rdp-cookie(name)' options."
)
_ALGORITHMS: Final = ("roundrobin", "static-rr", "first", "leastconn", "source", "random", "uri", "url_param", "hdr")
_DRAWS: Final = re.compile(r"(?:[ \t]*[+-]?[0-9]+)?")

#: Answers whose status `retry-on` may name.
_RETRIED_STATUS: Final = frozenset({"401", "403", "404", "408", "425", "500", "501", "502", "503", "504"})
_EVENTS: Final = frozenset({"conn-failure", "empty-response", "response-timeout", "0rtt-rejected", "junk-response"})
_ALL_RETRYABLE: Final = frozenset(
    {"conn-failure", "empty-response", "junk-response", "response-timeout", "0rtt-rejected", "500", "502", "503", "504"}
)


def balance(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    """`balance ALGORITHM …`."""
    word = words[1] if len(words) > 1 else "roundrobin"
    if word in _PLAIN:
        draft.balance = _PLAIN_BALANCES[word]
    elif word.startswith("random"):
        draft.balance = Balance("random", _draws(word))
    elif word == "hash":
        if len(words) < 3:
            raise Refused("balance hash requires a sample expression.", 2, code="missing-argument")
        if len(words) > 3:
            raise Refused(f"balance hash takes no other argument (got '{words[3]}').", 3)
        draft.balance = Balance("hash", words[2])
        draft.balance_statement = statement
    elif word == "uri":
        draft.balance = Balance("uri", options=_uri_options(build, words))
    elif word == "url_param":
        draft.balance = _url_param(words)
    elif word.startswith("hdr("):
        draft.balance = _header(words)
    elif word.startswith("rdp-cookie"):
        name = word[len("rdp-cookie") :]
        if not name:
            name = "(mstshash)"
        match = re.match(r"\(([^)]+)\)", name)
        if match is None:
            raise Refused("balance rdp-cookie : missing cookie name.", 1)
        draft.balance = Balance("rdp-cookie", match[1])
    else:
        raise Refused(_SUPPORTED, 1, hint=build.nearest(word, _ALGORITHMS))


def _draws(word: str) -> str:
    if not word.startswith("random("):
        return "2"
    text = word[len("random(") :]
    match = _DRAWS.match(text)
    assert match is not None
    rest = text[match.end() :]
    if not rest:
        raise Refused("balance random : missing closing parenthesis.", 1)
    if rest[0] != ")":
        raise Refused(f"balance random : unexpected character '{rest[0]}' after argument.", 1)
    if match[0] and leading_integer(match[0]) < 1:
        raise Refused("balance random : number of draws must be at least 1.", 1)
    return str(leading_integer(match[0])) if match[0] else "2"


def _uri_options(build: Build, words: list[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    index = 2
    while index < len(words):
        word = words[index]
        if word in ("len", "depth"):
            value = words[index + 1] if index + 1 < len(words) else ""
            if leading_integer(value) <= 0:
                message = f"balance uri : '{word}' expects a positive integer (got '{value}')."
                build.fault(Refused(message, index + 1))
            found[word] = str(leading_integer(value))
            index += 2
        elif word in ("whole", "path-only"):
            found[word] = ""
            index += 1
        else:
            message = f"balance uri only accepts parameters 'len', 'depth', 'path-only', and 'whole' (got '{word}')."
            build.fault(Refused(message, index))
            index += 1
    return found


def _url_param(words: list[str]) -> Balance:
    if len(words) < 3 or not words[2]:
        raise Refused("balance url_param requires an URL parameter name.", 2, code="missing-argument")
    found: dict[str, str] = {}
    if len(words) > 3 and words[3]:
        if words[3] != "check_post":
            raise Refused(f"balance url_param only accepts 'check_post' modifier (got '{words[3]}').", 3)
        found["check_post"] = ""
    return Balance("url_param", words[2], found)


def _header(words: list[str]) -> Balance:
    word = words[1]
    name, close, _ = word[4:].partition(")")
    if not close or not name:
        raise Refused("balance hdr requires an http header field name.", 1)
    found: dict[str, str] = {}
    if len(words) > 2 and words[2]:
        if words[2] != "use_domain_only":
            raise Refused(f"balance hdr({name}) only accepts 'use_domain_only' modifier (got '{words[2]}').", 2)
        found["use_domain_only"] = ""
    return Balance("hdr", name, found)


def _hash_type(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    kind = words[1] if len(words) > 1 else ""
    if kind == "avalanche":
        raise Refused(
            "experimental feature 'hash-type avalanche' is not supported anymore, please use 'hash-type map-based sdbm"
            " avalanche' instead.",
            1,
            code="removed-keyword",
        )
    if kind not in ("consistent", "map-based"):
        build.fault(Refused("'hash-type' only supports 'consistent' and 'map-based'.", 1))
    function = words[2] if len(words) > 2 else ""
    if function not in ("", "sdbm", "djb2", "wt6", "crc32"):
        build.fault(Refused("'hash-type' only supports 'sdbm', 'djb2', 'crc32', or 'wt6' hash functions.", 2))
    modifier = words[3] if len(words) > 3 else ""
    if modifier not in ("", "avalanche"):
        raise Refused("'hash-type' only supports 'avalanche' as a modifier for hash functions.", 3)
    if kind == "consistent" and not function:
        modifier = "avalanche"  # points of the ring are spread that way; a plain sdbm would bunch keys together
    draft.hash_type = (kind, function or "sdbm", modifier)


def _hash_balance_factor(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2 or not words[1]:
        raise Refused("'hash-balance-factor' expects an integer argument.", 1, code="missing-argument")
    build.loose_number(statement, 1, words[1])
    factor = leading_integer(words[1])
    if factor and factor <= 100:
        raise Refused("'hash-balance-factor' must be 0 or greater than 100.", 1)
    draft.hash_balance_factor = factor


def _retry_on(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if draft.kind == "frontend":
        raise Refused("'retry-on' only available in backend or listen section", 0, code="wrong-section")
    if len(words) < 2:
        raise Refused("'retry-on' needs at least one keyword to specify when to retry", 1, code="missing-argument")
    if words[1] == "none":
        if len(words) > 2:
            raise Refused("'retry-on' 'none' keyworld only usable alone", 2)
        draft.retry_on = frozenset()
        return
    found: set[str] = set()
    for index, word in enumerate(words[1:], 1):
        if word == "all-retryable-errors":
            found |= _ALL_RETRYABLE
        elif word in _EVENTS or word in _RETRIED_STATUS:
            found.add(word)
        else:
            hint = build.nearest(word, [*_EVENTS, *_RETRIED_STATUS, "all-retryable-errors", "none"])
            build.fault(Refused(f"'retry-on': unknown keyword '{word}'", index, hint=hint))
    draft.retry_on = frozenset(found)


_PLAIN_BALANCES: Final = {name: Balance(name) for name in _PLAIN}

HANDLERS: Final[dict[str, Handler]] = {
    "balance": balance,
    "hash-type": _hash_type,
    "hash-balance-factor": _hash_balance_factor,
    "retry-on": _retry_on,
}
