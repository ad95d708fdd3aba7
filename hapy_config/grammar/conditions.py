"""ACLs and conditions (configuration manual, sections 7.1, 7.2 and 7.4).

An empty word ends a list of words, as everywhere in HAProxy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from hapy_config.grammar import patterns
from hapy_config.grammar.errors import GrammarError, raise_first
from hapy_config.grammar.expressions import acl_keyword, parse_acl_keyword, parse_expression_words, places
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords.acls import DEFAULT_MATCH, MATCH_TYPES, PREDEFINED
from hapy_config.keywords.samples import CASTS, Place
from hapy_config.model.expressions import AclExpression, Call, Condition, SampleExpression, Term
from hapy_config.source import NOWHERE, Span

#: Is handed warnings: the message, and the index of the word it speaks of.
Warn = Callable[[str, int], None]

_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")
_NAME_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:")
#: Samples whose integers may be written `major.minor`.
DOTTED: Final = frozenset({"req.ssl_ver", "req_ssl_ver"})


def check_acl_name(name: str) -> str:
    """What is wrong with an ACL's name, or an empty string."""
    bad = next((character for character in name if character not in _NAME_CHARACTERS), None)
    return "" if bad is None else f"character '{bad}' is not permitted in acl name '{name}'"


@dataclass(slots=True)
class _Flags:
    """What stands between an ACL's criterion and its values."""

    matches: tuple[str, ...] = ()  # the last one counts
    files: tuple[str, ...] = ()
    ignore_case: bool = False
    numeric_only: bool = False
    as_map: bool = False
    unique_id: int | None = None
    ended: bool = False  # by `--`


def parse_acl(
    words: Sequence[str],
    start: int = 0,
    *,
    span: Span = NOWHERE,
    warn: Warn | None = None,
    resolve: patterns.Resolver | None = None,
) -> AclExpression:
    """Parse what follows an ACL's name: criterion, flags and values, to the end of `words`.

    Args:
        words: the line's words.
        start: the index of the criterion.
        span: kept in the result.
        warn: is handed what HAProxy warns of.
        resolve: looks host names of address patterns up; without it, what looks like one is accepted.

    Raises:
        GrammarError: in HAProxy's words, with the index of the word at fault; for the first fault, with the others in
            it.
    """
    end = start
    while end < len(words) and words[end]:
        end += 1
    if start == end:
        raise GrammarError("missing fetch method in ACL expression ''", 0, start)
    faults: list[GrammarError] = []
    criterion, implied, index = _criterion(words[:end], start, faults)
    bare = index == end
    flags, index = _flags(words, index, end, faults)
    values = tuple(words[index:end])
    match = flags.matches[-1] if flags.matches else ""
    if criterion is not None:
        match = _match(criterion, implied, flags, start, faults)
    try:
        patterns.check(
            match,
            values,
            ignore_case=flags.ignore_case,
            numeric_only=flags.numeric_only,
            dotted=implied == "int" and not flags.matches and criterion is not None and criterion.fetch.name in DOTTED,
            resolve=resolve,
        )
    except GrammarError as error:
        faults.extend(one.at(index + one.word) for one in error)
    raise_first(faults)
    assert criterion is not None
    if warn is not None and bare and match not in ("found", "bool"):
        warn(_NO_PATTERN.format(words[start]), start)
    return AclExpression(
        criterion=criterion,
        match=match,
        patterns=values,
        files=flags.files,
        ignore_case=flags.ignore_case,
        numeric_only=flags.numeric_only,
        as_map=flags.as_map,
        unique_id=flags.unique_id,
        span=span,
    )


_NO_PATTERN: Final = (
    "parsing acl keyword '{}' : no pattern to match against were provided, so this ACL will never match. If this is"
    " what you intended, please add '--' to get rid of this warning. If you intended to match only for existence,"
    " please use '-m found'. If you wanted to force an int to match as a bool, please use '-m bool'"
)


def _criterion(
    words: Sequence[str], start: int, faults: list[GrammarError]
) -> tuple[SampleExpression | None, str, int]:
    """The sample (None where it is none), the way of matching that its keyword implies, and the index of the next word.

    Words after a plain fetch that name converters belong to its expression; HAProxy takes them for values all the same.
    """
    word = words[start]
    try:
        if acl_keyword(word):
            criterion, implied = parse_acl_keyword(word)
            return criterion, implied, start + 1
        criterion, _ = parse_expression_words(words, start)
    except GrammarError as error:
        for one in error:
            message = one.message
            if not message.startswith("ACL keyword"):
                message = f"{message} in ACL expression '{word}'"
            faults.append(GrammarError(message, one.offset, one.word or start))
        return None, "", start + 1
    return criterion, "", start + 1


def _flags(words: Sequence[str], index: int, end: int, faults: list[GrammarError]) -> tuple[_Flags, int]:
    """The flags from `index` on, and the index of the first value."""
    flags = _Flags()
    while index < end and words[index].startswith("-"):
        word = words[index]
        following = words[index + 1] if index + 1 < end else ""
        index += 1
        if word == "--":
            flags.ended = True
            break
        if word == "-i":
            flags.ignore_case = True
        elif word == "-n":
            flags.numeric_only = True
        elif word == "-M":
            flags.as_map = True
        elif word == "-f":
            if not following:
                faults.append(GrammarError("failed to open pattern file <>", 0, index - 1))
            flags.files += (following,)
            index += 1
        elif word == "-m":
            if flags.files:
                message = "'-m' must only be specified before patterns and files in parsing ACL expression"
                faults.append(GrammarError(message, 0, index - 1))
            if following not in MATCH_TYPES:
                message = f"unknown matching method '{following}' when parsing ACL expression"
                faults.append(GrammarError(message, 0, index))
            flags.matches += (following or "?",)
            index += 1
        elif word == "-u":
            if following and not _INTEGER.fullmatch(following):
                faults.append(GrammarError("the argument of -u must be an integer", 0, index))
            else:
                flags.unique_id = leading_integer(following) if following else None
            index += 1
        else:
            message = f"'{word}' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'"
            faults.append(GrammarError(message, 0, index - 1))
    return flags, min(index, end)


def _match(criterion: SampleExpression, implied: str, flags: _Flags, start: int, faults: list[GrammarError]) -> str:
    """The way of matching: `-m`, else the keyword's, else the type's; empty where there is none."""
    if flags.matches:
        for match in flags.matches:
            if match in MATCH_TYPES and MATCH_TYPES[match] not in CASTS[criterion.type]:
                message = f"matching method '{match}' cannot be used with fetch keyword '{criterion.fetch.name}'"
                faults.append(GrammarError(message, 0, start))
        return flags.matches[-1]
    match = implied or DEFAULT_MATCH.get(criterion.type, "")
    if not match and not faults:
        message = (
            "matching method must be specified first (using '-m') when using a sample fetch of this type"
            f" ('{criterion.fetch.name}')"
        )
        faults.append(GrammarError(message, 0, start))
    return match


@cache
def predefined(name: str) -> tuple[AclExpression, ...]:
    """The expressions of a predefined ACL (section 7.4), none for any other name."""
    words = PREDEFINED.get(name)
    return (parse_acl(words.split()),) if words is not None else ()


def parse_condition(
    words: Sequence[str],
    acls: Mapping[str, Sequence[AclExpression]],
    start: int = 0,
    *,
    span: Span = NOWHERE,
    warn: Warn | None = None,
    resolve: patterns.Resolver | None = None,
) -> Condition:
    """Parse `if …` or `unless …`, to the end of `words`.

    A condition without a single term never holds: `if` nothing never, `unless` nothing always.

    Args:
        words: the line's words.
        acls: the ACLs declared so far in this section; predefined ones need not be there.
        start: the index of `if` or `unless`.
        span: kept in anonymous ACLs.
        warn: is handed what HAProxy warns of.
        resolve: see `parse_acl`.

    Raises:
        GrammarError: for the first fault, with the others in its `others`.
    """
    if start >= len(words) or words[start] not in ("if", "unless"):
        found = words[start] if start < len(words) else ""
        raise GrammarError(f"expects either 'if' or 'unless' followed by a condition but found '{found}'", 0, start)
    parser = _ConditionParser(words, acls, span, warn, resolve)
    alternatives = parser.run(start + 1)
    raise_first(parser.errors)
    return Condition(alternatives, words[start] == "unless")


class _ConditionParser:
    """State of one condition's parsing."""

    __slots__ = ("acls", "errors", "resolve", "span", "warn", "words")

    def __init__(
        self,
        words: Sequence[str],
        acls: Mapping[str, Sequence[AclExpression]],
        span: Span,
        warn: Warn | None,
        resolve: patterns.Resolver | None,
    ) -> None:
        self.words = words
        self.acls = acls
        self.span = span
        self.warn = warn
        self.resolve = resolve
        self.errors: list[GrammarError] = []

    def run(self, index: int) -> tuple[tuple[Term, ...], ...]:
        """The alternatives from `index` on."""
        alternatives: list[tuple[Term, ...]] = []
        suite: list[Term] = []
        negated = False
        words = self.words
        while index < len(words) and words[index]:
            word = words[index]
            if word == "||" or word.lower() == "or":
                if suite:
                    alternatives.append(tuple(suite))
                suite, negated = [], False
                index += 1
                continue
            bare = word.lstrip("!")
            if (len(word) - len(bare)) % 2:
                negated = not negated
            if not bare:
                index += 1
                continue
            if bare == "{":
                term, index = self._anonymous(index, negated=negated)
                if index < 0:
                    break
            else:
                term = self._named(bare, index, len(word) - len(bare), negated=negated)
                index += 1
            if term is not None:
                suite.append(term)
            negated = False
        if suite:
            alternatives.append(tuple(suite))
        return tuple(alternatives)

    def _named(self, name: str, index: int, offset: int, *, negated: bool) -> Term | None:
        found = self.acls.get(name) or predefined(name)
        if not found:
            self.errors.append(GrammarError(f"no such ACL : '{name}'", offset, index))
            return None
        return Term(name, tuple(found), negated)

    def _anonymous(self, index: int, *, negated: bool) -> tuple[Term | None, int]:
        """An anonymous ACL that opens at `index`; the index after it, or -1 when it does not close."""
        words = self.words
        end = index + 1
        while end < len(words) and words[end] and words[end] != "}":
            end += 1
        if end >= len(words) or words[end] != "}":
            self.errors.append(GrammarError("missing closing '}' in condition", 0, index))
            return None, -1
        try:
            expression = parse_acl(words[:end], index + 1, span=self.span, warn=self.warn, resolve=self.resolve)
        except GrammarError as error:
            self.errors.extend(error)
            return None, end + 1
        return Term("", (expression,), negated), end + 1


def negate(condition: Condition) -> Condition:
    """The same condition with `if` and `unless` swapped."""
    return replace(condition, unless=not condition.unless)


def unavailable(condition: Condition, where: Place) -> list[tuple[Term, AclExpression]]:
    """The tests of a condition whose data does not exist where the rule stands: HAProxy warns that they never match."""
    return [
        (term, expression)
        for alternative in condition.alternatives
        for term in alternative
        for expression in term.expressions
        if not places(expression.criterion) & where
    ]


#: Fetches that look at a request's head, which is gone when its answer is there.
_OF_REQUESTS: Final = frozenset(
    {
        "path", "pathq", "url", "query", "base", "url_param", "urlp", "req.hdr", "hdr", "req.fhdr", "fhdr", "req.cook",
        "cook", "cookie", "req.ver", "req.hdr_cnt", "hdr_cnt", "req.fhdr_cnt", "fhdr_cnt",
    }
)  # fmt: skip
_NEVER: Final = SampleExpression("always_false", Call("always_false"), (), "bool")


def when_answered(condition: Condition) -> Condition:
    """A condition of a rule about answers, in which what looks at a request's head never matches, as in HAProxy."""
    found = tuple(
        tuple(replace(term, expressions=tuple(map(_when_answered, term.expressions))) for term in terms)
        for terms in condition.alternatives
    )
    return replace(condition, alternatives=found)


def _when_answered(acl: AclExpression) -> AclExpression:
    if acl.criterion.fetch.name not in _OF_REQUESTS:
        return acl
    return replace(acl, criterion=_NEVER, match="bool", patterns=(), files=())
