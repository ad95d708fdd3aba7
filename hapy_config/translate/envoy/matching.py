"""Conditions as route matches, and format strings with Envoy's command operators."""

from __future__ import annotations

import re
from typing import Any, Final

from hapy_config.translate.flow import Lookup, Piece, Test, Untranslatable, matches_nothing
from hapy_config.translate.networks import network_pattern

Json = dict[str, Any]
_OPERATORS: Final = {
    "url": "%REQ(:PATH)%",
    "path": "%PATH(NQ)%",
    "host": "%REQ(:AUTHORITY)%",
    "method": "%REQ(:METHOD)%",
    "src": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "src_port": "%DOWNSTREAM_REMOTE_PORT%",
    "dst": "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%",
    "dst_port": "%DOWNSTREAM_LOCAL_PORT%",
    "sni": "%REQUESTED_SERVER_NAME%",
    "client_dn": "%DOWNSTREAM_PEER_SUBJECT%",
    "uuid": "%REQ(X-REQUEST-ID)%",
    "version": "%PROTOCOL%",
    "scheme": "%REQ(:SCHEME)%",
    "status": "%RESPONSE_CODE%",
}
_HEADERS: Final = {"host": ":authority", "hostname": ":authority", "method": ":method", "path": ":path", "url": ":path"}
_SPECIAL: Final = re.compile(r"([\\.^$*+?{}\[\]|()])")
_BEYOND: Final = re.compile(r"\(\?(?:[=!]|<[=!]|>|R|\d|&)|\\[1-9]|[*+?}]\+|\(\?\|")


#: What of an expression may fit a question mark.
_REACHES: Final = re.compile(r"(?<!\\)\.|\[\^|\\[DSW]|\[[^\]]*\?")
#: What routes can't look at becomes a header before they are asked: name and operator by subject.
TOLD: Final = {
    "src": ("x-hapy-src", "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"),
    "dst_port": ("x-hapy-dst-port", "%DOWNSTREAM_LOCAL_PORT%"),
}
#: A client's header that Envoy writes over, and the copy that is made before it does.
PROTO: Final = "x-forwarded-proto"
PROTO_COPY: Final = "x-hapy-forwarded-proto"


def sent(name: str) -> str:
    """The header that holds what a client sent as a header of that name."""
    return PROTO_COPY if name.lower() == PROTO else name


def escaped(text: str) -> str:
    """Text as a regular expression that is equal to it."""
    return _SPECIAL.sub(r"\\\1", text)


def regex(text: str) -> str:
    """A regular expression that RE2 takes.

    Raises:
        Untranslatable: it uses what RE2 doesn't know.
    """
    if _BEYOND.search(text):
        raise Untranslatable("its regular expression uses what Envoy's engine doesn't know")
    return text


def string(parts: tuple[Piece, ...]) -> str:
    """A format string.

    Raises:
        Untranslatable: a part of it can't be had.
    """
    found = []
    for part in parts:
        if isinstance(part, str):
            found.append(part.replace("%", "%%"))
        elif isinstance(part, Lookup):
            raise Untranslatable("Envoy has no maps")
        elif part.lower:
            raise Untranslatable("Envoy has no lower case of it")
        elif part.kind == "header":
            found.append(f"%REQ({sent(part.name)})%")
        elif part.kind == "answer":
            found.append(f"%RESP({part.name})%")
        elif part.kind in _OPERATORS:
            found.append(_OPERATORS[part.kind])
        else:
            raise Untranslatable(f"Envoy has no operator for it ({part.kind})")
    return "".join(found)


def match_of(tests: list[tuple[Test, bool]]) -> Json:
    """The match of a route on which all tests hold (True) or do not (False).

    Raises:
        Untranslatable: Envoy's routes can't look at one of them.
    """
    found: Json = {"prefix": "/"}
    headers: list[Json] = []
    for one, wanted in tests:
        kind = one.subject.kind
        plain = one.how != "present" and not one.ignore_case
        if kind == "path" and wanted and found == {"prefix": "/"} and plain:
            found = _path(one)
        elif kind == "query":
            headers.append(_query(one, wanted=wanted))
        else:
            headers.append(_header(one, wanted=wanted))
    if headers:
        found["headers"] = headers
    return found


def _path(one: Test) -> Json:
    if len(one.values) == 1 and one.how in ("exact", "prefix"):
        return {"path" if one.how == "exact" else "prefix": one.values[0]}
    return {"safe_regex": {"regex": _pattern(one, whole=True)}}


def _pattern(one: Test, *, whole: bool, tail: str = "", rest: str = ".*") -> str:
    """A regular expression for the whole of what is looked at, as Envoy's have to be."""
    texts = []
    for value in one.values:
        if one.how == "regex":
            text = regex(value)
            begins, ends = text.startswith("^"), text.endswith("$") and not text.endswith("\\$")
            inner = text[begins : len(text) - ends]
            grouped = f"(?:{inner})" if "|" in inner else inner
            texts.append(("" if begins else rest) + grouped + ("" if ends else rest))
        else:
            text = escaped(value)
            texts.append(
                {
                    "exact": text,
                    "prefix": f"{text}{rest}",
                    "suffix": f"{rest}{text}",
                    "contains": f"{rest}{text}{rest}",
                }[one.how]
            )
    joined = texts[0] if len(texts) == 1 else f"(?:{'|'.join(texts)})"
    if not joined:
        raise Untranslatable("Envoy takes no empty expression")
    flag = "(?i)" if one.ignore_case else ""
    return f"{flag}{joined}{tail}" if whole else joined


def _matcher(one: Test, tail: str = "", rest: str = ".*") -> Json:
    """How a string must be."""
    words = {"exact": "exact", "prefix": "prefix", "suffix": "suffix", "contains": "contains"}
    if len(one.values) == 1 and one.how in words and not tail:
        found: Json = {words[one.how]: one.values[0]}
        return {**found, "ignore_case": True} if one.ignore_case else found
    return {"safe_regex": {"regex": _pattern(one, whole=True, tail=tail, rest=rest)}}


def _header(one: Test, *, wanted: bool) -> Json:
    kind = one.subject.kind
    name = sent(one.subject.name) if kind == "header" else _HEADERS.get(kind) or TOLD.get(kind, (None,))[0]
    found: Json
    if kind == "tls":
        found = {"name": ":scheme", "string_match": {"exact": "https"}}
    elif name is None:
        raise Untranslatable(f"Envoy's routes can't look at it ({kind})")
    elif one.how == "present":
        found = {"name": name, "present_match": True}
    elif one.how == "network" and kind == "src":
        try:
            found = {"name": name, "string_match": {"safe_regex": {"regex": network_pattern(one.values)}}}
        except ValueError as reason:
            raise Untranslatable(str(reason)) from None
    elif one.how == "network":
        raise Untranslatable("Envoy's routes can't look at addresses in headers")
    else:
        tail = {"path": r"(?:\?.*)?", "hostname": r"(?::\d+)?"}.get(kind, "")
        if kind == "path" and one.how == "regex" and any(_REACHES.search(value) for value in one.values):
            raise Untranslatable("its expression would look at the query, too")
        found = {"name": name, "string_match": _matcher(one, tail, "[^?]*" if kind == "path" else ".*")}
    if not wanted:
        if kind == "header" and one.how not in ("present", "network") and matches_nothing(one):
            raise Untranslatable("Envoy can't tell a missing header from an empty one there")
        found["invert_match"] = True
        # A header that is not there fails all tests of its value; whether it is there is asked as it is.
        if "present_match" not in found and kind not in ("host", "hostname", "method", "path", "url", "tls"):
            found["treat_missing_header_as_empty"] = True
    return found


def _query(one: Test, *, wanted: bool) -> Json:
    """A test of the query, which stands in the path's pseudo header."""
    pattern = r"[^?]*\?.+" if one.how == "present" else rf"[^?]*\?{_pattern(one, whole=False)}"
    flag = "(?i)" if one.ignore_case else ""
    found: Json = {"name": ":path", "string_match": {"safe_regex": {"regex": flag + pattern}}}
    return found if wanted else {**found, "invert_match": True}
