"""Converters that look a backend or server up by the name that comes in (configuration manual, 7.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.samples.environment import CompileEnv
from hapy.samples.fetches.proxies import backend_of, usable_servers
from hapy.samples.registry import Args, Converter, TxnConverter, converter
from hapy.samples.types import Result, Value

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction


@converter("nbsrv", takes="str", gives="sint")
def _nbsrv(args: Args, env: CompileEnv) -> Converter:
    backends = env.backends

    def count(value: Value) -> Result:
        backend = backends.get(value.decode("utf-8", "surrogateescape"))  # type: ignore[union-attr]
        return None if backend is None else usable_servers(backend)

    return count


@converter("srv_queue", takes="str", gives="sint", transaction=True)
def _srv_queue(args: Args, env: CompileEnv) -> TxnConverter:
    backends = env.backends

    def queued(value: Value, txn: Transaction) -> Result:
        assert isinstance(value, bytes)
        name, slash, server_name = value.rpartition(b"/")
        backend = backends.get(name.decode("utf-8", "surrogateescape")) if slash else backend_of(txn)
        if backend is None:
            return None
        return next((server.queued for server in backend.servers if server.label == server_name), None)

    return queued
