"""Handshakes towards servers: sessions are offered again, each name has its own, and all of it is counted."""

from __future__ import annotations

import ssl

import pytest
import trustme

import hapy_config
from hapy.observe.counters import TLS, ServerCounters
from hapy.proxy.runtime import build

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def server(options: str = ""):
    text = f"""
global
    maxconn 10
listen l
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
    server s 127.0.0.1:1 ssl verify none sni req.hdr(host) {options}
"""
    result = hapy_config.read_text(text)
    assert result.config is not None
    return build(result.config, descriptors=100).backends["l"].servers[0]


def shake(outgoing, name: bytes, context: ssl.SSLContext) -> bool:
    """One connection that is served some bytes; whether it took up an earlier session."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = outgoing.begin(name, down, up)
    theirs = context.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert outgoing.accept(name, ours) == ""
    theirs.write(b"x")
    assert ours.read(1) == b"x"
    outgoing.keep(name, ours)
    return bool(ours.session_reused)


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_each_name_takes_up_its_own_session(version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = version
    trustme.CA().issue_cert("a.test", "b.test").configure_cert(context)
    running = server()
    outgoing = running.connector.tls
    before = TLS.backend_keys.count
    assert [shake(outgoing, name, context) for name in (b"a.test", b"b.test", b"a.test", b"b.test")] == [
        False,
        False,
        True,
        True,
    ]
    assert (running.counters.ssl_sess, running.counters.ssl_reused_sess) == (2, 2)
    assert (running.backend.counters.ssl_sess, running.backend.counters.ssl_reused_sess) == (2, 2)
    assert TLS.backend_keys.count - before <= 2


def test_no_ssl_reuse() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("a.test").configure_cert(context)
    outgoing = server("no-ssl-reuse").connector.tls
    assert not any(shake(outgoing, b"a.test", context) for _ in range(3))


def test_failures_are_counted() -> None:
    outgoing = server().connector.tls
    counters = ServerCounters()
    outgoing.tallies = (counters,)
    outgoing.fail()
    assert counters.ssl_failed_handshake == 1
