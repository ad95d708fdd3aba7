"""`http-request normalize-uri`: one way to normalize a target at a time (configuration manual, 4.2; RFC 3986, 6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy.rules.outcomes import Outcome, Reply
from hapy.rules.pages import error_pages
from hapy.rules.registry import REQUEST, Action, Arguments, action
from hapy.samples import targets

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction

#: Works on a path, a query string or both; None for what strict rules refuse.
Normalizer = Callable[[bytes], "bytes | None"]

_ESCAPE: Final = re.compile(rb"%([0-9a-fA-F]{2})?")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def merge_slashes(path: bytes) -> bytes:
    """`//` becomes `/`."""
    return re.sub(rb"/{2,}", b"/", path)


def strip_dot(path: bytes) -> bytes:
    """`/./` becomes `/`."""
    segments = path.split(b"/")
    kept = [segment for segment in segments[:-1] if segment != b"."]
    kept.append(b"" if segments[-1] == b"." else segments[-1])
    return b"/".join(kept)


def strip_dotdot(path: bytes, *, full: bool) -> bytes:
    """`/a/../` becomes `/`; with `full`, `..` at the beginning goes as well."""
    kept: list[bytes] = []
    segments = path.split(b"/")
    for index, segment in enumerate(segments[1:], 1):
        last = index == len(segments) - 1
        if segment != b"..":
            kept.append(segment)
            continue
        if kept and kept[-1] != b"..":
            kept.pop()
        elif not full:
            kept.append(segment)
        if last:
            kept.append(b"")
    return segments[0] + b"/" + b"/".join(kept) if len(segments) > 1 else path


def _escapes(text: bytes, change: Callable[[bytes], bytes], *, strict: bool) -> bytes | None:
    """Each %XX changed; a `%` without two hexadecimal digits stays, or is refused when strict."""
    wrong = False

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal wrong
        if match[1] is None:
            wrong = True
            return match[0]
        return change(match[1])

    changed = _ESCAPE.sub(replace, text)
    return None if wrong and strict else changed


def decode_unreserved(text: bytes, *, strict: bool) -> bytes | None:
    """Escapes of letters, digits, `-`, `.`, `_` and `~` become what they stand for."""

    def change(digits: bytes) -> bytes:
        byte = int(digits, 16)
        return bytes((byte,)) if byte in _UNRESERVED else b"%" + digits

    return _escapes(text, change, strict=strict)


def to_uppercase(text: bytes, *, strict: bool) -> bytes | None:
    """`%6f` becomes `%6F`."""
    return _escapes(text, lambda digits: b"%" + digits.upper(), strict=strict)


def sort_query(query: bytes) -> bytes:
    """Parameters by their names, shorter ones first; equal ones keep their order. An `&` at the end goes."""
    parameters = query.removesuffix(b"&").split(b"&")
    parameters.sort(key=_parameter_name)
    return b"&".join(parameters)


def _parameter_name(parameter: bytes) -> bytes:
    return parameter.partition(b"=")[0]


def _on_path(change: Callable[[bytes], bytes]) -> Normalizer:
    def normalize(text: bytes) -> bytes:
        path, mark, query = text.partition(b"?")
        return change(path) + mark + query

    return normalize


def _on_query(text: bytes) -> bytes:
    path, mark, query = text.partition(b"?")
    return path + mark + sort_query(query) if mark else text


def _normalizer(name: str, *, option: bool) -> Normalizer:
    """The function of a normalizer; `option` is `full` or `strict`."""
    if name == "percent-decode-unreserved":
        return lambda text: decode_unreserved(text, strict=option)
    if name == "percent-to-uppercase":
        return lambda text: to_uppercase(text, strict=option)
    simple: dict[str, Normalizer] = {
        "fragment-encode": lambda text: text.replace(b"#", b"%23"),
        "fragment-strip": lambda text: text.partition(b"#")[0],
        "path-merge-slashes": _on_path(merge_slashes),
        "path-strip-dot": _on_path(strip_dot),
        "path-strip-dotdot": _on_path(lambda path: strip_dotdot(path, full=option)),
        "query-sort-by-name": _on_query,
    }
    return simple[name]


@action("normalize-uri", REQUEST)
def _normalize_uri(args: Arguments) -> Action:
    normalize = _normalizer(args.text("name"), option=bool(args.rule.arguments.get("options")))
    pages = error_pages(args.env)
    refusal = Reply("normalize-uri", "deny", 400, "P", "R", lambda txn: pages.build(txn, 400))

    def act(txn: Transaction) -> Outcome | None:
        request = txn.request
        text = None if request is None else targets.path_and_query(request.target)
        if request is None or text is None:
            return None
        normalized = normalize(text)
        if normalized is None:
            return refusal
        if normalized != text:
            request.target = targets.origin(request.target) + normalized
        return None

    return act
