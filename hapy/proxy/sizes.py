"""Sizes of messages as HAProxy counts them in logs and statistics (`%B`, `%U`): what its own form of a message takes.

A head is its start line and its fields without the separators of the wire, plus a constant; a chunked body ends with
one more byte. Seen on `%B` and `%U` of HAProxy 2.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.http.message import CHUNKED

if TYPE_CHECKING:
    from hapy.http.message import Header, Response

#: A request's head beside its method, target and fields; a response's beside its reason phrase and fields.
REQUEST_HEAD = 29
RESPONSE_HEAD = 32
#: Of an error page that ends its connection HAProxy counts the `connection: close`, too.
CLOSE_SIZE = 15

#: What HAProxy's form of a message takes in a buffer beside its contents: once, and for each line, the end of the head
#: and the body.
_FORM = 48
_BLOCK = 8


def fields_size(fields: list[Header]) -> int:
    """The size of header or trailer fields."""
    size = 0
    for name, value in fields:
        size += len(name) + len(value)
    return size


def head_size(head: Response) -> int:
    """The size of a response's head."""
    size = RESPONSE_HEAD + len(head.reason)
    for name, value in head.headers:
        size += len(name) + len(value)
    return size


def most_at_once(head: Response, room: int) -> int:
    """How much of an answer HAProxy has read, and counts, when a rule on its head keeps it from the client.

    Args:
        head: the answer's.
        room: of a buffer, without the reserve for rewriting.
    """
    blocks = len(head.headers) + 3 + (head.body == CHUNKED)
    return room - _FORM - _BLOCK * blocks
