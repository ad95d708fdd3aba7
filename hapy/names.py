"""Host names in the configuration, looked up when it is loaded, as HAProxy does without resolvers (`init-addr`)."""

from __future__ import annotations

import dataclasses
import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

from hapy_config.build.initaddr import unresolved
from hapy_config.model.addresses import Address
from hapy_config.model.config import Config
from hapy_config.model.proxy import LogTarget, Proxy
from hapy_config.model.server import Server, Source

_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


class Names:
    """What the system answered for each name, asked once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str | None] = {}

    def known(self, name: str, family: str) -> bool:
        """Whether a name has an address of a family (`ipv4`, `ipv6`, empty for either)."""
        return self.address(name, family) is not None

    def address(self, name: str, family: str = "") -> str | None:
        """A name's first address, None without any."""
        key = name, family
        if key not in self._found:
            try:
                found: list[Any] = socket.getaddrinfo(
                    name, None, _FAMILIES.get(family, socket.AF_UNSPEC), socket.SOCK_STREAM
                )
                self._found[key] = str(found[0][4][0])
            except (OSError, UnicodeError, IndexError):
                self._found[key] = None
        return self._found[key]

    def numeric(self, address: Address) -> Address | None:
        """The address with its name replaced; None where the name has none."""
        if address.family != "name":
            return address
        found = self.address(address.host)
        return None if found is None else _with_host(address, found)


def _with_host(address: Address, host: str) -> Address:
    family = "ipv6" if ipaddress.ip_address(host.partition("%")[0]).version == 6 else "ipv4"
    return dataclasses.replace(address, family=family, host=host)


#: What an earlier process's file says of an address: by (backend, server), None or empty without one.
Last = Callable[[str, str], str | None]


def resolve(config: Config, names: Names, last: Last | None = None) -> Config:
    """The configuration with addresses in place of names; the same object where there are none.

    `last` gives the addresses for `init-addr last`.

    A server whose name has no address keeps it: `init-addr none`, resolvers and `-dr` let that happen.
    """
    proxies = tuple(_proxy(proxy, names, last) for proxy in config.proxies)
    log = _log(config.global_.log, names)
    if log is not config.global_.log:
        config = dataclasses.replace(config, global_=dataclasses.replace(config.global_, log=log))
    if all(new is old for new, old in zip(proxies, config.proxies, strict=True)):
        return config
    return dataclasses.replace(config, proxies=proxies)


def without_address(config: Config, names: Names) -> Iterator[tuple[bool, Server, str]]:
    """Servers of a resolved configuration to which `init-addr last` gave nothing: whether that ends the start, and why.

    `hapy_config` has told of the others already.
    """
    for proxy in config.proxies:
        if proxy.load_server_state is None:
            continue
        for server in proxy.servers:
            if server.address.family != "name" or server.service is not None or "last" not in server.init_addr:
                continue
            found = unresolved(server, lambda host: names.known(host, ""))
            if found is not None:
                yield found[0], server, f"'server {proxy.name}/{server.name}' : {found[1]}"


def _proxy(proxy: Proxy, names: Names, last: Last | None) -> Proxy:
    changes: dict[str, Any] = {}
    servers = tuple(_server(server, names, last and last(proxy.name, server.name)) for server in proxy.servers)
    if any(new is not old for new, old in zip(servers, proxy.servers, strict=True)):
        changes["servers"] = servers
    if proxy.dispatch is not None and proxy.dispatch.family == "name":
        changes["dispatch"] = names.numeric(proxy.dispatch) or proxy.dispatch
    source = _source(proxy.source, names)
    if source is not proxy.source:
        changes["source"] = source
    log = _log(proxy.log, names)
    if log is not proxy.log:
        changes["log"] = log
    return dataclasses.replace(proxy, **changes) if changes else proxy


def _server(server: Server, names: Names, last: str | None) -> Server:
    source = _source(server.source, names)
    if source is not server.source:
        server = dataclasses.replace(server, source=source)
    if server.address.family != "name" or server.service is not None:
        return server
    for method in server.init_addr:
        if method == "none":
            break
        if method == "libc":
            found = names.numeric(server.address)
            if found is not None:
                return dataclasses.replace(server, address=found)
        elif method == "last":
            if last:
                return dataclasses.replace(server, address=_with_host(server.address, last))
        else:
            return dataclasses.replace(server, address=_with_host(server.address, method))
    return server


def _source(source: Source | None, names: Names) -> Source | None:
    if source is None or source.address.family != "name":
        return source
    return dataclasses.replace(source, address=names.numeric(source.address) or source.address)


def _log(targets: tuple[LogTarget, ...], names: Names) -> tuple[LogTarget, ...]:
    if not any(target.address is not None and target.address.family == "name" for target in targets):
        return targets
    return tuple(
        dataclasses.replace(target, address=names.numeric(target.address) or target.address)
        if target.address is not None
        else target
        for target in targets
    )
