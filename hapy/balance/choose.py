"""From a `balance` line to its algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.balance.base import Balancer
from hapy.balance.first import First
from hapy.balance.leastconn import LeastConn
from hapy.balance.roundrobin import RoundRobin
from hapy.balance.staticrr import StaticRoundRobin

if TYPE_CHECKING:
    from hapy.samples import CompileEnv
    from hapy_config.model.proxy import Proxy


def make_balancer(proxy: Proxy, env: CompileEnv | None) -> Balancer:
    """The algorithm of that backend."""
    if proxy.balance.algorithm=="leastconn": return LeastConn()
    if proxy.balance.algorithm=="static-rr": return StaticRoundRobin()
    if proxy.balance.algorithm=="first": return First()
    return RoundRobin()
