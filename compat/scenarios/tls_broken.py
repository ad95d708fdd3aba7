"""Handshakes that come to nothing, on both sides, and what is told of them: certificates, versions, bytes of all kinds."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import os
import socket
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from compat.harness import Connection, Origin, World
from compat.harness.client import Client

TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3
_VERSIONS = (TLS12, TLS13)
#: Certificates: name, issuer, and what is wrong with them.
_LEAVES = ("good", "expired", "future", "revoked", "purpose", "own", "stranger", "under-old", "under-leaf")
_SINCE, _PAST = dt.datetime(2024, 1, 1), dt.datetime(2024, 2, 1)  # noqa: DTZ001 - certificates know no time zones
_FUTURE, _LAST = dt.datetime(2049, 1, 1), dt.datetime(2049, 12, 1)  # noqa: DTZ001

_TOLD_OF_CLIENTS = " ".join(
    f"{fetch}=%[{fetch}]"
    for fetch in (
        *("fc_err", "fc_err_str", "ssl_fc_err", "ssl_fc_err_str", "ssl_c_err", "ssl_c_ca_err", "ssl_c_ca_err_depth"),
        *("ssl_c_verify", "ssl_c_used", "ssl_fc", "ssl_fc_has_crt", "ssl_fc_protocol", "ssl_fc_cipher", "ssl_c_s_dn"),
        *("ssl_c_serial,hex", "ssl_fc_is_resumed"),
    )
)
_TOLD_OF_SERVERS = " ".join(
    f"{fetch}=%[{fetch}]"
    for fetch in (
        *("bc_err", "ssl_bc", "ssl_bc_err", "ssl_bc_err_str", "ssl_bc_protocol", "ssl_bc_cipher"),
        *("ssl_bc_is_resumed", "ssl_s_s_dn", "ssl_s_serial,hex", "ssl_bc_alpn"),
    )
)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@functools.cache
def _files() -> dict[str, bytes]:
    """What lies in the scenario's folder, by name."""
    keys = {
        name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "stranger-ca", "old-ca", "leaf-ca", *_LEAVES)
    }
    keys["server"] = ec.generate_private_key(ec.SECP256R1())
    serials = iter(range(10, 100))

    def certificate(
        name: str, issuer: str, since: dt.datetime = _SINCE, until: dt.datetime = _LAST, *, ca: bool = False
    ) -> bytes:
        builder = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(issuer))
        builder = builder.public_key(keys[name].public_key()).serial_number(next(serials))
        builder = builder.not_valid_before(since).not_valid_after(until)
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if name == "purpose":
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
            builder = builder.add_extension(usage, critical=False)
        if name == "server":
            names = x509.SubjectAlternativeName([x509.DNSName("srv.test")])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(keys[issuer], hashes.SHA256()).public_bytes(Encoding.PEM)

    made = {
        "root": certificate("root", "root", ca=True),
        "stranger-ca": certificate("stranger-ca", "stranger-ca", ca=True),
        "old-ca": certificate("old-ca", "root", until=_PAST, ca=True),
        "leaf-ca": certificate("leaf-ca", "root"),
        "good": certificate("good", "root"),
        "expired": certificate("expired", "root", until=_PAST),
        "future": certificate("future", "root", since=_FUTURE),
        "revoked": certificate("revoked", "root"),
        "purpose": certificate("purpose", "root"),
        "own": certificate("own", "own"),
        "stranger": certificate("stranger", "stranger-ca"),
        "server": certificate("server", "root"),
    }
    made["under-old"] = certificate("under-old", "old-ca") + made["old-ca"]
    made["under-leaf"] = certificate("under-leaf", "leaf-ca") + made["leaf-ca"]
    files = {"root.pem": made["root"]}
    for name in (*_LEAVES, "server"):
        key = keys[name].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files[f"{name}.pem"] = key + made[name]
    revoked = x509.load_pem_x509_certificate(made["revoked"]).serial_number
    entry = x509.RevokedCertificateBuilder().serial_number(revoked).revocation_date(_SINCE).build()
    for name, until in (("root.crl", _LAST), ("old.crl", _PAST)):
        builder = x509.CertificateRevocationListBuilder().issuer_name(_name("root")).last_update(_SINCE)
        revoking = builder.next_update(until).add_revoked_certificate(entry).sign(keys["root"], hashes.SHA256())
        files[name] = revoking.public_bytes(Encoding.PEM)
    return files


def _put(world: World) -> None:
    for name, content in _files().items():
        (world.dir / name).write_bytes(content)


def _listen(world: World, binds: dict[str, str]) -> None:
    _put(world)
    world.start(
        "".join(
            f"""
frontend {name}
    bind "fd@${{{name}}}" ssl crt {{dir}}/server.pem {options}
    log-format "done {name} {_TOLD_OF_CLIENTS}"
    error-log-format "failed {name} {_TOLD_OF_CLIENTS}"
    http-request return status 200 content-type text/plain lf-string "{_TOLD_OF_CLIENTS}"
"""
            for name, options in binds.items()
        ),
        defaults="    timeout client 1s",
    )


def _logged(world: World, before: int) -> str:
    world.syslog.wait(before + 1)
    return " ".join(world.syslog.traffic()[before:])


def _ask(world: World, listener: str, name: str | None = "srv.test", **options: object) -> None:
    before = len(world.syslog.traffic())
    client = world.tls_client(name, listener=listener, **options)  # type: ignore[arg-type]
    if client.shaken:
        client.get("/")
        client.shutdown()
        client.expect_end()
    client.close()
    world.note(f"{listener} {name} {options}: {_logged(world, before)}")


def clients_not_trusted(world: World) -> None:
    """Certificates of clients that are expired, revoked, of strangers and so on; errors that are ignored."""
    verified = "ca-file {dir}/root.pem verify required"
    _listen(
        world,
        {
            "required": f"{verified} crl-file {{dir}}/root.crl",
            "optional": "ca-file {dir}/root.pem verify optional crl-file {dir}/old.crl",
            "ignoring": f"{verified} crt-ignore-err all ca-ignore-err all crl-file {{dir}}/root.crl",
            "some": f"{verified} crt-ignore-err 10 ca-ignore-err 19,20",
        },
    )
    for listener in ("required", "optional", "ignoring", "some"):
        for crt in (*_LEAVES, ""):
            for version in _VERSIONS:
                _ask(world, listener, crt=f"{crt}.pem" if crt else "", maximum_version=version)


def some_errors_ignored(world: World) -> None:
    """Lists of errors, which add up; those of the chain stay apart from those of the certificate; a CRL where none is due."""
    required, optional = (f"ca-file {{dir}}/root.pem verify {mode}" for mode in ("required", "optional"))
    binds = {
        "several": f"{required} crl-file {{dir}}/root.crl crt-ignore-err 10,23,9 ca-ignore-err 20,21,19,10",
        "twice": f"{required} crt-ignore-err 10 ca-ignore-err all crt-ignore-err 9 ca-ignore-err 3",
        "leaf": f"{optional} crl-file {{dir}}/old.crl crt-ignore-err 12",
        "revoked": f"{optional} crl-file {{dir}}/root.crl crt-ignore-err 23,10 ca-ignore-err 20",
        "all": f"{optional} crl-file {{dir}}/root.crl crt-ignore-err all",
    }
    _listen(world, binds)
    for listener in binds:
        for crt in (*_LEAVES, ""):
            for version in _VERSIONS:
                _ask(world, listener, crt=f"{crt}.pem" if crt else "", maximum_version=version)


def resumed_with_an_error(world: World) -> None:
    """What was wrong with a certificate, and ignored, is told of a session that is taken up again, too."""
    binds = {
        "some": "ca-file {dir}/root.pem verify required crl-file {dir}/root.crl crt-ignore-err 10,23",
        "every": "ca-file {dir}/root.pem verify optional crt-ignore-err all ca-ignore-err all",
    }
    _listen(world, binds)
    for listener in binds:
        for crt in ("good", "expired", "revoked", "stranger", "under-old"):
            for version in _VERSIONS:
                session = None
                for _ in ("first", "resumed"):
                    before = len(world.syslog.traffic())
                    client = world.tls_client(
                        "srv.test", listener=listener, crt=f"{crt}.pem", maximum_version=version, session=session
                    )
                    if client.shaken:
                        client.get("/")
                        session = client.sock.session  # type: ignore[attr-defined]
                    client.close()
                    world.note(f"{listener} {crt}: {_logged(world, before)}")


def _carried(options: str) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        """A session of one bind line brought to another that verifies clients otherwise, and back to its own."""
        keys = "".join(b64encode(bytes((number,)) * 48).decode() + "\n" for number in (1, 2, 3))
        (world.dir / "keys").write_text(keys)
        binds = {
            "none": "",
            "optional": "ca-file {dir}/root.pem verify optional",
            "required": "ca-file {dir}/root.pem verify required",
            "other": "ca-file {dir}/server.pem verify required",
            "ignoring": "ca-file {dir}/root.pem verify required crt-ignore-err all ca-ignore-err all",
        }
        _listen(world, {name: f"{bind} {options}" for name, bind in binds.items()})
        for first, second in (
            *(("none", "required"), ("optional", "required"), ("required", "other"), ("ignoring", "required")),
            *(("ignoring", "optional"), ("required", "none"), ("optional", "optional"), ("required", "required")),
        ):
            for crt in ("good.pem", "stranger.pem", ""):
                for version in _VERSIONS:
                    client = world.tls_client("srv.test", listener=first, crt=crt, maximum_version=version)
                    if not client.shaken or client.get("/") is None:
                        client.close()
                        continue
                    session = client.sock.session  # type: ignore[attr-defined]
                    client.close()
                    client = world.tls_client(
                        "srv.test", listener=second, crt=crt, maximum_version=version, session=session
                    )
                    message = client.get("/") if client.shaken else None
                    told = message.body[-150:] if message else None
                    world.note(f"{first} {second} {crt}: {told!r}")
                    client.close()
        world.forget_clients()

    return scenario


FAMILY = {
    "sessions_carried": _carried(""),
    "sessions_carried_by_keys": _carried("tls-ticket-keys {dir}/keys"),
    "sessions_carried_without_tickets": _carried("no-tls-tickets"),
}


def no_agreement(world: World) -> None:
    """Versions, ciphers and names that don't go together, and clients that don't trust us."""
    _listen(world, {"new": "ssl-min-ver TLSv1.3", "old": "ssl-max-ver TLSv1.2", "strict": "strict-sni", "plain": ""})
    _ask(world, "new", maximum_version=TLS12)
    _ask(world, "old", minimum_version=TLS13)
    for name in ("srv.test", "none.test", None):
        _ask(world, "strict", name)
    _ask(world, "plain", maximum_version=TLS12, ciphers="ECDHE-RSA-AES256-GCM-SHA384")
    for version in _VERSIONS:
        before = len(world.syslog.traffic())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = version
        client = world.client("plain")
        client.shake(context, "srv.test")
        client.close()
        world.note(f"distrust {version.name}: {_logged(world, before)}")


def _hello(version: ssl.TLSVersion) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = version
    outgoing = ssl.MemoryBIO()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="srv.test")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


_STARTS = {
    "zeros": b"\x00" * 100,
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "SSL 2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80\x02\x00\x80\x03\x00\x80"
    + b"\x04\x00\x80" * 4
    + b"a" * 16,
    "an empty record": b"\x16\x03\x01\x00\x00",
    "a huge record": b"\x16\x03\x01\xff\xff" + b"\x01" * 300,
    "data": b"\x17\x03\x03\x00\x05hello",
    "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "no hello": b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
    "version 2": b"\x16\x02\x00\x00\x04\x01\x00\x00\x00",
    "a hello cut short": b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03"
    + b"a" * 32
    + b"\x00\x00\x02\x13\x01\x01\x00\x00\x04",
    "a hello of four bytes": b"\x16\x03\x01\x00\x08\x01\x00\x00\x04\x03\x03\x01\x02",
    "a change of ciphers": b"\x14\x03\x03\x00\x01\x01",
    "nothing": b"",
}


def _end(world: World, client: Client, how: str, before: int, *, show: bool = True) -> str:
    if how == "reset":
        client.ending(0.05)  # what was sent is to be read first
        client.reset()
        return _logged(world, before)
    if how == "fin":
        client.shutdown()
    end = client.expect_end()
    said = bytes(client.reader.buffer).hex() if show else ""
    client.close()
    return f"{'' if how == 'fin' and end != 'data' else end} {said} {_logged(world, before)}"


def no_hello(world: World) -> None:
    """Bytes that are no ClientHello, and how the client goes on; the TLS library's alerts reach it."""
    _listen(world, {"plain": ""})
    for what, data in _STARTS.items():
        for how in ("wait", "fin", "reset"):
            before = len(world.syslog.traffic())
            client = world.client("plain")
            client.send(data)
            world.note(f"{what}, {how}: {_end(world, client, how, before)}")
    world.forget_clients()


def left_while_shaking(world: World) -> None:
    """Clients that go away, or say something else, in the middle of a handshake."""
    _listen(world, {"plain": ""})
    for version in _VERSIONS:
        hello = _hello(version)
        for more in (b"", b"\x16\x03\x03\x00\x20" + b"z" * 32, b"GET / HTTP/1.0\r\n\r\n"):
            for how in ("wait",) if more else ("wait", "fin", "reset"):
                before = len(world.syslog.traffic())
                client = world.client("plain")
                client.send(hello)
                client.reader.fill()
                client.reader.buffer = type(client.reader.buffer)()
                client.send(more)
                world.note(f"{version.name} {more[:4]!r}, {how}: {_end(world, client, how, before, show=False)}")
        for how in ("wait", "fin", "reset"):
            before = len(world.syslog.traffic())
            client = world.client("plain")
            client.send(hello[:50])
            world.note(f"{version.name} half of a hello, {how}: {_end(world, client, how, before)}")
    world.forget_clients()


def _serve(connection: Connection) -> None:
    while connection.read() is not None:
        connection.reply(b"x")


def _say(data: bytes, *, close: bool = False, reset: bool = False) -> object:
    def script(connection: Connection) -> None:
        connection.reader.fill()
        connection.write(data)
        if reset:
            connection.reset()
        elif close:
            connection.close()
        else:
            connection.reader.to_end()

    return script


def servers_not_reached(world: World) -> None:
    """Servers with certificates of all kinds, other versions and ciphers, and such that say something else."""
    _put(world)

    def serve(name: str, crt: str, *, asks: bool = False, **options: ssl.TLSVersion) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(world.dir / f"{crt}.pem")
        for option, value in options.items():
            setattr(context, option, value)
        if asks:
            context.load_verify_locations(world.dir / "root.pem")
            context.verify_mode = ssl.CERT_REQUIRED
        world.origins[name] = Origin(name, _serve, tls=context)

    verified = "verify required ca-file {dir}/root.pem"
    cases = {}
    for crt in (*_LEAVES, "server"):
        name = crt.replace("-", "_")
        serve(name, crt)
        cases[f"verified-{crt}"] = f"{{{name}}} ssl {verified} crl-file {{dir}}/root.crl"
        cases[f"unverified-{crt}"] = f"{{{name}}} ssl verify none"
    serve("old", "server", maximum_version=TLS12)
    serve("new", "server", minimum_version=TLS13)
    serve("asking", "server", asks=True, minimum_version=TLS13)
    serve("asking12", "server", asks=True, maximum_version=TLS12)
    cases |= {
        "old-crl": f"{{server}} ssl {verified} crl-file {{dir}}/old.crl",
        "other-host": f"{{server}} ssl {verified} verifyhost other.test",
        "host": f"{{server}} ssl {verified} verifyhost SRV.test",
        "other-name": f"{{server}} ssl {verified} sni str(nope.test)",
        "name": f"{{server}} ssl {verified} sni str(SRV.Test)",
        "name-with-dot": f"{{server}} ssl {verified} sni str(srv.test.)",
        "cipher": "{old} ssl verify none ssl-max-ver TLSv1.2 ciphers ECDHE-RSA-AES256-GCM-SHA384",
        "too-new": "{old} ssl verify none ssl-min-ver TLSv1.3",
        "too-old": "{new} ssl verify none ssl-max-ver TLSv1.2",
        "asked-12": "{asking12} ssl verify none",
        "asked-good": "{asking} ssl verify none crt {dir}/good.pem",
    }
    alert = b"\x15\x03\x03\x00\x02"
    for name, script in {
        "reset": _say(b"", reset=True),
        "fin": _say(b"", close=True),
        "zeros": _say(b"\x00" * 200),
        "plain": _say(b"HTTP/1.1 400 Bad\r\n\r\n"),
        "failure": _say(alert + b"\x02\x28"),
        "unknown": _say(alert + b"\x02\x70"),
        "warning": _say(alert + b"\x01\x00", close=True),
        "half": _say(b"\x16\x03\x03\x00\x7a\x02\x00", close=True),
    }.items():
        world.origin(name, script)  # type: ignore[arg-type]
        cases[name] = f"{{{name}}} ssl verify none"
    backends = "".join(
        f"backend {name}\n    retries 0\n    server s {line} # hapy: pool-min-conn 0\n" for name, line in cases.items()
    )
    world.start(f"""
frontend fe
    bind "fd@${{fe}}"
    log-format "%ST %ts %rc {_TOLD_OF_SERVERS}"
    use_backend %[path,regsub(/,)]
{backends}""")
    for name in cases:
        before = len(world.syslog.traffic())
        client = world.client()
        message = client.get(f"/{name}")
        client.close()
        world.note(f"{name}: {message.status if message else None} {_logged(world, before)}")
    world.forget_clients()
    world.forget_origins()


def names_of_failed_handshakes(world: World) -> None:
    """The name in the log: as it was sent, in lower case where no certificate is for it, none where it wasn't come to."""
    _put(world)
    world.start(
        "".join(
            f'frontend {name}\n    bind "fd@${{{name}}}" ssl crt {{dir}}/server.pem {options}\n'
            '    error-log-format "%[ssl_fc_sni] %[ssl_fc_err_str] %sslv"\n    http-request return status 200\n'
            for name, options in (
                ("strict", "strict-sni"),
                ("late", "ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256"),
                ("early", "ssl-max-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"),
            )
        )
    )
    for listener, options in (
        ("strict", ""),
        ("strict", "-tls1_2"),
        ("late", "-tls1_2"),
        ("late", "-ciphersuites TLS_AES_256_GCM_SHA384"),
        ("late", "-curves brainpoolP256r1"),
        ("early", "-cipher ECDHE-RSA-AES256-GCM-SHA384"),
        ("early", "-tls1_3"),
    ):
        before = len(world.syslog.traffic())
        port = world.client(listener).sock.getpeername()[1]
        command = f"openssl s_client -connect 127.0.0.1:{port} -servername Any.Test {options}"
        subprocess.run(command.split(), input="", capture_output=True, text=True, check=False, timeout=20)
        world.note(f"{listener} {options}: {_logged(world, before)}")
    world.forget_clients()


def _spoil(sock: socket.socket, data: bytes) -> None:
    """Send bytes past the TLS layer."""
    with socket.socket(fileno=os.dup(sock.fileno())) as bare:
        bare.sendall(data)


def spoilt_in_tcp_mode(world: World) -> None:
    """What is no TLS in the middle of a TCP session, from either side: who is told to have ended it, and the alert."""
    world.certificate("srv.pem", "srv.test")

    def serve(connection: Connection) -> None:
        connection.reader.fill()
        connection.write(b"hello")
        _spoil(connection.sock, b"no TLS at all")
        connection.reader.to_end()

    def listen(connection: Connection) -> None:
        connection.reader.fill()
        connection.write(b"hello")
        connection.reader.to_end()

    world.tls_origin("spoiling", "srv.test", script=serve)
    world.origin("plain", listen)
    world.start(
        """
frontend clients
    mode tcp
    bind "fd@${clients}" ssl crt {dir}/srv.pem
    log-format "%ft %ts %B %U %[fc_err] %[ssl_fc_err_str]"
    default_backend plain
backend plain
    mode tcp
    server s {plain}
frontend servers
    mode tcp
    bind "fd@${servers}"
    log-format "%ft %ts %B %U %[bc_err]"
    default_backend spoiling
backend spoiling
    mode tcp
    server s {spoiling} ssl verify none
"""
    )
    for version, junk in (
        (TLS12, b"no TLS at all"),
        (TLS13, b"no TLS at all"),
        (TLS13, b"\x17\x03\x03\0\x20" + bytes(32)),
    ):
        before = len(world.syslog.traffic())
        client = world.tls_client("srv.test", listener="clients", minimum_version=version, maximum_version=version)
        client.send(b"hi")
        answer = client.sock.recv(5)
        _spoil(client.sock, junk)
        try:
            end = repr(client.sock.recv(5))
        except ssl.SSLError as error:
            end = error.reason
        client.close()
        world.note(f"{version.name} {answer!r} {end} {_logged(world, before)}")
    before = len(world.syslog.traffic())
    client = world.client("servers")
    client.send(b"hi")
    world.note(f"{client.expect_end()} {_logged(world, before)}")
    world.forget_clients()
    world.forget_origins()


def spoilt_in_a_head(world: World) -> None:
    """A server whose response head is followed, halfway, by what is no TLS."""
    world.certificate("srv.pem", "srv.test")

    def serve(connection: Connection) -> None:
        connection.reader.fill()
        connection.write(b"HTTP/1.1 200 O")
        _spoil(connection.sock, b"no TLS at all")
        connection.reader.to_end()

    world.tls_origin("spoiling", "srv.test", script=serve)
    world.start(
        """
listen fe
    bind "fd@${fe}"
    timeout server 500ms
    retries 0
    log-format "%ST %ts %[bc_err]"
    server s {spoiling} ssl verify none # hapy: pool-min-conn 0
"""
    )
    before = len(world.syslog.traffic())
    message = world.client().get("/")
    world.note(f"{message.status if message else None} {_logged(world, before)}")
    world.forget_clients()
    world.forget_origins()
