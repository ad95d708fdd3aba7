"""Fetches on the TLS layer of both connections (configuration manual, 7.3.4): `ssl_fc*`, `ssl_bc*`, certificates.

A connection in plain text, and whatever the layer doesn't have, gives no value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Getter, fetch
from hapy.samples.types import Binary, Result
from hapy.tls import inside, names

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.x509 import Certificate, Name

    from hapy.proxy.transaction import Transaction
    from hapy.tls.session import TlsSession

Layer = Callable[["Transaction"], "TlsSession | None"]

#: What a session gives, by the end of the fetch's name.
_OF_SESSION: Final[dict[str, Callable[[TlsSession], Result]]] = {
    "protocol": lambda tls: tls.version or None,
    "cipher": lambda tls: tls.cipher or None,
    "alg_keysize": lambda tls: tls.key_size or None,
    "use_keysize": lambda tls: tls.key_size or None,
    "alpn": lambda tls: tls.alpn,
    "is_resumed": lambda tls: tls.resumed,
    "session_id": lambda tls: Binary(tls.session_id) if tls.session_id else None,
    "unique_id": lambda tls: _binary(tls.object.get_channel_binding("tls-unique")),
    "sni": lambda tls: tls.server_name,
    "has_sni": lambda tls: tls.server_name is not None,
    "has_crt": lambda tls: tls.peer is not None and not tls.resumed if tls.done else None,
    "has_early": lambda tls: False,
    "early_rcvd": lambda tls: False,
    "err": lambda tls: tls.error_number,
    "err_str": lambda tls: inside.error_text(tls.error_number),
    "npn": lambda tls: None,
    "crtname": lambda tls: tls.file,
    "curve": lambda tls: tls.curve,
    "client_random": lambda tls: _binary(tls.client_random),
    "server_random": lambda tls: _binary(tls.server_random),
    "session_key": lambda tls: _binary(tls.session_key),
    "used": lambda tls: tls.peer is not None,
    "verify": lambda tls: tls.verify_error if tls.done else None,
    "c_err": lambda tls: tls.errors.leaf if tls.errors is not None else 0,
    "ca_err": lambda tls: tls.errors.authority if tls.errors is not None else 0,
    "ca_err_depth": lambda tls: tls.errors.depth if tls.errors is not None else 0,
}


def _binary(found: bytes | None) -> Result:
    return Binary(found) if found is not None else None


#: Fetches that say false, not nothing, of a connection in plain text.
_FALSE_IN_PLAIN_TEXT: Final = frozenset({"ssl_fc_is_resumed", "ssl_fc_has_sni", "ssl_bc_is_resumed"})


def _layer(name: str) -> Layer:
    """The connection that a fetch is about: the client's, or the server's."""
    if name.startswith(("ssl_bc", "ssl_s_")):
        return lambda txn: txn.server_tls
    return lambda txn: txn.client.tls


def _of_session(name: str, what: str) -> Getter:
    layer, look = _layer(name), _OF_SESSION[what]
    plain = False if name in _FALSE_IN_PLAIN_TEXT else None

    def get(txn: Transaction) -> Result:
        tls = layer(txn)
        return plain if tls is None else look(tls)

    return get


@fetch("ssl_fc_protocol", "ssl_fc_cipher", "ssl_fc_alpn", "ssl_fc_sni", "ssl_fc_npn", "ssl_fc_curve", type="str")
@fetch("ssl_bc_protocol", "ssl_bc_cipher", "ssl_bc_alpn", "ssl_bc_sni", "ssl_bc_npn", "ssl_bc_curve", type="str")
@fetch("ssl_fc_crtname", "ssl_fc_err_str", "ssl_bc_err_str", type="str")
@fetch("ssl_fc_alg_keysize", "ssl_fc_use_keysize", "ssl_bc_alg_keysize", "ssl_bc_use_keysize", type="sint")
@fetch("ssl_fc_is_resumed", "ssl_fc_has_sni", "ssl_fc_has_crt", "ssl_fc_has_early", "ssl_bc_is_resumed", type="bool")
@fetch("ssl_fc_early_rcvd", type="bool")
@fetch("ssl_fc_session_id", "ssl_bc_session_id", "ssl_fc_unique_id", "ssl_bc_unique_id", type="bin")
@fetch("ssl_fc_client_random", "ssl_fc_server_random", "ssl_fc_session_key", type="bin")
@fetch("ssl_bc_client_random", "ssl_bc_server_random", "ssl_bc_session_key", type="bin")
@fetch("ssl_fc_err", "ssl_bc_err", type="sint")
@fetch("ssl_c_used", type="bool")
@fetch("ssl_c_verify", "ssl_c_ca_err", "ssl_c_ca_err_depth", type="sint")
def _connection(args: Args, env: CompileEnv) -> Getter:
    return _of_session(args.name, args.name.split("_", 2)[2])


@fetch("ssl_c_err", type="sint")
def _leaf_error(args: Args, env: CompileEnv) -> Getter:
    return _of_session(args.name, "c_err")


@fetch("ssl_bc", type="bool")
def _ssl_bc(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.server_tls is not None


#: The secrets of a handshake that `tune.ssl.keylog` notes, by the ends of their fetches' names.
_SECRETS: Final = (
    "client_early_traffic_secret",
    "client_handshake_traffic_secret",
    "server_handshake_traffic_secret",
    "client_traffic_secret_0",
    "server_traffic_secret_0",
    "exporter_secret",
    "early_exporter_secret",
)


@fetch(*(f"ssl_{side}c_{secret}" for side in "fb" for secret in _SECRETS), type="str")
def _secret(args: Args, env: CompileEnv) -> Getter:
    layer = _layer(args.name)
    label = args.name.split("_", 2)[2].upper().encode()
    return lambda txn: None if (tls := layer(txn)) is None else tls.secrets.get(label)


# certificates


def _certificate(name: str) -> Callable[[Transaction], bytes | None]:
    """The certificate (DER) that a fetch is about: the client's, the server's, or our own towards clients."""
    layer = _layer(name)
    own = name.startswith("ssl_f_")

    def der(txn: Transaction) -> bytes | None:
        tls = layer(txn)
        if tls is None:
            return None
        if own:
            return tls.own or None
        return tls.peer

    return der


def _of_certificate(name: str, look: Callable[[Certificate], Result]) -> Getter:
    find = _certificate(name)

    def get(txn: Transaction) -> Result:
        der = find(txn)
        if der is None:
            return None
        from hapy.tls.session import parsed

        return look(parsed(der))

    return get


@fetch("ssl_c_der", "ssl_f_der", "ssl_s_der", type="bin")
def _der(args: Args, env: CompileEnv) -> Getter:
    find = _certificate(args.name)
    return lambda txn: None if (der := find(txn)) is None else Binary(der)


@fetch("ssl_c_chain_der", "ssl_s_chain_der", type="bin")
def _chain(args: Args, env: CompileEnv) -> Getter:
    layer = _layer(args.name)
    return lambda txn: None if (tls := layer(txn)) is None else _binary(tls.chain)


@fetch("ssl_c_san", type="str")
def _alternative_names(args: Args, env: CompileEnv) -> Getter:
    def names(certificate: Certificate) -> Result:
        from hapy.tls.facts import alternative_names

        return ", ".join(alternative_names(certificate)).encode() or None

    return _of_certificate(args.name, names)


@fetch("ssl_c_sha1", "ssl_f_sha1", "ssl_s_sha1", type="bin")
def _sha1(args: Args, env: CompileEnv) -> Getter:
    find = _certificate(args.name)
    return lambda txn: None if (der := find(txn)) is None else Binary(hashlib.sha1(der).digest())  # noqa: S324 - its name


@fetch("ssl_c_serial", "ssl_f_serial", "ssl_s_serial", type="bin")
def _serial(args: Args, env: CompileEnv) -> Getter:
    def serial(certificate: Certificate) -> Result:
        number = abs(certificate.serial_number)
        return Binary(number.to_bytes(max(number.bit_length() + 7, 8) // 8, "big"))

    return _of_certificate(args.name, serial)


@fetch("ssl_c_version", "ssl_f_version", "ssl_s_version", type="sint")
def _version(args: Args, env: CompileEnv) -> Getter:
    return _of_certificate(args.name, lambda certificate: certificate.version.value + 1)


def _date(moment: datetime) -> Result:
    """`YYMMDDhhmmssZ`; no value beyond this century."""
    return moment.strftime("%y%m%d%H%M%SZ").encode() if 2000 <= moment.year < 2100 else None


@fetch("ssl_c_notbefore", "ssl_f_notbefore", "ssl_s_notbefore", type="str")
def _not_before(args: Args, env: CompileEnv) -> Getter:
    return _of_certificate(args.name, lambda found: _date(found.not_valid_before_utc))


@fetch("ssl_c_notafter", "ssl_f_notafter", "ssl_s_notafter", type="str")
def _not_after(args: Args, env: CompileEnv) -> Getter:
    return _of_certificate(args.name, lambda found: _date(found.not_valid_after_utc))


@fetch("ssl_c_sig_alg", "ssl_f_sig_alg", "ssl_s_sig_alg", type="str")
def _signature(args: Args, env: CompileEnv) -> Getter:
    def algorithm(certificate: Certificate) -> Result:
        from hapy.tls.facts import signature_name

        return signature_name(certificate).encode()

    return _of_certificate(args.name, algorithm)


@fetch("ssl_c_key_alg", "ssl_f_key_alg", "ssl_s_key_alg", type="str")
def _key(args: Args, env: CompileEnv) -> Getter:
    def algorithm(certificate: Certificate) -> Result:
        from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

        key = certificate.public_key()
        for kind, name in (
            (rsa.RSAPublicKey, b"rsaEncryption"),
            (ec.EllipticCurvePublicKey, b"id-ecPublicKey"),
            (dsa.DSAPublicKey, b"dsaEncryption"),
        ):
            if isinstance(key, kind):
                return name
        return type(key).__name__.removesuffix("PublicKey").upper().encode()

    return _of_certificate(args.name, algorithm)


@fetch("ssl_c_s_dn", "ssl_f_s_dn", "ssl_s_s_dn", type="str")
def _subject(args: Args, env: CompileEnv) -> Getter:
    look = _distinguished(args)
    return _of_certificate(args.name, lambda certificate: look(certificate.subject))


@fetch("ssl_c_i_dn", "ssl_f_i_dn", "ssl_s_i_dn", type="str")
def _issuer(args: Args, env: CompileEnv) -> Getter:
    look = _distinguished(args)
    return _of_certificate(args.name, lambda certificate: look(certificate.issuer))


@fetch("ssl_c_r_dn", type="str")
def _root(args: Args, env: CompileEnv) -> Getter:
    look, layer = _distinguished(args), _layer(args.name)

    def get(txn: Transaction) -> Result:
        tls = layer(txn)
        der = tls.root if tls is not None else None
        if der is None:
            return None
        from hapy.tls.session import parsed

        return look(parsed(der).subject)

    return get


def _distinguished(args: Args) -> Callable[[Name], Result]:
    """A distinguished name, or the n-th value of one of its parts (from the end where n is negative)."""
    kind = args.string(0, "").lower()
    number = args.integer(1, 1)

    def one(name: Name) -> Result:
        values = [part.value for together in names.parts(name) for part in together if part.short.lower() == kind]
        if not values or not number or abs(number) > len(values):
            return None
        return values[number - 1] if number > 0 else values[number]

    if kind:
        return one
    write = names.rfc2253 if args.string(2, "") == "rfc2253" else names.one_line
    return lambda name: write(name) or None
