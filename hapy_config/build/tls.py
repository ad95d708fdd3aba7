"""What bind and server lines say of TLS: their files are read and judged here, and stand in the model from then on."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy_config.model.certificates import CertificateEntry, CertificateFiles
from hapy_config.source import NOWHERE
from hapy_config.tls.versions import (
    LEAST,
    VERSIONS,
    Options,
    Range,
    between,
    limited,
    narrowed,
    nothing_left,
    put,
    refused_versions,
    version_range,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hapy_config.build.bindwords import BindWords
    from hapy_config.build.context import Build
    from hapy_config.build.serverwords import ServerWords
    from hapy_config.model.server import Server
    from hapy_config.source import Span
    from hapy_config.tls import pem

__all__ = ["VERSIONS"]

#: Keys of a `tls-ticket-keys` file: its least number, and how long they may be.
_LEAST_KEYS: Final = 3
_KEY_SIZES: Final = (48, 80)


class TlsFiles:
    """What was read of TLS files, each once.

    Attributes:
        certificates: by path, or why they can't be used.
        stored: the same by their names in crt-stores, mostly `@store/name`.
        authorities: what is wrong with a CA or CRL file, by path.
        lists: what is wrong with lists of ciphers and groups.
        settings: where to look for what lies beside certificates, None before it was asked for.
    """

    __slots__ = ("authorities", "certificates", "lists", "settings", "stored")

    def __init__(self) -> None:
        self.certificates: dict[str, CertificateFiles | Exception] = {}
        self.stored: dict[str, CertificateFiles | Exception] = {}
        self.authorities: dict[str, str] = {}
        self.lists: dict[object, str] = {}
        self.settings: pem.Settings | None = None


def version_word(words: BindWords | ServerWords, name: str) -> str:
    """The argument of `ssl-min-ver` or `ssl-max-ver`.

    Raises:
        Refused: it is no version.
    """
    text = words.take(f"'{name}' : missing the ssl/tls version")
    if text not in VERSIONS:
        hint = words.build.nearest(text, VERSIONS)
        raise words.refuse(f"'{text}' : unknown ssl/tls version", words.position - 1, hint=hint)
    return text


def based(build: Build, name: str, base: str) -> str:
    """A file name below `crt-base` or `ca-base` where it is relative and such a base is set."""
    directory = build.global_.get(base)
    return f"{directory}/{name}" if isinstance(directory, str) and not name.startswith(("/", "@")) else name


def located(build: Build, name: str, base: str) -> str:
    """Where a file is, for whoever opens it later: `default-path` counted in."""
    return name if name.startswith("@") else str(build.files.path(based(build, name, base)))


# authorities


def authority_fault(build: Build, name: str) -> str:
    """Why a CA or CRL file can't be used, or an empty string."""
    if name.startswith("@"):
        return "" if name == "@system-ca" else f"Couldn't open the ca-file '{name}' (No such file or directory)."
    path = based(build, name, "ca-base")
    known = build.tls_files.authorities.get(path)
    if known is None:
        known = build.tls_files.authorities[path] = _authority_fault(build, path)
    return known


def _authority_fault(build: Build, path: str) -> str:
    from hapy_config.tls import pem

    try:
        if build.files.is_directory(path):
            _warn_of_directory(build, path, build.files.path(path))
            return ""
        fault = pem.authority_fault(build.files.read(path))
    except OSError as error:
        fault = error.strerror or str(error)
    return f"Couldn't open the ca-file '{path}' ({fault})." if fault else ""


def _warn_of_directory(build: Build, path: str, directory: Path) -> None:
    """Files of a directory that hold no certificate are left out, with a warning each."""
    from hapy_config.tls import pem

    loaded = 0
    for entry in sorted(directory.iterdir()):
        if entry.name.startswith(".") or entry.suffix not in (".pem", ".crt", ".cer", ".crl"):
            continue
        try:
            blocks = pem.certificates_in(entry.read_bytes())
            fault = pem.certificate_fault(blocks[0]) if blocks else "no start line"
        except IsADirectoryError:
            fault = "no start line"
        except OSError as error:
            fault = error.strerror or str(error)
        if fault:
            build.warning(
                "bad-certificate", NOWHERE, f"ca-file: '{path}' couldn't load '{path}/{entry.name}' ({fault})"
            )
        else:
            loaded += 1
    if not loaded:
        build.warning("bad-certificate", NOWHERE, f"ca-file: 0 CA were loaded from '{path}'")


# certificates


def certificate(build: Build, name: str) -> CertificateFiles:
    """A certificate by its file name or, with `@`, by its name in a crt-store; each is read once.

    Raises:
        Fault: it can't be used.
    """
    from hapy_config.tls import pem

    path = based(build, name, "crt-base")
    known = build.tls_files.stored.get(name) or build.tls_files.certificates.get(path)
    if known is None:
        if path.startswith("@"):
            known = pem.Fault(f"unable to stat SSL certificate from file '{path}' : No such file or directory.")
        else:
            try:
                known = pem.load(path, build.files.read, settings(build), warn=warner(build))
                known = pem.weakness(known) or known
            except pem.Fault as fault:
                known = fault
        build.tls_files.certificates[path] = known
    if isinstance(known, Exception):
        raise known
    return known


def warner(build: Build) -> Callable[[str], None]:
    """Notes files that are left out."""
    return lambda text: build.warning("bad-certificate", NOWHERE, text)


def settings(build: Build) -> pem.Settings:
    """What the global section says of certificate files."""
    found = build.tls_files.settings
    if found is None:
        from hapy_config.tls.pem import Settings

        given = {words[0]: words[1:] for words in build.global_settings}
        kinds = given.get("ssl-load-extra-files", ("all",))
        found = build.tls_files.settings = Settings(
            Settings().extra if "all" in kinds else frozenset(kinds) - {"none"},
            "ssl-load-extra-del-ext" in given,
            tuple(_issuers(build, *given.get("issuers-chain-path", ())[:1])),
            "ssl-skip-self-issued-ca" in given,
        )
    return found


def _issuers(build: Build, directory: str = "") -> Iterator[tuple[bytes, ...]]:
    """The chains below `issuers-chain-path`."""
    if not directory:
        return
    from hapy_config.tls import pem

    try:
        entries = sorted(build.files.path(directory).iterdir())
    except OSError:
        return  # said where the line was read
    for entry in entries:
        if _may_be_file(entry) and not entry.name.startswith("."):
            name = f"{directory}/{entry.name}"
            try:
                blocks = pem.certificates_in(build.files.read(name))
            except OSError as error:
                if not build.files.exists(name):
                    text = f"unable to stat certificate from file '{name}' : {error.strerror}."
                    build.warning("bad-certificate", NOWHERE, text)
                continue  # HAProxy says nothing of one that it may not read
            fault = "pem certificate not found" if not blocks or pem.certificate_fault(blocks[0]) else ""
            if not fault and not pem.has_key_identifier(blocks[0]):
                fault = "SubjectKeyIdentifier not found"
            if fault:
                text = f"unable to load issuers-chain {name} : {fault}."
                build.warning("bad-certificate", NOWHERE, text)
            else:
                yield tuple(blocks)


def server_certificate(build: Build, name: str) -> CertificateFiles | None:
    """The `crt` of a server line, None where it can't be used."""
    return None if server_certificate_fault(build, name) else certificate(build, name)


def server_certificate_fault(build: Build, name: str) -> str:
    """Why the `crt` of a server line can't be used, or an empty string."""
    from hapy_config.tls.pem import Fault

    try:
        found = certificate(build, name)
    except Fault as fault:
        return str(fault)
    return "" if found.paired else f"inconsistencies between private key and certificate loaded from PEM file '{name}'."


def certificates(build: Build, name: str) -> list[CertificateFiles]:
    """What `crt` names: one certificate, a directory of them, or a bundle by key type.

    Raises:
        Fault: one can't be used.
    """
    if name in build.tls_files.stored:
        stored = certificate(build, name)
        if not stored.paired:
            text = f"'{name}' : the private key is another certificate's: no client can be served with it."
            build.warning("bad-certificate", build.statement.span(), text, "name the key that belongs to it")
        return [stored]
    path = based(build, name, "crt-base")
    where = build.files.path(path)
    if not name.startswith("@") and build.files.is_directory(path):
        try:
            names = _directory(where)
        except OSError as error:
            from hapy_config.tls.pem import Fault

            raise Fault(f"unable to scan directory '{path}' : {error.strerror}.") from None
        return [one for file in names for one in certificates(build, f"{path}/{file}")]
    if not build.files.exists(path) and not name.startswith("@"):
        from hapy_config.tls.pem import BUNDLE

        bundle = [f"{name}.{kind}" for kind in BUNDLE if build.files.exists(f"{path}.{kind}")]
        if bundle and "bundle" in settings(build).extra:
            return [certificate(build, member) for member in bundle]
    return [certificate(build, name)]


def _directory(where: Path) -> list[str]:
    """The certificates of a directory, in order.

    Raises:
        OSError: nobody may look into it.
    """
    from hapy_config.tls.pem import BESIDE

    beside = tuple(f".{kind}" for kind in BESIDE)
    names = (entry.name for entry in where.iterdir() if _may_be_file(entry) and not entry.name.startswith("."))
    return sorted(name for name in names if not name.endswith(beside))


def _may_be_file(entry: Path) -> bool:
    """Whether an entry of a directory is to be read: a file, or what can't be looked at (its reader says why)."""
    return os.path.isfile(entry) or not os.path.exists(entry)  # noqa: PTH110, PTH113 - Path's own methods raise


def entries(build: Build, name: str) -> list[CertificateEntry]:
    """What the `crt` of a bind line names.

    Raises:
        Fault: one can't be used.
    """
    return [CertificateEntry(files) for files in certificates(build, name)]


def listed(build: Build, name: str) -> list[CertificateEntry]:
    """What a crt-list names.

    Raises:
        Fault: it can't be used.
    """
    from hapy_config.tls.lists import lines
    from hapy_config.tls.pem import Fault

    if build.files.is_directory(name):  # it can be opened, and HAProxy finds nothing in it
        build.warning(
            "bad-certificate", build.statement.span(), f"'crt-list' : '{name}' is a directory: it lists nothing."
        )
        return []
    try:
        content = build.files.read(name)
    except OSError as error:
        raise Fault(f"cannot open file '{name}' : {error.strerror}") from None
    found: list[CertificateEntry] = []
    for line in lines(name, content):
        if build.files.is_directory(based(build, line.name, "crt-base")):
            raise Fault(f"parsing [{name}:{line.number}]: '{line.name}' is a directory")
        options = dict(line.options)
        for word in ("ca-file", "ca-verify-file", "crl-file"):
            if word in options:
                if authority_fault(build, options[word][0]):
                    raise Fault(f"'{word}' : unable to load {options[word][0]}")
                options[word] = (located(build, options[word][0], "ca-base"),)
        try:
            files = certificates(build, line.name)
        except Fault as fault:
            fault.place = f"line {line.number} of '{name}'"
            raise
        found += [CertificateEntry(one, options, line.filters) for one in files]
    return found


def signer(build: Build, name: str) -> CertificateFiles:
    """The authority with its key that `ca-sign-file` names.

    Raises:
        Fault: it can't be used.
    """
    from hapy_config.tls import pem

    path = based(build, name, "ca-base")
    try:
        build.files.read(path)
    except OSError:
        raise pem.Fault(f"cannot open the file '{path}'.") from None
    return pem.load(path, build.files.read, settings(build), warn=warner(build))


def ticket_keys(name: str, content: bytes) -> tuple[bytes, ...]:
    """The keys of a `tls-ticket-keys` file, oldest first.

    Raises:
        Fault: it can't be used.
    """
    from hapy_config.tls.pem import Fault

    keys: list[bytes] = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            key = base64.b64decode(line.strip(), validate=True)
        except binascii.Error:
            raise Fault(f"'{name}' : unable to decode base64 key on line {number}") from None
        if len(key) not in _KEY_SIZES or (keys and len(key) != len(keys[0])):
            raise Fault(f"'{name}' : wrong sized key on line {number}")
        keys.append(key)
    if len(keys) < _LEAST_KEYS:
        raise Fault(f"'{name}' : please supply at least {_LEAST_KEYS} keys in the tls-tickets-file")
    return tuple(keys)


# what is judged when everything was read


def defaults(build: Build, side: str) -> dict[str, tuple[str, ...]]:
    """What `ssl-default-SIDE-…` sets, by the words of a line."""
    found: dict[str, tuple[str, ...]] = {}
    prefix = f"ssl-default-{side}-"
    for name, *rest_of_line in build.global_settings:
        value = tuple(rest_of_line)
        if name == prefix + "options":
            rest = iter(value)
            for word in rest:
                put(found, word, (next(rest, ""),) if word in ("ssl-min-ver", "ssl-max-ver") else ())
        elif name.startswith(prefix):
            found[name.removeprefix(prefix)] = value[:1]
    return found


def check_bind(build: Build, proxy: str, reading: BindWords, span: Span, where: str) -> None:
    """Versions, lists and authorities of a TLS bind line, and of the lines of its crt-list."""
    shared = defaults(build, "bind")
    versions = version_range(reading.tls, shared, LEAST)
    _advise(build, proxy, reading.tls, shared, span, where)
    lines = ({}, *(entry.options for entry in reading.certificates if entry.options))
    for line in lines:
        own: Mapping[str, tuple[str, ...]] = {**reading.tls, **line}
        fault = _line_fault(build, own, shared, narrowed(line, versions))
        if not fault and own.get("verify", ("none",))[-1] != "none" and not own.keys() & {"ca-file", "ca-verify-file"}:
            build.error(
                "missing-authority",
                span,
                f"Proxy '{proxy}': verify is enabled but no CA file specified for {where}.",
                "add 'ca-file <file>'",
            )
            return
        if fault == "versions":
            build.error("tls-versions", span, f"Proxy '{proxy}': all SSL/TLS versions are disabled for {where}.")
        elif fault:
            build.environment("bad-ciphers", span, f"Proxy '{proxy}': {fault} for {where}.")
        if fault:
            return


def advise_parameters(build: Build, reading: BindWords, span: Span, where: str) -> None:
    """Warn of Diffie-Hellman parameters that the TLS library refuses: those of 1024 bits; more are rounded up."""
    if "ssl.default-dh-param" not in build.tune:
        return
    from hapy_config.tls.pem import LEAST_DH

    if build.tune.get("ssl.default-dh-param") != LEAST_DH or any(
        words[0] == "ssl-dh-param-file" for words in build.global_settings
    ):
        return
    for entry in reading.certificates:
        if not entry.files.dh:
            build.warning(
                "ignored-part",
                span,
                f"{where} : unable to load default {LEAST_DH} bits DH parameter for certificate '{entry.files.path}',"
                " DH ciphers won't be available.",
                "raise 'tune.ssl.default-dh-param' to 2048",
            )


def _advise(build: Build, proxy: str, own: Options, shared: Options, span: Span, where: str) -> None:
    """Warn of limits that don't fit together."""
    both = {**shared, **own}
    if refused_versions(own, shared) and limited(both):
        build.warning(
            "tls-versions",
            span,
            f"Proxy '{proxy}': no-sslv3/no-tlsv1x are ignored for {where}. Use only 'ssl-min-ver' and 'ssl-max-ver' to"
            " fix.",
        )
    if "ssl-max-ver" in both and "ssl-min-ver" not in both:
        low, high = version_range(own, shared, LEAST)
        if low == high and high is not None and high < "TLSv1.2":
            build.warning(
                "tls-versions",
                span,
                f"Proxy '{proxy}': Ambiguous configuration for {where}: the ssl-min-ver value is not configured and the"
                " ssl-max-ver value is lower than the default ssl-min-ver value (TLSv1.2). Setting the ssl-min-ver to"
                f" {high}. Use 'ssl-min-ver' to fix this.",
            )


def _kind(section: str) -> str:
    return "backend" if section == "backend" else "proxy"


def advise_server(build: Build, proxy: str, server: Server, kind: str) -> None:
    """Warn of limits of a server line that don't do what they seem to."""
    own, shared = server.options, defaults(build, "server")
    refused = refused_versions(own, shared)
    if not refused:
        return
    where = f"'server {proxy}/{server.name}'"
    advice = "Use only 'ssl-min-ver' and 'ssl-max-ver' to fix."
    if limited(own) or limited(shared):
        text = f"{where} : no-sslv3/no-tlsv1x are ignored for this server. {advice}"
        build.warning("tls-versions", server.span, text)
    elif holes := [version for version in between(version_range(own, shared, None)) if version in refused]:
        hole = f"SSL/TLS versions range not contiguous for server '{server.name}'. Hole find for {holes[0]}."
        build.warning("tls-versions", server.span, f"{where} : {_kind(kind)} '{proxy}': {hole} {advice}")


def server_fault(build: Build, proxy: str, name: str, options: Options, kind: str) -> str:
    """What is wrong with the TLS words of a server line, or an empty string."""
    shared = defaults(build, "server")
    fault = _line_fault(build, options, shared, version_range(options, shared, None))
    if fault == "versions":
        return f"{_kind(kind)} '{proxy}': all SSL/TLS versions are disabled for server '{name}'."
    return fault


def _line_fault(build: Build, own: Options, shared: Options, versions: Range) -> str:
    if nothing_left(versions):
        return "versions"
    lists = {word: value for word, value in {**shared, **own}.items() if word in _LISTS and value}
    if not lists:
        return ""
    key = tuple(sorted(lists.items()))
    known = build.tls_files.lists.get(key)
    if known is None:
        from hapy_config.tls.library import lists_fault

        known = build.tls_files.lists[key] = lists_fault(lists)
    return known


_LISTS: Final = frozenset({"ciphers", "ciphersuites", "curves", "ecdhe"})
