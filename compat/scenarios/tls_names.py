"""Which certificate a client gets, by the name that it asks for, byte for byte."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from compat.harness import World

TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3
_CERTIFICATE = 11
_HANDSHAKE, _ALERT = 22, 21
NAMES = (
    *(
        b"a.test",
        b"A.TEST",
        b"a.test.",
        b"x.w.test",
        b"X.W.test",
        b"exact.w.test",
        b"x.y.w.test",
        b"w.test",
        b".w.test",
        b"*.w.test",
    ),
    *(b"deep.x.w.test", b"xn--bcher-kva.test", "bücher.test".encode(), "bücher.test".encode("latin-1"), b"\xff\xfe"),
    *(b"c", b"c.", b"1.2.3.4", b"a test", b"a.test\0", b"a.test\0b", b"-.w.test", b"..w.test", b"a.w.test:443"),
    *(
        b"neg.n.test",
        b"ok.n.test",
        b"n.test",
        b"multi1.test",
        b"q.star.test",
        b"zz.zz",
        b"x" * 60 + b".test",
        b"dup.test",
    ),
    b"cn.only.test",
)


def _hello(name: bytes) -> bytes:
    """A ClientHello of TLS 1.2 that asks for a name of any bytes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    outgoing = ssl.MemoryBIO()
    stand_in = ".".join("q" * min(50, len(name) - start) for start in range(0, len(name), 51))[: len(name)]
    stand_in = stand_in.ljust(len(name), "q")
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=stand_in)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read().replace(stand_in.encode(), name, 1)


def _answered(received: bytes) -> str:
    """The subject of the certificate in a server's first flight, or its alert; empty while neither has come."""
    place, handshake = 0, b""
    while place + 5 <= len(received):
        size = int.from_bytes(received[place + 3 : place + 5])
        if received[place] == _ALERT:
            return f"alert {received[place + 5 : place + 7].hex()}"
        if received[place] == _HANDSHAKE:
            handshake += received[place + 5 : place + 5 + size]
        place += 5 + size
    place = 0
    while place + 4 <= len(handshake):
        size = int.from_bytes(handshake[place + 1 : place + 4])
        if handshake[place] == _CERTIFICATE and place + 4 + size <= len(handshake):
            length = int.from_bytes(handshake[place + 7 : place + 10])
            found = x509.load_der_x509_certificate(handshake[place + 10 : place + 10 + length])
            return found.subject.rfc4514_string().split(",")[0]
        place += 4 + size
    return ""


def _given(world: World, listener: str, name: bytes) -> None:
    client = world.client(listener)
    client.send(_hello(name))
    answer = ""
    while not answer and not client.reader.end:
        client.reader.fill()
        answer = _answered(bytes(client.reader.buffer))
    client.close()
    world.note(f"{listener} {name!r}: {answer or client.reader.end}")


def names_byte_for_byte(world: World) -> None:
    """Case, dots, bytes other than ASCII, wildcards, exclusions, several certificates of one name, no known name."""
    for file, identity, shown in (
        ("a", "a.test", "A"),
        ("w", "*.w.test", "W"),
        ("w2", "exact.w.test", "W2"),
        ("idn", "xn--bcher-kva.test", "IDN"),
        ("c", "c", "C"),
        ("cn", "other.cn.test", "CN.only.test"),
        ("d1", "dup.test", "dup1"),
        ("d2", "dup.test", "dup2"),
    ):
        world.certificate(f"{file}.pem", identity, common_name=shown)
    d = world.dir
    (d / "list").write_text(
        f"{d}/a.pem\n{d}/w.pem *.n.test !neg.n.test *.star.test\n{d}/idn.pem !*.w.test *.w.test xn--bcher-kva.test\n"
        f"{d}/c.pem MULTI1.test\n{d}/cn.pem [alpn special] !cn.only.test\n{d}/d1.pem\n{d}/d2.pem *\n{d}/w2.pem neg.n.test\n"
    )
    (d / "strict").write_text(f"{d}/a.pem !a.test\n{d}/w.pem !x.w.test *.w.test\n{d}/d1.pem * !c\n")
    world.start("""
frontend fe
    bind "fd@${several}" ssl crt {dir}/a.pem crt {dir}/w.pem crt {dir}/idn.pem crt {dir}/c.pem crt {dir}/d1.pem crt {dir}/d2.pem crt {dir}/w2.pem
    bind "fd@${reversed}" ssl crt {dir}/w2.pem crt {dir}/d2.pem crt {dir}/d1.pem crt {dir}/w.pem crt {dir}/cn.pem
    bind "fd@${list}" ssl crt-list {dir}/list
    bind "fd@${strict}" ssl crt-list {dir}/strict strict-sni
    bind "fd@${both}" ssl crt {dir}/c.pem crt-list {dir}/strict
    http-request return status 200
""")
    for listener in ("several", "reversed", "list", "strict", "both"):
        for name in NAMES:
            _given(world, listener, name)
    world.forget_clients()


#: Lists of certificates: {a} is for a.test, {all} for x.a.test and *.test, {w} for *.w.test.
_LISTS = (
    "{a}\n{all} !b.test",  # a line that excludes, and says no more: its certificate has no name left
    "{all} !a.test\n{a}",
    "{a}\n{all}\n{all} !b.test",
    "{w} *.a.test !x.a.test\n{a} [alpn http/1.0] *.test !a.test !b.test",
    "{a} *.test\n{w} x.a.test !x.a.test b.test !*.test",  # both on one line: a name that stands there is served
    "{w} *a.test\n{a} **.test *\n{all} [alpn http/1.0] .test *. !",  # stars that no name has where they stand
    "{a} A.Test !\n{all} *.A.test !X.a.test\n{w} [ssl-max-ver TLSv1.2] b.test",
)
_WANTED = (
    *(b"a.test", b"A.TEST", b"x.a.test", b"y.x.a.test", b"b.test", b"xa.test", b"test", b".a.test", b"*.a.test"),
    *(b"*.test", b"none"),
)


def filters_of_lists(world: World) -> None:
    """Filters of a crt-list, with stars and exclusions, each with `strict-sni` and without."""
    files = {"a": ("a.test",), "all": ("x.a.test", "*.test"), "w": ("*.w.test",)}
    for file, names in files.items():
        world.certificate(f"{file}.pem", *names, common_name=f"certificate {file}")
    frontends = ""
    for number, lines in enumerate(_LISTS):
        paths = {file: f"{world.dir}/{file}.pem" for file in files}
        (world.dir / f"list{number}").write_text(lines.format(**paths) + "\n")
        for strict in ("", "strict-sni"):
            listener = f"fe{number}{strict[:6]}"
            frontends += f"""
frontend {listener}
    bind "fd@${{{listener}}}" ssl crt-list {{dir}}/list{number} {strict}
    http-request return status 200"""
    world.start(frontends + "\n")
    for listener in world.listeners:
        for name in _WANTED:
            _given(world, listener, name)


def keys_of_a_name(world: World) -> None:
    """RSA, ECDSA and Ed25519 for one name, in any order: which one clients of each version get."""
    keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey] = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ecdsa": ec.generate_private_key(ec.SECP256R1()),
        "ed": ed25519.Ed25519PrivateKey.generate(),
    }
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "n.test")])
    since = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - certificates know no time zones
    for kind, key in keys.items():
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1, since, since.replace(year=2049))
        made = builder.sign(key, None if kind == "ed" else hashes.SHA256())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (world.dir / f"{kind}.pem").write_bytes(made.public_bytes(Encoding.PEM) + pem)
    orders = [order for count in (2, 3) for order in itertools.permutations(keys, count)]
    config = ""
    for order in orders:
        listener = "_".join(order)
        certificates = " ".join(f"crt {{dir}}/{kind}.pem" for kind in order)
        config += (
            f'frontend {listener}\n    bind "fd@${{{listener}}}" ssl {certificates}\n'
            '    http-request return status 200 content-type text/plain lf-string "%[ssl_f_key_alg]"\n'
        )
    world.start(config)
    for listener in ("_".join(order) for order in orders):
        for low, high in ((TLS12, TLS12), (TLS12, TLS13), (TLS13, TLS13)):
            client = world.tls_client("n.test", listener=listener, minimum_version=low, maximum_version=high)
            message = client.get("/") if client.shaken else None
            world.note(f"{listener} {low.name} to {high.name}: {message.body if message else None!r}")
    world.forget_clients()


def dsa_beside_ecdsa(world: World) -> None:
    """DSA, which TLS 1.3 knows no more, and ECDSA for one name."""
    key = dsa.generate_private_key(2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "n.test")])
    since = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - certificates know no time zones
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, since, since.replace(year=2049))
    made = builder.sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (world.dir / "dsa.pem").write_bytes(made.public_bytes(Encoding.PEM) + pem)
    world.certificate("ecdsa.pem", "n.test", kind="ECDSA")
    world.start("""
frontend fe
    bind "fd@${fe}" ssl crt {dir}/dsa.pem crt {dir}/ecdsa.pem
    http-request return status 200 content-type text/plain lf-string "%[ssl_f_key_alg]"
""")
    for version in (TLS12, TLS13):
        client = world.tls_client("n.test", minimum_version=version, maximum_version=version)
        message = client.get("/") if client.shaken else None
        world.note(f"{version.name}: {message.body if message else None!r}")
    world.forget_clients()
