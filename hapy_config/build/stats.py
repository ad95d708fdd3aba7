"""`stats …` of a proxy section (configuration manual, section 4.2).

A section that says anything of its own takes over nothing of what its defaults section says of the page.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from hapy_config.build.actions import READERS
from hapy_config.build.conditional import condition, rest_condition
from hapy_config.build.context import Build
from hapy_config.build.cursor import Words
from hapy_config.build.draft import FRONT, Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.build.rules import condition_place, find_action, known_actions, places_of
from hapy_config.build.unknown import unknown_action
from hapy_config.keywords.samples import Place
from hapy_config.model.rules import Rule
from hapy_config.model.statistics import REALM, StatsPage
from hapy_config.syntax import Statement

_EXPECTED: Final = (
    "expects 'admin', 'uri', 'realm', 'auth', 'scope', 'enable', 'hide-version', 'show-node', 'show-desc' or"
    " 'show-legends'."
)
_NEEDED: Final = {
    "uri": "'uri' needs an URI prefix.",
    "realm": "'realm' needs an realm name.",
    "auth": "'auth' needs a user:password account.",
    "scope": "'scope' needs a proxy name.",
    "refresh": "'refresh' needs an interval in seconds.",
}
_WORDS: Final = (
    *_NEEDED,
    "admin",
    "enable",
    "hide-version",
    "show-node",
    "show-desc",
    "show-legends",
    "show-modules",
    "http-request",
)


def _stats(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    what = words[1] if len(words) > 1 else ""
    if not what:
        raise Refused(f"missing keyword in 'stats', {_EXPECTED}", 1, code="missing-argument")
    if what not in _WORDS:
        raise Refused(
            f"unknown stats parameter '{what}', {_EXPECTED}",
            1,
            code="unknown-keyword",
            hint=build.nearest(what, _WORDS),
        )
    missing = _NEEDED.get(what)
    if missing is not None and (len(words) < 3 or not words[2]):
        raise Refused(missing, 2, code="missing-argument")
    if what == "show-node" and len(words) > 2 and not re.fullmatch(r"[A-Za-z0-9_.-]*", words[2]):
        raise Refused(
            "'stats show-node' invalid node name - should be a stringwith digits(0-9), letters(A-Z, a-z), hyphen(-) or"
            " underscode(_).",
            2,
        )
    if words[1:] == ["show-desc"] and not build.global_.get("description"):
        build.warning(
            "missing-argument",
            statement.span(),
            "'show-desc' requires a parameter or 'desc' to be set in the global section.",
        )
    page = draft.stats
    if page is None or (draft.parent is not None and page is draft.parent.stats):
        page = StatsPage()
    if what == "admin":
        page = _admin(build, draft, statement, words, page)
    elif what == "http-request":
        page = _http_request(build, draft, statement, words, page)
    else:
        page = _setting(build, statement, words, page)
    draft.stats = page
    if words[1:] != ["show-desc"]:
        draft.stats_statement = statement


def _setting(build: Build, statement: Statement, words: list[str], page: StatsPage) -> StatsPage:
    """The page with one more of what takes no condition."""
    match words[1]:
        case "uri":
            return replace(page, uri=words[2])
        case "realm":
            return replace(page, realm=words[2])
        case "auth":
            user, _colon, password = words[2].partition(":")
            if any(user == known for known, _password in page.accounts):
                build.warning("duplicate-name", statement.span(2), f"uri auth: ignoring duplicated user '{user}'.")
                return page
            return replace(page, accounts=(*page.accounts, (user, password)))
        case "scope":
            return replace(page, scope=(*page.scope, words[2]))
        case "refresh":
            return replace(page, refresh=-(-build.time(statement, words, 2, "stats refresh interval", "s") // 1000))
        case "hide-version":
            return replace(page, hide_version=True)
        case "show-node":
            return replace(page, show_node=words[2] if len(words) > 2 else "")
        case "show-desc":
            return replace(page, show_description=" ".join(words[2:]))
        case "show-legends":
            return replace(page, show_legends=True)
        case "show-modules":
            return replace(page, show_modules=True)
        case _:
            return page


def _admin(build: Build, draft: Draft, statement: Statement, words: list[str], page: StatsPage) -> StatsPage:
    if draft.kind == "defaults":
        raise Refused("'stats admin' not allowed in 'defaults' section.", 0, code="wrong-section")
    if len(words) < 3 or words[2] not in ("if", "unless"):
        raise Refused("'stats admin' requires either 'if' or 'unless' followed by a condition.", 2)
    place = Place.FRONTEND_HTTP_REQUEST if draft.side & FRONT else Place.BACKEND_HTTP_REQUEST
    parsed = condition(build, draft, statement, words, 2, place, "error detected while parsing a 'stats admin' rule : ")
    return page if parsed is None else replace(page, admin=(*page.admin, parsed))


def _http_request(build: Build, draft: Draft, statement: Statement, words: list[str], page: StatsPage) -> StatsPage:
    if draft.kind == "defaults":
        raise Refused("'stats http-request' not allowed in 'defaults' section.", 0, code="wrong-section")
    word = words[2] if len(words) > 2 else ""
    action = find_action(build, "http-request", word)
    where = condition_place("http-request", draft)
    error = f"error detected while parsing an 'http-request {word}' condition : "
    if action is None:
        build.fault(unknown_action(build, "http-request", word, known_actions(build, "http-request"), index=2))
        rest_condition(build, draft, statement, words, 3, where, error)
        return page
    prefix = f"error detected in {draft.title} '{draft.name}' while parsing 'http-request {word}' rule : "
    cursor = Words(build, draft, statement, words, 3, prefix, places_of("http-request", draft))
    try:
        arguments = READERS[action](cursor)
    except Refused as refusal:
        build.fault(refusal)
        rest_condition(build, draft, statement, words, cursor.position, where, error)
        return page
    index = cursor.position
    parsed = None
    if index < len(words) and words[index]:
        if words[index] not in ("if", "unless"):
            build.fault(
                Refused(
                    f"'http-request {word}' expects either 'if' or 'unless' followed by a condition but found"
                    f" '{words[index]}'.",
                    index,
                )
            )
            rest_condition(build, draft, statement, words, index, where, error)
            return page
        parsed = condition(build, draft, statement, words, index, where, error)
        if parsed is None:
            return page
    build.watch_action(statement, "stats http-request", action)
    if action == "auth" and not arguments.get("realm"):
        arguments = {**arguments, "realm": REALM}
    rule = Rule("http-request", action, word, arguments, parsed, statement.span())
    return replace(page, rules=(*page.rules, rule))


HANDLERS: Final[dict[str, Handler]] = {"stats": _stats}
