"""What bind and server lines say that another proxy may not know: each option is carried, or told with its line.

An option is told only where it has an effect in HAProxy: those of health checks on servers that are checked, those of
TLS on servers that speak it, those about names on servers that are known by a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Bind, Server
from hapy_config.translate.ledger import Ledger

#: Of health checks: how often and what follows.
CHECK_TIMES: Final = frozenset(
    {
        "inter", "fastinter", "downinter", "rise", "fall", "observe", "on-error", "error-limit", "on-marked-down",
        "on-marked-up", "check-alpn", "check-proto", "check-sni",
    }
)  # fmt: skip
#: Of health checks: where they go, and what stands around them.
CHECK_PLACES: Final = frozenset({"addr", "port", "check-ssl", "check-send-proxy", "check-via-socks4"})
CHECKS: Final = CHECK_TIMES | CHECK_PLACES
#: Of TLS: old versions that no other proxy speaks to servers by itself.
OLD_VERSIONS: Final = frozenset({"no-sslv3", "no-tlsv10", "no-tlsv11"})
#: Of TLS: what may be spoken, and with whom.
TLS_LIMITS: Final = frozenset(
    {
        *OLD_VERSIONS, "no-tlsv12", "no-tlsv13", "force-sslv3", "force-tlsv10", "force-tlsv11", "force-tlsv12",
        "force-tlsv13", "ssl-min-ver", "ssl-max-ver", "ciphers", "ciphersuites", "crl-file", "ca-file", "crt", "sni",
        "verify", "verifyhost",
    }
)  # fmt: skip
#: Of TLS: what changes no answer.
_TLS_WAYS: Final = frozenset({"alpn", "npn", "no-ssl-reuse", "no-tls-tickets", "allow-0rtt"})
_NAMES: Final = frozenset({"init-addr", "resolvers", "resolve-prefer", "resolve-net", "resolve-opts"})
#: They need nothing elsewhere, or have a field of their own that the writers look at.
_NOTHING: Final = frozenset({"id", "cookie", "no-check-ssl", "verify"})
#: How idle connections are kept.
_POOL: Final = frozenset({"max-reuse", "pool-low-conn", "pool-max-conn", "pool-purge-delay"})
#: Of bind lines: what changes no answer.
_BIND_WAYS: Final = frozenset(
    {"backlog", "defer-accept", "mss", "nice", "npn", "no-tls-tickets", "prefer-client-ciphers", "tfo"}
)
#: Of bind lines: they need nothing elsewhere, or have a field of their own that the writers look at.
_BIND_NOTHING: Final = frozenset({"crt", "id", "level", "name", "ssl", *OLD_VERSIONS})
#: Of bind lines: what has an effect with TLS only.
_TLS_ONLY: Final = frozenset(
    {"alpn", "npn", "no-tls-tickets", "prefer-client-ciphers", "strict-sni", "curves", "ecdhe"}
)


def tell_options(ledger: Ledger, proxy: Proxy, server: Server, carried: frozenset[str]) -> None:
    """Tell what a server's options do that the other proxy won't.

    Args:
        ledger: where to.
        proxy: the server's section.
        server: it.
        carried: the options that went over, those that have fields of their own among them.
    """
    name, target = f"server '{server.name}'", ledger.target
    missing = [option for option in _in_effect(proxy, server) if option not in carried]
    ways = {
        f"its health is asked at {target}'s own times": CHECK_TIMES,
        f"connections to it are made in {target}'s own ways": _TLS_WAYS,
        f"its name is looked up in {target}'s own ways": _NAMES,
        f"idle connections to it are kept in {target}'s own ways": _POOL,
    }
    for text, kinds in ways.items():
        found = [option for option in missing if option in kinds]
        if found:
            ledger.near(server.span, f"{name}: {text}: {_listed(found)} did not go over")
    found = [option for option in missing if option in ("proto", "ws")]
    if found:
        ledger.near(server.span, f"{name}: HTTP/1.1 is spoken to it")
    if server.maxconn and (server.maxqueue or server.minconn):
        ledger.near(server.span, f"{name}: it has no queue: 'maxqueue' and 'minconn' did not go over")
    told = frozenset({"proto", "ws"}).union(*ways.values())
    for option in missing:
        if option not in told:
            ledger.lost(server.span, f"{name}: '{option}' has no counterpart in {target}")


def _in_effect(proxy: Proxy, server: Server) -> Iterator[str]:
    """The options of a server that change something in HAProxy."""
    http = proxy.mode == "http"
    named = server.fqdn is not None or server.address.family == "name"
    for option, values in server.options.items():
        if option in _NOTHING:
            continue
        plain = option == "proxy-v2-options" and set(",".join(values).split(",")) <= {"v1", "v2", ""}
        effect = (
            server.check if option in CHECKS
            else server.tls is not None if option in TLS_LIMITS | _TLS_WAYS
            else named if option in _NAMES
            else http and "h2" in values if option in ("proto", "ws")
            else not plain
        )  # fmt: skip
        if effect:
            yield option
    if server.redir is not None and http:
        yield "redir"
    if server.source is not None:
        yield "source"
    if http:
        usual = Server("", 0, server.address)
        yield from (name for name in sorted(_POOL) if _field(server, name) != _field(usual, name))


def _field(server: Server, option: str) -> object:
    return getattr(server, option.replace("-", "_"))


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def tell_bind(ledger: Ledger, bind: Bind, carried: frozenset[str]) -> None:
    """Tell what a bind line's options do that the other proxy won't.

    Args:
        ledger: where to.
        bind: the line, or one address of it.
        carried: the options that went over, those that have fields of their own among them.
    """
    missing = [option for option in dict.fromkeys(_of_bind(bind)) if option not in carried | _BIND_NOTHING]
    found = [option for option in missing if option in _BIND_WAYS]
    if found:
        ledger.near(bind.span, f"bind: {ledger.target} listens in its own ways: {_listed(found)} did not go over")
    for option in missing:
        if option not in _BIND_WAYS:
            ledger.lost(bind.span, f"bind: '{option}' has no counterpart in {ledger.target}")


def _of_bind(bind: Bind) -> Iterator[str]:
    """The options of a bind line that change something in HAProxy."""
    fields = {
        "accept-netscaler-cip": bind.netscaler is not None,
        "backlog": bind.backlog,
        "defer-accept": bind.defer_accept,
        "interface": bind.interface is not None,
        "maxconn": bind.maxconn,
        "mss": bind.mss is not None,
        "nice": bind.nice,
        "tfo": bind.tfo,
        "transparent": bind.transparent,
    }
    yield from (option for option, given in fields.items() if given)
    if bind.address.family == "unix":
        permissions = {"mode": bind.mode, "user": bind.uid, "group": bind.gid}
        yield from (option for option, given in permissions.items() if given is not None)
    elif bind.address.family in ("any", "ipv6") and bind.v4v6 is not None:
        yield "v4v6" if bind.v4v6 else "v6only"
    yield from (option for option in bind.options if option not in CHECKS | TLS_LIMITS | _TLS_ONLY)
    yield from bind.tls or ()


def takes_ipv4(ledger: Ledger, bind: Bind) -> bool:
    """Whether an IPv6 listener takes IPv4 connections, too, as Linux has it: those that no other line listens for."""
    if bind.address.family != "ipv6" or bind.address.host not in ("", "::") or bind.v4v6 is False:
        return False
    others = (one.address for proxy in ledger.config.proxies for one in proxy.binds if one is not bind)
    ports = set(bind.address.ports)
    return not any(
        (one.family == "any" or one.host == "0.0.0.0") and one.port is not None and not ports.isdisjoint(one.ports)
        for one in others
    )


def note_silence(ledger: Ledger, proxy: Proxy, backend: Proxy) -> None:
    """Tell that a connection in mode tcp may be silent for one time only, not one on either side."""
    if proxy.timeouts.client != backend.timeouts.server:
        for one, side in ((proxy, "client"), (backend, "server")):
            ledger.near(
                ledger.line(one, "timeout", side),
                f"'{one.name}': {ledger.target} has one timeout for both sides: the shorter of 'client' and 'server'",
            )


def constant_name(server: Server) -> str | None:
    """The one name that a server is asked for by TLS; None where it is asked for none, or depends on the request."""
    sni = server.tls.sni if server.tls is not None else None
    if sni is None or sni.fetch.name != "str" or sni.converters or not sni.fetch.args:
        return None
    return sni.fetch.args[0]
