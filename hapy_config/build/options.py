"""`option …` and `no option …` (configuration manual, section 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Final

from hapy_config.build.arguments import at_most
from hapy_config.build.checks import begin_own, option_request
from hapy_config.build.context import Build
from hapy_config.build.draft import BACK, FRONT, Draft
from hapy_config.build.refused import Refused, version_note
from hapy_config.build.registry import BOTH, warn_side
from hapy_config.grammar.patterns import is_address
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords import table
from hapy_config.keywords.spec import TARGET, Version
from hapy_config.model.proxy import ForwardFor
from hapy_config.syntax import Statement

#: Options that are on or off, and the side that has them.
SWITCHES: Final = {
    "abortonclose": BACK,
    "accept-invalid-http-request": FRONT,
    "accept-invalid-http-response": BACK,
    "allbackups": BACK,
    "checkcache": BACK,
    "clitcpka": FRONT,
    "contstats": FRONT,
    "disable-h2-upgrade": FRONT,
    "dontlog-normal": FRONT,
    "dontlognull": FRONT,
    "h1-case-adjust-bogus-client": FRONT,
    "h1-case-adjust-bogus-server": BACK,
    "http-buffer-request": BOTH,
    "http-ignore-probes": FRONT,
    "http-no-delay": BOTH,
    "http-pretend-keepalive": BACK,
    "http-use-proxy-header": FRONT,
    "idle-close-on-response": FRONT,
    "independent-streams": BOTH,
    "log-health-checks": BACK,
    "log-separate-errors": FRONT,
    "logasap": FRONT,
    "nolinger": BOTH,
    "persist": BACK,
    "prefer-last-server": BACK,
    "socket-stats": FRONT,
    "splice-auto": BOTH,
    "splice-request": BOTH,
    "splice-response": BOTH,
    "srvtcpka": BACK,
    "tcp-smart-accept": FRONT,
    "tcp-smart-connect": BACK,
    "transparent": BACK,
}

#: Switches of which only HTTP proxies make use: HAProxy drops them elsewhere and warns.
HTTP_ONLY: Final = frozenset(
    {
        "accept-invalid-http-request",
        "accept-invalid-http-response",
        "checkcache",
        "disable-h2-upgrade",
        "http-buffer-request",
        "http-ignore-probes",
        "http-no-delay",
        "http-pretend-keepalive",
        "http-use-proxy-header",
        "idle-close-on-response",
        "prefer-last-server",
    }
)

_NO_NEGATION: Final = "negation/default is not supported for option '{}'."
#: The first version that knows an option only in sections that can use it.
_SIDES_MATTER: Final[Version] = (3, 2)
#: Options that have other names since, and can't be switched off by these.
_RENAMED: Final = frozenset({"accept-invalid-http-request", "accept-invalid-http-response"})
_RENAMED_SINCE: Final[Version] = (3, 1)
#: The first version whose `option httpchk` refuses headers behind the version, and the first that takes a host there.
_NO_HIDDEN_HEADERS: Final[Version] = (2, 8)
_HOST_IN_HTTPCHK: Final[Version] = (3, 2)
#: The first version whose `option forwardfor except` takes networks of IPv6.
_IPV6_EXCEPTED: Final[Version] = (2, 4)

_MODES: Final = {"httpclose": "close", "http-server-close": "server-close", "http-keep-alive": "keep-alive"}

_GONE: Final = {
    "http_proxy": (
        "option 'http_proxy' is not supported any more since HAProxy 2.5. This option stopped working in HAProxy 1.9"
        " and usually had nasty side effects. It can be more reliably implemented with combinations of 'http-request"
        " set-dst' and 'http-request set-uri', and even 'http-request do-resolve' if DNS resolution is desired."
    ),
    "http-tunnel": (
        "option 'http-tunnel' is not supported any more since HAProxy 2.1, please just remove it,"
        " it shouldn't be needed."
    ),
    "forceclose": (
        "option 'forceclose' is not supported any more since HAProxy 2.0, please just remove it,"
        " or use 'option httpclose' if absolutely needed."
    ),
}


def option(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    """`option NAME …`."""
    _option(build, draft, statement, words, "on")


def no_option(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    """`no option NAME`."""
    _option(build, draft, statement, words, "off")


def default_option(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    """`default option NAME`; HAProxy 2.6 leaves `default` among the words, which most options then refuse."""
    if len(words) > 1 and (words[1] in SWITCHES or words[1] in _MODES):
        extra = words[2] if len(words) > 2 else words[1]
        raise Refused(f"'option {words[1]}' cannot handle unexpected argument '{extra}'.", 1)
    _option(build, draft, statement, words, "default")


def _option(build: Build, draft: Draft, statement: Statement, words: list[str], to: str) -> None:
    if len(words) < 2 or not words[1]:
        raise Refused("'option' expects an option name.", 1, code="missing-argument")
    name = words[1]
    side = SWITCHES.get(name)
    if side is not None:
        at_most(words, 1, f"option {words[1]}")
        if build.version >= _SIDES_MATTER and not draft.side & side and name not in _RENAMED:
            raise Refused(f"unknown option '{name}'." if to == "on" else _NO_NEGATION.format(name), 1)
        if to != "on" and name in _RENAMED and build.version >= _RENAMED_SINCE:
            raise Refused(_NO_NEGATION.format(name), 1)
        if warn_side(build, draft, statement, name, side):
            return
        if to == "on":
            draft.options.add(name)
        else:
            draft.options.discard(name)
        return
    if name in _MODES:
        at_most(words, 1, f"option {words[1]}")
        if to == "on":
            draft.http_mode = _MODES[name]
        elif draft.http_mode == _MODES[name]:
            draft.http_mode = "keep-alive"
        return
    gone = _GONE.get(name)
    if gone is not None:
        raise Refused(gone, 1, code="removed-keyword")
    if name == "redispatch":
        _redispatch(build, draft, statement, words, to)
        return
    if name == "http-restrict-req-hdr-names":
        _restrict_names(draft, words, to)
        return
    handler = _VALUES.get(name)
    if to != "on":
        raise Refused(_NO_NEGATION.format(name), 1)
    if handler is None:
        raise unknown_option(name)
    handler(build, draft, statement, words)


def unknown_option(name: str) -> Refused:
    """The refusal of an option that HAProxy 2.6 does not have."""
    entry = table("options").get(name)
    if entry is not None and not entry.known_in(TARGET):
        code = "newer-keyword" if entry.since > TARGET else "removed-keyword"
        instead = f"; {entry.instead}" if entry.instead else ""
        note = version_note(entry.since, entry.removed)
        return Refused(f"unknown option '{name}'.", 1, code=code, hint=f"{note}{instead}")
    known = [*SWITCHES, *_MODES, *_VALUES, "redispatch", "http-restrict-req-hdr-names"]
    near = get_close_matches(name, known, n=1, cutoff=0.7)
    if not near:
        return Refused(f"unknown option '{name}'.", 1, code="unknown-option")
    return Refused(
        f"unknown option '{name}'; did you mean '{near[0]}' maybe ?",
        1,
        code="unknown-option",
        hint=f"did you mean '{near[0]}'?",
        suggestion=near[0],
    )


def _redispatch(build: Build, draft: Draft, statement: Statement, words: list[str], to: str) -> None:
    if warn_side(build, draft, statement, "redispatch", BACK):
        return
    if to != "on":
        draft.redispatch = None
    elif len(words) > 2:
        draft.redispatch = leading_integer(words[2])
    else:
        draft.redispatch = -1


def _restrict_names(draft: Draft, words: list[str], to: str) -> None:
    expected = "option 'http-restrict-req-hdr-names' expects 'preserve', 'reject' or 'delete' option."
    if to != "on":
        raise Refused(_NO_NEGATION.format("http-restrict-req-hdr-names"), 1)
    if len(words) < 3:
        raise Refused(f"missing parameter. {expected}", 2, code="missing-argument")
    if words[2] not in ("preserve", "reject", "delete"):
        raise Refused(f"invalid parameter '{words[2]}'. {expected}", 2)
    if len(words) > 3:
        raise Refused(f"'option' cannot handle unexpected argument '{words[3]}'.", 3)
    draft.settings.append(tuple(words))
    draft.restrict_names = words[2]


def _httplog(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    clf = False
    if len(words) > 2:
        if words[2] != "clf":
            raise Refused("keyword 'httplog' only supports option 'clf'.", 2)
        clf = True
        at_most(words, 2, f"option {words[1]}")
    _set_log_format(build, draft, statement, "httplog-clf" if clf else "httplog", "option httplog")


def _httpslog(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    _set_log_format(build, draft, statement, "httpslog", "option httpslog")


def _tcplog(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    at_most(words, 1, f"option {words[1]}")
    _set_log_format(build, draft, statement, "tcplog", "option tcplog")


def _set_log_format(build: Build, draft: Draft, statement: Statement, kind: str, word: str) -> None:
    if draft.log_format_kind and draft.kind == "defaults":
        known = draft.log_format_kind in ("httplog", "httplog-clf", "httpslog", "tcplog")
        old = f"option {draft.log_format_kind.removesuffix('-clf')}" if known else "log-format"
        build.warning("overridden", statement.span(), f"'{word}' overrides previous '{old}' in 'defaults' section.")
    draft.log_format = None
    draft.log_format_kind = kind
    draft.log_format_statement = statement
    if draft.kind == "backend":
        build.warning(
            "ignored-here",
            statement.span(),
            f"backend '{draft.name}' : '{word}' directive is ignored in backends.",
        )


def _forwardfor(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    draft.forwardfor = _address_header(
        build, words, "forwardfor", "X-Forwarded-For", "'except', 'header' and 'if-none'"
    )


def _originalto(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    draft.originalto = _address_header(build, words, "originalto", "X-Original-To", "'except' and 'header'")


def _address_header(build: Build, words: list[str], name: str, header: str, supported: str) -> ForwardFor:
    """The arguments of forwardfor and originalto; each line starts afresh."""
    if_none = False
    excepted = ""
    index = 2
    while index < len(words):
        word = words[index]
        if word == "except":
            given = words[index + 1] if index + 1 < len(words) else ""
            if not given or not is_address(given, build.resolve) or (":" in given and build.version < _IPV6_EXCEPTED):
                message = f"'option {name} except' expects <address>[/mask] as argument."
                build.fault(Refused(message, min(index + 1, len(words))))
            excepted = "".join(words[index + 1 : index + 2])
            index += 2
        elif word == "header":
            if index + 1 >= len(words) or not words[index + 1]:
                raise Refused(f"'option {name} header' expects <header_name> as argument.", index + 1)
            header = words[index + 1]
            index += 2
        elif word == "if-none" and name == "forwardfor":
            if_none = True
            index += 1
        else:
            build.fault(Refused(f"'option {name}' only supports optional values: {supported}.", index))
            index += 1
            while index < len(words) and not build.nearest(words[index], ("except", "header", "if-none")):
                index += 1
    return ForwardFor(header, if_none, (excepted,) if excepted else ())


def _tcpka(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    at_most(words, 1, f"option {words[1]}")
    if draft.side & FRONT:
        draft.options.add("clitcpka")
    if draft.side & BACK:
        draft.options.add("srvtcpka")


def _check(name: str) -> Callable[[Build, Draft, Statement, list[str]], None]:
    """A handler for the `option …-check` of that name."""
    shape = _CHECKS[name]

    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        if name != "external-check":
            warn_side(build, draft, statement, name, BACK)
        line = build.read_on(words) if name in ("httpchk", "smtpchk") else words
        shape(line[:5] + line[6:] if name == "httpchk" and build.version >= _HOST_IN_HTTPCHK else line)
        if name not in ("httpchk", "tcp-check"):
            draft.check_rules = ()  # HAProxy lets them go and does not speak of it
        else:
            family = "http-check" if name == "httpchk" else name
            draft.check_rules = tuple(rule for rule in draft.check_rules if rule[0] == family)
        draft.check_families = frozenset()
        draft.check = name
        draft.check_statement = statement
        if name == "httpchk":
            begin_own(draft, "http-check")
            others = (pair for pair in draft.check_steps if pair[0] not in (name, "inherited"))
            draft.check_steps = (*others, (name, option_request(words)))
        draft.settings.append(tuple(words))
        if name == "httpchk" and len(words) > 4 and ("\r" in words[4] or "\n" in words[4]):
            if build.version >= _NO_HIDDEN_HEADERS:
                raise Refused(
                    "'option httpchk' : hiding headers or body at the end of the version string is unsupported."
                    " Use 'http-check send' directive instead.",
                    4,
                )
            build.warning(
                "deprecated",
                statement.span(4),
                "'option httpchk' : hiding headers or body at the end of the version string is deprecated."
                " Please, consider to use 'http-check send' directive instead.",
            )

    return handle


def _bare(words: list[str]) -> None:
    at_most(words, 1, f"option {words[1]}")


def _httpchk(words: list[str]) -> None:
    at_most(words, 4, f"option {words[1]}")


def _smtpchk(words: list[str]) -> None:
    if len(words) > 4:
        at_most(words, 3, f"option {words[1]}")


def _mysql(words: list[str]) -> None:
    if len(words) == 2:
        return
    if words[2] != "user":
        raise Refused(f"'option mysql-check' only supports optional values: 'user' (got '{words[2]}').", 2)
    if len(words) < 4:
        raise Refused("'option mysql-check user' expects <username> as argument.", 3)
    if len(words) > 4 and words[4] not in ("post-41", "pre-41"):
        raise Refused(f"keyword 'user' only supports 'post-41' and 'pre-41' (got '{words[4]}').", 4)
    at_most(words, 4, f"option {words[1]}")


def _pgsql(words: list[str]) -> None:
    if len(words) < 4 or words[2] != "user":
        raise Refused("'option pgsql-check' expects 'user <username>' as argument.", min(len(words), 2))
    at_most(words, 3, f"option {words[1]}")


_CHECKS: Final[dict[str, Callable[[list[str]], None]]] = {
    "external-check": _bare,
    "httpchk": _httpchk,
    "ldap-check": _bare,
    "mysql-check": _mysql,
    "pgsql-check": _pgsql,
    "redis-check": _bare,
    "smtpchk": _smtpchk,
    "spop-check": _bare,
    "ssl-hello-chk": _bare,
    "tcp-check": _bare,
}

_VALUES: Final[dict[str, Callable[[Build, Draft, Statement, list[str]], None]]] = {
    "forwardfor": _forwardfor,
    "httplog": _httplog,
    "httpslog": _httpslog,
    "originalto": _originalto,
    "tcplog": _tcplog,
    "tcpka": _tcpka,
    **{name: _check(name) for name in _CHECKS},
}
