"""ACLs and the conditions made of them, compiled to predicates (configuration manual, 7.1 and 7.2).

A test whose sample has no value is false, so its negation is true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hapy.acl.patterns import TAKES, Matcher, make_matcher, make_method_matcher
from hapy.samples.casts import cast
from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.expression import compile_values
from hapy.samples.registry import Getter, Lister
from hapy_config.build.patternfiles import entries
from hapy_config.grammar.conditions import DOTTED
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.expressions import AclExpression, Condition, Term

Predicate = Callable[["Transaction"], bool]


def _file_patterns(expression: AclExpression, env: CompileEnv) -> list[str]:
    """The patterns of the -f files: their lines, or first words with -M."""
    patterns = []
    for name in expression.files:
        try:
            content = env.read_file(name)
        except OSError as error:
            raise CompileError(f"failed to open pattern file <{name}>: {error.strerror}", expression.span) from None
        for _, text in entries(content):
            patterns.append(text.split(None, 1)[0] if expression.as_map else text)
    return patterns


def compile_acl(expression: AclExpression, env: CompileEnv) -> Predicate:
    """The predicate of one `acl` line or one `{ … }`.

    Raises:
        CompileError: for a sample that does not run or a pattern that the match method can't take.
    """
    # What a name such as `nbsrv` or `hdr` means depends on the section and on the direction.
    key = (expression, id(env.proxy), env.response)
    cached = env.cache.get(key)
    if cached is not None:
        return cached
    try:
        predicate = _compile_acl(expression, env)
    except CompileError as error:
        raise CompileError(error.message, expression.span) from error
    env.cache[key] = predicate
    return predicate


def _compile_acl(expression: AclExpression, env: CompileEnv) -> Predicate:
    patterns = [*_file_patterns(expression, env), *expression.patterns]
    fast = _fast_path(expression, patterns)
    if fast is not None:
        return fast
    getter, lister, kind = compile_values(expression.criterion, env)
    match = expression.match
    if kind == "meth" and match == "str":
        matcher = make_method_matcher(patterns, ignore_case=expression.ignore_case)
        return _one(getter, matcher)
    matcher = make_matcher(
        match,
        patterns,
        ignore_case=expression.ignore_case,
        resolve=not expression.numeric_only,
        dotted=expression.criterion.fetch.name in DOTTED,
    )
    convert = None if kind == "meth" else cast(kind, TAKES[match])
    if convert is not None:
        matcher = _after(convert, matcher)
    criterion = expression.criterion
    if lister is None or (match == "found" and kind == "str" and criterion.fetch.args and not criterion.converters):
        return _one(getter, matcher)  # the last value tells as well as the first whether there is one
    return _any(lister, matcher)


def _after(convert: Callable[..., object], matcher: Matcher) -> Matcher:
    """A matcher behind a cast; what can't be cast does not match."""

    def match(value: object) -> bool:
        converted = convert(value)
        return converted is not None and matcher(converted)  # type: ignore[arg-type]

    return match


def _one(getter: Getter, matcher: Matcher) -> Predicate:
    def test(txn: Transaction) -> bool:
        value = getter(txn)
        return value is not None and matcher(value)

    return test


def _any(lister: Lister, matcher: Matcher) -> Predicate:
    def test(txn: Transaction) -> bool:
        for value in lister(txn):
            if matcher(value):
                return True
        return False

    return test


def _fast_path(expression: AclExpression, patterns: Sequence[str]) -> Predicate | None:
    """`path` and `path_beg` without copying the path, where no pattern looks past it."""
    criterion = expression.criterion
    if (
        criterion.fetch.name != "path"
        or criterion.converters
        or expression.match != "beg"
        or expression.ignore_case
        or not patterns
        or any("?" in pattern for pattern in patterns)
    ):
        return None
    prefixes = tuple(to_bytes(pattern) for pattern in patterns)
    from hapy.samples.targets import path

    def begins(txn: Transaction) -> bool:
        request = txn.request
        if request is None:
            return False
        target = request.target
        if target[:1] == b"/":
            return target.startswith(prefixes)
        found = path(target)
        return found is not None and found.startswith(prefixes)

    return begins


def _negated(predicate: Predicate) -> Predicate:
    return lambda txn: not predicate(txn)


def _either(predicates: Sequence[Predicate]) -> Predicate:
    """True when any is."""
    if len(predicates) == 1:
        return predicates[0]
    if len(predicates) == 2:
        first, second = predicates
        return lambda txn: first(txn) or second(txn)
    several = tuple(predicates)

    def either(txn: Transaction) -> bool:
        for predicate in several:
            if predicate(txn):
                return True
        return False

    return either


def _both(predicates: Sequence[Predicate]) -> Predicate:
    """True when all are."""
    if len(predicates) == 1:
        return predicates[0]
    if len(predicates) == 2:
        first, second = predicates
        return lambda txn: first(txn) and second(txn)
    several = tuple(predicates)

    def both(txn: Transaction) -> bool:
        for predicate in several:
            if not predicate(txn):
                return False
        return True

    return both


def _term(term: Term, env: CompileEnv) -> Predicate:
    predicate = _either([compile_acl(expression, env) for expression in term.expressions])
    return _negated(predicate) if term.negated else predicate


def compile_condition(condition: Condition, env: CompileEnv) -> Predicate:
    """The predicate of what follows `if` or `unless`.

    Raises:
        CompileError: with the place of the ACL at fault.
    """
    if not condition.alternatives:
        never = condition.unless
        return lambda _: never
    predicate = _either([_both([_term(term, env) for term in terms]) for terms in condition.alternatives])
    return _negated(predicate) if condition.unless else predicate


#: True, False, or None while what has come of the contents doesn't tell.
Staged = Callable[["Transaction"], "bool | None"]


def reads_http(name: str) -> bool:
    """Whether a fetch looks at an HTTP message, whose head may still be on its way in `mode tcp`."""
    from hapy_config.keywords.fetches import find_fetch

    entry = find_fetch(name)
    return entry is not None and "HTTP" in entry.reads


def _staged_acl(expression: AclExpression, env: CompileEnv) -> Staged:
    predicate = compile_acl(expression, env)
    of_head = reads_http(expression.criterion.fetch.name)

    def test(txn: Transaction) -> bool | None:
        content = txn.inspection
        if content is None or content.final:
            return predicate(txn)
        content.undecided = False
        if predicate(txn):
            return True
        return None if content.undecided or (of_head and content.head_pending) else False

    return test


def _staged_either(tests: Sequence[Staged]) -> Staged:
    def either(txn: Transaction) -> bool | None:
        found: bool | None = False
        for test in tests:
            holds = test(txn)
            if holds:
                return True
            if holds is None:
                found = None
        return found

    return either


def _staged_both(tests: Sequence[Staged]) -> Staged:
    def both(txn: Transaction) -> bool | None:
        found: bool | None = True
        for test in tests:
            holds = test(txn)
            if holds is False:
                return False
            if holds is None:
                found = None
        return found

    return both


def _staged_not(test: Staged) -> Staged:
    def negated(txn: Transaction) -> bool | None:
        holds = test(txn)
        return None if holds is None else not holds

    return negated


def compile_staged(condition: Condition, env: CompileEnv) -> Staged:
    """What follows `if` or `unless` in a content rule: a test that can't be told yet leaves the whole open, unless the
    others settle it.

    Raises:
        CompileError: with the place of the ACL at fault.
    """
    if not condition.alternatives:
        never = condition.unless
        return lambda _: never
    alternatives = []
    for terms in condition.alternatives:
        tests = []
        for term in terms:
            test = _staged_either([_staged_acl(expression, env) for expression in term.expressions])
            tests.append(_staged_not(test) if term.negated else test)
        alternatives.append(_staged_both(tests))
    whole = _staged_either(alternatives)
    return _staged_not(whole) if condition.unless else whole
