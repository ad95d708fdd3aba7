"""`server`, `default-server`, `server-template` and `bind`: everything one line says, defaults applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hapy_config.grammar.units import leading_integer
from hapy_config.model.addresses import Address
from hapy_config.model.certificates import CertificateEntry, CertificateFiles
from hapy_config.model.expressions import LogFormat, SampleExpression
from hapy_config.model.sealing import seal
from hapy_config.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Source:
    """`source ADDR[:port[-port]] [usesrc …] [interface …]`: the local address of outgoing connections."""

    address: Address
    usesrc: str | None = None
    interface: str | None = None


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The `ssl` part of a server line.

    Attributes:
        verify: `required` or `none`.
        sni: the name to ask for, None for none.
        options: all its TLS words.
        certificate: what its `crt` names, None without one.
    """

    verify: str = "required"
    ca_file: str | None = None
    sni: SampleExpression | None = None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    certificate: CertificateFiles | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        seal(self, "options")


@dataclass(frozen=True, slots=True)
class HapyPool:
    """hapy's own pool settings, from structured comments (`# hapy: pool-min-conn 4`) on the server's line or above it.

    Attributes:
        min_conn: connections to keep ready, None for the automatic mode, 0 for no warming.
    """

    min_conn: int | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """One server.

    Attributes:
        name: its name.
        number: its `id`, given or counted from 1 in its backend.
        address: where it is.
        numbered: its line gives an `id`; a template with one counts for all that it makes.
        weight: 0 to 256.
        maxconn: concurrent requests (HTTP) or connections, 0 for no limit.
        minconn: the dynamic lower limit, 0 for none.
        maxqueue: requests that may wait for it, 0 for no limit.
        pool_max_conn: idle connections kept, -1 for no limit, 0 for none.
        pool_low_conn: idle connections a thread leaves to the others.
        pool_purge_delay: ms between purges of the excess, 0 keeps none.
        max_reuse: requests after the first that one connection may carry, -1 for no limit.
        cookie: the persistence value, or None.
        check: health checks are on.
        send_proxy: 0, or the PROXY protocol version to send; what version 2 tells is in `options`, `proxy-v2-options`.
        proxy_values: (type, format) of what `set-proxy-v2-tlv-fmt` adds to the header.
        tls: None for plain text.
        check_tls: TLS of its checks (`check-ssl`) where requests go without.
        fqdn: the host name that stands in the file, None where an address does (or a service).
        service: the name of SRV records that give the server its address, port and weight, or None.
        options: every other server option as written, by name; what later issues run.
        span: the place.
    """

    name: str
    number: int
    address: Address
    numbered: bool = False
    weight: int = 1
    backup: bool = False
    disabled: bool = False
    maxconn: int = 0
    minconn: int = 0
    maxqueue: int = 0
    pool_max_conn: int = -1
    pool_low_conn: int = 0
    pool_purge_delay: int = 5000
    max_reuse: int = -1
    cookie: str | None = None
    redir: str | None = None
    check: bool = False
    send_proxy: int = 0
    proxy_values: tuple[tuple[int, LogFormat], ...] = ()
    source: Source | None = None
    tls: ServerTls | None = None
    check_tls: ServerTls | None = None
    slowstart: int = 0
    track: str | None = None
    init_addr: tuple[str, ...] = ("last", "libc")
    resolvers: str | None = None
    fqdn: str | None = None
    service: str | None = None
    pool: HapyPool = HapyPool()
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    span: Span = field(default=NOWHERE, compare=False)

    def __post_init__(self) -> None:
        seal(self, "options")

    @property
    def rise(self) -> int:
        """Good checks that bring it up, 2 where the line says nothing."""
        return leading_integer(self.options.get("rise", ("2",))[0])

    @property
    def fall(self) -> int:
        """Bad checks that bring it down, 3 where the line says nothing."""
        return leading_integer(self.options.get("fall", ("3",))[0])


@dataclass(frozen=True, slots=True)
class Bind:
    """One listening address of a `bind` line (a line with several addresses makes several of these).

    Attributes:
        address: where to listen; a port range makes one socket per port.
        name: `name`, or None.
        number: `id`, given or counted.
        maxconn: connections at once, 0 for no limit of its own.
        backlog: the listen queue, 0 for the default.
        mode: octal file mode of a UNIX socket, or None.
        uid: owner of a UNIX socket, name or number, or None.
        gid: group of a UNIX socket, or None.
        interface: the network interface to bind to, or None.
        v4v6: True, False (`v6only`) or None.
        accept_proxy: expects a PROXY header.
        netscaler: expects a NetScaler header with this magic number, None for no such header.
        tls: None for plain text, else the ssl options by name.
        certificates: what its `crt` and `crt-list` name, in order.
        ticket_keys: what its `tls-ticket-keys` file holds, oldest first, 48 or 80 bytes each.
        signer: the authority of `ca-sign-file` with its key, under which certificates are made; None without one.
        options: every other bind option as written, by name.
        span: the place.
    """

    address: Address
    name: str | None = None
    number: int = 0
    maxconn: int = 0
    backlog: int = 0
    mode: int | None = None
    uid: str | None = None
    gid: str | None = None
    interface: str | None = None
    v4v6: bool | None = None
    transparent: bool = False
    defer_accept: bool = False
    mss: int | None = None
    tfo: bool = False
    accept_proxy: bool = False
    netscaler: int | None = None
    nice: int = 0
    tls: Mapping[str, tuple[str, ...]] | None = field(default=None, hash=False)
    certificates: tuple[CertificateEntry, ...] = field(default=(), repr=False)
    ticket_keys: tuple[bytes, ...] = field(default=(), repr=False)
    signer: CertificateFiles | None = field(default=None, repr=False)
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    span: Span = field(default=NOWHERE, compare=False)

    def __post_init__(self) -> None:
        seal(self, "tls", "options")
