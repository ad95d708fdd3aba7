"""The heart: idle server connections, who may reuse them, how many are kept, and which are opened ahead.

One `Pool` per server. Nothing here reads or writes a socket: connections are seen through a small protocol, and opening
one is asked of a callable.
"""

from __future__ import annotations

from hapy.pool.budget import FdBudget
from hapy.pool.connection import Holder, PooledConnection
from hapy.pool.key import ConnectionKey
from hapy.pool.own import OwnConnections
from hapy.pool.pool import Pool
from hapy.pool.reasons import ReuseReason

__all__ = ["ConnectionKey", "FdBudget", "Holder", "OwnConnections", "Pool", "PooledConnection", "ReuseReason"]
