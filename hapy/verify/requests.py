"""Requests to replay: given ones, those of a HAR file, those of an access log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from hapy.explain.asked import Asked, RequestError, asked

#: The request line in quotes, as httplog, CLF and most others write it.
_REQUEST: Final = re.compile(r'"([A-Z]{3,10}) (\S+) HTTP/(\d\.\d)"')
#: httplog's captured headers are not named, so only a log of the combined format tells more.
_COMBINED: Final = re.compile(r'^(\S+) \S+ \S+ \[[^\]]*\] "[^"]*" \d{3} \S+ "([^"]*)" "([^"]*)"')
#: httplog's frontend, behind the date; a `~` says that the client spoke TLS.
_FRONTEND: Final = re.compile(r":\d+ \[[^\]]+\] ([A-Za-z0-9_.:-]+)~? \S+/\S+ ")

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


def from_har(text: str) -> Iterator[Asked]:
    """The requests of a HAR file (HTTP Archive 1.2).

    Raises:
        RequestError: it is no HAR file.
    """
    try:
        entries = json.loads(text)["log"]["entries"]
        requests = [entry["request"] for entry in entries]
    except (ValueError, KeyError, TypeError):
        raise RequestError("no HAR file: it lacks log.entries with requests") from None
    for number, request in enumerate(requests, 1):
        try:
            if urlsplit(request["url"]).scheme in ("http", "https"):  # browsers note `data:`, `blob:` and `wss:`, too
                yield _har_request(request)
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
    body = (request.get("postData") or {}).get("text", "")
    url = urlsplit(request["url"])
    return asked(f"{request['method']} {url._replace(fragment='').geturl()}", headers=headers, body=body)


def from_log(text: str) -> Iterator[tuple[Asked, str]]:
    """The requests of an access log, each with its frontend's name where the line tells it, else an empty one.

    HAProxy's httplog, CLF and combined are known; lines without a request are passed over.
    """
    for line in text.splitlines():
        found = _REQUEST.search(line)
        if found is None:
            continue
        method, target, version = found.groups()
        headers = []
        combined = _COMBINED.match(line)
        if combined is not None:
            names = ("Referer", "User-Agent")
            headers = [
                f"{name}: {value}" for name, value in zip(names, combined.groups()[1:], strict=True) if value != "-"
            ]
        if not target.startswith(("/", "http://", "https://", "*")):
            continue
        try:
            host = [] if version == "1.0" or "://" in target else ["Host: verify.invalid"]
            told = "HTTP/1.0" if version == "1.0" else "HTTP/1.1"
            frontend = _FRONTEND.search(line)
            yield asked(f"{method} {target} {told}", headers=[*host, *headers]), frontend[1] if frontend else ""
        except RequestError:
            continue
