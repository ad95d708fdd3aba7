"""What OpenSSL knows of one connection and Python's `ssl` doesn't tell: randoms, secrets, curve, chains, error numbers.

And the one thing that Python doesn't pass on as it is: the name that a server is asked for.

As in `hapy.tls.openssl` the library's functions are reached through `ctypes`, with the connection's pointer that `_ssl`
keeps behind the object's head. Where they are not visible there is no value.
"""

from __future__ import annotations

import ctypes
import functools
import ssl
from collections.abc import Callable
from typing import Any, Final

from hapy_config.tls.library import Unavailable, der, library, pointer

#: The longest master key, and the length of a random.
_MOST_KEY: Final = 256
_RANDOM: Final = 32
_CTRL_GET_NEGOTIATED_GROUP: Final = 134
_CTRL_SET_NAME: Final = 55
#: Set in a group's number where OpenSSL has no object for it.
_NO_OBJECT: Final = 0x1000000
_DER: Final = 2
_LOAD_STRINGS: Final = 0x00200002
_LIBRARY_SHIFT: Final = 23
#: An "internal error" of the TLS library, of which Python has no name.
_INTERNAL: Final = 0x0A0C0103

_KeylogCallback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


@functools.cache
def _library() -> Any:
    found = library()
    handle, size = ctypes.c_void_p, ctypes.c_size_t
    try:
        for name, result, arguments in (
            ("SSL_get_SSL_CTX", handle, (handle,)),
            ("SSL_get_servername", ctypes.c_char_p, (handle, ctypes.c_int)),
            ("ERR_clear_error", None, ()),
            ("SSL_get_version", ctypes.c_char_p, (handle,)),
            ("SSL_get_verify_result", ctypes.c_long, (handle,)),
            ("SSL_get_session", handle, (handle,)),
            ("SSL_get_client_random", size, (handle, ctypes.c_char_p, size)),
            ("SSL_get_server_random", size, (handle, ctypes.c_char_p, size)),
            ("SSL_SESSION_get_master_key", size, (handle, ctypes.c_char_p, size)),
            ("SSL_ctrl", ctypes.c_long, (handle, ctypes.c_int, ctypes.c_long, handle)),
            ("OBJ_nid2sn", ctypes.c_char_p, (ctypes.c_int,)),
            ("SSL_CTX_set_keylog_callback", None, (handle, _KeylogCallback)),
            ("ERR_error_string_n", None, (ctypes.c_ulong, ctypes.c_char_p, size)),
            ("SSL_get1_peer_certificate", handle, (handle,)),
            ("X509_free", None, (handle,)),
            ("i2d_X509", ctypes.c_int, (handle, ctypes.POINTER(handle))),
            ("OBJ_txt2nid", ctypes.c_int, (ctypes.c_char_p,)),
            ("OPENSSL_init_ssl", ctypes.c_int, (ctypes.c_uint64, handle)),
        ):
            function = getattr(found, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as error:
        raise Unavailable("the OpenSSL of this Python can't be reached") from error
    return found


def connection(tls: ssl.SSLObject) -> int:
    """The SSL: the second field behind the object's head.

    Raises:
        Unavailable: it can't be reached.
    """
    inner = tls._sslobj  # type: ignore[attr-defined]
    place = id(inner) + object.__basicsize__ + ctypes.sizeof(ctypes.c_void_p)
    value = ctypes.c_void_p.from_address(place).value
    if not value or _library().SSL_get_SSL_CTX(value) != pointer(tls.context):
        raise Unavailable("the OpenSSL of this Python can't be reached")
    return value


def _told(look: Callable[[Any, int], bytes | None]) -> Callable[[ssl.SSLObject], bytes | None]:
    """A look at the library's connection; None where it can't be reached."""

    def get(tls: ssl.SSLObject) -> bytes | None:
        try:
            return look(_library(), connection(tls))
        except Unavailable:
            return None

    return get


def _random(function: str) -> Callable[[Any, int], bytes | None]:
    def look(openssl: Any, handle: int) -> bytes | None:
        room = ctypes.create_string_buffer(_RANDOM)
        size = getattr(openssl, function)(handle, room, _RANDOM)
        return room.raw[:size]

    return look


def _master_key(openssl: Any, handle: int) -> bytes | None:
    session = openssl.SSL_get_session(handle)
    if not session:
        return None
    room = ctypes.create_string_buffer(_MOST_KEY)
    size = openssl.SSL_SESSION_get_master_key(session, room, _MOST_KEY)
    return room.raw[:size] or None


def _curve(openssl: Any, handle: int) -> bytes | None:
    number = openssl.SSL_ctrl(handle, _CTRL_GET_NEGOTIATED_GROUP, 0, None)
    if number <= 0:
        return None
    name: bytes | None = None
    if not number & _NO_OBJECT:
        name = openssl.OBJ_nid2sn(number)
    elif hasattr(openssl, "SSL_group_to_name"):
        openssl.SSL_group_to_name.argtypes = (ctypes.c_void_p, ctypes.c_int)
        openssl.SSL_group_to_name.restype = ctypes.c_char_p
        name = openssl.SSL_group_to_name(handle, number)
    return name


client_random = _told(_random("SSL_get_client_random"))
server_random = _told(_random("SSL_get_server_random"))
#: The master key of the session.
session_key = _told(_master_key)
#: The group of the key exchange, by OpenSSL's short name.
curve = _told(_curve)
#: The version, while the handshake is under way too.
version = _told(lambda openssl, handle: openssl.SSL_get_version(handle))


#: The name that the client asks for; of our own connections to servers.
asked_name = _told(lambda openssl, handle: openssl.SSL_get_servername(handle, 0))


def ask_for(tls: ssl.SSLObject, name: bytes) -> None:
    """Send this name (SNI), whatever its letters, before the handshake begins; one beyond 255 bytes is not sent.

    Raises:
        Unavailable: the library can't be reached.
    """
    openssl = _library()
    if not openssl.SSL_ctrl(connection(tls), _CTRL_SET_NAME, 0, name):
        openssl.ERR_clear_error()


def verify_result(tls: ssl.SSLObject) -> int:
    """The error of the peer's certificate that this session goes on with, 0 for none; those that were ignored count."""
    try:
        return int(_library().SSL_get_verify_result(connection(tls)))
    except Unavailable:
        return 0  # then no error can be ignored, either (`hapy.tls.openssl.watch_verification`)


#: What verification ends with when the library itself has found nothing wrong (X509_V_ERR_UNSPECIFIED).
UNSPECIFIED: Final = 1


def ended_by_name(tls: ssl.SSLObject, error: ssl.SSLError | None) -> bool:
    """Whether a handshake has ended since the server's certificate is for another name."""
    return reason(error) == "CERTIFICATE_VERIFY_FAILED" and verify_result(tls) == UNSPECIFIED


def _peer(openssl: Any, handle: int) -> bytes | None:
    certificate = openssl.SSL_get1_peer_certificate(handle)
    if not certificate:
        return None
    try:
        return der(openssl, certificate)
    finally:
        openssl.X509_free(certificate)


#: The peer's certificate (DER), whatever has become of the handshake.
peer = _told(_peer)


def chain(tls: ssl.SSLObject, *, verified: bool = False) -> list[bytes]:
    """Certificates (DER), leaf first: those that the peer has sent, or those that verification went through."""
    inner = tls._sslobj  # type: ignore[attr-defined]
    found = inner.get_verified_chain() if verified else inner.get_unverified_chain()
    return [one.public_bytes(_DER) for one in found or () if one is not None]  # None: a client without a certificate


def short_name(dotted: str) -> str | None:
    """OpenSSL's short name of an object identifier, None where it has none."""
    try:
        openssl = _library()
    except Unavailable:
        return None
    number = openssl.OBJ_txt2nid(dotted.encode())
    openssl.ERR_clear_error()
    name: bytes | None = openssl.OBJ_nid2sn(number) if number else None
    return name.decode() if name else None


# secrets for those who decrypt captured traffic (`tune.ssl.keylog`)

#: What was told of connections whose handshake is under way: label → hexadecimal secret, by connection.
_secrets: dict[int, dict[bytes, bytes]] = {}
#: More handshakes than this are not followed at the same time: the oldest is forgotten.
_MOST_FOLLOWED: Final = 4096


def _note(handle: int, line: bytes) -> None:
    label, _, rest = line.partition(b" ")
    known = _secrets.get(handle)
    if known is None:
        if len(_secrets) >= _MOST_FOLLOWED:
            del _secrets[next(iter(_secrets))]
        known = _secrets[handle] = {}
    known[label] = rest.rpartition(b" ")[2]


_note_callback = _KeylogCallback(_note)


def note_secrets(context: ssl.SSLContext) -> None:
    """Note the secrets of this context's handshakes.

    Raises:
        Unavailable: they can't be had.
    """
    _library().SSL_CTX_set_keylog_callback(pointer(context), _note_callback)


def take_secrets(tls: ssl.SSLObject) -> dict[bytes, bytes]:
    """The secrets of a handshake that is done, and forget them here."""
    return _secrets.pop(connection(tls), {}) if _secrets else {}


# errors


@functools.cache
def _numbers() -> dict[tuple[str, str], int]:
    """OpenSSL's packed error numbers, by the names of library and reason."""
    import _ssl

    libraries: dict[int, str] = getattr(_ssl, "lib_codes_to_names", {})
    reasons: dict[tuple[int, int], str] = getattr(_ssl, "err_codes_to_names", {})
    return {
        (libraries.get(group, ""), name): group << _LIBRARY_SHIFT | reason for (group, reason), name in reasons.items()
    }


def reason(error: ssl.SSLError | None) -> str | None:
    """OpenSSL's name of what it complains of; None for no error, and for the ends of a connection."""
    return None if error is None else error.reason


def error_number(error: ssl.SSLError | None) -> int:
    """OpenSSL's number of an error, 0 for none."""
    if error is None:
        return 0
    if not error.reason:
        return _INTERNAL if error.library else 0  # 0: one end of a connection or the other
    return _numbers().get((error.library or "", error.reason), 0)


def error_text(number: int) -> bytes | None:
    """OpenSSL's words for an error number, None for 0."""
    if not number:
        return None
    try:
        openssl = _library()
    except Unavailable:
        return None
    openssl.OPENSSL_init_ssl(_LOAD_STRINGS, None)
    room = ctypes.create_string_buffer(_MOST_KEY)
    openssl.ERR_error_string_n(number, room, _MOST_KEY)
    return room.value


def refusal(reason: str, library: str = "SSL") -> ssl.SSLError:
    """What the library complains of where we end the handshake.

    `CALLBACK_FAILED`: by the choice of a certificate. `CERTIFICATE_VERIFY_FAILED`: by a look at the peer's.
    """
    error = ssl.SSLError(ssl.SSL_ERROR_SSL, reason.replace("_", " ").lower())
    error.library, error.reason = library, reason
    return error


class NoCertificate(Exception):  # noqa: N818 - says what it is
    """None can be made for the name that a client asks for.

    Attributes:
        error: what the library would complain of.
    """

    def __init__(self, reason: str, library: str) -> None:
        super().__init__(reason)
        self.error = refusal(reason, library)
