"""RDP cookies: what a Remote Desktop client sends first (configuration manual, 7.3.5; MS-RDPBCGR 2.2.1.1).

The first packet is a TPKT header (4 bytes), an X.224 connection request (7 bytes), and in it, where there is one, a
line `Cookie: NAME=VALUE` ended by CR LF.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hapy.samples.content import sent, undecided
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Getter, fetch
from hapy.samples.types import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.proxy.transaction import Transaction

_HEADER: Final = re.compile(rb"\x03.{4}\xe0.{5}", re.DOTALL)
_HEADER_SIZE: Final = 11
_LABEL: Final = b"cookie:"
_COOKIE: Final = re.compile(rb"Cookie:[ \t]*([^=\r\n]+)=([^\r\n]*)\r\n", re.IGNORECASE)


def _cookie(args: Args, missing: int | None = None) -> Callable[[Transaction], bytes | int | None]:
    """The cookie; `missing` where there is none, None where more would have to come to tell."""
    wanted = args.data(0, "").lower()

    def value(txn: Transaction) -> bytes | int | None:
        data = sent(txn)
        if data is None:
            return missing
        if len(data) <= _HEADER_SIZE + len(_LABEL):
            undecided(txn)
            return None
        if not _HEADER.match(data):
            return missing
        found = _COOKIE.match(data, _HEADER_SIZE)
        if found is None:
            if data[_HEADER_SIZE : _HEADER_SIZE + len(_LABEL)].lower() == _LABEL and b"\n" not in data[_HEADER_SIZE:]:
                undecided(txn)
                return None
            return missing
        if wanted and found[1].strip().lower() != wanted:
            return missing
        return found[2]

    return value


@fetch("req.rdp_cookie", "rdp_cookie", type="str")
def _rdp_cookie(args: Args, _env: CompileEnv) -> Getter:
    return _cookie(args)


@fetch("req.rdp_cookie_cnt", "rdp_cookie_cnt", type="sint")
def _rdp_cookie_cnt(args: Args, _env: CompileEnv) -> Getter:
    value = _cookie(args, 0)

    def count(txn: Transaction) -> Result:
        found = value(txn)
        return 1 if isinstance(found, bytes) else found

    return count
