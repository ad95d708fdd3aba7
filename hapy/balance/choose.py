"""From a `balance` line to its algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.balance.base import Balancer
from hapy.balance.draws import RandomDraws
from hapy.balance.first import First
from hapy.balance.leastconn import LeastConn
from hapy.balance.roundrobin import RoundRobin
from hapy.balance.staticrr import StaticRoundRobin

if TYPE_CHECKING:
    from hapy.samples import CompileEnv
    from hapy_config.model.proxy import Proxy


def make_balancer(proxy: Proxy, env: CompileEnv | None) -> Balancer:
    """The algorithm of that backend.

    Args:
        proxy: the backend.
        env: for the sample expressions of `balance hash` and `balance rdp-cookie`; these need it.
    """
    balance = proxy.balance
    match balance.algorithm:
        case "leastconn":
            return LeastConn()
        case "static-rr":
            return StaticRoundRobin()
        case "first":
            return First()
        case "random":
            return RandomDraws(int(balance.argument or 2), balance.hash_balance_factor)
        case "source" | "uri" | "url_param" | "hdr" | "rdp-cookie" | "hash":
            from hapy.balance.hashed import Hashed  # loads the samples, which others can do without

            preserve = next((words[1] for words in proxy.settings if words[0] == "hash-preserve-affinity"), "always")
            return Hashed(balance, env, preserve)
        case _:
            return RoundRobin()
