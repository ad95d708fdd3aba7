"""Backends as `reverse_proxy`."""

from __future__ import annotations

import math
from typing import Final

from hapy_config.model.addresses import Address
from hapy_config.model.checks import CheckExpect, CheckRequest
from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Server
from hapy_config.translate.caddy.matchers import quoted, string
from hapy_config.translate.flow import Untranslatable, pieces, subject
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.options import CHECKS, OLD_VERSIONS, constant_name, tell_options
from hapy_config.translate.ties import inserted_cookie

_MOST_COPIES: Final = 32
_NEVER: Final = 1_000_000
#: Headers that Caddy adds by itself, and the variable that names the header where the request has none.
OWN_HEADERS: Final = {
    "X-Forwarded-For": "hapy_no_for",
    "X-Forwarded-Proto": "hapy_no_proto",
    "X-Forwarded-Host": "hapy_no_host",
}
_CARRIED: Final = OLD_VERSIONS | {"inter", "port", "ca-file", "crt", "sni", "verifyhost"}


def duration(milliseconds: int) -> str:
    """A time."""
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"


def dialled(address: Address) -> str:
    """An address to connect to.

    Raises:
        Untranslatable: Caddy doesn't know its kind.
    """
    if address.family == "unix":
        return f"unix/{address.host}"
    if address.family in ("abns", "fd") or address.unspecified or address.port is None or address.port_offset:
        raise Untranslatable("Caddy can't connect to such an address")
    host = f"[{address.host}]" if address.family == "ipv6" else address.host
    return f"{host}:{address.port}"


def reverse_proxy(ledger: Ledger, frontend: Proxy, backend: Proxy, responses: list[str]) -> list[str]:
    """The directive; empty where no server is left. `responses` are lines about response headers."""
    servers = _servers(ledger, backend)
    upstreams = [dialled(backend.dispatch)] if backend.dispatch is not None else _upstreams(ledger, backend, servers)
    if not upstreams:
        return []
    inner = [
        *_balance(ledger, backend, servers),
        *_checks(ledger, backend, servers),
        *_headers(ledger, frontend, backend),
        *responses,
    ]
    if backend.retries and len(upstreams) == 1:
        for word in ("retries", "retry-on"):
            span = ledger.line(backend, word)
            if span != backend.span:
                ledger.near(span, f"'{backend.name}': the only server of a backend is asked once")
    if backend.retries and len(upstreams) > 1:
        inner += [f"lb_retries {backend.retries}", "lb_retry_match expression false"]  # only what did not connect
        if not backend.redispatch:
            text = "where a server can't be connected to another one is asked at once, HAProxy asks the same again"
            ledger.near(backend.span, f"'{backend.name}': {text}")
        turning = not {"lb_policy round_robin", "lb_policy random_choose 2"}.isdisjoint(inner)
        if not turning and not any(line.startswith("fail_duration") for line in inner):
            inner.append("fail_duration 2s")  # else the same server would be chosen again
            ledger.near(backend.span, f"'{backend.name}': a server that fails gets no requests for two seconds")
    limits = {server.maxconn for server in servers if server.maxconn}
    if limits:
        inner.append(f"unhealthy_request_count {min(limits)}")
        # Without a number of failures Caddy would take servers for dead from the start.
        inner += [] if any(line.startswith("fail_duration") for line in inner) else [f"max_fails {_NEVER}"]
    inner += ["flush_interval -1", *_transport(ledger, backend, servers)]
    return [f"reverse_proxy \0 {' '.join(upstreams)} {{", *(f"\t{line}" for line in inner), "}"]


def _servers(ledger: Ledger, backend: Proxy) -> list[Server]:
    usable = []
    for server in backend.servers:
        try:
            dialled(server.address)
            if server.service is not None:
                raise Untranslatable("servers out of SRV records need 'dynamic srv'")
        except Untranslatable as reason:
            ledger.lost(server.span, f"server '{server.name}' was left out: {reason}")
            continue
        if server.disabled or not server.weight:
            ledger.near(server.span, f"server '{server.name}' is disabled: it was left out")
            continue
        usable.append(server)
        # A server that isn't asked over HTTP is told of as a whole.
        tell_options(ledger, backend, server, _CARRIED | (CHECKS if backend.checks.kind != "httpchk" else frozenset()))
        if server.maxconn:
            ledger.near(server.span, f"server '{server.name}': Caddy has no queue; above maxconn others are asked")
        if server.slowstart or server.track is not None:
            ledger.lost(server.span, f"server '{server.name}': 'slowstart' and 'track' have no counterpart in Caddy")
        ledger.done(server.span)
    return usable


def _upstreams(ledger: Ledger, backend: Proxy, servers: list[Server]) -> list[str]:
    """The addresses; a weight is as many copies."""
    active = [server for server in servers if not server.backup]
    backups = [server for server in servers if server.backup]
    if backups and len(active) > 1:
        for server in backups:
            ledger.lost(server.span, f"server '{server.name}' was left out: Caddy has no backup servers beside several")
        servers, backups = active, []
    weights = [server.weight for server in servers]
    if len(set(weights)) < 2 or backups or backend.balance.algorithm not in ("roundrobin", "static-rr", "random"):
        if len(set(weights)) > 1 and not backups:
            ledger.lost(backend.span, f"'{backend.name}': Caddy has no weights with this way of balancing")
        return [dialled(server.address) for server in servers]
    divisor = math.gcd(*weights)
    if sum(weights) // divisor > _MOST_COPIES:
        ledger.near(backend.span, f"'{backend.name}': weights were rounded")
        divisor = math.ceil(sum(weights) / _MOST_COPIES)
    copies = [max(1, round(weight / divisor)) for weight in weights]
    return [
        dialled(server.address)
        for turn in range(max(copies))
        for server, count in zip(servers, copies, strict=True)
        if turn < count
    ]


def _balance(ledger: Ledger, backend: Proxy, servers: list[Server]) -> list[str]:
    """`lb_policy`."""
    balance = backend.balance
    span = ledger.line(backend, "balance")
    if any(server.backup for server in servers) and sum(not server.backup for server in servers) == 1:
        return ["lb_policy first"]
    if len(servers) < 2:
        return []
    try:
        cookie = inserted_cookie(ledger, backend)
    except Untranslatable as reason:
        where = ledger.line(backend, "cookie")
        ledger.lost(where, f"'{backend.name}': clients are not tied to servers by a cookie: {reason}")
    else:
        if cookie is not None:
            text = "Caddy makes the cookie's values itself, and servers see it"
            limits = ["secure"] if cookie.secure else []
            limits += ["domain"] if cookie.domains else []
            limits += ["httponly"] if cookie.httponly else []
            limits += ["nocache"] if cookie.nocache else []
            limits += list(cookie.attributes)
            text += f"; without {', '.join(limits)}" if limits else ""
            ledger.near(ledger.line(backend, "cookie"), f"'{backend.name}': {text}")
            return [f"lb_policy cookie {cookie.name}"]
    plain = {"roundrobin": "round_robin", "static-rr": "round_robin", "leastconn": "least_conn", "first": "first"}
    if balance.algorithm in plain:
        if balance.algorithm == "first":
            ledger.near(span, "'first' moves on when a server is full; Caddy when it fails")
        return [f"lb_policy {plain[balance.algorithm]}"]
    if balance.algorithm == "random":
        return ["lb_policy random_choose 2"]
    hashed = {"source": "ip_hash", "uri": "uri_hash", "hdr": f"header {balance.argument}"}
    if balance.algorithm in hashed:
        ledger.near(span, "the same key goes to the same server, but not to the one that HAProxy would pick")
        return [f"lb_policy {hashed[balance.algorithm]}"]
    ledger.lost(span, f"balance {balance.algorithm} has no counterpart in Caddy: servers take turns")
    return ["lb_policy round_robin"]


def _checks(ledger: Ledger, backend: Proxy, servers: list[Server]) -> list[str]:
    checked = [server for server in servers if server.check]
    if not checked:
        return []
    if backend.checks.kind != "httpchk":
        for server in checked:
            ledger.near(
                server.span, f"server '{server.name}': Caddy asks health over HTTP only; failures take it out a while"
            )
        return ["fail_duration 10s"]
    lines = []
    for step in backend.checks.steps:
        if isinstance(step, CheckRequest):
            if step.method != "GET":
                span = ledger.line(backend, "option", "httpchk")
                ledger.near(span, f"'{backend.name}': Caddy asks health by GET")
            lines = [f"health_uri {step.uri or '/'}"]
            lines += [
                f"health_headers {{\n\t{name} {quoted(string(pieces(value)))}\n}}" for name, value in step.headers
            ]
        elif isinstance(step, CheckExpect) and step.match == "status" and step.pattern.isdecimal() and not step.inverse:
            lines.append(f"health_status {step.pattern}")
        elif isinstance(step, CheckExpect) and step.match in ("string", "rstring") and not step.inverse:
            lines.append(f"health_body {quoted(step.pattern)}")
        else:
            ledger.lost(step.span if step.span.line else backend.span, "Caddy has no such step of a health check")
    for server in servers:
        if not server.check:
            ledger.near(server.span, f"server '{server.name}': Caddy asks health of all servers of a backend")
    ports = {server.options.get("port", ("",))[0] for server in checked}
    if len(ports) > 1:
        for server in checked:
            ledger.lost(server.span, f"server '{server.name}': Caddy asks health of a backend's servers at one port")
    elif ports != {""}:
        lines.append(f"health_port {ports.pop()}")
    inter = checked[0].options.get("inter", ("2000",))[0]
    return [*(lines or ["health_uri /"]), f"health_interval {duration(int(inter)) if inter.isdecimal() else '2s'}"]


def _headers(ledger: Ledger, frontend: Proxy, backend: Proxy) -> list[str]:
    """What the server is told of the client: nothing but what HAProxy tells."""
    lines = []
    for name, variable in OWN_HEADERS.items():
        # It would add them; what the client and the rules say stays, and no empty header where they say nothing.
        lines += [f"header_up {name} {{http.request.header.{name}}}", f"header_up -{{{variable}}}"]
    if any(words[:2] == ("compression", "offload") for one in (frontend, backend) for words in one.settings):
        lines.append("header_up -Accept-Encoding")
    for one in (frontend, backend):
        if one.originalto is not None:
            ledger.lost(ledger.line(one, "option", "originalto"), "Caddy has no placeholder for its own address")
    if frontend.unique_id_header and frontend.unique_id_format is not None:
        try:
            lines.append(f"header_up +{frontend.unique_id_header} {quoted(string(pieces(frontend.unique_id_format)))}")
        except Untranslatable as reason:
            for word in ("unique-id-format", "unique-id-header"):
                ledger.lost(ledger.line(frontend, word), f"{word} was left out: {reason}")
    return lines


def _transport(ledger: Ledger, backend: Proxy, servers: list[Server]) -> list[str]:
    """How servers are connected to."""
    timeouts, inner = backend.timeouts, ["versions 1.1", "compression off"]
    if timeouts.connect:
        inner.append(f"dial_timeout {duration(timeouts.connect)}")
    if timeouts.server:
        inner.append(f"response_header_timeout {duration(timeouts.server)}")
    if backend.reuse == "never" or backend.http_mode != "keep-alive":
        inner.append("keepalive off")
    encrypted = [server for server in servers if server.tls is not None]
    if any(server.send_proxy for server in servers):
        sending = [server for server in servers if server.send_proxy]
        for server in sending:
            ledger.lost(server.span, f"server '{server.name}': Caddy sends no PROXY header (2.7 can: proxy_protocol)")
    for server in servers:
        if encrypted and server.tls is None:
            ledger.lost(server.span, f"server '{server.name}': in Caddy all servers of a backend have TLS, or none has")
    if encrypted:
        inner += _tls(ledger, encrypted[0])
    return ["transport http {", *(f"\t{line}" for line in inner), "}"]


def _tls(ledger: Ledger, server: Server) -> list[str]:
    assert server.tls is not None
    lines = ["tls"]
    if server.tls.verify != "required":
        lines.append("tls_insecure_skip_verify")
    elif server.tls.ca_file and server.tls.ca_file != "@system-ca":
        lines.append(f"tls_trusted_ca_certs {quoted(server.tls.ca_file)}")
    sni = server.tls.sni
    host = server.tls.options.get("verifyhost") if server.tls.verify == "required" else None
    if sni is None and host:
        ledger.near(server.span, f"server '{server.name}': Caddy asks for the name that it checks")
        lines.append(f"tls_server_name {quoted(host[0])}")
    elif sni is None and server.tls.verify == "required":
        ledger.near(server.span, f"server '{server.name}': Caddy checks the certificate's name too")
    if sni is not None:
        try:
            name = constant_name(server) or ""
            if host and host[0] != name:
                ledger.lost(
                    server.span, f"server '{server.name}': Caddy checks the name that it asks for, not 'verifyhost'"
                )
            if not name:
                name = "{http.request.host}" if subject(sni).kind in ("host", "hostname") else string((subject(sni),))
            lines.append(f"tls_server_name {quoted(name)}")
        except Untranslatable as reason:
            ledger.lost(server.span, f"server '{server.name}': sni was left out: {reason}")
    crt = server.tls.options.get("crt")
    if crt:
        lines.append(f"tls_client_auth {quoted(crt[0])} {quoted(crt[0])}")
    return lines
