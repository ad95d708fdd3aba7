"""A server that is this very proxy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.networks import is_local
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.addresses import Address


#: The hosts of listeners on all addresses.
_ANY: Final = ("", "0.0.0.0", "::")


def check(view: View) -> Iterator[Finding]:
    """A finding for each server at the address of the frontend whose requests it gets."""
    for proxy in view.backends:
        local = [server for server in proxy.servers if _is_plain(server.address) and is_local(server.address)]
        if not local:
            continue
        for front in view.front_of(proxy):
            always = front is proxy or front.default_backend == proxy.name
            if not always or front.use_backends:
                continue
            listening = {(bind.address.port, bind.address.host): bind for bind in front.binds}
            for server in local:
                port, host = server.address.port, server.address.host
                bind = next((found for one in (host, *_ANY) if (found := listening.get((port, one)))), None)
                if bind is not None:
                    yield Finding(
                        server.span,
                        f"'{server.name}' is the address that '{front.name}' listens on (line {bind.span.line}):"
                        " its requests go round in circles",
                        "write the server's own address or port",
                    )


def _is_plain(address: Address) -> bool:
    return address.host.startswith(("127.", "::1")) and not address.port_offset


RULE = Rule(
    "loop-to-self",
    Severity.WARNING,
    """The server's address is one that the frontend listens on whose requests go to it, so the proxy is its own
    client: one request takes all connections there are.""",
    "listen l\n bind :8080\n server s 127.0.0.1:8080\n",
    "listen l\n bind :8080\n server s 127.0.0.1:8081\n",
    check,
)
