"""TLS on both sides: which certificate a client gets, what it is told, who is let in, and what reaches servers."""

from __future__ import annotations

import re
import ssl
import subprocess

from compat.harness import Connection, World

SAY = """
frontend fe
    bind "fd@${fe}" ssl %s
    option httpslog
    http-request return status 200 content-type text/plain lf-string "%%[ssl_fc] %%[ssl_fc_sni] %%[ssl_fc_has_sni] %%[ssl_fc_alpn] %%[ssl_fc_protocol] %%[ssl_fc_cipher] %%[ssl_fc_is_resumed] %%[ssl_fc_alg_keysize] %%[ssl_fc_has_crt] %%[ssl_c_used] %%[ssl_c_verify] %%[ssl_c_err] %%[ssl_c_ca_err] %%[ssl_c_ca_err_depth] %%[ssl_fc_err] %%[ssl_fc_has_early]"
"""
TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3


def _ask(world: World, server_name: str | None = None, **options: object) -> None:
    client = world.tls_client(server_name, **options)  # type: ignore[arg-type]
    if client.shaken:
        client.get("/")
        client.shutdown()
        client.expect_end()
    client.close()


def _names(world: World, options: str = "", *, first: str = "crt {dir}/a.pem crt {dir}/b.pem crt {dir}/w.pem") -> None:
    world.certificate("a.pem", "a.test", "more.a.test")
    world.certificate("b.pem", "b.test", common_name="B.common.test")
    world.certificate("w.pem", "*.w.test")
    world.start(SAY % f"{first} {options}")
    for name in (
        None,
        "a.test",
        "B.TEST",
        "more.a.test",
        "b.common.test",
        "x.w.test",
        "x.y.w.test",
        "w.test",
        "none.test",
    ):
        _ask(world, name)


def certificate_by_name(world: World) -> None:
    """Exact names, wildcards, common names; the first certificate for all others."""
    _names(world)
    world.logs(9)


def strict_sni(world: World) -> None:
    """`strict-sni` turns away clients without a name that is known."""
    _names(world, "strict-sni")
    world.logs(9)


def certificate_directory(world: World) -> None:
    """A directory's files in order of their names."""
    (world.dir / "certs").mkdir()
    world.certificate("certs/z.pem", "z.test")
    world.certificate("certs/c.pem", "c.test")
    world.start(SAY % "crt {dir}/certs")
    for name in (None, "c.test", "z.test"):
        _ask(world, name)


def certificate_and_key_apart(world: World) -> None:
    """The key beside the certificate, as `FILE.key`."""
    pem = world.certificate("a.pem", "a.test")
    key, _, rest = pem.partition(b"-----BEGIN CERTIFICATE-----")
    (world.dir / "a.crt").write_bytes(b"-----BEGIN CERTIFICATE-----" + rest)
    (world.dir / "a.crt.key").write_bytes(key)
    world.start(SAY % "crt {dir}/a.crt")
    _ask(world, "a.test")


def rsa_and_ecdsa(world: World) -> None:
    """Two certificates of one name: who takes ECDSA gets it."""
    world.certificate("a.pem.rsa", "a.test", common_name="rsa")
    world.certificate("a.pem.ecdsa", "a.test", common_name="ecdsa", kind="ECDSA")
    world.start(SAY % "crt {dir}/a.pem")
    for ciphers in ("DEFAULT", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"):
        _ask(world, "a.test", ciphers=ciphers, maximum_version=TLS12)
    _ask(world, "a.test")


def kinds_of_keys(world: World) -> None:
    """Which of a bundle's certificates a client gets, by its cipher suites and signatures, and which all others get."""
    for kind, key in (("rsa", "RSA"), ("ecdsa", "ECDSA")):
        world.certificate(f"a.pem.{kind}", "a.test", common_name=kind, kind=key)
        world.certificate(f"b.pem.{kind}", "a.test", common_name=kind, kind=key)
    world.certificate("b.pem.dsa", "dsa.test", common_name="dsa")
    (world.dir / "list").write_text(f"{world.dir}/b.pem\n")
    binds = {
        "bundle": "crt {dir}/a.pem",
        "rsa_first": "crt {dir}/a.pem.rsa crt {dir}/a.pem.ecdsa",
        "three": "crt {dir}/b.pem",
        "listed": "crt-list {dir}/list",
    }
    world.start("".join((SAY % f"{crt}").replace("fe", name) for name, crt in binds.items()))
    clients = (
        *("", "-tls1_2", "-tls1_3", "-cipher ECDHE-RSA-AES128-GCM-SHA256", "-sigalgs ECDSA+SHA256"),
        *("-sigalgs RSA+SHA256:RSA-PSS+SHA256", "-tls1_3 -sigalgs ECDSA+SHA256:RSA-PSS+SHA256"),
        *("-tls1_3 -sigalgs ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256", "-tls1_2 -sigalgs RSA+SHA256"),
    )
    for listener in binds:
        port = world.client(listener).sock.getpeername()[1]
        for options in clients:
            for name in ("a.test", "none.test"):
                command = f"openssl s_client -connect 127.0.0.1:{port} -servername {name} {options}".split()
                said = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=20).stdout
                world.note(f"{listener} {name} {options}: {re.findall('subject=.*CN = (.*)', said)}")


def rsa_pss_alone(world: World) -> None:
    """A client that takes no signatures but RSA-PSS, where there are certificates of both kinds."""
    for kind, key in (("rsa", "RSA"), ("ecdsa", "ECDSA")):
        world.certificate(f"a.pem.{kind}", "a.test", common_name=kind, kind=key)
    world.start(SAY % "crt {dir}/a.pem")
    port = world.client().sock.getpeername()[1]
    command = f"openssl s_client -connect 127.0.0.1:{port} -servername a.test -tls1_3 -sigalgs RSA-PSS+SHA256".split()
    said = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=20).stdout
    world.note(str(re.findall("subject=.*CN = (.*)", said)))


def few_bits_for_diffie_hellman(world: World) -> None:
    """`tune.ssl.default-dh-param 1024`: the TLS library refuses so few, and ciphers of that kind are not to be had."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem ciphers ALL", global_="tune.ssl.default-dh-param 1024")
    for ciphers in ("DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"):
        _ask(world, "a.test", ciphers=ciphers, maximum_version=TLS12)


def crt_list(world: World) -> None:
    """Filters, exclusions, and options of single lines."""
    for name in ("a", "b", "c", "d"):
        world.certificate(f"{name}.pem", f"{name}.test", common_name=name)
    d = world.dir
    (d / "list").write_text(
        f"# a comment\n\n{d}/a.pem\n{d}/b.pem *.shared.test !secret.shared.test\n"
        f"{d}/c.pem [ssl-max-ver TLSv1.2 alpn special] secret.shared.test c.test\n{d}/d.pem [alpn http/1.1,special]\n"
    )
    world.start(SAY % "crt-list {dir}/list")
    for name in (None, "a.test", "b.test", "x.shared.test", "secret.shared.test", "c.test", "d.test"):
        _ask(world, name, alpn=["special", "http/1.1"])


def alpn(world: World) -> None:
    """The server's order decides; without a common protocol none is chosen."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem alpn http/1.1,http/1.0")
    for offered in (["http/1.0", "http/1.1"], ["http/1.0"], ["special"], None):
        _ask(world, "a.test", alpn=offered)


def versions(world: World) -> None:
    """`ssl-min-ver` and `ssl-max-ver`."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2")
    _ask(world)
    _ask(world, minimum_version=TLS13)
    world.logs(2)


def force_version(world: World) -> None:
    """`force-tlsv13`."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem force-tlsv13")
    _ask(world)
    _ask(world, maximum_version=TLS12)


def no_version(world: World) -> None:
    """`no-tlsv13` in the defaults for all lines."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem", global_="ssl-default-bind-options no-tlsv13")
    _ask(world)


def ciphers(world: World) -> None:
    """The server's order of ciphers, below TLS 1.3."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384")
    for offered in ("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"):
        _ask(world, ciphers=offered, maximum_version=TLS12)


def client_order_of_ciphers(world: World) -> None:
    """`prefer-client-ciphers`."""
    world.certificate("a.pem", "a.test")
    world.start(
        SAY % "crt {dir}/a.pem prefer-client-ciphers ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
    )
    _ask(world, ciphers="ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256", maximum_version=TLS12)


def ciphersuites(world: World) -> None:
    """The cipher suites of TLS 1.3, from the defaults."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem", global_="ssl-default-bind-ciphersuites TLS_CHACHA20_POLY1305_SHA256")
    _ask(world)


def _group(world: World, listener: str) -> str:
    """The group and the cipher that openssl's client comes to terms on, with TLS 1.2 and 1.3."""
    port = world.client(listener).sock.getpeername()[1]
    found = []
    for version in ("-tls1_2", "-tls1_3"):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "a.test", version]
        said = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=20).stdout
        found += re.findall(r"Server Temp Key: (.*)|Cipher is (.*)", said)
    world.forget_clients()
    return " ".join("".join(pair) for pair in found)


def last_word_counts(world: World) -> None:
    """Lists of ciphers, suites and groups that stand on a line twice."""
    world.certificate("a.pem", "a.test")
    lines = (
        "ciphers ECDHE-RSA-AES128-GCM-SHA256 ciphers ECDHE-RSA-AES256-GCM-SHA384",
        "ciphersuites TLS_AES_128_GCM_SHA256 ciphersuites TLS_CHACHA20_POLY1305_SHA256",
        "curves P-256 curves P-384",
        "ecdhe P-256 ecdhe P-384",
        "ecdhe P-256 curves P-384",
        "curves P-384 ecdhe P-256",
    )
    binds = "".join(f'    bind "fd@${{b{number}}}" ssl crt {{dir}}/a.pem {own}\n' for number, own in enumerate(lines))
    world.start(f"frontend fe\n{binds}    http-request return status 200\n")
    for number, own in enumerate(lines):
        world.note(f"{own}: {_group(world, f'b{number}')}")


def groups_of_a_line(world: World) -> None:
    """`curves` on a line of a crt-list."""
    world.certificate("a.pem", "a.test")
    (world.dir / "list").write_text(f"{world.dir}/a.pem [curves P-384]\n")
    world.start(SAY % "crt-list {dir}/list curves P-256")
    world.note(_group(world, "fe"))


def resumption(world: World) -> None:
    """Sessions are taken up again, with TLS 1.2 and 1.3."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem")
    for version in (TLS12, TLS13):
        first = world.tls_client("a.test", maximum_version=version)
        first.get("/")
        session = first.sock.session  # type: ignore[attr-defined]
        second = world.tls_client("a.test", maximum_version=version, session=session)
        second.get("/")


def _verified(world: World, options: str, *, count: int = 3, **client: object) -> None:
    world.certificate("a.pem", "a.test")
    world.certificate("good.pem", "good@c.test", common_name="good")
    world.certificate("bad.pem", "bad@c.test", common_name="bad", by="stranger")
    world.start(SAY % f"crt {{dir}}/a.pem ca-file {{dir}}/ca.pem {options}")
    for crt in ("", "good.pem", "bad.pem"):
        _ask(world, "a.test", crt=crt, **client)
    world.logs(count)


def verify_required(world: World) -> None:
    """Only clients with a certificate of the authority."""
    _verified(world, "verify required", maximum_version=TLS12)


def verify_required_13(world: World) -> None:
    """The same with TLS 1.3, where the client learns of it later."""
    _verified(world, "verify required")


def verify_optional(world: World) -> None:
    """Clients without a certificate are let in, those with a wrong one are not."""
    _verified(world, "verify optional")


def ignored_errors(world: World) -> None:
    """`crt-ignore-err` and `ca-ignore-err`: let in, and told to rules."""
    _verified(world, "verify optional crt-ignore-err all ca-ignore-err all")


def client_certificate_fields(world: World) -> None:
    """What rules see of a client's certificate, and of ours."""
    world.certificate("a.pem", "a.test", common_name="server name")
    world.certificate("good.pem", "good@c.test", common_name="good", kind="ECDSA")
    fields = [
        "ssl_c_s_dn",
        "ssl_c_s_dn(CN)",
        "ssl_c_s_dn(OU)",
        "ssl_c_s_dn(O,1)",
        "ssl_c_s_dn(O,-1)",
        "ssl_c_s_dn(O,2)",
        "ssl_c_s_dn(ZZ)",
        "ssl_c_i_dn",
        "ssl_c_i_dn(O)",
        "ssl_c_s_dn(,0,rfc2253)",
        "ssl_c_i_dn(,0,rfc2253)",
        "ssl_c_serial,hex",
        "ssl_c_sha1,hex",
        "ssl_c_notbefore",
        "ssl_c_notafter",
        "ssl_c_version",
        "ssl_c_sig_alg",
        "ssl_c_key_alg",
        "ssl_c_der,sha1,hex",
        "ssl_f_s_dn",
        "ssl_f_i_dn",
        "ssl_f_serial,hex",
        "ssl_f_sha1,hex",
        "ssl_f_version",
        "ssl_f_sig_alg",
        "ssl_f_key_alg",
        "ssl_f_notbefore",
        "ssl_f_der,sha1,hex",
    ]
    shown = " | ".join(f"%[{field}]" for field in fields)
    world.start(f"""
frontend fe
    bind "fd@${{fe}}" ssl crt {{dir}}/a.pem ca-file {{dir}}/ca.pem verify optional
    http-request return status 200 content-type text/plain lf-string "{shown}"
""")
    for crt in ("", "good.pem"):
        client = world.tls_client("a.test", crt=crt)
        message = client.get("/")
        if message:
            world.note(repr(message.body))


def captured_hello(world: World) -> None:
    """What a client offers, for JA3 and its kin: ciphers, extensions, groups."""
    world.certificate("a.pem", "a.test")
    fields = [
        "ssl_fc_protocol_hello_id",
        "ssl_fc_cipherlist_bin,hex",
        "ssl_fc_cipherlist_bin(1),be2dec(-,2)",
        "ssl_fc_cipherlist_hex",
        "ssl_fc_cipherlist_str",
        "ssl_fc_cipherlist_xxh",
        "ssl_fc_extlist_bin(1),be2dec(-,2)",
        "ssl_fc_eclist_bin(1),be2dec(-,2)",
        "ssl_fc_ecformats_bin,be2dec(-,1)",
    ]
    shown = " | ".join(f"%[{field}]" for field in fields)
    world.start(
        f"""
frontend fe
    bind "fd@${{fe}}" ssl crt {{dir}}/a.pem
    http-request return status 200 content-type text/plain lf-string "{shown}"
""",
        global_="tune.ssl.capture-buffer-size 400",
    )
    for version in (TLS12, TLS13):
        message = world.tls_client("a.test", maximum_version=version).get("/")
        if message:
            world.note(repr(message.body))


def staple(world: World) -> None:
    """A `.ocsp` file beside the certificate is sent to clients who ask; without its issuer it is refused."""
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509 import ocsp

    from compat.harness.certificates import authority

    pem = world.certificate("a.pem", "a.test")
    leaf = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERT") :])
    issuer = x509.load_pem_x509_certificate(authority("ca").cert_pem.bytes())
    now = dt.datetime.now(dt.UTC)
    built = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf,
        issuer=issuer,
        algorithm=hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=now - dt.timedelta(hours=1),
        next_update=now + dt.timedelta(hours=1),
        revocation_time=None,
        revocation_reason=None,
    )
    key = serialization.load_pem_private_key(authority("ca").private_key_pem.bytes(), None)
    response = built.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer).sign(key, hashes.SHA256())  # type: ignore[arg-type]
    (world.dir / "a.pem.ocsp").write_bytes(response.public_bytes(serialization.Encoding.DER))
    (world.dir / "a.pem.issuer").write_bytes(authority("ca").cert_pem.bytes())
    world.certificate("b.pem", "b.test")
    world.start(SAY % "crt {dir}/a.pem crt {dir}/b.pem")
    for name in ("a.test", "b.test"):
        for version in ("-tls1_2", "-tls1_3"):
            world.note(f"{name} {version}: {_status(world, name, version)}")


def _status(world: World, name: str, version: str) -> list[str]:
    """What openssl's client says of the staple."""
    port = world.client().sock.getpeername()[1]
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, "-status", version]
    said = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=20).stdout
    return [line.strip() for line in said.splitlines() if re.search(r"OCSP response:|Cert Status", line)]


def _timestamps(world: World, version: str) -> None:
    world.certificate("a.pem", "a.test")
    world.certificate("b.pem", "b.test")
    one = bytes((0, *range(32))) + (1_700_000_000_000).to_bytes(8) + bytes((0, 0, 4, 3, 0, 70, 0x30, 0x44)) + bytes(68)
    entry = len(one).to_bytes(2) + one
    (world.dir / "a.pem.sctl").write_bytes((2 * len(entry)).to_bytes(2) + 2 * entry)
    (world.dir / "logs").write_text("enabled_logs=\n")
    world.start(SAY % "crt {dir}/a.pem crt {dir}/b.pem")
    for name in ("a.test", "b.test"):
        port = world.client().sock.getpeername()[1]
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name, version]
        command += ["-ct", "-ctlogfile", str(world.dir / "logs")]
        said = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=20).stdout
        told = re.findall(r"SCTs present.*|(?:Version|Log ID|Timestamp|Extensions|Signature) +:.*", said)
        world.note(f"{name} {version}: {told}")


def timestamps(world: World) -> None:
    """A `.sctl` file beside the certificate, as openssl's client shows it."""
    _timestamps(world, "-tls1_2")


def timestamps_13(world: World) -> None:
    """The same with TLS 1.3."""
    _timestamps(world, "-tls1_3")


def not_tls(world: World) -> None:
    """Plain text, nothing at all, and half a ClientHello on a TLS port."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem")
    plain = world.client()
    plain.send("GET / HTTP/1.1\nHost: a\n\n")
    plain.expect_end(20)
    world.logs(1)
    mute = world.client()
    mute.shutdown()
    mute.expect_end()
    half = world.client()
    half.send(b"\x16\x03\x01\x01\x00\x01\x00")
    half.shutdown()
    half.expect_end()
    world.logs(3)


def handshake_takes_too_long(world: World) -> None:
    """`timeout client` bounds the handshake."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem", defaults="    timeout client 300ms")
    client = world.client()
    client.send(b"\x16\x03\x01\x01\x00\x01\x00")
    client.expect_end(20)
    world.logs(1)


def closing(world: World) -> None:
    """After `Connection: close`: close_notify and FIN; a client's close_notify ends its connection."""
    world.certificate("a.pem", "a.test")
    world.start(SAY % "crt {dir}/a.pem")
    client = world.tls_client()
    client.get("/", "Connection: close")
    client.expect_end()


PROXY = """
frontend fe
    bind "fd@${fe}" ssl crt {dir}/front.pem
    option httplog
    default_backend be
backend be
    http-reuse always
    http-response set-header x-bc "%[ssl_bc] %[ssl_bc_protocol] %[ssl_bc_cipher] %[ssl_bc_is_resumed] %[ssl_s_s_dn(O)]"
"""


def bodies_through_tls(world: World) -> None:
    """Big bodies both ways, over TLS on both sides."""

    def script(connection: Connection) -> None:
        while (message := connection.read()) is not None:
            connection.reply(message.body[::-1])

    world.tls_origin("s1", "s1.test", script=script)
    world.certificate("front.pem", "front.test")
    world.start(PROXY + "    server s1 {s1} ssl verify none\n")
    client = world.tls_client()
    body = bytes(range(256)) * 8000
    message = client.post("/", body)
    world.note(str(message is not None and message.body == body[::-1]))


def server_names_and_pool(world: World) -> None:
    """SNI from the request: a connection serves one name, and all clients of that name."""
    world.tls_origin("s1", "a.test", "b.test")
    world.certificate("front.pem", "front.test")
    world.start(PROXY + "    server s1 {s1} ssl verify required ca-file {dir}/ca.pem sni req.hdr(x-name)\n")
    for name in ("a.test", "b.test", "a.test", "b.test", "a.test"):
        client = world.tls_client()
        client.get("/", f"X-Name: {name}")


def constant_name(world: World) -> None:
    """One name for all, verified."""
    world.tls_origin("s1", "a.test")
    world.certificate("front.pem", "front.test")
    world.start(PROXY + "    server s1 {s1} ssl verify required ca-file {dir}/ca.pem sni str(a.test) alpn http/1.1\n")
    client = world.tls_client()
    client.get("/1")
    client.get("/2")


def _refused(world: World, options: str) -> None:
    world.tls_origin("s1", "a.test", "*.w.test")
    authority_of_others = world.certificate("other.pem", "other.test", by="stranger")
    (world.dir / "stranger.pem").write_bytes(
        b"-----BEGIN CERTIFICATE-----" + authority_of_others.split(b"-----BEGIN CERTIFICATE-----")[1]
    )
    world.certificate("front.pem", "front.test")
    world.start(PROXY + f"    retries 0\n    server s1 {{s1}} ssl {options}\n")
    client = world.tls_client()
    message = client.get("/")
    world.note(str(message.status if message else None))
    world.logs(1)
    world.origins["s1"].handshakes.clear()


def wrong_server_name(world: World) -> None:
    """The name asked for is not in the certificate."""
    _refused(world, "verify required ca-file {dir}/ca.pem sni str(b.test)")


def verify_host(world: World) -> None:
    """The name asked for comes before `verifyhost`."""
    _refused(world, "verify required ca-file {dir}/ca.pem sni str(b.test) verifyhost a.test")


def verify_host_by_wildcard(world: World) -> None:
    """`*` stands for one label."""
    _refused(world, "verify required ca-file {dir}/ca.pem verifyhost x.w.test")


def verify_host_wildcard_is_one_label(world: World) -> None:
    """`*` stands for one label and no more."""
    _refused(world, "verify required ca-file {dir}/ca.pem verifyhost y.x.w.test")


def no_name_to_verify(world: World) -> None:
    """Without a name only the chain counts."""
    _refused(world, "verify required ca-file {dir}/ca.pem")


def untrusted_server(world: World) -> None:
    """A certificate of another authority."""
    _refused(world, "verify required ca-file {dir}/stranger.pem")


def server_speaks_plain_text(world: World) -> None:
    """No TLS at the other end."""
    world.origin("s1", lambda connection: connection.write(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    world.certificate("front.pem", "front.test")
    world.start(PROXY + "    retries 0\n    server s1 {s1} ssl verify none\n")
    world.tls_client().get("/")
    world.logs(1)


def own_certificate_for_server(world: World) -> None:
    """`crt` on a server line."""
    world.certificate("me.pem", "me@c.test", common_name="me")
    world.tls_origin("s1", "a.test", verify_mode=ssl.CERT_REQUIRED)
    world.certificate("front.pem", "front.test")
    world.start(PROXY + "    server s1 {s1} ssl verify none crt {dir}/me.pem\n")
    world.tls_client().get("/")


def sessions_of_servers(world: World) -> None:
    """A new connection takes up the session of the one before."""
    for name, version in (("s1", TLS12), ("s2", TLS13)):

        def script(connection: Connection) -> None:
            connection.read()
            connection.reply(b"x", headers=("Connection: close",))

        world.tls_origin(name, "a.test", script=script, maximum_version=version)
    world.certificate("front.pem", "front.test")
    world.start(
        PROXY
        + """
    use-server s2 if { path /2 }
    server s1 {s1} ssl verify none weight 1 # hapy: pool-min-conn 0
    server s2 {s2} ssl verify none weight 0 # hapy: pool-min-conn 0
"""
    )
    client = world.tls_client()
    for target in ("/1", "/1", "/1", "/2", "/2", "/2"):
        client.get(target)


def no_sessions(world: World) -> None:
    """`no-ssl-reuse`."""

    def script(connection: Connection) -> None:
        connection.read()
        connection.reply(b"x", headers=("Connection: close",))

    world.tls_origin("s1", "a.test", script=script)
    world.certificate("front.pem", "front.test")
    world.start(PROXY + "    server s1 {s1} ssl verify none no-ssl-reuse # hapy: pool-min-conn 0\n")
    client = world.tls_client()
    client.get("/")
    client.get("/")


def tcp_mode(world: World) -> None:
    """Bytes of any kind, TLS on both sides, and its ends passed on."""

    def script(connection: Connection) -> None:
        connection.write(b"hello\n")
        connection.write(connection.reader.to_end().upper())

    world.tls_origin("s1", "a.test", script=script)
    world.certificate("front.pem", "front.test")
    world.start("""
listen fe
    mode tcp
    option tcplog
    bind "fd@${fe}" ssl crt {dir}/front.pem
    server s1 {s1} ssl verify none
""")
    client = world.tls_client()
    client.send(b"some bytes")
    client.seen.append(repr(client.reader.exactly(6)))
    client.shutdown()
    client.seen.append(repr(client.reader.to_end()))
    client.ending()
    world.logs(1)


def any_protocol_in_tcp(world: World) -> None:
    """In mode tcp both ends agree on HTTP/2 or anything else, and bytes pass as they are."""

    def script(connection: Connection) -> None:
        connection.reader.exactly(10)
        connection.write(b"more bytes")

    world.origin("s1", script)
    world.certificate("front.pem", "front.test")
    world.start("""
listen fe
    mode tcp
    log-format "front %[ssl_fc_alpn]"
    bind "fd@${fe}" ssl crt {dir}/front.pem alpn h2,spdy/9,http/1.1
    server in unix@{dir}/in.sock ssl verify none alpn h2,special
listen in
    mode tcp
    log-format "behind %[ssl_fc_alpn]"
    bind unix@{dir}/in.sock ssl crt {dir}/front.pem alpn special,h2
    server s1 {s1}
""")
    for protocols in (["h2", "http/1.1"], ["http/1.1"], ["spdy/9", "http/1.1"], ["other"], None):
        client = world.tls_client(alpn=protocols)
        if client.shaken:
            client.send(b"some bytes")
            client.seen.append(repr(client.reader.exactly(10)))
            client.shutdown()
            client.expect_end()
        client.close()
    world.logs(10)


def made_certificates(world: World) -> None:
    """`generate-certificates`: for names that no certificate has; the others get theirs."""
    from cryptography import x509

    from compat.harness.certificates import authority

    world.certificate("a.pem", "a.test", common_name="a.test")
    signer = authority("ca")
    (world.dir / "signer.pem").write_bytes(signer.cert_pem.bytes() + signer.private_key_pem.bytes())
    making = "generate-certificates ca-sign-file {dir}/signer.pem ca-sign-pass unused"
    world.start(
        SAY % f"crt {{dir}}/a.pem {making}" + f'    bind "fd@${{strict}}" ssl crt {{dir}}/a.pem strict-sni {making}\n',
        global_="tune.ssl.ssl-ctx-cache-size 2",
    )
    for name, listener in (
        ("new.test", "fe"),
        ("NEW.test", "fe"),
        ("a.test", "fe"),
        ("x.y.test", "strict"),
        (None, "fe"),
    ):
        client = world.tls_client(name, listener=listener)
        if not client.shaken:
            continue
        der = client.sock.getpeercert(binary_form=True)  # type: ignore[attr-defined]
        made = x509.load_der_x509_certificate(der)
        world.note(made.subject.rfc4514_string())
        for extension in made.extensions:
            value = extension.value
            if not isinstance(value, x509.SubjectKeyIdentifier | x509.AuthorityKeyIdentifier):
                world.note(f"{extension.critical} {value}")
        made.verify_directly_issued_by(x509.load_pem_x509_certificate(signer.cert_pem.bytes()))


def made_certificates_of_odd_names(world: World) -> None:
    """`generate-certificates` for names with any letters; who asks for one that can't be made is turned away."""
    from compat.harness.certificates import authority

    world.certificate("a.pem", "a.test", common_name="a.test")
    signer = authority("ca")
    (world.dir / "signer.pem").write_bytes(signer.cert_pem.bytes() + signer.private_key_pem.bytes())
    world.start(
        """
frontend fe
    bind "fd@${fe}" ssl crt {dir}/a.pem generate-certificates ca-sign-file {dir}/signer.pem
    error-log-format "%[ssl_fc_sni,hex] %[ssl_fc_err_str]"
    http-request return status 200
""",
    )
    letters = "show_type,esc_2253,esc_ctrl,esc_msb"
    shown = ["openssl", "x509", "-noout", "-subject", "-ext", "subjectAltName", "-nameopt", letters]
    odd = ("ü.test", " bb ", "a b", "a:b", "A/b.test", "*.c.test", "\t1.2.3.4", "x" * 59 + ".test", "y" * 60 + ".test")
    for name in (*odd, "m,n", ",", " "):
        port = world.client("fe").sock.getpeername()[1]
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name]
        said = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=20)
        found = subprocess.run(shown, input=said.stdout, capture_output=True, check=False).stdout
        world.note(f"{name!r}: {found!r} {re.findall(b'alert number .*', said.stderr)}")
    world.forget_clients()


_MAKING = "crt {dir}/a.pem generate-certificates ca-sign-file {dir}/signer.pem"


def _put_signer(world: World, kind: str) -> None:
    from compat.harness.certificates import authority

    world.certificate("a.pem", "a.test", common_name="a.test", kind=kind)
    signer = authority("ca")
    (world.dir / "signer.pem").write_bytes(signer.cert_pem.bytes() + signer.private_key_pem.bytes())


def made_certificates_of_ecdsa(world: World) -> None:
    """`generate-certificates` beside an ECDSA certificate: how many of 20 names get theirs over TLS 1.2 at once."""
    _put_signer(world, "ECDSA")
    world.start(SAY % _MAKING)
    version = ssl.TLSVersion.TLSv1_2
    served = 0
    for number in range(20):
        served += world.tls_client(f"n{number}.test", minimum_version=version, maximum_version=version).shaken
    world.forget_clients()
    world.note(f"all of them: {served == 20}")


def made_certificates_of_lists(world: World) -> None:
    """`generate-certificates` for names that look like a list of names."""
    from cryptography import x509

    _put_signer(world, "RSA")
    world.start(SAY % _MAKING)
    for name in ("a,email:b", "a,uri:http://b"):
        client = world.tls_client(name)
        if client.shaken:
            made = x509.load_der_x509_certificate(client.sock.getpeercert(binary_form=True))  # type: ignore[attr-defined]
            world.note(f"{name}: {made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value}")
    world.forget_clients()


def version_without_a_certificate(world: World) -> None:
    """The version in the log where no certificate can be made: the lower of the client's highest and the line's."""
    _put_signer(world, "RSA")
    world.start(
        "".join(
            f'frontend {name}\n    bind "fd@${{{name}}}" ssl {options} {_MAKING}\n'
            '    error-log-format "%[ssl_fc_protocol] %sslv %sslc"\n    http-request return status 200\n'
            for name, options in (("fe", ""), ("old", "ssl-max-ver TLSv1.2"))
        )
    )
    for listener in ("fe", "old"):
        port = world.client(listener).sock.getpeername()[1]
        for version in ("-tls1_2", "-tls1_3"):
            before = len(world.syslog.traffic())
            command = f"openssl s_client -connect 127.0.0.1:{port} -servername , {version}".split()
            subprocess.run(command, input=b"", capture_output=True, check=False, timeout=20)
            world.syslog.wait(before + 1)
            world.note(f"{listener} {version}: {world.syslog.traffic()[before:]}")
    world.forget_clients()
