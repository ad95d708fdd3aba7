"""Lines of the smaller sections and of health checks: hapy refuses what HAProxy refuses, and warns where it warns."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from hapy_config import read_config
from hapy_config.keywords.spec import TARGET

BASE = """\
defaults
 mode http
 timeout client 1s
 timeout server 1s
 timeout connect 1s
backend b
 server s 127.0.0.1:80
 {backend}
frontend f
 bind 127.0.0.1:7999
 default_backend b
 {frontend}
http-errors he
 errorfile 503 {page}
{section}
"""

BACKEND = (
    "http-check connect proto none",
    "http-check connect proto fcgi",
    "tcp-check connect proto none",
    "tcp-check connect proto h2",
    "tcp-check expect ok-status L4CON string a",
    "tcp-check expect ok-status l7okc string a",
    "tcp-check expect error-status L7OK string a",
    "tcp-check expect tout-status L7RSP string a",
    "http-check expect tout-status L6TOUT status 200",
    "http-check expect status 200-",
    "http-check expect status 299-200",
    "http-check expect status 200-299-300",
    "http-check expect status -200,,201,",
    "http-check expect status 200-x",
    "http-check expect ! ! string a",
    "http-check expect !!string a",
    "http-check expect !! comment a string b",
    "http-check expect hdr name a value b full",
    "http-check expect hdr name a value b value c",
    "http-check expect hdr name a name-lf b",
    "http-check expect hdr name -m str",
    "http-check expect hdr name a value -m str",
    "http-check expect hdr name -m",
)

FRONTEND = (
    "errorfiles he 503 500",
    "errorfiles nope",
    "http-error status 500 errorfiles he",
    "http-error status 503 errorfiles he",
    "http-error status 503 errorfiles nope",
    "http-request set-header x %[path,map_str_ip(/dev/null)]",
    "http-request set-header x %[path,map_str_ip(/dev/null),hex]",
    "http-request set-header x %[path,map_str_ip(/dev/null),ipmask(24)]",
    "http-request set-header x %[path,map_str_ip(/dev/null),in_table(f)]",
    "http-request set-header x %[path,map_str_ip(/dev/null,1.2.3.4/24)]",
    "http-request set-header x %[path,map_str_ip(/dev/null,1.2.3)]",
    "http-request set-header x %[path,map_str_ip(/dev/null,)]",
    "http-request deny if { path,map_str_ip(/dev/null) 1.2.3.4 }",
    "http-request deny if { path,map_str_ip(/dev/null) -m ip 1.2.3.4 }",
    "http-request set-header x %[path,debug(a,buf0)]",
    "http-request set-header x %[path,debug(a,nowhere)]",
    "http-request set-header x %[fc_sacked(1)]",
    "acl x lua.none -m found",
    "http-request set-header x %[path,lua.none]",
    "stick-table type ip size 1k\n http-request track-sc0 path,map_str_ip(/dev/null)",
    "stick-table type integer size 1k\n http-request track-sc0 ipv6(::1)",
    "http-request deny errorfiles he",
    "http-request deny status 503 errorfiles he",
    "http-request deny errorfiles nope",
)

SECTIONS = (
    "backend z\n acl a src 10.0.0.0/+8 ::1/+64",
    'backend z\n acl a src 10.0.0.0/-0 10.0.0.0/" 5"',
    "backend z\n acl a src 10.0.0.0/-5",
    "backend z\n acl a src 10.0.0.0/+33",
    "backend z\n acl a src 10.0.0.0/+",
    "backend z\n option forwardfor except 10.0.0.0/+8",
    "listen z\n bind 127.0.0.1:7998-+7999",
    "listen z\n bind 127.0.0.1:7998--7999",
    "listen b\n bind :7998",
    "listen f\n bind :7998",
    "defaults x from",
    "defaults x\n mode http\n http-request capture path len 5\nbackend z from x",
    "defaults x\n mode http\n http-request capture path id 0\nbackend z from x",
    "defaults x\n mode http\n http-request capture path id 0\nfrontend z from x\n bind :7998",
    "cache x\n total-max-size 1\n max-secondary-entries -1",
    "cache x\n total-max-size 1\n max-secondary-entries 4294967296",
    "cache x\n total-max-size 1\n max-secondary-entries 5a",
    "cache x\n total-max-size +4",
    'cache x\n total-max-size " 4"\n max-object-size -0\n max-secondary-entries " -5"',
    "mailers m\n mailer a /tmp/x",
    "mailers m\n mailer a abns@x",
    "mailers m\n mailer a 127.0.0.1:25",
    "log-forward x\n dgram-bind tcp@:5515",
    "log-forward x\n dgram-bind udp4@:5515",
    "log-forward x\n bind tcp@:5515",
    "log-forward x\n dgram-bind :5515\n no log",
    "log-forward x\n dgram-bind :5515\n no log global",
    "peers q\n no log",
    "peers q\n peer x 127.0.0.1:5\n bind",
    "peers q\n table t type ip size 1k peers q",
)


@pytest.mark.referee
@pytest.mark.parametrize(
    ("place", "line"),
    [
        *(("backend", line) for line in BACKEND),
        *(("frontend", line) for line in FRONTEND),
        *(("section", line) for line in SECTIONS),
    ],
)
def test_verdict(haproxy: str, place: str, line: str, tmp_path: Path) -> None:
    page = tmp_path / "503.http"
    page.write_text("HTTP/1.0 503 Away\r\nContent-Length: 0\r\n\r\n", encoding="ascii")
    file = tmp_path / "t.cfg"
    file.write_text(BASE.format_map({"backend": "", "frontend": "", "section": "", place: line, "page": page}))
    done = subprocess.run([haproxy, "-c", "-f", file], capture_output=True, check=False, text=True)
    result = read_config([str(file)], env={}, target=TARGET)
    assert (result.config is None) == (done.returncode == 1)
    if done.returncode != 1:
        theirs = len(re.findall(r"^\[WARNING\]", done.stderr, re.MULTILINE))
        assert sum(found.severity.name == "WARNING" for found in result.diagnostics) == theirs
