"""Rules: one shape for every `http-request`, `tcp-response`, `use_backend` … line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hapy_config.model.expressions import Condition, LogFormat
from hapy_config.model.sealing import seal
from hapy_config.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        ruleset: `http-request`, `http-response`, `http-after-response`, `tcp-request connection`, `tcp-request
            session`, `tcp-request content`, `tcp-response content`.
        action: the action's table name (`set-header`, `track-sc*`); `word` is what was written.
        word: the action as written, with what stands in its parentheses (`set-var(txn.x)`).
        arguments: by the argument names of the action's table entry: str, int, LogFormat, SampleExpression or tuples.
        condition: None when the rule always runs.
        span: the place.
    """

    ruleset: str
    action: str
    word: str
    arguments: Mapping[str, object] = field(default_factory=dict, hash=False)
    condition: Condition | None = None
    span: Span = field(default=NOWHERE, compare=False)

    def __post_init__(self) -> None:
        seal(self, "arguments")


@dataclass(frozen=True, slots=True)
class UseBackend:
    """`use_backend NAME if …`. `target` is the backend's name, or a format when it holds variables."""

    target: str | LogFormat
    condition: Condition | None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class UseServer:
    """`use-server NAME if …`."""

    target: str | LogFormat
    condition: Condition | None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Redirect:
    """`redirect …`, and the arguments of `http-request redirect`.

    Attributes:
        kind: location, prefix or scheme.
        target: the format string.
        code: 301, 302, 303, 307 or 308.
        drop_query: leave the query string out (prefix only).
        append_slash: add a `/` to a path without one (prefix only).
        ignore_empty: let the request pass when the target is empty.
        set_cookie: `NAME[=value]` to set, or None.
        clear_cookie: `NAME[=]` to clear, or None.
    """

    kind: str
    target: LogFormat
    code: int = 302
    drop_query: bool = False
    append_slash: bool = False
    ignore_empty: bool = False
    set_cookie: str | None = None
    clear_cookie: str | None = None
    condition: Condition | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """The answer that `http-request return`, `deny`, `tarpit` and `http-error` describe.

    Attributes:
        status: the status code; None leaves it to the action (deny 403, tarpit 500, return 200).
        content_type: for `file`, `string`, `lf-file`, `lf-string`; None without a body.
        body: the literal body (`string`, `file`, read at start), or None.
        body_format: for `lf-string` and `lf-file`, or None.
        errorfile: the raw answer of `errorfile`, or None.
        errorfiles: the name of an http-errors section, or None.
        default_errorfiles: `default-errorfiles` was given.
        headers: (name, format) of each `hdr`.
    """

    status: int | None = None
    content_type: str | None = None
    body: bytes | None = None
    body_format: LogFormat | None = None
    errorfile: bytes | None = None
    errorfiles: str | None = None
    default_errorfiles: bool = False
    headers: tuple[tuple[str, LogFormat], ...] = ()
