"""What HAProxy versions behind 2.6 say of settings that the tables know as single words: where two of them meet.

`targets` asks it for versions other than 2.6; messages and verdicts are those that 2.8, 3.0 and 3.2 gave when they were
tried. A version that was not tried is taken to do as the one tried before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from hapy_config import later_proxies
from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords import later_values, table
from hapy_config.keywords.spec import Version
from hapy_config.syntax import Document, Section, Statement

_PROGRAMS_EXPOSED: Final[Version] = (3, 1)
_LUA_BOOLEANS: Final[Version] = (3, 1)
_OCSP_DELAYS: Final[Version] = (2, 8)
_NAMES_DIFFER: Final[Version] = (3, 2)
_MAILERS_GO: Final[Version] = (3, 2)
_FORMATS_SET: Final[Version] = (2, 8)
_CLF_SET: Final[Version] = (3, 1)
#: A format that may stand wherever one of the usual ones does.
_FORMAT: Final = "%ci:%cp [%t] %ft %b/%s %ts"
_GONE: Final[Version] = (3, 3)
#: What `expose-deprecated-directives` lets stand without a word.
_EXPOSED: Final = frozenset({"program", "dispatch", "transparent"})
#: What the manual calls deprecated and no version warns of.
_QUIET: Final = frozenset({"set-mark", "set-tos", "tune.ssl.ocsp-update.maxdelay", "tune.ssl.ocsp-update.mindelay"})
_KINDS: Final = {"listen": "proxy", "frontend": "frontend", "backend": "backend"}
#: The delays, in seconds, that hold where none is given.
_LEAST_DELAY, _MOST_DELAY = 300, 3600


def variables(version: Version) -> dict[str, str]:
    """The environment variables that the version sets before it reads a file, and 2.6 does not."""
    if version < _FORMATS_SET:
        return {}
    found = {"HAPROXY_BRANCH": f"{version[0]}.{version[1]}", "HAPROXY_STARTUP_VERSION": f"{version[0]}.{version[1]}.0"}
    since = {
        "TCP": _FORMATS_SET,
        "HTTP": _FORMATS_SET,
        "HTTPS": _FORMATS_SET,
        "HTTP_CLF": _CLF_SET,
        "TCP_CLF": _CLF_SET,
    }
    return found | {f"HAPROXY_{name}_LOG_FMT": _FORMAT for name, first in since.items() if version >= first}


def is_exposed(document: Document, name: str) -> bool:
    """Whether the file says that it knows that a keyword or section is deprecated."""
    return name in _EXPOSED and any(
        statement.words[0] == "expose-deprecated-directives"
        for section in document.sections
        if section.kind == "global"
        for statement in section.statements
    )


def severity(name: str) -> Severity:
    """How loud a version speaks of a deprecated keyword."""
    return Severity.NOTICE if name in _QUIET else Severity.WARNING


def findings(document: Document, version: Version) -> Iterator[Diagnostic]:
    """All that the version says beyond single words."""
    globals_ = [one for section in document.sections if section.kind == "global" for one in section.statements]
    yield from _values(globals_, version)
    yield from later_proxies.findings(document.sections, version)
    if version >= _OCSP_DELAYS:
        yield from _delays(globals_)
    if version >= _LUA_BOOLEANS:
        yield from _booleans(globals_)
    if _PROGRAMS_EXPOSED <= version < _GONE:
        yield from _programs(document.sections)
    if version >= _NAMES_DIFFER:
        yield from _names(document.sections)
    if _MAILERS_GO <= version < _GONE:
        yield from _mailers(document.sections)
    if version >= _MAILERS_GO:
        yield from _nameless(document.sections)


#: What the builder says of the values of a line, in the place of which `later_values` speaks.
_OF_VALUES: Final = frozenset({"bad-argument", "missing-argument", "surplus-argument", "unknown-keyword"})


def is_settled(document: Document, version: Version, found: Diagnostic) -> bool:
    """Whether a finding of the builder's is about a value that the version reads in another way."""
    return found.code in _OF_VALUES and any(
        statement.line == found.span.line and statement.source.name == found.span.file
        for section in document.sections
        if section.kind == "global"
        for statement in section.statements
        if _is_read(statement, version)
    )


def _is_read(statement: Statement, version: Version) -> bool:
    keyword = table("globals").get(statement.words[0])
    return keyword is not None and keyword.known_in(version) and later_values.is_read(statement.words, version)


def _values(statements: Iterable[Statement], version: Version) -> Iterator[Diagnostic]:
    """Values that the version reads in its own way."""
    for statement in statements:
        fault = later_values.fault(statement.words, version) if _is_read(statement, version) else None
        if fault is not None:
            message, index = fault
            code = "bad-argument" if index else "missing-argument"
            yield Diagnostic(code, Severity.ERROR, statement.span(index), message)


def _delays(statements: Iterable[Statement]) -> Iterator[Diagnostic]:
    """The least delay between two looks at an OCSP answer must not be above the greatest, at any line."""
    least, most = _LEAST_DELAY, _MOST_DELAY
    for statement in statements:
        words = statement.words
        name = words[0].removeprefix("tune.ssl.")
        if name not in ("ocsp-update.mindelay", "ocsp-update.maxdelay") or len(words) < 2:
            continue
        number = leading_integer(words[1])
        fault = ""
        if name.endswith("mindelay"):
            fault = "higher than tune.ssl.ocsp-update.maxdelay" if number > most else ""
            least = number
        else:
            fault = "lower than tune.ssl.ocsp-update.mindelay" if number < least else ""
            most = number
        if fault:
            message = f"'{words[0]}' can not be {fault}."
            hint = f"the delays are {_LEAST_DELAY} and {_MOST_DELAY} seconds where no line before says otherwise"
            yield Diagnostic("bad-argument", Severity.ERROR, statement.span(1), message, hint)


def _booleans(statements: Iterable[Statement]) -> Iterator[Diagnostic]:
    """Lua programs are to be told what booleans become for them."""
    setting, loaded = "tune.lua.bool-sample-conversion", False
    for statement in statements:
        if statement.words[0] == setting:
            if loaded:
                message = f"'{setting}' is ignored behind the first 'lua-load'."
                yield Diagnostic("ignored-argument", Severity.WARNING, statement.span(), message, "move it up")
            return
        if statement.words[0] in ("lua-load", "lua-load-per-thread") and not loaded:
            loaded = True
            message = f"Lua gets booleans as numbers, as before 3.1: no '{setting}' in front says what is wanted."
            hint = f"write '{setting} normal', or 'pre-3.1-bug', in front of it"
            yield Diagnostic("deprecated", Severity.WARNING, statement.span(0), message, hint)


def _programs(sections: Iterable[Section]) -> Iterator[Diagnostic]:
    """A `program` section takes `expose-deprecated-directives` before it."""
    exposed = False
    for section in sections:
        if section.kind == "global":
            exposed = exposed or any(one.words[0] == "expose-deprecated-directives" for one in section.statements)
        elif section.kind == "program" and not exposed:
            message = "The 'program' section is deprecated and takes 'expose-deprecated-directives' before it."
            hint = "write it in the global section, or leave programs to the service manager"
            yield Diagnostic("removed-keyword", Severity.ERROR, section.header.span(0), message, hint)


def _names(sections: Iterable[Section]) -> Iterator[Diagnostic]:
    """A frontend and a backend of one name, which later versions will refuse."""
    seen: dict[str, Section] = {}
    for section in sections:
        if section.kind not in _KINDS or not section.name:
            continue
        first = seen.setdefault(section.name, section)
        if first is not section and {first.kind, section.kind} == {"frontend", "backend"}:
            message = (
                f"{section.kind} '{section.name}' has the same name as {first.kind} '{first.name}' declared at"
                f" {first.header.source.name}:{first.header.line}. This is dangerous and will not be supported anymore"
                " in version 3.3."
            )
            hint = "give each a name of its own"
            yield Diagnostic("duplicate-name", Severity.WARNING, section.header.span(1), message, hint)


def _mailers(sections: Iterable[Section]) -> Iterator[Diagnostic]:
    """Mails that HAProxy itself sends."""
    for section in sections:
        words = {tuple(one.words[:2]): one for one in section.statements if one.words[0] == "email-alert"}
        if {("email-alert", word) for word in ("mailers", "from", "to")} <= words.keys():
            message = "HAProxy 3.3 sends no mail itself any more: it takes Lua for that."
            hint = "HAProxy brings a program for it, examples/lua/mailers.lua"
            yield Diagnostic("deprecated", Severity.WARNING, words["email-alert", "mailers"].span(), message, hint)


def _nameless(sections: Iterable[Section]) -> Iterator[Diagnostic]:
    """`email-alert myhostname` without a name, which 2.6 lets pass."""
    for section in sections:
        for statement in section.statements:
            if statement.words[:2] == ["email-alert", "myhostname"] and not any(statement.words[2:3]):
                message = "missing argument after 'myhostname'."
                yield Diagnostic("missing-argument", Severity.ERROR, statement.span(), message, "write a host name")
