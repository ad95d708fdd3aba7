"""`persist rdp-cookie`: the server that a Remote Desktop client's routing token names (manual, `persist`).

The token reads `IP.PORT.0000`: both as decimal numbers whose bytes are in network order (MS-RDPBCGR 2.2.1.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hapy.persist.cookie import runs
from hapy.samples import compile_expression
from hapy_config.model.expressions import Call, SampleExpression

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.proxy.backend import Backend
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction
    from hapy.samples import CompileEnv

_TOKEN: Final = re.compile(rb"(\d{1,10})\.(\d{1,5})\.")


def address_of(token: bytes) -> tuple[str, int] | None:
    """The address and port that a token names; None for one that names none."""
    match = _TOKEN.match(token)
    if match is None:
        return None
    host, port = int(match[1]), int(match[2])
    if host >= 1 << 32 or port >= 1 << 16:
        return None
    return ".".join(str(byte) for byte in host.to_bytes(4, "little")), int.from_bytes(port.to_bytes(2, "little"), "big")


def by_rdp_cookie(backend: Backend, env: CompileEnv) -> Callable[[Transaction], Server | None]:
    """Gives the server that a client's token names, if it runs (or `option persist` lets it be down)."""
    name = backend.model.rdp_cookie or ""
    call = Call("req.rdp_cookie", (name,))  # not parsed: any letters may stand in the name
    read = compile_expression(SampleExpression(f"req.rdp_cookie({name})", call, type="str"), env)
    persists = "persist" in backend.model.options

    def choose(txn: Transaction) -> Server | None:
        token = read(txn)
        named = address_of(token) if isinstance(token, bytes) else None
        if named is None:
            return None
        for server in backend.servers:
            address = server.address
            if (address.host, address.port) == named and (persists or runs(server)):
                return server
        return None

    return choose
