"""`redirect …`, and the answers that return, deny, tarpit and http-error describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy_config.build.httpfile import parse_raw_answer
from hapy_config.build.refused import Refused
from hapy_config.grammar.units import leading_integer
from hapy_config.model.expressions import FormatText, LogFormat
from hapy_config.model.rules import HttpReply, Redirect
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy_config.build.cursor import Words

#: Statuses for which HAProxy has a page of its own.
HANDLED: Final = frozenset(
    {200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503, 504}
)
_CODES: Final = frozenset({"301", "302", "303", "307", "308"})
_REDIRECT_WORDS: Final = (
    "'code', 'prefix', 'location', 'scheme', 'set-cookie', 'clear-cookie', 'drop-query', 'ignore-empty' or"
    " 'append-slash'"
)


def read_redirect(words: Words, *, formatted: bool) -> Redirect:
    """`location|prefix|scheme TARGET [code N] [options]`, up to `if` or `unless`.

    Args:
        words: stands behind `redirect`.
        formatted: whether the target is a log format (`http-request redirect`) or plain text (`redirect`).
    """
    kind, target, target_place, code = "", "", 0, 302
    flags: dict[str, bool] = {}
    cookies: dict[str, str] = {}
    while (word := words.peek()) and word not in ("if", "unless"):
        words.position += 1
        if word in ("location", "prefix", "scheme"):
            kind, target_place = word, words.position
            target = words.take(f"missing argument for '{word}'")
        elif word in ("set-cookie", "clear-cookie"):
            cookies = {word: words.take(f"missing argument for '{word}'")}
        elif word == "code":
            text = words.take("missing argument for 'code'")
            code = leading_integer(text)
            if str(code) not in _CODES:
                words.fault(
                    f"'code': unsupported HTTP code '{text}' (must be one of 301, 302, 303, 307 or 308)",
                    words.position - 1,
                )
        elif word in ("drop-query", "append-slash", "ignore-empty"):
            flags[word] = True
        else:
            words.fault(
                f"expects {_REDIRECT_WORDS} (was '{word}')",
                words.position - 1,
                hint=words.build.nearest(word, ("location", "prefix", "scheme", "code", "if", "unless")),
            )
    if not kind:
        raise words.refuse("redirection type expected ('prefix', 'location', or 'scheme')", code="missing-argument")
    if words.response and kind != "location":
        hint = "answers are redirected with 'location <url>'"
        raise words.refuse("response only supports redirect type 'location'", target_place - 1, hint=hint)
    parsed = words.format(target, target_place) if formatted else LogFormat(target, (FormatText(target),))
    return Redirect(
        kind,
        parsed,
        code,
        drop_query=flags.get("drop-query", False),
        append_slash=flags.get("append-slash", False),
        ignore_empty=flags.get("ignore-empty", False),
        set_cookie=cookies.get("set-cookie"),
        clear_cookie=cookies.get("clear-cookie"),
        span=words.statement.span(),
    )


#: What a reply is made of.
_PARTS: Final = (
    *("status", "content-type", "errorfiles", "errorfile", "default-errorfiles", "file", "string", "lf-file"),
    *("lf-string", "hdr"),
)


class _Reply:
    """A reply while its words are read."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.bad = False  # some of it was refused
        self.content_type: str | None = None
        self.payload = ""  # the keyword that gave the body
        self.body: bytes | None = None
        self.body_format: LogFormat | None = None
        self.errorfile: bytes | None = None
        self.errorfiles: str | None = None
        self.default_errorfiles = False
        self.headers: list[tuple[str, LogFormat]] = []


def read_reply(words: Words, default: int, *, http_error: bool = False) -> HttpReply:
    """The arguments of return, deny, tarpit (`default` is their status) and http-error."""
    reply = _Reply()
    start = words.position
    while (word := words.peek()) and (http_error or word not in ("if", "unless")):
        if not _one(words, word, reply, default) and not _skip(words, word, http_error=http_error):
            break
    taken = words.words[start : words.position]
    if default != 200 and not http_error and (not taken or (taken[0] == "deny_status" and len(taken) == 2)):
        # The old form of deny and tarpit answers with the proxy's own error page.
        reply.payload = "default-errorfiles"
        reply.default_errorfiles = True
    if not reply.bad:
        with words.build.noting():
            _check(words, reply, default, start)
    if reply.errorfiles and not http_error:
        status = default if reply.status is None else reply.status
        words.build.needs_http_errors(words.draft, words.statement, reply.errorfiles, status)
    return HttpReply(
        reply.status,
        reply.content_type,
        reply.body,
        reply.body_format,
        reply.errorfile,
        reply.errorfiles,
        reply.default_errorfiles,
        tuple(reply.headers),
    )


def _skip(words: Words, word: str, *, http_error: bool) -> bool:
    """Note a word that is no part of a reply and go to the next one that is; False where none follows."""
    place = words.position
    behind = place + 1
    near = words.build.nearest
    while (
        behind < len(words.words)
        and words.words[behind] not in ("if", "unless")
        and not near(words.words[behind], _PARTS)
    ):
        behind += 1
    if http_error:
        words.fault(f"unknown keyword '{word}'")
        words.position = behind
        return True
    if behind == len(words.words) or words.words[behind] in ("if", "unless"):
        return False
    rule = f"{words.statement.words[0]} {words.action_word}"
    message = f"'{rule}' expects either 'if' or 'unless' followed by a condition but found '{word}'."
    words.build.fault(Refused(message, place))
    words.position = behind
    return True


def _one(words: Words, word: str, reply: _Reply, default: int) -> bool:
    """Read one keyword of a reply; False when `word` is none."""
    if word in ("status", "deny_status"):
        if word == "deny_status" and (default == 200 or words.position != words.start):
            return False
        _status(words, reply)
    elif word == "content-type":
        words.position += 1
        reply.content_type = words.take("'content-type' expects <ctype> as argument")
    elif word in ("errorfiles", "errorfile", "default-errorfiles", "file", "string", "lf-file", "lf-string"):
        if reply.payload:
            words.fault(f"unexpected '{word}' argument, '{reply.payload}' already defined")
        reply.payload = word
        words.position += 1
        _payload(words, word, reply)
    elif word == "hdr":
        words.position += 1
        name, value = words.exactly(2, "'hdr' expects <name> and <value> as arguments")
        reply.headers.append((name, words.format(value, words.position - 1)))
    else:
        return False
    return True


def _status(words: Words, reply: _Reply) -> None:
    words.position += 1
    text = words.take("'status' expects <status_code> as argument")
    status = leading_integer(text)
    if not 200 <= status <= 599:
        words.fault(f"Unexpected status code '{status}'", words.position - 1)
        reply.bad = True
    reply.status = status


def _payload(words: Words, word: str, reply: _Reply) -> None:
    place = words.position
    if word == "default-errorfiles":
        reply.default_errorfiles = True
        return
    text = words.take(f"'{word}' expects <{_ARGUMENT[word]}> as argument")
    if word == "errorfiles":
        reply.errorfiles = text
    elif word == "errorfile":
        reply.errorfile = read_error_file(words, text, place)
    elif word == "string":
        reply.body = to_bytes(text)
    elif word == "lf-string":
        reply.body_format = words.format(text, place)
    else:
        content = read_file(words, text, place) or b""
        if word == "file":
            reply.body = content
        else:
            reply.body_format = words.format(content.decode("utf-8", "surrogateescape"), place)


_ARGUMENT: Final = {
    "errorfiles": "name",
    "errorfile": "file",
    "file": "file",
    "lf-file": "file",
    "string": "str",
    "lf-string": "fmt",
}


def read_file(words: Words, name: str, place: int) -> bytes | None:
    """A file that a statement names; None where it can't be read, which is noted."""
    try:
        return words.build.files.read(name)
    except FileNotFoundError:
        refusal = words.refuse(f"error opening file '{name}'", place, code="missing-file")
    except OSError:
        refusal = words.refuse(f"error reading file '{name}'", place, code="unreadable-file")
    words.build.lacking(refusal)
    return None


def read_error_file(words: Words, name: str, place: int) -> bytes:
    """A whole HTTP answer from a file."""
    raw = read_file(words, name, place)
    if raw is None:
        return b""
    fault = parse_raw_answer(raw)
    if fault:
        words.fault(f"'{name}': {fault}", place, code="bad-error-file")
    return raw


def _check(words: Words, reply: _Reply, default: int, start: int) -> None:
    """What the parts of a reply ask of each other."""
    status = default if reply.status is None else reply.status
    has_body = reply.body is not None or reply.body_format is not None
    if has_body:
        if not reply.content_type and reply.payload.startswith("lf-"):
            raise words.refuse("a content type must be defined with a log-format payload", start)
        if not reply.content_type and reply.body != b"":
            raise words.refuse("a content type must be defined when non-empty payload is configured", start)
    elif reply.payload in ("errorfiles", "default-errorfiles"):
        if reply.payload == "errorfiles":
            if status not in HANDLED:
                raise words.refuse(f"status code '{status}' not handled by default with 'errorfiles' argument", start)
        elif status not in HANDLED:
            raise words.refuse(
                f"status code '{status}' not handled by default with 'default-errorfiles' argument.", start
            )
    if reply.content_type and not has_body:
        because = (
            "because neither errorfile nor payload defined" if not reply.payload else "when used with an erorrfile"
        )
        words.build.warning(
            "ignored-argument",
            words.statement.span(start),
            f"content-type '{reply.content_type}' ignored by the http reply {because}.",
        )
    if reply.headers and reply.payload in ("errorfile", "errorfiles", "default-errorfiles"):
        words.build.warning(
            "ignored-argument",
            words.statement.span(start),
            "hdr parameters ignored by the http reply when used with an erorrfile.",
        )
