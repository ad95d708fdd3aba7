"""Expressions, formats and regular expressions in statements: parsed, checked for their place, their names noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy_config.alike import nearest
from hapy_config.build.patternfiles import map_fault
from hapy_config.build.refused import Refused, first_of, version_note
from hapy_config.grammar.checks import variable
from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.expressions import needs, parse_expression_words, places, references
from hapy_config.grammar.formats import parse_format, sound_part
from hapy_config.grammar.regexes import compile_regex
from hapy_config.keywords.acls import ACL_KEYWORDS, MATCH_TYPES
from hapy_config.keywords.log_aliases import ALIASES
from hapy_config.keywords.samples import Place
from hapy_config.keywords.spec import TARGET, Version
from hapy_config.model.expressions import FormatAlias, FormatExpression, FormatText, LogFormat, SampleExpression
from hapy_config.syntax import Statement

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft


#: Log variables that HAProxy refuses in TCP proxies; `%tsc` it lets pass there.
HTTP_ONLY: Final = frozenset(name for name, alias in ALIASES.items() if alias.requires == "http") - {"tsc"}


#: What only connections without HTTP have.
BUFFERS: Final = frozenset({"request buffer", "response buffer"})

#: Where a format names a backend or a server, HAProxy says nothing of HTTP.
#: The first version whose log variables of HTTP may stand where there is none; they give nothing there.
_HTTP_EVERYWHERE: Final[Version] = (3, 0)
_CHOICES: Final = (Place.FRONTEND_USE_BACKEND, Place.BACKEND_SERVER)
#: Formats that HAProxy compiles last: it says nothing of samples in them that have no value outside mode http.
_LATE_FORMATS: Final = frozenset({"log-format", "log-format-sd", "error-log-format", "unique-id-format"})


def expression_words(
    build: Build,
    draft: Draft,
    statement: Statement,
    words: list[str],
    index: int,
    where: Place,
    prefix: str = "",
    *,
    place: int | None = None,
) -> tuple[SampleExpression, int]:
    """The expression that begins at `index`, and the index of the word behind it.

    Args:
        build: the configuration being built.
        draft: the section, for names left out and for messages.
        statement: where findings are placed.
        words: the statement's words.
        index: the expression's first word.
        where: the places it is evaluated in; it must be able to in one of them.
        prefix: what messages begin with.
        place: the statement's word that findings are placed at, where `words` are not the statement's.

    Raises:
        Refused: when it is no expression, or one whose data does not exist there.
    """
    try:
        parsed, behind = parse_expression_words(words, index)
    except GrammarError as error:
        raise refusal_of(error, prefix, place, "bad-expression") from None
    if where and not places(parsed) & where:
        what = words[index]
        raise Refused(
            f"{prefix}fetch method '{what}' extracts information from '{needs(parsed)}', none of which is available"
            " here.",
            index if place is None else place,
            code="wrong-place",
        )
    note_references(build, draft, statement, index if place is None else place, parsed)
    return parsed, behind


def refusal_of(error: GrammarError, prefix: str, place: int | None, code: str) -> Refused:
    """What a parser found, as the refusal of a line; `place` is the word concerned where the error does not know it."""
    return first_of(
        [
            Refused(f"{prefix}{one.message}.", one.word if place is None else place, code=code, hint=error_hint(one))
            for one in error
        ]
    )


def log_format(
    build: Build,
    draft: Draft,
    statement: Statement,
    text: str,
    place: int,
    where: Place,
    prefix: str = "",
) -> LogFormat:
    """The log format string `text`, the statement's word at `place`.

    Raises:
        Refused: when it is none, or an expression in it can't be evaluated there.
    """
    if "%" not in text:
        return LogFormat(text, (FormatText(text),) if text else ())
    return checked_format(build, draft, statement, text, place, where, prefix)


def checked_format(
    build: Build,
    draft: Draft,
    statement: Statement,
    text: str,
    place: int,
    where: Place,
    prefix: str,
    *,
    merge_spaces: bool = False,
) -> LogFormat:
    """Parse a format and check what can be used of it; see `log_format`.

    Raises:
        Refused: for all that is wrong with it.
    """
    try:
        parsed = parse_format(text, merge_spaces=merge_spaces)
    except GrammarError as error:
        refused = refusal_of(error, prefix, place, "bad-format")
        try:
            check_format(build, draft, statement, sound_part(text), place, where, prefix)
        except Refused as more:
            refused.others.extend(more)
        raise refused from None
    check_format(build, draft, statement, parsed, place, where, prefix)
    return parsed


def check_format(
    build: Build, draft: Draft, statement: Statement, parsed: LogFormat, place: int, where: Place, prefix: str
) -> None:
    """Check where a format's expressions are evaluated, and note the names in them.

    Raises:
        Refused: when some can't be evaluated there.
    """
    faults: list[Refused] = []
    for item in parsed.items:
        if isinstance(item, FormatAlias):
            if build.target is not None and build.target < TARGET:
                build.watch_alias(statement, place, item.name)
            if item.name in HTTP_ONLY and draft.mode != "http" and build.version < _HTTP_EVERYWHERE:
                faults.append(
                    Refused(
                        f"{prefix}format variable '{item.name}' is reserved for HTTP mode.",
                        place,
                        code="needs-http",
                        hint="set 'mode http', or use another variable",
                    )
                )
        elif isinstance(item, FormatExpression):
            expression = item.expression
            if where and not places(expression) & where:
                faults.append(
                    Refused(
                        f"{prefix}sample fetch <{expression.text}]> may not be reliably used here because it needs"
                        f" '{needs(expression)}' which is not available here.",
                        place,
                        code="wrong-place",
                    )
                )
                continue
            silent = where in _CHOICES or statement.words[0] in _LATE_FORMATS
            if draft.mode == "tcp" and "HTTP" in needs(expression) and not silent:
                build.warning(
                    "needs-http",
                    statement.span(place),
                    f"HTTP log/header format not usable with {draft.title} '{draft.name}' (needs 'mode http').",
                )
            if prefix.startswith("error detected in") and BUFFERS.issuperset(needs(expression).split(",")):
                build.warning(
                    "needs-tcp",
                    statement.span(place),
                    f"L6 sample fetch <{expression.text}]> ignored in HTTP log-format string.",
                )
            note_references(build, draft, statement, place, expression)
    if faults:
        raise first_of(faults)


def only_here(error: GrammarError) -> bool:
    """Whether a regular expression is one of HAProxy's that Python can't run."""
    return error.message.startswith("regex '") and (
        "is not supported" in error.message or "are not supported" in error.message
    )


def check_regex(build: Build, statement: Statement, text: str, place: int, prefix: str = "") -> None:
    """Refuse what is no regular expression, and note what only hapy can't run.

    Raises:
        Refused: with the reason and the offset.
    """
    try:
        compile_regex(text)
    except GrammarError as error:
        if only_here(error):
            build.note_regex(statement, error.at(place))
            return
        raise Refused(f"{prefix}{error.message}.", place, code="bad-regex") from None


#: Fetches with what the system counts of a connection; HAProxy lets arguments of theirs pass.
_TCP_COUNTERS: Final = frozenset({"fc_unacked", "fc_sacked", "fc_retrans", "fc_fackets", "fc_lost", "fc_reordering"})

#: Fetches that run in HTTP checks and nowhere else.
_OF_CHECKS: Final = frozenset({"res.body", "res.body_len"})


#: Rules of which HAProxy tells that a key is none; in conditions and elsewhere it keeps silent.
_TELLS_OF_KEYS: Final = frozenset({"http-request", "http-response", "http-after-response"})


def _check_key(build: Build, statement: Statement, index: int, name: str) -> bool:
    """Whether the second argument of `jwt_verify` is no file, or one with a public key; warns of others."""
    if not name or not variable(name) or not build.files.exists(name):
        return True
    try:
        content = build.files.read(name)
    except OSError:
        content = b""
    if b"PUBLIC KEY-----" in content:
        return True
    hint = "the file is here, but there is no public key in it: no token will be found good"
    build.warning("bad-public-key", statement.span(index), f"file not found ({name})", hint)
    return False


def note_references(
    build: Build, draft: Draft, statement: Statement, index: int, expression: SampleExpression, *, acl: bool = False
) -> None:
    """Have the names in an expression looked up when everything was read, and note what hapy does not run of it."""
    if expression.text in build.plain_expressions:
        return
    _known_to_lua(build, statement, index, expression, acl=acl)
    name = expression.fetch.name
    if name in _TCP_COUNTERS and expression.fetch.args:
        message = "no argument supported for 'fc_*' sample expressions returning counters."
        build.warning("ignored-argument", statement.span(index), message)
    own = name in _OF_CHECKS and statement.words[0] == "http-check"
    runs = not own and build.watch_sample(statement, index, "fetches", name)
    for call in expression.converters:
        runs = build.watch_sample(statement, index, "converters", call.name) and runs
    for call in expression.converters:
        if call.name.startswith("map"):
            fault = map_fault(build, call)
            if fault:
                message = f"failed to parse sample expression <{expression.text}> : invalid args in converter"
                refusal = Refused(f"{message} '{call.name}' : {fault}.", index, code="bad-pattern-file")
                (build.lacking if any(call.args[:1]) else build.fault)(refusal, statement)
        elif call.name == "debug" and len(call.args) > 1:
            _sink(build, statement, index, expression, call.args[1])
        elif call.name == "regsub" and call.args:
            build.regexes.append((draft, statement, index, call.args[0]))
        elif call.name == "jwt_verify" and not acl and statement.words[0] in _TELLS_OF_KEYS:
            runs = _check_key(build, statement, index, "".join(call.args[1:2])) and runs
    found = tuple(references(expression))
    if found:
        build.expression_references.append((draft, statement, index, expression, found, acl))
    elif runs:
        build.plain_expressions.add(expression.text)


#: Where debug output goes beside the rings of the configuration.
_SINKS: Final = ("stdout", "stderr", "buf0")


def _sink(build: Build, statement: Statement, index: int, expression: SampleExpression, name: str) -> None:
    """The converter `debug` may write to a ring that stands before it."""
    if name not in _SINKS and ("ring", name) not in build.sections:
        message = f"failed to parse sample expression <{expression.text}> : invalid args in converter 'debug'"
        rings = [ring for kind, ring in build.sections if kind == "ring"]
        hint = build.nearest(name, [*_SINKS, *rings])
        refusal = Refused(f"{message} : No such sink '{name}'.", index, code="bad-expression", hint=hint)
        build.fault(refusal, statement)


def _known_to_lua(build: Build, statement: Statement, index: int, expression: SampleExpression, *, acl: bool) -> None:
    """Refuse fetches and converters that no Lua file so far registers."""
    if statement.words[0] == "acl":
        index = 2
    calls = [("fetches", expression.fetch.name), *(("converters", call.name) for call in expression.converters)]
    for family, name in calls:
        if not name.startswith("lua.") or (build.lua and build.lua_names.knows_sample(family, name[4:])):
            continue
        what = "unknown fetch method" if family == "fetches" else "unknown converter"
        where = "ACL" if acl else "sample"
        message = f"{what} '{name}' in {where} expression '{expression.text}'"
        known = sorted(build.lua_names.fetches if family == "fetches" else build.lua_names.converters)
        near = nearest(name[4:], known)
        hint = f"did you mean 'lua.{near}'?" if near else "load the file that registers it first: lua-load <file>"
        build.fault(Refused(f"{message}.", index, code="bad-expression", hint=hint), statement)


def error_hint(error: GrammarError) -> str:
    """A suggestion for a misspelt fetch, converter or matching method."""
    _, found, rest = error.message.partition("unknown matching method '")
    if found:
        near = nearest(rest.partition("'")[0], MATCH_TYPES)
        return f"did you mean '{near}'?" if near else ""
    for what, family in (("unknown fetch method '", "fetches"), ("unknown converter '", "converters")):
        _, found, rest = error.message.partition(what)
        if found:
            return suggestion(rest.partition("'")[0], family, acl=" in ACL expression" in rest)
    return ""


def suggestion(name: str, family: str, *, acl: bool = False) -> str:
    """`did you mean …`, or in which version the name came or went; ACLs have criteria of their own beside fetches."""
    from hapy_config.keywords import table

    entries = table(family)
    entry = entries.get(name)
    if entry is not None:
        return version_note(entry.since, entry.removed)
    known = [one.name for one in entries if one.known_in(TARGET)]
    if acl:
        known += ACL_KEYWORDS
    near = nearest(name, known)
    return f"did you mean '{near}'?" if near else ""
