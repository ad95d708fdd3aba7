"""Where clients come from: the address that trusted proxies tell of them, and the page that led them here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.from_nginx.notes import Notes
from hapy_config.translate.from_nginx.values import variables
from hapy_config.translate.lines import write

#: Proxies in a row that are looked through.
_MOST: Final = 8
_LITERAL: Final = re.compile(r"([.\\^$*+?{}\[\]|()])")
_REFERER: Final = "req.fhdr(referer,1)"


def real_addresses(levels: Sequence[Directive], where: Sequence[str], notes: Notes) -> list[str]:
    """`set_real_ip_from` and its kin: the rules that give a request its client's address.

    Args:
        levels: the blocks around, the innermost first.
        where: the tests that lead to the server.
        notes: takes what is to be said.
    """
    given = next((found for level in levels if (found := list(level.all("set_real_ip_from")))), [])
    header, recursive = (
        next((one for level in levels if (one := level.first(name)) is not None), None)
        for name in ("real_ip_header", "real_ip_recursive")
    )
    for one in (header, recursive):
        if one is not None:
            one.used = True
    trusted: list[str] = []
    for one in given:
        one.used = True
        value = one.args[0] if one.args else ""
        if re.fullmatch(r"[0-9a-fA-F.:]+(/\d+)?", value):
            trusted.append(value)
        else:
            notes.lost(one.span, f"set_real_ip_from {value} was left out: HAProxy compares addresses")
    if not trusted:
        return []
    name = header.args[0] if header is not None and header.args else "X-Real-IP"
    if name == "proxy_protocol":
        notes.near(given[0].span, "HAProxy takes the address of the PROXY header from whoever connects")
        return []
    many = recursive is not None and recursive.args == ("on",)
    if many:
        notes.near(given[0].span, f"{_MOST} proxies in a row are looked through, not more")
    tests = " ".join((*where, f"{{ src {' '.join(map(write, trusted))} }}"))
    return [
        "http-request set-var(txn.ngx_realip_remote_addr) src",
        *(f"http-request set-src req.hdr({name},-{one}) if {tests}" for one in range(1, _MOST + 1 if many else 2)),
    ]


def valid_referers(level: Directive, server: Directive) -> list[str] | None:
    """`valid_referers`: the tests of which a request passes one; None where a block has no such line."""
    given = list(level.all("valid_referers"))
    tests: list[str] = []
    for one in given:
        one.used = True
        for word in one.args:
            if word == "none":
                tests.append("!{ req.fhdr(referer) -m found }")
            elif word == "blocked":
                tests.append(f"{{ {_REFERER} -m found }} !{{ {_REFERER} -m reg -i ^https?:// }}")
            elif word == "server_names":
                names = [name for each in server.all("server_name") for name in each.args]
                tests += [_referer(name) for name in names if name not in ("_", "")]
            elif not variables(word):
                tests.append(_referer(word))
    return tests if given else None


def _referer(name: str) -> str:
    """The test of a name, with a star before or behind it, with a path, or of an expression."""
    if name.startswith("~"):
        regex = name[1:]
        pattern = f"^https?://(?:{regex[1:]})" if regex.startswith("^") else f"^https?://.*(?:{regex})"
        return f"{{ {_REFERER} -m reg -i {write(pattern)} }}"
    host, slash, path = name.partition("/")
    text = _literal(host)
    if host.startswith("*."):
        text = rf"[^/:]+{_literal(host[1:])}"
    elif host.endswith(".*"):
        text = f"{_literal(host[:-1])}[^/:]*"
    ending = rf"(:\d+)?{_literal(slash + path)}" if slash else "([:/]|$)"
    return f"{{ {_REFERER} -m reg -i {write(f'^https?://{text}{ending}')} }}"


def _literal(text: str) -> str:
    """An expression that is equal to a text."""
    return _LITERAL.sub(r"\\\1", text)
