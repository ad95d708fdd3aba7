"""Arguments that only some versions take."""

from __future__ import annotations

from pathlib import Path

import pytest

from hapy_config import Severity, read_config
from hapy_config.codes.spec import BASE
from hapy_config.keywords.spec import TARGET, Version
from hapy_config.keywords.values import VALUES, Value, values_in, without
from hapy_config.targets import VERSIONS

_BACKEND = "listen l\n bind :1\n server s 10.0.0.1:80\n "
#: A configuration for each, with the line whole; by the line's beginning, and by the word where that is not enough.
LINES: dict[tuple[str, ...], str] = {
    ("balance", "random"): _BACKEND + "balance random(2)",
    ("balance", "hash"): _BACKEND + "balance hash src",
    ("balance", "sticky"): _BACKEND + "balance sticky",
    ("hash-type",): _BACKEND + "hash-type consistent none",
    ("mode", "log"): "backend b\n mode log\n balance log-hash upper\n server s udp@10.0.0.1:514",
    ("mode", "spop"): "backend b\n mode spop\n server s 10.0.0.1:9000",
    ("log", "sample"): "global\n log 127.0.0.1 sample 1:2 local0",
    ("log", "profile"): "global\n log 127.0.0.1 profile p local0",
    ("option", "tcplog"): "listen l\n bind :1\n mode tcp\n option tcplog clf",
    ("option", "mysql-check"): _BACKEND + "option mysql-check user u post-80",
    ("http-request", "set-timeout"): "frontend f\n bind :1\n http-request set-timeout {} 5s",
    ("format",): "ring r\n format {}\n size 20000",
    ("http-request", "silent-drop"): "frontend f\n bind :1\n http-request silent-drop rst-ttl 3",
    ("http-response", "silent-drop"): "frontend f\n bind :1\n http-response silent-drop rst-ttl 3 if TRUE",
    ("tcp-request", "connection"): "frontend f\n bind :1\n tcp-request connection silent-drop rst-ttl 3",
    ("tcp-request", "session"): "frontend f\n bind :1\n tcp-request session silent-drop rst-ttl 3",
    ("tcp-request", "content"): "frontend f\n bind :1\n tcp-request content silent-drop rst-ttl 3",
    ("tcp-response", "content"): _BACKEND + "tcp-response content silent-drop rst-ttl 3",
    ("http-request", "wait-for-body"): "frontend f\n bind :1\n http-request wait-for-body time 1s use-large-buffer",
    ("http-response", "wait-for-body"): _BACKEND + "http-response wait-for-body time 1s use-large-buffer",
    ("stick-table", "gpc"): "backend b\n stick-table type ip size 1k store gpc(2),conn_cur",
    ("stick-table", "gpc_rate"): "backend b\n stick-table type ip size 1k store gpc_rate(2,10s)",
    ("stick-table", "gpt"): "backend b\n stick-table type ip size 1k store gpt(2)",
    ("stick-table", "http_fail_rate"): "backend b\n stick-table type ip size 1k store http_fail_rate(10s)",
    ("stick-table", "glitch_rate"): "backend b\n stick-table type ip size 1k store conn_cur,glitch_rate(10s)",
    ("stick-table", "srvkey"): "backend b\n stick-table type ip size 1k srvkey addr",
    ("stick-table", "write-to"): "backend b\n stick-table type ip size 1k write-to b",
    ("stick-table", "recv-only"): "backend b\n stick-table type ip size 1k recv-only",
    ("stick-table", "brates-factor"): "backend b\n stick-table type ip size 1k brates-factor 2",
    ("stick-table",): "backend b\n stick-table type ip size 1k store {} expire 5s",
    ("bind", "by-group"): "frontend f\n bind :1 shards by-group name n",
    ("bind", "X509_V_*"): "frontend f\n bind :1 ssl crt a.pem {after} X509_V_ERR_CERT_REVOKED,23",
    ("set-dumpable",): "global\n set-dumpable {}",
    ("tune.idle-pool.shared",): "global\n tune.idle-pool.shared full",
}


def _text(value: Value) -> str:
    """The configuration for a value."""
    line = value.line
    for key in ((line[0], value.word), line[:2], line[:1]):
        if key in LINES:
            return LINES[key].replace("{after}", value.after).replace("{}", value.word) + "\n"
    raise KeyError(value)


def _errors(folder: Path, text: str, version: Version) -> list[str]:
    file = folder / "t.cfg"
    file.write_text(BASE + text, encoding="utf-8")
    result = read_config([str(file)], env={}, target=version, assume_machine=True)
    return [one.code for one in result.diagnostics if one.severity is Severity.ERROR and not one.environment]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: " ".join((*value.line, value.word, value.after)))
def test_each_is_known_from_its_version_on(tmp_path: Path, value: Value) -> None:
    text = _text(value)
    known = [version for version in VERSIONS if not _errors(tmp_path, text, version)]
    assert known
    assert known == [version for version in VERSIONS if version >= known[0]]
    assert known[0] == max(value.since, known[0])  # the keyword itself may be newer
    before = [version for version in VERSIONS if version < value.since]
    if before:
        found = _errors(tmp_path, text, before[-1])
        assert "newer-keyword" in found
        if value.since > TARGET:
            assert set(_errors(tmp_path, text, TARGET)) >= {"newer-keyword"}


def test_names_are_not_taken_for_arguments() -> None:
    for line in ("balance url_param random", "server none 10.0.0.1:80", "log-format profile", "option tcplog"):
        assert not list(values_in(line.split()))


def test_what_stands_in() -> None:
    def shown(line: str) -> str:
        words = line.split()
        kept, indices = without(words, list(values_in(words)))
        assert len(kept) == len(indices)
        return " ".join(kept)

    assert shown("log 127.0.0.1 profile p local0 info") == "log 127.0.0.1 local0 info"
    assert shown("stick-table type ip size 1 store glitch_cnt expire 5s") == "stick-table type ip size 1 expire 5s"
    assert shown("stick-table type ip size 1 store a,gpt(2),b") == "stick-table type ip size 1 store a,b"
    assert shown("bind :1 ssl crt-ignore-err X509_V_A,23") == "bind :1 ssl crt-ignore-err 10,23"
    assert shown("mode log") == "mode tcp"
    assert shown("mode http") == "mode http"
