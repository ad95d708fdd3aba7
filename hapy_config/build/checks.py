"""http-check and tcp-check rules (configuration manual, section 4.2): checked in full, kept for their issue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hapy_config.build.addressing import address
from hapy_config.build.arguments import leading_integer
from hapy_config.build.context import Build
from hapy_config.build.cursor import Words
from hapy_config.build.draft import Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.grammar.addresses import AddressUse
from hapy_config.grammar.checks import variable
from hapy_config.keywords.samples import Place
from hapy_config.syntax import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

_CHECK_ADDRESS: Final = AddressUse()
_HTTP: Final = (
    "'disable-on-404', 'send-state', 'comment', 'connect', 'send', 'expect', 'set-var-fmt(*)', 'set-var(*)',"
    " 'unset-var(*)'"
)
_TCP: Final = "'comment', 'connect', 'send', 'send-binary', 'expect', 'set-var-fmt(*)', 'set-var(*)', 'unset-var(*)'"
_STATUS_LIST: Final = re.compile(r"[0-9,\-]*")


def _comment(words: Words) -> None:
    words.take("expects a string as argument")


def _connect(words: Words) -> None:
    while word := words.peek():
        words.position += 1
        if word == "ssl":
            words.draft.tls_checks = True
        if word == "port":
            _port(words)
        elif word == "addr":
            _addr(words)
        elif word in ("comment", "sni", "alpn", "proto"):
            text = words.take(f"'{word}' expects a string as argument.")
            if word == "proto" and text not in ("h1", "h2", "fcgi", "none"):
                raise words.refuse(f"'proto' : unknown MUX protocol '{text}'.", words.position - 1)
        elif word not in ("default", "send-proxy", "via-socks4", "linger", "ssl"):
            raise words.refuse(
                "expects 'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn' or 'via-socks4', 'linger',"
                f" 'default' but got '{word}' as argument.",
                words.position - 1,
            )


def _port(words: Words) -> None:
    text = words.take("'port' expects a port number or a sample expression as argument.")
    if text.isdigit():
        if not 1 <= int(text) <= 65535:
            raise words.refuse(
                f"expects a valid TCP port (from range 1 to 65535) or a sample expression, got {text}.",
                words.position - 1,
            )
        words.draft.check_port = int(text)
        return
    words.position -= 1
    prefix = words.prefix
    words.prefix = f"{prefix}error detected while parsing port expression : "
    words.expression()
    words.prefix = prefix
    words.draft.check_port = -1


def _addr(words: Words) -> None:
    text = words.take("'addr' expects an address as argument.")
    found = address(words.build, text, words.position - 1, _CHECK_ADDRESS, f"{words.prefix}'addr' : ")
    if found.port:
        words.draft.check_port = found.port


def _set_var(words: Words) -> None:
    name, _, rest = words.action_word.partition("(")
    inner = rest.removesuffix(")").split(",")[0]
    fault = variable(inner)
    if fault:
        raise words.refuse(f"'{name}' : {fault}", words.start - 1)
    if name == "unset-var":
        return
    if name == "set-var-fmt":
        text = words.take("missing format string")
        words.format(text, words.position - 1)
    else:
        words.expression()


def _send(words: Words) -> None:
    """`http-check send`."""
    while word := words.peek():
        words.position += 1
        if word in ("meth", "uri", "ver", "body", "comment"):
            text = words.take(f"'{word}' expects a string as argument.")
            if word == "meth" and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", text):
                raise words.refuse(f"invalid method '{text}'", words.position - 1)
        elif word in ("uri-lf", "body-lf"):
            text = words.take(f"'{word}' expects a string as argument.")
            _format(words, text, words.position - 1)
        elif word == "hdr":
            _, value = words.exactly(2, "'hdr' expects <name> and <value> as arguments")
            _format(words, value, words.position - 1)
        else:
            raise words.refuse(
                f"expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' but got '{word}' as"
                " argument.",
                words.position - 1,
            )


def _format(words: Words, text: str, place: int) -> None:
    try:
        words.format(text, place)
    except Refused as refusal:
        reason = refusal.message.removeprefix(words.prefix).removesuffix(".")
        raise words.refuse(f"'{text}' invalid log-format string ({reason}).\n", place, hint=refusal.hint) from None


def _tcp_send(words: Words) -> None:
    word = words.action_word
    text = words.take(f"'{word}' expects a string as argument.")
    if word.startswith("send-binary") and not word.endswith("-lf"):
        _binary(words, text, words.position - 1)
    elif word.endswith("-lf"):
        _format(words, text, words.position - 1)
    if words.peek() == "comment":
        words.position += 1
        words.take("'comment' expects a string as argument.")
    if words.peek():
        raise words.refuse(f"expects 'comment' but got '{words.peek()}' as argument.")


def _binary(words: Words, text: str, place: int, *, expect: bool = False) -> None:
    bad = next((character for character in text if character not in "0123456789abcdefABCDEF"), None)
    reason = ""
    if bad is not None:
        reason = f"an hex digit is expected (found '{bad}')"
    elif len(text) % 2:
        reason = "an even number of hex digit is expected"
    if reason:
        where = "invalid binary string" if expect else f"'{text}' invalid binary string"
        raise words.refuse(f"{where} ({reason})", place)


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
_STATUSES: Final = (
    "UNKNOWN",
    "L4OK",
    "L4TOUT",
    "L4CON",
    "L6OK",
    "L6TOUT",
    "L6RSP",
    "L7TOUT",
    "L7RSP",
    "L7OK",
    "L7OKC",
    "L7STS",
)


def _expect(kind: str) -> Callable[[Words], None]:
    def read(words: Words) -> None:
        if not words.peek():
            raise words.refuse("expects at least a matching pattern as arguments")
        found = False
        while word := words.peek():
            words.position += 1
            inverse = word.startswith("!")
            if inverse:
                word = word[1:] or words.take("expects a matching pattern after '!'")
            if word in _PATTERNS[kind] and not found:
                found = True
                _pattern(words, word)
            elif inverse or not _expect_option(words, word):
                raise words.refuse(_ONLY[kind].format(word), words.position - 1)
        if not found:
            raise words.refuse("expects at least a matching pattern as arguments")

    return read


def _pattern(words: Words, word: str) -> None:
    if word in ("hdr", "fhdr"):
        _header_pattern(words, word)
        return
    text = words.take(f"'{word}' expects a <pattern> as argument")
    place = words.position - 1
    if word in ("rstring", "rstatus", "rbinary"):
        words.regex(text, place)
    elif word == "status":
        good = _STATUS_LIST.match(text)
        assert good is not None
        if good.end() < len(text):
            raise words.refuse(f"invalid character '{text[good.end()]}' in the list of status codes", place)
    elif word == "binary":
        _binary(words, text, place, expect=True)
    elif word.endswith("-lf"):
        _format(words, text, place)


def _header_pattern(words: Words, word: str) -> None:
    given: set[str] = set()
    while (part := words.peek()) in ("name", "name-lf", "value", "value-lf"):
        words.position += 1
        base = part.removesuffix("-lf")
        given.add(base)
        if part.endswith("-lf"):
            text = words.take(f"'{part}' expects a log-format string")
            _format(words, text, words.position - 1)
            continue
        method = ""
        if words.peek() == "-m":
            method = words.peek(1)
            if method not in ("str", "beg", "end", "sub", "reg"):
                raise words.refuse(f"-m flag expects a valid matching method, got '{method}'", words.position + 1)
            words.position += 2
        text = words.take(f"'{part}' expects a string")
        if method == "reg":
            words.regex(text, words.position - 1)
        while base == "value" and words.peek() == "full":
            words.position += 1
    if "name" not in given:
        raise words.refuse(f"'{word}' expects at the keyword name as first argument followed by a pattern")


def _expect_option(words: Words, word: str) -> bool:
    if word == "min-recv":
        text = words.take("'min-recv' expects a integer as argument.")
        if leading_integer(text) < -1 or leading_integer(text) > 2**31 - 1:
            raise words.refuse("'min-recv' expects -1 or an integer from 0 to INT_MAX.", words.position - 1)
    elif word in ("comment", "on-success", "on-error", "status-code", "status"):
        words.take(f"'{word}' expects a string as argument.")
    elif word in ("ok-status", "error-status", "tout-status"):
        text = words.take(f"'{word}' expects a string as argument.")
        if text not in _STATUSES:
            raise words.refuse(
                f"'{word}' only supports {', '.join(_STATUSES)} status (got '{text}').", words.position - 1
            )
    else:
        return False
    return True


def _rules(kind: str) -> Handler:
    """The handler for http-check or tcp-check."""
    readers: dict[str, Callable[[Words], None]] = {
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
        reader = readers.get(word.partition("(")[0])
        if reader is None:
            listed = _HTTP if kind == "http" else _TCP
            raise Refused(f"'{name}' only supports {listed}. but got '{word}'", 1, hint=build.nearest(word, readers))
        prefix = f"'{name} {word}' : "
        cursor = Words(build, draft, statement, words, 2, prefix, Place.CHECK)
        reader(cursor)
        _in_order(draft, name, word)
        draft.check_rules = (*draft.check_rules, (name, word))
        draft.settings.append(tuple(words))

    return handle


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


HANDLERS: Final[dict[str, Handler]] = {"http-check": _rules("http"), "tcp-check": _rules("tcp")}
