"""`use-service`: a part of the process answers (configuration manual, 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.rules.registry import REQUEST, Action, Arguments, action
from hapy.samples.environment import CompileError

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy.rules.outcomes import Outcome


@action("use-service", REQUEST)
def _use_service(args: Arguments) -> Action:
    name = args.text("service")
    if name != "prometheus-exporter":
        raise CompileError(f"service '{name}' is not run by hapy", args.rule.span)
    from hapy.stats.metrics import exporter

    reply = None
    env = args.env
    env.shared["statistics"] = True

    def serve(txn: Transaction) -> Outcome:
        nonlocal reply
        if reply is None:
            reply = exporter(env, txn.frontend.runtime)
        return reply

    return serve
