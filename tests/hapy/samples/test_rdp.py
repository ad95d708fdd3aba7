"""RDP cookies in the first packet of a TCP session."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import cast

import pytest

from hapy.proxy.frontend import Frontend
from hapy.proxy.transaction import Client, Transaction
from hapy.samples.environment import CompileEnv
from hapy.samples.fetches.rdp import _rdp_cookie, _rdp_cookie_cnt
from hapy.samples.registry import Args


def _session(data: bytes) -> Transaction:
    client = Client(b"127.0.0.1", 1, b"127.0.0.1", 2, socket.AF_INET)
    txn = Transaction(client, cast(Frontend, SimpleNamespace()), 0.0)
    txn.body = data
    return txn


HELLO = bytes([3, 0, 0, 40, 35, 0xE0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (HELLO + b"Cookie: mstshash=alice\r\n", "mstshash", b"alice"),
        (HELLO + b"Cookie: mstshash=alice\r\n", "", b"alice"),
        (HELLO + b"Cookie: MSTSHASH=a\r\n", "mstshash", b"a"),
        (HELLO + b"Cookie: other=alice\r\n", "mstshash", None),
        (HELLO + b"Cookie: mstshash=alice", "mstshash", None),
        (HELLO, "mstshash", None),
        (b"GET / HTTP/1.1\r\nCookie: mstshash=alice\r\n", "mstshash", None),
        (b"", "mstshash", None),
    ],
)
def test_cookie(data: bytes, name: str, expected: bytes | None) -> None:
    env = cast(CompileEnv, SimpleNamespace())
    args = Args("req.rdp_cookie", (name,) if name else ())
    assert _rdp_cookie(args, env)(_session(data)) == expected
    unfinished = len(data) <= 18 or (b"Cookie" in data and b"\n" not in data)
    assert _rdp_cookie_cnt(args, env)(_session(data)) == (None if unfinished else int(expected is not None))
