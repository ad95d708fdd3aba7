"""The whole Caddyfile: global options, one site for each port, and what becomes of every other statement."""

from __future__ import annotations

import re
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Bind
from hapy_config.syntax import Document
from hapy_config.translate.caddy.always import ALWAYS
from hapy_config.translate.caddy.matchers import PORT, quoted
from hapy_config.translate.caddy.site import SiteWriter
from hapy_config.translate.caddy.upstreams import duration
from hapy_config.translate.doubles import note_doubles
from hapy_config.translate.fates import FATES, SECTIONS
from hapy_config.translate.flow import Untranslatable
from hapy_config.translate.ledger import CARRIED, Fate, Ledger, lost, near, same
from hapy_config.translate.options import takes_ipv4, tell_bind
from hapy_config.translate.plain import in_plain_words
from hapy_config.translate.report import Translation

_VERSIONS: Final = {"TLSv1.2": "tls1.2", "TLSv1.3": "tls1.3"}
_CARRIED: Final = frozenset(
    {"alpn", "ssl-min-ver", "ssl-max-ver", "force-tlsv12", "force-tlsv13", "verify", "ca-file", "v4v6", "v6only"}
)
_FATES: Final[dict[str, Fate]] = {
    **FATES,
    "global maxconn": same("Caddy has no limit of connections"),
    "maxconn": lost("Caddy has no limit of connections"),
    "fullconn": lost("Caddy has no limits that grow with the load"),
    "compression algo": CARRIED,
    "compression type": CARRIED,
    "compression offload": CARRIED,
    "monitor-uri": CARRIED,
    "cookie": lost("clients are not tied to servers by a cookie"),
    "option httpchk": CARRIED,
    "http-check": CARRIED,
    "option tcp-check": near("Caddy asks health over HTTP only"),
    "tcp-check": lost("Caddy asks health over HTTP only"),
    "stats": lost("Caddy has no page of statistics; its admin endpoint shows metrics"),
    "http-reuse": near("Caddy keeps idle connections for all clients"),
    "option http-server-close": CARRIED,
    "option redispatch": near("a connection that fails is tried with the next server at once"),
    "log-format": near("Caddy's access log is JSON of its own"),
    "timeout client": near("Caddy bounds the head and the idle time of a connection, for all sites alike"),
    "timeout http-request": near("Caddy bounds the head of requests, for all sites alike"),
    "timeout http-keep-alive": near("Caddy bounds the idle time of connections, for all sites alike"),
    "timeout tunnel": same("Caddy lets upgraded connections live"),
    "hash-type": near("Caddy's hashes are consistent in their own way"),
    "rate-limit": lost("Caddy has no rate limits built in"),
    "retry-on": near("Caddy tries again what could not be connected"),
    "source": lost("Caddy connects from the address that the system picks"),
    **dict.fromkeys(
        ("option tcpka", "option clitcpka", "option srvtcpka"), same("Caddy keeps connections alive by itself")
    ),
}

#: Sites at the other scheme's port, and what has to be said for them.
_CONVENTIONS: Final = (("http://:443 {", "https_port", 65443), ("https://:80 {", "http_port", 65080))


def to_caddy(config: Config, document: Document) -> Translation:
    """Write a Caddyfile.

    Args:
        config: the model.
        document: its statements: each is accounted for.

    Returns:
        `Caddyfile`; notes about every statement that did not go over as it was.
    """
    ledger = Ledger(config, document, "Caddy")
    config = in_plain_words(ledger)
    sites: list[str] = []
    fronts = [one for one in config.proxies if one.is_frontend and not one.disabled]
    taken: set[int] = set()
    for proxy in fronts:
        if proxy.mode == "http":
            sites += _sites(ledger, config, proxy, taken)
        else:
            _lose(ledger, proxy, "Caddy passes no plain TCP on (only with a plugin)")
    for proxy in config.proxies:
        if proxy.mode != "http" and not proxy.is_frontend and not proxy.disabled:
            _lose(ledger, proxy, "Caddy passes no plain TCP on (only with a plugin)")
    note_doubles(ledger, config)
    ledger.settle(_FATES, SECTIONS)
    # Caddy takes a port that is by convention the other scheme's only where it is told of another one for that.
    ports = [f"\t{word} {other}" for site, word, other in _CONVENTIONS if any(site in line for line in sites)]
    head = ["{", "\tadmin off", "\tauto_https off", *ports, *_servers(fronts), "}"]
    return ledger.translation("Caddyfile", "".join(f"{line}\n" for line in (*head, *sites)), ALWAYS)


def _lose(ledger: Ledger, proxy: Proxy, text: str) -> None:
    ledger.lost(proxy.span, f"'{proxy.name}' was left out: {text}")
    for statement in ledger.proxy_statements(proxy):
        ledger.lost(statement.span(), text)


def _servers(fronts: list[Proxy]) -> list[str]:
    web = [proxy for proxy in fronts if proxy.mode == "http"]
    lines = []
    header = [time for proxy in web if (time := proxy.timeouts.http_request or proxy.timeouts.client)]
    idle = [time for proxy in web if (time := proxy.timeouts.http_keep_alive or proxy.timeouts.client)]
    if header:
        lines.append(f"\t\t\tread_header {duration(max(header))}")
    if idle:
        lines.append(f"\t\t\tidle {duration(max(idle))}")
    timeouts = ["\t\ttimeouts {", *lines, "\t\t}"] if lines else []
    h2 = any("h2" in ",".join((bind.tls or {}).get("alpn", ())) for proxy in web for bind in proxy.binds)
    return ["\tservers {", f"\t\tprotocols h1{' h2' if h2 else ''}", *timeouts, "\t}"]


_ALL_IPV4: Final = "tcp4/0.0.0.0"
_ALL_IPV6: Final = "tcp6/::"


def _host(ledger: Ledger, bind: Bind) -> str:
    """Where a bind line listens, as Caddy writes it: to it `0.0.0.0` and `::` are both families."""
    address = bind.address
    if address.family == "any" or address.host == "0.0.0.0":
        return _ALL_IPV4
    if address.family == "ipv6" and address.host in ("", "::"):
        return "::" if takes_ipv4(ledger, bind) else _ALL_IPV6
    return address.host


def _sites(ledger: Ledger, config: Config, proxy: Proxy, taken: set[int]) -> list[str]:
    """A frontend's body as a snippet, and the sites that import it."""
    ports: dict[tuple[str, int], list[Bind]] = {}
    for bind in proxy.binds:
        try:
            scheme = "http" if bind.tls is None else "https"
            if bind.address.family in ("unix", "abns", "fd") or bind.address.datagram or bind.address.protocol:
                raise Untranslatable("Caddy's sites listen on TCP ports")
            if bind.accept_proxy or bind.netscaler is not None:
                raise Untranslatable("PROXY headers are read by Caddy 2.7 and newer, by a listener wrapper")
            if bind.tls is not None and not _certificates(bind):
                raise Untranslatable("it names no certificate that Caddy could use")
            for port in bind.address.ports:
                if port in taken and (scheme, port) not in ports:
                    raise Untranslatable(f"port {port} is taken by another site")
                taken.add(port)
                ports.setdefault((scheme, port), []).append(bind)
            tell_bind(ledger, bind, _CARRIED)
            ledger.done(bind.span)
        except Untranslatable as reason:
            ledger.lost(bind.span, f"bind was left out: {reason}")
    if not ports:
        ledger.lost(proxy.span, f"'{proxy.name}' listens nowhere that Caddy could: it was left out")
        return []
    # `import` takes a backslash before a brace away.
    body = [re.sub(r"\\([{}])", r"\\\\\1", line) for line in SiteWriter(ledger, config, proxy).body()]
    lines = ["", f"({proxy.name}) {{", *(f"\t{line}" for line in body), "}"]
    for (scheme, port), binds in ports.items():
        lines += ["", f"{scheme}://:{port} {{"]
        hosts = dict.fromkeys(_host(ledger, bind) for bind in binds)
        if "::" not in hosts and not {_ALL_IPV4, _ALL_IPV6} <= hosts.keys():  # else it listens everywhere
            lines.append(f"\tbind {' '.join(hosts)}")
        lines += [f"\t{line}" for bind in binds[:1] for line in _tls(ledger, bind)]
        for bind in binds[1:]:
            if bind.tls != binds[0].tls:
                ledger.lost(bind.span, f"bind: TLS is as for the first line of port {port}: Caddy has one way a port")
        named = [f"vars hapy_port {port}"] if any(f"{{{PORT}}}" in line for line in body) else []
        lines += [f"\t{line}" for line in (*_log(ledger, proxy), *named, f"import {proxy.name}")]
        lines.append("}")
    return lines


def _certificates(bind: Bind) -> list[str]:
    return [entry.files.path for entry in bind.certificates] or list((bind.tls or {}).get("crt", ()))


def _tls(ledger: Ledger, bind: Bind) -> list[str]:
    tls = bind.tls
    if tls is None:
        return []
    inner = []
    forced = next((f"TLSv1.{minor}" for minor in (3, 2) if f"force-tlsv1{minor}" in tls), "")
    lowest = forced or tls.get("ssl-min-ver", ("TLSv1.2" if "ssl-max-ver" in tls else "",))[0]
    highest = forced or tls.get("ssl-max-ver", ("TLSv1.3",))[0]
    if lowest in _VERSIONS:
        inner.append(f"\tprotocols {_VERSIONS[lowest]} {_VERSIONS.get(highest, 'tls1.3')}")
    elif lowest:
        ledger.near(bind.span, "bind: Caddy speaks TLS 1.2 and newer")
    if "verify" in tls and tls["verify"][0] != "none":
        mode = "require_and_verify" if tls["verify"][0] == "required" else "verify_if_given"
        files = [f"\t\ttrusted_ca_cert_file {quoted(file)}" for file in tls.get("ca-file", ())]
        inner += ["\tclient_auth {", f"\t\tmode {mode}", *files, "\t}"]
    first, *others = _certificates(bind)
    lines = (
        [f"tls {quoted(first)} {quoted(first)} {{", *inner, "}"] if inner else [f"tls {quoted(first)} {quoted(first)}"]
    )
    return [*lines, *(f"tls {quoted(file)} {quoted(file)}" for file in others)]


def _log(ledger: Ledger, proxy: Proxy) -> list[str]:
    for target in proxy.log:
        if target.stream in ("stdout", "stderr"):
            ledger.near(target.span, "Caddy's access log is JSON of its own")
            return ["log {", f"\toutput {target.stream}", "}"]
        if target.address is not None and target.address.family in ("ipv4", "name"):
            ledger.near(target.span, "Caddy's access log is JSON of its own, not syslog")
            return ["log {", f"\toutput net udp/{target.address.host}:{target.address.port or 514}", "}"]
        ledger.lost(target.span, "Caddy can't log there")
    return []
