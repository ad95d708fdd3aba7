"""Where a server's checks go: `addr`, `port`, `check-ssl`, `check-sni`, `check-send-proxy` and kin (manual, 5.2)."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hapy.checks.plan import Target
from hapy.checks.result import Ended, Status
from hapy.net.connect import Destination, abstract
from hapy.net.sockets import home_of, while_it_lasts
from hapy_config.grammar.addresses import AddressUse, parse_address
from hapy_config.grammar.units import leading_integer
from hapy_config.model.addresses import Address
from hapy_config.model.server import ServerTls
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.checks.check import Check
    from hapy.checks.plan import Run
    from hapy.net.probe import Probe, Securing
    from hapy.proxy.server import Server
    from hapy.samples import CompileEnv
    from hapy_config.model.checks import CheckConnect

_FAMILIES: Final = {
    "ipv4": socket.AF_INET,
    "ipv6": socket.AF_INET6,
    "any": socket.AF_INET,
    "unix": socket.AF_UNIX,
    "abns": socket.AF_UNIX,
}
_USE: Final = AddressUse()
_INTEGER: Final = re.compile("-?[0-9]{1,10}")


class Place:
    """Where one server is checked, by its line; the server's address is looked up anew for each check.

    Attributes:
        address: of `addr` or `agent-addr`, or None. port: of `port` or `agent-port`, or 0.
    """

    __slots__ = ("_env", "_options", "_securings", "address", "port", "server", "usual")

    def __init__(self, server: Server, env: CompileEnv, address: Address | None, port: int) -> None:
        self.server = server
        self.address = address
        self.port = port
        self._env = env
        self._options = while_it_lasts(server.model, server.backend.model)
        self._securings: dict[tuple[str | None, bool], Securing] = {}
        self.usual: Target | None = None

    def destination(self) -> Destination:
        """Where to connect to now.

        Raises:
            Ended: the server has no address.
        """
        server = self.server
        address = self.address or server.address
        family = _FAMILIES.get(address.family)
        if family is None:
            raise Ended(Status.SOCKERR, "Connection error")
        port = self.port or (self.address.port if self.address is not None else 0) or server.address.port or 0
        host = address.host or "0.0.0.0"
        if address.family == "abns":
            host = abstract(host)
        source = server.model.source or server.backend.model.source
        bound = None
        if source is not None and source.address.family in ("ipv4", "ipv6") and family != socket.AF_UNIX:
            bound = (source.address.host, source.address.port or 0)
        interface = source.interface if source is not None else None
        return Destination(family, host, port, bound, interface, self._options, namespace=home_of(server.model))

    def securing(self, alpn: str | None) -> Securing:
        """TLS as the server's line has it, with the check's own protocols."""
        key = (alpn, True)
        found = self._securings.get(key)
        if found is None:
            from hapy.tls.outgoing import Outgoing

            model = self.server.model
            options = dict(model.options) if model.tls is None else dict(model.tls.options)
            if alpn is not None:
                options["alpn"] = (alpn,)
            line = model.tls or model.check_tls
            verify = options.get("verify", ("required",))[0] if line is None else line.verify
            certificate = None if line is None else line.certificate
            tls = ServerTls(verify, options.get("ca-file", (None,))[0], None, options, certificate)
            found = self._securings[key] = Outgoing(replace(model, tls=tls), self._env)
            found.tallies = (self.server.counters, self.server.backend.counters)
        return found

    def by_line(self) -> Target:
        """What the server's line says."""
        options = self.server.model.options
        elsewhere = bool(self.port or self.address)
        securing: Securing | None = None
        by_itself = not elsewhere and "no-check-ssl" not in options
        if "check-ssl" in options or (self.server.model.tls is not None and by_itself):
            alpn = options.get("check-alpn")
            securing = self.securing(alpn[0] if alpn is not None else None)
        sni = options.get("check-sni")
        header = None
        if "check-send-proxy" in options or (self.server.model.send_proxy and not elsewhere):
            header = self.proxy_header()
        return Target(self.destination(), securing, to_bytes(sni[0]) if sni is not None else None, header)

    def proxy_header(self) -> Callable[[Probe], bytes]:
        """What makes the PROXY header of a check."""
        from hapy.proxy.proxied import check_header

        server = self.server.model
        local = ("pp2-never-send-local",) not in self._env.config.global_.settings

        def header(probe: Probe) -> bytes:
            (source, source_port), (destination, destination_port) = probe.ends
            return check_header(server, source, source_port, destination, destination_port, local=local)

        return header

    def plain(self) -> Target:
        """The same place without anything before the first byte."""
        return Target(self.destination())


def health_place(server: Server, env: CompileEnv) -> Place:
    """Where a server's health checks go."""
    options = server.model.options
    address = _address(options.get("addr"))
    return Place(server, env, address, leading_integer(options.get("port", ("0",))[0]))


def agent_place(server: Server, env: CompileEnv) -> Place:
    """Where a server's agent is."""
    options = server.model.options
    return Place(server, env, _address(options.get("agent-addr")), leading_integer(options["agent-port"][0]))


def _address(words: tuple[str, ...] | None) -> Address | None:
    if not words:
        return None
    found = parse_address(words[0], _USE)
    if found.family != "name":
        return found
    try:
        answers = socket.getaddrinfo(found.host, None, type=socket.SOCK_STREAM)
    except OSError:
        return found
    family = "ipv6" if answers[0][0] == socket.AF_INET6 else "ipv4"
    return replace(found, family=family, host=str(answers[0][4][0]))


def for_step(place: Place, model: CheckConnect) -> Target:
    """What a `connect` step says, on top of the line where it asks for its `default`."""
    base = place.by_line() if model.default else place.plain()
    where = base.destination
    if model.address is not None:
        family = _FAMILIES.get(model.address.family, where.family)
        where = replace(where, family=family, host=model.address.host, port=model.address.port or where.port)
    if isinstance(model.port, int):
        where = replace(where, port=model.port)
    found = replace(base, destination=where, linger=model.linger)
    if model.ssl or (base.securing is not None and model.alpn is not None):
        found = replace(found, securing=place.securing(model.alpn))
    if model.sni is not None:
        found = replace(found, name=to_bytes(model.sni))
    if model.send_proxy:
        found = replace(found, header=place.proxy_header())
    return found


def places(run: Run) -> Target:
    """The target of a run whose steps don't connect."""
    place = run.check.place
    assert place is not None
    return place.by_line()


def plain_address(text: str) -> Address | None:
    """An address as such, None for anything else."""
    try:
        host = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if "%" in text else Address("ipv4" if host.version == 4 else "ipv6", str(host))


def change_place(check: Check | None, address: str | None, port: str | None, *, agent: bool = False) -> str:
    """Have a check go elsewhere; gives what is wrong with that, in HAProxy's words, or nothing.

    Args:
        check: the check, or the agent.
        address: None leaves it as it is.
        port: the same.
        agent: it is an agent's.
    """
    if check is None or check.paused:
        return f"{'agent' if agent else 'health'} checks are not enabled on this server"
    host = None if address is None else plain_address(address)
    if address is not None and host is None:
        return f"invalid addr '{address}'"
    number = None
    if port is not None:
        if not _INTEGER.fullmatch(port):
            return "provided port is not an integer"
        number = int(port)
        if not 0 <= number <= 65535:
            return "provided port is invalid"
        if not number and not agent and check.server.address.port_offset:
            return "can't unset 'port' since MAPPORTS is in use"
    if check.place is not None:
        if host is not None:
            check.place.address = host
        if number is not None:
            check.place.port = number
    return ""
