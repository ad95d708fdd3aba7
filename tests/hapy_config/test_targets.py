"""Verdicts of other HAProxy versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from hapy_config import Severity, read_config
from hapy_config.codes.spec import BASE
from hapy_config.targets import VERSIONS, parse_version, release

_TWINS = "backend b\n server s 10.0.0.1:80 id 1\n server s 10.0.0.2:80\n"
_MAILS = (
    "mailers m\n mailer a 10.0.0.1:25\nbackend b\n email-alert mailers m\n email-alert from a@b\n email-alert to a@b\n"
)
_CHECKED = "backend b\n option tcp-check\n"


def verdict(tmp_path: Path, text: str, version: str) -> tuple[set[str], set[str]]:
    """The codes of the errors and of the warnings."""
    file = tmp_path / "t.cfg"
    file.write_text(text + BASE if text.startswith("global") else BASE + text, encoding="utf-8")
    target = parse_version(version)
    assert target is not None
    result = read_config([str(file)], env={}, version=release(target), target=target)
    found = [one for one in result.diagnostics if not one.environment]
    errors = {one.code for one in found if one.severity is Severity.ERROR}
    return errors, {one.code for one in found if one.severity is Severity.WARNING}


@pytest.mark.parametrize(
    ("text", "version", "errors", "warnings"),
    [
        # gone in 2.1, deprecated before
        ("listen l\n bind :1\n clitimeout 5s\n", "1.8", set(), {"deprecated"}),
        ("listen l\n bind :1\n clitimeout 5s\n", "2.6", {"removed-keyword"}, set()),
        ("listen l\n bind :1\n reqrep a b\n", "1.8", set(), set()),
        ("listen l\n bind :1\n reqrep a b\n", "3.4", {"removed-keyword"}, set()),
        ("listen l\n bind :1\n option http-use-htx\n", "2.0", set(), set()),
        ("listen l\n bind :1\n option http-use-htx\n", "1.8", {"newer-keyword"}, set()),
        ("listen l\n bind :1\n option http-use-htx\n", "2.6", {"removed-keyword"}, set()),
        ("listen l\n bind :1\n bind-process all\n", "2.4", set(), set()),
        ("listen l\n bind :1\n bind-process all\n", "2.6", set(), {"deprecated"}),
        ("listen l\n bind :1\n bind-process all\n", "2.8", {"removed-keyword"}, set()),
        # read in another way before
        ("frontend f\n bind :1\n http-request deny if { var(txn.a) b }\n", "2.2", set(), set()),
        ("frontend f\n bind :1\n http-request deny if { var(txn.a) b }\n", "2.6", {"bad-condition"}, set()),
        ("backend b\n server s 10.0.0.1:80 check fall 3us\n", "2.2", set(), set()),
        ("backend b\n server s 10.0.0.1:80 check inter 3us\n", "2.2", {"bad-argument"}, set()),
        ("global\n tune.fd.edge-triggered on\n", "2.2", set(), set()),
        ("global\n external-check preserve-env\n", "2.8", set(), set()),
        ("global\n external-check preserve-env\n", "2.6", {"bad-argument"}, set()),
        ("global\n external-check preserve\n", "2.8", {"bad-argument"}, set()),
        ("global\n tune.listener.multi-queue fair\n", "3.0", set(), set()),
        ("global\n acme.scheduler off\n", "3.2", set(), set()),
        # QUIC is in the usual builds of later versions
        ("global\n tune.quic.retry-threshold 5\n", "2.6", {"unknown-keyword"}, set()),
        ("global\n tune.quic.retry-threshold 5\n", "3.0", set(), set()),
        ("global\n tune.quic.retry-threshold 5\n", "3.4", set(), {"deprecated"}),
        ("global\n tune.quic.be.cc.max-win-size 1\n", "3.2", {"newer-keyword"}, set()),
        ("global\n tune.quic.be.cc.max-win-size 1\n", "3.4", set(), set()),
        ("global\n tune.quic.frontend.conn-tx-buffers.limit 5\n", "3.2", set(), {"deprecated"}),
        ("frontend f\n bind :1 quic-force-retry\n", "2.6", {"unknown-keyword"}, set()),
        ("frontend f\n bind :1 quic-force-retry\n", "3.2", set(), set()),
        # one argument more
        ("frontend f\n bind :1\n http-request deny if { url_param(a,,i) -m found }\n", "2.6", {"bad-condition"}, set()),
        ("frontend f\n bind :1\n http-request deny if { url_param(a,,i) -m found }\n", "2.8", set(), set()),
        ("frontend f\n bind :1\n http-request deny if { urlp_beg(a,,i) x }\n", "2.8", set(), set()),
        ("frontend f\n bind :1\n http-request deny if { urlp(a,,i,x) x }\n", "2.8", {"bad-condition"}, set()),
        ("frontend f\n bind :1\n http-request set-header X %[query(with_qm)]\n", "3.0", {"bad-format"}, set()),
        ("frontend f\n bind :1\n http-request set-header X %[query(with_qm)]\n", "3.2", set(), set()),
        ("frontend f\n bind :1\n http-request set-header X %[query(x)]\n", "3.2", {"bad-format"}, set()),
        ("frontend f\n bind :1\n http-request pause 1s\n", "3.0", {"newer-keyword"}, set()),
        ("frontend f\n bind :1\n http-request pause 1s\n", "3.2", set(), set()),
        ("global\n force-cfg-parser-pause 1s\n", "3.2", {"experimental"}, set()),
        ("peers p\n peer a 192.0.2.1\n", "2.6", set(), {"incomplete-peers"}),
        ("peers p\n peer a 192.0.2.1\n", "2.8", {"bad-address"}, {"incomplete-peers"}),
        ("peers p\n peer a unix@/tmp/a.sock\n", "2.8", set(), {"incomplete-peers"}),
        ("global\n localpeer a\npeers p\n bind :1\n server a\n server a\n", "2.6", {"duplicate-name"}, set()),
        ("global\n localpeer a\npeers p\n peer a :1\n peer b :2\n peer b :3\n", "2.6", set(), set()),
        ("global\n localpeer a\npeers p\n peer a :1\n peer b :2\n peer b :3\n", "2.8", {"duplicate-name"}, set()),
        ("frontend f\n bind :1\n http-request set-header X %[hdr(a),hmac(sha256,key)]\n", "2.2", set(), set()),
        ("frontend f\n bind :1\n http-request set-header X %[hdr(a),hmac(sha300,key)]\n", "2.2", {"bad-format"}, set()),
        ("frontend f\n bind :1\n http-request set-header X %[hdr(a),bytes(1,]\n", "3.2", {"bad-expression"}, set()),
        # refused, warned of or taken only later: as 2.2, 2.6, 2.8, 3.0 and 3.2 did when they were tried
        ("global\n mworker-max-reloads -1\n", "2.6", set(), {"bad-argument"}),
        ("global\n mworker-max-reloads -1\n", "2.8", {"bad-argument"}, set()),
        ("global\n mworker-max-reloads 5 6\n", "2.8", {"surplus-argument"}, set()),
        ("global\n nbthread 65\n", "2.8", {"missing-thread"}, set()),
        ("global\n nbthread 65\n thread-groups 2\n", "2.8", set(), set()),
        ("global\n nbthread 65\n", "3.2", set(), set()),
        ("global\n nbthread 70\n thread-groups 2\n thread-group 1 1-5\n", "3.2", {"missing-thread"}, set()),
        ("global\n tune.buffers.limit\n", "2.8", {"missing-argument"}, set()),
        ("global\n tune.buffers.limit\n", "3.0", set(), set()),
        ("global\n tune.buffers.limit -1\n", "2.8", set(), set()),
        ("global\n tune.buffers.limit -1\n", "3.0", {"bad-argument"}, set()),
        ("global\n httpclient.ssl.ca-file a b\n", "2.8", {"bad-argument"}, set()),
        ("global\n ocsp-update.maxdelay 299\n", "3.2", {"bad-argument"}, set()),
        ("global\n ocsp-update.mindelay 50\n ocsp-update.maxdelay 60\n", "3.2", set(), set()),
        ("global\n tune.ssl.ocsp-update.mindelay 3601\n", "3.0", {"bad-argument"}, set()),
        ("global\n tune.ssl.ocsp-update.mindelay 3600\n", "3.0", set(), set()),
        ("frontend f\n bind :1\n http-request set-tos 5\n", "3.2", set(), set()),
        ("global\n master-worker\nprogram x\n command true\n", "3.0", set(), set()),
        ("global\n master-worker\nprogram x\n command true\n", "3.2", {"removed-keyword"}, {"deprecated"}),
        ("global\n master-worker\n expose-deprecated-directives\nprogram x\n command true\n", "3.2", set(), set()),
        ("listen l\n bind :1\n dispatch 10.0.0.1:80\n", "3.4", set(), {"deprecated"}),
        ("global\n expose-deprecated-directives\nlisten l\n bind :1\n dispatch 10.0.0.1:80\n", "3.4", set(), set()),
        ("frontend b\n bind :1\nbackend b\n", "3.0", set(), set()),
        ("frontend b\n bind :1\nbackend b\n", "3.2", set(), {"duplicate-name"}),
        ("global\n lua-load /dev/null\n", "3.0", set(), set()),
        ("global\n lua-load /dev/null\n", "3.2", set(), {"deprecated"}),
        ("global\n tune.lua.bool-sample-conversion normal\n lua-load /dev/null\n", "3.2", set(), set()),
        (_MAILS, "3.0", set(), set()),
        ("backend b\n email-alert myhostname\n", "3.0", set(), {"incomplete-mail"}),
        ("backend b\n email-alert myhostname\n", "3.2", {"missing-argument"}, {"incomplete-mail"}),
        (_MAILS, "3.2", set(), {"deprecated"}),
        ("backend b\n mode health\n", "2.2", {"bad-argument"}, set()),
        (_TWINS, "2.6", set(), set()),
        (_TWINS, "3.2", set(), {"duplicate-name"}),
        (_TWINS, "3.3", {"duplicate-name"}, set()),
        # values that are read in another way, or new
        ("global\n tune.bufsize 32k\n", "3.2", set(), set()),
        ("global\n tune.bufsize 32kb\n", "3.2", {"bad-argument"}, set()),
        ("global\n tune.rcvbuf.client 16ms\n", "3.0", set(), set()),
        ("global\n tune.rcvbuf.client 16ms\n", "3.2", {"bad-argument"}, set()),
        ("global\n tune.pattern.cache-size 5 6\n", "3.0", set(), set()),
        ("global\n tune.pattern.cache-size 5 6\n", "3.2", {"bad-argument"}, set()),
        ("global\n tune.stick-counters 5x\n", "2.8", {"bad-argument"}, set()),
        ("global\n tune.ring.queues 17\n", "3.0", {"bad-argument"}, set()),
        ("global\n tune.ring.queues\n", "3.0", set(), set()),
        ("global\n tune.quic.retry-threshold 0\n", "3.2", {"bad-argument"}, set()),
        ("global\n http-err-codes 404,500-503 -499\n", "3.2", set(), set()),
        ("global\n http-err-codes 503-500\n", "3.2", {"bad-argument"}, set()),
        ("global\n setcap cap_net_raw,cap_net_admin\n", "2.8", set(), set()),
        ("global\n setcap net_raw\n", "2.8", {"bad-argument"}, set()),
        ("global\n cpu-policy performance\n", "3.2", set(), set()),
        ("global\n cpu-policy fast\n", "3.2", {"bad-argument"}, set()),
        ("global\n stress-level\n", "3.2", {"missing-argument"}, set()),
        # newer than 2.6
        ("listen l\n bind :1\n server s 10.0.0.1:80 check-reuse-pool\n", "2.6", {"newer-keyword"}, set()),
        ("listen l\n bind :1\n server s 10.0.0.1:80 check-reuse-pool\n", "3.2", set(), set()),
        ("global\n tune.h2.be.glitches-threshold 5\n", "3.0", set(), set()),
        ("global\n tune.h2.be.glitches-threshold\n", "3.0", set(), set()),
        ("global\n tune.h2.be.glitches-threshold 5\n", "2.7", {"newer-keyword"}, set()),
        ("listen l\n bind :1 guid-prefix g name n\n", "3.0", set(), set()),
        ("listen l\n bind :1 guid-prefix g nome n\n", "3.0", {"unknown-keyword"}, set()),
        ("listen l\n bind :1 guid-prefix g\n", "2.6", {"newer-keyword"}, set()),
        ("listen l\n bind :1\n http-request deny if { req.bytes_in gt 5 }\n", "3.4", set(), set()),
        ("listen l\n bind :1\n http-request do-log\n", "3.2", set(), set()),
        ("crt-store s\n load crt a.pem\n", "3.0", set(), set()),
        # older than 2.6, and newer than the target
        ("listen l\n bind :1\n http-request return status 200\n", "2.0", {"newer-keyword"}, set()),
        ("listen l\n bind :1\n http-request return status 200\n", "2.2", set(), set()),
        ("listen l\n bind :1\n server s 10.0.0.1:80 ws h2\n", "2.4", {"newer-keyword"}, set()),
        ("listen l\n bind :1\n http-request set-header a %[path,json_query('$.a')]\n", "2.2", {"newer-keyword"}, set()),
        ("defaults d\n http-request deny\nfrontend f from d\n bind :1\n", "2.4", {"newer-keyword"}, set()),
        ("defaults d\n mode http\nbackend f from d\n", "2.2", {"newer-keyword"}, set()),
        ('listen l\n bind :1\n log-format "%HPO"\n', "2.2", {"newer-keyword"}, {"no-log"}),
        ('listen l\n bind :1\n log-format "%HPO"\n', "2.4", set(), {"no-log"}),
        ("listen l\n bind :1\n http-request set-header a %Tu\n", "2.0", {"newer-keyword"}, set()),
        # bandwidth, log backends, and where a rule may stand
        ("listen l\n mode http\n bind :1\n http-request set-bandwidth-limit x\n", "2.8", {"unknown-filter"}, set()),
        (
            "listen l\n mode http\n bind :1\n filter bwlim-in x default-limit 1 default-period 1s\n http-request set-bandwidth-limit x\n",
            "3.2",
            set(),
            set(),
        ),
        ("listen l\n mode http\n bind :1\n filter bwlim-in x default-limit 1\n", "2.8", {"bad-argument"}, set()),
        ("listen l\n mode http\n bind :1\n filter bwlim-in x limit 1 key src\n", "2.8", {"unknown-table"}, set()),
        (
            "listen l\n mode http\n bind :1\n filter bwlim-in x limit 1 key src\n stick-table type ip size 1k store bytes_in_rate(1s)\n",
            "3.0",
            set(),
            set(),
        ),
        (
            "listen l\n mode http\n bind :1\n filter bwlim-in x limit 1 key src default-limit 5\n",
            "3.0",
            {"bad-argument"},
            set(),
        ),
        ("listen l\n mode http\n bind :1\n http-request set-retries 3\n", "3.2", set(), set()),
        ("frontend l\n mode http\n bind :1\n http-request set-retries 3\n", "3.2", {"wrong-section"}, set()),
        ("listen l\n mode http\n bind :1\n log backend@x local0\n", "3.0", set(), set()),
        ("listen l\n mode http\n bind :1\n log backend@x local0\n", "2.8", {"bad-address"}, set()),
        ("listen l\n mode http\n bind :1\n balance log-hash upper\n", "3.0", set(), {"ignored-argument"}),
        ("listen l\n mode http\n bind :1\n balance log-hash upper\n", "2.8", {"bad-argument"}, set()),
        ("listen l\n mode http\n bind :1\n acl x path -f virt@l\n", "3.0", set(), set()),
        (
            'listen l\n mode http\n bind :1\n log 127.0.0.1 local0\n log-format "${HAPROXY_HTTP_LOG_FMT} x"\n',
            "2.8",
            set(),
            set(),
        ),
        ("listen l\n bind :1\n acl x src,table_inc_gpc0 gt 5\n", "3.2", {"unknown-table"}, set()),
        (
            "listen l\n bind :1\n stick-table type ip size 1 store gpc0\n acl x src,table_inc_gpc0 gt 5\n",
            "3.2",
            set(),
            set(),
        ),
        # QUIC is in the builds of versions behind 2.6
        ("listen l\n bind quic4@:1 ssl crt a.pem\n", "2.4", {"bad-address"}, set()),
        ("listen l\n bind quic4@:1 ssl crt a.pem\n", "2.6", {"bad-address"}, set()),
        ("listen l\n bind quic4@:1 ssl crt a.pem\n", "2.8", set(), set()),
        ("listen l\n bind quic6@[::]:1 ssl crt a.pem\n", "3.4", set(), set()),
        ("listen l\n mode http\n bind quic4@:1,quic6@:1 ssl crt a.pem\n", "3.0", set(), set()),
        ("listen l\n mode http\n bind quic4@:1,:2 ssl crt a.pem\n", "2.8", {"bad-address"}, set()),
        ("listen l\n mode http\n bind :2,quic4@:1 ssl crt a.pem\n", "3.2", {"bad-address"}, set()),
        ("listen l\n mode http\n bind quic4@:1 ssl crt a.pem proto h2\n", "3.0", {"incompatible-protocol"}, set()),
        ("listen l\n mode tcp\n bind quic4@:1 ssl crt a.pem\n", "3.0", {"incompatible-protocol"}, set()),
        ("listen l\n mode tcp\n bind quic4@:1 ssl crt a.pem proto none\n", "3.0", {"incompatible-protocol"}, set()),
        ("listen l\n mode tcp\n bind quic4@:1 ssl crt a.pem\n", "2.6", {"bad-address"}, set()),
        # as the programs of these versions say
        ("listen l\n mode http\n bind :1\n default option http-use-htx\n", "2.2", {"surplus-argument"}, set()),
        ("listen l\n mode http\n bind :1\n log-format %Ci\n", "2.2", set(), {"deprecated", "no-log"}),
        ("listen l\n mode http\n bind :1\n log-format %Ci\n", "2.4", {"bad-format"}, {"no-log"}),
        ("listen l\n mode http\n bind :1\n srvexp a b\n", "2.0", set(), set()),
        ("listen l\n mode http\n bind :1\n srvexp a b\n", "2.2", {"removed-keyword"}, set()),
        ("global\n nbproc 2\n nbthread 2\n", "2.2", {"bad-argument"}, set()),
        ("global\n nbproc 2\n nbthread 1\n", "2.2", set(), set()),
        ("global\n nbproc\n", "2.2", {"bad-argument"}, set()),
        ("global\n nbproc 65\n", "2.2", {"bad-argument"}, set()),
        ("global\n nbproc 2 3\n", "2.2", {"bad-argument"}, set()),
        ("global\n nbthread 65\n", "2.6", {"bad-argument"}, set()),
        ("global\n nbthread 256\n thread-groups 16\n", "2.8", set(), set()),
        ("global\n nbthread 257\n", "3.0", {"bad-argument"}, set()),
        ("global\n nbthread 1024\n thread-groups 32\n", "3.2", set(), set()),
        ("global\n setenv A b c\n", "2.6", set(), set()),
        ("global\n setenv A b c\n", "2.8", {"bad-argument"}, set()),
        ("global\n debug\n", "2.2", set(), {"deprecated"}),
        ("global\n debug\n", "2.4", {"removed-keyword"}, set()),
        ("listen l\n bind :1\n option http-use-htx\n option http-tunnel\n", "2.2", set(), {"deprecated"}),
        ("listen l\n bind :1\n mode health\n", "2.2", set(), set()),
        ("listen l\n bind :1\n mode health\n", "2.6", {"removed-keyword"}, set()),
        ("listen l\n bind :1\n monitor-net 10.0.0.0/8\n", "2.2", set(), set()),
        ("listen l\n bind :1\n monitor-net x\n", "2.2", {"bad-argument"}, set()),
        ("listen l\n bind :1\n option forwardfor except ::1\n", "2.2", {"bad-argument"}, set()),
        ("listen l\n bind :1\n option forwardfor except ::1\n", "2.4", set(), set()),
        ("frontend f\n bind tcp@127.0.0.1:1\n", "2.2", {"bad-address"}, set()),
        ("frontend f\n bind tcp@127.0.0.1:1\n", "2.4", set(), set()),
        ("backend b\n server s 10.0.0.1:80x\n", "2.8", set(), set()),
        ("backend b\n server s 10.0.0.1:80x\n", "3.0", {"bad-address"}, set()),
        ("frontend f\n bind :80-90x\n", "3.0", {"bad-address"}, set()),
        ("backend b\n server s 10.0.0.1:+5\n server t 10.0.0.1:\n", "3.0", set(), set()),
        ("frontend f\n bind :1\n http-request deny if HTTP_2.0\n", "2.2", {"bad-condition"}, set()),
        ("frontend f\n bind :1\n http-request deny if HTTP_2.0\n", "2.4", set(), set()),
        ("frontend f\n bind :1\n http-request set-var(txn.a,ifexists) src\n", "2.4", {"bad-argument"}, set()),
        ("frontend f\n bind :1\n option http-pretend-keepalive\n", "3.0", set(), {"ignored-here"}),
        ("frontend f\n bind :1\n option http-pretend-keepalive\n", "3.2", {"bad-argument"}, set()),
        ("frontend f\n bind :1\n no option accept-invalid-http-request\n", "3.2", {"bad-argument"}, {"deprecated"}),
        ("frontend f\n bind :1\n mode log\n", "3.0", {"bad-argument"}, set()),
        ("backend b\n option httpchk GET / HTTP/1.1 www\n", "3.0", {"bad-argument"}, set()),
        ("backend b\n option httpchk GET / HTTP/1.1 www\n", "3.2", set(), set()),
        ("backend b\n option httpchk GET / HTTP/1.1\\r\\nHost:\\ x\n", "2.6", set(), {"deprecated"}),
        ("backend b\n option httpchk GET / HTTP/1.1\\r\\nHost:\\ x\n", "2.8", {"bad-argument"}, set()),
        ("backend b c\n", "2.8", set(), set()),
        ("backend b c\n", "3.2", {"bad-argument"}, set()),
        ("frontend f\n bind :1\n errorfile 503 /dev/null x\n", "2.8", {"bad-argument"}, set()),
        ("http-errors e\n errorfile 503 /dev/null x\n", "3.0", set(), set()),
        ("frontend f\n bind :1\n errorloc303 503 /a b\n", "2.6", set(), set()),
        ("frontend f\n bind :1\n errorloc303 503 /a b\n", "2.8", {"bad-argument"}, set()),
        ("backend b\n stick-table type string len 5x size 1k\n", "2.6", set(), set()),
        ("backend b\n stick-table type string len 5x size 1k\n", "2.8", {"bad-argument"}, set()),
        ("backend b\n stick-table type binary len +5 size 1k\n", "3.2", set(), set()),
        ("frontend f\n bind :1\n timeout client-hs 5x\n", "3.0", {"bad-argument"}, set()),
        ("global\n maxconn 5k\n", "2.6", set(), set()),
        ("global\n maxconn 5k\n", "2.8", {"bad-argument"}, set()),
        ('backend b\n "" leastconn\n', "2.6", set(), set()),
        ("listen l 127.0.0.1:80\n", "2.8", {"old-listen-address"}, set()),
        ("listen l 127.0.0.1:80\n", "2.2", {"old-listen-address"}, set()),
        ("backend b\n server s 10.0.0.1:+5x\n", "3.0", {"bad-address"}, set()),
        ("backend b\n server s 10.0.0.1:5x\n server t 10.0.0.1:+70000\n", "2.8", set(), set()),
        ("backend b\n server s 10.0.0.1:70000\n dispatch 10.0.0.1:70000\n", "2.2", set(), set()),
        ("backend b\n server s 10.0.0.1:70000\n", "2.6", {"bad-address"}, set()),
        ("frontend f\n bind :70000\n", "2.2", {"bad-address"}, set()),
        ("backend b\n timeout server 30us\n", "2.2", {"bad-argument"}, set()),
        ("backend b\n stick-table type ip size 1k store http_req_rate(30us)\n", "2.2", {"bad-argument"}, set()),
        ("backend b\n timeout server 30us\n", "2.6", set(), set()),
        ("frontend f\n bind :1\n mode tcp\n unique-id-format %HU\n", "2.8", {"needs-http"}, set()),
        ("frontend f\n bind :1\n mode tcp\n unique-id-format %HU\n", "3.0", set(), set()),
        # what is written empty ends a line; what is empty for want of a variable vanishes since 2.8
        ('backend b\n "" modex\n', "2.8", set(), set()),
        ('backend b\n "${HAPY_UNSET}" modex\n', "2.6", set(), set()),
        ('backend b\n server s 10.0.0.1:80 "${HAPY_UNSET}" chekc\n', "2.6", set(), set()),
        ('backend b\n server s 10.0.0.1:80 "${HAPY_UNSET}" chekc\n', "2.8", {"unknown-keyword"}, set()),
        ("defaults\nglobal\n nbthread 1\n", "2.8", {"wrong-section"}, set()),
        ("defaults\nglobal\n nbthread 1\n", "2.6", set(), set()),
        ("global\n nbthread 1\n", "2.8", set(), set()),
        ("global\n nbthread 2\n thread-groups 2\n thread-group 1 1\n thread-group 2 2\n", "2.8", set(), set()),
        ("global\n nbthread 2\n thread-groups 2\n thread-group 1 1\n", "2.8", set(), set()),
        ("global\n nbthread 2\n thread-group 1 1\n", "2.8", {"missing-thread"}, set()),
        ("ring r\n size 99\n", "2.2", set(), set()),
        ("ring r\n size 99\n", "2.6", {"bad-argument"}, {"ignored-argument"}),
        ("ring r\n size 99\n", "2.8", set(), {"ignored-argument"}),
        ("ring r\n size 99\n", "3.0", set(), set()),
        ("frontend f\n bind :1\n http-request set-header a %[var(txn.a,b)]\n", "2.4", {"bad-expression"}, set()),
        ("frontend f\n bind :1\n http-request set-header a %[src,bytes(txn.a,4)]\n", "3.0", set(), set()),
        ("frontend f\n bind :1\n http-request set-header a %[src,bytes(4S,4)]\n", "3.0", {"bad-expression"}, set()),
        ("frontend f\n bind :1\n option http-use-htx x\n", "2.2", {"bad-argument"}, set()),
        # servers without a port, and checks that have one
        (f"{_CHECKED} tcp-check connect port 9\n server s 10.0.0.1 check\n", "2.2", {"missing-check-port"}, set()),
        (f"{_CHECKED} tcp-check connect port 9\n server s 10.0.0.1 check\n", "2.6", set(), set()),
        ("backend b\n option redis-check\n server s 10.0.0.1:65536 check\n", "2.2", set(), set()),
        ("backend b\n server s 10.0.0.1:065536 check\n server t [::1]:131072 check\n", "2.2", set(), set()),
        ("backend b\n server s 10.0.0.1:+65536 check\n", "2.2", {"missing-check-port"}, set()),
        ("frontend f\n bind :1\n no option http-use-htx\n", "2.0", set(), set()),
        ("frontend f\n bind :1\n no option http-use-htx\n", "2.2", set(), {"deprecated"}),
        ("frontend f\n bind :1\n option http-use-htx\n", "2.2", set(), set()),
        # actions behind 2.6 and what they take
        ("frontend f\n bind :1\n http-request pause 5ms if { path /a }\n", "3.2", set(), set()),
        ("frontend f\n bind :1\n http-request pause int(5) if { path /a }\n", "3.2", set(), set()),
        ("frontend f\n bind :1\n http-request pause %[src]\n", "3.2", {"bad-expression"}, set()),
        ("frontend f\n bind :1\n http-request pause 5ms\n", "2.6", {"newer-keyword"}, set()),
        ("frontend f\n bind :1\n http-request set-timeout client 5s if { path /a }\n", "3.0", set(), set()),
        ("frontend f\n bind :1\n http-request set-fc-mark 0x10 if { path /a }\n", "3.0", set(), set()),
        ("frontend f\n bind :1\n http-request set-fc-mark hdr(a),lenght\n", "3.0", {"bad-expression"}, set()),
        (
            "frontend f\n bind :1\n http-request set-bandwidth-limit x limit 1m period 1s\n",
            "2.8",
            {"unknown-filter"},
            set(),
        ),
        ("frontend f\n bind :1\n http-request track-sc3 src\n", "2.8", {"bad-argument", "unknown-table"}, set()),
        # the same everywhere
        ("listen l\n bind :1\n nonsense\n", "1.8", {"unknown-keyword"}, set()),
        ("listen l\n bind :1\n nonsense\n", "3.4", {"unknown-keyword"}, set()),
    ],
)
def test_verdicts(tmp_path: Path, text: str, version: str, errors: set[str], warnings: set[str]) -> None:
    found_errors, found_warnings = verdict(tmp_path, text, version)
    assert found_errors == errors
    assert found_warnings - {"missing-timeouts"} == warnings


def test_a_missing_line_feed(tmp_path: Path) -> None:
    assert verdict(tmp_path, "listen l\n bind :1", "2.0") == (set(), set())
    assert verdict(tmp_path, "listen l\n bind :1", "2.2")[1] >= {"missing-newline"}
    assert verdict(tmp_path, "listen l\n bind :1", "2.6")[0] == {"missing-newline"}


@pytest.mark.parametrize(("target", "fatal"), [((2, 6), False), ((2, 8), True)])
def test_which_version_refuses_a_bad_address_of_log_forward(
    tmp_path: Path, target: tuple[int, int], *, fatal: bool
) -> None:
    file = tmp_path / "t.cfg"
    file.write_text(BASE + "log-forward f\n bind 127.0.0.1:abc\n", encoding="utf-8")
    found = read_config([str(file)], env={}, target=target).diagnostics
    assert [one.fatal for one in found if one.code == "bad-address"] == [fatal]


def test_which_versions_there_are() -> None:
    assert parse_version("2.6.12") == (2, 6)
    assert parse_version("v3.4") == (3, 4)
    assert parse_version("1.7") is parse_version("2") is parse_version("x.y") is parse_version("3.9") is None
    assert list(VERSIONS) == sorted(VERSIONS)


def test_what_runs_though_it_is_newer_is_an_error_of_the_version(tmp_path: Path) -> None:
    file = tmp_path / "t.cfg"
    file.write_text(BASE + "listen l\n bind :1\n http-request set-header a %[bc_nb_streams]\n", encoding="utf-8")
    found = read_config([str(file)], env={}, target=(2, 6)).diagnostics
    assert [one.code for one in found if one.severity is Severity.ERROR][:1] in (["newer-keyword"], ["bad-format"])


def test_a_section_that_runs_though_it_is_newer_is_read_for_its_versions(tmp_path: Path) -> None:
    text = "crt-store s\n load alias x\nlisten l\n bind :1\n"
    assert verdict(tmp_path, text, "2.6")[0] == {"newer-section"}
    assert verdict(tmp_path, text, "2.8")[0] == {"newer-keyword"}
    assert verdict(tmp_path, text, "3.0")[0] == {"missing-argument"}
    assert "missing-argument" not in verdict(tmp_path, text.replace("alias x", "crt a.pem alias x"), "3.0")[0]
