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
from typing import Any, Final

from hapy_config.tls.library import Unavailable, library, pointer, set_ciphersuites, set_groups

__all__ = ["Unavailable", "set_ciphersuites", "set_groups"]

_CTRL_SET_DH_AUTO: Final = 118


class VerifyErrors:
    """What verification of a peer's certificates found, also where it is ignored.

    Attributes:
        leaf: the first error of the certificate itself. authority: of the chain above it; 0 for none.
        depth: where in the chain `authority` was found. last: the last error found.
    """

    __slots__ = ("authority", "depth", "last", "leaf")

    def __init__(self) -> None:
        self.leaf = 0
        self.authority = 0
        self.depth = 0
        self.last = 0


#: Whose handshake is under way; handshakes are synchronous, so there is never more than one.
current = VerifyErrors()


_VerifyCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


@functools.cache
def _library() -> Any:
    found = library()
    try:
        found.SSL_CTX_set_timeout.argtypes = (ctypes.c_void_p, ctypes.c_long)
        found.SSL_CTX_set_timeout.restype = ctypes.c_long
        found.SSL_load_client_CA_file.argtypes = (ctypes.c_char_p,)
        found.SSL_load_client_CA_file.restype = ctypes.c_void_p
        found.SSL_CTX_set_client_CA_list.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        found.SSL_CTX_set_client_CA_list.restype = None
        found.SSL_CTX_set_verify.argtypes = (ctypes.c_void_p, ctypes.c_int, _VerifyCallback)
        found.SSL_CTX_set_verify.restype = None
        found.X509_STORE_CTX_get_error.argtypes = (ctypes.c_void_p,)
        found.X509_STORE_CTX_get_error_depth.argtypes = (ctypes.c_void_p,)
    except AttributeError as error:
        raise Unavailable("the OpenSSL of this Python can't be reached") from error
    return found


def set_automatic_dh(context: ssl.SSLContext) -> None:
    """Diffie-Hellman with parameters of the size of the certificate's key."""
    _library().SSL_CTX_ctrl(pointer(context), _CTRL_SET_DH_AUTO, 1, None)


def set_lifetime(context: ssl.SSLContext, seconds: int) -> None:
    """How long sessions may be resumed."""
    _library().SSL_CTX_set_timeout(pointer(context), seconds)


def announce_authorities(context: ssl.SSLContext, path: str) -> None:
    """Tell clients which authorities their certificate may come from."""
    library = _library()
    names = library.SSL_load_client_CA_file(os.fsencode(path))
    library.ERR_clear_error()
    if names:
        library.SSL_CTX_set_client_CA_list(pointer(context), names)  # the context owns them now


#: Callbacks, kept as long as the process: the library holds no reference to them.
_callbacks: list[Any] = []


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
        return 0

    callback = _VerifyCallback(verify)
    _callbacks.append(callback)
    mode = {ssl.CERT_NONE: 0, ssl.CERT_OPTIONAL: 1, ssl.CERT_REQUIRED: 3}[context.verify_mode]
    library.SSL_CTX_set_verify(pointer(context), mode, callback)


def begin_verification() -> VerifyErrors:
    """A handshake (or a part of one) begins: note what it finds in a new record."""
    global current
    current = VerifyErrors()
    return current


def go_on_verifying(errors: VerifyErrors) -> None:
    """A handshake goes on: note what it finds in its record."""
    global current
    current = errors
