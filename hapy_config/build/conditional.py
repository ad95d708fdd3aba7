"""`acl`, and what is little more than a condition: use_backend, use-server, force-persist, monitor fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from hapy_config.build.context import Build
from hapy_config.build.draft import FRONT, Draft
from hapy_config.build.expressions import error_hint, log_format, only_here
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.grammar.conditions import check_acl_name, parse_acl, parse_condition, predefined, unavailable
from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.expressions import needs, places
from hapy_config.keywords.acls import PREDEFINED
from hapy_config.keywords.samples import PLACE_NAMES, Place
from hapy_config.model.expressions import AclExpression, Condition
from hapy_config.model.proxy import PersistRule
from hapy_config.model.rules import UseBackend, UseServer
from hapy_config.syntax import Statement

_NOWHERE: Final = Place(0)
#: The first version that predefines `HTTP_2.0`.
_HTTP_2_SINCE: Final = (2, 4)
_EMPTY: Final = "requires either 'if' or 'unless' followed by a condition."


_Warn = Callable[[str, int], None]
_Parsed = TypeVar("_Parsed")


def _parsed(
    build: Build,
    statement: Statement,
    parse: Callable[[_Warn], _Parsed],
    refuse: Callable[[GrammarError], None],
) -> _Parsed | None:
    """What a parser makes of a statement, its warnings noted; None where it has errors, which are then told."""
    warnings: list[tuple[str, int]] = []
    try:
        parsed = parse(lambda message, index: warnings.append((message, index)))
    except GrammarError as error:
        for one in error:
            if only_here(one):
                build.note_regex(statement, one)
            else:
                refuse(one)
        return None
    for message, index in warnings:
        build.warning("no-pattern", statement.span(index), message)
    return parsed


def acl(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    """`acl NAME CRITERION …`."""
    name = words[1] if len(words) > 1 else ""
    if not name:
        raise Refused("'acl' expects a name and a criterion.", 1, code="missing-argument")
    fault = check_acl_name(name)
    if fault:
        build.fault(Refused(f"{fault}.", 1, code="bad-name"))
    elif name.lower() == "or":
        build.fault(
            Refused(
                f"acl name '{name}' will never match. 'or' is used to express a logical disjunction within a"
                " condition.",
                1,
                code="bad-name",
            )
        )
    prefix = f"error detected while parsing ACL '{name}' : "

    def refuse(one: GrammarError) -> None:
        build.fault(Refused(f"{prefix}{one.message}.", one.word, code="bad-acl", hint=error_hint(one)))

    def parse(warn: _Warn) -> AclExpression:
        return parse_acl(words, 2, span=statement.span(), warn=warn, resolve=build.resolve)

    parsed = _parsed(build, statement, parse, refuse)
    if parsed is None:  # rules that name it are read on
        draft.acls.setdefault(name, []).extend(predefined("FALSE"))
        return
    build.check_pattern_files(parsed, statement, prefix)
    _note_id(build, statement, parsed, prefix)
    build.note_criterion(draft, statement, parsed.criterion)
    if parsed.criterion.fetch.name == "http_auth_group":
        build.group_acls.append((draft, statement, name, parsed))
    where = places(parsed.criterion)
    own = draft.acls.get(name)
    if own is None:
        draft.acls[name] = [parsed]
        draft.acl_places[name] = where
    else:
        own.append(parsed)
        draft.acl_places[name] = draft.acl_places.get(name, where) & where
        draft.late_acls = draft.late_acls or name in draft.used_acls


def condition(
    build: Build,
    draft: Draft,
    statement: Statement,
    words: list[str],
    index: int,
    where: Place,
    prefix: str,
    rule: str = "",
) -> Condition | None:
    """The condition that begins at `index` with `if` or `unless`; None where it has errors, which are then noted.

    Args:
        build: the configuration being built.
        draft: the section whose ACLs count.
        statement: where findings are placed.
        words: the statement's words.
        index: where `if` or `unless` stands.
        where: the place it is evaluated in; tests whose data isn't there are warned of.
        prefix: what error messages begin with.
        rule: what warnings call the rule.
    """

    def parse(warn: _Warn) -> Condition:
        return parse_condition(words, draft.acls, index, span=statement.span(), warn=warn, resolve=build.resolve)

    parsed = _parsed(build, statement, parse, lambda one: _acl_error(build, draft, statement, one, prefix))
    if parsed is None:
        return None
    plain = True
    for alternative in parsed.alternatives:
        for term in alternative:
            if term.name:
                draft.used_acls.add(term.name)
                if build.version < _HTTP_2_SINCE and term.name == "HTTP_2.0" and term.name not in draft.acls:
                    build.error("bad-condition", statement.span(), f"{prefix}no such ACL : '{term.name}'.")
                if draft.acl_places.get(term.name, _NOWHERE) & where:
                    continue
            for expression in term.expressions:
                if not places(expression.criterion) & where:
                    plain = False
                if term.name not in draft.acls:
                    _note_id(build, statement, expression, prefix)
                if not term.name:
                    build.note_criterion(draft, statement, expression.criterion)
                    if expression.criterion.fetch.name == "http_auth_group":
                        build.group_acls.append((draft, statement, "", expression))
                    if expression.files:
                        build.check_pattern_files(expression, statement, prefix)
    if not plain:
        _warn_unavailable(build, statement, parsed, where, index, rule)
    return parsed


def _note_id(build: Build, statement: Statement, test: AclExpression, prefix: str) -> None:
    """An id (`-u`) may be given once; -1 is the id of all tests to which none is given, and of maps."""
    if any(call.name.partition("_")[0] == "map" for call in test.criterion.converters):
        build.acl_ids.add(-1)
    if test.unique_id in build.acl_ids:
        build.error("duplicate-id", statement.span(), f"{prefix}the id is already used.")
    build.acl_ids.add(-1 if test.unique_id is None else test.unique_id)


def rest_condition(
    build: Build,
    draft: Draft,
    statement: Statement,
    words: list[str],
    index: int,
    where: Place,
    prefix: str,
    rule: str = "",
) -> None:
    """Check the condition behind what was refused from `index` on, if there is one."""
    while index < len(words) and words[index] not in ("if", "unless"):
        index += 1
    if index < len(words):
        condition(build, draft, statement, words, index, where, prefix, rule)


def _acl_error(build: Build, draft: Draft, statement: Statement, error: GrammarError, prefix: str) -> None:
    hint = error_hint(error)
    _, found, rest = error.message.partition("no such ACL : '")
    if found:
        hint = build.nearest(rest.rstrip("'"), (*draft.acls, *PREDEFINED))
    build.error("bad-condition", statement.span(error.word), f"{prefix}{error.message}.", hint)


def _warn_unavailable(
    build: Build, statement: Statement, parsed: Condition, where: Place, index: int, rule: str
) -> None:
    term, expression = unavailable(parsed, where)[0]
    title = f"acl '{term.name}'" if term.name else "anonymous acl"
    name = PLACE_NAMES.get(Place(where & -where), "this place")
    keyword = expression.criterion.fetch.name
    build.warning(
        "never-matches",
        statement.span(index),
        f"{title} will never match {rule}because it uses keyword '{keyword}' which is incompatible with '{name}'",
        f"'{keyword}' needs: {needs(expression.criterion)}",
    )


def complete_acls(draft: Draft) -> None:
    """Lines that add to an ACL after a rule has named it count for that rule too."""
    conditions: list[Condition | None] = [rule.condition for rules in draft.rules.values() for rule in rules]
    for rules in (draft.use_backends, draft.use_servers, draft.persist_rules, draft.redirects):
        conditions.extend(rule.condition for rule in rules)
    conditions.extend(draft.monitor_fail)
    complete = {name: tuple(expressions) for name, expressions in draft.acls.items() if name in draft.used_acls}
    for found in conditions:
        for alternative in found.alternatives if found is not None else ():
            for term in alternative:
                if term.name in complete:
                    # The terms were made in this build and nobody else has seen them.
                    object.__setattr__(term, "expressions", complete[term.name])


def _use_backend(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    target = words[1] if len(words) > 1 else ""
    if not target:
        raise Refused("'use_backend' expects a backend name.", 1, code="missing-argument")
    parsed: Condition | None = None
    where, error = Place.FRONTEND_USE_BACKEND, "error detected while parsing switching rule : "
    if len(words) > 2 and words[2]:
        if words[2] not in ("if", "unless"):
            message = f"unexpected keyword '{words[2]}' after switching rule, only 'if' and 'unless' are allowed."
            build.fault(Refused(message, 2))
            rest_condition(build, draft, statement, words, 3, where, error)
        else:
            parsed = condition(build, draft, statement, words, 2, where, error)
    if draft.side & FRONT:
        build.rule_order(draft, statement, "use_backend", "use_backend")
    draft.use_backends.append(UseBackend(target, parsed, statement.span()))
    draft.use_backend_statements.append(statement)


def _use_server(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    target = words[1] if len(words) > 1 else ""
    if not target:
        raise Refused("'use-server' expects a server name.", 1, code="missing-argument")
    if len(words) < 3 or words[2] not in ("if", "unless"):
        raise Refused("'use-server' requires either 'if' or 'unless' followed by a condition.", 2)
    build.rule_order(draft, statement, "use-server", "use-server")
    parsed = condition(
        build,
        draft,
        statement,
        words,
        2,
        Place.BACKEND_SERVER,
        "error detected while parsing switching rule : ",
    )
    if "%" in target:
        found = log_format(build, draft, statement, target, 1, Place.BACKEND_SERVER, "use-server rule: ")
        if parsed is None:
            return
        draft.use_servers.append(UseServer(target if found.constant == target else found, parsed, statement.span()))
    elif parsed is not None:
        draft.use_servers.append(UseServer(target, parsed, statement.span()))


def _persist(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    name = words[0]
    if len(words) < 2 or words[1] not in ("if", "unless"):
        raise Refused(f"'{name}' requires either 'if' or 'unless' followed by a condition.", 1)
    parsed = condition(
        build,
        draft,
        statement,
        words,
        1,
        Place.FRONTEND_USE_BACKEND,
        f"error detected while parsing a '{name}' rule : ",
    )
    if parsed is not None:
        draft.persist_rules.append(PersistRule(name == "force-persist", parsed))


def _monitor(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2 or words[1] != "fail":
        raise Refused("'monitor' only supports 'fail'.", 1)
    if len(words) < 3 or words[2] not in ("if", "unless"):
        raise Refused("'monitor fail' requires either 'if' or 'unless' followed by a condition.", 2)
    build.rule_order(draft, statement, "monitor fail", "monitor fail")
    parsed = condition(
        build,
        draft,
        statement,
        words,
        2,
        Place.FRONTEND_HTTP_REQUEST,
        "error detected while parsing a 'monitor fail' condition : ",
    )
    if parsed is not None and draft.side & FRONT:
        draft.monitor_fail.append(parsed)


HANDLERS: Final[dict[str, Handler]] = {
    "acl": acl,
    "use_backend": _use_backend,
    "use-server": _use_server,
    "force-persist": _persist,
    "ignore-persist": _persist,
    "monitor": _monitor,
}
