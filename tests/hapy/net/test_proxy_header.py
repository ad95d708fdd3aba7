"""PROXY headers: what is written can be read, whatever comes is read or refused."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.net import netscaler, proxy_header
from hapy.net.proxy_header import BadHeader, Header, read_header

PORTS = st.integers(0, 65535)
PAIRS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)),
    st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6)),
)


@given(PAIRS, PORTS, PORTS, st.sampled_from([proxy_header.line, proxy_header.binary]), st.binary())
def test_round_trip(pair, source_port, destination_port, write, behind):
    texts = [socket.inet_ntop(socket.AF_INET if a.version == 4 else socket.AF_INET6, a.packed).encode() for a in pair]
    data = write(texts[0], source_port, texts[1], destination_port)
    header = read_header(data + behind)
    assert header is not None
    assert header.size == len(data)
    assert (header.source, header.source_port) == (texts[0], source_port)
    assert (header.destination, header.destination_port) == (texts[1], destination_port)
    assert header.family == (socket.AF_INET if pair[0].version == 4 else socket.AF_INET6)
    for end in range(len(data)):
        assert read_header(data[:end]) is None


def test_mixed_families_are_mapped():
    assert proxy_header.line(b"192.0.2.1", 1, b"2001:db8::1", 2) == b"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2\r\n"
    header = read_header(proxy_header.binary(b"192.0.2.1", 1, b"2001:db8::1", 2))
    assert header is not None
    assert (header.source, header.destination) == (b"::ffff:192.0.2.1", b"2001:db8::1")


def test_other_families_say_nothing():
    assert proxy_header.line(b"unix", 1, b"unix", 2) == b"PROXY UNKNOWN\r\n"
    assert proxy_header.line(b"192.0.2.1", 1, b"unix", 2) == b"PROXY UNKNOWN\r\n"
    assert read_header(proxy_header.binary(b"unix", 1, b"unix", 2)) == Header(16)


VALUES = st.lists(st.tuples(st.integers(6, 255), st.binary(max_size=300)), max_size=5)


@given(PAIRS, VALUES, st.booleans())
def test_values_come_back(pair, values, checked):
    texts = [socket.inet_ntop(socket.AF_INET if a.version == 4 else socket.AF_INET6, a.packed).encode() for a in pair]
    given_values = [(proxy_header.CRC32C, b""), *values] if checked else values
    data = proxy_header.binary(texts[0], 1, texts[1], 2, given_values)
    header = read_header(data)
    assert header is not None
    assert list(proxy_header.values(header.tail))[int(checked) :] == values
    if checked:
        broken = bytearray(data)
        broken[-1] ^= 1
        with pytest.raises(BadHeader):
            read_header(broken)


def test_values_without_room_are_left_out():
    data = proxy_header.binary(
        b"192.0.2.1", 1, b"192.0.2.2", 2, [(0xE0, bytes(40000)), (0xE1, bytes(40000)), (0xE2, b"x")]
    )
    header = read_header(data)
    assert header is not None
    assert [number for number, _ in proxy_header.values(header.tail)] == [0xE0, 0xE2]


def test_values_inside_the_one_about_tls_are_found():
    inner = proxy_header.tlv(proxy_header.TLS_VERSION, b"TLSv1.3") + proxy_header.tlv(proxy_header.TLS_CN, b"me")
    tail = proxy_header.tlv(proxy_header.TLS, b"\1\0\0\0\0" + inner) + proxy_header.tlv(0xE0, b"x")
    assert proxy_header.found(tail, proxy_header.TLS_CN) == [b"me"]
    assert proxy_header.found(tail, 0xE0) == [b"x"]
    assert proxy_header.found(proxy_header.tlv(proxy_header.TLS, b"\1\0\0\0\0\x22"), proxy_header.TLS_CN) == []


@given(st.one_of(st.binary(), st.binary().map(lambda tail: b"\0\0\0\7" + tail)))
def test_any_netscaler_header_is_read_or_refused(data):
    try:
        header = netscaler.read_header(data, 7)
    except BadHeader:
        return
    assert header is None or header.size > 0


def test_checksum_covers_the_header():
    from hapy.samples.hashes import crc32c

    data = proxy_header.binary(b"192.0.2.1", 1, b"192.0.2.2", 2, [(proxy_header.CRC32C, b""), (4, b"pad")])
    place = data.index(b"\x03\x00\x04", 16 + 12) + 3
    assert data[place : place + 4] == crc32c(data[:place] + bytes(4) + data[place + 4 :]).to_bytes(4, "big")
    assert ipaddress.ip_address(data[16:20]) == ipaddress.ip_address("192.0.2.1")


@given(
    st.one_of(
        st.binary(),
        st.binary().map(lambda tail: proxy_header.SIGNATURE + tail),
        st.binary().map(lambda tail: b"PROXY TCP4 " + tail),
    )
)
def test_anything_is_read_or_refused(data):
    try:
        header = read_header(data)
    except BadHeader:
        return
    assert header is None or header.size <= len(data)


@pytest.mark.parametrize("port", [b"65536", b"99999"])
def test_ports_have_sixteen_bits(port):
    with pytest.raises(BadHeader):
        read_header(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 " + port + b"\r\n")
