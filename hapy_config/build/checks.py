"""http-check and tcp-check rules (configuration manual, section 4.2), to the steps of the model."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from hapy_config.build.addressing import address
from hapy_config.build.context import Build
from hapy_config.build.cursor import Words
from hapy_config.build.draft import Draft
from hapy_config.build.expressions import log_format
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.diagnostics import Severity
from hapy_config.grammar.addresses import AddressUse
from hapy_config.grammar.checks import variable, variable_conditions
from hapy_config.grammar.units import is_number, leading_integer
from hapy_config.keywords.samples import Place
from hapy_config.model.checks import (
    CheckComment,
    CheckConnect,
    CheckExpect,
    CheckRequest,
    Checks,
    CheckSend,
    CheckSetVar,
    CheckStep,
    TextPattern,
)
from hapy_config.model.expressions import FormatText, LogFormat
from hapy_config.syntax import Statement
from hapy_config.words import to_bytes

_CHECK_ADDRESS: Final = AddressUse()
_HTTP: Final = (
    "'disable-on-404', 'send-state', 'comment', 'connect', 'send', 'expect', 'set-var-fmt(*)', 'set-var(*)',"
    " 'unset-var(*)'"
)
_TCP: Final = "'comment', 'connect', 'send', 'send-binary', 'expect', 'set-var-fmt(*)', 'set-var(*)', 'unset-var(*)'"
#: Where the request of an inherited `option httpchk` stands among the steps of a section with rules of its own.
_INHERITED: Final = "inherited"
#: A code or a range in a list of status codes; a number that is left out is 0.
_STATUS_RANGE: Final = re.compile(r"([0-9]*)(?:(-)([0-9]*))?")

_Reader = Callable[[Words], CheckStep]
_VARIABLES: Final = frozenset({"set-var", "set-var-fmt", "unset-var"})


def _comment(words: Words) -> CheckStep:
    return CheckComment(words.take("expects a string as argument"), words.statement.span())


def _connect(words: Words) -> CheckStep:
    kind = words.statement.words[0]
    found: dict[str, Any] = {}
    while word := words.peek():
        words.position += 1
        if word == "port":
            found["port"] = _port(words)
        elif word == "addr":
            found["address"] = _addr(words)
        elif word in ("comment", "sni", "alpn", "proto"):
            text = words.take(f"'{word}' expects a string as argument.")
            if word == "proto" and text not in ("h1", "h2", "fcgi", "none"):
                words.fault(f"'proto' : unknown MUX protocol '{text}'.", words.position - 1)
            elif word == "proto" and (text == "none") == (kind == "http-check"):
                words.fault(f"'proto' : invalid MUX protocol '{text}' for {kind}", words.position - 1)
            elif word == "proto" and text in ("h2", "fcgi"):
                _note(words, f"'proto {text}' of a check", "only HTTP/1 is spoken", Severity.ERROR)
            found[word] = text
        elif word in ("default", "send-proxy", "via-socks4", "linger", "ssl"):
            found[{"send-proxy": "send_proxy", "via-socks4": "socks4"}.get(word, word)] = True
            if word == "ssl":
                words.draft.tls_checks = True
            elif word == "via-socks4":
                _note(words, "'via-socks4' of a check", "the check goes directly", Severity.WARNING)
        else:
            words.fault(
                "expects 'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn' or 'via-socks4', 'linger',"
                f" 'default' but got '{word}' as argument.",
                words.position - 1,
            )
    return CheckConnect(**found, span=words.statement.span())


def _note(words: Words, title: str, loss: str, severity: Severity) -> None:
    words.build.note_check(words.statement, words.position - 1, title, loss, severity)


def _port(words: Words) -> object:
    text = words.take("'port' expects a port number or a sample expression as argument.")
    if is_number(text):
        if not 1 <= int(text) <= 65535:
            words.fault(
                f"expects a valid TCP port (from range 1 to 65535) or a sample expression, got {text}.",
                words.position - 1,
            )
        return int(text)
    words.position -= 1
    prefix = words.prefix
    words.prefix = f"{prefix}error detected while parsing port expression : "
    found = words.expression()
    words.prefix = prefix
    return found


def _addr(words: Words) -> object:
    text = words.take("'addr' expects an address as argument.")
    return address(words.build, text, words.position - 1, _CHECK_ADDRESS, f"{words.prefix}'addr' : ")


def _set_var(words: Words) -> CheckStep:
    word, opened, rest = words.action_word.partition("(")
    if opened and not rest.endswith(")"):
        raise words.refuse(f"'{word}' : incomplete argument after action '{words.action_word}'.", words.start - 1)
    name, *given = rest.removesuffix(")").split(",")
    conditions = tuple(filter(None, given))
    fault = variable(name)
    if fault:
        words.fault(f"'{word}' : {fault}", words.start - 1)
    span = words.statement.span()
    fault = variable_conditions(word, conditions)
    if fault:
        words.fault(f"'{word}' : {fault}", words.start - 1)
    if word == "unset-var":
        return CheckSetVar(name, span=span)
    if word == "set-var-fmt":
        text = words.peek()
        words.position += 1
        found = words.format(text, words.position - 1)
        return CheckSetVar(name, format=found, conditions=conditions, span=span)
    return CheckSetVar(name, words.expression(), conditions=conditions, span=span)


def _send(words: Words) -> CheckStep:
    """`http-check send`."""
    found: dict[str, Any] = {}
    headers: list[tuple[str, LogFormat]] = []
    while word := words.peek():
        words.position += 1
        if word in ("meth", "uri", "ver", "body", "comment"):
            text = words.take(f"'{word}' expects a string as argument.")
            if word == "meth" and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", text):
                words.fault(f"invalid method '{text}'", words.position - 1)
            found[{"meth": "method", "ver": "version"}.get(word, word)] = text
            if word in ("uri", "body"):
                found[f"{word}_format"] = None
        elif word in ("uri-lf", "body-lf"):
            text = words.take(f"'{word}' expects a string as argument.")
            name = word.removesuffix("-lf")
            found[f"{name}_format"] = _format(words, text, words.position - 1)
            found[name] = None
        elif word == "hdr":
            name, value = words.exactly(2, "'hdr' expects <name> and <value> as arguments")
            headers.append((name, words.format(value, words.position - 1)))
        else:
            words.fault(
                f"expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' but got '{word}' as"
                " argument.",
                words.position - 1,
            )
    return CheckRequest(**found, headers=tuple(headers), span=words.statement.span())


def _format(words: Words, text: str, place: int) -> LogFormat:
    """A log format string, of which HAProxy speaks in other words here."""
    try:
        return log_format(words.build, words.draft, words.statement, text, place, words.places)
    except Refused as refusal:
        for one in refusal:
            reason = one.message.removesuffix(".")
            words.fault(f"'{text}' invalid log-format string ({reason}).\n", place, hint=one.hint)
        return LogFormat(text, ())


def _tcp_send(words: Words) -> CheckStep:
    word = words.action_word
    text = words.take(f"'{word}' expects a string as argument.")
    data: bytes | None = None
    fmt: LogFormat | None = None
    comment = ""
    if word.endswith("-lf"):
        fmt = _format(words, text, words.position - 1)
    elif word == "send-binary":
        data = _binary(words, text, words.position - 1)
    else:
        data = to_bytes(text)
    if words.peek() == "comment":
        words.position += 1
        comment = words.take("'comment' expects a string as argument.")
    if words.peek():
        raise words.refuse(f"expects 'comment' but got '{words.peek()}' as argument.")
    return CheckSend(data, fmt, word.startswith("send-binary"), comment, words.statement.span())


def _binary(words: Words, text: str, place: int, *, expect: bool = False) -> bytes:
    bad = next((character for character in text if character not in "0123456789abcdefABCDEF"), None)
    reason = ""
    if bad is not None:
        reason = f"an hex digit is expected (found '{bad}')"
    elif len(text) % 2:
        reason = "an even number of hex digit is expected"
    if reason:
        where = "invalid binary string" if expect else f"'{text}' invalid binary string"
        words.fault(f"{where} ({reason})", place)
        return b""
    return bytes.fromhex(text)


_PATTERNS: Final = {
    "http": ("string", "rstring", "string-lf", "status", "rstatus", "hdr", "fhdr"),
    "tcp": ("binary", "binary-lf", "string", "rstring", "string-lf", "rbinary"),
}
_ONLY: Final = {
    "http": (
        "'only supports min-recv, [!]string', '[!]rstring', '[!]string-lf', '[!]status', '[!]rstatus', [!]hdr,"
        " [!]fhdr or"
        " comment but got '{}' as argument."
    ),
    "tcp": (
        "'only supports min-recv, '[!]binary', '[!]string', '[!]rstring', '[!]string-lf''[!]rbinary', '[!]binary-lf' or"
        " comment but got '{}' as argument."
    ),
}
#: The results of a check that each option can name, in capitals or not.
_STATUSES: Final = {
    "ok-status": ("L4OK", "L6OK", "L7OK", "L7OKC"),
    "error-status": ("L4CON", "L6RSP", "L7RSP", "L7STS", "L7OKC"),
    "tout-status": ("L4TOUT", "L6TOUT", "L7TOUT"),
}


def _expect(kind: str) -> _Reader:
    def read(words: Words) -> CheckStep:
        if not words.peek():
            raise words.refuse("expects at least a matching pattern as arguments")
        found: dict[str, Any] = {}
        while word := words.peek():
            words.position += 1
            marks = word
            inverse = False
            while word.startswith("!"):
                inverse = not inverse
                word = word[1:] or words.take("expects a matching pattern after '!'")
            marked = marks.startswith("!")
            if word in _PATTERNS[kind] and "match" not in found:
                found |= {"match": word, "inverse": inverse}
                _pattern(words, word, found)
            elif marked or not _expect_option(words, word, found):
                hint = words.build.nearest(word, (*_PATTERNS[kind], *_EXPECT_OPTIONS))
                words.fault(_ONLY[kind].format(word), words.position - 1, hint=hint)
        if "match" not in found:
            raise words.refuse("expects at least a matching pattern as arguments")
        return CheckExpect(**found, span=words.statement.span())

    return read


def _pattern(words: Words, word: str, found: dict[str, Any]) -> None:
    if word in ("hdr", "fhdr"):
        _header_pattern(words, word, found)
        return
    text = found["pattern"] = words.take(f"'{word}' expects a <pattern> as argument")
    place = words.position - 1
    if word in ("rstring", "rstatus", "rbinary"):
        words.regex(text, place)
    elif word == "status":
        _status_list(words, text, place)
    elif word == "binary":
        _binary(words, text, place, expect=True)
    elif word.endswith("-lf"):
        found["format"] = _format(words, text, place)


def _status_list(words: Words, text: str, place: int) -> None:
    """Codes and ranges with commas between them."""
    position = 0
    while position < len(text):
        match = _STATUS_RANGE.match(text, position)
        assert match is not None
        if match[2] and int(match[1] or 0) > int(match[3] or 0):
            words.fault(f"invalid range of status codes '{text}'", place)
            return
        position = match.end()
        if position < len(text) and text[position] != ",":
            words.fault(f"invalid character '{text[position]}' in the list of status codes", place)
            return
        position += 1


def _header_pattern(words: Words, word: str, found: dict[str, Any]) -> None:
    for kind in ("name", "value"):
        part = words.peek()
        if part not in (kind, f"{kind}-lf"):
            break
        words.position += 1
        method = ""
        if words.peek() == "-m":
            method = words.peek(1)
            if method not in ("str", "beg", "end", "sub", "reg"):
                words.fault(f"-m flag expects a valid matching method, got '{method}'", words.position + 1)
            words.position += 2
        place = words.position
        alone = kind == "name" and method and not words.peek()  # HAProxy takes a name's `-m beg` alone
        text = "" if alone else words.take(f"'{part}' expects a string")
        if part.endswith("-lf"):
            found[kind] = TextPattern(text, method or "str", _format(words, text, place))
            continue
        if method == "reg":
            words.regex(text, place)
        found[kind] = TextPattern(text, method or "str")
    if "name" not in found:
        raise words.refuse(f"'{word}' expects at the keyword name as first argument followed by a pattern")


_EXPECT_OPTIONS: Final = (
    *("min-recv", "comment", "on-success", "on-error"),
    *("status-code", "ok-status", "error-status", "tout-status"),
)


def _expect_option(words: Words, word: str, found: dict[str, Any]) -> bool:
    if word == "min-recv":
        text = words.take("'min-recv' expects a integer as argument.")
        number = leading_integer(text)
        if number < -1 or number > 2**31 - 1:
            words.fault("'min-recv' expects -1 or an integer from 0 to INT_MAX.", words.position - 1)
        found["min_recv"] = number
    elif word == "comment":
        found["comment"] = words.take(f"'{word}' expects a string as argument.")
    elif word in ("on-success", "on-error"):
        text = words.take(f"'{word}' expects a string as argument.")
        found[word.replace("-", "_")] = _format(words, text, words.position - 1)
    elif word == "status-code":
        if not words.peek():
            raise words.refuse(f"'{word}' expects a string as argument.", code="missing-argument")
        found["status_code"] = words.expression()
    elif word in ("ok-status", "error-status", "tout-status"):
        text = words.take(f"'{word}' expects a string as argument.")
        allowed = _STATUSES[word]
        if text.upper() not in allowed:
            # HAProxy takes L7OKC here, as its manual says, but does not tell of it
            *most, last = (f"'{name}'" for name in allowed if (word, name) != ("error-status", "L7OKC"))
            message = f"'{word}' only supports {', '.join(most)} or {last} status (got '{text}')."
            words.fault(message, words.position - 1, hint=words.build.nearest(text.upper(), allowed))
        found[word.replace("-", "_")] = text.upper()
    else:
        return False
    return True


def _rules(kind: str) -> Handler:
    """The handler for http-check or tcp-check."""
    readers: dict[str, _Reader] = {
        "comment": _comment,
        "connect": _connect,
        "expect": _expect(kind),
        "set-var": _set_var,
        "set-var-fmt": _set_var,
        "unset-var": _set_var,
    }
    if kind == "http":
        readers["send"] = _send
    else:
        for name in ("send", "send-lf", "send-binary", "send-binary-lf"):
            readers[name] = _tcp_send
    name = f"{kind}-check"

    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        word = words[1] if len(words) > 1 else ""
        if kind == "http" and word in ("disable-on-404", "send-state"):
            if len(words) > 2:
                raise Refused(f"'http-check' cannot handle unexpected argument '{words[2]}'.", 2)
            draft.settings.append(tuple(words))
            return
        name_of_action, opened, _ = word.partition("(")
        reader = readers.get(word if opened and name_of_action not in _VARIABLES else name_of_action)
        if reader is None:
            listed = _HTTP if kind == "http" else _TCP
            raise Refused(f"'{name}' only supports {listed}. but got '{word}'", 1, hint=build.nearest(word, readers))
        prefix = f"'{name} {word}' : "
        step = reader(Words(build, draft, statement, words, 2, prefix, Place.CHECK))
        begin_own(draft, name)
        draft.check_families |= {name}
        _in_order(draft, name, word)
        draft.check_rules = (*draft.check_rules, (name, word))
        draft.check_steps = (*draft.check_steps, (name, step))
        draft.settings.append(tuple(words))

    return handle


def begin_own(draft: Draft, family: str) -> None:
    """A section's first rule of a family takes the place of all that it would have inherited.

    An inherited `option httpchk` still says what to ask where no rule of the section does; HAProxy 2.6 then asks for
    nothing, and no server ever passes.
    """
    if family in draft.own_checks:
        return
    draft.own_checks |= {family}
    draft.check_rules = tuple(rule for rule in draft.check_rules if rule[0] != family)
    draft.check_steps = tuple(
        (_INHERITED if name == "httpchk" and family == "http-check" else name, step)
        for name, step in draft.check_steps
        if name != family
    )


def _in_order(draft: Draft, name: str, word: str) -> None:
    """A `connect` must come before anything else that is done; HTTP goes connect, send, expect, and round again."""
    own = [action for family, action in draft.check_rules if family == name]
    steps = [action for action in own if not action.startswith(("comment", "set-var", "unset-var"))]
    if word == "connect" and steps and steps[0] != "connect":
        raise Refused(
            f"'{name} connect' : first step MUST also be a 'connect', optionally preceded by a 'set-var', an"
            " 'unset-var' or a 'comment', when there is a 'connect' step in the tcp-check ruleset.",
            1,
        )
    if name != "http-check" or not steps or draft.check != "httpchk":
        return
    last = steps[-1]
    missing = ""
    if word == "send" and last != "connect":
        missing = "connect"
    elif word == "expect" and last == "connect":
        missing = "send"
    elif word == "connect" and last != "expect":
        missing = "expect"
    if missing:
        raise Refused(
            f"'{name} {word}' : unable to add http-check {word} rule at step {len(own) + 1} (missing {missing} rule)..",
            1,
        )


def option_request(words: list[str]) -> CheckRequest:
    """The request of `option httpchk [<method>] <uri> [<version>]`.

    Fields and a body that hide behind the version, as they had to before `http-check send`, are taken apart.
    """
    given = [word for word in words[2:] if word]
    if not given:
        return CheckRequest()
    if len(given) == 1:
        return CheckRequest(uri=given[0])
    if len(given) == 2:
        return CheckRequest(given[0], given[1])
    version, _, rest = given[2].replace("\r\n", "\n").partition("\n")
    head, _, body = rest.partition("\n\n")
    headers: list[tuple[str, LogFormat]] = []
    for line in head.split("\n"):
        name, colon, value = line.partition(":")
        if colon and name.strip():
            text = value.strip()
            headers.append((name.strip(), LogFormat(text, (FormatText(text),) if text else ())))
    return CheckRequest(given[0], given[1], version=version, headers=tuple(headers), body=body or None)


def checks_of(draft: Draft) -> Checks:
    """A section's checks for the model."""
    kind = draft.check
    words: tuple[str, ...] = tuple(draft.check_statement.words[2:]) if draft.check_statement is not None else ()
    settings = {setting[:2]: setting for setting in draft.settings if setting[0] in ("http-check", "external-check")}
    command = settings.get(("external-check", "command"))
    path = settings.get(("external-check", "path"))
    steps: tuple[CheckStep, ...] = ()
    if kind == "httpchk":
        steps = _with_request([pair for pair in draft.check_steps if pair[0] != "tcp-check"])
    elif kind == "tcp-check":
        steps = tuple(step for family, step in draft.check_steps if family == "tcp-check")
    return Checks(
        kind,
        words,
        steps,
        ("http-check", "disable-on-404") in settings,
        ("http-check", "send-state") in settings,
        command[2] if command is not None else None,
        path[2] if path is not None else None,
    )


def _with_request(pairs: list[tuple[str, CheckStep]]) -> tuple[CheckStep, ...]:
    """The steps of an HTTP check: what its option says and what its first `send` says make one request.

    Of what both say the later line counts. It stands where a `send` does, the last of them; where there is none, behind
    what connects first, or before everything.
    """
    inherited = [step for name, step in pairs if name == _INHERITED and isinstance(step, CheckRequest)]
    pairs = [pair for pair in pairs if pair[0] != _INHERITED]
    if inherited and not any(isinstance(step, CheckRequest) for _, step in pairs):
        pairs.insert(0, ("httpchk", inherited[0]))
    first = next((index for index, (_, step) in enumerate(pairs) if isinstance(step, CheckConnect)), -1)
    family = "http-check" if first < 0 else ""
    ends = next(
        (
            index
            for index, (_, step) in enumerate(pairs)
            if index > first and (isinstance(step, CheckExpect) or (first >= 0 and isinstance(step, CheckConnect)))
        ),
        len(pairs),
    )
    own = [
        (index, step)
        for index, (name, step) in enumerate(pairs)
        if isinstance(step, CheckRequest) and (name in ("httpchk", family) or first < index < ends)
    ]
    merged = CheckRequest()
    for _, request in own:
        merged = _merged(merged, request)
    taken = {index for index, _ in own}
    place = max((index for index, _ in own if pairs[index][0] != "httpchk"), default=first + 1)
    found: list[CheckStep] = []
    for index, (_, step) in enumerate(pairs):
        if index == place:
            found.append(merged)
        if index not in taken:
            found.append(step)
    if place == len(pairs):
        found.append(merged)
    return tuple(found)


def _merged(first: CheckRequest, second: CheckRequest) -> CheckRequest:
    said: dict[str, Any] = {
        name: value for name in ("method", "version", "comment") if (value := getattr(second, name))
    }
    if second.uri is not None or second.uri_format is not None:
        said |= {"uri": second.uri, "uri_format": second.uri_format}
    if second.body is not None or second.body_format is not None:
        said |= {"body": second.body, "body_format": second.body_format}
    return replace(first, **said, headers=(*first.headers, *second.headers), span=second.span)


HANDLERS: Final[dict[str, Handler]] = {"http-check": _rules("http"), "tcp-check": _rules("tcp")}
