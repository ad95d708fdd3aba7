"""What clients are verified by is read once: certificates that are made later need no file of it."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

import hapy_config
from hapy.tls import groups, settings
from hapy.tls.binding import Binding
from hapy.tls.hello import ClientHello, frame_hello


def _greet(name: str) -> tuple[ssl.MemoryBIO, ClientHello]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    there = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), there, server_hostname=name).do_handshake()
    hello = frame_hello(there.read())
    assert hello is not None
    return there, hello


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = trustme.CA()
    (tmp_path / "ca.pem").write_bytes(root.cert_pem.bytes())
    (tmp_path / "sign.pem").write_bytes(root.cert_pem.bytes() + root.private_key_pem.bytes())
    (tmp_path / "a.pem").write_bytes(
        root.issue_cert("a.test", key_type=trustme.KeyType.RSA).private_key_and_cert_chain_pem.bytes()
    )
    (tmp_path / "client.pem").write_bytes(root.issue_cert("c@x.test").private_key_and_cert_chain_pem.bytes())
    command = "openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe3072"
    (tmp_path / "dh.pem").write_bytes(subprocess.run(command.split(), capture_output=True, check=True).stdout)
    return tmp_path


def _binding(folder: Path, words: str, *, globals_: str = "") -> Binding:
    text = (
        f"global\n {globals_}\nlisten l\n mode tcp\n timeout client 1s\n bind 127.0.0.1:1 ssl crt {folder}/a.pem"
        f" ca-file {folder}/ca.pem verify required {words}\n"
    )
    result = hapy_config.read_text(text.replace("DIR", str(folder)))
    assert result.config is not None
    around = settings.surroundings(result.config.global_, "bind")
    return Binding(result.config.proxies[0].binds[0], around)


def _shake(context: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(back, there, server_hostname="new.test")
    far = context.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (near, far):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return far


@pytest.mark.parametrize("revoking", ["", "crl-file DIR/crl.pem"])
def test_authorities_out_of_reach(folder: Path, revoking: str) -> None:
    """As below `chroot`: the client's certificate is asked for, announced and verified all the same."""
    index = folder / "index"
    index.write_text("")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={index}\ndefault_md=sha256\ndefault_crl_days=9\n"
    )
    signing = ("-config", "ca.cnf", "-cert", "sign.pem", "-keyfile", "sign.pem", "-out", "crl.pem")
    subprocess.run(["openssl", "ca", "-gencrl", *signing], cwd=folder, check=True, capture_output=True)
    binding = _binding(folder, f"generate-certificates ca-sign-file DIR/sign.pem {revoking}")
    (folder / "ca.pem").unlink()
    (folder / "crl.pem").unlink()
    _, hello = _greet("new.test")
    served = binding.choose(hello)
    assert served is not None
    assert served.watched
    assert served is not binding.default
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_cert_chain(folder / "client.pem")
    assert _shake(served.context, client).getpeercert(binary_form=True)
    other = trustme.CA().issue_cert("c@x.test")
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    other.configure_cert(stranger)
    with pytest.raises(ssl.SSLError, match="certificate verify failed"):
        _shake(served.context, stranger)


def test_authorities_of_several_certificates_are_kept_once(folder: Path) -> None:
    (folder / "list").write_text(f"{folder}/a.pem a.test\n{folder}/a.pem [verify none] b.test\n{folder}/a.pem c.test\n")
    binding = _binding(folder, "crt-list DIR/list")
    first, second, third = (binding.choose(_greet(f"{name}.test")[1]) for name in "abc")
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.watched, second.watched, third.watched) == (True, False, True)
    assert first.context.cert_store_stats() == third.context.cert_store_stats() == {"x509": 1, "crl": 0, "x509_ca": 1}
    assert second.context.cert_store_stats()["x509"] == 0


@pytest.mark.parametrize("globals_", ["ssl-dh-param-file DIR/dh.pem", "tune.ssl.default-dh-param 2048"])
def test_parameters_out_of_reach(folder: Path, globals_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As below `chroot`, where there may be no place for a file: Diffie-Hellman is served all the same."""

    def nowhere(_: bytes) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    binding = _binding(folder, "generate-certificates ca-sign-file DIR/sign.pem", globals_=globals_)
    (folder / "dh.pem").unlink()
    monkeypatch.setattr(groups, "as_file", nowhere)
    served = binding.choose(_greet("new.test")[1])
    assert served is not None
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("DHE")
    client.load_cert_chain(folder / "client.pem")
    cipher = _shake(served.context, client).cipher()
    assert cipher is not None
    assert cipher[0].startswith("DHE-")
