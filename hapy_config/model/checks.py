"""Health checks: the kind that a backend asks for, and the steps of `http-check` and `tcp-check` (manual, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from hapy_config.model.addresses import Address
from hapy_config.model.expressions import LogFormat, SampleExpression
from hapy_config.source import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class CheckConnect:
    """`connect`: a new connection.

    Attributes:
        port: a number, an expression, or None for the server's.
        default: what the step leaves open is as the server line says.
        linger: close cleanly instead of by a reset.
        proto: the protocol's name; `none` lets HTTP rules speak bytes.
        comment: what a failure reports.
    """

    port: int | SampleExpression | None = None
    address: Address | None = None
    default: bool = False
    ssl: bool = False
    send_proxy: bool = False
    socks4: bool = False
    linger: bool = False
    sni: str | None = None
    alpn: str | None = None
    proto: str | None = None
    comment: str = ""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class CheckSend:
    """`tcp-check send…`.

    Attributes:
        data: the bytes, None where `format` gives them.
        binary: the format's text is made of hexadecimal digits.
    """

    data: bytes | None = None
    format: LogFormat | None = None
    binary: bool = False
    comment: str = ""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """`http-check send`: a request; None where nothing was said."""

    method: str | None = None
    uri: str | None = None
    uri_format: LogFormat | None = None
    version: str | None = None
    headers: tuple[tuple[str, LogFormat], ...] = ()
    body: str | None = None
    body_format: LogFormat | None = None
    comment: str = ""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A text and how it must match: `str`, `beg`, `end`, `sub` or `reg`; `format` gives the text where it is set."""

    text: str = ""
    method: str = "str"
    format: LogFormat | None = None


@dataclass(frozen=True, slots=True)
class CheckExpect:
    """`expect`: what must come.

    Attributes:
        match: string, rstring, string-lf, binary, rbinary, binary-lf, status, rstatus, hdr or fhdr.
        inverse: it must not.
        pattern: the pattern as written; of hdr and fhdr the name's.
        format: the pattern of the `-lf` matches.
        name, value: of hdr and fhdr; without a value the field must only be there.
        min_recv: bytes that must have come before anything is looked at; -1 for no such limit, 0 for one look only.
        on_success, on_error: what is reported, None for the usual.
        status_code: the code that is reported, None for the usual.
        ok_status, error_status, tout_status: the check's status, empty for the usual.
    """

    match: str
    inverse: bool = False
    pattern: str = ""
    format: LogFormat | None = None
    name: TextPattern | None = None
    value: TextPattern | None = None
    min_recv: int = -1
    comment: str = ""
    on_success: LogFormat | None = None
    on_error: LogFormat | None = None
    status_code: SampleExpression | None = None
    ok_status: str = ""
    error_status: str = ""
    tout_status: str = ""
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class CheckSetVar:
    """`set-var`, `set-var-fmt` and (with neither expression nor format) `unset-var`."""

    name: str
    expression: SampleExpression | None = None
    format: LogFormat | None = None
    conditions: tuple[str, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class CheckComment:
    """`comment`: what failures of the following steps report."""

    text: str
    span: Span = field(default=NOWHERE, compare=False)


CheckStep = CheckConnect | CheckSend | CheckRequest | CheckExpect | CheckSetVar | CheckComment


@dataclass(frozen=True, slots=True)
class Checks:
    """How a backend's servers are checked.

    Attributes:
        kind: the option's name (`httpchk`, `tcp-check`, `mysql-check` …), empty for a plain connection.
        arguments: the option's words behind its name.
        steps: of the rules that belong to the kind.
        disable_on_404: a 404 takes a server out softly.
        send_state: requests tell the server's state.
        command, path: of `external-check`.
    """

    kind: str = ""
    arguments: tuple[str, ...] = ()
    steps: tuple[CheckStep, ...] = ()
    disable_on_404: bool = False
    send_state: bool = False
    command: str | None = None
    path: str | None = None


#: A plain connection.
PLAIN = Checks()
