"""The `resolvers` sections of a configuration, made when something uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.dns.messages import BadName
from hapy.dns.section import Section
from hapy.dns.servers import ServerUser
from hapy.dns.services import ServiceUser
from hapy.samples.environment import CompileError
from hapy_config.model.resolvers import DEFAULT, NameServer

if TYPE_CHECKING:
    from hapy.proxy.backend import Backend
    from hapy.samples.environment import CompileEnv
    from hapy.tls.outgoing import Outgoing

_SHARED = "resolvers"


def sections(env: CompileEnv) -> dict[str, Section]:
    """The sections in use, by name."""
    found = env.shared.setdefault(_SHARED, {})
    assert isinstance(found, dict)
    return found


def section(env: CompileEnv, name: str) -> Section:
    """A section, made when it is first asked for. The one named `default` is always there."""
    made = sections(env)
    if name not in made:

        def tls(nameserver: NameServer) -> Outgoing | None:
            if nameserver.server is None or nameserver.server.tls is None:
                return None
            from hapy.tls.outgoing import Outgoing

            return Outgoing(nameserver.server, env)

        made[name] = Section(env.config.resolvers.get(name, DEFAULT), tls)
    return made[name]


def resolve_servers(backend: Backend, env: CompileEnv) -> None:
    """Have those servers of a backend that name a `resolvers` section live by their host names and services.

    Raises:
        CompileError: for a service that can't be looked up.
    """
    services: dict[tuple[str, str], ServiceUser] = {}
    for server in backend.servers:
        model = server.model
        if model.resolvers is None:
            continue
        user = server.resolving = ServerUser(server, section(env, model.resolvers))
        if model.service is None:
            user.live_by(model.fqdn)
            continue
        key = (model.resolvers, model.service)
        if key not in services:
            services[key] = ServiceUser()
            try:
                user.section.use(model.service, "SRV", services[key])
            except BadName as error:
                raise CompileError(str(error), model.span) from error
        services[key].add(user)
        user.service = services[key]
