"""Frontends in TCP mode as `server` blocks of `stream`."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from hapy_config.model.config import Config
from hapy_config.model.proxy import Proxy
from hapy_config.translate.flow import Every, Formula, Not, Test, Untranslatable, formula
from hapy_config.translate.guards import doors, tests_of
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.nginx.logs import stream_log
from hapy_config.translate.nginx.servers import connection_lines, tls_lines, upstream
from hapy_config.translate.nginx.site import bind_tls_lines, listen_lines
from hapy_config.translate.nginx.text import block, duration, upstream_name
from hapy_config.translate.nginx.variables import Variables
from hapy_config.translate.options import note_silence


def stream_server(ledger: Ledger, variables: Variables, config: Config, proxy: Proxy) -> tuple[list[str], list[Proxy]]:
    """The `server` block of a frontend, and the backends it leads to; empty where nothing can listen."""
    lines: list[str] = []
    for bind in proxy.binds:
        try:
            lines += listen_lines(ledger, bind, stream=True) + bind_tls_lines(ledger, bind)
            ledger.done(bind.span)
        except Untranslatable as reason:
            ledger.lost(bind.span, f"bind was left out: {reason}")
    if not lines:
        return [], []
    variables.preread = not any(bind.tls is not None for bind in proxy.binds)
    refused, tls_only = _doors(ledger, proxy)
    lines += refused
    target, backends = _target(ledger, variables, config, proxy)
    if tls_only and target and variables.preread:
        target = variables.map("$ssl_preread_protocol", [("", "")], target, f"tls_to_{proxy.name}")
    for one in (proxy, *backends):
        ledger.wrote(one)
    if any("$ssl_preread" in text for text in (target, *variables.blocks)) and variables.preread:
        lines.append("ssl_preread on;")
        lines += [f"preread_timeout {duration(proxy.inspect_delay)};"] if proxy.inspect_delay else []
        for span in {one.span for one in proxy.use_backends} or {proxy.span}:
            ledger.near(span, "a client that says nothing first is not served: nginx waits for its TLS greeting")
    if target:
        lines.append(f"proxy_pass {target};")
    else:
        lines.append('return "";')
    backend = backends[0] if backends else proxy
    log, log_format = stream_log(ledger, proxy)
    if log:
        lines.append(log)
        variables.blocks.append(log_format)
    note_silence(ledger, proxy, backend)
    silence = [time for time in (proxy.timeouts.client, backend.timeouts.server) if time]
    lines.append(f"proxy_timeout {duration(min(silence)) if silence else '365d'};")
    if backend.timeouts.connect:
        lines.append(f"proxy_connect_timeout {duration(backend.timeouts.connect)};")
    if any(one.timeouts != backend.timeouts for one in backends[1:]):
        ledger.near(proxy.span, f"'{proxy.name}': the timeouts of '{backend.name}' are for all its backends")
    if proxy.options & {"tcpka", "clitcpka"}:
        lines = [f"{one[:-1]} so_keepalive=on;" if one.startswith("listen ") else one for one in lines]
    for one in backends:
        lines += [line for line in connection_lines(ledger, one) if line not in lines]
        _, tls = tls_lines(ledger, one, variables, stream=True)
        lines += [line for line in tls if line not in lines]
        sending = [server for server in one.servers if server.send_proxy]
        if sending:
            lines += ["proxy_protocol on;"] if "proxy_protocol on;" not in lines else []
            if any(server.send_proxy > 1 for server in sending):
                ledger.near(sending[0].span, "nginx sends PROXY headers of version 1")
        _retries(one, lines)
    if len(backends) > 1 and len({any(server.tls for server in one.servers) for one in backends}) > 1:
        ledger.lost(proxy.span, f"'{proxy.name}': in nginx all backends of a stream have TLS, or none has")
    return block("server", list(dict.fromkeys(lines))), backends


def _retries(proxy: Proxy, lines: list[str]) -> None:
    if proxy.retries and len(proxy.servers) > 1:
        lines += [f"proxy_next_upstream_tries {proxy.retries + 1};"]
    else:
        lines += ["proxy_next_upstream off;"]


def _doors(ledger: Ledger, proxy: Proxy) -> tuple[list[str], bool]:
    """`allow` and `deny` for the rules about connections, and whether all that is no TLS has to be refused."""
    found = doors(ledger, proxy, _by_address)
    if found.plain is not None and found.guarded:
        ledger.near(found.plain.span, "whoever speaks no TLS is refused")
    return _networks(found.denied), found.plain is not None


def _by_address(one: Test) -> None:
    """See that a test is one of the client's address."""
    if one.how != "network" or one.subject.kind != "src":
        raise Untranslatable("connections are refused by address only")
    for value in one.values:
        try:
            ip_network(value, strict=False)
        except ValueError:
            raise Untranslatable(f"'{value}' is no network") from None


def _networks(denied: Formula) -> list[str]:
    """The networks that a condition names, the smallest first: each is refused or let in as a whole."""
    named = {ip_network(value, strict=False) for one in tests_of(denied) for value in one.values}
    order = sorted(named, key=lambda net: (-net.prefixlen, net.version, net.network_address.packed))
    lines = [f"{'deny' if _holds(denied, net) else 'allow'} {net};" for net in order]
    return [*lines, *(["deny all;"] if _holds(denied, None) else [])]


def _holds(whole: Formula, net: IPv4Network | IPv6Network | None) -> bool:
    """Whether a condition holds for the clients of a network, None for those of no network that it names."""
    if isinstance(whole, Test):
        return net is not None and any(_within(net, ip_network(value, strict=False)) for value in whole.values)
    if isinstance(whole, Not):
        return not _holds(whole.part, net)
    every = isinstance(whole, Every)
    return all(_holds(one, net) for one in whole.parts) if every else any(_holds(one, net) for one in whole.parts)


def _within(net: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    if isinstance(net, IPv4Network) and isinstance(other, IPv4Network):
        return net.subnet_of(other)
    return isinstance(net, IPv6Network) and isinstance(other, IPv6Network) and net.subnet_of(other)


def _target(ledger: Ledger, variables: Variables, config: Config, proxy: Proxy) -> tuple[str, list[Proxy]]:
    """What `proxy_pass` names: an upstream, or a variable that says which."""
    default = config.backend(proxy.default_backend) if proxy.default_backend else (proxy if proxy.is_backend else None)
    target = upstream_name(default.name) if default is not None and _usable(ledger, default) else ""
    found = [default] if default is not None and _usable(ledger, default) else []
    for use in reversed(proxy.use_backends):
        try:
            backend = config.backend(use.target) if isinstance(use.target, str) else None
            if backend is None or not _usable(ledger, backend):
                raise Untranslatable("it leads to no backend that is known at start")
            name = variables.condition(formula(use.condition))
            own = upstream_name(backend.name)
            target = variables.map(name, [("1", own)], target, f"to_{proxy.name}") if name else own
            if backend not in found:
                found.insert(0, backend)
            ledger.done(use.span)
        except Untranslatable as reason:
            ledger.lost(use.span, f"use_backend was left out: {reason}")
    return target, found


def _usable(ledger: Ledger, proxy: Proxy) -> bool:
    return not proxy.disabled and bool(upstream(ledger, proxy, Variables(stream=True), stream=True))
