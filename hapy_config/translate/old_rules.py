"""The rules of HAProxy before 2.1 (`reqrep`, `rspadd`, `block`, …) as `http-request` and `http-response` rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hapy_config.translate.edits import Decide, Edit, Replace, Rewriter
from hapy_config.translate.lines import Line, literal, write
from hapy_config.translate.old_regexes import Header, Uri, about, any_case, header_names, replaced_header, replaced_uri

#: A name without its `i`, and whether it has one.
_FAMILY: Final = (
    *(f"req{i}{verb}" for verb in ("rep", "del", "deny", "allow", "tarpit", "pass", "setbe") for i in ("", "i")),
    *(f"rsp{i}{verb}" for verb in ("rep", "del", "deny") for i in ("", "i")),
)


def _parts(name: str) -> tuple[str, str, bool]:
    """`reqirep` as (`request`, `rep`, True)."""
    side = "request" if name.startswith("req") else "response"
    verb = name[3:]
    ignores_case = verb.startswith("i") and name in _FAMILY
    return side, verb.removeprefix("i") if ignores_case else verb, ignores_case


def add(line: Line) -> Iterator[Edit]:
    """`reqadd` and `rspadd`."""
    side = "request" if line.words[0] == "reqadd" else "response"
    name, colon, value = line.words[1].partition(":") if len(line.words) > 1 else ("", "", "")
    if not colon or not name.strip():
        yield Decide(
            "it adds a line that is no header field; say with http-request or http-response rules what it is for"
        )
        return
    yield Replace(f"http-{side} add-header {write(name.strip())} {write(literal(value.strip()) or ' ')}{line.tail(2)}")


def replace(line: Line) -> Iterator[Edit]:
    """`reqrep`, `rspirep` and so on."""
    side, _, ignores_case = _parts(line.words[0])
    if len(line.words) < 3:
        yield Decide("it lacks its replacement")
        return
    search, replacement = line.words[1], line.words[2]
    if (header := replaced_header(search, replacement)) is not None:
        name, pattern, value = header
        pattern = any_case(pattern) if ignores_case else pattern
        new = f"{write(name)} {write(pattern)} {write(literal(value) or ' ')}"
        yield Replace(f"http-{side} replace-header {new}{line.tail(3)}")
    elif side == "request" and (uri := replaced_uri(search, replacement)) is not None:
        pattern = any_case(uri[0]) if ignores_case else uri[0]
        yield Replace(f"http-request replace-uri {write(pattern)} {write(literal(uri[1]))}{line.tail(3)}")
    else:
        yield Decide(
            "it rewrites more than one header's value or the URI; write http-request (http-response) rules such as "
            "replace-path, set-method, set-header or set-status"
        )


def delete(line: Line) -> Iterator[Edit]:
    """`reqdel`, `rspidel` and so on."""
    side, _, _ = _parts(line.words[0])
    names = header_names(line.words[1]) if len(line.words) > 1 else None
    if names is None:
        yield Decide(f"it deletes headers by their values; say which with http-{side} del-header NAME if …")
        return
    how, name = names
    match = {"str": "", "beg": " -m beg", "reg": " -m reg"}[how]
    yield Replace(f"http-{side} del-header {write(any_case(name) if how == 'reg' else name)}{match}{line.tail(2)}")


_ACTIONS: Final = {
    ("request", "deny"): "http-request deny",
    ("request", "allow"): "http-request allow",
    ("request", "tarpit"): "http-request tarpit",
    ("response", "deny"): "http-response deny",
}


def decide(line: Line) -> Iterator[Edit]:
    """`reqdeny`, `reqallow`, `reqtarpit`, `rspdeny`, `reqsetbe`, case-blind or not."""
    side, verb, ignores_case = _parts(line.words[0])
    words = 3 if verb == "setbe" else 2
    test = _test(line.words[1], side, ignores_case=ignores_case) if len(line.words) >= words else None
    rest = line.words[words:]
    if verb == "pass":
        yield Decide("it exempts lines from the rules after it; put conditions on those instead")
        return
    if test is None or (rest and rest[0] != "if") or any(word in ("or", "||") for word in rest):
        yield Decide("its pattern must become an ACL; write one and an http-request (http-response) rule with it")
        return
    action = f"use_backend {line.raw[2]}" if verb == "setbe" else _ACTIONS[side, verb]
    yield Replace(f"{action} if {test}{line.tail(words + 1)}")


def _test(pattern: str, side: str, *, ignores_case: bool) -> str | None:
    """The ACL that says what a line's pattern did."""
    found = about(pattern)
    flags = "-m reg -i" if ignores_case else "-m reg"
    if isinstance(found, Header):
        fetch = "req.hdr" if side == "request" else "res.hdr"
        if not found.pattern or found.pattern in (".*", "(.*)"):
            return f"{{ {fetch}({found.name}) -m found }}"
        return f"{{ {fetch}({found.name}) {flags} {write(found.pattern)} }}"
    if isinstance(found, Uri) and side == "request":
        method = f"{{ method {found.method} }} " if found.method else ""
        return f"{method}{{ url {flags} {write(found.pattern)} }}"
    return None


def block(line: Line) -> Iterator[Edit]:
    """`block if …`, which ran before all others."""
    yield Replace(f"http-request deny{line.tail(1)}", first_of="http-request")


REWRITERS: Final[dict[str, Rewriter]] = {
    "reqadd": add,
    "rspadd": add,
    "block": block,
    **{name: {"rep": replace, "del": delete}.get(_parts(name)[1], decide) for name in _FAMILY},
}
