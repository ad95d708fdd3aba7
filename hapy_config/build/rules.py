"""http-request, http-response, http-after-response, tcp-request, tcp-response and redirect lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from hapy_config.build.actions import READERS, TCP_CAPTURE, Arguments
from hapy_config.build.conditional import condition, rest_condition
from hapy_config.build.context import Build
from hapy_config.build.cursor import Words
from hapy_config.build.draft import BACK, FRONT, Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.build.replies import read_redirect
from hapy_config.build.unknown import unknown_action
from hapy_config.keywords.actions import of_ruleset
from hapy_config.keywords.samples import Place
from hapy_config.keywords.spec import TARGET
from hapy_config.model.expressions import Condition
from hapy_config.model.rules import Redirect, Rule
from hapy_config.syntax import Statement

_BY_RULESET: Final = {
    "http-request": (Place.FRONTEND_HTTP_REQUEST, Place.BACKEND_HTTP_REQUEST),
    "http-response": (Place.FRONTEND_HTTP_RESPONSE, Place.BACKEND_HTTP_RESPONSE),
    "http-after-response": (Place.FRONTEND_HTTP_RESPONSE, Place.BACKEND_HTTP_RESPONSE),
    "tcp-request connection": (Place.FRONTEND_CONNECTION, Place.FRONTEND_CONNECTION),
    "tcp-request session": (Place.FRONTEND_SESSION, Place.FRONTEND_SESSION),
    "tcp-request content": (Place.FRONTEND_CONTENT, Place.BACKEND_CONTENT),
    "tcp-response content": (Place.FRONTEND_RESPONSE_CONTENT, Place.BACKEND_RESPONSE_CONTENT),
}

Found = TypeVar("Found")

#: HTTP actions behind which HAProxy warns of another rule, unless they have a condition.
ENDING: Final = frozenset({"allow", "auth", "deny", "redirect", "return", "tarpit"})


def places_of(ruleset: str, draft: Draft) -> Place:
    """Where the rules of that ruleset run in that section; a listen's run in two places."""
    front, back = _BY_RULESET[ruleset]
    if draft.side == FRONT:
        return front
    return back if draft.side == BACK else front | back


def condition_place(ruleset: str, draft: Draft) -> Place:
    """The place that HAProxy checks a rule's condition for."""
    front, back = _BY_RULESET[ruleset]
    if ruleset in ("http-response", "http-after-response", "tcp-response content"):
        return back if draft.side & BACK else front
    return front if draft.side & FRONT else back


#: Actions that are known by how their word begins, whatever follows up to the parenthesis.
_ANY_ENDING: Final = ("add-acl", "del-acl", "del-map", "set-map")


def known_actions(build: Build, ruleset: str) -> frozenset[str]:
    """The table names of a ruleset's actions: those of 2.6, and of a later version that is spoken."""
    known = of_ruleset(ruleset)
    return known if build.version <= TARGET else known | of_ruleset(ruleset, build.version)


def find_action(build: Build, ruleset: str, word: str) -> str | None:
    """The table name of an action as written, None for an unknown one."""
    known = known_actions(build, ruleset)
    if word in known:
        return word
    name = word.partition("(")[0]
    starred = name + "*"
    if starred in known:
        return starred
    if name.startswith("track-sc") and "track-sc*" in known:
        return "track-sc*"
    for prefix in _ANY_ENDING:  # HAProxy looks at how the word begins
        if name.startswith(prefix) and f"{prefix}*" in known:
            return f"{prefix}*"
    return None


def _read(
    cursor: Words,
    read: Callable[[Words], Found],
    where: Place,
    error: str,
    surplus: Callable[[str], str] | None,
    rule: str = "",
) -> tuple[Found, Condition | None] | None:
    """What `read` makes of a rule's arguments, and the condition behind them; None when something is wrong there.

    All that is wrong has been noted then. `surplus` says what is wrong with another word behind the arguments; without
    it such words are dropped in silence.
    """
    build, draft, statement = cursor.build, cursor.draft, cursor.statement
    try:
        found = read(cursor)
        word = cursor.peek()
        if word and word not in ("if", "unless") and surplus is not None:
            raise Refused(surplus(word), cursor.position)
    except Refused as refusal:
        build.fault(refusal)
        rest_condition(build, draft, statement, cursor.words, cursor.position, where, error, rule)
        return None
    if word not in ("if", "unless"):
        return found, None
    parsed = condition(build, draft, statement, cursor.words, cursor.position, where, error, rule)
    return None if parsed is None else (found, parsed)


def _http_rule(ruleset: str) -> Handler:
    """The handler for one of the three HTTP rulesets."""
    article = "an" if ruleset == "http-request" else "a" if ruleset == "http-response" else "an"

    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        word = words[1] if len(words) > 1 else ""
        action = find_action(build, ruleset, word)
        where = condition_place(ruleset, draft)
        error = f"error detected while parsing {article} '{ruleset} {word}' condition : "
        if action is None:
            if _is_lua(build, ruleset, word):
                _lua_rule(build, draft, statement, words, ruleset, 1)
                return
            build.fault(unknown_action(build, ruleset, word, known_actions(build, ruleset)))
            rest_condition(build, draft, statement, words, 2, where, error)
            return
        prefix = f"error detected in {draft.title} '{draft.name}' while parsing '{ruleset} {word}' rule : "
        if action == "normalize-uri" and not build.experimental:
            build.fault(
                Refused(
                    "'normalize-uri' action is experimental, must be allowed via a global"
                    " 'expose-experimental-directives'",
                    1,
                    code="experimental",
                    hint="add 'expose-experimental-directives' to the global section above",
                )
            )
        cursor = Words(
            build, draft, statement, words, 2, prefix, places_of(ruleset, draft), response=ruleset != "http-request"
        )
        found = _read(
            cursor,
            READERS[action],
            where,
            error,
            lambda extra: (
                f"'{ruleset} {word}' expects either 'if' or 'unless' followed by a condition but found '{extra}'."
            ),
        )
        if found is None:
            return
        arguments, parsed = found
        if ruleset == "http-request":
            build.rule_order(draft, statement, ruleset, ruleset)
        build.watch_action(statement, ruleset, action)
        draft.has_rules = True
        rules = draft.rules.setdefault(ruleset, [])
        if rules and rules[-1].condition is None and rules[-1].action in ENDING:
            build.warning(
                "rule-after-final",
                statement.span(),
                f"previous '{ruleset}' action is final and has no condition attached, further entries are NOOP.",
            )
        rules.append(Rule(ruleset, action, word, arguments, parsed, statement.span()))

    return handle


def _tcp_request(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    kind = words[1] if len(words) > 1 else ""
    if not kind:
        raise Refused(f"missing argument for 'tcp-request' in {draft.title} '{draft.name}'", 1, code="missing-argument")
    if kind == "inspect-delay":
        _inspect_delay(build, draft, statement, words)
        return
    if kind not in ("connection", "session", "content"):
        raise Refused(
            "'tcp-request' expects 'inspect-delay', 'connection', or 'content' in"
            f" {draft.title} '{draft.name}' (got '{kind}')",
            1,
            hint=build.nearest(kind, ("inspect-delay", "connection", "session", "content")),
        )
    if draft.kind == "defaults" and not draft.name:
        raise Refused(f"tcp-request {kind} is not allowed in anonymous 'defaults' sections", 0, code="wrong-section")
    if kind != "content" and not draft.side & FRONT:
        raise Refused(
            f"tcp-request {kind} is not allowed because {draft.title} {draft.name} is not a frontend",
            0,
            code="wrong-section",
        )
    build.rule_order(draft, statement, f"tcp-request {kind}", "tcp-request")
    _tcp_rule(build, draft, statement, words, f"tcp-request {kind}")


def _tcp_response(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    kind = words[1] if len(words) > 1 else ""
    if not kind:
        raise Refused(
            f"missing argument for 'tcp-response' in {draft.title} '{draft.name}'", 1, code="missing-argument"
        )
    if kind == "inspect-delay":
        _inspect_delay(build, draft, statement, words)
        return
    if kind != "content":
        raise Refused(
            f"'tcp-response' expects 'inspect-delay' or 'content' in {draft.title} '{draft.name}' (got '{kind}')", 1
        )
    if not draft.side & BACK or (draft.kind == "defaults" and not draft.name):
        raise Refused(
            "tcp-response content is only allowed in 'backend' sections or 'defaults' section with a name",
            0,
            code="wrong-section",
        )
    _tcp_rule(build, draft, statement, words, "tcp-response content")


def _inspect_delay(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    expected = f"'{words[0]} inspect-delay' expects a positive delay in milliseconds, in {draft.title} '{draft.name}'"
    if draft.kind == "defaults" and not draft.name:
        raise Refused(f"'{words[0]} inspect-delay' is not allowed in anonymous 'defaults' sections", 0)
    if len(words) < 3 or not words[2]:
        raise Refused(expected, 2, code="missing-argument")
    try:
        delay = build.time(statement, words, 2, "")
    except Refused as refusal:
        reason = refusal.message.replace(" in argument to .", "")
        raise Refused(f"{expected} ({reason})", 2, hint=refusal.hint) from None
    known = draft.inspect_delay if words[0] == "tcp-request" else draft.response_inspect_delay
    if known:
        message = f"ignoring {words[0]} inspect-delay (was already defined) in {draft.title} '{draft.name}'"
        build.warning("duplicate", statement.span(), message)
        return
    if words[0] == "tcp-request":
        draft.inspect_delay = delay
    else:
        draft.response_inspect_delay = delay
    draft.settings.append(tuple(words))


def _tcp_rule(build: Build, draft: Draft, statement: Statement, words: list[str], ruleset: str) -> None:
    """A tcp-request or tcp-response rule; words[2] is the action."""
    word = words[2] if len(words) > 2 else ""
    action = find_action(build, ruleset, word) if word else None
    where = condition_place(ruleset, draft)
    error = f"error detected in {draft.title} '{draft.name}' while parsing 'if' condition : "
    if action is None and _is_lua(build, ruleset, word):
        _lua_rule(build, draft, statement, words, ruleset, 2)
        return
    cursor = Words(
        build,
        draft,
        statement,
        words,
        3,
        f"'{ruleset} {word}' : ",
        places_of(ruleset, draft),
        response=ruleset.startswith("tcp-resp"),
    )
    found = _read(
        cursor,
        lambda line: _tcp_arguments(line, ruleset, action, word),
        where,
        error,
        lambda extra: (
            f"'{ruleset} {word}' only accepts 'if' or 'unless', in {draft.title} '{draft.name}' (got '{extra}')"
        ),
        f"in '{ruleset}' ",
    )
    if found is None:
        return
    assert action is not None
    arguments, parsed = found
    build.watch_action(statement, ruleset, action)
    draft.has_rules = True
    draft.rules.setdefault(ruleset, []).append(Rule(ruleset, action, word, arguments, parsed, statement.span()))


def _tcp_arguments(cursor: Words, ruleset: str, action: str | None, word: str) -> Arguments:
    """The arguments of a tcp-request or tcp-response action.

    Raises:
        Refused: when it is none, or its arguments are wrong.
    """
    draft, words = cursor.draft, cursor.words
    if action is None:
        if word == "capture" and ruleset != "tcp-request content":
            got = " ".join(words[2:4])
            raise Refused(f"'{got}' is not allowed in '{ruleset}' rules in {draft.title} '{draft.name}'", 2)
        raise unknown_action(cursor.build, ruleset, word, known_actions(cursor.build, ruleset), index=2)
    if action == "capture":
        return TCP_CAPTURE(cursor)
    if action in ("expect-proxy", "expect-netscaler-cip"):
        got = cursor.peek()
        if got != "layer4":
            raise Refused(f"'{ruleset} {word}' only supports 'layer4' in {draft.title} '{draft.name}' (got '{got}')", 3)
        cursor.position += 1
        return {}
    return READERS[action](cursor)


def _is_lua(build: Build, ruleset: str, word: str) -> bool:
    """Whether it is an action that a Lua file registers."""
    return build.lua and word.startswith("lua.") and build.lua_names.knows_action(word[4:], ruleset)


def _lua_rule(build: Build, draft: Draft, statement: Statement, words: list[str], ruleset: str, index: int) -> None:
    """An action that a Lua file registers: what its arguments mean is that file's business."""
    build.note_lua(statement, index, f"'{ruleset} {words[index]}'")
    prefix = f"error detected while parsing an '{ruleset} {words[index]}' condition : "
    known = build.lua_names.actions.get(words[index][4:])
    if known is not None and known.arguments is not None:
        given = len(words) - index - 1
        if given < known.arguments:
            build.fault(Refused(f"'{ruleset} {words[index]}' : expect {known.arguments} arguments.", len(words) - 1))
        elif given > known.arguments and words[index + known.arguments + 1] not in ("if", "unless"):
            place = index + known.arguments + 1
            build.fault(
                Refused(
                    f"'{ruleset} {words[index]}' expects either 'if' or 'unless' followed by a condition but found"
                    f" '{words[place]}'.",
                    place,
                )
            )
        index += min(known.arguments, given)
    rest_condition(build, draft, statement, words, index + 1, condition_place(ruleset, draft), prefix)


def _redirect(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    prefix = f"error detected in {draft.title} '{draft.name}' while parsing redirect rule : "
    place = places_of("http-request", draft)
    cursor = Words(build, draft, statement, words, 1, prefix, place)
    where, error = condition_place("http-request", draft), f"{prefix}error in condition: "
    read = _read(cursor, lambda line: read_redirect(line, formatted=False), where, error, None)
    if read is None:
        return
    found, parsed = read
    build.rule_order(draft, statement, "redirect", "redirect")
    draft.redirects.append(
        Redirect(
            found.kind,
            found.target,
            found.code,
            found.drop_query,
            found.append_slash,
            found.ignore_empty,
            found.set_cookie,
            found.clear_cookie,
            parsed,
            statement.span(),
        )
    )


HANDLERS: Final[dict[str, Handler]] = {
    "http-request": _http_rule("http-request"),
    "http-response": _http_rule("http-response"),
    "http-after-response": _http_rule("http-after-response"),
    "tcp-request": _tcp_request,
    "tcp-response": _tcp_response,
    "redirect": _redirect,
}
