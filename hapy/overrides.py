"""What the command line changes in the configuration: `-N`, `-dr` and `-dV`."""

from __future__ import annotations

import dataclasses

from hapy.options import Options
from hapy_config.model.config import Config
from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Server


def apply(config: Config, options: Options) -> Config:
    """The configuration as the command line wants it; the same object when it wants nothing."""
    if not (options.proxy_maxconn or options.no_resolve_errors or options.no_verify):
        return config
    return dataclasses.replace(config, proxies=tuple(_proxy(proxy, options) for proxy in config.proxies))


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
