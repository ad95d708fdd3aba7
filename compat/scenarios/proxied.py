"""The PROXY protocol, in and out."""

from __future__ import annotations

import re
import socket
import ssl
import struct

from compat.harness import Client, Connection, World

IN = """
frontend fe
    bind "fd@${fe}" accept-proxy %s
    option httplog
    http-request return status 200 content-type text/plain lf-string "%%[src] %%[src_port] %%[dst] %%[dst_port] %%[fc_rcvd_proxy] %%[fc_pp_authority] %%[fc_pp_unique_id]"
"""
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
V4 = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack(">HH", 1000, 2000)
V6 = bytes.fromhex("20010db8000000000000000000000001" * 2) + struct.pack(">HH", 1000, 2000)


def _v2(command: int, kind: int, body: bytes) -> bytes:
    return SIGNATURE + bytes((command, kind)) + struct.pack(">H", len(body)) + body


def _value(kind: int, value: bytes) -> bytes:
    return bytes((kind,)) + struct.pack(">H", len(value)) + value


GOOD = {
    "v1_tcp4": b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n",
    "v1_tcp6": b"PROXY TCP6 2001:db8::1 2001:db8:0::2 1000 2000\r\n",
    "v2_tcp4": _v2(0x21, 0x11, V4),
    "v2_tcp6": _v2(0x21, 0x21, V6),
    "v2_with_values": _v2(0x21, 0x11, V4 + b"\x04\x00\x03abc"),
    "v2_name_and_id": _v2(0x21, 0x11, V4 + _value(2, b"a.test") + _value(5, b"id")),
    "v2_two_names": _v2(0x21, 0x21, V6 + _value(2, b"a.test") + _value(2, b"b.test")),
    "v2_longest_name": _v2(0x21, 0x11, V4 + _value(2, b"n" * 255) + _value(5, b"i" * 128)),
    "v2_empty_name": _v2(0x21, 0x11, V4 + _value(2, b"")),
    "v2_tls": _v2(0x21, 0x11, V4 + _value(0x20, b"\1\0\0\0\0" + _value(0x21, b"TLSv1.3"))),
    "v2_large": _v2(0x21, 0x11, V4 + _value(4, b"x" * 9000)),
    "v1_mapped": b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 80 2000\r\n",
    "v1_no_port": b"PROXY TCP4 192.0.2.1 192.0.2.2 0 0\r\n",
    "v1_longest": b"PROXY TCP6 " + b"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff " * 2 + b"65535 65535\r\n",
}
OWN = {
    "v1_unknown": b"PROXY UNKNOWN\r\n",
    "v2_local": _v2(0x20, 0x00, b""),
    "v2_local_with_addresses": _v2(0x20, 0x11, V4),
    "v2_local_with_values": _v2(0x20, 0x11, V4 + _value(2, b"a.test") + _value(3, b"none")),
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
    "v2_unix": _v2(0x21, 0x31, b"a" * 108 + b"b" * 108),
    "v2_checksum": _v2(0x21, 0x11, V4 + _value(3, b"none")),
    "v2_short_checksum": _v2(0x21, 0x11, V4 + _value(3, b"one")),
    "v2_value_cut": _v2(0x21, 0x11, V4 + b"\x02\x00\x09abc"),
    "v2_value_head_cut": _v2(0x21, 0x11, V4 + b"\x02\x00"),
    "v2_long_name": _v2(0x21, 0x11, V4 + _value(2, b"n" * 256)),
    "v2_long_id": _v2(0x21, 0x21, V6 + _value(5, b"i" * 129)),
    "v2_no_signature": SIGNATURE[:-1] + b"x" + b"\x21\x11\x00\x0c" + V4,
    "v1_families": b"PROXY TCP4 192.0.2.1 2001:db8::1 80 2000\r\n",
    "v1_family": b"PROXY TCP6 192.0.2.1 192.0.2.2 80 2000\r\n",
    "v1_spaces": b"PROXY TCP4  192.0.2.1 192.0.2.2 80 2000\r\n",
    "v1_more": b"PROXY TCP4 192.0.2.1 192.0.2.2 80 2000 1\r\n",
    "v1_port": b"PROXY TCP4 192.0.2.1 192.0.2.2 8x 2000\r\n",
    "v1_lower_case": b"PROXY tcp4 192.0.2.1 192.0.2.2 80 2000\r\n",
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


#: Too short for a header, none of one's beginning, or the beginning of a line of no known protocol.
SHORT = (
    *(b"HELLO", b"A" * 15, b"A" * 16, b"PROXI", b"PROX\r\n", b"\r\n\r\n\0X", SIGNATURE + b"\x31\x11\0"),
    *(SIGNATURE + b"\x31\x11\0\0", b"PROXY\r\n", b"PROXY XX", b"PROXY XXX", b"PROXY TCPX 1", b"PROXY UNKNOWX"),
)


def short_beginnings(world: World) -> None:
    """A few bytes that are no header: what the log says of them."""
    world.start(IN % "")
    for begin in SHORT:
        client = world.client()
        client.send(begin)
        client.expect_end(20)
        client.close()
    world.logs(len(SHORT))


def refused_on_unix_sockets(world: World) -> None:
    """What a client of a UNIX socket sees of a refusal: an end or a reset."""
    world.start(IN.replace("http-request return", "bind {dir}/in.sock accept-proxy\n    http-request return", 1) % "")
    client = world.client()
    client.send(GOOD["v1_tcp4"] + REQUEST)
    client.receive()  # it has started
    client.close()
    for begin in (b"HELLO", BAD["v1_protocol"]):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(world.dir / "in.sock"))
            sock.sendall(begin)
            try:
                world.note(repr(sock.recv(100)))
            except OSError as error:
                world.note(type(error).__name__)
    world.logs(3)


NETSCALER = 15548
TCP = struct.pack(">HHIIBBHHH", 1000, 2000, 1, 2, 5 << 4, 2, 100, 0, 0)


def _ip4(protocol: int = 6) -> bytes:
    addresses = socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2")
    return struct.pack(">BBHIBBH", 0x45, 0, 40, 0, 64, protocol, 0) + addresses


def _ip6(protocol: int = 6) -> bytes:
    return struct.pack(">IHBB", 0x60000000, 20, protocol, 64) + bytes.fromhex("20010db8000000000000000000000001" * 2)


def _older(packet: bytes, magic: int = NETSCALER, length: int | None = None) -> bytes:
    return struct.pack(">II", magic, len(packet) if length is None else length) + packet


def _newer(packet: bytes, kind: int = 0) -> bytes:
    return struct.pack(">IIHH", NETSCALER, len(packet) + 12, kind, len(packet)) + packet


NETSCALER_HEADERS = {
    "older": _older(_ip4() + TCP),
    "older_v6": _older(_ip6() + TCP),
    "older_options": _older(b"\x46" + (_ip4() + b"\1\1\1\1" + TCP + b"more")[1:]),
    "newer": _newer(_ip4() + TCP),
    "newer_v6": _newer(_ip6() + TCP),
    "newer_kind": _newer(_ip4() + TCP, 1),
    "other_kind": _newer(_ip4() + TCP, 256),
    "other_magic": _older(_ip4() + TCP, 7),
    "datagrams": _older(_ip4(17) + TCP),
    "datagrams_v6": _older(_ip6(17) + TCP),
    "other_version": _older(b"\x55" + (_ip4() + TCP)[1:]),
    "other_version_inside": _newer(b"\x75" + (_ip4() + TCP)[1:]),
    "none": b"",
}


def netscaler(world: World) -> None:
    """`accept-netscaler-cip`: both forms of its header, and what is refused."""
    world.start(IN.replace("accept-proxy", f"accept-netscaler-cip {NETSCALER}") % "")
    for number, header in enumerate(NETSCALER_HEADERS.values(), 1):
        client = world.client()
        client.send(header + REQUEST)
        client.receive()
        client.close()
        world.logs(number)


def netscaler_and_proxy(world: World) -> None:
    """Both headers on one line: NetScaler's comes first."""
    world.start(IN % f"accept-netscaler-cip {NETSCALER}")
    other = GOOD["v1_tcp6"]
    for number, begin in enumerate((_older(_ip4() + TCP) + other, other + _older(_ip4() + TCP)), 1):
        client = world.client()
        client.send(begin + REQUEST)
        client.receive()
        client.close()
        world.logs(number)


def expected_by_rules(world: World) -> None:
    """`tcp-request connection expect-…`: who has to send a header; connection rules see the true address."""
    world.start(
        IN.replace("accept-proxy", "").replace(
            "    option httplog\n",
            """    option httplog
    timeout client 300ms
    tcp-request connection expect-proxy layer4 if { src 127.0.0.2 }
    tcp-request connection expect-netscaler-cip layer4 if { src 127.0.0.3 }
    tcp-request connection reject if { src 192.0.2.1 } or { src 127.0.0.4 }
    tcp-request session reject if { src 2001:db8::1 }
""",
        )
        % ""
    )
    last = REQUEST.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    lines = 0
    for source in ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"):
        for begin in (b"", GOOD["v1_tcp4"], GOOD["v2_tcp6"], _older(_ip4() + TCP, 0)):
            if source == "127.0.0.4" and begin:
                continue
            client = world.client(source=source)
            if source == "127.0.0.4":
                client.receive()  # turned away, before it has said a word
                client.close()
                continue
            client.send(begin + (last if begin or source == "127.0.0.1" else b""))
            if client.receive() is not None:
                client.expect_end()  # so that it counts no more when the next one comes
                client.seen = [re.sub(r"127\.0\.0\.1 \d+", "127.0.0.1 port", text) for text in client.seen]
                client.seen = [re.sub(r"content-length: \d+|port \d+", "", text) for text in client.seen]
            client.close()
            lines += 1
            world.logs(lines)


def rejected_sessions(world: World) -> None:
    """A session that is rejected after a handshake leaves a line in the log."""
    world.certificate("a.pem", "a.test")
    world.start("""
frontend plain
    bind "fd@${plain}"
    tcp-request session reject
frontend silent
    bind "fd@${silent}" accept-proxy
    tcp-request session reject
frontend proxied
    option httplog
    bind "fd@${proxied}" accept-proxy
    tcp-request session reject
frontend tls
    option httplog
    bind "fd@${tls}" ssl crt {dir}/a.pem
    tcp-request session reject
frontend tcp
    mode tcp
    option tcplog
    bind "fd@${tcp}" accept-proxy
    tcp-request session reject
""")
    world.client("plain").expect_end()
    for begin in (b"", GOOD["v1_tcp4"]):
        client = world.client("silent")
        client.send(begin + REQUEST)
        client.expect_end()
    for number, listener in enumerate(("proxied", "tcp"), 1):
        client = world.client(listener)
        client.send(GOOD["v1_tcp4"] + REQUEST)
        client.expect_end()
        world.logs(number)
    world.tls_client("a.test", listener="tls", maximum_version=0x0303).expect_end()
    world.logs(3)


def lenient_lines(world: World) -> None:
    """Lines that the specification forbids: a port beyond 65535, leading zeros, an address of three numbers."""
    world.start(IN % "")
    bad = (b"192.0.2.1 192.0.2.2 70000 2000", b"192.0.02.1 192.0.2.2 80 2000", b"192.0.2 192.0.2.2 80 2000")
    for line in bad:
        client = world.client()
        client.send(b"PROXY TCP4 " + line + b"\r\n" + REQUEST)
        client.receive()
        client.close()


def header_in_pieces(world: World) -> None:
    """The header comes in two segments."""
    world.start(IN % "")
    for begin in (GOOD["v1_tcp4"], GOOD["v2_tcp4"]):
        client = world.client()
        client.send(begin[:20])
        client.ending(0.2)
        client.send(begin[20:] + REQUEST)
        client.receive()
        client.close()


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


ALL_OF_TLS = "ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id"


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
    world.certificate("c.pem", "c@c.test", common_name="me", kind="ECDSA")
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


def values_passed_on(world: World) -> None:
    """The host name that the client's header told of goes before the one in its hello; a unique id may be empty."""

    def script(connection: Connection) -> None:
        while b"GET" not in connection.reader.buffer and connection.reader.fill():
            pass
        world.note(repr(connection.reader.buffer.partition(b"GET")[0]))
        connection.write(b"HTTP/1.0 200 OK\r\n\r\n")
        connection.close()

    world.origin("s1", script)
    world.certificate("fe.pem", "fe.example")
    server = "server s {s1} send-proxy-v2 proxy-v2-options authority,unique-id"
    world.start(f"""
listen plain
    bind "fd@${{plain}}" accept-proxy
    mode tcp
    {server}
listen http
    bind "fd@${{http}}" accept-proxy
    unique-id-format id-%ci
    {server}
listen tls
    bind "fd@${{tls}}" accept-proxy ssl crt {{dir}}/fe.pem
    mode tcp
    {server}
""")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for listener in ("plain", "http", "tls"):
        for values in (b"", _value(2, b"a.test"), _value(2, b"a.test") + _value(2, b"b.test"), _value(2, b"")):
            client = world.client(listener)
            client.send(_v2(0x21, 0x11, V4 + values))
            if listener == "tls":
                client.shake(context, "fe.example")
            client.send(b"GET / HTTP/1.0\r\n\r\n")
            client.receive()
            client.close()


def send_before_early_bytes(world: World) -> None:
    """In `mode tcp` a header comes before what the client sent while the server's connection was made."""
    starts: list[bytes] = []

    def script(connection: Connection) -> None:
        starts.append(connection.reader.exactly(len(SIGNATURE)))
        connection.write(b"heard")

    world.origin("s1", script)
    world.start('listen fe\n mode tcp\n bind "fd@${fe}"\n server s1 {s1} send-proxy-v2\n')
    for _ in range(10):
        client = world.client()
        client.send(REQUEST)
        client.seen.append(repr(client.reader.exactly(5)))
    world.note(f"headers first: {[start == SIGNATURE for start in starts]}")


#: Words of server lines, and what they come to.
SENDING = (
    *("send-proxy", "send-proxy-v2", "send-proxy-v2 send-proxy", "send-proxy-v2 no-send-proxy"),
    *("send-proxy send-proxy-v2 no-send-proxy-v2", "send-proxy no-send-proxy", "send-proxy-v2-ssl no-send-proxy-v2"),
    *("send-proxy-v2-ssl no-send-proxy-v2-ssl", "send-proxy-v2-ssl-cn no-send-proxy-v2-ssl", "proxy-v2-options crc32c"),
    *("send-proxy-v2-ssl proxy-v2-options crc32c", "proxy-v2-options ssl-cipher send-proxy-v2"),
    *("proxy-v2-options crc32c proxy-v2-options unique-id send-proxy-v2", "proxy-v2-options cert-cn send-proxy-v2"),
)


def send_words(world: World) -> None:
    """All words of server lines that add to the header or take from it; UNIX clients; families that are mixed."""
    heads: dict[str, bytes] = {}

    def script(connection: Connection) -> None:
        head = connection.reader.until(b"\r\n\r\n") or b""
        if head.startswith(SIGNATURE[:4]):
            head += connection.reader.until(b"\r\n\r\n") or b""
        heads[connection.origin.name] = head.partition(b"GET")[0]
        connection.reply(headers=("Connection: close",))
        connection.close()

    rules, backends = "", ""
    for number, words in enumerate(SENDING):
        world.origin(f"s{number}", script)
        rules += f"    use_backend b{number} if {{ path_end /{number}/ }}\n"
        backends += f"backend b{number}\n    server s {{s{number}}} {words}\n"
    world.start(f"""
frontend fe
    bind "fd@${{fe}}"
    bind unix@{world.dir}/unix
    unique-id-format "id of the request"
    http-request set-src str(2001:db8::9) if {{ path_beg /six }}
    http-request set-dst str(2001:db8::8) if {{ path_beg /sixsix }}
    http-request set-src str(::ffff:192.0.2.9) if {{ path_beg /mapped }}
    http-request set-src-port int(7) if {{ path_beg /port }}
    http-request set-dst-port int(8) if {{ path_beg /port }}
{rules}{backends}""")
    targets = [("fe", f"/{number}/", number) for number in range(len(SENDING))]
    targets += [
        ("fe", f"/{word}/{number}/", number) for word in ("six", "sixsix", "mapped", "port") for number in (0, 10)
    ]
    targets += [("unix", f"{word}/{number}/", number) for word in ("", "/six", "/sixsix") for number in (0, 10)]
    for listener, target, number in targets:
        client = Client(str(world.dir / "unix")) if listener == "unix" else world.client(listener)
        client.get(target)
        client.close()
        head = heads.pop(f"s{number}", b"")
        head = re.sub(rb"(\d) \d{4,5} \d{4,5}\r", rb"\1 port port\r", head)
        if head.startswith(SIGNATURE + b"\x21"):
            end = 16 + (12 if head[13] == 0x11 else 36)
            head = head[: end - 4] + b"(ports)" + head[end:]
        head = re.sub(rb"\x03\x00\x04....", b"(crc32c)", head, flags=re.DOTALL)
        world.note(f"{listener} {target}: {head!r}")


#: Servers that are checked, and what their checks begin with.
CHECKED = (
    *("send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn", "check-send-proxy", "check-send-proxy send-proxy-v2"),
    *("send-proxy-v2 proxy-v2-options crc32c,unique-id,ssl,authority", "no-check-send-proxy send-proxy"),
)


def _checked(world: World, global_: str) -> None:
    heads: dict[str, bytes] = {}

    def script(connection: Connection) -> None:
        head = connection.reader.until(b"OPTIONS") or b""
        heads.setdefault(connection.origin.name, head)
        connection.reply()
        connection.close()

    lines = ""
    for number, words in enumerate(CHECKED):
        world.origin(f"s{number}", script)
        lines += f"    server s{number} {{s{number}}} {words} check inter 200ms\n"
    world.start(f'listen fe\n    bind "fd@${{fe}}"\n    option httpchk\n{lines}', global_=global_)
    for number, words in enumerate(CHECKED):
        name = f"s{number}"
        world.origins[name].wait_for(lambda name=name: name in heads)
        head = re.sub(rb"(\d) \d{4,5} \d{4,5}\r", rb"\1 port port\r", heads.get(name, b"none"))
        if head.startswith(SIGNATURE + b"\x21"):
            head = head[:24] + b"(ports)" + head[28:]
        head = re.sub(rb"\x03\x00\x04....", b"(crc32c)", head, flags=re.DOTALL)
        world.note(f"{words}: {head!r}")


def checks(world: World) -> None:
    """Health checks begin with a header, too."""
    _checked(world, "")


def checks_never_local(world: World) -> None:
    """`pp2-never-send-local`."""
    _checked(world, "pp2-never-send-local")


def send_v2_tls_all(world: World) -> None:
    """All that can be said of TLS; the key and the signature are those of our certificate."""
    _sent(world, f"send-proxy-v2 proxy-v2-options {ALL_OF_TLS}", bind=TLS, crt="c.pem", alpn=["http/1.1"])


def send_v2_tls_no_certificate(world: World) -> None:
    """The same of a client without a certificate."""
    _sent(world, f"send-proxy-v2 proxy-v2-options {ALL_OF_TLS}", bind=TLS)
