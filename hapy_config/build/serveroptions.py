"""The options of server, default-server and server-template lines, each with its reader (configuration manual, 5.2)."""

from __future__ import annotations

import ipaddress
from typing import Final

from hapy_config.build import servertls
from hapy_config.build.addressing import address, read_source
from hapy_config.build.arguments import TimeError, milliseconds
from hapy_config.build.linewords import tcp_user_timeout
from hapy_config.build.networks import is_network
from hapy_config.build.refused import Refused
from hapy_config.build.serverwords import Reader, ServerWords, choice, drop, flag, instead, keep, lax_number, string
from hapy_config.grammar.addresses import AddressUse
from hapy_config.grammar.units import leading_integer

_HOST: Final = AddressUse()
_PORT_NEEDED: Final = AddressUse(port_required=True)


def _weight(words: ServerWords, name: str) -> None:
    weight = leading_integer(words.lax())
    if not 0 <= weight <= 256:
        raise words.refuse(f"weight of server {words.name} is not within 0 and 256 ({weight})", words.position - 1)
    words.values["weight"] = weight


def _interval(words: ServerWords, name: str) -> None:
    value = words.time(f"'{name}' expects a delay as argument", f"'{name}' argument", name)
    if not value:
        raise words.refuse(f"invalid value 0 for argument '{name}' of server {words.name}", words.position - 1)
    words.options[name] = (str(value),)


def _threshold(words: ServerWords, name: str) -> None:
    text = words.take(f"'{name}' expects an integer argument")
    if leading_integer(text) <= 0:
        shown = name if name == "error-limit" else f"'{name}'"
        raise words.refuse(f"{shown} has to be > 0", words.position - 1)
    words.options[name] = (text,)


def _slowstart(words: ServerWords, name: str) -> None:
    words.values["slowstart"] = words.time("'slowstart' expects a delay as argument", "'slowstart' argument", name)


def _id(words: ServerWords, name: str) -> None:
    if words.default:
        words.lax()
        words.build.alert(
            "ignored-here",
            words.statement.span(words.position - 2),
            "'id' option is not accepted in default-server sections",
        )
        return
    number = leading_integer(words.take("'id' : expects an integer argument"))
    if number <= 0:
        raise words.refuse("'id' : custom id has to be > 0", words.position - 1)
    other = words.draft.server_ids.get(number)
    if other is not None:
        where = f"{other.span.file}:{other.span.line}"
        raise words.refuse(
            f"'id' : custom id {number} already used at {where} ('server {other.name}')",
            words.position - 1,
            code="duplicate-id",
        )
    words.values["number"] = number


def _proto(words: ServerWords, name: str) -> None:
    text = words.take(f"'{name}' : missing value")
    if text not in ("h1", "h2", "fcgi", "none"):
        raise words.refuse(f"'{name}' :  unknown MUX protocol '{text}'", words.position - 1)
    words.build.note_protocol(words.statement, words.position - 1, name, text)
    words.options[name] = (text,)


def _source(words: ServerWords, name: str) -> None:
    if not words.peek():
        raise words.refuse(
            "'source' expects <addr>[:<port>[-<port>]], and optionally 'usesrc' <addr>, and 'interface' <name> as"
            " argument",
            code="missing-argument",
        )
    found, words.position = read_source(
        words.build, words.words, words.position, words.prefix, ranges=True, name="server"
    )
    words.values["source"] = found


def _usesrc(words: ServerWords, name: str) -> None:
    raise words.refuse("'usesrc' only allowed after a 'source' statement", words.position - 1)


def _track(words: ServerWords, name: str) -> None:
    words.values["track"] = words.take("'track' expects [<proxy>/]<server> as argument")


def _check_address(words: ServerWords, name: str) -> None:
    text = words.take(f"'{name}' expects <ipv4|ipv6> as argument")
    found = address(words.build, text, words.position - 1, _HOST, f"{words.prefix}'addr' : ")
    words.options[name] = (text,)
    if found.port:
        words.options.setdefault("port", (str(found.port),))


def _agent_address(words: ServerWords, name: str) -> None:
    text = words.take("'agent-addr' expects an address as argument")
    message = f"{words.prefix}parsing agent-addr failed. Check if '{text}' is correct address.."
    words.options[name] = (text,)
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        if set(text) & set(":/@"):
            hint = "a host or an address alone; the port goes to 'agent-port'"
            raise Refused(message, words.position - 1, code="bad-address", hint=hint) from None
    else:
        return
    try:
        address(words.build, text, words.position - 1, _HOST, "")
    except Refused as refusal:
        other = Refused(message, words.position - 1, code=refusal.code)
        if not refusal.environment:
            raise other from None
        words.build.lacking(other)


def _socks4(words: ServerWords, name: str) -> None:
    text = words.take("'socks4' expects <addr>:<port> as argument")
    address(words.build, text, words.position - 1, _PORT_NEEDED, f"{words.prefix}'socks4 {text}' : ")
    words.options[name] = (text,)


def _init_addr(words: ServerWords, name: str) -> None:
    text = words.lax()
    found: list[str] = []
    for part in filter(None, text.split(",")):
        method = part in ("last", "libc", "none")
        if not (method or part == "*" or _is_ip(part)):
            raise words.refuse(
                f"'init-addr' : unknown init-addr method '{part}', supported methods are 'libc', 'last', 'none'.",
                words.position - 1,
            )
        if not method and any(one not in ("last", "libc", "none") for one in found):
            raise words.refuse(
                f"'init-addr' : initial address already specified, cannot add '{part}'.", words.position - 1
            )
        found.append("0.0.0.0" if part == "*" else part.strip("[]"))
    if text:
        words.values["init_addr"] = tuple(found) or ("none",)
        words.options["init-addr"] = (text,)
    else:  # as if nothing were said
        words.values.pop("init_addr", None)
        words.options.pop("init-addr", None)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text[1:-1] if text[0] == "[" and text[-1] == "]" else text)
    except ValueError:
        return False
    return True


def _resolvers(words: ServerWords, name: str) -> None:
    words.values["resolvers"] = words.lax()
    words.options["resolvers"] = (str(words.values["resolvers"]),)


#: Networks that one `resolve-net` can name.
_MOST_NETWORKS: Final = 5


def _resolve_net(words: ServerWords, name: str) -> None:
    text = words.take("'resolve-net' expects a list of networks")
    for part in text.split(","):
        if not is_network(part.strip()):
            raise words.refuse(f"'resolve-net' invalid network '{part}'", words.position - 1)
    if text.count(",") >= _MOST_NETWORKS:
        raise words.refuse(f"'resolve-net' exceed {_MOST_NETWORKS} networks", words.position - 1)
    words.options[name] = (text,)


def _resolve_options(words: ServerWords, name: str) -> None:
    text = words.lax().removesuffix(",")
    for part in text.split(",") if text else ():
        if part not in ("allow-dup-ip", "ignore-weight", "prevent-dup-ip"):
            raise words.refuse(
                f"'resolve-opts' : unknown resolve-opts option '{part}', supported methods are 'allow-dup-ip',"
                " 'ignore-weight', and 'prevent-dup-ip'.",
                words.position - 1,
            )
    words.options[name] = (text,)


def _agent_check(words: ServerWords, name: str) -> None:
    words.options["agent-check"] = ()


def _tcp_ut(words: ServerWords, name: str) -> None:
    words.options[name] = (tcp_user_timeout(words),)


def _port(words: ServerWords, name: str) -> None:
    words.options[name] = (words.take(f"'{name}' expects a port number as argument"),)


def _pool_max(words: ServerWords, name: str) -> None:
    number = leading_integer(words.take("'pool-max-conn' expects <value> as argument"))
    if number < -1:
        raise words.refuse("'pool-max-conn' must be >= -1", words.position - 1)
    words.values["pool_max_conn"] = number


def _pool_low(words: ServerWords, name: str) -> None:
    words.values["pool_low_conn"] = max(leading_integer(words.take("'pool-low-conn' expects <value> as argument")), 0)


def _pool_purge(words: ServerWords, name: str) -> None:
    text = words.take("'pool-purge-delay' expects <value> as argument")
    try:
        value, _ = milliseconds(text)
    except TimeError as error:
        raise words.refuse(
            f"unexpected character '{error.character}' in argument to <pool-purge-delay>.", words.position - 1
        ) from None
    words.values["pool_purge_delay"] = value


def _max_reuse(words: ServerWords, name: str) -> None:
    words.values["max_reuse"] = max(leading_integer(words.take("'max-reuse' expects <value> as argument")), -1)


def _namespace(words: ServerWords, name: str) -> None:
    text = words.take("'namespace' expects <name> as argument")
    if text != "*" and not words.build.namespace_exists(text):
        message = f"{words.prefix}Cannot open namespace '{text}'."
        words.build.lacking(Refused(message, words.position - 1, code="missing-namespace"))
    words.options[name] = (text,)


_WS: Final = "'ws' has to be 'auto', 'h1' or 'h2'"


def _websockets(words: ServerWords, name: str) -> None:
    choice(("auto", "h1", "h2"), _WS, _WS)(words, name)
    if words.options[name] == ("h2",):
        words.build.note_websockets(words.statement, words.position - 1)


_OBSERVED: Final = choice(
    ("none", "layer4", "layer7"),
    "'observe' expects <mode> as argument",
    "'observe' expects one of 'none', 'layer4', 'layer7' but got '{}'",
)


def _observe(words: ServerWords, name: str) -> None:
    _OBSERVED(words, name)
    if words.options[name] == ("layer7",) and words.draft.mode != "http":
        message = f"{words.prefix}'layer7' can only be used in http proxies."
        words.build.alert("incompatible-mode", words.statement.span(words.position - 1), message)


_ON_ERROR: Final = ("fastinter", "fail-check", "sudden-death", "mark-down")

READERS: Final[dict[str, Reader]] = {
    "addr": _check_address,
    "agent-addr": _agent_address,
    "agent-check": _agent_check,
    "agent-inter": _interval,
    "agent-port": _port,
    "agent-send": keep(1, "'agent-send' expects a string as argument"),
    "backup": flag("backup", value=True),
    "check": flag("check", value=True),
    "check-proto": _proto,
    "check-reuse-pool": keep(0),
    "check-send-proxy": instead("no-check-send-proxy"),
    "check-via-socks4": keep(0),
    "cookie": string("cookie", "'cookie' expects <value> as argument"),
    "disabled": flag("disabled", value=True),
    "downinter": _interval,
    "enabled": flag("disabled", value=False),
    "error-limit": _threshold,
    "fall": _threshold,
    "fastinter": _interval,
    "id": _id,
    "init-addr": _init_addr,
    "init-state": choice(
        ("fully-up", "up", "down", "fully-down", "none"),
        "'init-state' expects <state> as argument",
        "'init-state' expects one of 'fully-up', 'up', 'down', 'fully-down' or 'none' but got '{}'",
    ),
    "inter": _interval,
    "log-proto": choice(
        ("legacy", "octet-count"),
        "'log-proto' expects one of 'legacy' or 'octet-count'",
        "'log-proto' expects one of 'legacy' or 'octet-count' but got '{}'",
    ),
    "max-reuse": _max_reuse,
    "maxconn": lax_number("maxconn"),
    "maxqueue": lax_number("maxqueue"),
    "minconn": lax_number("minconn"),
    "namespace": _namespace,
    "no-agent-check": drop("agent-check"),
    "no-backup": flag("backup", value=False),
    "no-check": flag("check", value=False),
    "no-check-reuse-pool": drop("check-reuse-pool"),
    "no-check-send-proxy": instead("check-send-proxy"),
    "no-tfo": drop("tfo"),
    "non-stick": keep(0),
    "observe": _observe,
    "on-error": choice(
        _ON_ERROR,
        "'on-error' expects <mode> as argument",
        "'on-error' expects one of 'fastinter', 'fail-check', 'sudden-death' or 'mark-down' but got '{}'",
    ),
    "on-marked-down": choice(
        ("shutdown-sessions",),
        "'on-marked-down' expects <mode> as argument",
        "'on-marked-down' expects 'shutdown-sessions' but got '{}'",
    ),
    "on-marked-up": choice(
        ("shutdown-backup-sessions",),
        "'on-marked-up' expects <mode> as argument",
        "'on-marked-up' expects 'shutdown-backup-sessions' but got '{}'",
    ),
    "pool-low-conn": _pool_low,
    "pool-max-conn": _pool_max,
    "pool-purge-delay": _pool_purge,
    "port": _port,
    "proto": _proto,
    "redir": string("redir", "'redir' expects <prefix> as argument"),
    "resolve-net": _resolve_net,
    "resolve-opts": _resolve_options,
    "resolve-prefer": choice(
        ("ipv4", "ipv6"),
        "'resolve-prefer' expects either ipv4 or ipv6 as argument",
        "'resolve-prefer' expects either ipv4 or ipv6 as argument",
    ),
    "resolvers": _resolvers,
    "rise": _threshold,
    "slowstart": _slowstart,
    "socks4": _socks4,
    "source": _source,
    "stick": drop("non-stick"),
    "tcp-ut": _tcp_ut,
    "tfo": keep(0),
    "track": _track,
    "usesrc": _usesrc,
    "weight": _weight,
    "ws": _websockets,
    **servertls.READERS,
}
