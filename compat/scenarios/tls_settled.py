"""What is kept of a client's hello where there is little room, and the parameters that Diffie-Hellman is served with."""

from __future__ import annotations

import functools
import re
import ssl
import subprocess
import warnings
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from compat.harness import World
from compat.scenarios.tls_fetches import _SINCE

_CAPTURED = (
    *(
        "ssl_fc_protocol",
        "ssl_fc_cipherlist_bin,hex",
        "ssl_fc_cipherlist_bin(1),hex",
        "ssl_fc_cipherlist_hex",
        "ssl_fc_cipherlist_str",
    ),
    *("ssl_fc_cipherlist_xxh", "ssl_fc_extlist_bin,hex", "ssl_fc_extlist_bin(1),hex", "ssl_fc_eclist_bin,hex"),
    *("ssl_fc_eclist_bin(1),hex", "ssl_fc_ecformats_bin,hex", "ssl_fc_protocol_hello_id"),
)


def _room(size: int) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        world.certificate("a.pem", "a.test")
        shown = " ".join(f"{fetch}=%[{fetch}]" for fetch in _CAPTURED)
        world.start(
            f"""
frontend fe
    bind "fd@${{fe}}" ssl crt {{dir}}/a.pem ssl-min-ver TLSv1.1 ciphers ALL:@SECLEVEL=0
    http-request return status 200 content-type text/plain lf-string "{shown}"
""",
            global_=f"tune.ssl.capture-buffer-size {size}",
        )
        for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                client = world.tls_client(
                    "a.test", ciphers="ALL:@SECLEVEL=0", minimum_version=version, maximum_version=version
                )
            message = client.get("/")
            world.note(repr(message.body if message else None))
        world.forget_clients()

    scenario.__doc__ = f"`tune.ssl.capture-buffer-size {size}`: all that is kept of a hello shares that room."
    return scenario


#: Of a hello of TLS 1.3: one suite, suites and some extensions, half a group, half of the formats, all.
for _size in (2, 15, 31, 53, 1000):
    globals()[f"room_for_{_size}"] = _room(_size)


@functools.cache
def _large() -> bytes:
    """A certificate with a key of 4096 bits, and the key."""
    key = rsa.generate_private_key(65537, 4096)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "large.test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, _SINCE, _SINCE.replace(year=2049))
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return certificate + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@functools.cache
def _parameters(bits: int) -> bytes:
    command = f"openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe{bits}"
    return subprocess.run(command.split(), capture_output=True, check=True).stdout


def _diffie_hellman(*settings: str) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        pem = world.certificate("usual.pem", "a.test")
        (world.dir / "own.pem").write_bytes(pem + _parameters(3072))
        (world.dir / "otherkind.pem").write_bytes(pem + _parameters(3072).replace(b" DH", b" X9.42 DH"))
        (world.dir / "large.pem").write_bytes(_large())
        (world.dir / "dh.pem").write_bytes(_parameters(2048))
        kinds = ("usual", "own", "otherkind", "large")
        world.start(
            "".join(
                f'frontend {name}\n    bind "fd@${{{name}}}" ssl crt {{dir}}/{name}.pem ssl-max-ver TLSv1.2 ciphers DHE\n'
                for name in kinds
            ),
            global_="\n    ".join(settings),
        )
        for name in kinds:
            port = world.client(name).sock.getpeername()[1]
            command = f"openssl s_client -connect 127.0.0.1:{port} -tls1_2 -cipher DHE".split()
            said = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=20).stdout
            world.note(f"{name}: {re.findall('Server Temp Key: (.*)', said)}")
        world.forget_clients()

    scenario.__doc__ = f"Diffie-Hellman with {' and '.join(settings) or 'nothing set'}: whose parameters are served."
    return scenario


for _name, _settings in (
    ("unset", ()),
    ("of_3072", ("tune.ssl.default-dh-param 3072",)),
    ("of_4096", ("tune.ssl.default-dh-param 4096",)),
    ("of_a_file", ("tune.ssl.default-dh-param 4096", "ssl-dh-param-file {dir}/dh.pem")),
):
    globals()[f"diffie_hellman_{_name}"] = _diffie_hellman(*_settings)
