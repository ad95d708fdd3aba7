"""What Python's `ssl` has no word for, said to the OpenSSL underneath it.

TLS 1.3 cipher suites, lists of groups, the CA names sent to clients, DH parameters and verification errors that are to
be ignored: the library has functions for all of these, `ssl` (before Python 3.15) for none. They are reached through
`ctypes` in the very library that `_ssl` is linked to, with the context's pointer that `_ssl` keeps right behind the
object's head. Where that library's functions are not visible (Pythons with OpenSSL linked in), `Unavailable` is raised,
at start, so that a configuration that needs one of them is refused and not run without it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from hapy_config.tls.library import Unavailable, der, library, pointer, set_ciphersuites, set_groups

__all__ = ["Unavailable", "set_ciphersuites", "set_groups"]


class VerifyErrors:
    """What verification of a peer's certificates found, also where it is ignored.

    Attributes:
        leaf: the first error of the certificate itself. authority: of the chain above it; 0 for none.
        depth: where in the chain `authority` was found. last: the last error found.
        refused: where in the chain the error was that ended the handshake, 0 for the certificate itself and for none.
        certificate: the certificate itself (DER), where something was found.
    """

    __slots__ = ("authority", "certificate", "depth", "last", "leaf", "refused")

    def __init__(self) -> None:
        self.leaf = 0
        self.authority = 0
        self.depth = 0
        self.last = 0
        self.refused = 0
        self.certificate: bytes | None = None


#: Whose handshake is under way; handshakes are synchronous, so there is never more than one.
current = VerifyErrors()


_VerifyCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


@functools.cache
def _library() -> Any:
    found = library()
    try:
        found.SSL_CTX_set_timeout.argtypes = (ctypes.c_void_p, ctypes.c_long)
        found.SSL_CTX_set_timeout.restype = ctypes.c_long
        found.SSL_CTX_set_session_id_context.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint)
        found.SSL_load_client_CA_file.argtypes = (ctypes.c_char_p,)
        found.SSL_load_client_CA_file.restype = ctypes.c_void_p
        found.SSL_CTX_set_client_CA_list.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        found.SSL_CTX_set_client_CA_list.restype = None
        for name in ("SSL_CTX_get_client_CA_list", "SSL_dup_CA_list", "SSL_CTX_get_cert_store"):
            getattr(found, name).argtypes = (ctypes.c_void_p,)
            getattr(found, name).restype = ctypes.c_void_p
        found.SSL_CTX_set1_cert_store.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        found.SSL_CTX_set1_cert_store.restype = None
        found.SSL_CTX_set_verify.argtypes = (ctypes.c_void_p, ctypes.c_int, _VerifyCallback)
        found.SSL_CTX_set_verify.restype = None
        found.X509_STORE_CTX_get_error.argtypes = (ctypes.c_void_p,)
        found.X509_STORE_CTX_get_error_depth.argtypes = (ctypes.c_void_p,)
        found.X509_STORE_CTX_get0_cert.argtypes = (ctypes.c_void_p,)
        found.X509_STORE_CTX_get0_cert.restype = ctypes.c_void_p
        found.X509_STORE_CTX_get_ex_data.argtypes = (ctypes.c_void_p, ctypes.c_int)
        found.X509_STORE_CTX_get_ex_data.restype = ctypes.c_void_p
        found.SSL_get_servername.argtypes = (ctypes.c_void_p, ctypes.c_int)
        found.SSL_get_servername.restype = ctypes.c_char_p
        found.i2d_X509.argtypes = (ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
    except AttributeError as error:
        raise Unavailable("the OpenSSL of this Python can't be reached") from error
    return found


def set_lifetime(context: ssl.SSLContext, seconds: int) -> None:
    """How long sessions may be resumed."""
    _library().SSL_CTX_set_timeout(pointer(context), seconds)


def separate_sessions(context: ssl.SSLContext, mark: bytes) -> None:
    """Only sessions that began under the same mark (32 bytes at most) are taken up again."""
    _library().SSL_CTX_set_session_id_context(pointer(context), mark, len(mark))


def announce_authorities(context: ssl.SSLContext, path: str) -> None:
    """Tell clients which authorities their certificate may come from."""
    library = _library()
    names = library.SSL_load_client_CA_file(os.fsencode(path))
    library.ERR_clear_error()
    if names:
        library.SSL_CTX_set_client_CA_list(pointer(context), names)  # the context owns them now


def share_authorities(context: ssl.SSLContext, like: ssl.SSLContext) -> None:
    """Trust what another context trusts, which is kept once for both, and announce what it announces."""
    library, source = _library(), pointer(like)
    library.SSL_CTX_set1_cert_store(pointer(context), library.SSL_CTX_get_cert_store(source))
    if names := library.SSL_CTX_get_client_CA_list(source):
        library.SSL_CTX_set_client_CA_list(pointer(context), library.SSL_dup_CA_list(names))
    context.verify_flags = like.verify_flags


#: Callbacks, kept as long as their contexts: the library holds no reference to them.
_callbacks: WeakKeyDictionary[ssl.SSLContext, list[Any]] = WeakKeyDictionary()


def watch_verification(context: ssl.SSLContext, leaf: frozenset[int] | None, authority: frozenset[int] | None) -> None:
    """Note what verification finds in `current`, and go on where it is to be ignored.

    Args:
        context: its verify mode must be set already.
        leaf: errors of the certificate itself that do no harm; None for all.
        authority: errors of the chain above it that do no harm; None for all.
    """
    library = _library()
    get_error, get_depth = library.X509_STORE_CTX_get_error, library.X509_STORE_CTX_get_error_depth

    def verify(fine: int, store: int) -> int:
        if fine:
            return 1
        error, depth = get_error(store), get_depth(store)
        seen = current
        seen.last = error
        if seen.certificate is None:
            seen.certificate = der(library, library.X509_STORE_CTX_get0_cert(store))
        if depth == 0:
            seen.leaf = seen.leaf or error
            ignored = leaf
        else:
            if not seen.authority:
                seen.authority, seen.depth = error, depth
            ignored = authority
        if ignored is None or error in ignored:
            library.ERR_clear_error()
            return 1
        seen.refused = depth
        return 0

    callback = _VerifyCallback(verify)
    _callbacks.setdefault(context, []).append(callback)
    mode = {ssl.CERT_NONE: 0, ssl.CERT_OPTIONAL: 1, ssl.CERT_REQUIRED: 3}[context.verify_mode]
    library.SSL_CTX_set_verify(pointer(context), mode, callback)


def check_names(context: ssl.SSLContext, fits: Callable[[bytes, bytes | None], bool]) -> None:
    """Look at the name of each server while the handshake goes on, so that another one never sees our certificate.

    A handshake that ends here says `UNSPECIFIED` (of `hapy.tls.inside`) of its verification, as HAProxy's does.

    Args:
        context: its verify mode must be set already.
        fits: told of a sound certificate (DER) and of the name that was asked for.
    """
    library = _library()
    get_depth, index = library.X509_STORE_CTX_get_error_depth, library.SSL_get_ex_data_X509_STORE_CTX_idx()

    def verify(fine: int, store: int) -> int:
        if not fine or get_depth(store):
            return fine
        name = library.SSL_get_servername(library.X509_STORE_CTX_get_ex_data(store, index), 0)
        return int(fits(der(library, library.X509_STORE_CTX_get0_cert(store)) or b"", name))

    callback = _VerifyCallback(verify)
    _callbacks.setdefault(context, []).append(callback)
    library.SSL_CTX_set_verify(pointer(context), 1, callback)


def begin_verification() -> VerifyErrors:
    """A handshake (or a part of one) begins: note what it finds in a new record."""
    global current
    current = VerifyErrors()
    return current


def go_on_verifying(errors: VerifyErrors) -> None:
    """A handshake goes on: note what it finds in its record."""
    global current
    current = errors


# staples, timestamps, tickets

_StatusCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_TicketCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int
)
_CTRL_SET_STATUS_CALLBACK: Final = 63
_CTRL_SET_STATUS_RESPONSE: Final = 71
_CTRL_SET_TICKET_CALLBACK: Final = 72
_CTRL_SET_CACHE_SIZE: Final = 42
_CTRL_SET_CACHE_MODE: Final = 44
_CTRL_EXTRA_CHAIN_CERT: Final = 14
_OK: Final = 0
_NO_ACKNOWLEDGEMENT: Final = 3
_SERVERINFO_V2: Final = 2
#: Where the timestamps go: asked for in the ClientHello; in the ServerHello of TLS 1.2, beside the certificate of 1.3.
_TIMESTAMP_PLACES: Final = 0x0080 | 0x0100 | 0x1000
_TIMESTAMP_TYPE: Final = 18


@functools.cache
def _extended() -> Any:
    found = _library()
    pointer_type, size = ctypes.c_void_p, ctypes.c_size_t
    try:
        found.SSL_CTX_callback_ctrl.argtypes = (pointer_type, ctypes.c_int, pointer_type)
        found.SSL_CTX_callback_ctrl.restype = ctypes.c_long
        found.SSL_ctrl.argtypes = (pointer_type, ctypes.c_int, ctypes.c_long, pointer_type)
        found.SSL_ctrl.restype = ctypes.c_long
        found.CRYPTO_malloc.argtypes = (size, ctypes.c_char_p, ctypes.c_int)
        found.CRYPTO_malloc.restype = pointer_type
        for name in ("d2i_AutoPrivateKey", "d2i_X509"):
            getattr(found, name).argtypes = (pointer_type, pointer_type, ctypes.c_long)
            getattr(found, name).restype = pointer_type
        found.EVP_PKEY_free.argtypes = (pointer_type,)
        found.EVP_PKEY_free.restype = None
        found.SSL_CTX_use_PrivateKey.argtypes = (pointer_type, pointer_type)
        found.SSL_CTX_use_certificate_ASN1.argtypes = (pointer_type, ctypes.c_int, ctypes.c_char_p)
        found.SSL_CTX_use_serverinfo_ex.argtypes = (pointer_type, ctypes.c_uint, ctypes.c_char_p, size)
        for name in ("EVP_aes_128_cbc", "EVP_aes_256_cbc", "EVP_sha256"):
            getattr(found, name).argtypes = ()
            getattr(found, name).restype = pointer_type
        for name in ("EVP_EncryptInit_ex", "EVP_DecryptInit_ex"):
            function = getattr(found, name)
            function.argtypes = (pointer_type, pointer_type, pointer_type, ctypes.c_char_p, ctypes.c_char_p)
        found.HMAC_Init_ex.argtypes = (pointer_type, ctypes.c_char_p, ctypes.c_int, pointer_type, pointer_type)
    except AttributeError as error:
        raise Unavailable("the OpenSSL of this Python can't be reached") from error
    return found


_CTRL_SET_NAME_CALLBACK: Final = 53


def accept_names(context: ssl.SSLContext) -> None:
    """Tell clients that the name they ask for is taken: it has been looked at before.

    Python's own callback wants it decoded, and ends the handshake where it isn't ASCII. The library itself has a
    function that is 0, whatever it is given, but on Windows: so no handshake comes back to Python for this answer.
    """
    try:
        openssl = _extended()
        openssl.SSL_CTX_callback_ctrl(pointer(context), _CTRL_SET_NAME_CALLBACK, openssl.OPENSSL_isservice)
    except (Unavailable, AttributeError):
        context.sni_callback = lambda _tls, _name, _context: None


class Staple:
    """An OCSP response that is sent to clients who ask for it.

    Attributes:
        response: DER, empty for none.
        until: the moment (seconds since 1970) when it is no longer sent.
    """

    __slots__ = ("response", "until")

    def __init__(self, response: bytes, until: float) -> None:
        self.response = response
        self.until = until


def staple(context: ssl.SSLContext, shown: Staple) -> None:
    """Send a response with the certificate; what `shown` holds may change."""
    openssl = _extended()

    def send(connection: int, _: int) -> int:
        response = shown.response
        if not response or time.time() > shown.until:  # noqa: TID251 - a date
            return _NO_ACKNOWLEDGEMENT
        memory = openssl.CRYPTO_malloc(len(response), b"", 0)  # the connection owns it then
        if not memory:
            return _NO_ACKNOWLEDGEMENT
        ctypes.memmove(memory, response, len(response))
        openssl.SSL_ctrl(connection, _CTRL_SET_STATUS_RESPONSE, len(response), memory)
        return _OK

    callback = _StatusCallback(send)
    _callbacks.setdefault(context, []).append(callback)
    openssl.SSL_CTX_callback_ctrl(pointer(context), _CTRL_SET_STATUS_CALLBACK, callback)


def show_timestamps(context: ssl.SSLContext, timestamps: bytes) -> None:
    """Send signed certificate timestamps to clients who ask for them.

    The context must have its certificate already.
    """
    openssl = _extended()
    data = struct.pack(">IHH", _TIMESTAMP_PLACES, _TIMESTAMP_TYPE, len(timestamps)) + timestamps
    if not openssl.SSL_CTX_use_serverinfo_ex(pointer(context), _SERVERINFO_V2, data, len(data)):
        openssl.ERR_clear_error()
        raise Unavailable("this OpenSSL doesn't take them")


def share_tickets(context: ssl.SSLContext, keys: Sequence[bytes]) -> None:
    """Sessions are kept in tickets under these keys, which other processes may have too.

    Args:
        context: the context.
        keys: each a name of 16 bytes, then keys for AES-128 and HMAC of 16 bytes each, or for HMAC and AES-256 of 32.
            The last three count, of these the last but one encrypts.
    """
    _extended().SSL_CTX_callback_ctrl(pointer(context), _CTRL_SET_TICKET_CALLBACK, _ticket_callback(tuple(keys[-3:])))


@functools.cache
def _ticket_callback(keys: tuple[bytes, ...]) -> Any:
    openssl = _extended()
    split = {key[:16]: (key[16:32], key[32:48]) if len(key) == 48 else (key[48:80], key[16:48]) for key in keys}
    newest = keys[-2] if len(keys) > 1 else keys[-1]
    cipher = openssl.EVP_aes_128_cbc() if len(newest) == 48 else openssl.EVP_aes_256_cbc()
    digest = openssl.EVP_sha256()

    def handle(_: int, name: int, vector: int, cipher_context: int, digest_context: int, encrypting: int) -> int:
        if encrypting:
            chosen, fresh = newest[:16], os.urandom(16)
            ctypes.memmove(name, chosen, 16)
            ctypes.memmove(vector, fresh, 16)
        else:
            chosen, fresh = ctypes.string_at(name, 16), ctypes.string_at(vector, 16)
            if chosen not in split:
                return 0
        secret, authentic = split[chosen]
        start = openssl.EVP_EncryptInit_ex if encrypting else openssl.EVP_DecryptInit_ex
        if not openssl.HMAC_Init_ex(digest_context, authentic, len(authentic), digest, None):
            return -1
        if not start(cipher_context, cipher, None, secret, fresh):
            return -1
        return 1 if encrypting or chosen == newest[:16] else 2

    return _TicketCallback(handle)


def use_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes, chain: Sequence[bytes]) -> bool:
    """Show a certificate that stands in no file; all are DER. Whether the library takes it."""
    library, place = _extended(), pointer(context)
    parsed = library.d2i_AutoPrivateKey(None, ctypes.byref(ctypes.c_char_p(key)), len(key))
    try:
        fine = library.SSL_CTX_use_certificate_ASN1(place, len(certificate), certificate) == 1
        fine = fine and bool(parsed) and library.SSL_CTX_use_PrivateKey(place, parsed) == 1
    finally:
        library.EVP_PKEY_free(parsed)
    for one in chain if fine else ():
        above = library.d2i_X509(None, ctypes.byref(ctypes.c_char_p(one)), len(one))
        fine = fine and bool(above) and library.SSL_CTX_ctrl(place, _CTRL_EXTRA_CHAIN_CERT, 0, above) == 1
    library.ERR_clear_error()
    return fine


def use_parameters(context: ssl.SSLContext, pem: bytes) -> bool:
    """Set Diffie-Hellman parameters that stand in no file. Whether the library takes them."""
    library = _library()
    for name in ("BIO_new_mem_buf", "PEM_read_bio_Parameters"):
        getattr(library, name).restype = ctypes.c_void_p
    source = ctypes.c_void_p(library.BIO_new_mem_buf(pem, len(pem)))
    parameters = ctypes.c_void_p(library.PEM_read_bio_Parameters(source, None))
    library.BIO_free(source)
    fine = bool(parameters) and library.SSL_CTX_set0_tmp_dh_pkey(ctypes.c_void_p(pointer(context)), parameters) == 1
    if parameters and not fine:
        library.EVP_PKEY_free(parameters)
    library.ERR_clear_error()
    return fine


def limit_cache(context: ssl.SSLContext, sessions: int) -> None:
    """How many sessions are kept for clients without tickets; 0 for none."""
    if sessions:
        _library().SSL_CTX_ctrl(pointer(context), _CTRL_SET_CACHE_SIZE, sessions, None)
    else:
        _library().SSL_CTX_ctrl(pointer(context), _CTRL_SET_CACHE_MODE, 0, None)
