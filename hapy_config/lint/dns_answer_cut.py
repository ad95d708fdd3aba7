"""More servers than fit into an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.server import Server


_SMALL: Final = 512
_RECORDS: Final = {"name": 25, "service": 8}


def check(view: View) -> Iterator[Finding]:
    """A finding for each backend with more servers of one name than a small UDP answer can tell."""
    for proxy in view.backends:
        counts: dict[tuple[str, str, str], list[Server]] = {}
        for server in proxy.servers:
            if server.resolvers is not None and (server.service or server.fqdn):
                kind = "service" if server.service else "name"
                counts.setdefault((kind, server.service or server.fqdn or "", server.resolvers), []).append(server)
        for (kind, name, resolvers), servers in counts.items():
            section = view.config.resolvers.get(resolvers)
            if section is None or section.payload_size > _SMALL or len(servers) <= _RECORDS[kind]:
                continue
            if any(one is None or not one.stream for one in section.nameservers):
                yield Finding(
                    servers[0].span,
                    f"{len(servers)} servers of '{name}' don't fit into the {section.payload_size} bytes of an answer",
                    f"add 'accepted_payload_size 8192' to 'resolvers {resolvers}'",
                )


RULE = Rule(
    "dns-answer-cut",
    Severity.NOTICE,
    """Answers over UDP have 512 bytes unless `accepted_payload_size` allows more, which is room for some 25 addresses
    or 8 SRV records. The rest of the servers stays without an address.""",
    "resolvers r\n nameserver n 10.0.0.53:53\nlisten l\n bind :80\n"
    " server-template s 30 _web._tcp.example resolvers r init-addr none\n",
    "resolvers r\n nameserver n 10.0.0.53:53\n accepted_payload_size 8192\nlisten l\n bind :80\n"
    " server-template s 30 _web._tcp.example resolvers r init-addr none\n",
    check,
)
