"""Verdicts of other HAProxy versions, by the keyword tables.

The builder speaks 2.6. For another version the document is changed first: what that version knows and 2.6 does not is
checked by its table entry and taken out, what 2.6 only knows by another name is renamed, and arguments that are newer
get stand-ins. Afterwards every word is looked up once more, and what the version does not know, or warns of, is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hapy_config import later, later_proxies
from hapy_config.build.context import Build
from hapy_config.build.generic import check_arguments
from hapy_config.build.refused import Refused
from hapy_config.diagnostics import Diagnostic, Diagnostics, Severity
from hapy_config.keywords import FAMILIES, table
from hapy_config.keywords.acls import ACL_KEYWORDS
from hapy_config.keywords.actions_spec import RULESETS, Action
from hapy_config.keywords.log_aliases import LogAlias
from hapy_config.keywords.spec import NEWEST, TARGET, Arg, Keyword, Kind, Runs, Version
from hapy_config.keywords.values import OTHER_MODES, values_in, without
from hapy_config.preprocess import VERSION
from hapy_config.syntax import Document, Section, Statement

#: The oldest version whose manual the tables were made from in full.
OLDEST: Final[Version] = (1, 8)

VERSIONS: Final[tuple[Version, ...]] = (
    *((1, minor) for minor in (8, 9)),
    *((2, minor) for minor in range(10)),
    *((3, minor) for minor in range(NEWEST[1] + 1)),
)

_PROXIES: Final = frozenset({"defaults", "frontend", "backend", "listen"})
_RULES: Final = frozenset(RULESETS.values())
#: What 2.6 knows by another name.
_RENAMED: Final = {
    "clitimeout": ("timeout", "client"),
    "contimeout": ("timeout", "connect"),
    "srvtimeout": ("timeout", "server"),
    "redispatch": ("option", "redispatch"),
    "redisp": ("option", "redispatch"),
    "block": ("http-request", "deny"),
}
#: The first version whose defaults sections may be named in another's header, and the first where they hold rules.
_FROM: Final = Keyword(name="from", since=(2, 4))
_RULES_IN_DEFAULTS: Final[Version] = (2, 6)
#: What a section says of its servers: in a mode that 2.6 does not know only that mode's manual tells what is right.
_OF_SERVERS: Final = frozenset({"balance", "default-server", "hash-type", "server", "server-template"})
#: The versions that know no other way of HTTP than HTX, and warn who does not want it.
_ONLY_HTX: Final = ((2, 1), (2, 2))
#: Where the options of a line begin, and their family.
_OPTION_LINES: Final = {
    "bind": ("binds", 2),
    "server": ("servers", 3),
    "server-template": ("servers", 4),
    "default-server": ("servers", 1),
}
#: The last version that does not take the unit `us`, though its manual has it, and the lines that have times.
_NO_MICROSECONDS: Final[Version] = (2, 2)
_MICROSECONDS: Final = re.compile(r"(?:.*\()?[0-9]+us\)?")
_TIMED: Final = frozenset(
    {
        *("timeout", "hold", "stats", "stick-table", "cookie", "hard-stop-after"),
        *("server", "server-template", "default-server", "tcp-request"),
    }
)
_SERVER_LINES: Final = frozenset({"server", "server-template", "default-server"})
#: The words of a server's line behind which a time stands.
_TIMES_OF_SERVERS: Final = frozenset(
    {"inter", "fastinter", "downinter", "agent-inter", "slowstart", "pool-purge-delay", "tcp-ut"}
)
#: The first version whose `bytes` takes the names of variables.
_VARIABLES_IN_BYTES: Final[Version] = (3, 0)
_BYTES: Final = re.compile(r"(?<![\w-])bytes\(([^)]*)(?:\)|\Z)")
_OF_BYTES: Final = re.compile(r"(?:{0}(?:,{0})?)?".format(r"(?:[0-9]+|(?:proc|sess|txn|req|res|check)\.[\w.]+)"))
#: Fetches that take an argument more since some version, and how HAProxy 2.6 names it: as what it has not expected.
_MORE_ARGUMENTS: Final[dict[str, tuple[Version, re.Pattern[str]]]] = {
    **dict.fromkeys(("url_param", "urlp_val", "req.body_param"), ((2, 8), re.compile(r",[^,)]*\)"))),
    **{name: ((2, 8), re.compile(r",[^,)]*\)")) for name in ACL_KEYWORDS if name.partition("_")[0] == "urlp"},
    "query": ((3, 2), re.compile(r"with_qm\)")),
}
_UNEXPECTED: Final = re.compile(r"(?:fetch method|ACL keyword) '([\w.]+)' : expected '\)' before '(.*)'", re.DOTALL)
#: The first version that looks at keys and the like while it reads, and not only when they are used.
_KEYS_LOOKED_AT: Final[Version] = (2, 4)
#: The first version whose `var` takes a second argument.
_DEFAULT_OF_VAR: Final[Version] = (2, 5)
#: Before it `var` gives strings, so a condition needs no -m.
_UNTYPED_VAR: Final[Version] = (2, 5)
_VAR_WITH_DEFAULT: Final = re.compile(r"(?<![\w-])var\([^,()]*,[^()]*\)")
#: The first version with patterns that need no file, and how their names begin.
_NO_FILES_SINCE: Final[Version] = (2, 9)
_NO_FILE: Final = re.compile("<(?:virt|opt)@")
#: The last version that takes the names that 1.4 gave to variables of formats, and what it says of them.
_OLD_ALIASES: Final[Version] = (2, 2)
_OLD_ALIAS: Final = re.compile(
    r"failed to parse ([\w-]+) ?: no such format variable '(B[ip]|C[ip]|F[ip]|S[ip]|cc|cs|st)'"
)
_OF_VERSIONS: Final = frozenset({"deprecated", "newer-keyword", "newer-section", "removed-keyword"})
#: Since when HAProxy says so, and as what before that.
_LATER_FINDINGS: Final[dict[str, tuple[Version, Version]]] = {
    "missing-newline": ((2, 3), (2, 1)),  # refused since, warned of since
    "needs-tcp": ((2, 3), (2, 3)),
}
#: What 2.6 refuses: how the message begins, its last word, and the first version that takes it.
_TAKEN_LATER: Final[tuple[tuple[str, str, Version], ...]] = (
    ("'external-check' cannot handle unexpected argument", "'preserve-env'", (2, 8)),
    ("'tune.listener.multi-queue' expects one of", "'fair'", (2, 8)),
)


def parse_version(text: str) -> Version | None:
    """`2.6` or `2.6.12` as a version that can be checked for, or None."""
    parts = text.removeprefix("v").split(".")
    if len(parts) < 2 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    version = (int(parts[0]), int(parts[1]))
    return version if version in VERSIONS else None


def shown(version: Version) -> str:
    """`2.6`."""
    return f"{version[0]}.{version[1]}"


def release(version: Version) -> str:
    """`2.8.0`: what `.if` conditions compare with when a configuration is judged for a version."""
    return VERSION if version == TARGET else f"{shown(version)}.0"


@dataclass(frozen=True, slots=True)
class Use:
    """A keyword where it stands: words `first` to `last` of the statement, and how a message calls it."""

    keyword: Keyword
    statement: Statement
    first: int
    last: int
    title: str
    since: Version

    def known_in(self, version: Version) -> bool:
        """Whether the version takes it in this place."""
        return self.since <= version and self.keyword.known_in(version) and self.keyword.built_in(version)


def uses(section: Section) -> Iterator[Use]:
    """Every keyword of a section's statements but those inside expressions."""
    header = table("sections").get(section.kind)
    if header is not None:
        yield Use(header, section.header, 0, 0, f"section '{section.kind}'", header.since)
    words = section.header.words
    if section.kind in _PROXIES and "from" in words[1:3]:
        origin = words.index("from")
        yield Use(_FROM, section.header, origin, origin, "'from'", _FROM.since)
    for statement in section.statements:
        for use in statement_uses(section.kind, statement):
            if section.kind == "defaults" and use.keyword.named_defaults and use.since < _RULES_IN_DEFAULTS:
                yield replace(use, since=_RULES_IN_DEFAULTS, title=f"{use.title} in a defaults section")
            else:
                yield use


def statement_uses(kind: str, statement: Statement) -> Iterator[Use]:
    """Every keyword of one statement but those inside expressions."""
    yield from _keyword_uses(kind, statement)
    for found in values_in(statement.words):
        value = found.value
        title = f"'{statement.words[found.index].split(',')[found.piece]}' of '{' '.join(value.line)}'"
        keyword = Keyword(name=value.word, since=value.since)
        last = min(found.index + value.takes, len(statement.words) - 1)
        yield Use(keyword, statement, found.index, last, title, value.since)


def _keyword_uses(kind: str, statement: Statement) -> Iterator[Use]:
    words: Sequence[str] = statement.words
    shift = 1 if words[0] in ("no", "default") and len(words) > 1 else 0
    words = words[shift:]
    if words[0] == "option" and len(words) > 1 and kind in _PROXIES:
        option = table("options").get(words[1])
        if option is not None:
            yield Use(option, statement, shift, shift + 1, f"'option {words[1]}'", option.since)
        return
    if words[0] == "filter" and len(words) > 1 and kind in _PROXIES:
        known = table("filters").get(words[1])
        if known is not None:
            yield Use(known, statement, shift, shift + 1, f"'filter {words[1]}'", known.since)
        return
    family = "proxies" if kind in _PROXIES else "globals" if kind == "global" else kind
    found = table(family).find(words) if family in FAMILIES else None
    if found is not None:
        keyword, count = found
        yield Use(keyword, statement, shift, shift + count - 1, f"'{' '.join(words[:count])}'", keyword.since)
    if kind in _PROXIES:
        yield from _action(statement, words)
    if words[0] in _OPTION_LINES:
        family, begin = _OPTION_LINES[words[0]]
        yield from _options(statement, family, begin)


def _action(statement: Statement, words: Sequence[str]) -> Iterator[Use]:
    ruleset = words[0] if words[0] in _RULES else " ".join(words[:2])
    if ruleset not in _RULES:
        return
    index = ruleset.count(" ") + 1
    if index >= len(words):
        return
    name = words[index].partition("(")[0]
    entry = table("actions").get(name) or table("actions").get(f"{name}*")
    if isinstance(entry, Action):
        since = entry.rulesets.get(ruleset, entry.since)
        yield Use(entry, statement, index, index, f"'{ruleset} {name}'", since)


def _options(statement: Statement, family: str, index: int) -> Iterator[Use]:
    options = table(family)
    what = "bind" if family == "binds" else "server"
    words = statement.words
    while index < len(words):
        entry = options.get(words[index])
        if entry is None:
            index += 1
            continue
        last = index + sum(1 for argument in entry.args if not argument.optional)
        yield Use(entry, statement, index, min(last, len(words) - 1), f"{what} option '{words[index]}'", entry.since)
        index = last + 1


def prepare(document: Document, version: Version) -> tuple[Document, list[Diagnostic]]:
    """The document as 2.6 can read it, and what is wrong with the parts that were taken out."""
    prepared = Document(document.sources, unset=document.unset)
    found: list[Diagnostic] = []
    for section in document.sections:
        header = table("sections").get(section.kind)
        if header is not None and not header.known_in(TARGET) and header.known_in(version):
            if header.runs is Runs.YES:
                prepared.sections.append(section)  # the builder reads it
                continue
            for statement in section.statements:
                found += _check(section.kind, statement)
            continue
        copy = Section(section.kind, section.name, section.header)
        other_mode = any(one.words[0] == "mode" and one.words[-1] in OTHER_MODES for one in section.statements)
        for statement in section.statements:
            if other_mode and statement.words[0] in _OF_SERVERS:
                continue
            if section.kind == "frontend" and statement.words[0] == "mode" and other_mode:
                message = f"unknown proxy mode '{statement.words[-1]}'."
                hint = "such a mode is for backends"
                found.append(Diagnostic("bad-argument", Severity.ERROR, statement.span(1), message, hint))
            kept, faults = _prepare(section.kind, statement, version)
            found += faults
            if kept is not None:
                copy.statements.append(kept)
        prepared.sections.append(copy)
    return prepared, found


def _prepare(kind: str, statement: Statement, version: Version) -> tuple[Statement | None, list[Diagnostic]]:
    words = statement.words
    stand_in = later_proxies.stand_in(words, version)
    if stand_in is not None:
        columns = [(one.column, one.end) for one in map(statement.span, range(len(words)))][: len(stand_in)]
        return Statement(statement.source, statement.line, stand_in, columns), []
    renamed = _RENAMED.get(words[0])
    cut: set[int] = set()
    for use in _keyword_uses(kind, statement):
        if not use.known_in(version) or (use.known_in(TARGET) and use.keyword.built_in(TARGET)):
            continue
        if renamed is not None:
            span = statement.span(0)
            columns = [(span.column, span.end)] * len(renamed)
            columns += [(one.column, one.end) for one in map(statement.span, range(1, len(words)))]
            return Statement(statement.source, statement.line, [*renamed, *words[1:]], columns), []
        if isinstance(use.keyword, Action) or kind == "global":
            continue  # the builder reads those of later versions, too
        if words[0] in _OPTION_LINES and use.first > 0:
            cut.update(range(use.first, use.last + 1))
        else:
            return None, _check(kind, statement)
    newer = [one for one in values_in(words) if one.value.since > TARGET]
    if words[1:2] == ["set-timeout"] and newer:
        return statement, []  # the builder knows it
    if not cut and not newer:
        return statement, []
    rest, indices = without(words, newer)
    kept = [place for place, index in enumerate(indices) if index not in cut]
    columns = [(one.column, one.end) for one in (statement.span(indices[place]) for place in kept)]
    return Statement(statement.source, statement.line, [rest[place] for place in kept], columns), []


def _check(kind: str, statement: Statement) -> list[Diagnostic]:
    """The faults of a statement that 2.6 does not know, as far as its table entry tells."""
    found = list(_keyword_uses(kind, statement))
    if not found:
        message = f"unknown keyword '{statement.words[0]}' in '{kind}' section"
        return [Diagnostic("unknown-keyword", Severity.ERROR, statement.span(0), message)]
    use = found[-1]
    if statement.words[use.first] == "option" and not use.keyword.args and len(statement.words) > use.last + 1:
        extra = statement.words[use.last + 1]
        message = f"{use.title} cannot handle unexpected argument '{extra}'."
        return [Diagnostic("bad-argument", Severity.ERROR, statement.span(use.last + 1), message)]
    if use.keyword.args and not any(_is_open(argument) for argument in use.keyword.args):
        build = Build(Diagnostics(), {}, "")
        build.statement = statement
        try:
            check_arguments(build, use.keyword, statement, use.last + 1)
        except Refused as refusal:
            return [*build.out, refusal.diagnostic(statement)]
        return list(build.out)
    return []


def _is_open(argument: Arg) -> bool:
    """Whether only a builder knows what the argument may be."""
    return argument.kind in (Kind.REST, Kind.EXPRESSION, Kind.FORMAT, Kind.CONDITION, Kind.REGEX)


def judge(
    document: Document, version: Version, found: list[Diagnostic], samples: Sequence[tuple[Statement, int, Keyword]]
) -> list[Diagnostic]:
    """What a version says: the findings that hold for it, and those about its keywords.

    Args:
        document: the configuration as written.
        version: which version.
        found: what the builder and the loader found.
        samples: the fetches, converters and log variables that the version does not know: the statement, the word, the
            entry.
    """
    named = [
        Use(
            keyword,
            statement,
            index,
            index,
            f"'{'%' if isinstance(keyword, LogAlias) else ''}{keyword.name}'",
            keyword.since,
        )
        for statement, index, keyword in samples
    ]
    about_samples = [finding for use in named if (finding := _finding(use, version)) is not None]
    if version == TARGET:  # the builder knows all else
        return [*found, *about_samples]
    own: list[Diagnostic] = []
    spoken: set[tuple[str, int]] = set()
    if version <= _NO_MICROSECONDS:
        own += _microseconds(document)
    own += _calls(document, version)
    own += later.findings(document, version)
    for section in document.sections:
        for use in uses(section):
            finding = _finding(use, version)
            if finding is not None and not later.is_exposed(document, use.keyword.name):
                own.append(finding)
            if finding is not None or use.keyword.deprecated is not None:
                spoken.add((use.statement.source.name, use.statement.line))
    kept = [
        one
        for finding in found
        # What 2.6 says of versions is here another version's business to say.
        if finding.code not in _OF_VERSIONS or (finding.span.file, finding.span.line) not in spoken
        if not later.is_settled(document, version, finding)
        for one in _for_version(finding, version)
    ]
    return [*kept, *own, *about_samples]


def _microseconds(document: Document) -> Iterator[Diagnostic]:
    """The times in microseconds, to a version that does not read them."""
    for section in document.sections:
        for statement in section.statements:
            if statement.words[0] not in _TIMED:
                continue
            on_server = statement.words[0] in _SERVER_LINES
            for index, word in enumerate(statement.words):
                if on_server and statement.words[index - 1] not in _TIMES_OF_SERVERS:
                    continue
                if index and _MICROSECONDS.fullmatch(word):
                    message = f"unexpected character 's' in '{word}'"
                    hint = "HAProxy takes microseconds behind 2.2; write the time in ms"
                    yield Diagnostic("bad-argument", Severity.ERROR, statement.span(index), message, hint)


def _calls(document: Document, version: Version) -> Iterator[Diagnostic]:
    """The calls in expressions whose arguments the version reads in another way than 2.6."""
    for section in document.sections:
        for statement in section.statements:
            for index, word in enumerate(statement.words):
                if version < _DEFAULT_OF_VAR and _VAR_WITH_DEFAULT.search(word):
                    message = f"fetch method 'var' takes one argument in '{word}'"
                    hint = f"a default is known since {shown(_DEFAULT_OF_VAR)}"
                    yield Diagnostic("bad-expression", Severity.ERROR, statement.span(index), message, hint)
                for call in _BYTES.finditer(word) if version >= _VARIABLES_IN_BYTES else ():
                    if call[0][-1] != ")" or not _OF_BYTES.fullmatch(call[1]):
                        message = f"invalid args in converter 'bytes' : {call[1]}"
                        hint = "it takes whole numbers from 0 on, and names of variables"
                        yield Diagnostic("bad-expression", Severity.ERROR, statement.span(index), message, hint)


def _for_version(found: Diagnostic, version: Version) -> Iterator[Diagnostic]:
    """A finding of 2.6 as another version has it, or none."""
    if found.code in ("bad-expression", "bad-acl", "bad-condition", "bad-format") and _knows_sample(found, version):
        return
    if any(
        version >= since and found.message.startswith(begin) and found.message.rstrip(".").endswith(end)
        for begin, end, since in _TAKEN_LATER
    ):
        return
    if version >= _NO_FILES_SINCE and found.code == "bad-pattern-file" and _NO_FILE.search(found.message):
        return
    old = _OLD_ALIAS.search(found.message) if version <= _OLD_ALIASES else None
    if old is not None:
        now = old[2].upper() if old[2].islower() else old[2].lower()
        message = f"deprecated variable '{old[2]}' in '{old[1]}', please replace it with '{now}'."
        yield Diagnostic("deprecated", Severity.WARNING, found.span, message, f"write '%{now}'", found.fix)
        return
    refused_since, warned_since = _LATER_FINDINGS.get(found.code, (OLDEST, OLDEST))
    if version < warned_since:
        return
    if version < refused_since and found.severity is Severity.ERROR:
        yield Diagnostic(found.code, Severity.WARNING, found.span, found.message, found.hint, found.fix)
        return
    yield found


def _knows_sample(found: Diagnostic, version: Version) -> bool:
    """Whether a finding is about a part of an expression or format that the version takes and 2.6 does not."""
    if version < _UNTYPED_VAR and "(using '-m') when using a sample fetch of this type ('var')" in found.message:
        return True
    if version >= _VARIABLES_IN_BYTES and "in converter 'bytes'" in found.message:
        return "expected ')'" not in found.message
    unexpected = _UNEXPECTED.search(found.message)
    if unexpected is not None and unexpected[1] in _MORE_ARGUMENTS:
        since, shape = _MORE_ARGUMENTS[unexpected[1]]
        return version >= since and shape.match(unexpected[2]) is not None
    if version < _KEYS_LOOKED_AT and ": argument needs to be base64 encoded" in found.message:
        return True
    for family, title in (
        ("fetches", "unknown fetch method '"),
        ("converters", "unknown converter '"),
        ("log-aliases", "no such format variable '"),
    ):
        _, there, rest = found.message.partition(title)
        if there:
            entry = table(family).get(rest.partition("'")[0])
            return entry is not None and entry.known_in(version) and not entry.known_in(TARGET)
    return False


def _finding(use: Use, version: Version) -> Diagnostic | None:
    """What a version says of a keyword, if anything."""
    keyword = use.keyword
    span = use.statement.span(use.first, use.last)
    if use.since > version:
        message = f"{use.title} is not known to HAProxy {shown(version)}"
        return Diagnostic("newer-keyword", Severity.ERROR, span, message, f"HAProxy knows it since {shown(use.since)}")
    instead = keyword.instead.removeprefix("nothing: ")
    if instead == keyword.instead and instead:
        instead = f"use {instead}"
    if keyword.removed is not None and keyword.removed <= version:
        message = f"{use.title} is not supported any more since HAProxy {shown(keyword.removed)}"
        return Diagnostic("removed-keyword", Severity.ERROR, span, message, instead)
    if version in _ONLY_HTX and keyword.name == "http-use-htx" and use.statement.words[0] == "default":
        message = "'option http-use-htx' cannot handle unexpected argument 'http-use-htx'."
        return Diagnostic("surplus-argument", Severity.ERROR, span, message, instead)
    if version in _ONLY_HTX and keyword.name == "http-use-htx" and use.statement.words[0] == "no":
        message = "option 'http-use-htx' is deprecated and ignored. The HTX mode is now the only supported mode."
        return Diagnostic("deprecated", Severity.WARNING, span, message, instead)
    if version != TARGET and keyword.deprecated is not None and keyword.deprecated <= version:
        message = f"{use.title} is deprecated since HAProxy {shown(keyword.deprecated)}"
        return Diagnostic("deprecated", later.severity(keyword.name), span, message, instead)
    return None
