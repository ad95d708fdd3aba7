"""Proxy statements that HAProxy 2.6 refuses and older versions knew, with what to write today."""

from __future__ import annotations

from typing import Final

from hapy_config.keywords.spec import Arg, Context, Keyword, Kind, Version

_C = Context
_REST: Final = (Arg(Kind.REST, "arguments", optional=True),)
_RULES_GONE: Final[Version] = (2, 1)

#: The header rules of HAProxy 1.x, `i` for "whatever the case", and their successors.
_RULES: Final[dict[str, str]] = {
    "reqadd": "http-request add-header",
    "reqallow": "http-request allow",
    "reqiallow": "http-request allow",
    "reqdel": "http-request del-header",
    "reqidel": "http-request del-header",
    "reqdeny": "http-request deny",
    "reqideny": "http-request deny",
    "reqpass": "http-request allow with a condition",
    "reqipass": "http-request allow with a condition",
    "reqrep": "http-request replace-path, http-request replace-uri or http-request replace-header",
    "reqirep": "http-request replace-path, http-request replace-uri or http-request replace-header",
    "reqtarpit": "http-request tarpit",
    "reqitarpit": "http-request tarpit",
    "rspadd": "http-response add-header",
    "rspdel": "http-response del-header",
    "rspidel": "http-response del-header",
    "rspdeny": "http-response deny",
    "rspideny": "http-response deny",
    "rsprep": "http-response replace-header",
    "rspirep": "http-response replace-header",
}

#: Rules of the first versions, and the names that they got.
FIRST_NAMES: Final = {"cliexp": "reqrep", "srvexp": "rsprep"}


def _gone(
    name: str,
    removed: Version,
    instead: str,
    where: Context = _C.PROXY,
    *,
    args: tuple[Arg, ...] = _REST,
    deprecated: Version | None = None,
    manual: str = "4.2 of the 2.0 manual",
) -> Keyword:
    return Keyword(
        name=name,
        where=where,
        args=args,
        deprecated=deprecated,
        removed=removed,
        instead=instead,
        manual=manual,
        bad=(f"{name} a b",),
    )


ENTRIES: Final = (
    *(_gone(name, _RULES_GONE, instead, _C.ANY_PROXY, deprecated=(2, 0)) for name, instead in _RULES.items()),
    # The names that these two had in the first versions; no manual since has them, though 2.0 still took them.
    *(_gone(name, _RULES_GONE, _RULES[now], _C.ANY_PROXY, manual="none") for name, now in FIRST_NAMES.items()),
    _gone("reqsetbe", (1, 6), "use_backend with a condition", _C.ANY_PROXY, manual="4.2 of the 1.5 manual"),
    _gone("reqisetbe", (1, 6), "use_backend with a condition", _C.ANY_PROXY, manual="4.2 of the 1.5 manual"),
    _gone("block", (2, 1), "http-request deny, with the same condition", _C.ANY_PROXY, deprecated=(1, 6)),
    _gone("clitimeout", (2, 1), "timeout client", deprecated=(1, 5)),
    _gone("contimeout", (2, 1), "timeout connect", deprecated=(1, 5)),
    _gone("srvtimeout", (2, 1), "timeout server", deprecated=(1, 5)),
    _gone("timeout clitimeout", (2, 1), "timeout client", deprecated=(1, 5)),
    _gone("timeout contimeout", (2, 1), "timeout connect", deprecated=(1, 5)),
    _gone("timeout srvtimeout", (2, 1), "timeout server", deprecated=(1, 5)),
    _gone("timeout appsession", (1, 6), "a stick-table with stick store-response", manual="4.2 of the 1.5 manual"),
    _gone("redispatch", (2, 1), "option redispatch", deprecated=(1, 5)),
    _gone("redisp", (2, 1), "option redispatch", deprecated=(1, 5)),
    _gone("appsession", (1, 6), "a stick-table with stick store-response", _C.BACK, manual="4.2 of the 1.5 manual"),
    _gone(
        "monitor-net",
        (2, 3),
        "http-request return status 200 if { src NETWORK }",
        args=(Arg(Kind.NETWORK, "source"),),
        manual="4.2 of the 2.2 manual",
    ),
    _gone(
        "grace",
        (2, 5),
        "grace in the global section",
        args=(Arg(Kind.TIME, "time"), Arg(Kind.STRING, "words", optional=True, repeat=True)),
        manual="4.2 of the 2.4 manual",
    ),
    Keyword(
        name="bind-process",
        where=_C.PROXY,
        args=_REST,
        deprecated=(2, 5),
        removed=(2, 7),
        instead="the thread option of bind lines, or nothing",
        manual="4.2 of the 2.6 manual",
        ok=("bind-process all", "bind-process 1"),
        bad=("bind-process x",),
    ),
)
