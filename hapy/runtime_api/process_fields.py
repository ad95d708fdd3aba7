"""What `show info` tells about the process."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING, Final

import anyio

from hapy.net.clock import now, wall
from hapy.observe.counters import TLS
from hapy.options import number
from hapy.runtime_api.fields import Field, Value, read
from hapy.version import HAPROXY_VERSION, __version__

if TYPE_CHECKING:
    from hapy.runtime_api.control import Control

FIELDS: Final[tuple[Field, ...]] = read(
    "Name POS str;Version POS str;Release_date POS str;Nbthread CGS u32;Nbproc CGS u32;Process_num KGP u32;Pid SGP u32;"
    "Uptime MDP str;Uptime_sec MDP u32;Memmax_MB CLP u32;PoolAlloc_MB MGP u32;PoolUsed_MB MGP u32;PoolFailed MCP u32;"
    "Ulimit-n CLP u32;Maxsock CLP u32;Maxconn CLP u32;Hard_maxconn CLP u32;CurrConns MGP u32;CumConns MCP u32;"
    "CumReq MCP u32;MaxSslConns MMP u32;CurrSslConns MGP u32;CumSslConns MCP u32;Maxpipes CLP u32;PipesUsed MGP u32;"
    "PipesFree MGP u32;ConnRate MRP u32;ConnRateLimit CLP u32;MaxConnRate MMP u32;SessRate MRP u32;"
    "SessRateLimit CLP u32;MaxSessRate MRP u32;SslRate MRP u32;SslRateLimit CLP u32;MaxSslRate MMP u32;"
    "SslFrontendKeyRate MGP u32;SslFrontendMaxKeyRate MMP u32;SslFrontendSessionReuse_pct MGP u32;"
    "SslBackendKeyRate MRP u32;SslBackendMaxKeyRate MMP u32;SslCacheLookups MCP u32;SslCacheMisses MCP u32;"
    "CompressBpsIn MRP u32;CompressBpsOut MRP u32;CompressBpsRateLim CLP u32;Tasks MGP u32;Run_queue MGP u32;"
    "Idle_pct MaP u32;node COS str;description COS str;Stopping MGP u32;Jobs MGP u32;Unstoppable Jobs MGP u32;"
    "Listeners MGP u32;ActivePeers MGP u32;ConnectedPeers MGP u32;DroppedLogs MGP u32;BusyPolling MGP u32;"
    "FailedResolutions MGP u32;TotalBytesOut MGP u64;TotalSplicdedBytesOut MGP u64;BytesOutRate MRP u64;"
    "DebugCommandsIssued MGP u32;CumRecvLogs MCP u32;Build info POS str;Memmax_bytes CLP u32;PoolAlloc_bytes MGP u64;"
    "PoolUsed_bytes MGP u64;Start_time_sec MDP u32;Tainted SGP str",
    skip=(45, 46),
)

#: Limits: the field, and the keyword of the global section.
_LIMITS: Final = {
    "ConnRateLimit": "maxconnrate",
    "SessRateLimit": "maxsessrate",
    "SslRateLimit": "maxsslrate",
    "MaxSslConns": "maxsslconn",
}

VERSION: Final = f"{HAPROXY_VERSION}-hapy{__version__}"
_RELEASE_DATE: Final = "2022/05/31"


def uptime(control: Control) -> float:
    """Seconds since the start."""
    return max(0.0, now() - control.started)


def values(control: Control) -> dict[str, Value]:
    """The values; what has no counterpart here is 0."""
    job = control.job
    runtime = job.runtime
    process = runtime.process
    settings = job.config.global_
    frontends = runtime.frontends.values()
    listening = len(control.listeners) + len(control.doors)
    pace, sent = control.pace, _bytes_out(control)
    pace.look(sent)
    age = uptime(control)
    days, rest = divmod(int(age), 86400)
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    found: dict[str, Value] = {field.name: 0 for field in FIELDS if field.kind != "str"}
    found |= {
        "Name": "HAProxy",
        "Version": VERSION,
        "Release_date": _RELEASE_DATE,
        "Nbthread": process.threads,
        "Nbproc": 1,
        "Process_num": 1,
        "Pid": os.getpid(),
        "Uptime": f"{days}d {rest // 3600}h{rest // 60 % 60:02d}m{rest % 60:02d}s",
        "Uptime_sec": int(age),
        "Ulimit-n": descriptors,
        "Maxsock": descriptors,
        "Maxconn": control.everything.limit or job.maxconn,
        "Hard_maxconn": job.maxconn,
        "CurrConns": process.connections,
        "CumConns": sum(frontend.counters.conn_tot for frontend in frontends) + control.sessions + process.checks,
        "CumReq": process.requests,
        "Tasks": _tasks(),
        "Idle_pct": pace.idle,
        "node": process.node,
        "description": settings.description or "",
        "Stopping": int(process.stopping),
        "Jobs": process.connections + process.checking + control.open_sessions + listening,
        "Listeners": listening,
        "DroppedLogs": sum(frontend.logger.dropped for frontend in frontends),
        "FailedResolutions": _failed_resolutions(control),
        "TotalBytesOut": sent,
        "BytesOutRate": pace.rate,
        "Build info": VERSION,
        "Start_time_sec": int(wall() - age),
        "Tainted": "0",
    }
    words = {statement[0]: statement[1] for statement in settings.settings if len(statement) > 1}
    found |= {field: number(words.get(keyword, "0")) for field, keyword in _LIMITS.items()}
    moment = now()
    found["ConnRate"] = sum(frontend.counters.rate.read(moment) for frontend in frontends)
    found["SessRate"] = found["ConnRate"]
    found |= _tls(moment)
    rates = [frontend.counters.rate for frontend in frontends]
    found["MaxConnRate"] = found["MaxSessRate"] = max((max(rate.highest, rate.count) for rate in rates), default=0)
    return found


def _tasks() -> int:
    """Tasks of the event loop, this one included."""
    try:
        return len(anyio.get_running_tasks())
    except RuntimeError:  # there is no loop
        return 0


def _tls(moment: float) -> dict[str, Value]:
    """Connections and handshakes of the whole process."""
    whole, reused = TLS.frontend_sess, TLS.frontend_reused
    return {
        "CurrSslConns": TLS.current,
        "SslRate": TLS.accepted.read(moment),
        "MaxSslRate": max(TLS.accepted.highest, TLS.accepted.count),
        "CumSslConns": TLS.total,
        "SslFrontendKeyRate": TLS.frontend_keys.read(moment),
        "SslFrontendMaxKeyRate": max(TLS.frontend_keys.highest, TLS.frontend_keys.count),
        "SslFrontendSessionReuse_pct": reused * 100 // whole if whole else 0,
        "SslBackendKeyRate": TLS.backend_keys.read(moment),
        "SslBackendMaxKeyRate": max(TLS.backend_keys.highest, TLS.backend_keys.count),
    }


def _bytes_out(control: Control) -> int:
    """Bytes sent so far, to whomever."""
    runtime = control.job.runtime
    to_clients = sum(frontend.counters.bout for frontend in runtime.frontends.values())
    to_servers = sum(backend.counters.bin for backend in runtime.backends.values())
    return to_clients + to_servers + runtime.process.bytes_out


def _failed_resolutions(control: Control) -> int:
    sections = control.job.runtime.resolvers.values()
    return sum(server.counters.timeout for section in sections for server in section.nameservers)
