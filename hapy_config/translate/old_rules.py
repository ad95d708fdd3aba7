"""The rules of HAProxy before 2.1 (`reqrep`, `rspadd`, `block`, …) as `http-request` and `http-response` rules.

They ran behind the `http-request` (`http-response`) rules of their section, `block` before them; so do the new ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hapy_config.translate.conditions import asking_too
from hapy_config.translate.edits import Decide, Edit, Remove, Replace, Rewriter
from hapy_config.translate.lines import Line, literal, write
from hapy_config.translate.old_regexes import (
    Header,
    Uri,
    about,
    any_case,
    any_line,
    anywhere,
    header_names,
    may_be_method,
    methods,
    replaced_header,
    replaced_method,
    replaced_name,
    replaced_status,
    replaced_uri,
    same_status,
    sees_headers,
    status,
    version,
    version_alone,
)

#: The test of a pattern that fits every line.
_ALWAYS: Final = "{ always_true }"
#: What a value that is not empty has.
_SOMETHING: Final = "[!-~]"
#: What a pattern did whose first part takes a header's name as well as a method.
_ALSO_HEADERS: Final = "headers with such a value met the old rule, too"
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


def _behind(side: str, action: str, *more: str, note: str = "") -> Replace:
    """A rule behind all others of its side."""
    ruleset = f"http-{side}"
    return Replace(f"{ruleset} {action}", tuple(f"{ruleset} {one}" for one in more), note, last_of=ruleset)


def add(line: Line) -> Iterator[Edit]:
    """`reqadd` and `rspadd`."""
    side = "request" if line.words[0] == "reqadd" else "response"
    name, colon, value = line.words[1].partition(":") if len(line.words) > 1 else ("", "", "")
    if not colon or not name.strip():
        yield Decide(
            "it adds a line that is no header field; say with http-request or http-response rules what it is for"
        )
        return
    yield _behind(side, f"add-header {write(name.strip())} {write(literal(value.strip()) or ' ')}{line.tail(2)}")


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
        yield _behind(side, f"replace-header {new}{line.tail(3)}")
        return
    edit = _renamed(line, side) or (_request(line, ignores_case) if side == "request" else _status(line))
    yield edit or Decide(
        "it rewrites more than one header's value or the URI; write http-request (http-response) rules such as "
        "replace-path, set-method, set-header or set-status"
    )


def _renamed(line: Line, side: str) -> Edit | None:
    """A header that goes on under another name."""
    found = replaced_name(line.words[1], line.words[2])
    if found is None:
        return None
    old, new, before, behind = found
    fetch = f"{'req' if side == 'request' else 'res'}.fhdr({old})"
    condition = asking_too(f"{{ {fetch} -m found }}", line.words[3:], line.raw[3:])
    if condition is None:
        return None
    value = f"{literal(before)}%[{fetch}]{literal(behind)}"
    return _behind(
        side,
        f"add-header {write(new)} {write(value)}{condition}",
        f"del-header {write(old)}{line.tail(3)}",
        note=f"of several headers '{old}' the last one goes on",
    )


def _request(line: Line, ignores_case: bool) -> Edit | None:
    """A request line's new URI or method."""
    if (uri := replaced_uri(line.words[1], line.words[2])) is not None:
        pattern, new, methods = uri
        tail: str | None = line.tail(3)
        tests = [f"{{ method {' '.join(methods)} }}"] if methods else []
        if tests := [*tests, *_of_version(line.words[1])]:
            tail = asking_too(" ".join(tests), line.words[3:], line.raw[3:])
        if tail is None:
            return None
        pattern = any_case(pattern) if ignores_case else pattern
        note = _ALSO_HEADERS if sees_headers(line.words[1]) else ""
        return _behind("request", f"replace-uri {write(pattern)} {write(literal(new))}{tail}", note=note)
    if (verbs := replaced_method(line.words[1], line.words[2])) is not None:
        condition = asking_too(f"{{ method {verbs[0]} }}", line.words[3:], line.raw[3:])
        return None if condition is None else _behind("request", f"set-method {verbs[1]}{condition}")
    return None


def _of_version(pattern: str) -> list[str]:
    """The test of a pattern that asks a request line for one version; clients of HTTP/2 were seen as of 1.1."""
    found = version(pattern)
    return [] if found is None else [f"{{ req.ver {'1.1 2.0' if found == '1.1' else found} }}"]


def _status(line: Line) -> Edit | None:
    """A response's new status."""
    if same_status(line.words[1], line.words[2]):
        return Remove("HAProxy tells its own version of the protocol to clients")
    found = replaced_status(line.words[1], line.words[2])
    if found is None:
        return None
    old, new, reason = found
    condition = asking_too(f"{{ status {old} }}", line.words[3:], line.raw[3:])
    if condition is None:
        return None
    return _behind("response", f"set-status {new}{f' reason {write(literal(reason))}' if reason else ''}{condition}")


def delete(line: Line) -> Iterator[Edit]:
    """`reqdel`, `rspidel` and so on."""
    side, _, ignores_case = _parts(line.words[0])
    names = header_names(line.words[1]) if len(line.words) > 1 else None
    if names is None:
        yield _emptied(line, side, ignores_case=ignores_case) or Decide(
            f"it deletes headers by their values; say which with http-{side} del-header NAME if …"
        )
        return
    how, name = names
    match = {"str": "", "beg": " -m beg", "reg": " -m reg"}[how]
    yield _behind(side, f"del-header {write(any_case(name) if how == 'reg' else name)}{match}{line.tail(2)}")


def _emptied(line: Line, side: str, *, ignores_case: bool) -> Edit | None:
    """Lines of a header that go by their value: each is emptied, and the header goes where nothing is left of it."""
    found = about(line.words[1]) if len(line.words) > 1 else None
    if not isinstance(found, Header):
        return None
    fetch = "req.fhdr" if side == "request" else "res.fhdr"
    condition = asking_too(f"!{{ {fetch}({found.name}) -m reg {write(_SOMETHING)} }}", line.words[2:], line.raw[2:])
    if condition is None:
        return None
    pattern = any_case(found.pattern) if ignores_case else found.pattern
    return _behind(
        side,
        f"replace-header {write(found.name)} {write(pattern)} {write(' ')}{line.tail(2)}",
        f"del-header {write(found.name)}{condition}",
        note=f"of several headers '{found.name}' those that match lose their value; one without a value goes",
    )


_ACTIONS: Final = {
    ("request", "deny"): "deny",
    ("request", "allow"): "allow",
    ("request", "tarpit"): "tarpit",
    ("response", "deny"): "deny",
}


def decide(line: Line) -> Iterator[Edit]:
    """`reqdeny`, `reqallow`, `reqtarpit`, `rspdeny`, `reqsetbe`, case-blind or not."""
    side, verb, ignores_case = _parts(line.words[0])
    words = 3 if verb == "setbe" else 2
    if (
        verb in ("deny", "tarpit")
        and side == "request"
        and (several := _anywhere(line, verb, ignores_case=ignores_case))
    ):
        yield several
        return
    if verb == "pass":
        yield Decide("it exempts lines from the rules after it; put conditions on those instead")
        return
    test = _test(line.words[1], side, ignores_case=ignores_case) if len(line.words) >= words else None
    condition = asking_too(test, line.words[words:], line.raw[words:]) if test is not None else None
    if test == _ALWAYS and len(line.words) == words:
        condition = ""
    if condition is None:
        yield Decide("its pattern must become an ACL; write one and an http-request (http-response) rule with it")
    elif verb == "setbe":
        yield Replace(f"use_backend {line.raw[2]}{condition}", first_of="use_backend")  # the choice was made by then
    else:
        found = about(line.words[1])
        note = _ALSO_HEADERS if isinstance(found, Uri) and sees_headers(line.words[1]) else ""
        yield _behind(side, f"{_ACTIONS[side, verb]}{condition}", note=note)


def _anywhere(line: Line, verb: str, *, ignores_case: bool) -> Edit | None:
    """A rule for each part of a request in which a pattern may find its text."""
    text = anywhere(line.words[1]) if len(line.words) > 1 else None
    if text is None:
        return None
    look = f"-m reg {'-i ' if ignores_case else ''}{write(text)}"
    tests = [f"{{ {fetch} {look} }}" for fetch in ("method", "url", "req.hdrs")]
    if not may_be_method(text):
        del tests[0]
    conditions = [asking_too(test, line.words[2:], line.raw[2:]) for test in tests]
    if None in conditions:
        return None
    first, *more = (f"{_ACTIONS['request', verb]}{condition}" for condition in conditions)
    names = not ignores_case and re.search("[A-Z]", text)
    note = "names of headers are looked at in small letters" if names else ""
    return _behind("request", first, *more, note=note)


def _test(pattern: str, side: str, *, ignores_case: bool) -> str | None:
    """The ACL that says what a line's pattern did."""
    found = about(pattern)
    flags = "-m reg -i" if ignores_case else "-m reg"
    if any_line(pattern):
        return _ALWAYS
    if side == "request" and version_alone(pattern):
        return " ".join(_of_version(pattern))
    verbs = methods(pattern) if side == "request" else None
    if verbs is not None and verbs.whole and not ignores_case:
        return f"{{ method {' '.join(verbs.names)} }}"
    if verbs is not None:
        verb = f"^({'|'.join(verbs.names)}){'$' if verbs.whole else ''}"
        return f"{{ method {flags} {write(verb)} }}"
    if side == "response" and (code := status(pattern)) is not None:
        return f"{{ status {code} }}"
    if isinstance(found, Header):
        fetch = "req.fhdr" if side == "request" else "res.fhdr"  # patterns saw whole lines
        if not found.pattern or found.pattern in (".*", "(.*)"):
            return f"{{ {fetch}({found.name}) -m found }}"
        return f"{{ {fetch}({found.name}) {flags} {write(found.pattern)} }}"
    if isinstance(found, Uri) and side == "request":
        method = [f"{{ method {found.method} }}"] if found.method else []
        return " ".join((*method, *_of_version(pattern), f"{{ url {flags} {write(found.pattern)} }}"))
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
