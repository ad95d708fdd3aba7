"""Backends as `upstream` blocks, and what the directives of a `location` say of them."""

from __future__ import annotations

from typing import Final

from hapy_config.model.addresses import Address
from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Server
from hapy_config.translate.flow import Subject, Untranslatable, subject
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.nginx.text import always_quoted, block, duration, upstream_name
from hapy_config.translate.nginx.variables import Variables
from hapy_config.translate.options import CHECKS, TLS_LIMITS, constant_name, tell_options
from hapy_config.translate.report import Loss

_KEEPALIVE: Final = 32
_SYSTEM: Final = "/etc/ssl/certs/ca-certificates.crt"
_VERSIONS: Final = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
#: What each checked server is told of takes in all that is about checks.
_CARRIED: Final = CHECKS | TLS_LIMITS | {"max-reuse", "pool-max-conn", "pool-purge-delay"}


def place(address: Address, default_port: int | None = None) -> str:
    """An address as nginx writes it.

    Raises:
        Untranslatable: it is of a kind that nginx doesn't know.
    """
    if address.family == "unix":
        return f"unix:{address.host}"
    if address.family in ("abns", "fd"):
        raise Untranslatable(f"nginx has no addresses like '{address.family}@'")
    host = f"[{address.host}]" if address.family == "ipv6" else address.host
    port = address.port if address.port is not None and not address.port_offset else default_port
    return f"{host or '*'}:{port}" if port else host


def versions(options: dict[str, tuple[str, ...]]) -> str:
    """The TLS versions that are allowed, as nginx names them; empty for its own choice."""
    lowest = options.get("ssl-min-ver", ("",))[0]
    highest = options.get("ssl-max-ver", ("",))[0]
    first = _VERSIONS.index(lowest) if lowest in _VERSIONS else (3 if highest else -1)
    last = _VERSIONS.index(highest) if highest in _VERSIONS else len(_VERSIONS) - 1
    forced = [f"TLSv1.{minor}" for minor in range(4) if f"force-tlsv1{minor}" in options]
    if forced:
        chosen = set(forced)
    elif first >= 0:
        chosen = set(_VERSIONS[first : last + 1])
    else:
        chosen = set(_VERSIONS[2:])
    kept = [one for one in _VERSIONS if one in chosen and f"no-{one.lower().replace('.', '')}" not in options]
    if not forced and first < 0 and len(kept) == 3:
        return ""
    return " ".join("TLSv1" if one == "TLSv1.0" else one for one in kept)


def upstream(
    ledger: Ledger,
    proxy: Proxy,
    variables: Variables,
    *,
    stream: bool,
    first: Server | None = None,
    number: int = 0,
) -> list[str]:
    """The `upstream` block of a backend; empty where it has no server that nginx could ask.

    Args:
        ledger: takes the notes.
        proxy: the backend.
        variables: the maps of the block that it stands in.
        stream: it stands in `stream`.
        first: a server that is asked before all others.
        number: tells its block from the backend's.
    """
    method = _method(ledger, proxy, variables) if first is None else ""
    servers = []
    for server in proxy.servers:
        line = _server(ledger, proxy, server, method)
        if line and first is not None and "backup" not in line.rstrip(";").split() and server is not first:
            line = f"{line[:-1]} backup;"
        servers += [line.replace(" backup", "") if server is first else line] if line else []
    if proxy.dispatch is not None:
        servers = [f"server {place(proxy.dispatch)};"]
    if not servers:
        return []
    backups = [at for at, line in enumerate(servers) if " backup" in line]
    if len(backups) == len(servers):  # nginx takes no upstream with nothing but these
        for at in backups if "allbackups" in proxy.options else backups[:1]:
            servers[at] = servers[at].replace(" backup", "")
    name = upstream_name(proxy.name) + (f"_by_cookie_{number}" if number else "")
    lines = [f"zone {name} 64k;", *([f"{method};"] if method else []), *servers]
    named = any(
        server.tls is not None and server.tls.sni is not None and constant_name(server) is None
        for server in proxy.servers
    )
    if named and proxy.reuse != "never":  # its idle connections don't remember the name that was asked for
        ledger.near(proxy.span, f"'{proxy.name}': connections are not kept, since names differ from request to request")
    if not stream and not named and proxy.reuse != "never" and proxy.http_mode == "keep-alive":
        kept = max((server.pool_max_conn for server in proxy.servers), default=-1)
        lines.append(f"keepalive {kept if kept > 0 else _KEEPALIVE};")
        limits = [server.max_reuse for server in proxy.servers if server.max_reuse >= 0]
        if limits:
            lines.append(f"keepalive_requests {min(limits) + 1};")
        delays = {server.pool_purge_delay for server in proxy.servers if server.pool_purge_delay}
        if delays:
            lines.append(f"keepalive_timeout {duration(max(delays))};")
    return block(f"upstream {name}", lines)


def _method(ledger: Ledger, proxy: Proxy, variables: Variables) -> str:
    """The directive that picks servers."""
    balance = proxy.balance
    span = ledger.line(proxy, "balance")
    consistent = " consistent" if balance.hash_type == "consistent" else ""
    algorithm = balance.algorithm
    if algorithm in ("roundrobin", "static-rr") or len(proxy.servers) < 2:
        return ""
    if algorithm == "leastconn":
        return "least_conn"
    if algorithm == "random":
        ledger.near(span, "nginx draws two servers and takes the one with fewer connections")
        return "random two least_conn"
    if algorithm == "first":
        ledger.near(span, "'first' has no counterpart: servers take turns")
        return ""
    try:
        key = _hash_key(balance.algorithm, balance.argument, dict(balance.options), variables)
        if balance.expression is not None:
            key = variables.value(subject(balance.expression))
    except Untranslatable as reason:
        ledger.lost(span, f"balance {algorithm}: {reason}; servers take turns")
        return ""
    ledger.near(span, "the same key goes to the same server, but not to the one that HAProxy would pick")
    return f"hash {always_quoted(key)}{consistent}"


def _hash_key(algorithm: str, argument: str, options: dict[str, str], variables: Variables) -> str:
    if algorithm == "source":
        return variables.value(Subject("src"))
    if algorithm == "uri":
        if set(options) & {"len", "depth"}:
            raise Untranslatable("nginx can't take a part of the path as a key")
        return variables.value(Subject("url" if "whole" in options else "path"))
    if algorithm == "url_param":
        return variables.value(Subject("param", argument))
    if algorithm == "hdr":
        return variables.value(Subject("host") if argument.lower() == "host" else Subject("header", argument))
    if algorithm in ("hash", "sticky"):
        return ""
    raise Untranslatable("nginx has nothing like it")


def _server(ledger: Ledger, proxy: Proxy, server: Server, method: str) -> str:
    """A `server` line; empty where it was lost."""
    words = []
    try:
        address = place(server.address, None)
        if server.address.port_offset or (server.address.port is None and server.address.family != "unix"):
            raise Untranslatable("its port depends on the client's")
        if server.address.unspecified:
            raise Untranslatable("it is where the client wanted to go")
        if server.service is not None:
            raise Untranslatable("servers out of SRV records are not in this nginx")
    except Untranslatable as reason:
        ledger.lost(server.span, f"server '{server.name}' was left out: {reason}")
        return ""
    if server.weight > 1:
        words.append(f"weight={server.weight}")
    if server.maxconn:
        words.append(f"max_conns={server.maxconn}")
        ledger.near(server.span, f"server '{server.name}': nginx has no queue; above maxconn clients get an error")
    if server.check:
        fall = int(server.options.get("fall", ("3",))[0])
        inter = server.options.get("inter", ("2000",))[0]
        wait = f"{-(-int(inter) // 1000)}s" if inter.isdecimal() else "2s"
        words.append(f"max_fails={fall} fail_timeout={wait}")
        ledger.near(
            server.span, f"server '{server.name}': nginx asks no health; requests that fail take it out a while"
        )
    else:
        words.append("max_fails=0")
    if server.backup:
        if method.startswith(("hash", "random")):
            ledger.lost(server.span, f"server '{server.name}': nginx has no backup servers beside a hash")
        else:
            words.append("backup")
            if sum(one.backup for one in proxy.servers) > 1 and "allbackups" not in proxy.options:
                ledger.near(server.span, f"server '{server.name}': backup servers take turns in nginx")
    if server.disabled or not server.weight:
        words.append("down")
    _other_options(ledger, proxy, server)
    ledger.done(server.span)
    return " ".join(["server", address, *words]) + ";"


def _other_options(ledger: Ledger, proxy: Proxy, server: Server) -> None:
    tell_options(ledger, proxy, server, _CARRIED)
    if server.slowstart:
        ledger.lost(server.span, f"server '{server.name}': 'slowstart' has no counterpart in nginx")
    if server.track is not None:
        ledger.near(server.span, f"server '{server.name}': it is watched by itself instead of after '{server.track}'")


def tls_lines(ledger: Ledger, proxy: Proxy, variables: Variables, *, stream: bool) -> tuple[str, list[str]]:
    """`http` or `https` for a backend, and the directives about TLS to its servers."""
    encrypted = [server for server in proxy.servers if server.tls is not None]
    if not encrypted:
        return "http", []
    for server in proxy.servers:
        if server.tls is None:
            ledger.lost(server.span, f"server '{server.name}': in nginx all servers of a backend have TLS, or none has")
    server = encrypted[0]
    assert server.tls is not None
    lines = ["proxy_ssl on;"] if stream else []
    for other in encrypted[1:]:
        assert other.tls is not None
        if (other.tls.verify, other.tls.ca_file, other.tls.sni) != (
            server.tls.verify,
            server.tls.ca_file,
            server.tls.sni,
        ):
            ledger.lost(
                other.span, f"server '{other.name}': TLS is as for '{server.name}': nginx has one way a backend"
            )
    if server.tls.verify == "required":
        lines += ["proxy_ssl_verify on;", "proxy_ssl_verify_depth 5;"]
        file = server.tls.ca_file or _SYSTEM
        lines.append(f"proxy_ssl_trusted_certificate {always_quoted(_SYSTEM if file == '@system-ca' else file)};")
    lines += _server_name(ledger, server, variables)
    for option, directive in (
        ("ciphers", "proxy_ssl_ciphers"),
        ("ciphersuites", "proxy_ssl_conf_command Ciphersuites"),
        ("crl-file", "proxy_ssl_crl"),
    ):
        if option in server.tls.options:
            lines.append(f"{directive} {always_quoted(server.tls.options[option][0])};")
    crt = server.tls.options.get("crt") or server.options.get("crt")
    if crt:
        lines += [
            f"proxy_ssl_certificate {always_quoted(crt[0])};",
            f"proxy_ssl_certificate_key {always_quoted(crt[0])};",
        ]
    allowed = versions(dict(server.tls.options))
    if allowed:
        lines.append(f"proxy_ssl_protocols {allowed};")
    return "https", lines


def _server_name(ledger: Ledger, server: Server, variables: Variables) -> list[str]:
    """The name that is asked for, and checked."""
    assert server.tls is not None
    host = server.tls.options.get("verifyhost")
    sni = server.tls.sni
    if sni is None:
        if server.tls.verify == "required" and host:
            return [f"proxy_ssl_name {always_quoted(host[0])};"]
        if server.tls.verify == "required":
            ledger.near(server.span, f"server '{server.name}': nginx checks the certificate's name too")
        return []
    try:
        name = constant_name(server) or ""
        if not name:
            found = subject(sni)
            name = variables.value(Subject("hostname") if found.kind == "host" else found)
    except Untranslatable as reason:
        ledger.lost(server.span, f"server '{server.name}': sni was left out: {reason}")
        return []
    if host and server.tls.verify == "required" and host[0] != name:
        ledger.lost(server.span, f"server '{server.name}': nginx checks the name that it asks for, not 'verifyhost'")
    lines = ["proxy_ssl_server_name on;", f"proxy_ssl_name {always_quoted(name)};"]
    # A session that is resumed was checked for another name.
    return lines if constant_name(server) is not None else [*lines, "proxy_ssl_session_reuse off;"]


def retry_lines(proxy: Proxy) -> list[str]:
    """Which failures are tried again, and how often."""
    kinds = {
        "conn-failure": "error",
        "empty-response": "error",
        "response-timeout": "timeout",
        "junk-response": "invalid_header",
    }
    kinds |= {str(status): f"http_{status}" for status in (403, 404, 429, 500, 502, 503, 504)}
    kinds["all-retryable-errors"] = "error timeout invalid_header http_500 http_502 http_503 http_504"
    if not proxy.retries or len(proxy.servers) < 2:
        return ["proxy_next_upstream off;"]
    found = dict.fromkeys(word for name in sorted(proxy.retry_on) for word in kinds.get(name, "error").split())
    return [f"proxy_next_upstream {' '.join(found)};", f"proxy_next_upstream_tries {proxy.retries + 1};"]


def connection_lines(ledger: Ledger, proxy: Proxy) -> list[str]:
    """How servers of a backend are connected to: from which address, and whether idle connections are probed."""
    lines = ["proxy_socket_keepalive on;"] if proxy.options & {"tcpka", "srvtcpka"} else []
    if proxy.source is not None:
        span = ledger.line(proxy, "source")
        if not proxy.source.address.unspecified:
            lines.append(f"proxy_bind {proxy.source.address.host};")
        for name, given in (("usesrc", proxy.source.usesrc), ("interface", proxy.source.interface)):
            if given is not None:
                ledger.lost(span, f"source: '{name}' was left out")
    return lines


def note_backend(ledger: Ledger, proxy: Proxy) -> None:
    """What differs for every backend."""
    if proxy.retries:
        which = "the only server of a backend" if len(proxy.servers) == 1 else "each server of a backend, and that"
        for word in ("retries", "retry-on"):
            span = ledger.line(proxy, word)
            if span != proxy.span:
                ledger.near(span, f"'{proxy.name}': nginx asks {which} once")
    if proxy.redispatch or len(proxy.servers) < 2 or not proxy.retries:
        return
    ledger.note(
        proxy.span,
        Loss.NEAR,
        f"'{proxy.name}': a connection that fails is tried with the next server, not with the same",
    )
