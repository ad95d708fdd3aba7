"""Every fetch of HAProxy 2.6 on the TLS layer of both connections, over certificates of all kinds."""

from __future__ import annotations

import datetime as dt
import functools
import ssl
import subprocess
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.name import NameAttribute, RelativeDistinguishedName, _ASN1Type
from cryptography.x509.oid import NameOID, ObjectIdentifier

from compat.harness import Connection, Origin, World

#: Parts of distinguished names that are asked for, with their numbers and formats.
_PARTS = (
    *("", "CN", "CN,1", "CN,2", "CN,-1", "CN,-2", "CN,0", "OU,1", "OU,2", "OU,-1", "O", "C", "ST", "L", "emailAddress"),
    *("DC", "DC,2", "UID", "serialNumber", "GN", "SN", "title", "pseudonym", "1.2.3.4", "street", "postalCode"),
    *("businessCategory", "jurisdictionC", "dnQualifier", "generationQualifier", ",0,rfc2253", "CN,1,rfc2253"),
    *("OU,0,rfc2253", "ZZ", "cn", "commonName"),
)
_FIELDS = ("der,sha1,hex", "key_alg", "notafter", "notbefore", "serial,hex", "sha1,hex", "sig_alg", "version")
_SESSION = (
    *("alg_keysize", "use_keysize", "alpn", "npn", "cipher", "protocol", "is_resumed", "err", "err_str"),
    *("client_random,hex,length", "server_random,hex,length", "session_id,hex,length", "session_key,hex,length"),
    "unique_id,hex,length",
)
_OTHERS = (
    *("ssl_fc", "ssl_bc", "ssl_fc_sni", "ssl_fc_has_sni", "ssl_fc_has_crt", "ssl_fc_has_early"),
    *("ssl_fc_protocol_hello_id", "ssl_fc_cipherlist_xxh", "ssl_fc_cipherlist_hex", "ssl_fc_cipherlist_hex(1)"),
    *(
        "ssl_fc_cipherlist_bin(2),hex",
        "ssl_fc_cipherlist_bin(3),hex",
        "ssl_fc_cipherlist_str",
        "ssl_fc_cipherlist_str(1)",
    ),
    *("ssl_fc_ecformats_bin,hex", "ssl_fc_eclist_bin,hex", "ssl_fc_eclist_bin(1),hex", "ssl_fc_extlist_bin,hex"),
    *("ssl_fc_extlist_bin(1),hex", "ssl_fc_client_handshake_traffic_secret,length", "ssl_fc_exporter_secret,length"),
    *("ssl_fc_server_handshake_traffic_secret,length", "ssl_fc_client_traffic_secret_0,length"),
    *("ssl_fc_server_traffic_secret_0,length", "ssl_fc_client_early_traffic_secret", "ssl_fc_early_exporter_secret"),
    *(
        "ssl_c_chain_der,sha1,hex",
        "ssl_s_chain_der,sha1,hex",
        "ssl_c_used",
        "ssl_c_verify",
        "ssl_c_err",
        "ssl_c_ca_err",
    ),
    *("ssl_c_ca_err_depth", "fc_err", "fc_err_str", "bc_err", "bc_err_str"),
)
FETCHES = (
    *(f"ssl_{whose}_{dn}({part})" for whose in "cfs" for dn in ("s_dn", "i_dn") for part in _PARTS),
    *(f"ssl_{whose}_{field}" for whose in "cfs" for field in _FIELDS),
    *(f"ssl_{side}_{what}" for side in ("fc", "bc") for what in _SESSION),
    *_OTHERS,
)
#: Fetches shown in one header.
_TOGETHER = 45
_SINCE = dt.datetime(2024, 1, 1)  # noqa: DTZ001 - certificates know no time zones


def _name(*together: list[tuple[ObjectIdentifier, str] | NameAttribute]) -> x509.Name:
    return x509.Name(
        RelativeDistinguishedName(part if isinstance(part, NameAttribute) else NameAttribute(*part) for part in parts)
        for parts in together
    )


_COMPANY = (
    [(NameOID.COUNTRY_NAME, "FR")],
    [(NameOID.STATE_OR_PROVINCE_NAME, "Île-de-France")],
    [(NameOID.LOCALITY_NAME, "Paris")],
    [(NameOID.ORGANIZATION_NAME, "Exemple, SA")],
    [(NameOID.ORGANIZATIONAL_UNIT_NAME, "un")],
    [(NameOID.ORGANIZATIONAL_UNIT_NAME, "deux")],
    [(NameOID.COMMON_NAME, 'Jérôme "X"')],
    [(NameOID.EMAIL_ADDRESS, "j@x.test")],
)
_PERSON = (
    [(NameOID.DOMAIN_COMPONENT, "test")],
    [(NameOID.DOMAIN_COMPONENT, "corp")],
    [(NameOID.USER_ID, "u1")],
    [(NameOID.COMMON_NAME, "multi"), (NameOID.SERIAL_NUMBER, "42")],
    [(NameOID.GIVEN_NAME, "G"), (NameOID.SURNAME, "S")],
    [(NameOID.TITLE, "Dr")],
    [(NameOID.PSEUDONYM, "p")],
    [(ObjectIdentifier("1.2.3.4"), "odd")],
    [(NameOID.STREET_ADDRESS, "1 Rd")],
    [(NameOID.POSTAL_CODE, "12345")],
    [(NameOID.BUSINESS_CATEGORY, "Biz")],
    [(NameOID.JURISDICTION_COUNTRY_NAME, "GB")],
)
_ODD = (
    [(NameOID.COMMON_NAME, " lead#+;<>\\= ")],
    [(NameOID.ORGANIZATION_NAME, "#hash")],
    [NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "bmp ü €", _ASN1Type.BMPString)],
    [NameAttribute(NameOID.LOCALITY_NAME, "t61", _ASN1Type.T61String)],
    [(NameOID.COMMON_NAME, "second/slash")],
    [(NameOID.DN_QUALIFIER, "q")],
    [(NameOID.GENERATION_QUALIFIER, "III")],
)


@dataclass(frozen=True)
class _Wanted:
    """A certificate to make; `through`: by way of an authority between."""

    subject: x509.Name
    key: object
    serial: int
    until: dt.datetime
    digest: type[hashes.HashAlgorithm] = hashes.SHA256
    through: bool = False
    pss: bool = False


@functools.cache
def _made() -> dict[str, bytes]:
    """Files by name: `root`, and keys with certificates and chains."""
    root_key = rsa.generate_private_key(65537, 2048)
    root_name = _name([(NameOID.COUNTRY_NAME, "DE")], [(NameOID.ORGANIZATION_NAME, "Rich CA, Inc.")])
    between_key = ec.generate_private_key(ec.SECP256R1())
    between_name = _name([(NameOID.COMMON_NAME, "Between")], [(NameOID.ORGANIZATIONAL_UNIT_NAME, "A")])

    def build(subject: x509.Name, issuer: x509.Name, key: object, serial: int) -> x509.CertificateBuilder:
        public = key.public_key()  # type: ignore[attr-defined]
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
        return builder.serial_number(serial).not_valid_before(_SINCE)

    last = dt.datetime(2060, 1, 1)  # noqa: DTZ001
    authority = x509.BasicConstraints(ca=True, path_length=None)
    root = build(root_name, root_name, root_key, 1).not_valid_after(last).add_extension(authority, critical=True)
    between = build(between_name, root_name, between_key, 2).not_valid_after(last)
    between_pem = (
        between.add_extension(authority, critical=True).sign(root_key, hashes.SHA384()).public_bytes(Encoding.PEM)
    )
    files = {"root": root.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM)}
    end = dt.datetime(2049, 12, 31, 23, 59, 59)  # noqa: DTZ001
    later = dt.datetime(2055, 6, 7, 8, 9, 10)  # noqa: DTZ001
    for name, wanted in {
        "company": _Wanted(_name(*_COMPANY), rsa.generate_private_key(65537, 2048), 0xDEADBEEF, end),
        "person": _Wanted(
            _name(*_PERSON), ec.generate_private_key(ec.SECP521R1()), 1 << 158 | 5, later, hashes.SHA512, through=True
        ),
        "odd": _Wanted(_name(*_ODD), rsa.generate_private_key(65537, 3072), 255, later, pss=True),
        "nobody": _Wanted(_name(), ec.generate_private_key(ec.SECP384R1()), 128, later, hashes.SHA224),
        "ed448": _Wanted(_name(*_COMPANY), ed448.Ed448PrivateKey.generate(), (1 << 63) + 1, later),
        "rsa": _Wanted(_name([(NameOID.COMMON_NAME, "rsa.test")]), rsa.generate_private_key(65537, 2048), 11, end),
        "ec": _Wanted(
            _name([(NameOID.COMMON_NAME, "ec.test")]), ec.generate_private_key(ec.SECP256R1()), 12, end, through=True
        ),
        "ed": _Wanted(_name([(NameOID.COMMON_NAME, "ed.test")]), ed25519.Ed25519PrivateKey.generate(), 13, end),
    }.items():
        builder = build(wanted.subject, between_name if wanted.through else root_name, wanted.key, wanted.serial)
        mask = padding.PSS(padding.MGF1(wanted.digest()), wanted.digest.digest_size) if wanted.pss else None
        signer = between_key if wanted.through else root_key
        leaf = builder.not_valid_after(wanted.until).sign(signer, wanted.digest(), rsa_padding=mask)  # type: ignore[arg-type]
        key = wanted.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
        files[name] = key + leaf.public_bytes(Encoding.PEM) + (between_pem if wanted.through else b"")
    return files


def _serve(connection: Connection) -> None:
    while connection.read() is not None:
        connection.reply(b"")


def every_fetch(world: World) -> None:
    """Names, dates, keys and numbers of certificates; versions, ciphers, sessions and hellos; resumed sessions too."""
    for name, content in _made().items():
        (world.dir / f"{name}.pem").write_bytes(content)
    (world.dir / "list").write_text("".join(f"{world.dir}/{name}.pem {name}.test\n" for name in ("rsa", "ec", "ed")))
    for name in ("rsa", "ec", "ed"):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(world.dir / f"{name}.pem")
            context.minimum_version = context.maximum_version = version
            context.set_alpn_protocols(["http/1.1"])
            origin = f"{name}{version.name[-1]}"
            world.origins[origin] = Origin(origin, _serve, tls=context)
    groups = [FETCHES[start : start + _TOGETHER] for start in range(0, len(FETCHES), _TOGETHER)]
    told = "".join(
        f'    http-response set-header x{number} "{" | ".join(f"v=%[{fetch}]" for fetch in group)}"\n'
        for number, group in enumerate(groups)
    )
    backends = "".join(
        f"backend {name}\n    server s {{{name}}} ssl verify none alpn http/1.1 # hapy: pool-min-conn 0\n"
        for name in world.origins
    )
    world.start(
        f"""
frontend fe
    bind "fd@${{fe}}" ssl crt-list {{dir}}/list ca-file {{dir}}/root.pem verify optional alpn http/1.1
    use_backend %[path,regsub(/,)]
{told}{backends}""",
        global_="tune.ssl.keylog on\n    tune.ssl.capture-buffer-size 400\n    tune.bufsize 65536\n"
        "    ssl-load-extra-files none",
    )
    names = list(world.origins)
    kinds = [(crt, "rsa.test") for crt in ("", "company", "person", "odd", "nobody", "ed448")]
    kinds += [("", name) for name in (None, "EC.test", "ed.test")]  # type: ignore[list-item]
    for number, (crt, name) in enumerate(kinds):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            session = None
            origin = names[(number + version) % len(names)]
            for _ in ("first", "resumed"):
                options = {"alpn": ["http/1.1"], "crt": f"{crt}.pem" if crt else "", "session": session}
                client = world.tls_client(name, maximum_version=version, **options)
                message = client.get(f"/{origin}")
                session = client.sock.session  # type: ignore[attr-defined]
                for place, group in enumerate(groups):
                    shown = (message.header(f"x{place}") or "" if message else "").split(" | ")
                    for fetch, value in zip(group, shown, strict=False):
                        world.note(f"{crt} {name} {version.name} to {origin}: {fetch} {value!r}")
    world.forget_clients()
    world.forget_origins()


def odd_clients(world: World) -> None:
    """A serial number of zero, dates of other centuries, and names with zero bytes, in bodies and in the log."""
    world.certificate("a.pem", "a.test")
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (world.dir / "key.pem").write_bytes(pem)

    def client(name: str, subject: x509.Name, since: int, until: int) -> None:
        begin, end = _SINCE.replace(year=since), _SINCE.replace(year=until)
        made = x509.CertificateBuilder(subject, subject, key.public_key(), 128, begin, end).sign(key, hashes.SHA256())
        (world.dir / name).write_bytes(made.public_bytes(Encoding.PEM) + pem)

    wide = NameAttribute(NameOID.COMMON_NAME, "wide é", _ASN1Type.BMPString)
    client("wide.pem", _name([(NameOID.ORGANIZATION_NAME, "o")], [wide]), 2024, 2049)
    client("old.pem", _name([(NameOID.COMMON_NAME, "old")]), 1999, 2060)
    client("ancient.pem", _name([(NameOID.COMMON_NAME, "ancient")]), 1950, 9999)
    for name, serial in (("zero.pem", "0"), ("negative.pem", "-128")):
        command = f"openssl req -x509 -new -key key.pem -subj /CN={name} -days 30 -set_serial {serial}"
        made = subprocess.run(command.split(), cwd=world.dir, capture_output=True, check=True).stdout
        (world.dir / name).write_bytes(made + pem)
    shown = (
        "%[ssl_c_serial,hex] %[ssl_c_notbefore] %[ssl_c_notafter] %[ssl_c_s_dn] %[ssl_c_s_dn(CN)] %[ssl_c_s_dn,lower]"
    )
    dated = "%[ssl_c_serial,hex] %[ssl_c_s_dn]"
    world.start(
        f"""
frontend fe
    bind "fd@${{fe}}" ssl crt {{dir}}/a.pem verify optional ca-file {{dir}}/a.pem ca-ignore-err all crt-ignore-err all
    log-format "%[ssl_c_serial,hex] %[ssl_c_s_dn] %{{+Q}}[ssl_c_s_dn(CN)] %[ssl_c_s_dn,lower] %[ssl_c_s_dn(O)]"
    http-request set-var(txn.dn) ssl_c_s_dn
    http-request return status 200 content-type text/plain lf-string "{dated}" if {{ path /dated }}
    http-request return status 200 content-type text/plain lf-string "{shown} %[var(txn.dn)]"
"""
    )
    for name in ("wide", "old", "ancient", "zero", "negative"):
        one = world.tls_client("a.test", crt=f"{name}.pem")
        message = one.get("/dated" if name in ("zero", "negative") else "/")
        world.note(f"{name} {message.body if message else None!r}")
    world.forget_clients()
