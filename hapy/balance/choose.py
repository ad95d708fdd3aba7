"""From a `balance` line to its algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.balance.base import Balancer
from hapy.balance.roundrobin import RoundRobin

if TYPE_CHECKING:
    from hapy.samples import CompileEnv
    from hapy_config.model.proxy import Proxy


def make_balancer(proxy: Proxy, env: CompileEnv | None) -> Balancer:
    """The algorithm of that backend."""
    return RoundRobin()
