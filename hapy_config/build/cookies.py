"""`cookie` of a backend (configuration manual, section 4.2)."""

from __future__ import annotations

import re
from typing import Final

from hapy_config.build.context import Build
from hapy_config.build.draft import Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.model.proxy import Cookie
from hapy_config.syntax import Statement

_FLAGS: Final = frozenset(
    {
        "rewrite",
        "insert",
        "prefix",
        "indirect",
        "nocache",
        "postonly",
        "preserve",
        "httponly",
        "secure",
        "dynamic",
    }
)
#: What a domain may be made of.
_DOMAIN: Final = re.compile(r"[A-Za-z0-9._-]*")
_WORDS: Final = (*sorted(_FLAGS), "domain", "maxidle", "maxlife", "attr")


def _cookie(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2 or not words[1]:
        raise Refused("'cookie' expects <cookie_name> as argument.", 1, code="missing-argument")
    flags: set[str] = set()
    ages = {"maxidle": 0, "maxlife": 0}
    domains: list[str] = []
    attributes: list[str] = []
    index = 2
    while index < len(words):
        word = words[index]
        if word in _FLAGS:
            flags.add(word)
            index += 1
        elif word in ("maxidle", "maxlife"):
            unit = "idletime" if word == "maxidle" else "lifetime"
            if index + 1 >= len(words):
                raise Refused(f"'{word}' expects <{unit}> in seconds as argument.", index + 1)
            with build.noting():
                ages[word] = build.time(statement, words, index + 1, f"<{word}>", "s") // 1000
            index += 2
        elif word == "domain":
            if index + 1 >= len(words) or not words[index + 1]:
                raise Refused("'domain' expects <domain> as argument.", index + 1)
            with build.noting():
                _domain(build, statement, words, index + 1)
            domains.append(words[index + 1])
            index += 2
        elif word == "attr":
            if index + 1 >= len(words) or not words[index + 1]:
                raise Refused("'attr' expects <value> as argument.", index + 1)
            with build.noting():
                _attribute(words[index + 1], index + 1)
            attributes.append(words[index + 1])
            index += 2
        else:
            refusal = Refused(
                "'cookie' supports 'rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', 'domain',"
                " 'maxidle', 'dynamic', 'maxlife' and 'attr' options.",
                index,
                hint=build.nearest(word, _WORDS),
            )
            build.fault(refusal)
            index += 1
            while index < len(words) and words[index] not in _WORDS and not build.nearest(words[index], _WORDS):
                index += 1
    draft.cookie = _made(words[1], flags, ages, domains, attributes)


def _made(name: str, flags: set[str], ages: dict[str, int], domains: list[str], attributes: list[str]) -> Cookie:
    """The cookie, if its words go together."""
    modes = flags & {"rewrite", "insert", "prefix"}
    if len(modes) > 1:
        raise Refused("cookie 'rewrite', 'insert' and 'prefix' modes are incompatible.")
    if {"rewrite", "indirect"} <= flags:
        raise Refused("cookie 'rewrite' and 'indirect' modes are incompatible.")
    if "preserve" in flags and not flags & {"insert", "indirect"}:
        raise Refused("cookie 'preserve' requires at least 'insert' or 'indirect'.")
    return Cookie(
        name=name,
        mode=next(iter(modes), ""),
        indirect="indirect" in flags,
        nocache="nocache" in flags,
        postonly="postonly" in flags,
        preserve="preserve" in flags,
        httponly="httponly" in flags,
        secure="secure" in flags,
        domains=tuple(domains),
        attributes=tuple(attributes),
        dynamic="dynamic" in flags,
        max_idle=ages["maxidle"],
        max_life=ages["maxlife"],
    )


def _domain(build: Build, statement: Statement, words: list[str], index: int) -> None:
    domain = words[index]
    if "." not in domain:
        build.warning(
            "cookie-domain",
            statement.span(index),
            f"domain '{domain}' contains no embedded dot, this configuration may not work properly (see"
            " RFC6265#5.2.3).",
        )
    good = _DOMAIN.match(domain)
    assert good is not None
    if good.end() < len(domain):
        raise Refused(f"character '{domain[good.end()]}' is not permitted in domain name '{domain}'.", index)


def _attribute(text: str, index: int) -> None:
    for character in text:
        if character == ";" or ord(character) < 32 or ord(character) == 127:
            raise Refused(f"character '%x{ord(character):02X}' is not permitted in attribute value.", index)


HANDLERS: Final[dict[str, Handler]] = {"cookie": _cookie}
