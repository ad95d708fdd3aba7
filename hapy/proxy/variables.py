"""Variables of the process that have values from the start: `set-var` and `set-var-fmt` of the global section.

They are worked out once, in the order of their lines, without any client: what belongs to one has no value there.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, cast

from hapy.net.clock import now, wall
from hapy.observe.counters import FrontendCounters
from hapy.proxy.transaction import Client, Transaction
from hapy.samples import compile_expression
from hapy.samples.raw_format import compile_raw_format
from hapy.samples.variables import writer

if TYPE_CHECKING:
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.transaction import Entry
    from hapy.samples import CompileEnv
    from hapy_config.model.proxy import Proxy


class _Nowhere:
    """Stands for the frontend that there is none of."""

    label = b"CFG"
    unique_id = None

    def __init__(self, model: Proxy, runtime: Runtime) -> None:
        self.model = model
        self.runtime = runtime
        self.counters = FrontendCounters()


def set_variables(runtime: Runtime, env: CompileEnv) -> None:
    """Give them their values.

    Raises:
        CompileError: for an expression that does not run.
    """
    client = Client(b"", 0, b"", 0, socket.AF_UNSPEC)
    client.accepted, client.accepted_wall = now(), wall()
    txn = Transaction(client, cast("Entry", _Nowhere(env.proxy, runtime)), client.accepted)
    txn.request_wall = client.accepted_wall
    for variable in runtime.config.global_.variables:
        write = writer(variable.name, env)
        if variable.expression is not None:
            write(txn, compile_expression(variable.expression, env)(txn))
        elif variable.format is not None:
            write(txn, compile_raw_format(variable.format, env)(txn))
