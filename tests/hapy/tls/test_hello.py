"""The ClientHello as Python's own TLS sends it, whole, in pieces, cut and garbled."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.tls.hello import ClientHello, NotTls, read_hello


def _hello(
    name: str | None = "a.test", *, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, ciphers: str = ""
) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


HELLO = _hello()


def test_name_and_version():
    hello = read_hello(HELLO)
    assert hello is not None
    assert (hello.server_name, hello.version, hello.key_kinds) == (b"a.test", 0x0304, ["ecdsa", "rsa", "ecdsa", "rsa"])


def test_without_a_name():
    hello = read_hello(_hello(None))
    assert hello is not None
    assert hello.server_name == b""


@pytest.mark.parametrize(
    ("ciphers", "ecdsa"), [("ECDHE-RSA-AES128-GCM-SHA256", False), ("ECDHE-ECDSA-AES128-GCM-SHA256", True)]
)
def test_ecdsa_by_suite_below_13(ciphers, ecdsa):
    hello = read_hello(_hello(version=ssl.TLSVersion.TLSv1_2, ciphers=ciphers))
    assert hello is not None
    assert (hello.version, "ecdsa" in hello.key_kinds) == (0x0303, ecdsa)


def test_every_part_waits_for_more():
    for end in range(len(HELLO)):
        assert read_hello(HELLO[:end]) is None


def test_over_two_records():
    body = HELLO[5:]
    half = len(body) // 2
    parts = [HELLO[:3] + len(part).to_bytes(2, "big") + part for part in (body[:half], body[half:])]
    assert read_hello(b"".join(parts)) == read_hello(HELLO)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x02\x00\x00\x05hello",
        b"\x16\x03\x01\x00\x00" * 65,
        b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00",
    ],
)
def test_no_tls(data):
    with pytest.raises(NotTls):
        read_hello(data)


@given(st.integers(5, len(HELLO) - 1), st.binary(min_size=1, max_size=20))
def test_garbled_is_refused_or_read(place, junk):
    try:
        hello = read_hello(HELLO[:place] + junk + HELLO[place + len(junk) :])
    except NotTls:
        return
    assert hello is None or isinstance(hello, ClientHello)
