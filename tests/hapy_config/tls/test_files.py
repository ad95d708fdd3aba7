"""TLS files, sound and damaged: what is said of each, and that each is read once."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

import hapy_config


def _weak() -> bytes:
    """A key and a certificate that can be read, and that no TLS library of today uses."""
    key = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "weak.test")])
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, since, since + dt.timedelta(days=300))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return certificate + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _locked(pem: bytes) -> bytes:
    key = load_pem_private_key(pem, None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


BAD = b"-----BEGIN CERTIFICATE-----\nabc!!\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    leaf, other = authority.issue_cert("a.test"), authority.issue_cert("b.test")
    key, certificate = leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes()
    foreign = other.private_key_pem.bytes()
    files = {
        "good.pem": key + certificate,
        "chain.pem": key + certificate + BAD,
        "chain2.pem": key + certificate + BAD.replace(b"abc!!", b"AAAA"),
        "nokey.pem": certificate,
        "onlykey.pem": key,
        "empty.pem": b"",
        "mismatch.pem": foreign + certificate,
        "garbage.pem": key + BAD,
        "cut.pem": key + certificate[:200],
        "apart.crt": certificate,
        "apart.crt.key": key,
        "apart.key": b"",
        "weak.pem": _weak(),
        "weakca.pem": key + certificate + _weak(),
        "otherkind.pem": certificate + _weak().partition(b"-----END CERTIFICATE-----\n")[2],
        "locked.pem": _locked(key) + certificate,
        "lockedbeside.pem": certificate,
        "lockedbeside.pem.key": _locked(key),
        "zero.pem": key + b"\0" + certificate,
        "trusted.pem": key + certificate.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
        "ca.pem": authority.cert_pem.bytes(),
        "staple.pem": key + certificate,
        "staple.pem.ocsp": b"junk",
        "timestamps.pem": key + certificate,
        "timestamps.pem.sctl": b"junk",
    }
    for name, content in files.items():
        (where / name).write_bytes(content)
    return where


def faults(folder: Path, bind: str, more: str = "") -> list[str]:
    text = f"{more}listen l\n mode tcp\n bind 127.0.0.1:1 ssl {bind.replace('DIR', str(folder))}\n"
    found = hapy_config.read_text(text).diagnostics
    return [one.message.replace(f"{folder}/", "") for one in found if one.severity is hapy_config.Severity.ERROR]


@pytest.mark.parametrize(
    ("bind", "said"),
    [
        ("crt DIR/good.pem", ""),
        ("crt DIR/chain.pem", ""),
        ("crt DIR/chain2.pem", "unable to load certificate chain from file 'chain2.pem'."),
        ("crt DIR/good.pem alpn a,,b", ""),
        (f"crt DIR/good.pem alpn {'x' * 256}", f"'alpn' : ALPN protocol name too long : '{'x' * 256}'"),
        ("crt DIR/apart.crt", ""),
        ("crt DIR/nokey.pem", "No Private Key found in 'nokey.pem.key'."),
        ("crt DIR/onlykey.pem", "unable to load certificate from file 'onlykey.pem'."),
        ("crt DIR/empty.pem", "unable to load certificate from file 'empty.pem'."),
        ("crt DIR/garbage.pem", "unable to load certificate from file 'garbage.pem'."),
        ("crt DIR/cut.pem", "unable to load certificate from file 'cut.pem'."),
        ("crt DIR/mismatch.pem", "inconsistencies between private key and certificate loaded 'mismatch.pem'."),
        ("crt DIR/weak.pem", "unable to load SSL certificate into SSL Context 'weak.pem'."),
        ("crt DIR/weak.pem ciphers ALL@SECLEVEL=0", "unable to load SSL certificate into SSL Context 'weak.pem'."),
        ("crt DIR/weakca.pem", "unable to load chain certificate into SSL Context 'weakca.pem'."),
        ("crt DIR/otherkind.pem", "inconsistencies between private key and certificate loaded 'otherkind.pem'."),
        ("crt DIR/locked.pem", "No Private Key found in 'locked.pem.key'."),
        ("crt DIR/lockedbeside.pem", "'lockedbeside.pem.key' is present but cannot be read or parsed'."),
        ("crt DIR/zero.pem", "unable to load certificate from file 'zero.pem'."),
        ("crt DIR/trusted.pem", ""),
        ("crt DIR/nowhere.pem", "unable to stat SSL certificate from file 'nowhere.pem' : No such file or directory."),
        ("crt DIR/staple.pem", "it is impossible to compute the OCSP certificate ID"),
        ("crt DIR/timestamps.pem", "'timestamps.pem.sctl' is present but cannot be read or parsed"),
        ("crt DIR/good.pem ca-file DIR/garbage.pem", "'ca-file' : unable to load garbage.pem"),
        ("crt DIR/good.pem ca-file DIR/empty.pem verify required", "'ca-file' : unable to load empty.pem"),
        ("crt DIR/good.pem ca-file DIR/trusted.pem verify required", ""),
        ("crt DIR/good.pem crt-list DIR", ""),  # HAProxy reads a directory as an empty list
        ("crt-list DIR strict-sni", ""),
        ("crt-list DIR", "no SSL certificate specified"),
        ("generate-certificates ca-sign-file DIR/good.pem", "no SSL certificate specified"),
        ("generate-certificates ca-sign-file DIR/good.pem strict-sni", "no SSL certificate specified"),
        ("generate-certificates ca-sign-file DIR/good.pem crt DIR/good.pem", ""),
        ("crt DIR/good.pem ciphers NOPE", "unable to set SSL cipher list to 'NOPE'"),
        ("crt DIR/good.pem curves NOPE", "unable to set SSL curves list to 'NOPE'"),
        ("crt DIR/good.pem force-sslv3", "all SSL/TLS versions are disabled"),
    ],
)
def test_what_is_said(folder: Path, bind: str, said: str) -> None:
    found = faults(folder, bind)
    assert len(found) == bool(said)
    assert not said or said in found[0]


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("weak.pem", "ee key too small"),
        ("weakca.pem", "ca key too small"),
        ("locked.pem", "the key has a passphrase, and nobody is asked for it"),
        ("lockedbeside.pem", "the key has a passphrase, and nobody is asked for it"),
        ("empty.pem", "it holds no PEM certificate"),
        ("garbage.pem", "bad base64 decode"),
    ],
)
def test_why(folder: Path, file: str, why: str) -> None:
    text = f"listen l\n mode tcp\n bind 127.0.0.1:1 ssl crt {folder}/{file}\n"
    found = [one for one in hapy_config.read_text(text).diagnostics if one.code == "bad-certificate"]
    assert [one.hint for one in found] == [why]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"DIR/good.pem [alpn http/1.1] *.a.test !b.a.test\n", ""),
        (b"DIR/good.pem", "Missing LF on last line"),
        (b"\n# x\nDIR/good.pem [nonesuch]\n", "parsing [list:3]: unknown ssl keyword nonesuch"),
        (b"DIR/good.pem [alpn]\n", "ssl args out of '[]' for alpn"),
        (b"DIR/good.pem alpn]\n", "missing '['"),
        (b"DIR/good.pem [alpn a] [alpn b]\n", "too many '['"),
        (b"[alpn a] x\n", "file must start with a cert"),
        (b"DIR/good.pem\nDIR/nokey.pem\n", "No Private Key found in 'nokey.pem.key'."),
        (b"DIR/good.pem [ssl-min-ver TLSv9]\n", "'TLSv9' : unknown ssl/tls version"),
    ],
)
def test_lists(folder: Path, line: bytes, said: str) -> None:
    (folder / "list").write_bytes(line.replace(b"DIR", str(folder).encode()))
    found = faults(folder, "crt-list DIR/list")
    assert len(found) == bool(said)
    assert not said or said in found[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("no-tlsv13", ""),
        ("no-tlsv12", "range not contiguous for server 's'. Hole find for TLSv1.2."),
        ("no-tlsv12 ssl-min-ver TLSv1.3", "no-sslv3/no-tlsv1x are ignored for this server."),
        ("ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.2", "all SSL/TLS versions are disabled for server 's'."),
    ],
)
def test_versions_of_servers(words: str, said: str) -> None:
    text = f"listen l\n mode tcp\n bind 127.0.0.1:1\n server s 127.0.0.1:2 ssl verify none {words}\n"
    found = [one.message for one in hapy_config.read_text(text).diagnostics if one.code == "tls-versions"]
    assert len(found) == bool(said)
    assert all(said in text for text in found)


@pytest.mark.parametrize(
    ("header", "load", "used", "said"),
    [
        ("web", "crt DIR/good.pem alias site", "@web/site", ""),
        ("web", "crt DIR/nokey.pem key DIR/good.pem", "@web/DIR/nokey.pem", ""),
        ("web", "crt DIR/good.pem alias site", "@web/DIR/good.pem", "unable to stat SSL certificate"),
        ("web", "crt DIR/good.pem", "@web/other", "No such file"),
        ("web\n crt-base DIR", "crt good.pem", "@web/good.pem", ""),
        ("web\n crt-base DIR", "crt good.pem", "@web/DIR/good.pem", "No such file"),
        ("web\n crt-base /\n crt-base DIR", "crt good.pem", "@web/good.pem", ""),
        ("web\n crt-base DIR\n key-base DIR", "crt nokey.pem key good.pem", "@web/nokey.pem", ""),
        ("", "crt DIR/nokey.pem key DIR/good.pem", "DIR/nokey.pem", ""),
        ("", "crt DIR/nokey.pem key DIR/good.pem alias a", "@/a", ""),
        ("", "crt DIR/nokey.pem key DIR/good.pem alias a", "DIR/nokey.pem", "No Private Key found"),
        ("@we/b!", "crt DIR/good.pem alias a", "@@we/b!/a", ""),
        ("web x", "crt DIR/good.pem alias a", "@web/a", "only supports a <name> argument"),
        ("web", "crt DIR/good.pem alias", "@web/", ""),
        ("web", "crt DIR/good.pem alias a alias b", "@web/b", ""),
        ("web", "crt DIR/nowhere.pem crt DIR/good.pem alias b", "@web/b", ""),
        ("web", "alias b", "", "mandatory 'crt' parameter not found"),
        ("web", "crt DIR/good.pem alias a\n load crt DIR/good.pem", "@web/a", ""),
        ("web", "crt DIR/good.pem alias a\n load crt DIR/apart.crt alias a", "@web/a", "is already defined"),
        ("web", "crt DIR/good.pem\n crt-base DIR", "", "can't be used after a load line"),
        # files must be there and sound
        ("web", "crt DIR/nowhere.pem alias a", "", "No such file"),
        ("web", "crt DIR/nokey.pem key DIR/nowhere alias a", "", "No such file"),
        ("web", "crt DIR/garbage.pem alias a", "", "unable to load certificate"),
        ("web", "crt DIR/good.pem issuer DIR/ca.pem alias a", "@web/a", ""),
        ("web", "crt DIR/good.pem issuer DIR/empty.pem alias a", "", "'DIR/empty.pem' cannot be read or parsed'."),
        ("web", "crt DIR/good.pem issuer DIR/onlykey.pem alias a", "", "'DIR/onlykey.pem' cannot be read or parsed'."),
        ("web", "crt DIR/good.pem issuer DIR/ca.pem ocsp DIR/staple.pem.ocsp alias a", "@web/a", ""),
        ("web", "crt DIR/good.pem sctl DIR/staple.pem.ocsp alias a", "", "cannot be read or parsed"),
        ("web", "crt DIR/good.pem issuer DIR/weak.pem ocsp DIR/staple.pem.ocsp alias a", "@web/a", ""),
        # what does not go together is told where it is used
        ("web", "crt DIR/nokey.pem alias a", "", ""),
        ("web", "crt DIR/nokey.pem alias a", "@web/a", "No Private Key found"),
        ("web", "crt DIR/mismatch.pem alias a", "", ""),
        ("web", "crt DIR/mismatch.pem alias a", "@web/a", ""),
        ("web", "crt DIR/weak.pem alias a", "", ""),
        ("web", "crt DIR/weak.pem alias a", "@web/a", "unable to load SSL certificate into SSL Context"),
        ("web", "crt DIR/good.pem ocsp DIR/staple.pem.ocsp alias a", "", ""),
        ("web", "crt DIR/good.pem ocsp DIR/staple.pem.ocsp alias a", "@web/a", "impossible to compute the OCSP"),
        # it is not run, and said so
        ("web", "crt none.pem generate-dummy on keytype RSA bits 2048", "", ""),
    ],
)
def test_stores(folder: Path, header: str, load: str, used: str, said: str) -> None:
    """As HAProxy 3.0 and 3.2 do; they say nothing of keys of other certificates, with which nobody is served."""
    store = f"crt-store {header}\n load {load}\n".replace("DIR", str(folder))
    used = used.replace("/DIR", str(folder)) or "DIR/good.pem"
    found = faults(folder, f"crt {used}", store)
    assert len(found) == bool(said), found
    assert not said or said.replace("DIR/", "") in found[0]


def test_key_of_another_certificate_in_a_store(folder: Path) -> None:
    """Bind lines take it, with a warning of ours; server lines don't."""
    text = (
        f"crt-store web\n load crt {folder}/mismatch.pem alias a\n"
        "listen l\n mode tcp\n bind 127.0.0.1:1 ssl crt @web/a\n server s 127.0.0.1:1 ssl verify none crt @web/a\n"
    )
    found = {one.message: one.severity for one in hapy_config.read_text(text).diagnostics if "web" in one.message}
    warned = "'@web/a' : the private key is another certificate's: no client can be served with it."
    assert found.pop(warned) is hapy_config.Severity.WARNING
    [refused] = found
    assert "inconsistencies between private key and certificate loaded from PEM file '@web/a'." in refused


def test_base_of_keys(folder: Path) -> None:
    store = f"global\n crt-base {folder}\n key-base {folder}\ncrt-store\n load crt nokey.pem key good.pem\n"
    assert faults(folder, "crt nokey.pem", store) == []


def test_each_file_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: Counter[str] = Counter()
    read = Path.read_bytes

    def counting(path: Path) -> bytes:
        reads[path.name] += 1
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", counting)
    lines = "".join(f" bind 127.0.0.1:{port} ssl crt {folder}/good.pem\n" for port in range(1, 9))
    result = hapy_config.read_text(f"listen l\n mode tcp\n timeout client 1s\n{lines}")
    assert result.config is not None
    assert reads["good.pem"] == 1
    binds = result.config.proxies[0].binds
    assert len({id(bind.certificates[0].files) for bind in binds}) == 1


@contextlib.contextmanager
def _nobody() -> Iterator[None]:
    """Root may read everything: for a while somebody else does the reading."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("crt secret.pem", "cannot open the file 'secret.pem'."),
        ("crt closed", "unable to scan directory 'closed' : Permission denied."),
        ("crt closed/good.pem", "unable to stat SSL certificate from file 'closed/good.pem' : Permission denied."),
        ("crt listed", "unable to stat SSL certificate from file 'listed/good.pem' : Permission denied."),
        ("crt dangling", "unable to stat SSL certificate from file 'dangling/link.pem' : No such file or directory."),
        ("crt staple.pem", "Error opening OCSP response file"),
        ("crt stapledir.pem", "Error reading OCSP response from file"),
        ("crt timestamps.pem", "'timestamps.pem.sctl' is present but cannot be read or parsed'."),
        ("crt timestampsdir.pem", "'timestampsdir.pem.sctl' is present but cannot be read or parsed'."),
        ("crt issued.pem", "'issued.pem.issuer' cannot be read or parsed'."),
        ("crt apart.pem", "'apart.pem.key' is present but cannot be read or parsed'."),
        ("crt whole.pem", ""),  # with its key inside, nobody looks at the file for it
        ("crt good.pem verify required ca-file closed", "'ca-file' : unable to load closed"),
        ("crt good.pem verify required ca-file secret.pem", "'ca-file' : unable to load secret.pem"),
        ("crt good.pem verify required ca-file mixed", ""),
        ("crt good.pem verify required ca-file listed", ""),
        (
            "global closed",
            "global statement 'issuers-chain-path': unable to scan directory 'closed' : Permission denied.",
        ),
        ("global good.pem", "global statement 'issuers-chain-path': good.pem is not a directory."),
        ("global mixed", ""),
        ("global listed", ""),
    ],
)
def test_what_may_not_be_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    whole, bare = (folder / "good.pem").read_bytes(), (folder / "nokey.pem").read_bytes()
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    for name in ("closed", "listed", "dangling", "mixed", "stapledir.pem.ocsp", "timestampsdir.pem.sctl"):
        Path(name).mkdir()
    names = (
        "good",
        "closed/good",
        "listed/good",
        "dangling/good",
        "mixed/good",
        "staple",
        "stapledir",
        "issued",
        "whole",
    )
    for name in (*names, "timestamps", "timestampsdir"):
        Path(f"{name}.pem").write_bytes(whole)
    Path("apart.pem").write_bytes(bare)
    Path("dangling/link.pem").symlink_to("nowhere")
    Path("issued.pem.ocsp").write_bytes(b"junk")
    beside = ("staple.pem.ocsp", "timestamps.pem.sctl", "issued.pem.issuer", "apart.pem.key", "whole.pem.key")
    for name in ("secret.pem", "mixed/secret.pem", *beside):
        Path(name).write_bytes(whole)
        Path(name).chmod(0)
    Path("closed").chmod(0)
    Path("listed").chmod(0o744 if os.geteuid() == 0 else 0o400)
    path = words.removeprefix("global ")
    before = f"global\n issuers-chain-path {path}\n" if path != words else ""
    try:
        with _nobody():
            found = faults(tmp_path, "crt good.pem" if before else words, before)
    finally:
        Path("closed").chmod(0o700)
        Path("listed").chmod(0o700)
    assert len(found) == bool(said), found
    assert not said or said in found[0]
