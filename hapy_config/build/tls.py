"""What bind and server lines say of TLS, as far as it can be checked without speaking it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hapy_config.build.context import Build

VERSIONS: Final = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")

_CERTIFICATE: Final = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----")
_KEY: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_AUTHORITY: Final = re.compile(rb"-----BEGIN (?:(?:TRUSTED |X509 )?CERTIFICATE|X509 CRL)-----")


def alpn_fault(text: str) -> str:
    """What is wrong with a comma-separated list of protocol names, or an empty string."""
    if any(not part or len(part) > 255 for part in text.split(",")) and text:
        return "empty or oversized protocol name"
    return ""


def based(build: Build, name: str, base: str) -> str:
    """A file name below `crt-base` or `ca-base` where it is relative and such a base is set."""
    directory = build.global_.get(base)
    return f"{directory}/{name}" if isinstance(directory, str) and not name.startswith(("/", "@")) else name


def authority_fault(build: Build, name: str) -> str:
    """Why a CA or CRL file can't be used, or an empty string."""
    if name.startswith("@"):
        return "" if name == "@system-ca" else f"Couldn't open the ca-file '{name}' (No such file or directory)."
    path = based(build, name, "ca-base")
    try:
        if build.files.path(path).is_dir():
            return ""
        content = build.files.read(path)
    except OSError as error:
        return f"Couldn't open the ca-file '{path}' ({error.strerror})."
    if _AUTHORITY.search(content) is None:
        return f"Couldn't open the ca-file '{path}' (no certificate or crl found)."
    return ""


def certificate_fault(build: Build, name: str) -> str:
    """Why a certificate file (or a directory of them) can't be used, or an empty string."""
    path = based(build, name, "crt-base")
    where = build.files.path(path)
    if where.is_dir():
        return _directory_fault(build, where)
    try:
        content = build.files.read(path)
    except OSError as error:
        if any(build.files.path(f"{path}.{kind}").exists() for kind in ("rsa", "ecdsa", "dsa")):
            return ""
        return f"unable to stat SSL certificate from file '{path}' : {error.strerror}."
    return _content_fault(build, path, content)


def _directory_fault(build: Build, directory: Path) -> str:
    for entry in sorted(directory.iterdir()):
        if entry.name.startswith(".") or entry.suffix in (".key", ".ocsp", ".sctl", ".issuer") or not entry.is_file():
            continue
        fault = _content_fault(build, str(entry), build.files.read(str(entry)))
        if fault:
            return fault
    return ""


def _content_fault(build: Build, path: str, content: bytes) -> str:
    if _CERTIFICATE.search(content) is None:
        return f"unable to load certificate from file '{path}'."
    if _KEY.search(content) is None:
        key = Path(f"{path}.key")
        other = Path(path).with_suffix(".key")
        for candidate in (key, other):
            if build.files.path(str(candidate)).is_file() and _KEY.search(build.files.read(str(candidate))):
                return ""
        return f"No Private Key found in '{path}'."
    return ""


def list_fault(build: Build, name: str) -> str:
    """Why a crt-list can't be used, or an empty string."""
    path = name
    try:
        content = build.files.read(path)
    except OSError as error:
        return f"'crt-list' : cannot open file '{path}' : {error.strerror}"
    for line in content.decode("utf-8", "surrogateescape").splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            fault = certificate_fault(build, words[0])
            if fault:
                return fault
    return ""


def cipher_fault(text: str) -> str:
    """What this machine's TLS library says against a list of ciphers, or an empty string."""
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).set_ciphers(text)
    except ssl.SSLError:
        return f"unable to set SSL cipher list to '{text}'."
    return ""
