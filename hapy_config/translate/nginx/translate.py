"""The whole file: what is common, `http`, `stream`, and what becomes of every other statement."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.proxy import Proxy
from hapy_config.syntax import Document
from hapy_config.translate.doubles import note_doubles
from hapy_config.translate.fates import FATES, SECTIONS
from hapy_config.translate.ledger import CARRIED, Fate, Ledger, lost, near
from hapy_config.translate.nginx.always import ALWAYS
from hapy_config.translate.nginx.cookies import tied_upstreams
from hapy_config.translate.nginx.servers import upstream
from hapy_config.translate.nginx.site import SiteWriter
from hapy_config.translate.nginx.streams import stream_server
from hapy_config.translate.nginx.text import block, quoted
from hapy_config.translate.nginx.variables import Variables
from hapy_config.translate.plain import in_plain_words
from hapy_config.translate.report import Translation

_CONNECTIONS: Final = 4096
#: What makes nginx treat messages as HAProxy does.
_COMMON: Final = (
    "client_max_body_size 0;",
    "proxy_http_version 1.1;",
    "proxy_buffering off;",
    "proxy_request_buffering off;",
    "proxy_redirect off;",
    "proxy_pass_header Server;",
    "proxy_pass_header Date;",
    "underscores_in_headers on;",
    "ignore_invalid_headers off;",
    "merge_slashes off;",
    "absolute_redirect off;",
    "server_tokens off;",
    "types { }",  # rules say what an answer is, not the path's ending
    "server_names_hash_bucket_size 128;",
    "map_hash_bucket_size 256;",
    "variables_hash_max_size 4096;",
    "variables_hash_bucket_size 256;",
)
_FATES: Final[dict[str, Fate]] = {
    **FATES,
    "global maxconn": CARRIED,
    "maxconn": near("nginx limits connections for the whole process (worker_connections)"),
    "compression algo": CARRIED,
    "compression type": CARRIED,
    "compression offload": CARRIED,
    "monitor-uri": CARRIED,
    "fullconn": lost("nginx has no limits that grow with the load"),
    "timeout queue": lost("nginx has no queue in front of its servers"),
    "timeout tunnel": near("an upgraded connection has the timeout of the server"),
    "option httpchk": near("nginx asks no health: requests that fail take a server out for a while"),
    "option tcp-check": near("nginx asks no health: connections that fail take a server out for a while"),
    "http-check": near("nginx asks no health: requests that fail take a server out for a while"),
    "cookie": lost("clients are not tied to servers by a cookie"),
    "stats": lost("nginx has no page of statistics like it; stub_status shows a few numbers"),
    "http-reuse": near("nginx keeps idle connections for all clients and never shares them before they are idle"),
    "option http-server-close": near("server connections are kept by nginx where the upstream says keepalive"),
    "option httpclose": CARRIED,
    "option forceclose": CARRIED,
    "option redispatch": near("a connection that fails is tried with the next server at once"),
    "rate-limit": lost("limit_req counts requests by a key, not sessions of a frontend"),
}


def to_nginx(config: Config, document: Document) -> Translation:
    """Write an nginx.conf.

    Args:
        config: the model.
        document: its statements: each is accounted for.

    Returns:
        `nginx.conf`, and files that it names; notes about every statement that did not go over as it was.
    """
    ledger = Ledger(config, document, "nginx")
    config = in_plain_words(ledger, passwords=False)
    http, files = _http(ledger, config)
    stream = _stream(ledger, config)
    connections = config.global_.maxconn or _CONNECTIONS
    lines = ["include /etc/nginx/modules-enabled/*.conf;"]
    if config.global_.pidfile:
        lines.append(f"pid {quoted(config.global_.pidfile)};")
    if config.global_.nbthread:
        lines.append(f"worker_processes {config.global_.nbthread};")
    lines += ["", *block("events", [f"worker_connections {max(connections * 2, 16)};"])]
    if http:
        lines += ["", *http]
    if stream:
        lines += ["", *stream]
    note_doubles(ledger, config)
    ledger.settle(_FATES, SECTIONS)
    outcome = ledger.translation("nginx.conf", "".join(f"{line}\n" for line in lines), ALWAYS if http else ())
    return replace(outcome, files={**outcome.files, **files})


def _http(ledger: Ledger, config: Config) -> tuple[list[str], dict[str, str]]:
    variables = Variables()
    servers: list[str] = []
    formats: list[str] = []
    files: dict[str, str] = {}
    for proxy in config.proxies:
        if proxy.mode == "http" and proxy.is_frontend and not proxy.disabled:
            writer = SiteWriter(ledger, variables, config, proxy)
            written = writer.write()
            if written:
                servers += ["", *written]
                formats += writer.formats
                files |= writer.site.files
            else:
                ledger.lost(proxy.span, f"'{proxy.name}' listens nowhere that nginx could: it was left out")
    if not servers:
        return [], {}
    upstreams: list[str] = []
    quiet = Ledger(config, ledger.document, "nginx")
    for proxy in _led_to(config, "http"):
        found = upstream(quiet, proxy, variables, stream=False)
        upstreams += ["", *found, *tied_upstreams(quiet, proxy, variables)] if found else []
    maps = [line for text in variables.blocks for line in ("", *text.split("\n"))]
    return block("http", [*_COMMON, *formats, *maps, *upstreams, *servers]), files


def _stream(ledger: Ledger, config: Config) -> list[str]:
    servers: list[str] = []
    blocks: list[str] = []
    backends: dict[str, Proxy] = {}
    for proxy in config.proxies:
        if proxy.mode != "tcp" or not proxy.is_frontend or proxy.disabled:
            continue
        variables = Variables(stream=True)
        variables.count(len(backends) + len(blocks) + len(servers))
        written, led = stream_server(ledger, variables, config, proxy)
        if not written:
            ledger.lost(proxy.span, f"'{proxy.name}' listens nowhere that nginx could: it was left out")
            continue
        servers += ["", *written]
        blocks += variables.blocks
        backends.update({one.name: one for one in led})
    if not servers:
        return []
    variables = Variables(stream=True)
    upstreams: list[str] = []
    for proxy in backends.values():
        upstreams += ["", *upstream(ledger, proxy, variables, stream=True)]
    maps = [line for text in (*blocks, *variables.blocks) for line in ("", *text.split("\n"))]
    return block("stream", [*maps, *upstreams, *servers])


def _led_to(config: Config, mode: str) -> list[Proxy]:
    """Backends with a use, in order; where a name depends on the request all of them."""
    names: set[str] = set()
    for proxy in config.proxies:
        if proxy.is_frontend and proxy.mode == mode and not proxy.disabled:
            names.add(proxy.default_backend or (proxy.name if proxy.is_backend else ""))
            for use in proxy.use_backends:
                if isinstance(use.target, str):
                    names.add(use.target)
                else:
                    names.update(one.name for one in config.proxies if one.is_backend and one.mode == mode)
    return [one for one in config.proxies if one.name in names and one.is_backend and not one.disabled]
