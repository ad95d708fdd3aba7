"""What becomes of a server whose host name has no address at the start (`init-addr`; manual, 5.2).

Rules (HAProxy 2.6.12 seen at work):
- The methods are tried in turn until one gives an address, or is `none`, with which the server starts out of service.
- When none did, the start fails; but without any `init-addr` a server with `resolvers` starts out of service, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy_config.model.server import Server


def unresolved(server: Server, known: Callable[[str], bool]) -> tuple[bool, str] | None:
    """What is to be said of a server's name: whether it ends the start, and the words; None for nothing.

    `last` gives no address here.

    Args:
        server: one with a host name.
        known: asks the system whether a name has an address.
    """
    host = server.address.host
    asked = False
    for method in server.init_addr:
        if method == "libc":
            if known(host):
                return None
            asked = True
        elif method == "none":
            break
        elif method != "last":
            return (
                (False, f"could not resolve address '{host}', falling back to configured address.") if asked else None
            )
    fault = f"could not resolve address '{host}'" if asked else f"no method found to resolve address '{host}'"
    if "none" in server.init_addr or (server.resolvers is not None and "init-addr" not in server.options):
        return (False, f"{fault}, disabling server.") if asked else None
    return True, f"{fault}."
