"""What servers are asked for by TLS: names of any letters, sessions by name and by member of a template."""

from __future__ import annotations

import datetime as dt
import functools
import ssl
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from compat.harness import Connection, Origin, World
from compat.scenarios.tls import PROXY, TLS12, TLS13

#: What a request may want a server to be asked for: host names, addresses, and what no host is called.
NAMES = (
    *(
        "a.test.",
        "A.Test",
        "a_b.test",
        "-a",
        "a..b",
        ".a.test",
        "a b",
        "a\ttest",
        "a.test:80",
        "*.a.test",
        "a,b",
        "a/b",
    ),
    *("[::1]", "::1", "1.2.3.4", "1.2", "1.2.3", "\\x", '"a"', "x" * 64 + ".test", "q" * 255, "q" * 256, "q" * 4000),
    *(".".join(["y" * 60] * count) for count in (3, 4, 5)),
)


def _serve(connection: Connection) -> None:
    connection.read()
    connection.reply(b"x", headers=("Connection: close",))


def _asked(world: World, servers: str, version: ssl.TLSVersion, names: tuple[str, ...]) -> None:
    origin = world.tls_origin("s1", "a.test", "b.test", script=_serve, maximum_version=version)
    assert origin.tls is not None
    world.certificate("front.pem", "front.test")
    world.start(f"{PROXY}    balance roundrobin\n    {servers} # hapy: pool-min-conn 0\n")
    client = world.tls_client()
    for name in names:
        client.get("/", f"X-Name: {name}")


def names_of_any_letters(world: World) -> None:
    """`sni` sends what the expression gives, up to 255 bytes; what is longer is not sent."""
    _asked(world, "server s {s1} ssl verify none sni req.hdr(x-name)", TLS13, NAMES)


def addresses_as_names(world: World) -> None:
    """A constant that is an address is sent, too."""
    _asked(world, "server s {s1} ssl verify none sni str(127.0.0.1)", TLS12, ("",) * 2)


def _members(version: ssl.TLSVersion, options: str) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        """Each member of a template takes up its own sessions."""
        server = f"server-template s 1-3 {{s1}} ssl verify required ca-file {{dir}}/ca.pem {options}"
        _asked(world, server, version, ("",) * 7)

    return scenario


def sessions_of_names(world: World) -> None:
    """Sessions where names take turns."""
    server = "server s {s1} ssl verify required ca-file {dir}/ca.pem sni req.hdr(x-name)"
    _asked(world, server, TLS13, ("a.test", "a.test", "b.test", "b.test", "a.test", "b.test"))


#: Certificates: their common names, and their alternative DNS names.
CERTIFICATES: dict[str, tuple[list[str], list[str]]] = {
    "common": (["A.test", "b.test"], []),
    "both": (["a.test"], ["B.test"]),
    "label": ([], ["*.a.test"]),
    "begin": (["f*.test"], []),
    "middle": ([], ["F*o.test"]),
    "end": ([], ["*a.test"]),
    "two": ([], ["*x*.test", "**.test", "f*.*.test"]),
    "later": ([], ["a.f*.test", "x.*.test"]),
    "odd": ([], ["*", "f*", "*..test", "*.test.", ".b.test"]),
    "address": ([], ["127.0.0.1"]),
}
WANTED = (
    *("a.test", "A.TEST", "b.test", "x.a.test", ".a.test", "y.x.a.test", "f.test", "fo.test", "foo.test", "f*o.test"),
    *("xn--a.test", "axb.test", "a.foo.test", "..test", "x..test", "x.test.", ".b.test", "foo", "*", "127.0.0.1"),
)


@functools.cache
def _issued() -> dict[str, bytes]:
    """The authority's certificate (`root`), and a key with a certificate for each of `CERTIFICATES`."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])

    def build(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
        since, until = dt.datetime(2020, 1, 1), dt.datetime(2060, 1, 1)  # noqa: DTZ001
        return builder.serial_number(x509.random_serial_number()).not_valid_before(since).not_valid_after(until)

    root = build(issuer, key.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    files = {"root": root.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)}
    for name, (common, alternative) in (CERTIFICATES | {"zero": (["a.test\0.other.test"], [])}).items():
        own = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one) for one in common])
        leaf = build(subject, own.public_key())
        if alternative:
            names = x509.SubjectAlternativeName([x509.DNSName(one) for one in alternative])
            leaf = leaf.add_extension(names, critical=False)
        files[name] = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files[name] += leaf.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return files


def _presented(world: World, certificates: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    for name, content in _issued().items():
        (world.dir / f"{name}.pem").write_bytes(content)
    backends = ""
    for name in certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(world.dir / f"{name}.pem")
        world.origins[name] = Origin(name, _serve, tls=context)
        verified = f"{{{name}}} ssl verify required ca-file {{dir}}/root.pem"
        backends += f"backend {name}\n    server s {verified} sni req.hdr(x-name) # hapy: pool-min-conn 0\n"
        backends += f"backend {name}-host\n    server s {verified} verifyhost F.Test # hapy: pool-min-conn 0\n"
    world.start(f"""
defaults
    mode http
    retries 0
    timeout client 20s
    timeout server 20s
    timeout connect 20s
frontend fe
    bind "fd@${{fe}}"
    http-after-response set-header x-why "%[bc_err] %[ssl_bc_err]"
    use_backend %[path,regsub(/,)]
{backends}""")
    for certificate in certificates:
        for name in (*wanted, "verifyhost"):
            client = world.client()
            where = f"/{certificate}-host" if name == "verifyhost" else f"/{certificate}"
            message = client.get(where, f"X-Name: {name}")
            told = f"{message.status} {message.header('x-why')}" if message else "nothing"
            world.note(f"{certificate} {name}: {told}")
            client.close()
    world.forget_clients()
    world.forget_origins()


def names_in_certificates(world: World) -> None:
    """Names that a server's certificate is good for: any case, `*` for a label or for a part of the first one."""
    _presented(world, tuple(CERTIFICATES), WANTED)


def name_with_a_zero(world: World) -> None:
    """A common name that goes on behind a zero byte."""
    _presented(world, ("zero",), ("a.test",))


FAMILY = {
    "members_12": _members(TLS12, ""),
    "members_13": _members(TLS13, "sni str(a.test)"),
    "members_without_sessions": _members(TLS13, "no-ssl-reuse"),
}


def _of_other_names(version: ssl.TLSVersion) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        origins = {name: world.tls_origin(name, "a.test", maximum_version=version) for name in ("host", "name", "fine")}
        world.certificate("own.pem", "client.test")
        more = {"host": "verifyhost b.test", "name": "sni str(b.test) verifyhost a.test", "fine": "sni str(A.test)"}
        told = "%[bc_err] %[ssl_bc_err_str] %[ssl_s_s_dn] %sslv %ST %ts"
        servers = "".join(
            f'listen {name}\n    bind "fd@${{{name}}}"\n    retries 0\n    log-format "{name} {told}"\n    server s'
            f" {{{name}}} ssl verify required ca-file {{dir}}/ca.pem crt {{dir}}/own.pem {words}\n"
            for name, words in more.items()
        )
        world.start(servers)
        for name in origins:
            client = world.client(name)
            client.get("/")
            client.close()
        world.logs(len(origins))

    scenario.__doc__ = f"A server of another name is left before its handshake is done ({version.name})."
    return scenario


servers_of_other_names_12 = _of_other_names(TLS12)
servers_of_other_names_13 = _of_other_names(TLS13)


def checks_by_tls(world: World) -> None:
    """Checks show the `crt` of the line and offer its `alpn`, also where only they speak TLS."""
    lines = {
        "both": "ssl check",
        "alone": "check check-ssl",
        "own": "ssl check alpn foo check-alpn bar",
        "named": "ssl check alpn foo check-sni a.test",
    }
    world.certificate("own.pem", "client.test")
    for name in lines:
        origin = world.tls_origin(name, "a.test", verify_mode=ssl.CERT_OPTIONAL)
        assert origin.tls is not None
        origin.tls.set_alpn_protocols(["bar", "foo"])
    world.start(
        "".join(
            f"backend {name}\n    option httpchk\n    server s {{{name}}} {words} inter 500ms verify none crt {{dir}}/own.pem\n"
            for name, words in lines.items()
        )
        + 'frontend fe\n    bind "fd@${fe}"\n    http-request return status 200\n'
    )
    for name in lines:
        origin = world.origins[name]
        origin.wait_for(lambda origin=origin: bool(origin.handshakes))  # type: ignore[misc]
        world.note(f"{name}: {origin.handshakes[:1]}")
    world.forget_origins()
