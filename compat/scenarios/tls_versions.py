"""Which versions of TLS are spoken, towards clients and servers."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable

from compat.harness import Origin, World
from compat.harness.certificates import server_context
from compat.harness.origin import answering

TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3
_OLD_TO_NEW = [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, TLS12, TLS13]

#: Words for versions on bind or server lines, and what stands in the defaults.
_LIMITS = (
    ("", ""),
    ("", "no-tlsv12"),
    ("", "no-tlsv11 no-tlsv13"),
    ("", "ssl-min-ver TLSv1.3 force-tlsv12 force-tlsv11"),
    ("", "force-tlsv12 ssl-min-ver TLSv1.0"),
    ("", "force-tlsv11 ssl-max-ver TLSv1.3 no-tlsv12"),
    ("", "ssl-max-ver TLSv1.1"),
    ("ssl-max-ver TLSv1.0 ssl-min-ver TLSv1.3 force-tlsv11", "ssl-max-ver TLSv1.2"),
    ("force-tlsv12", "no-tlsv12"),
    ("ssl-min-ver TLSv1.1", "ssl-max-ver TLSv1.2 ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.1"),
)
_WEAK = "ciphers ALL:@SECLEVEL=0"


def _spoken(world: World, listener: str, server_name: str | None = None) -> str:
    """Which of the versions a listener speaks."""
    spoken = []
    for version in _OLD_TO_NEW:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            client = world.tls_client(
                server_name,
                listener=listener,
                ciphers="ALL:@SECLEVEL=0",
                minimum_version=version,
                maximum_version=version,
            )
        spoken.append(version.name if client.shaken else "-")
    world.forget_clients()
    return " ".join(spoken)


def _limited(shared: str) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        world.certificate("a.pem", "a.test")
        lines = [own for defaults, own in _LIMITS if defaults == shared]
        binds = "".join(
            f'    bind "fd@${{b{number}}}" ssl crt {{dir}}/a.pem {_WEAK} {own}\n' for number, own in enumerate(lines)
        )
        world.start(
            f"frontend fe\n{binds}    http-request return status 200\n",
            global_=f"ssl-default-bind-options {shared}" if shared else "",
        )
        for number, own in enumerate(lines):
            world.note(f"{own}: {_spoken(world, f'b{number}')}")

    scenario.__doc__ = f"Limits of versions on bind lines, and `{shared}` in the defaults: the last word counts."
    return scenario


def _spoken_to_servers(shared: str) -> Callable[[World], None]:
    def scenario(world: World) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            for version in _OLD_TO_NEW:
                context = server_context(world.dir, world.certificate("s.pem", "s.test"))
                context.set_ciphers("ALL:@SECLEVEL=0")
                context.minimum_version = context.maximum_version = version
                world.origins[version.name] = Origin(version.name, answering(b""), tls=context)
        lines = [own for defaults, own in _LIMITS if defaults == shared]
        backends = "".join(
            f"backend b{number}_{version.name}\n    retries 0\n"
            f"    server s {{{version.name}}} ssl verify none {_WEAK} {own} # hapy: pool-min-conn 0\n"
            for number, own in enumerate(lines)
            for version in _OLD_TO_NEW
        )
        world.start(
            f'frontend fe\n    bind "fd@${{fe}}"\n    use_backend %[path,field(2,/)]\n{backends}',
            global_=f"ssl-default-server-options {shared}" if shared else "",
        )
        for number, own in enumerate(lines):
            spoken = []
            for version in _OLD_TO_NEW:
                message = world.client().get(f"/b{number}_{version.name}")
                spoken.append(version.name if message and message.status == 200 else "-")
            world.note(f"{own}: {' '.join(spoken)}")
        world.forget_clients()
        world.forget_origins()

    scenario.__doc__ = f"The same on server lines, with `{shared}` in the defaults: what lies between is spoken, too."
    return scenario


towards_clients = _limited("")
forced_towards_clients = _limited("force-tlsv12")
defaults_towards_clients = _limited("ssl-max-ver TLSv1.0 ssl-min-ver TLSv1.3 force-tlsv11")
towards_servers = _spoken_to_servers("")
defaults_towards_servers = _spoken_to_servers("ssl-min-ver TLSv1.1")


def in_lists(world: World) -> None:
    """A crt-list line's versions come before the bind line's, for clients who ask for one of its names."""
    world.certificate("a.pem", "a.test")
    world.certificate("b.pem", "b.test")
    cases = (
        ("", "ssl-min-ver TLSv1.0"),
        ("", "ssl-max-ver TLSv1.2"),
        ("ssl-max-ver TLSv1.0", "ssl-max-ver TLSv1.1"),
        ("force-tlsv13", "ssl-min-ver TLSv1.1"),
        ("no-tlsv13", "ssl-min-ver TLSv1.0"),
    )
    binds = ""
    for number, (own, line) in enumerate(cases):
        (world.dir / f"list{number}").write_text(f"{world.dir}/a.pem [{line}]\n{world.dir}/b.pem\n")
        binds += f'    bind "fd@${{b{number}}}" ssl crt-list {{dir}}/list{number} {_WEAK} {own}\n'
    world.start(f"frontend fe\n{binds}    http-request return status 200\n")
    for number, (own, line) in enumerate(cases):
        for name in ("a.test", "b.test", None, "none.test"):
            world.note(f"{own} [{line}] {name}: {_spoken(world, f'b{number}', name)}")
