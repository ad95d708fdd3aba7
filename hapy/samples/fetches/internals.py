"""Fetches on the connection's protocol and on what HAProxy calls internals (configuration manual, 7.3.3 and 7.3.7)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.samples.environment import CompileEnv
from hapy.samples.formats.aliases import unique_id
from hapy.samples.registry import Args, Fetch, Getter, fetch
from hapy.samples.types import Result, Value
from hapy_config.grammar.checks import proxy_value_type

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy.tls.session import TlsSession


@fetch("fc_http_major", type="sint")
def _fc_http_major(args: Args, env: CompileEnv) -> Getter:
    none = None if env.proxy.mode == "tcp" else 0
    return lambda txn: txn.version // 10 if txn.request is not None else none


@fetch("bc_http_major", type="sint")
def _bc_http_major(args: Args, env: CompileEnv) -> Getter:
    env.process.shows_ends = True
    return lambda txn: 1 if txn.server_ends is not None and txn.request is not None else None


@fetch("fc_rcvd_proxy", type="bool")
def _fc_rcvd_proxy(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if txn.client.error else txn.client.proxied


#: Longer values of PROXY headers are not kept (section 7.3.3, `fc_pp_tlv`).
_LONGEST_VALUE: Final = 1024


def _header_values(txn: Transaction, number: int) -> list[bytes]:
    """The values of one type that the client's PROXY header has brought."""
    preface = txn.client.preface
    if preface is None or not preface.tail:
        return []
    from hapy.net.proxy_header import found

    return found(preface.tail, number)


@fetch("fc_pp_authority", type="str")
def _fc_pp_authority(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: next(reversed(_header_values(txn, 0x02)), None)


@fetch("fc_pp_unique_id", type="str")
def _fc_pp_unique_id(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: next(reversed(_header_values(txn, 0x05)), None)


@fetch("fc_pp_tlv", type="str")
def _fc_pp_tlv(args: Args, env: CompileEnv) -> Fetch:
    number = proxy_value_type(args.string(0))
    if number is None:
        raise args.error(f"{args.string(0)!r} is neither a number between 0 and 255 nor the name of a type")

    def many(txn: Transaction) -> list[Value]:
        return [value for value in _header_values(txn, number) if len(value) <= _LONGEST_VALUE]

    return Fetch(lambda txn: next(iter(many(txn)), None), many)


@fetch("ssl_fc", type="bool")
def _ssl_fc(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: txn.client.tls is not None


@fetch("unique-id", type="str")
def _unique_id(args: Args, env: CompileEnv) -> Getter:
    return unique_id


@fetch("internal.strm.is_htx", type="bool")
def _is_htx(args: Args, env: CompileEnv) -> Fetch:
    value = env.proxy.mode == "http"
    return Fetch(lambda txn: value, constant=True)


#: Connection failures by number (section 7.3.3, `fc_err_str`).
_FAILURES: Final = (
    "Success",
    "Reached configured maxconn value",
    "Too many sockets on the process",
    "Too many sockets on the system",
    "Out of system buffers",
    "Protocol or address family not supported",
    "General socket error",
    "Source port range exhausted",
    "Can't bind to source address",
    "Out of local source ports on the system",
    "Local source address already in use",
    "Connection closed while waiting for PROXY protocol header",
    "Connection error while waiting for PROXY protocol header",
    "Timeout while waiting for PROXY protocol header",
    "Truncated PROXY protocol header received",
    "Received something which does not look like a PROXY protocol header",
    "Received an invalid PROXY protocol header",
    "Received an unhandled protocol in the PROXY protocol header",
    "Connection closed while waiting for NetScaler Client IP header",
    "Connection error while waiting for NetScaler Client IP header",
    "Timeout while waiting for a NetScaler Client IP header",
    "Truncated NetScaler Client IP header received",
    "Received an invalid NetScaler Client IP magic number",
    "Received an unhandled protocol in the NetScaler Client IP header",
    "Connection closed during SSL handshake",
    "Connection error during SSL handshake",
    "Timeout during SSL handshake",
    "Too many SSL connections",
    "Out of memory when initializing an SSL connection",
    "Rejected a client-initiated SSL renegotiation attempt",
    "SSL client CA chain cannot be verified",
    "SSL client certificate not trusted",
    "Server presented an SSL certificate different from the configured one",
    "Server presented an SSL certificate different from the expected one",
    "SSL handshake failure",
    "SSL handshake failure after heartbeat",
    "Stopped a TLSv1 heartbeat attack (CVE-2014-0160)",
    "Attempt to use SSL on an unknown target (internal error)",
    "Server refused early data",
    "SOCKS4 Proxy write error during handshake",
    "SOCKS4 Proxy read error during handshake",
    "SOCKS4 Proxy deny the request",
    "SOCKS4 Proxy handshake aborted by server",
    "SSL fatal error",
)
_FAILURE_NUMBERS: Final = {text: number for number, text in enumerate(_FAILURES)}
_HANDSHAKE_FAILURE: Final = _FAILURE_NUMBERS["SSL handshake failure"]
_UNNAMED_FAILURE: Final = _FAILURE_NUMBERS["General socket error"]


def _of_layer(tls: TlsSession | None) -> int:
    """What the TLS layer has come to, by number, 0 for nothing wrong."""
    if tls is None:
        return 0
    if not tls.done:
        return _FAILURE_NUMBERS.get(tls.fault, _HANDSHAKE_FAILURE)
    return _FAILURE_NUMBERS["SSL fatal error"] if tls.error_number else 0


def _client_error(txn: Transaction) -> int:
    """The failure of the client's connection by number, 0 for none."""
    said = txn.client.error
    return _FAILURE_NUMBERS.get(said, _UNNAMED_FAILURE) if said else _of_layer(txn.client.tls)


@fetch("fc_err", type="sint")
def _fc_err(args: Args, env: CompileEnv) -> Getter:
    return _client_error


@fetch("fc_err_str", type="str")
def _fc_err_str(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: (txn.client.error or _FAILURES[_client_error(txn)]).encode()


def _server_error(txn: Transaction) -> int | None:
    """The failure of the server connection by number, 0 for none; None while there is no connection.

    One that could not even be made leaves nothing behind that an error could be told of.
    """
    number = _of_layer(txn.server_tls)
    return number if number or txn.connect_done >= 0 else None


@fetch("bc_err", type="sint")
def _bc_err(args: Args, env: CompileEnv) -> Getter:
    return _server_error


@fetch("bc_err_str", type="str")
def _bc_err_str(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: None if (number := _server_error(txn)) is None else _FAILURES[number].encode()


# Linux's struct tcp_info: eight bytes of flags, then 32-bit numbers.
_TCP_INFO: Final = struct.Struct("=8x24I")
_TCP_FIELDS: Final = {
    "fc_unacked": 4,
    "fc_sacked": 5,
    "fc_lost": 6,
    "fc_retrans": 7,
    "fc_fackets": 8,
    "fc_rtt": 15,
    "fc_rttvar": 16,
    "fc_reordering": 20,
}


def _tcp_info(index: int) -> Callable[[Transaction], int | None]:
    """One number of the kernel's view of the client's TCP connection, None where it has none."""

    def number(txn: Transaction) -> int | None:
        if txn.client.family == socket.AF_UNIX or txn.client.fd < 0:
            return None
        try:
            with socket.socket(fileno=socket.dup(txn.client.fd)) as twin:
                data = twin.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        except OSError:
            return None
        if len(data) < _TCP_INFO.size:
            return None
        found: int = _TCP_INFO.unpack(data)[index]
        return found

    return number


@fetch("fc_rtt", "fc_rttvar", type="sint")
def _fc_rtt(args: Args, env: CompileEnv) -> Getter:
    unit = args.string(0, "ms")
    if unit not in ("ms", "us"):
        raise args.error(f"unknown unit {unit!r}; expects ms or us")
    number = _tcp_info(_TCP_FIELDS[args.name])
    if unit == "us":
        return number

    def milliseconds(txn: Transaction) -> Result:
        value = number(txn)
        return None if value is None else value // 1000

    return milliseconds


@fetch("fc_unacked", "fc_sacked", "fc_retrans", "fc_fackets", "fc_lost", "fc_reordering", type="sint")
def _fc_counter(args: Args, env: CompileEnv) -> Getter:
    return _tcp_info(_TCP_FIELDS[args.name])
