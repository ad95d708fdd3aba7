"""Certificates for scenarios, made once a run by an authority of our own: both programs must see the very same ones."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path

import trustme


@functools.cache
def authority(name: str) -> trustme.CA:
    """An authority; any name makes one of its own."""
    return trustme.CA(organization_name=name)


@functools.cache
def certificate(*identities: str, common_name: str | None = None, kind: str = "RSA", by: str = "ca") -> bytes:
    """Key, certificate and chain in one PEM, as HAProxy's `crt` wants it."""
    key_type = trustme.KeyType[kind]
    leaf = authority(by).issue_cert(*identities, common_name=common_name, key_type=key_type)
    return leaf.private_key_and_cert_chain_pem.bytes()


def server_context(folder: Path, pem: bytes) -> ssl.SSLContext:
    """A context for an origin."""
    path = folder / "origin.pem"
    path.write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
