"""What becomes of a message's framing when rules have written, changed or removed its length or its encoding.

As HAProxy does it when it writes a head (seen on the wire of 2.6):
- a body whose Content-Length was removed (or is no number) goes out in chunks, one without its chunked encoding too
- a Content-Length on a request without a body is left out; of several the first counts, others stay if they are equal
- of the codings in a TE that rules have written only `trailers` goes out
- an encoding that rules add goes out, and the connection ends with the message, unless it takes the length's place
- a Content-Length that is smaller than the body is an error; a larger one goes out as it is: the receiver waits. Beside
  the sender's chunked encoding one goes out that is larger than what has come, and the connection ends with the message
Where the sender's chunks were to become a length that is not known to be right, hapy goes on with chunks: what went
beyond that length would be taken for the next message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.http.connection import forwarded_te
from hapy.http.message import CHUNKED, TUNNEL, UNTIL_CLOSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hapy.http.message import Header, Request, Response
    from hapy_config.model.rules import Rule

_CHUNKED_FIELD = (b"transfer-encoding", b"chunked")
_NAMES = frozenset({"content-length", "te", "transfer-encoding"})


class Misframed(Exception):  # noqa: N818 - an answer to give, not a defect
    """The rules' length can't be told to anybody."""


def touches_framing(rules: tuple[Rule, ...]) -> bool:
    """Whether any of the rules may change a message's length or encoding."""
    for rule in rules:
        name = rule.arguments.get("name")
        if isinstance(name, str) and (
            name.lower() in _NAMES or (rule.action == "del-header" and rule.arguments.get("match", "str") != "str")
        ):
            return True
    return False


def reframe_request(request: Request, known: int) -> bool:
    """Bring a request's body in line with its fields; whether its server connection must end with it.

    Args:
        request: the head, after all rules.
        known: bytes of its body if they are all there, else -1.

    Raises:
        Misframed: the fields contradict the body.
    """
    if any(name == b"te" for name, _ in request.headers):
        request.headers = list(_with_forwarded_te(request.headers))
    if request.body == TUNNEL:
        return False
    if request.body == 0:
        encodings = _encodings(request.headers)
        request.headers = [field for field in request.headers if field[0] != b"content-length" or field[1] == b"0"]
        if _is_chunked(encodings):
            request.body = CHUNKED
        return bool(encodings)
    return _reframe(request, known)


def reframe_response(response: Response, method: bytes, known: int) -> bool:
    """Bring an answer's body in line with its fields; whether the client's connection must end with it.

    Args:
        response: the head, after all rules.
        method: of the request.
        known: bytes of its body if they are all there, else -1.

    Raises:
        Misframed: the fields contradict the body.
    """
    if response.body == TUNNEL or response.status == 204:
        return False
    if method == b"HEAD" or response.status == 304:
        response.headers, length = _one_length(response.headers)
        return length >= 0 and bool(_encodings(response.headers))
    return _reframe(response, known)


def _reframe(message: Request | Response, known: int) -> bool:
    headers, length = _one_length(message.headers)
    encodings = _encodings(headers)
    close = False
    if message.body == CHUNKED:
        if encodings and 0 <= length <= known:
            raise Misframed
        close = bool(encodings) and length >= 0
        if encodings and not _is_chunked(encodings):
            headers.append(_CHUNKED_FIELD)
        elif not encodings:
            if 0 <= length == known:
                message.body = length
            else:
                headers = [field for field in headers if field[0] != b"content-length"]
                headers.append(_CHUNKED_FIELD)
    elif encodings:
        chunked = _is_chunked(encodings)
        close = length >= 0 or message.body == UNTIL_CLOSE or not chunked
        if not chunked and length < 0 <= message.body:
            headers.append(_CHUNKED_FIELD)
            chunked = True
        if chunked:
            message.body = CHUNKED
    elif message.body >= 0 and length < 0:
        headers.append(_CHUNKED_FIELD)
        message.body = CHUNKED
    elif 0 <= length < message.body:
        raise Misframed
    message.headers = headers
    return close


def _one_length(headers: list[Header]) -> tuple[list[Header], int]:
    """The fields without lengths that are none or differ from the first, and that; -1 without any."""
    length = -1
    kept = []
    for field in headers:
        if field[0] == b"content-length":
            number = int(field[1]) if field[1].isdigit() and len(field[1]) < 20 else -1
            if number < 0 or (length >= 0 and number != length):
                continue
            length = number
        kept.append(field)
    return kept, length


def _with_forwarded_te(headers: list[Header]) -> Iterator[Header]:
    for name, value in headers:
        kept = forwarded_te(value) if name == b"te" else value
        if kept is not None:
            yield name, kept


def _encodings(headers: list[Header]) -> list[bytes]:
    return [value for name, value in headers if name == b"transfer-encoding"]


def _is_chunked(encodings: list[bytes]) -> bool:
    return bool(encodings) and encodings[-1].rpartition(b",")[2].strip().lower() == b"chunked"
