"""The rows of the table of fetches, in the notation of `haproxy -dKsmp`, under the source that each reads.

A row is `name(parameters): type [since] !removed`. Versions are the first and last of 1.5, 1.8, 2.0, … 3.4 whose
manual knows the name; without one it was there in 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.samples import Place, places


@dataclass(frozen=True, slots=True)
class Source:
    """Where data comes from: the places it can be read in, and HAProxy's word for it."""

    places: Place
    reads: str

    @classmethod
    def of(cls, matrix: str, reads: str = "") -> Source:
        """From a row of the matrix."""
        return cls(places(matrix), reads)


ANYWHERE: Final = Source.of("YYYYYYYYYYYYYYYYYYYYYY")
RUNNING: Final = Source.of("YYYYYYYYYYYYYYYYYYYY.Y", "internal state")
REQUEST_HEADERS: Final = Source.of("..YYYYYYYYY...........", "HTTP request headers")
SERVER_ADDRESS: Final = Source.of("...........YYYYYYYYY..", "server address")
BACKEND: Final = Source.of("......YYYYYYYYYYYYYY..", "backend")
REQUEST: Final = Source.of("..YYYYYYYYYYYYYYYYY...", "HTTP request")
RESPONSE: Final = Source.of("...........YYYYYYYYY..", "HTTP response")
ANY_HEADERS: Final = Source.of("..YYYYYYYYYYYYYYYY.Y..", "HTTP request headers,HTTP response headers")
SESSION: Final = Source.of("YYYYYYYYYYYYYYYYYYYY..", "client address")
FRONTEND: Final = Source.of("YYYYYYYYYYYYYYYYYYY...", "frontend")
ANY_BUFFER: Final = Source.of("..YYYYYYYYYYYYYYYY.Y..", "request buffer,response buffer")
REQUEST_BUFFER: Final = Source.of("..YYYYYYYYY...........", "request buffer")
RESPONSE_BUFFER: Final = Source.of("...........YYYYYYY.Y..", "response buffer")
RESPONSE_HEADERS: Final = Source.of("...........YYYYYYY.Y..", "HTTP response headers")
RESPONSE_LATE: Final = Source.of("..........YYYYYYYYYY..", "HTTP response")
SERVER: Final = Source.of("..........YYYYYYYYYY..", "server")
SERVER_CONNECTION: Final = Source.of("...........YYYYYYYYY..", "server-side connection")
CLIENT_CONNECTION: Final = Source.of(".YYYYYYYYYYYYYYYYYY...", "client-side connection")

ROWS: Final[tuple[tuple[Source, str], ...]] = (
    (
        ANYWHERE,
        """
        acl(string): bool [3.0]
        act_conn: sint [3.0]
        always_false: bool
        always_true: bool
        bin(string): bin [1.8]
        bool(string): bool [1.8]
        cpu_usage_grp: sint [3.4]
        cpu_usage_proc: sint [3.4]
        cpu_usage_thr: sint [3.4]
        date([integer,string]): sint
        date_us: sint [2.0]
        dump_all_vars([string,string,string]): str [3.4]
        env(string): str
        hostname: str [1.8]
        int(integer): sint [1.8]
        ipv4(IPv4 address): ipv4 [1.8]
        ipv6(IPv6 address): ipv6 [1.8]
        last_entity: str [3.2]
        meth(string): meth [1.8]
        nbproc: sint [1.8]
        pid: sint [3.0]
        proc: sint [1.8]
        quic_enabled: bool [2.8]
        rand([integer]): sint
        str(string): str [1.8]
        term_events: str [3.2]
        tgroup: sint [3.4]
        thread: sint [1.8]
        txn.id32: sint [3.0]
        txn.sess_term_state: str [3.0]
        unique-id: str [1.8]
        uptime: sint [3.0]
        uuid([integer]): str [2.2]
        var(string[,string]): any [1.8]
        waiting_entity: str [3.2]
        """,
    ),
    (
        RUNNING,
        """
        avg_queue(backend): sint
        be_conn(backend): sint
        be_conn_free(backend): sint [2.0]
        be_sess_rate(backend): sint
        connslots(backend): sint
        cpu_calls: sint [2.0]
        cpu_ns_avg: sint [2.0]
        cpu_ns_tot: sint [2.0]
        fe_conn(frontend): sint
        fe_req_rate(frontend): sint [1.8]
        fe_sess_rate(frontend): sint
        internal.strm.is_htx: bool [2.2]
        last_rule_file: str [2.6]
        last_rule_line: sint [2.6]
        lat_ns_avg: sint [2.0]
        lat_ns_tot: sint [2.0]
        nbsrv(backend): sint
        prio_class: sint [2.0]
        prio_offset: sint [2.0]
        queue(backend): sint
        srv_conn(server): sint
        srv_conn_free(server): sint [2.0]
        srv_is_up(server): bool
        srv_iweight(server): sint [2.4]
        srv_queue(server): sint [1.8]
        srv_sess_rate(server): sint
        srv_uweight(server): sint [2.4]
        srv_weight(server): sint [2.4]
        stopping: bool [1.8]
        table_avl(table): sint
        table_cnt(table): sint
        wait_end: bool
        """,
    ),
    (
        SESSION,
        """
        51d.all(string[,string,string,string,string]): str [1.8]
        accept_date([string]): sint [3.0]
        bs.debug_str([integer]): str [3.0]
        bytes_in: sint [3.0]
        bytes_out: sint [3.0]
        cur_client_timeout: sint [3.0]
        dst: ipv4
        dst_is_local: bool [1.8]
        dst_port: sint
        fc.timer.handshake: sint [3.0]
        fc.timer.total: sint [3.0]
        fc_dst: ipv4 [2.6]
        fc_dst_is_local: bool [2.6]
        fc_dst_port: sint [2.6]
        fc_err: sint [2.6]
        fc_err_name: str [3.0]
        fc_err_str: str [2.6]
        fc_fackets([string]): sint [1.8]
        fc_glitches: sint [2.8]
        fc_http_major: sint [1.8]
        fc_lost([string]): sint [1.8]
        fc_nb_streams: sint [3.0]
        fc_pp_authority: str [2.2]
        fc_pp_tlv(string): str [3.0]
        fc_pp_unique_id: str [2.2]
        fc_rcvd_proxy: bool [1.8]
        fc_reordering([string]): sint [1.8]
        fc_retrans([string]): sint [1.8]
        fc_rtt([string]): sint [1.8]
        fc_rttvar([string]): sint [1.8]
        fc_sacked([string]): sint [1.8]
        fc_saved_syn: bin [3.4]
        fc_settings_streams_limit: sint [3.0]
        fc_src: ipv4 [2.6]
        fc_src_is_local: bool [2.6]
        fc_src_port: sint [2.6]
        fc_unacked([string]): sint [1.8]
        fs.debug_str([integer]): str [3.0]
        src: ipv4
        src_is_local: bool [1.8]
        src_port: sint
        txn.conn_retries: sint [3.0]
        txn.redispatched: bool [3.0]
        """,
    ),
    (
        FRONTEND,
        """
        dst_conn: sint
        fe_client_timeout: sint [2.4]
        fe_defbe: str [2.0]
        fe_id: sint
        fe_name: str [1.8]
        fe_tarpit_timeout: sint [3.4]
        so_id: sint
        so_name: str [2.2]
        """,
    ),
    (
        CLIENT_CONNECTION,
        """
        fs.aborted: bool [3.0]
        fs.id: sint [3.0]
        fs.rst_code: sint [3.0]
        ssl_c_ca_err: sint
        ssl_c_ca_err_depth: sint
        ssl_c_chain_der: bin [2.2]
        ssl_c_der: bin [1.8]
        ssl_c_err: sint
        ssl_c_i_dn([string,integer,string]): str
        ssl_c_key_alg: str
        ssl_c_notafter: str
        ssl_c_notbefore: str
        ssl_c_r_dn([string,integer,string]): str [2.8]
        ssl_c_s_dn([string,integer,string]): str
        ssl_c_san: str [3.2]
        ssl_c_serial: bin
        ssl_c_sha1: bin
        ssl_c_sig_alg: str
        ssl_c_used: bool
        ssl_c_verify: sint
        ssl_c_version: sint
        ssl_f_der: bin [1.8]
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
        ssl_fc_cipherlist_bin([integer]): str [1.8]
        ssl_fc_cipherlist_hex([integer]): bin [1.8]
        ssl_fc_cipherlist_str([integer]): str [1.8]
        ssl_fc_cipherlist_xxh: sint [1.8]
        ssl_fc_client_early_traffic_secret: str [2.2]
        ssl_fc_client_handshake_traffic_secret: str [2.2]
        ssl_fc_client_random: bin [2.0]
        ssl_fc_client_traffic_secret_0: str [2.2]
        ssl_fc_crtname: str [3.4]
        ssl_fc_curve: str [3.0]
        ssl_fc_early_exporter_secret: str [2.2]
        ssl_fc_early_rcvd: bool [3.2]
        ssl_fc_ecformats_bin: str [2.6]
        ssl_fc_eclist_bin([integer]): str [2.6]
        ssl_fc_err: sint [2.6]
        ssl_fc_err_str: str [2.6]
        ssl_fc_exporter_secret: str [2.2]
        ssl_fc_extlist_bin([integer]): str [2.6]
        ssl_fc_has_crt: bool
        ssl_fc_has_early: bool [1.8]
        ssl_fc_has_sni: bool
        ssl_fc_is_resumed: bool [1.8]
        ssl_fc_npn: str
        ssl_fc_protocol: str
        ssl_fc_protocol_hello_id: sint [2.6]
        ssl_fc_server_handshake_traffic_secret: str [2.2]
        ssl_fc_server_random: bin [2.0]
        ssl_fc_server_traffic_secret_0: str [2.2]
        ssl_fc_session_id: bin
        ssl_fc_session_key: bin [2.0]
        ssl_fc_sigalgs_bin([integer]): bin [3.2]
        ssl_fc_sni: str
        ssl_fc_supported_versions_bin([integer]): bin [3.2]
        ssl_fc_unique_id: bin
        ssl_fc_use_keysize: sint
        ssl_s_chain_der: bin [2.2]
        ssl_s_der: bin [2.2]
        ssl_s_i_dn([string,integer,string]): str [2.2]
        ssl_s_key_alg: str [2.2]
        ssl_s_notafter: str [2.2]
        ssl_s_notbefore: str [2.2]
        ssl_s_s_dn([string,integer,string]): str [2.2]
        ssl_s_serial: bin [2.2]
        ssl_s_sha1: bin [2.2]
        ssl_s_sig_alg: str [2.2]
        ssl_s_version: sint [2.2]
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
        req.ssl_alpn: str [2.0]
        req.ssl_cipherlist: bin [3.2]
        req.ssl_ec_ext: bool [1.8]
        req.ssl_hello_type: sint
        req.ssl_keyshare_groups: bin [3.2]
        req.ssl_sigalgs: bin [3.2]
        req.ssl_sni: str
        req.ssl_st_ext: sint [1.8]
        req.ssl_supported_groups: bin [3.2]
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
        distcc_body(string[,integer]): bin [1.8]
        distcc_param(string[,integer]): sint [1.8]
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
        req.bytes_in: sint [3.4]
        req.bytes_out: sint [3.4]
        req.proto_http: bool
        req.timer.hdr: sint [3.0]
        req.timer.idle: sint [3.0]
        req.timer.queue: sint [3.0]
        req.timer.tq: sint [3.0]
        req_proto_http: bool
        request_date([string]): sint [3.0]
        txn.timer.total: sint [3.0]
        txn.timer.user: sint [3.0]
        """,
    ),
    (
        REQUEST_HEADERS,
        """
        base: str
        base32: sint
        base32+src: bin
        baseq: str [2.4]
        cook([string]): str
        cook_cnt([string]): sint
        cook_val([string]): sint
        fcgi.docroot: str [2.2]
        fcgi.index: str [2.2]
        hdr_cnt([string]): sint
        hdr_ip([string,integer]): ipv4
        hdr_val([string,integer]): sint
        http_auth(user list): bool
        http_auth_bearer([string]): str [2.6]
        http_auth_group(user list): str
        http_auth_pass: str [2.2]
        http_auth_type: str [2.2]
        http_auth_user: str [2.2]
        path: str
        pathq: str [2.2]
        query: str [1.8]
        req.body: bin [1.8]
        req.body_len: sint [1.8]
        req.body_param([string]): bin [1.8]
        req.body_size: sint [1.8]
        req.cook([string]): str
        req.cook_cnt([string]): sint
        req.cook_names([string]): str [3.0]
        req.cook_val([string]): sint
        req.fhdr([string,integer]): str
        req.fhdr_cnt([string]): sint
        req.hdr([string,integer]): str
        req.hdr_cnt([string]): sint
        req.hdr_ip([string,integer]): ipv4
        req.hdr_names([string]): str [1.8]
        req.hdr_val([string,integer]): sint
        req.hdrs: bin [1.8]
        req.hdrs_bin: bin [1.8]
        req.ver: str
        req_ver: str
        url: str
        url32: sint [1.8]
        url32+src: bin [1.8]
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
        hdr([string,integer]): str
        internal.htx.data: sint [2.2]
        internal.htx.free: sint [2.2]
        internal.htx.free_data: sint [2.2]
        internal.htx.has_eom: bool [2.2]
        internal.htx.nbblks: sint [2.2]
        internal.htx.size: sint [2.2]
        internal.htx.used: sint [2.2]
        internal.htx_blk.data(string): bin [2.2]
        internal.htx_blk.hdrname(string): str [2.2]
        internal.htx_blk.hdrval(string): str [2.2]
        internal.htx_blk.size(string): sint [2.2]
        internal.htx_blk.start_line(string): str [2.2]
        internal.htx_blk.type(string): str [2.2]
        """,
    ),
    (
        BACKEND,
        """
        be_connect_timeout: sint [3.4]
        be_id: sint
        be_name: str [1.8]
        be_queue_timeout: sint [3.4]
        be_server_timeout: sint [2.4]
        be_tarpit_timeout: sint [3.4]
        be_tunnel_timeout: sint [2.4]
        cur_connect_timeout: sint [3.4]
        cur_queue_timeout: sint [3.4]
        cur_server_timeout: sint [2.4]
        cur_tarpit_timeout: sint [3.4]
        cur_tunnel_timeout: sint [2.4]
        """,
    ),
    (
        SERVER,
        """
        srv_id: sint
        srv_name: str [2.2]
        """,
    ),
    (
        SERVER_ADDRESS,
        """
        bc.timer.connect: sint [3.0]
        bc_be_queue: sint [3.0]
        bc_dst: sint [2.4]
        bc_dst_port: sint [2.4]
        bc_err: sint [2.6]
        bc_err_name: str [3.0]
        bc_err_str: str [2.6]
        bc_glitches: sint [2.8]
        bc_http_major: sint [2.0]
        bc_nb_streams: sint [3.0]
        bc_reused: bool [3.2]
        bc_rtt([string]): sint [2.8]
        bc_rttvar([string]): sint [2.8]
        bc_settings_streams_limit: sint [3.0]
        bc_src: sint [2.4]
        bc_src_port: sint [2.4]
        bc_srv_queue: sint [3.0]
        bs.aborted: bool [3.0]
        bs.id: sint [3.0]
        bs.rst_code: sint [3.0]
        res.timer.data: sint [3.0]
        """,
    ),
    (
        SERVER_CONNECTION,
        """
        ssl_bc: bool
        ssl_bc_alg_keysize: sint
        ssl_bc_alpn: str [2.0]
        ssl_bc_cipher: str
        ssl_bc_client_early_traffic_secret: str [3.0]
        ssl_bc_client_handshake_traffic_secret: str [3.0]
        ssl_bc_client_random: bin [2.0]
        ssl_bc_client_traffic_secret_0: str [3.0]
        ssl_bc_curve: str [3.0]
        ssl_bc_early_exporter_secret: str [3.0]
        ssl_bc_err: sint [2.6]
        ssl_bc_err_str: str [2.6]
        ssl_bc_exporter_secret: str [3.0]
        ssl_bc_is_resumed: bool [2.0]
        ssl_bc_npn: str [2.0]
        ssl_bc_protocol: str
        ssl_bc_server_handshake_traffic_secret: str [3.0]
        ssl_bc_server_random: bin [2.0]
        ssl_bc_server_traffic_secret_0: str [3.0]
        ssl_bc_session_id: bin
        ssl_bc_session_key: bin [2.0]
        ssl_bc_sni: str [3.2]
        ssl_bc_unique_id: bin
        ssl_bc_use_keysize: sint
        """,
    ),
    (
        RESPONSE,
        """
        capture.res.hdr(integer): str
        res.bytes_in: sint [3.4]
        res.bytes_out: sint [3.4]
        res.comp: bool
        res.comp_algo: str
        res.timer.hdr: sint [3.0]
        server_status: sint [3.0]
        status: sint
        txn.status: sint [3.0]
        """,
    ),
    (
        RESPONSE_LATE,
        """
        res.cache_hit: bool [2.4]
        res.cache_name: str [2.4]
        """,
    ),
    (
        RESPONSE_HEADERS,
        """
        res.body: bin [2.2]
        res.body_len: sint [2.2]
        res.body_size: sint [2.2]
        res.cook([string]): str
        res.cook_cnt([string]): sint
        res.cook_names([string]): str [3.0]
        res.cook_val([string]): sint
        res.fhdr([string,integer]): str
        res.fhdr_cnt([string]): sint
        res.hdr([string,integer]): str
        res.hdr_cnt([string]): sint
        res.hdr_ip([string,integer]): ipv4
        res.hdr_names([string]): str [1.8]
        res.hdr_val([string,integer]): sint
        res.hdrs: bin [2.2]
        res.hdrs_bin: bin [2.2]
        res.ver: str
        resp_ver: str
        scook([string]): str
        scook_cnt([string]): sint
        scook_val([string]): sint
        set-cookie([string]): str !2.4
        shdr([string,integer]): str
        shdr_cnt([string]): sint
        shdr_ip([string,integer]): ipv4
        shdr_val([string,integer]): sint
        """,
    ),
)
