"""What expressions in checks look at: a transaction without a client, whose answer is the server's to the check."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, cast

from hapy.net.clock import now, wall
from hapy.proxy.transaction import Client, Transaction
from hapy.samples.content import Content

if TYPE_CHECKING:
    from hapy.checks.check import Check
    from hapy.http.message import Response
    from hapy.proxy.transaction import Entry


def transaction(check: Check) -> Transaction:
    """A transaction for one run of a check; `check.` variables live in it."""
    backend = check.server.backend
    client = Client(b"", 0, b"", 0, socket.AF_UNSPEC)
    client.accepted, client.accepted_wall = now(), wall()
    txn = Transaction(client, cast("Entry", backend), client.accepted)
    txn.server = check.server
    if check.probe is not None and check.probe.connected:
        txn.server_ends = check.probe.ends
    txn.request_wall = client.accepted_wall
    return txn


def show_bytes(txn: Transaction, received: bytes) -> None:
    """Let expressions see what the server has sent."""
    content = Content(raw=True, final=True)
    content.answer = received
    txn.inspection = content


def show_response(txn: Transaction, response: Response | None, body: bytes) -> None:
    """Let expressions see an HTTP answer."""
    content = Content(raw=False, final=True)
    content.answer = body
    txn.inspection = content
    txn.response = response
