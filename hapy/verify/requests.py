"""Requests to replay: given ones, those of a HAR file, those of an access log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from hapy.explain.asked import Asked, RequestError, asked
from hapy_config.model.proxy import Capture

#: The request line in quotes, as httplog, CLF and most others write it.
_REQUEST: Final = re.compile(r'"([A-Z]{3,10}) (\S+) HTTP/(\d\.\d)"')
#: What httplog captured of a request, before what it captured of the answer.
_CAPTURED: Final = re.compile(r" \{([^{}]*)\}(?: \{[^{}]*\})? $")
#: Headers at the end of the combined format.
_COMBINED: Final = re.compile(r'^(\S+) \S+ \S+ \[[^\]]*\] "[^"]*" \d{3} \S+ "([^"]*)" "([^"]*)"')
_NAMES: Final = ("Referer", "User-Agent")
#: httplog's frontend, behind the date; a `~` says that the client spoke TLS.
_FRONTEND: Final = re.compile(r":\d+ \[[^\]]+\] ([A-Za-z0-9_.:-]+)(~?) \S+/\S+ ")

#: Fields of a HAR entry that belong to its connection, or that browsers write for HTTP/2.
_NOT_REPLAYED: Final = frozenset({"connection", "content-length", "host", "transfer-encoding", "accept-encoding", "te"})


def from_lines(text: str) -> Iterator[Asked]:
    """One request a line, as for `hapy explain --request`; blank lines and those that begin with `#` are passed over.

    Raises:
        RequestError: for a line that is no request.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                yield asked(line)
            except RequestError as error:
                raise RequestError(f"line {number}: {error}") from None


def from_har(text: str, left_out: list[int] | None = None) -> Iterator[Asked]:
    """The requests of a HAR file (HTTP Archive 1.2).

    Args:
        text: its content.
        left_out: gets the numbers of entries that are no requests of HTTP.

    Raises:
        RequestError: it is no HAR file.
    """
    try:
        entries = json.loads(text)["log"]["entries"]
    except (ValueError, KeyError, TypeError):
        entries = None
    if not isinstance(entries, list):
        raise RequestError("no HAR file: it lacks log.entries with requests")
    for number, entry in enumerate(entries, 1):
        try:
            request = entry["request"]
            if urlsplit(request["url"]).scheme in ("http", "https"):  # browsers note `data:`, `blob:` and `wss:`, too
                yield _har_request(request)
            elif left_out is not None:
                left_out.append(number)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, RequestError):
                raise RequestError(f"entry {number}: {error}") from None
            raise RequestError(f"entry {number} has no method, URL and headers") from None


def _har_request(request: Mapping[str, Any]) -> Asked:
    headers = [
        f"{field['name']}: {field['value']}"
        for field in request.get("headers", [])
        if not field["name"].startswith(":") and field["name"].lower() not in _NOT_REPLAYED
    ]
    posted = request.get("postData") or {}
    body = posted.get("text") or urlencode([(one["name"], one.get("value", "")) for one in posted.get("params") or ()])
    url = urlsplit(request["url"])
    return asked(f"{request['method']} {url._replace(fragment='').geturl()}", headers=headers, body=body)


def from_log(
    text: str, captures: Mapping[str, Sequence[Capture]] | None = None, left_out: list[int] | None = None
) -> Iterator[tuple[Asked, str]]:
    """The requests of an access log, each with its frontend's name where the line tells it, else an empty one.

    HAProxy's httplog, CLF and combined are known. Of httplog's captured headers the configuration knows the names.

    Args:
        text: the log.
        captures: what each frontend captures of requests, in the order of its lines.
        left_out: gets the numbers of lines that hold no request that could be sent; blank ones are no lines.
    """
    for number, line in enumerate(text.splitlines(), 1):
        found = _log_request(line, captures or {})
        if found is not None:
            yield found
        elif left_out is not None and line.strip():
            left_out.append(number)


def _log_request(line: str, captures: Mapping[str, Sequence[Capture]]) -> tuple[Asked, str] | None:
    found = _REQUEST.search(line)
    if found is None:
        return None
    method, target, version = found.groups()
    if not target.startswith(("/", "http://", "https://", "*")):
        return None
    place = _FRONTEND.search(line)
    name = place[1] if place else ""
    headers = _captured(line[: found.start()], captures.get(name, ()))
    combined = _COMBINED.match(line)
    if combined is not None:
        headers |= {name: value for name, value in zip(_NAMES, combined.groups()[1:], strict=True) if value != "-"}
    if version != "1.0" and "://" not in target and not any(one.lower() == "host" for one in headers):
        headers = {"Host": "verify.invalid", **headers}
    told = "HTTP/1.0" if version == "1.0" else "HTTP/1.1"
    try:
        one = asked(f"{method} {target} {told}", headers=[f"{one}: {value}" for one, value in headers.items()])
        return (replace(one, tls=True) if place and place[2] else one), name
    except RequestError:
        return None


def _captured(before: str, captures: Sequence[Capture]) -> dict[str, str]:
    """The headers that stand before a request line; a value as long as its capture may be cut, and is left out."""
    found = _CAPTURED.search(before)
    if found is None or not captures:
        return {}
    values = found[1].split("|")
    if len(values) != len(captures):
        return {}
    return {
        one.name: value
        for one, value in zip(captures, values, strict=True)
        if one.name and value and len(value) < one.length and one.name.lower() not in _NOT_REPLAYED - {"host"}
    }
