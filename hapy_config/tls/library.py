"""This machine's OpenSSL, asked about lists of ciphers and groups, for which `ssl` has no words or no answer.

Its functions are reached through `ctypes` in the very library that `_ssl` is linked to, with the context's pointer that
`_ssl` keeps right behind the object's head. Where they are not visible (Pythons with OpenSSL linked in), `Unavailable`
is raised.
"""

from __future__ import annotations

import ctypes
import functools
import ssl
import sys
from typing import Any, Final

_CTRL_SET_GROUPS_LIST: Final = 92


class Unavailable(RuntimeError):  # noqa: N818 - says what it is
    """This Python's OpenSSL can't be reached."""


@functools.cache
def library() -> Any:
    """The library, with the types of a few functions declared.

    Raises:
        Unavailable: it can't be reached.
    """
    import _ssl

    if sys.implementation.name != "cpython" or not hasattr(_ssl, "__file__"):
        raise Unavailable("the OpenSSL of this Python can't be reached")
    found = ctypes.CDLL(_ssl.__file__)
    try:
        found.SSL_CTX_set_ciphersuites.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
        found.SSL_CTX_ctrl.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p)
        found.SSL_CTX_ctrl.restype = ctypes.c_long
        found.ERR_clear_error.argtypes = ()
        found.ERR_clear_error.restype = None
    except AttributeError as error:
        raise Unavailable("the OpenSSL of this Python can't be reached") from error
    return found


def pointer(context: ssl.SSLContext) -> int:
    """The SSL_CTX: the first field behind the object's head."""
    value = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    if not value:
        raise Unavailable("the OpenSSL of this Python can't be reached")
    return value


def der(openssl: Any, certificate: int | None) -> bytes | None:
    """A certificate of the library's as DER; None for none."""
    size = openssl.i2d_X509(certificate, None) if certificate else 0
    if size <= 0:
        return None
    room = ctypes.create_string_buffer(size)
    openssl.i2d_X509(certificate, ctypes.byref(ctypes.cast(room, ctypes.c_void_p)))
    return room.raw


def set_ciphersuites(context: ssl.SSLContext, suites: str) -> bool:
    """The cipher suites of TLS 1.3; False where the list means nothing to the library."""
    openssl = library()
    done = bool(openssl.SSL_CTX_set_ciphersuites(pointer(context), suites.encode("utf-8", "surrogateescape")))
    openssl.ERR_clear_error()
    return done


def set_groups(context: ssl.SSLContext, groups: str) -> bool:
    """The groups for key exchange, in order; False where the list means nothing to the library."""
    openssl = library()
    text = groups.encode("utf-8", "surrogateescape")
    done = bool(openssl.SSL_CTX_ctrl(pointer(context), _CTRL_SET_GROUPS_LIST, 0, text))
    openssl.ERR_clear_error()
    return done


def set_ciphers(context: ssl.SSLContext, ciphers: str) -> bool:
    """The ciphers up to TLS 1.2; False where the list means nothing to the library."""
    try:
        context.set_ciphers(ciphers)
    except (ssl.SSLError, UnicodeEncodeError, ValueError):
        return False
    return True


#: The words that set them, in the order in which HAProxy complains, with its words.
_LISTS: Final = (
    ("ciphers", set_ciphers, "unable to set SSL cipher list to '{}'"),
    ("ciphersuites", set_ciphersuites, "unable to set TLS 1.3 cipher suites to '{}'"),
    ("curves", set_groups, "unable to set SSL curves list to '{}'"),
    ("ecdhe", set_groups, "unable to set elliptic named curve to '{}'"),
)


def lists_fault(options: dict[str, tuple[str, ...]]) -> str:
    """What this library says against the ciphers and groups of a line, in HAProxy's words; empty for nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for word, apply, message in _LISTS:
        value = options.get(word)
        if not value or (word == "ecdhe" and "curves" in options):
            continue
        try:
            if not apply(context, value[-1]):
                return message.format(value[-1])
        except Unavailable:
            continue
    return ""
