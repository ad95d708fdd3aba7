"""What server lines say that another proxy may not know."""

from __future__ import annotations

from collections.abc import Iterator

from hapy_config.model.server import Server


def unknown_options(server: Server, known: frozenset[str]) -> Iterator[str]:
    """The options of a server that are not among those known; `send-proxy` itself is told by a field of its own."""
    for name, values in server.options.items():
        plain = name == "proxy-v2-options" and set(",".join(values).split(",")) <= {"v1", "v2", ""}
        if name not in known and not plain:
            yield name


def constant_name(server: Server) -> str | None:
    """The one name that a server is asked for by TLS; None where it is asked for none, or depends on the request."""
    sni = server.tls.sni if server.tls is not None else None
    return sni.fetch.args[0] if sni is not None and sni.fetch.name == "str" and not sni.converters else None
