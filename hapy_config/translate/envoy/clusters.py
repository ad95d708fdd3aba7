"""Backends as clusters."""

from __future__ import annotations

import ipaddress
from typing import Final

from hapy_config.model.addresses import Address
from hapy_config.model.checks import CheckExpect, CheckRequest
from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Server
from hapy_config.translate.envoy.matching import Json
from hapy_config.translate.flow import Untranslatable, subject
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.options import OLD_VERSIONS, constant_name, tell_options

_TYPES: Final = "type.googleapis.com/envoy"
_POLICIES: Final = {
    "roundrobin": "ROUND_ROBIN",
    "static-rr": "ROUND_ROBIN",
    "leastconn": "LEAST_REQUEST",
    "random": "RANDOM",
    "source": "RING_HASH",
    "uri": "RING_HASH",
    "hdr": "RING_HASH",
    "url_param": "RING_HASH",
}
_VERSIONS: Final = {"TLSv1.0": "TLSv1_0", "TLSv1.1": "TLSv1_1", "TLSv1.2": "TLSv1_2", "TLSv1.3": "TLSv1_3"}
_CARRIED: Final = OLD_VERSIONS | {
    "inter", "rise", "fall", "port", "addr", "ca-file", "crt", "sni", "verifyhost", "ciphers", "ssl-min-ver",
    "ssl-max-ver",
}  # fmt: skip


def seconds(milliseconds: int) -> str:
    """A duration as protobuf's JSON writes it."""
    return f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".") + "s"


def socket_address(address: Address, port: int | None = None, *, dialled: bool = True) -> Json:
    """An address to connect to, or to listen on.

    Raises:
        Untranslatable: Envoy doesn't know its kind.
    """
    if address.family in ("unix", "abns"):
        return {"pipe": {"path": f"@{address.host}" if address.family == "abns" else address.host}}
    number = port if port is not None else address.port
    lacks = address.family == "fd" or number is None or address.port_offset or address.datagram
    if lacks or (dialled and address.unspecified):
        raise Untranslatable("Envoy has no such address")
    host = {"any": "0.0.0.0", "ipv6": address.host or "::"}.get(address.family, address.host)
    if not dialled and address.family == "name":
        if host != "localhost":
            raise Untranslatable("Envoy listens on addresses, not on names")
        host = "127.0.0.1"
    return {"socket_address": {"address": host, "port_value": number}}


def cluster(ledger: Ledger, proxy: Proxy) -> Json | None:
    """The cluster of a backend; None where it has no server that Envoy could ask."""
    balance = proxy.balance
    span = ledger.line(proxy, "balance")
    policy = _POLICIES.get(balance.algorithm)
    if policy is None:
        ledger.lost(span, f"balance {balance.algorithm} has no counterpart in Envoy: servers take turns")
        policy = "ROUND_ROBIN"
    elif policy == "RING_HASH":
        ledger.near(span, "the same key goes to the same server, but not to the one that HAProxy would pick")
    endpoints = [(server, one) for server in proxy.servers if (one := _endpoint(ledger, proxy, server)) is not None]
    if proxy.dispatch is not None:
        own = Server("dispatch", 1, proxy.dispatch)
        endpoints = [(own, {"endpoint": {"address": socket_address(proxy.dispatch)}})]
    if not endpoints:
        return None
    groups = [
        (0, [one for server, one in endpoints if not server.backup]),
        (1, [one for server, one in endpoints if server.backup]),
    ]
    groups = [(priority, group) for priority, group in groups if group]
    named = any(server.address.family == "name" for server, _ in endpoints)
    found: Json = {
        "name": proxy.name,
        "type": "STRICT_DNS" if named else "STATIC",
        "connect_timeout": seconds(proxy.timeouts.connect or 5000),
        "lb_policy": policy,
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "load_assignment": {
            "cluster_name": proxy.name,
            "endpoints": [{"priority": index, "lb_endpoints": group} for index, (_, group) in enumerate(groups)],
        },
    }
    checks = _health(ledger, proxy, [server for server, _ in endpoints if server.check])
    if checks:
        found["health_checks"] = [checks]
    limits = [server.maxconn for server, _ in endpoints]
    if any(limits):
        most = sum(limits) if all(limits) else 1_000_000
        found["circuit_breakers"] = {"thresholds": [{"max_connections": most, "max_requests": most}]}
        if proxy.mode == "http":
            ledger.near(proxy.span, f"'{proxy.name}': limits count for the whole cluster, and there is no queue")
    socket = _transport(ledger, [server for server, _ in endpoints])
    if socket is not None:
        found["transport_socket"] = socket
    if proxy.options & {"tcpka", "srvtcpka"}:
        found["upstream_connection_options"] = {"tcp_keepalive": {}}
    options = _http_options([server for server, _ in endpoints if server.tls is not None])
    if options is not None:
        found["typed_extension_protocol_options"] = options
    return found


def _endpoint(ledger: Ledger, proxy: Proxy, server: Server) -> Json | None:
    try:
        if server.service is not None:
            raise Untranslatable("Envoy has no servers out of SRV records here")
        address = socket_address(server.address)
    except Untranslatable as reason:
        ledger.lost(server.span, f"server '{server.name}' was left out: {reason}")
        return None
    if server.disabled or not server.weight:
        ledger.near(server.span, f"server '{server.name}' is disabled: it was left out")
        return None
    tell_options(ledger, proxy, server, _CARRIED)
    if server.slowstart or server.track is not None:
        ledger.lost(server.span, f"server '{server.name}': 'slowstart' and 'track' were left out")
    ledger.done(server.span)
    found: Json = {"endpoint": {"address": address}}
    if server.check and ("port" in server.options or "addr" in server.options):
        found["endpoint"]["health_check_config"] = _asked(ledger, server)
    if not server.check and any(other.check for other in proxy.servers):
        found["endpoint"]["health_check_config"] = {"disable_active_health_check": True}
    if server.weight != 1:
        found["load_balancing_weight"] = server.weight
    return found


def _asked(ledger: Ledger, server: Server) -> Json:
    """Where a server is asked for its health, other than where its requests go."""
    port = server.options.get("port", ("",))[0]
    host = server.options.get("addr", ("",))[0]
    found: Json = {"port_value": int(port)} if port.isdecimal() and int(port) else {}
    if host:
        number = found.pop("port_value", server.address.port)
        try:
            found["address"] = {"socket_address": {"address": str(ipaddress.ip_address(host)), "port_value": number}}
        except ValueError:
            ledger.lost(server.span, f"server '{server.name}': 'addr' has no counterpart in Envoy")
    return found


def _health(ledger: Ledger, proxy: Proxy, servers: list[Server]) -> Json | None:
    if not servers:
        return None
    options = servers[0].options
    inter = options.get("inter", ("2000",))[0]
    found: Json = {
        "timeout": seconds(proxy.timeouts.check or proxy.timeouts.connect or 5000),
        "interval": seconds(int(inter) if inter.isdecimal() else 2000),
        "unhealthy_threshold": int(options.get("fall", ("3",))[0]),
        "healthy_threshold": int(options.get("rise", ("2",))[0]),
    }
    if proxy.checks.kind in ("", "tcp-check"):
        found["tcp_health_check"] = {}
        return found
    if proxy.checks.kind != "httpchk":
        ledger.near(proxy.span, f"'{proxy.name}': {proxy.checks.kind} becomes a plain connection")
        found["tcp_health_check"] = {}
        return found
    asked: Json = {"path": "/"}
    for step in proxy.checks.steps:
        if isinstance(step, CheckRequest):
            asked["path"] = step.uri or "/"
            if step.method != "GET":
                asked["method"] = step.method or "OPTIONS"
            host = next((value.text for name, value in step.headers if name.lower() == "host"), None)
            if host is not None:
                asked["host"] = host
        elif isinstance(step, CheckExpect) and step.match == "status" and step.pattern.isdecimal() and not step.inverse:
            code = int(step.pattern)
            asked["expected_statuses"] = [{"start": code, "end": code + 1}]
        else:
            ledger.lost(step.span if step.span.line else proxy.span, "Envoy has no such step of a health check")
    asked.setdefault("expected_statuses", [{"start": 200, "end": 400}])
    found["http_health_check"] = asked
    return found


def _transport(ledger: Ledger, servers: list[Server]) -> Json | None:
    encrypted = [server for server in servers if server.tls is not None]
    sending = [server for server in servers if server.send_proxy]
    for server in servers:
        if encrypted and server.tls is None:
            ledger.lost(server.span, f"server '{server.name}': in Envoy all servers of a cluster have TLS, or none has")
    inner: Json | None = _tls(ledger, encrypted[0]) if encrypted else None
    if sending:
        raw = {
            "name": "raw",
            "typed_config": {"@type": f"{_TYPES}.extensions.transport_sockets.raw_buffer.v3.RawBuffer"},
        }
        inner = {
            "name": "proxy_protocol",
            "typed_config": {
                "@type": f"{_TYPES}.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
                "config": {"version": "V2" if sending[0].send_proxy == 2 else "V1"},
                "transport_socket": inner or raw,
            },
        }
    return inner


def _tls(ledger: Ledger, server: Server) -> Json:
    assert server.tls is not None
    common: Json = {}
    file = server.tls.ca_file
    name = constant_name(server)
    if server.tls.verify == "required":
        trusted = "/etc/ssl/certs/ca-certificates.crt" if file in (None, "@system-ca") else file
        context: Json = {"trusted_ca": {"filename": trusted}}
        wanted = server.tls.options.get("verifyhost", (name,))[0]
        if wanted is not None:
            context["match_typed_subject_alt_names"] = [{"san_type": "DNS", "matcher": {"exact": wanted}}]
        common["validation_context"] = context
    crt = server.tls.options.get("crt")
    if crt:
        common["tls_certificates"] = [certificate(crt[0])]
    parameters = tls_parameters(dict(server.tls.options))
    if parameters:
        common["tls_params"] = parameters
    found: Json = {
        "@type": f"{_TYPES}.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": common,
    }
    if name is not None:
        found["sni"] = name
    elif server.tls.sni is not None and not _by_host(server):
        ledger.lost(server.span, f"server '{server.name}': sni: Envoy asks for one name, or for the host of a request")
    return {"name": "envoy.transport_sockets.tls", "typed_config": found}


def _by_host(server: Server) -> bool:
    """Whether the name that is asked for is the host of each request."""
    try:
        sni = server.tls.sni if server.tls is not None else None
        return sni is not None and subject(sni).kind in ("host", "hostname")
    except Untranslatable:
        return False


def _http_options(servers: list[Server]) -> Json | None:
    """How HTTP is spoken to servers, where that needs a word: names of TLS that follow the request."""
    if not servers or not _by_host(servers[0]):
        return None
    assert servers[0].tls is not None
    checked = servers[0].tls.verify == "required" and "verifyhost" not in servers[0].tls.options
    kind = f"{_TYPES}.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": kind,
            "upstream_http_protocol_options": {"auto_sni": True, "auto_san_validation": checked},
            "explicit_http_config": {"http_protocol_options": {}},
        }
    }


def certificate(file: str) -> Json:
    """A certificate with its key in one file."""
    return {"certificate_chain": {"filename": file}, "private_key": {"filename": file}}


def tls_parameters(options: dict[str, tuple[str, ...]]) -> Json:
    """Versions and ciphers."""
    found: Json = {}
    for word, name in (
        ("ssl-min-ver", "tls_minimum_protocol_version"),
        ("ssl-max-ver", "tls_maximum_protocol_version"),
    ):
        version = _VERSIONS.get(options.get(word, ("",))[0])
        if version is not None:
            found[name] = version
    if "ciphers" in options:
        found["cipher_suites"] = options["ciphers"][0].split(":")
    return found
