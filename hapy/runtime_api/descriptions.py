"""What each field of `show info` and `show stat` tells, for their `desc`: what metrics say of it, and the rest here."""

from __future__ import annotations

from functools import cache
from typing import Final

from hapy.stats.metric_names import METRICS, PROCESS

_FIELDS: Final = """
pxname;Name of the section
svname;FRONTEND, BACKEND, or the name of the server or listener
pid;Number of the process, always 1
iid;Number of the section
sid;Number of the server or listener in its section
tracked;Server whose state this one has
type;What the row is about: 0 a frontend, 1 a backend, 2 a server, 3 a listener
rate;New sessions in the last second
req_rate;Requests in the last second
hanafail;How often errors of traffic reached error-limit
last_chk;What the last check had to say
last_agt;What the agent had to say
agent_status;How the agent's last check ended
agent_code;Number of the agent's last check
agent_duration;Milliseconds that the agent's last check took
check_desc;check_status in words
agent_desc;agent_status in words
check_rise;Checks in a row that bring it up (rise)
check_fall;Checks in a row that bring it down (fall)
check_health;Health, from 0 to rise + fall - 1
agent_rise;Agent's checks in a row that bring it up
agent_fall;Agent's checks in a row that bring it down
agent_health;Health by the agent
addr;Address and port
cookie;Value of the server's cookie, name of the backend's
mode;tcp or http
algo;How the backend balances
conn_rate;New connections in the last second
h1_open_connections;HTTP/1 connections now
h1_open_streams;HTTP/1 requests now
h1_total_connections;HTTP/1 connections so far
h1_total_streams;HTTP/1 requests so far
h1_bytes_in;Bytes that came over HTTP/1
h1_bytes_out;Bytes sent over HTTP/1
h1_spliced_bytes_in;Bytes that came over HTTP/1 past the process
h1_spliced_bytes_out;Bytes sent over HTTP/1 past the process
ssl_sess;TLS sessions so far
ssl_reused_sess;TLS sessions that were taken up again
ssl_failed_handshake;TLS handshakes that failed
Name;What the program calls itself
Version;Version
Release_date;Date of the version
Pid;Process
Uptime;Time since the start
Memmax_MB;Megabytes of memory allowed, 0 for no limit
PoolAlloc_MB;Megabytes of pools
PoolUsed_MB;Megabytes of pools that are in use
SslCacheLookups;Sessions looked up
node;Name of this machine
description;What the file says of this process (description)
DebugCommandsIssued;Commands for debugging so far
Tainted;Bits of what may spoil the process
"""
_HTTP: Final = "Responses by class of their status"


@cache
def _all() -> dict[str, str]:
    found = {metric.field: metric.help for metric in (*METRICS, *PROCESS)}
    found |= dict(row.split(";") for row in _FIELDS.strip().splitlines())
    return found


def describe(name: str) -> str:
    """What a field tells."""
    if name.startswith("hrsp_"):
        return _HTTP
    return _all().get(name) or name.replace("_", " ")
