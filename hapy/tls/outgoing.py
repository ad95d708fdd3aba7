"""A `server … ssl` line as it runs: its context, the name it asks for, its sessions, what its certificate must say.

Rules (manual section 5.2, and HAProxy 2.6 on the wire):
- With `verify required` the chain must end in `ca-file`. The name in it is looked at only where `sni` gives one,
  else where `verifyhost` does: any alternative DNS name will do, then any common name.
- The name sent to the server (`sni`) is a part of the pool's key, so that no connection serves two names.
- The last session of each name is offered to the server with the next connection, unless `no-ssl-reuse` forbids it.
"""

from __future__ import annotations

import contextlib
import functools
import re
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.net.clock import now
from hapy.observe.counters import TLS
from hapy.samples import compile_expression
from hapy.samples.environment import CompileError
from hapy.tls import inside, openssl
from hapy.tls.facts import host_names
from hapy.tls.session import OTHER_HOST, OTHER_NAME, parsed
from hapy.tls.settings import apply_common, load_authorities, load_certificate, load_revocations, surroundings
from hapy_config.tls.versions import version_range
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.observe.counters import BackendCounters, ServerCounters
    from hapy.proxy.transaction import Transaction
    from hapy.samples.environment import CompileEnv
    from hapy.tls.settings import Surroundings
    from hapy_config.model.server import Server, ServerTls

#: Host names that Python sends as they are. It sends no addresses, of which there are none among these, no names with
#: an empty part or one beyond 63 letters, and raises errors about others; HAProxy sends any 255 bytes.
_PLAIN: Final = re.compile(rb"(?=.*[A-Za-z_-])(?=.{1,253}\Z)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
#: Names whose sessions are kept for one server.
_MOST_SESSIONS: Final = 1000


class Outgoing:
    """TLS towards one server.

    Attributes:
        fixed: every connection asks for the same name, `constant` (None for none).
        constant: see `fixed`.
        records: how much a record holds, None for as much as it may.
        tallies: the counters of the server and of its backend, where handshakes are counted.
    """

    __slots__ = (
        "_context",
        "_keeps",
        "_looks",
        "_render",
        "_sessions",
        "_verifies",
        "_verify_host",
        "constant",
        "fixed",
        "records",
        "tallies",
    )

    def __init__(self, server: Server, env: CompileEnv, *, raw: bool = False) -> None:
        assert server.tls is not None
        tls = server.tls
        self.tallies: tuple[ServerCounters | BackendCounters, ...] = ()
        self._sessions: dict[bytes | None, ssl.SSLSession] = {}
        self._keeps = "no-ssl-reuse" not in tls.options
        self._render: Callable[[Transaction], bytes | None] | None = None
        self.constant: bytes | None = None
        if tls.sni is not None:
            if tls.sni.fetch.name == "str" and not tls.sni.converters:
                self.constant = to_bytes("".join(tls.sni.fetch.args[:1])) or None
            else:
                self._render = _name(compile_expression(tls.sni, env))
        self.fixed = self._render is None
        around = surroundings(env.config.global_, "server", raw=raw)
        self.records = around.records
        self._context, self._verifies = _context(server, tls, around)
        host = tls.options.get("verifyhost", ("",))[0]
        self._verify_host = to_bytes(host)
        self._looks = self._verifies  # at names, when the handshake is done
        if self._verifies:
            with contextlib.suppress(openssl.Unavailable):
                openssl.check_names(self._context, functools.partial(_fits, self._verify_host))
                self._looks = False

    def name(self, txn: Transaction) -> bytes | None:
        """The name to ask for with this request."""
        return self.constant if self._render is None else self._render(txn)

    def begin(self, name: bytes | None, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> ssl.SSLObject:
        """Start a handshake for that name."""
        wrap, session = self._context.wrap_bio, self._sessions.get(name)
        if not name or _PLAIN.fullmatch(name):
            return wrap(incoming, outgoing, server_hostname=name.decode() if name else None, session=session)
        tls = wrap(incoming, outgoing, session=session)
        with contextlib.suppress(openssl.Unavailable):
            inside.ask_for(tls, name)
        return tls

    def accept(self, name: bytes | None, tls: ssl.SSLObject) -> str:
        """Look at the server's certificate once the handshake is done; gives what is wrong with it, or nothing."""
        resumed = bool(tls.session_reused)
        if self._looks and not resumed and not _fits(self._verify_host, tls.getpeercert(binary_form=True) or b"", name):
            return OTHER_NAME if name else OTHER_HOST
        for counters in self.tallies:
            if resumed:
                counters.ssl_reused_sess += 1
            else:
                counters.ssl_sess += 1
        if not resumed:
            TLS.backend_keys.add(now())
        return ""

    def ended_by_name(self, tls: ssl.SSLObject, error: ssl.SSLError) -> bool:
        """Whether a handshake has ended since the server's certificate is for another name."""
        return inside.ended_by_name(tls, error)

    def fail(self) -> None:
        """A handshake came to nothing."""
        for counters in self.tallies:
            counters.ssl_failed_handshake += 1

    def keep(self, name: bytes | None, tls: ssl.SSLObject) -> bool:
        """Keep the session for the next connection; False while there is none that could be taken up."""
        if not self._keeps:
            return True
        session = tls.session
        if session is None or not (session.has_ticket or (session.id and tls.version() != "TLSv1.3")):
            return False
        sessions = self._sessions
        if name not in sessions and len(sessions) >= _MOST_SESSIONS:
            del sessions[next(iter(sessions))]
        sessions[name] = session
        return True


def _name(render: Callable[[Transaction], object]) -> Callable[[Transaction], bytes | None]:
    def name(txn: Transaction) -> bytes | None:
        value = render(txn)
        return None if value is None else (value if isinstance(value, bytes) else str(value).encode()) or None

    return name


def _context(server: Server, tls: ServerTls, around: Surroundings) -> tuple[ssl.SSLContext, bool]:
    """The context of a server, and whether certificates are verified.

    Raises:
        CompileError: something of the line can't be used.
    """
    options, span = tls.options, server.span
    method = tls.verify
    if method != "none" and "verify" not in options:
        method = around.options.get("verify", (method,))[0]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if method == "required" else ssl.CERT_NONE
    apply_common(context, options, around, span, version_range(options, around.options, None))
    if method == "required":
        for name in options.get("ca-file", ()):
            load_authorities(context, name, span)
        for name in options.get("crl-file", ()):
            load_revocations(context, name, span)
    if tls.certificate is not None:
        load_certificate(context, tls.certificate, span)
    if around.keylog:
        try:
            inside.note_secrets(context)
        except openssl.Unavailable as error:
            raise CompileError(f"tune.ssl.keylog can't be set here: {error}", span) from error
    return context, method == "required"


def _fits(verify_host: bytes, certificate: bytes, name: bytes | None) -> bool:
    """Whether a server's certificate (DER) is for the name asked for, else for `verifyhost`."""
    wanted = name or verify_host
    return not wanted or (bool(certificate) and names_host(certificate, wanted.lower()))


def names_host(der: bytes, host: bytes) -> bool:
    """Whether a certificate is for a host: `*` is any part of the first label (RFC 6125, section 6.4.3)."""
    wanted = host.decode("ascii", "replace")
    return any(_matches(name, wanted) for name in host_names(parsed(der)))


def _matches(pattern: str, host: str) -> bool:
    begin, star, end = pattern.partition("*")
    if not star or "." in begin:
        return pattern == host
    end, dot, rest = end.partition(".")
    label, host_dot, host_rest = host.partition(".")
    if not (dot and host_dot) or rest != host_rest or "*" in end:
        return pattern == host
    return len(label) >= len(begin) + len(end) and label.startswith(begin) and label.endswith(end)
