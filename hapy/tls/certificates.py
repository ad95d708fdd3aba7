"""Certificate files: single ones, bundles by key type, directories, and crt-lists (manual section 5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy.samples.environment import CompileError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate as Parsed

    from hapy.tls.settings import Options, Surroundings
    from hapy_config.source import Span

#: Files of a directory that belong to a certificate beside them.
_BESIDE: Final = (".key", ".ocsp", ".sctl", ".issuer", ".dh")
_BUNDLE: Final = ("dsa", "ecdsa", "rsa")
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.+?-----END [^\n]+-----\n?", re.DOTALL
)
_KEY: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate, as one line of a crt-list or one `crt` names it.

    Attributes:
        path: the file with the certificate and its chain. key: the file with its key.
        kind: `rsa`, `ecdsa` or `dsa`.
        names: the names it is used for: the line's filters, else those in it, in lower case.
        excluded: names it is not used for.
        options: the line's own options.
        der: the certificate itself.
    """

    path: str
    key: str
    kind: str
    names: tuple[str, ...]
    excluded: frozenset[str] = frozenset()
    options: Options = field(default_factory=dict, hash=False)
    der: bytes = field(default=b"", repr=False)


def load_all(options: Options, around: Surroundings, span: Span) -> list[Certificate]:
    """All certificates of a bind line, in order; the first is the default.

    Raises:
        CompileError: one can't be read.
    """
    found: list[Certificate] = []
    for word, values in options.items():
        for value in values if word in ("crt", "crt-list") else ():
            if word == "crt":
                found += _named(around.certificate(value), span)
            else:
                found += _listed(value, around, span)
    return found


def _named(path: str, span: Span) -> Iterator[Certificate]:
    where = Path(path)
    if where.is_dir():
        for name in _directory(where):
            yield from _named(str(where / name), span)
    elif where.exists():
        yield load(path, span)
    else:
        bundle = [f"{path}.{kind}" for kind in _BUNDLE if Path(f"{path}.{kind}").exists()]
        if not bundle:
            raise CompileError(f"unable to stat SSL certificate from file '{path}' : No such file or directory.", span)
        for member in bundle:
            yield load(member, span)


def _directory(where: Path) -> list[str]:
    """The certificates of a directory, in order; the members of a bundle stand where its name stands."""
    names = sorted(entry.name for entry in where.iterdir() if entry.is_file() and not entry.name.startswith("."))
    return [name for name in names if not name.endswith(_BESIDE)]


def _listed(path: str, around: Surroundings, span: Span) -> Iterator[Certificate]:
    try:
        lines = Path(path).read_text("utf-8", "surrogateescape").splitlines()
    except OSError as error:
        raise CompileError(f"'crt-list' : cannot open file '{path}' : {error.strerror}", span) from None
    for line in lines:
        name, options, filters = parse_line(line)
        if not name:
            continue
        names = tuple(text.lower() for text in filters if not text.startswith("!"))
        excluded = frozenset(text[1:].lower() for text in filters if text.startswith("!"))
        for certificate in _named(around.certificate(name), span):
            own = names or certificate.names
            yield Certificate(
                certificate.path, certificate.key, certificate.kind, own, excluded, options, certificate.der
            )


def parse_line(line: str) -> tuple[str, Options, list[str]]:
    """A line of a crt-list: the file, the options in brackets, the filters; an empty name where there is none."""
    line = line.strip()
    if not line or line.startswith("#"):
        return "", {}, []
    name, _, rest = line.partition("[") if "[" in line else (line, "", "")
    words = name.split()
    if not rest:
        return words[0], {}, words[1:]
    inside, _, behind = rest.partition("]")
    options: dict[str, tuple[str, ...]] = {}
    last = ""
    for word in inside.split():
        if last in _WITH_VALUE and not options[last]:
            options[last] = (word,)
        else:
            options[word] = ()
        last = word
    return words[0], options, behind.split()


#: Options of crt-list lines that take a value.
_WITH_VALUE: Final = frozenset(
    [
        "alpn",
        "ca-file",
        "ca-verify-file",
        "ciphers",
        "ciphersuites",
        "crl-file",
        "curves",
        "ecdhe",
        "npn",
        "ssl-max-ver",
        "ssl-min-ver",
        "verify",
    ]
)


def load(path: str, span: Span) -> Certificate:
    """One certificate with its key.

    Raises:
        CompileError: it can't be read, or has no key.
    """
    from cryptography import x509

    from hapy.tls.facts import host_names

    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise CompileError(f"unable to stat SSL certificate from file '{path}' : {error.strerror}.", span) from None
    block = _CERTIFICATE.search(content)
    try:
        parsed = x509.load_pem_x509_certificate(block[0] if block is not None else b"")
    except ValueError:
        raise CompileError(f"unable to load certificate from file '{path}'.", span) from None
    key = path if _KEY.search(content) else _key_beside(path)
    if key is None:
        raise CompileError(f"No Private Key found in '{path}.key'.", span)
    return Certificate(path, key, _kind(parsed), tuple(host_names(parsed)), der=_der(parsed))


def _der(parsed: Parsed) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return parsed.public_bytes(Encoding.DER)


def _key_beside(path: str) -> str | None:
    """`site.pem.key`, or `site.key` beside `site.crt`."""
    candidates = [f"{path}.key"]
    if path.endswith(".crt"):
        candidates.append(path[:-4] + ".key")
    return next((name for name in candidates if Path(name).is_file()), None)


def _kind(parsed: Parsed) -> str:
    from cryptography.hazmat.primitives.asymmetric import dsa, rsa

    key = parsed.public_key()
    return "rsa" if isinstance(key, rsa.RSAPublicKey) else "dsa" if isinstance(key, dsa.DSAPublicKey) else "ecdsa"
