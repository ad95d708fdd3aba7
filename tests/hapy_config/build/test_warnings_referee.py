"""What both programs warn of, word by word, where two settings don't go together."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import trustme

from hapy_config import Severity, read_text

DEFAULTS = "defaults\n mode tcp\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"
SWITCH = "tcp-request content switch-mode http"
FROM_FIELD = "source 0.0.0.0 usesrc hdr_ip(x-client,-2)"

CASES = [
    *(
        f"frontend f\n bind :1 ssl crt CRT {words}\n"
        for words in (
            "ssl-max-ver TLSv1.1",
            "ssl-max-ver TLSv1.0 no-sslv3",
            "no-tlsv12 ssl-max-ver TLSv1.1",
            "no-sslv3 ssl-max-ver TLSv1.2",
            "no-sslv3 ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.1",
            "no-tlsv11 no-tlsv13",
            "ssl-max-ver SSLv3",
        )
    ),
    *(
        f"listen l\n bind :1\n server s 127.0.0.1:2 ssl verify none {words}\n"
        for words in ("ssl-max-ver TLSv1.1", "ssl-max-ver TLSv1.0 no-sslv3", "no-tlsv11 no-tlsv13", "no-tlsv12")
    ),
    f"listen l\n bind :1\n server s 127.0.0.1:2 {FROM_FIELD}\n server-template t 1-2 127.0.0.1:2 {FROM_FIELD}\n",
    f"listen l\n bind :1\n mode http\n server s 127.0.0.1:2 {FROM_FIELD}\n",
    f"listen l\n bind :1\nbackend b\n {FROM_FIELD}\n server s 127.0.0.1:2 {FROM_FIELD}\n",
    f"listen l\n bind :1\n {SWITCH}\n server s 127.0.0.1:2 {FROM_FIELD}\n",
    f"listen l\n bind :1\n {SWITCH}\n dispatch 127.0.0.1:2\n",
    f"listen l\n bind :1\n {SWITCH}\n server s 127.0.0.1:2\n use_backend b if HTTP\nbackend b\n mode http\n",
    f"listen l\n bind :1\n {SWITCH}\n server s 127.0.0.1:2\n default_backend b\nbackend b\n mode http\n",
    "listen l\n bind :1\n server s 127.0.0.1:2\n default_backend b\nbackend b\n",
    "listen l\n bind :1\n dispatch 127.0.0.1:2\n default_backend b\nbackend b\n",
    "listen l\n bind :1\n default-server ssl no-ssl\n server s 127.0.0.1:2\n",
    *(
        f"frontend f\n bind :1\n log 127.0.0.1:514 local0\n {line}\n"
        for line in (
            "log-format %[status]",
            'log-format-sd "[a@1 b=%[method]]"',
            "error-log-format %[http_first_req]",
            "unique-id-format %[method]",
            "tcp-request content set-var-fmt(txn.a) %[method]",
            "http-request set-header a %[method]",
        )
    ),
    "listen l\n bind :1\n default-server ssl\n default-server no-ssl\n server s 127.0.0.1:2\n",
    "listen l\n bind :1\n default-server ssl\n server s 127.0.0.1:2 no-ssl\n",
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "a.pem"
    trustme.CA().issue_cert("a.test").private_key_and_cert_chain_pem.write_to_path(path)
    return path


@pytest.mark.referee
@pytest.mark.parametrize("case", CASES)
def test_warnings(haproxy: str, certificate: Path, case: str, tmp_path: Path) -> None:
    path = tmp_path / "cfg"
    text = DEFAULTS + case.replace("CRT", str(certificate))
    path.write_text(text)
    done = subprocess.run([haproxy, "-c", "-f", path], capture_output=True, check=False, text=True)
    theirs = re.findall(
        r"^\[WARNING\] +\(\d+\) : config : (?:(?:parsing )?\[[^]]*\] : )?(.*)$", done.stderr, re.MULTILINE
    )
    result = read_text(text, str(path))
    ours = [found.message for found in result.diagnostics if found.severity is Severity.WARNING]
    assert (result.config is not None) == (done.returncode == 0)
    assert sorted(ours) == sorted(theirs)


@pytest.mark.referee
@pytest.mark.parametrize("bits", [1024, 1025, 2048])
def test_few_bits_for_diffie_hellman(haproxy: str, certificate: Path, bits: int, tmp_path: Path) -> None:
    path = tmp_path / "cfg"
    text = f"global\n tune.ssl.default-dh-param {bits}\n{DEFAULTS}frontend f\n bind :1 ssl crt {certificate}\n"
    path.write_text(text)
    done = subprocess.run([haproxy, "-c", "-f", path], capture_output=True, check=False, text=True)
    theirs = re.findall(r"'bind.* : \n  (unable to load .*)\.\n  (, DH .*)", done.stderr)
    found = [one.message for one in read_text(text, str(path)).diagnostics if one.severity is Severity.WARNING]
    ours = [message for message in found if "unable" in message]
    assert ours == [f"'bind :1' in section 'frontend' : {first}{second}" for first, second in theirs]
