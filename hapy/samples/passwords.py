"""Passwords of a userlist checked: plain ones in constant time, encrypted ones with the system's crypt(3).

A checked pair is remembered as a digest, since crypt(3) is slow on purpose.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from hapy_config.model.config import User, Userlist
from hapy_config.words import to_bytes

_REMEMBERED: Final = 1024


@lru_cache(maxsize=1)
def _crypt() -> Callable[[bytes, bytes], bytes | None]:
    """crypt(3) of libcrypt; one that knows no password where the library is missing."""
    name = ctypes.util.find_library("crypt") or "libcrypt.so.1"
    try:
        function = ctypes.CDLL(name).crypt
    except (OSError, AttributeError):
        return lambda password, salt: None
    function.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
    function.restype = ctypes.c_char_p

    def crypt(password: bytes, salt: bytes) -> bytes | None:
        result = function(password, salt)
        return result if isinstance(result, bytes) else None

    return crypt


class Users:
    """The users of one list."""

    __slots__ = ("_key", "_known", "_users")

    def __init__(self, userlist: Userlist) -> None:
        self._users = {to_bytes(name): user for name, user in userlist.users.items()}
        self._key = os.urandom(16)
        self._known: OrderedDict[bytes, bool] = OrderedDict()

    def check(self, name: bytes, password: bytes) -> User | None:
        """The user of that name if the password is right, else None."""
        user = self._users.get(name)
        if user is None or b"\0" in password:
            return None
        stored = to_bytes(user.password)
        if not user.encrypted:
            return user if hmac.compare_digest(stored, password) else None
        digest = hashlib.blake2b(name + b"\0" + password, key=self._key).digest()
        right = self._known.get(digest)
        if right is None:
            hashed = _crypt()(password, stored)
            right = self._known[digest] = hashed is not None and hmac.compare_digest(hashed, stored)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return user if right else None
