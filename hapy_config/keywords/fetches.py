"""Sample fetches: section 7.3.2 to 7.3.6 of the configuration manual, in the notation of `haproxy -dKsmp`.

A row reads `name(parameters): type [since] [!removed]`; rows stand under the source that they read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.samples import Fetch, Place, places
from hapy_config.keywords.spec import OLDEST, Runs, Table, Version


@dataclass(frozen=True, slots=True)
class Source:
    """Where data comes from: the places it can be read in, and HAProxy's word for it."""

    places: Place
    needs: str

    @classmethod
    def of(cls, matrix: str, needs: str = "") -> Source:
        """From a row of the matrix."""
        return cls(places(matrix), needs)


ANYWHERE: Final = Source.of("YYYYYYYYYYYYYYYYYYYYYY")
RUNNING: Final = Source.of("YYYYYYYYYYYYYYYYYYYY.Y")
REQUEST_HEADERS: Final = Source.of("..YYYYYYYYY...........", "HTTP request headers")
SERVER_ADDRESS: Final = Source.of("...........YYYYYYYYY..", "server address")
BACKEND: Final = Source.of("......YYYYYYYYYYYYYY..", "backend")
REQUEST: Final = Source.of("..YYYYYYYYYYYYYYYYY...", "HTTP request")
RESPONSE: Final = Source.of("...........YYYYYYYYY..", "HTTP response")
ANY_HEADERS: Final = Source.of("..YYYYYYYYYYYYYYYY.Y..", "HTTP request headers,HTTP response headers")
SESSION: Final = Source.of("YYYYYYYYYYYYYYYYYYYY..")
FRONTEND: Final = Source.of("YYYYYYYYYYYYYYYYYYY...", "frontend")
ANY_BUFFER: Final = Source.of("..YYYYYYYYYYYYYYYY.Y..", "request buffer,response buffer")
REQUEST_BUFFER: Final = Source.of("..YYYYYYYYY...........", "request buffer")
RESPONSE_BUFFER: Final = Source.of("...........YYYYYYY.Y..", "response buffer")
RESPONSE_HEADERS: Final = Source.of("...........YYYYYYY.Y..", "HTTP response headers")
RESPONSE_LATE: Final = Source.of("..........YYYYYYYYYY..", "HTTP response")
SERVER: Final = Source.of("..........YYYYYYYYYY..", "server")
SERVER_CONNECTION: Final = Source.of("...........YYYYYYYYY..", "server-side connection")
CLIENT_CONNECTION: Final = Source.of(".YYYYYYYYYYYYYYYYYY...", "client-side connection")

_ROWS: Final[tuple[tuple[Source, str], ...]] = (
    (
        ANYWHERE,
        """
        always_false: bool
        always_true: bool
        bin(string): bin
        bool(string): bool
        date([integer,string]): sint
        date_us: sint
        env(string): str
        hostname: str
        int(integer): sint
        ipv4(IPv4 address): ipv4
        ipv6(IPv6 address): ipv6
        meth(string): meth
        nbproc: sint
        proc: sint
        rand([integer]): sint
        str(string): str
        thread: sint
        unique-id: str
        uuid([integer]): str
        var(string[,string]): any
        """,
    ),
    (
        RUNNING,
        """
        avg_queue(backend): sint
        be_conn(backend): sint
        be_conn_free(backend): sint
        be_sess_rate(backend): sint
        connslots(backend): sint
        cpu_calls: sint
        cpu_ns_avg: sint
        cpu_ns_tot: sint
        fe_conn(frontend): sint
        fe_req_rate(frontend): sint
        fe_sess_rate(frontend): sint
        internal.strm.is_htx: bool
        last_rule_file: str
        last_rule_line: sint
        lat_ns_avg: sint
        lat_ns_tot: sint
        nbsrv(backend): sint
        prio_class: sint
        prio_offset: sint
        queue(backend): sint
        srv_conn(server): sint
        srv_conn_free(server): sint
        srv_is_up(server): bool
        srv_iweight(server): sint
        srv_queue(server): sint
        srv_sess_rate(server): sint
        srv_uweight(server): sint
        srv_weight(server): sint
        stopping: bool
        table_avl(table): sint
        table_cnt(table): sint
        wait_end: bool
        """,
    ),
    (
        SESSION,
        """
        dst: ipv4
        dst_is_local: bool
        dst_port: sint
        fc_dst: ipv4
        fc_dst_is_local: bool
        fc_dst_port: sint
        fc_err: sint
        fc_err_str: str
        fc_fackets([string]): sint
        fc_http_major: sint
        fc_lost([string]): sint
        fc_pp_authority: str
        fc_pp_unique_id: str
        fc_rcvd_proxy: bool
        fc_reordering([string]): sint
        fc_retrans([string]): sint
        fc_rtt([string]): sint
        fc_rttvar([string]): sint
        fc_sacked([string]): sint
        fc_src: ipv4
        fc_src_is_local: bool
        fc_src_port: sint
        fc_unacked([string]): sint
        src: ipv4
        src_is_local: bool
        src_port: sint
        """,
    ),
    (
        FRONTEND,
        """
        dst_conn: sint
        fe_client_timeout: sint
        fe_defbe: str
        fe_id: sint
        fe_name: str
        so_id: sint
        so_name: str
        """,
    ),
    (
        CLIENT_CONNECTION,
        """
        ssl_c_ca_err: sint
        ssl_c_ca_err_depth: sint
        ssl_c_chain_der: bin
        ssl_c_der: bin
        ssl_c_err: sint
        ssl_c_i_dn([string,integer,string]): str
        ssl_c_key_alg: str
        ssl_c_notafter: str
        ssl_c_notbefore: str
        ssl_c_s_dn([string,integer,string]): str
        ssl_c_serial: bin
        ssl_c_sha1: bin
        ssl_c_sig_alg: str
        ssl_c_used: bool
        ssl_c_verify: sint
        ssl_c_version: sint
        ssl_f_der: bin
        ssl_f_i_dn([string,integer,string]): str
        ssl_f_key_alg: str
        ssl_f_notafter: str
        ssl_f_notbefore: str
        ssl_f_s_dn([string,integer,string]): str
        ssl_f_serial: bin
        ssl_f_sha1: bin
        ssl_f_sig_alg: str
        ssl_f_version: sint
        ssl_fc: bool
        ssl_fc_alg_keysize: sint
        ssl_fc_alpn: str
        ssl_fc_cipher: str
        ssl_fc_cipherlist_bin([integer]): str
        ssl_fc_cipherlist_hex([integer]): bin
        ssl_fc_cipherlist_str([integer]): str
        ssl_fc_cipherlist_xxh: sint
        ssl_fc_client_early_traffic_secret: str
        ssl_fc_client_handshake_traffic_secret: str
        ssl_fc_client_random: bin
        ssl_fc_client_traffic_secret_0: str
        ssl_fc_early_exporter_secret: str
        ssl_fc_ecformats_bin: str
        ssl_fc_eclist_bin([integer]): str
        ssl_fc_err: sint
        ssl_fc_err_str: str
        ssl_fc_exporter_secret: str
        ssl_fc_extlist_bin([integer]): str
        ssl_fc_has_crt: bool
        ssl_fc_has_early: bool
        ssl_fc_has_sni: bool
        ssl_fc_is_resumed: bool
        ssl_fc_npn: str
        ssl_fc_protocol: str
        ssl_fc_protocol_hello_id: sint
        ssl_fc_server_handshake_traffic_secret: str
        ssl_fc_server_random: bin
        ssl_fc_server_traffic_secret_0: str
        ssl_fc_session_id: bin
        ssl_fc_session_key: bin
        ssl_fc_sni: str
        ssl_fc_unique_id: bin
        ssl_fc_use_keysize: sint
        ssl_s_chain_der: bin
        ssl_s_der: bin
        ssl_s_i_dn([string,integer,string]): str
        ssl_s_key_alg: str
        ssl_s_notafter: str
        ssl_s_notbefore: str
        ssl_s_s_dn([string,integer,string]): str
        ssl_s_serial: bin
        ssl_s_sha1: bin
        ssl_s_sig_alg: str
        ssl_s_version: sint
        """,
    ),
    (
        REQUEST_BUFFER,
        """
        rdp_cookie([string]): str
        rdp_cookie_cnt([string]): sint
        req.len: sint
        req.payload(integer,integer): bin
        req.payload_lv(integer,integer[,string]): bin
        req.rdp_cookie([string]): str
        req.rdp_cookie_cnt([string]): sint
        req.ssl_alpn: str
        req.ssl_ec_ext: bool
        req.ssl_hello_type: sint
        req.ssl_sni: str
        req.ssl_st_ext: sint
        req.ssl_ver: sint
        req_len: sint
        req_ssl_hello_type: sint
        req_ssl_sni: str
        req_ssl_ver: sint
        """,
    ),
    (
        ANY_BUFFER,
        """
        payload(integer,integer): bin
        payload_lv(integer,integer[,string]): bin
        """,
    ),
    (
        RESPONSE_BUFFER,
        """
        rep_ssl_hello_type: sint
        res.len: sint
        res.payload(integer,integer): bin
        res.payload_lv(integer,integer[,string]): bin
        res.ssl_hello_type: sint
        """,
    ),
    (
        REQUEST,
        """
        capture.req.hdr(integer): str
        capture.req.method: str
        capture.req.uri: str
        capture.req.ver: str
        capture.res.ver: str
        http_first_req: bool
        method: meth
        req.proto_http: bool
        req_proto_http: bool
        """,
    ),
    (
        REQUEST_HEADERS,
        """
        base: str
        base32: sint
        base32+src: bin
        baseq: str
        cook([string]): str
        cook_cnt([string]): sint
        cook_val([string]): sint
        fcgi.docroot: str
        fcgi.index: str
        hdr_cnt([string]): sint
        hdr_ip([string,integer]): ipv4
        hdr_val([string,integer]): sint
        http_auth(user list): bool
        http_auth_bearer([string]): str
        http_auth_group(user list): str
        http_auth_pass: str
        http_auth_type: str
        http_auth_user: str
        path: str
        pathq: str
        query: str
        req.body: bin
        req.body_len: sint
        req.body_param([string]): bin
        req.body_size: sint
        req.cook([string]): str
        req.cook_cnt([string]): sint
        req.cook_val([string]): sint
        req.fhdr([string,integer]): str
        req.fhdr_cnt([string]): sint
        req.hdr([string,integer]): str
        req.hdr_cnt([string]): sint
        req.hdr_ip([string,integer]): ipv4
        req.hdr_names([string]): str
        req.hdr_val([string,integer]): sint
        req.hdrs: bin
        req.hdrs_bin: bin
        req.ver: str
        req_ver: str
        url: str
        url32: sint
        url32+src: bin
        url_ip: ipv4
        url_param([string,string]): str
        url_port: sint
        urlp([string,string]): str
        urlp_val([string,string]): sint
        """,
    ),
    (
        ANY_HEADERS,
        """
        cookie([string]): str
        distcc_body(string[,integer]): bin
        distcc_param(string[,integer]): sint
        hdr([string,integer]): str
        internal.htx.data: sint
        internal.htx.free: sint
        internal.htx.free_data: sint
        internal.htx.has_eom: bool
        internal.htx.nbblks: sint
        internal.htx.size: sint
        internal.htx.used: sint
        internal.htx_blk.data(string): bin
        internal.htx_blk.hdrname(string): str
        internal.htx_blk.hdrval(string): str
        internal.htx_blk.size(string): sint
        internal.htx_blk.start_line(string): str
        internal.htx_blk.type(string): str
        """,
    ),
    (
        BACKEND,
        """
        be_id: sint
        be_name: str
        be_server_timeout: sint
        be_tunnel_timeout: sint
        cur_server_timeout: sint
        cur_tunnel_timeout: sint
        """,
    ),
    (
        SERVER,
        """
        srv_id: sint
        srv_name: str
        """,
    ),
    (
        SERVER_ADDRESS,
        """
        bc_dst: sint
        bc_dst_port: sint
        bc_err: sint
        bc_err_str: str
        bc_http_major: sint
        bc_src: sint
        bc_src_port: sint
        """,
    ),
    (
        SERVER_CONNECTION,
        """
        ssl_bc: bool
        ssl_bc_alg_keysize: sint
        ssl_bc_alpn: str
        ssl_bc_cipher: str
        ssl_bc_client_random: bin
        ssl_bc_err: sint
        ssl_bc_err_str: str
        ssl_bc_is_resumed: bool
        ssl_bc_npn: str
        ssl_bc_protocol: str
        ssl_bc_server_random: bin
        ssl_bc_session_id: bin
        ssl_bc_session_key: bin
        ssl_bc_unique_id: bin
        ssl_bc_use_keysize: sint
        """,
    ),
    (
        RESPONSE,
        """
        capture.res.hdr(integer): str
        res.comp: bool
        res.comp_algo: str
        status: sint
        """,
    ),
    (
        RESPONSE_LATE,
        """
        res.cache_hit: bool
        res.cache_name: str
        """,
    ),
    (
        RESPONSE_HEADERS,
        """
        res.body: bin
        res.body_len: sint
        res.body_size: sint
        res.cook([string]): str
        res.cook_cnt([string]): sint
        res.cook_val([string]): sint
        res.fhdr([string,integer]): str
        res.fhdr_cnt([string]): sint
        res.hdr([string,integer]): str
        res.hdr_cnt([string]): sint
        res.hdr_ip([string,integer]): ipv4
        res.hdr_names([string]): str
        res.hdr_val([string,integer]): sint
        res.hdrs: bin
        res.hdrs_bin: bin
        res.ver: str
        resp_ver: str
        scook([string]): str
        scook_cnt([string]): sint
        scook_val([string]): sint
        shdr([string,integer]): str
        shdr_cnt([string]): sint
        shdr_ip([string,integer]): ipv4
        shdr_val([string,integer]): sint
        """,
    ),
)

#: Counters of stick tables, read through `sc_NAME(index[,table])`, `sc0_NAME([table])` and `src_NAME(table)`.
_COUNTERS: Final = (
    "bytes_in_rate",
    "bytes_out_rate",
    "clr_gpc0",
    "clr_gpc1",
    "conn_cnt",
    "conn_cur",
    "conn_rate",
    "get_gpc0",
    "get_gpc1",
    "get_gpt0",
    "gpc0_rate",
    "gpc1_rate",
    "http_err_cnt",
    "http_err_rate",
    "http_fail_cnt",
    "http_fail_rate",
    "http_req_cnt",
    "http_req_rate",
    "inc_gpc0",
    "inc_gpc1",
    "kbytes_in",
    "kbytes_out",
    "sess_cnt",
    "sess_rate",
)
_INDEXED_COUNTERS: Final = ("clr_gpc", "get_gpc", "get_gpt", "gpc_rate", "inc_gpc")


def _counter_rows() -> Iterator[tuple[Source, str]]:
    """The rows of all stick-table counters."""
    for name in _COUNTERS:
        source = SESSION if name.startswith("kbytes") else RUNNING
        for number in "012":
            yield source, f"sc{number}_{name}([table]): sint"
        yield source, f"sc_{name}(integer[,table]): sint"
        yield SESSION, f"src_{name}(table): sint"
    for name, kind in (("tracked", "bool"), ("trackers", "sint")):
        for number in "012":
            yield RUNNING, f"sc{number}_{name}([table]): {kind}"
        yield RUNNING, f"sc_{name}(integer[,table]): {kind}"
    for name in _INDEXED_COUNTERS:
        yield RUNNING, f"sc_{name}(integer,integer[,table]): sint"
        yield SESSION, f"src_{name}(integer,table): sint"
    yield RUNNING, "sc1_clr_gpc(integer[,table]): sint"
    yield SESSION, "src_updt_conn_cnt(table): sint"


_ROW: Final = re.compile(
    r"(?P<name>[\w.+-]+)(?:\((?P<signature>.*)\))?: (?P<type>\w+)"
    r"(?: \[(?P<since>\d\.\d)\])?(?: !(?P<removed>\d\.\d))?$",
)


def _version(text: str | None) -> Version | None:
    if text is None:
        return None
    major, minor = text.split(".")
    return int(major), int(minor)


def _fetch(source: Source, row: str) -> Fetch:
    """One row's entry."""
    match = _ROW.match(row)
    assert match is not None, row
    return Fetch(
        name=match["name"],
        signature=match["signature"] or "",
        type=match["type"],
        places=source.places,
        needs=source.needs,
        since=_version(match["since"]) or OLDEST,
        removed=_version(match["removed"]),
        runs=Runs.YES,
        manual="7.3",
    )


def _entries() -> Iterator[Fetch]:
    for source, rows in _ROWS:
        for row in rows.split("\n"):
            if row.strip():
                yield _fetch(source, row.strip())
    for source, row in _counter_rows():
        yield _fetch(source, row)


FETCHES: Final[dict[str, Fetch]] = {entry.name: entry for entry in _entries()}
TABLE: Final = Table("fetches", FETCHES.values())
