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
        for line in content.decode("utf-8", "surrogateescape").split("\n"):
            if line.startswith("#"):
                continue
            text = line.strip(" \t\r")
            if text:
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
    matcher = make_matcher(match, patterns, ignore_case=expression.ignore_case, resolve=not expression.numeric_only)
    convert = None if kind == "meth" else cast(kind, TAKES[match])
    if convert is not None:
        matcher = _after(convert, matcher)
    if lister is None or (match == "found" and expression.criterion.fetch.args):
        return _one(getter, matcher)
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
