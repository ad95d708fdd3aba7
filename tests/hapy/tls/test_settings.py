"""Certificates are served where there is no place for a file, too."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import NoReturn

import pytest
import trustme

from hapy.samples.environment import CompileError
from hapy.tls import openssl, settings
from hapy_config.model.certificates import CertificateFiles
from hapy_config.source import NOWHERE


def _nowhere(_: bytes) -> NoReturn:
    raise FileNotFoundError(2, "No usable temporary directory found")


def _files(kind: trustme.KeyType, *, key: bytes = b"") -> tuple[CertificateFiles, trustme.CA]:
    root = trustme.CA(key_type=kind)
    issued = root.create_child_ca(key_type=kind).issue_cert("a.test", key_type=kind)
    leaf, *above = [pem.bytes() for pem in issued.cert_chain_pems]
    return CertificateFiles("a.pem", key or issued.private_key_pem.bytes(), leaf, tuple(above)), root


@pytest.mark.parametrize("kind", list(trustme.KeyType))
def test_no_place_for_a_file(monkeypatch: pytest.MonkeyPatch, kind: trustme.KeyType) -> None:
    """As below `chroot`: the client can follow the chain to the authority that it trusts."""
    files, root = _files(kind)
    monkeypatch.setattr(settings, "as_file", _nowhere)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_certificate(context, files, NOWHERE)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    root.configure_trust(trusting)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there, server_hostname="a.test")
    server = context.wrap_bio(there, back, server_side=True)
    for _ in range(2):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(files.certificate.decode())


def test_no_place_for_a_file_and_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    other, _ = _files(trustme.KeyType.ECDSA)
    files, _ = _files(trustme.KeyType.ECDSA, key=other.key)
    monkeypatch.setattr(settings, "as_file", _nowhere)
    with pytest.raises(CompileError, match="unable to load SSL certificate from file"):
        settings.load_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), files, NOWHERE)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_key_of_another_certificate_in_a_store(version: ssl.TLSVersion) -> None:
    """Nobody is served: a client learns that there is nothing for it, as from HAProxy 3.0."""
    files, root = _files(trustme.KeyType.ECDSA)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_certificate(context, replace(files, paired=False), NOWHERE)
    openssl.accept_names(context)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.minimum_version = trusting.maximum_version = version
    root.configure_trust(trusting)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there, server_hostname="a.test")
    server = context.wrap_bio(there, back, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with pytest.raises(ssl.SSLError, match=r"no shared cipher|no suitable signature algorithm"):
        server.do_handshake()
    with pytest.raises(ssl.SSLError, match="handshake failure"):
        client.do_handshake()
