"""The metrics by name. A row reads: scopes; name; field of the statistics; kind; what it tells.

Scopes: Frontend, Listener, Backend, Server, with `h` where only HTTP has it. Kinds: `c` counter, `g` gauge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_ROWS: Final = """
BS;current_queue;qcur;g;Requests in the queue now
BS;max_queue;qmax;g;Most requests in the queue at once
FLBS;current_sessions;scur;g;Sessions now
FLBS;max_sessions;smax;g;Most sessions at once
FLBS;limit_sessions;slim;g;Sessions allowed at once (maxconn, of a backend fullconn)
FLBS;sessions_total;stot;c;Sessions so far
FLBS;bytes_in_total;bin;c;Bytes of requests so far
FLBS;bytes_out_total;bout;c;Bytes of responses so far
FLB;requests_denied_total;dreq;c;Requests that rules denied
FLBS;responses_denied_total;dresp;c;Responses that rules denied
FL;request_errors_total;ereq;c;Requests that were invalid or did not come
BS;connection_errors_total;econ;c;Connections to servers that failed
BS;response_errors_total;eresp;c;Responses that were invalid or broke off
BS;retry_warnings_total;wretr;c;Attempts to connect again
BS;redispatch_warnings_total;wredis;c;Requests that went to another server after a failure
FLBS;status;status;g;Which state it is in: 1 for that, 0 for the others
BS;weight;weight;g;Weight now, all servers of a backend together
B;active_servers;act;g;Active servers that work
B;backup_servers;bck;g;Backup servers that work
S;check_failures_total;chkfail;c;Checks that failed while the server was up
BS;check_up_down_total;chkdown;c;How often it went down
BS;check_last_change_seconds;lastchg;g;Seconds since it went up or down
BS;downtime_seconds_total;downtime;c;Seconds down so far
S;queue_limit;qlimit;g;Requests allowed in the queue (maxqueue)
S;current_throttle;throttle;g;Percentage of its weight while a server warms up
BS;loadbalanced_total;lbtot;c;Requests that balancing has sent here
F;limit_session_rate;rate_lim;g;New sessions allowed in a second
FBS;max_session_rate;rate_max;g;Most new sessions in a second
S;check_status;check_status;g;How the last check ended: 1 for that, 0 for the others
S;check_code;check_code;g;Code that the last check got
S;check_duration_seconds;check_duration;g;Seconds that the last check took
FBSh;http_responses_total;hrsp;c;Responses by class of their status
Fh;http_requests_rate_max;req_rate_max;g;Most requests in a second
FBh;http_requests_total;req_tot;c;Requests so far
BS;client_aborts_total;cli_abrt;c;Requests and responses that clients broke off
BS;server_aborts_total;srv_abrt;c;Requests and responses that servers broke off
FBh;http_comp_bytes_in_total;comp_in;c;Bytes that came to be compressed
FBh;http_comp_bytes_out_total;comp_out;c;Bytes that compression gave
FBh;http_comp_bytes_bypassed_total;comp_byp;c;Bytes that went past compression for lack of resources
FBh;http_comp_responses_total;comp_rsp;c;Responses that were compressed
BS;last_session_seconds;lastsess;g;Seconds since the last session, -1 before the first
BS;queue_time_average_seconds;qtime;g;Average time in the queue of the last 1024 requests
BS;connect_time_average_seconds;ctime;g;Average time to connect of the last 1024 requests
BS;response_time_average_seconds;rtime;g;Average time to the response of the last 1024 requests
BS;total_time_average_seconds;ttime;g;Average time altogether of the last 1024 requests
F;connections_rate_max;conn_rate_max;g;Most new connections in a second
F;connections_total;conn_tot;c;Connections so far
Fh;intercepted_requests_total;intercepted;c;Requests answered here instead of by a server
FL;denied_connections_total;dcon;c;Connections that rules turned away
FL;denied_sessions_total;dses;c;Sessions that rules turned away
FLBS;failed_header_rewriting_total;wrew;c;Rewrites of headers that failed
BS;connection_attempts_total;connect;c;Connections opened to servers
BS;connection_reuses_total;reuse;c;Requests sent on connections that were there
FBh;http_cache_lookups_total;cache_lookups;c;Requests looked up in a cache
FBh;http_cache_hits_total;cache_hits;c;Requests answered by a cache
S;idle_connections_current;srv_icur;g;Idle connections now
S;idle_connections_limit;src_ilim;g;Idle connections allowed
BS;max_queue_time_seconds;qtime_max;g;Longest time in the queue
BS;max_connect_time_seconds;ctime_max;g;Longest time to connect
BS;max_response_time_seconds;rtime_max;g;Longest time to the response
BS;max_total_time_seconds;ttime_max;g;Longest time altogether
FLBS;internal_errors_total;eint;c;Errors inside the process
S;unsafe_idle_connections_current;idle_conn_cur;g;Idle connections that a first request may not use
S;safe_idle_connections_current;safe_conn_cur;g;Idle connections that any request may use
S;used_connections_current;used_conn_cur;g;Connections with a request now
S;need_connections_current;need_conn_est;g;Connections that are needed, as estimated
BS;uweight;uweight;g;Weight as it was set, all servers of a backend together
B;agg_server_status;agg_server_status;g;Servers by state
B;agg_server_check_status;agg_server_check_status;g;Servers by state (older name of agg_server_status)
B;agg_check_status;agg_check_status;g;Servers by how their last check ended
"""

_PROCESS: Final = """
nbthread;Nbthread;g;Threads
nbproc;Nbproc;g;Processes, always 1
relative_process_id;Process_num;g;Number of the process, always 1
uptime_seconds;Uptime_sec;g;Seconds since the start
pool_failures_total;PoolFailed;c;Allocations of memory that failed
max_fds;Ulimit-n;g;Descriptors allowed
max_sockets;Maxsock;g;Sockets allowed
max_connections;Maxconn;g;Connections of clients allowed at once
hard_max_connections;Hard_maxconn;g;Connections of clients allowed at once when the process began
current_connections;CurrConns;g;Connections of clients now
connections_total;CumConns;c;Connections of clients so far
requests_total;CumReq;c;Requests so far
max_ssl_connections;MaxSslConns;g;TLS connections allowed at once, 0 for no limit
current_ssl_connections;CurrSslConns;g;TLS connections now, of both sides
ssl_connections_total;CumSslConns;c;TLS connections so far, of both sides
max_pipes;Maxpipes;g;Pipes allowed, 0: none are used
pipes_used_total;PipesUsed;c;Pipes in use
pipes_free_total;PipesFree;c;Pipes at hand
current_connection_rate;ConnRate;g;New connections in the last second
limit_connection_rate;ConnRateLimit;g;New connections allowed in a second
max_connection_rate;MaxConnRate;g;Most new connections in a second
current_session_rate;SessRate;g;New sessions in the last second
limit_session_rate;SessRateLimit;g;New sessions allowed in a second
max_session_rate;MaxSessRate;g;Most new sessions in a second
current_ssl_rate;SslRate;g;New TLS connections in the last second
limit_ssl_rate;SslRateLimit;g;New TLS connections allowed in a second
max_ssl_rate;MaxSslRate;g;Most new TLS connections in a second
current_frontend_ssl_key_rate;SslFrontendKeyRate;g;Full handshakes with clients in the last second
max_frontend_ssl_key_rate;SslFrontendMaxKeyRate;g;Most full handshakes with clients in a second
frontend_ssl_reuse;SslFrontendSessionReuse_pct;g;Percentage of handshakes with clients that took up a session
current_backend_ssl_key_rate;SslBackendKeyRate;g;Full handshakes with servers in the last second
max_backend_ssl_key_rate;SslBackendMaxKeyRate;g;Most full handshakes with servers in a second
ssl_cache_lookups_total;SslCacheLookups;c;Sessions looked up
ssl_cache_misses_total;SslCacheMisses;c;Sessions looked up in vain
http_comp_bytes_in_total;CompressBpsIn;c;Bytes a second that come to be compressed
http_comp_bytes_out_total;CompressBpsOut;c;Bytes a second that compression gives
limit_http_comp;CompressBpsRateLim;g;Bytes a second that may be compressed, 0 for no limit
current_zlib_memory;ZlibMemUsage;g;Memory of compression
max_zlib_memory;MaxZlibMemUsage;g;Memory that compression may use
current_tasks;Tasks;g;Tasks
current_run_queue;Run_queue;g;Tasks that want to run
idle_time_percent;Idle_pct;g;Percentage of time without work
stopping;Stopping;g;1 while the process stops
jobs;Jobs;g;What keeps the process from ending: listeners, connections
unstoppable_jobs;Unstoppable Jobs;g;Jobs that do not end by themselves
listeners;Listeners;g;Listening sockets
active_peers;ActivePeers;g;Peers with a connection that works
connected_peers;ConnectedPeers;g;Peers with a connection
dropped_logs_total;DroppedLogs;c;Log lines that could not be sent
busy_polling_enabled;BusyPolling;g;1 where the process never sleeps
failed_resolutions;FailedResolutions;c;Names that could not be resolved
bytes_out_total;TotalBytesOut;c;Bytes sent so far
spliced_bytes_out_total;TotalSplicdedBytesOut;c;Bytes sent past the process
bytes_out_rate;BytesOutRate;g;Bytes sent in the last second
recv_logs_total;CumRecvLogs;c;Log lines received
build_info;Build info;g;The version, as a label
max_memory_bytes;Memmax_bytes;g;Memory allowed, 0 for no limit
pool_allocated_bytes;PoolAlloc_bytes;g;Memory of pools
pool_used_bytes;PoolUsed_bytes;g;Memory of pools that is in use
start_time_seconds;Start_time_sec;g;When the process began, in seconds since 1970
"""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: without `haproxy_` and the scope. field: where its value is found.
        kind: counter or gauge. help: what it tells.
        scopes: the letters of the scopes that have it. http: only where HTTP is spoken.
    """

    name: str
    field: str
    kind: str
    help: str
    scopes: str = ""
    http: bool = False


_KINDS: Final = {"c": "counter", "g": "gauge"}


def _metric(row: str) -> Metric:
    scopes, name, field, kind, text = row.split(";")
    return Metric(name, field, _KINDS[kind], text, scopes.rstrip("h"), scopes.endswith("h"))


METRICS: Final = tuple(map(_metric, _ROWS.strip().splitlines()))
PROCESS: Final = tuple(_metric(f";{row}") for row in _PROCESS.strip().splitlines())
