"""What OpenSSL calls things in certificates."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509 import (
    Certificate,
    DirectoryName,
    DNSName,
    ExtensionNotFound,
    GeneralName,
    IPAddress,
    NameOID,
    RegisteredID,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
)

from hapy.tls import inside

#: Its names of signature algorithms, by object identifier.
_SIGNATURES: Final = {
    "1.2.840.113549.1.1.5": "RSA-SHA1",
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.2.840.113549.1.1.11": "RSA-SHA256",
    "1.2.840.113549.1.1.12": "RSA-SHA384",
    "1.2.840.113549.1.1.13": "RSA-SHA512",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.3.101.112": "ED25519",
    "1.3.101.113": "ED448",
}


def signature_name(certificate: Certificate) -> str:
    """The algorithm that signed it."""
    dotted = certificate.signature_algorithm_oid.dotted_string
    return _SIGNATURES.get(dotted) or inside.short_name(dotted) or dotted


def key_name(certificate: Certificate) -> str:
    """Kind and bits of its key: `RSA2048`, `EC256`."""
    key = certificate.public_key()
    for kind, name in ((rsa.RSAPublicKey, "RSA"), (ec.EllipticCurvePublicKey, "EC"), (dsa.DSAPublicKey, "DSA")):
        if isinstance(key, kind):
            return f"{name}{key.key_size}"
    return type(key).__name__.lstrip("_").removesuffix("PublicKey").upper()


def common_names(certificate: Certificate) -> list[str]:
    """The common names of its subject."""
    return [str(part.value) for part in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def host_names(certificate: Certificate) -> list[str]:
    """The hosts it is for: its alternative DNS names, then its common names, in lower case, each once."""
    names: list[str] = []
    try:
        alternative = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
        names += alternative.get_values_for_type(DNSName)
    except (ExtensionNotFound, ValueError):
        pass  # none, or one that can't be read
    return list(dict.fromkeys(name.lower() for name in names + common_names(certificate)))


def alternative_names(certificate: Certificate) -> list[str]:
    """Its alternative names of all kinds, as OpenSSL writes them: `DNS:a.test`, `IP Address:192.0.2.1`."""
    try:
        found = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    except (ExtensionNotFound, ValueError):
        return []
    return [_general_name(name) for name in found]


def _general_name(name: GeneralName) -> str:
    match name:
        case DNSName():
            return f"DNS:{name.value}"
        case RFC822Name():
            return f"email:{name.value}"
        case UniformResourceIdentifier():
            return f"URI:{name.value}"
        case IPAddress():
            packed = getattr(name.value, "packed", b"")
            if len(packed) == 16:
                return "IP Address:" + ":".join(f"{int.from_bytes(packed[i : i + 2]):X}" for i in range(0, 16, 2))
            return f"IP Address:{name.value}"
        case DirectoryName():
            return f"DirName:{name.value.rfc4514_string()}"
        case RegisteredID():
            return f"Registered ID:{name.value.dotted_string}"
        case _:
            return "othername:<unsupported>"
