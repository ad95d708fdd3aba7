"""Settings of older HAProxy versions: timeouts, options and process settings that have other names, or are gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hapy_config.keywords import table
from hapy_config.keywords.sections import CONTEXTS
from hapy_config.keywords.spec import Version
from hapy_config.translate.edits import Decide, Edit, Remove, Replace, Rewriter
from hapy_config.translate.lines import Line, write
from hapy_config.translate.report import Loss

_TIMEOUTS: Final = {"contimeout": "connect", "clitimeout": "client", "srvtimeout": "server"}


def timeout(line: Line) -> Iterator[Edit]:
    """`contimeout 5000`, and the same behind `timeout`."""
    if line.words[0] in _TIMEOUTS:
        yield Replace(f"timeout {_TIMEOUTS[line.words[0]]}{line.tail(1)}")
    elif len(line.words) > 1 and line.words[1] in _TIMEOUTS:
        yield Replace(f"timeout {_TIMEOUTS[line.words[1]]}{line.tail(2)}")
    elif line.words[:2] == ("timeout", "appsession"):
        yield Remove("each session's own line says how long it is known")


def redispatch(line: Line) -> Iterator[Edit]:
    """`redispatch`."""
    yield Replace(f"option redispatch{line.tail(1)}")


def option(line: Line) -> Iterator[Edit]:
    """Options that have gone."""
    no = line.words[0] in ("no", "default")
    name = line.words[2 if no else 1] if len(line.words) > (2 if no else 1) else ""
    prefix = f"{line.words[0]} " if no else ""
    if name == "independant-streams":
        yield Replace(f"{prefix}option independent-streams{line.tail(3 if no else 2)}")
    elif name == "forceclose":
        yield Replace(f"{prefix}option httpclose{line.tail(3 if no else 2)}")
    elif name in ("http-use-htx", "http-tunnel"):
        if name == "http-use-htx":
            yield Remove("HTX is always on")
        else:
            yield Remove("rules see each request of a connection now, and no longer its first one only", Loss.NEAR)
    elif name == "http_proxy":
        yield Decide(
            "a proxy of any address is now made of http-request do-resolve and set-dst, and a server at 0.0.0.0"
        )
    elif name == "httpchk" and not no:
        yield from _httpchk(line)


def misplaced(line: Line) -> bool:
    """Whether a line is an option that its section can't use: it did nothing, and is refused since 3.2."""
    words = ("option", "redispatch") if line.words[0] in ("redispatch", "redisp") else line.words
    no = words[0] == "no"
    if words[no : no + 1] != ("option",) or len(words) < no + 2:
        return False
    entry = table("options").get(words[no + 1])
    return (
        entry is not None
        and entry.negatable
        and line.section in CONTEXTS
        and bool(entry.ignored & CONTEXTS[line.section])
    )


def _httpchk(line: Line) -> Iterator[Edit]:
    r"""Headers hidden at the end of the version: `HTTP/1.1\r\nHost:\ www`."""
    if len(line.words) < 5 or "\r\n" not in line.words[4]:
        return
    version, *fields = line.words[4].split("\r\n")
    words = []
    for field in fields:
        name, colon, value = field.partition(":")
        if not field:
            continue
        if not colon:
            yield Decide("what stands behind its version is no header field; say it with http-check send")
            return
        words.append(f"hdr {write(name.strip())} {write(value.strip() or ' ')}")
    yield Replace(
        f"option httpchk {line.raw[2]} {line.raw[3]} {write(version)}", more=(f"http-check send {' '.join(words)}",)
    )


def processes(line: Line) -> Iterator[Edit]:
    """`nbproc`, and what chose among processes."""
    count = line.words[1] if len(line.words) > 1 else ""
    if count.isdecimal() and int(count) > 1:
        yield Replace(f"nbthread {count}", note="one process with as many threads; they share what processes did not")
    else:
        yield Remove("one process is what runs")


def process_option(line: Line) -> Iterator[Edit]:
    """The `process` option of `bind` and `stats socket` lines."""
    if "process" not in line.words[2:]:
        return
    index = line.words.index("process", 2)
    _, slash, threads = (line.words[index + 1] if len(line.words) > index + 1 else "").partition("/")
    if slash and line.words[0] == "bind":
        yield Replace(" ".join((*line.raw[:index], "thread", threads, *line.raw[index + 2 :])))
        return
    yield Replace(" ".join((*line.raw[:index], *line.raw[index + 2 :])), note="there is one process to listen")


def cpu_map(line: Line) -> Iterator[Edit]:
    """`cpu-map 2 1`, which spoke of the second process."""
    if len(line.words) > 1 and line.words[1].isdecimal() and int(line.words[1]) > 1:
        yield thread_of_process(line)


def thread_of_process(line: Line) -> Replace:
    """`cpu-map` of one of several processes, which is a thread now."""
    return Replace(f"cpu-map 1/{line.words[1]}{line.tail(2)}", note="the process has become a thread")


def several_processes(line: Line) -> bool:
    """Whether a line is an `nbproc` that asks for more than one."""
    return line.words[0] == "nbproc" and line.words[1:2] not in ((), ("1",))


_ONE_PROCESS: Final = "there is one process; `thread` on bind lines chooses among its threads"


def gone(why: str) -> Rewriter:
    """A line that may simply go."""

    def rewrite(_line: Line) -> Iterator[Edit]:
        yield Remove(why)

    return rewrite


def appsession(line: Line) -> Iterator[Edit]:
    """`appsession JSESSIONID len 52 timeout 3h`: the server is known by the application's own cookie or parameter."""
    words = line.words
    behind = {word for word in words[6:] if word not in ("mode", "path-parameters")}
    if len(words) < 6 or words[2] != "len" or words[4] != "timeout" or behind - _OF_SESSIONS:
        yield Decide("the application's cookie can be learnt with a stick-table: stick store-response and stick match")
        return
    known = _beginning if "prefix" in behind else _named
    response, request, parameter = known(words[1], in_query="query-string" in behind)
    yield Replace(
        f"stick-table type string len {line.raw[3]} size 1m expire {line.raw[5]}",
        more=(
            f"stick store-response {response}",
            f"stick {'on' if 'request-learn' in behind else 'match'} {request}",
            f"stick match {parameter}",
        ),
        note="sessions are known by a stick-table; it holds a million of them",
    )


_OF_SESSIONS: Final = frozenset({"request-learn", "prefix", "query-string"})


def _named(name: str, *, in_query: bool) -> tuple[str, str, str]:
    """A session's name in responses, in requests, and in URLs."""
    parameter = f"url_param({name})" if in_query else f"url_param({name},;),field(1,?)"
    return f"res.cook({name})", f"req.cook({name})", parameter


def _beginning(name: str, *, in_query: bool) -> tuple[str, str, str]:
    """The same where the name only begins so; what follows is a part of the session then."""
    text = re.escape(name)

    def found(fetch: str, before: str, rest: str) -> str:
        value = write(f"{fetch},regsub('{before}{text}({rest}*).*$','\\2')")
        return f"{value} if {{ {fetch} -m reg {write(before + text)} }}"

    return (
        found("res.fhdr(Set-Cookie)", "^()", "[^;]"),
        found("req.fhdr(Cookie)", "^(.*; *)?", "[^;]"),
        found("query", "^(.*&)?", "[^&]") if in_query else found("url", "^([^?]*;)", "[^;?]"),
    )


#: Variables of log formats under the names that 1.4 gave them; `%%` is none.
_OLD_VARIABLE: Final = re.compile(r"%%|%((?:\{[^}]*\})?)(Bi|Bp|Ci|Cp|Fi|Fp|Si|Sp|cc|cs|st)(?![A-Za-z])")
_UPPER: Final = frozenset({"cc", "cs", "st"})
_FORMATS: Final = ("log-format", "log-format-sd", "unique-id-format", "http-request", "http-response")


def format_variables(line: Line) -> Iterator[Edit]:
    """Variables of formats that have another name since 1.5."""

    def renamed(match: re.Match[str]) -> str:
        name = match[2]
        return match[0] if not name else f"%{match[1]}{name.upper() if name in _UPPER else name.lower()}"

    new = _OLD_VARIABLE.sub(renamed, line.tail(1))
    if new != line.tail(1):
        yield Replace(f"{line.raw[0]}{new}")


#: `set-cookie(NAME)`, a sample's first name.
_SET_COOKIE: Final = re.compile(r"(?<![\w.-])set-cookie(?=\()")


def sample_names(line: Line) -> Iterator[Edit]:
    """Samples that have another name since 1.5."""
    new = _SET_COOKIE.sub("res.cook", line.tail(1))
    if new != line.tail(1):
        yield Replace(f"{line.raw[0]}{new}")


#: First word → since when the new form is there, and what becomes of the line.
REWRITERS: Final[dict[str, tuple[Version, Rewriter]]] = {
    **dict.fromkeys((*_TIMEOUTS, "timeout"), ((1, 0), timeout)),
    "redispatch": ((1, 0), redispatch),
    "redisp": ((1, 0), redispatch),
    "option": ((2, 2), option),
    "no": ((2, 2), option),
    "nbproc": ((2, 5), processes),
    "bind-process": ((2, 5), gone(_ONE_PROCESS)),
    "bind": ((2, 5), process_option),
    "cpu-map": ((2, 5), cpu_map),
    "appsession": ((1, 6), appsession),
    "debug": ((2, 3), gone("`haproxy -d` does it")),
    "grace": ((2, 4), gone("there is no grace of one proxy; the global section has one for all")),
}


def stats(line: Line) -> Iterator[Edit]:
    """`stats bind-process`, and the `process` option of `stats socket`."""
    if line.words[1:2] == ("bind-process",):
        yield Remove(_ONE_PROCESS)
    elif line.words[1:2] == ("socket",):
        yield from process_option(line)


REWRITERS["stats"] = ((2, 5), stats)
REWRITERS.update(dict.fromkeys(_FORMATS, ((1, 5), format_variables)))
REWRITERS.update(dict.fromkeys(("stick", "acl"), ((1, 5), sample_names)))


def hash_type(line: Line) -> Iterator[Edit]:
    """`hash-type avalanche`, as its first versions wrote it."""
    if line.words[1:2] == ("avalanche",):
        yield Replace(f"hash-type map-based sdbm avalanche{line.tail(2)}")


def without_zlib(_line: Line) -> Iterator[Edit]:
    """Settings of zlib."""
    yield Remove("today's builds compress without zlib, and refuse it", Loss.NEAR)


REWRITERS["hash-type"] = ((1, 5), hash_type)
REWRITERS.update(dict.fromkeys(("tune.zlib.memlevel", "tune.zlib.windowsize"), ((2, 3), without_zlib)))
REWRITERS["tune.chksize"] = ((2, 5), gone("checks use buffers of tune.bufsize"))
