"""What other places than a proxy's own lines say of it: `-N`, `-dr` and `-dV` on the command line, `unix-bind`."""

from __future__ import annotations

import dataclasses
import itertools

from hapy.options import Options
from hapy_config.model.config import Config
from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Bind, Server


def apply(config: Config, options: Options) -> Config:
    """The configuration as the command line wants it; the same object when it wants nothing."""
    if options.proxy_maxconn or options.no_resolve_errors or options.no_verify:
        config = dataclasses.replace(config, proxies=tuple(_proxy(proxy, options) for proxy in config.proxies))
    unix: dict[str, str] = {}
    for words in config.global_.settings:
        if words[0] == "unix-bind":
            unix.update(itertools.pairwise(words[1:]))
    if unix:
        config = dataclasses.replace(config, proxies=tuple(_unix_binds(proxy, unix) for proxy in config.proxies))
    return config


def _unix_binds(proxy: Proxy, unix: dict[str, str]) -> Proxy:
    """The proxy with the settings of `unix-bind` where its UNIX sockets say nothing else."""
    return dataclasses.replace(proxy, binds=tuple(_unix_bind(bind, unix) for bind in proxy.binds))


def _unix_bind(bind: Bind, unix: dict[str, str]) -> Bind:
    if bind.address.family != "unix":
        return bind
    return dataclasses.replace(
        bind,
        address=dataclasses.replace(bind.address, host=unix.get("prefix", "") + bind.address.host),
        mode=int(unix["mode"], 8) if bind.mode is None and "mode" in unix else bind.mode,
        uid=bind.uid or unix.get("user") or unix.get("uid"),
        gid=bind.gid or unix.get("group") or unix.get("gid"),
    )


def _proxy(proxy: Proxy, options: Options) -> Proxy:
    maxconn = proxy.maxconn
    if maxconn is None and proxy.is_frontend and options.proxy_maxconn:
        maxconn = options.proxy_maxconn
    servers = tuple(_server(server, options) for server in proxy.servers)
    return dataclasses.replace(proxy, maxconn=maxconn, servers=servers)


def _server(server: Server, options: Options) -> Server:
    if options.no_resolve_errors and "none" not in server.init_addr:
        server = dataclasses.replace(server, init_addr=(*server.init_addr, "none"))
    if options.no_verify and server.tls is not None:
        server = dataclasses.replace(server, tls=dataclasses.replace(server.tls, verify="none"))
    return server
