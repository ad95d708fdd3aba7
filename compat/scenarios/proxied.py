"""The PROXY protocol, in and out."""

from __future__ import annotations

import re
import struct

from compat.harness import Connection, World

IN = """
frontend fe
    bind "fd@${fe}" accept-proxy %s
    option httplog
    http-request return status 200 content-type text/plain lf-string "%%[src] %%[src_port] %%[dst] %%[dst_port] %%[fc_rcvd_proxy]"
"""
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
V4 = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack(">HH", 1000, 2000)
V6 = bytes.fromhex("20010db8000000000000000000000001" * 2) + struct.pack(">HH", 1000, 2000)


def _v2(command: int, kind: int, body: bytes) -> bytes:
    return SIGNATURE + bytes((command, kind)) + struct.pack(">H", len(body)) + body


GOOD = {
    "v1_tcp4": b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n",
    "v1_tcp6": b"PROXY TCP6 2001:db8::1 2001:db8:0::2 1000 2000\r\n",
    "v2_tcp4": _v2(0x21, 0x11, V4),
    "v2_tcp6": _v2(0x21, 0x21, V6),
    "v2_with_values": _v2(0x21, 0x11, V4 + b"\x04\x00\x03abc"),
}
OWN = {
    "v1_unknown": b"PROXY UNKNOWN\r\n",
    "v2_local": _v2(0x20, 0x00, b""),
    "v2_local_with_addresses": _v2(0x20, 0x11, V4),
}
BAD = {
    "no_header": b"",
    "v1_name": b"PROXI TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n",
    "v1_protocol": b"PROXY TCP5 192.0.2.1 192.0.2.2 1000 2000\r\n",
    "v1_unknown_with_more": b"PROXY UNKNOWN 1 2 3 4\r\n",
    "v2_unspecified": _v2(0x21, 0x00, b""),
    "v2_datagrams": _v2(0x21, 0x12, V4),
    "v1_address": b"PROXY TCP4 192.0.2.x 192.0.2.2 1000 2000\r\n",
    "v1_line_feed": b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\n",
    "v1_no_ports": b"PROXY TCP4 192.0.2.1 192.0.2.2\r\n",
    "v1_too_long": b"PROXY UNKNOWN " + b"x" * 120 + b"\r\n",
    "v2_version": _v2(0x31, 0x11, V4),
    "v2_command": _v2(0x22, 0x11, V4),
    "v2_too_short": _v2(0x21, 0x11, V4[:8]),
}


def good_headers(world: World) -> None:
    """Addresses from the header."""
    world.start(IN % "")
    for header in GOOD.values():
        client = world.client()
        client.send(header + REQUEST)
        client.receive()
        client.close()
    world.logs(len(GOOD))


def own_addresses(world: World) -> None:
    """Headers that leave the connection its own addresses."""
    world.start(IN % "")
    for header in OWN.values():
        client = world.client()
        client.send(header + REQUEST)
        message = client.receive()
        client.seen = [re.sub(r"127\.0\.0\.1 \d+", "127.0.0.1 port", text) for text in client.seen]
        client.seen = [re.sub(r"content-length: \d+|port \d+", "", text) for text in client.seen]
        world.note(str(message is not None))
        client.close()


def bad_headers(world: World) -> None:
    """What is refused, and what the log says of it."""
    world.start(IN % "")
    for header in BAD.values():
        client = world.client()
        client.send(header + REQUEST)
        client.expect_end(20)
        client.close()
    client = world.client()
    client.send(b"PROXY TC")
    client.shutdown()
    client.expect_end(20)
    world.logs(len(BAD) + 1)


def header_before_tls(world: World) -> None:
    """The header comes in plain text, TLS after it."""
    import ssl

    world.certificate("a.pem", "a.test")
    world.start(IN % "ssl crt {dir}/a.pem")
    client = world.client()
    client.send(GOOD["v1_tcp4"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client.shake(context)
    client.get("/")
    world.logs(1)


def _sent(world: World, options: str, *, bind: str = "", crt: str = "", alpn: list[str] | None = None) -> None:
    def script(connection: Connection) -> None:
        head = connection.reader.until(b"\n" if "send-proxy " in options + " " else b"QUIT\n") or b""
        if b"QUIT" in head:
            rest = connection.reader.exactly(4)
            head = rest + connection.reader.exactly(int.from_bytes(rest[2:4], "big"))
        masked = re.sub(rb" \d+ \d+\r", b" port port\r", head)
        if masked[:2] == b"\x21\x11":
            masked = masked[:12] + b"ppqq" + masked[16:]
        masked = re.sub(rb"\x03\x00\x04....", b"(crc32c)", masked, flags=re.DOTALL)
        world.note(repr(masked))
        while connection.read() is not None:
            connection.reply(b"ok")

    world.origin("s1", script)
    world.certificate("front.pem", "front.test")
    world.certificate("c.pem", "c@c.test", common_name="me")
    world.start(f"""
frontend fe
    bind "fd@${{fe}}" {bind}
    unique-id-format "id of the request"
    default_backend be
backend be
    http-reuse always
    server s1 {{s1}} {options}
""")
    for number in range(2):
        client = world.tls_client("front.test", crt=crt, alpn=alpn) if bind else world.client()
        client.get(f"/{number}")
        client.get(f"/{number}again")


def send_v1(world: World) -> None:
    """`send-proxy`: a connection belongs to its client."""
    _sent(world, "send-proxy")


def send_v2(world: World) -> None:
    """`send-proxy-v2`."""
    _sent(world, "send-proxy-v2")


def send_v2_values(world: World) -> None:
    """`proxy-v2-options`."""
    _sent(world, "send-proxy-v2 proxy-v2-options crc32c,unique-id,ssl,authority")


TLS = "ssl crt {dir}/front.pem verify optional ca-file {dir}/ca.pem alpn http/1.1"


def send_v2_tls(world: World) -> None:
    """`send-proxy-v2-ssl` over a client's TLS."""
    _sent(world, "send-proxy-v2-ssl", bind=TLS)


def send_v2_tls_certificate(world: World) -> None:
    """`send-proxy-v2-ssl-cn`, and more of TLS."""
    _sent(world, "send-proxy-v2-ssl-cn", bind=TLS, crt="c.pem", alpn=["http/1.1"])


def send_v2_tls_all(world: World) -> None:
    """All that can be said of TLS."""
    options = "ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id"
    _sent(world, f"send-proxy-v2 proxy-v2-options {options}", bind=TLS, crt="c.pem", alpn=["http/1.1"])
