"""The options of bind lines (configuration manual, section 5.1), which stats sockets and peers' listeners share."""

from __future__ import annotations

import grp
import pwd
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hapy_config.build import tls
from hapy_config.build.linewords import LineWords, tcp_user_timeout
from hapy_config.build.refused import Refused
from hapy_config.grammar.units import leading_integer
from hapy_config.tls.protocols import protocols_fault
from hapy_config.tls.versions import put

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.model.certificates import CertificateEntry
    from hapy_config.syntax import Statement

_THREADS: Final = re.compile(
    r"(?:(?P<group>[0-9]+)(?:-(?P<last_group>[0-9]+))?/)?(?P<low>[0-9]+|all|odd|even)(?:-(?P<high>[0-9]*))?"
)
_PROCESS: Final = re.compile(r"(all|odd|even|[0-9]+)(?:-([0-9]+))?(?:/(all|odd|even|[0-9]+)(?:-([0-9]+))?)?")
_MAX_THREADS: Final = 64


class BindWords(LineWords):
    """Where reading stands in a bind line.

    Attributes:
        prefix, suffix: what messages begin and end with.
        several: the line has more than one socket.
        values: fields of `model.Bind`.
        options: other options by name.
        tls: the TLS options by name.
        certificates: what `crt` and `crt-list` name. unread: some of it can't be used, which was told.
        signer_fault: why `ca-sign-file` can't be used, empty for nothing.
    """

    __slots__ = (
        *("certificates", "options", "prefix", "several", "signer_fault", "ssl"),
        *("suffix", "tls", "unread", "values"),
    )

    def __init__(self, build: Build, statement: Statement, words: list[str], position: int, prefix: str) -> None:
        super().__init__(build, statement, words, position)
        self.prefix = prefix
        self.suffix = ""
        self.several = False
        self.values: dict[str, object] = {}
        self.options: dict[str, tuple[str, ...]] = {}
        self.tls: dict[str, tuple[str, ...]] = {}
        self.certificates: list[CertificateEntry] = []
        self.unread = False
        self.signer_fault = ""
        self.ssl = False

    def refuse(self, message: str, place: int | None = None, *, code: str = "bad-argument", hint: str = "") -> Refused:
        """The refusal in HAProxy's form."""
        where = self.position if place is None else place
        return Refused(f"{self.prefix}{message}{self.suffix}", where, code=code, hint=hint)

    def lacking(self, message: str, code: str, hint: str = "") -> None:
        """Refuse the word before the position for something that this machine does not have."""
        self.build.lacking(self.refuse(message, self.position - 1, code=code, hint=hint))


Reader = Callable[[BindWords, str], None]


def _flag(field: str, value: object) -> Reader:
    def read(words: BindWords, name: str) -> None:
        words.values[field] = value

    return read


def _number(field: str, minimum: int, shown: str) -> Reader:
    def read(words: BindWords, name: str) -> None:
        text = words.take(f"'{name}' : missing value")
        value = leading_integer(text)
        if value < minimum:
            raise words.refuse(f"'{name}' : invalid value {value}, must be {shown}", words.position - 1)
        words.values[field] = value

    return read


def _text(field: str, missing: str) -> Reader:
    def read(words: BindWords, name: str) -> None:
        words.values[field] = words.take(missing)

    return read


def _mode(words: BindWords, name: str) -> None:
    text = words.peek()
    if not re.fullmatch(r"[ \t]*[+-]?[0-7]+", text):
        raise words.refuse(f"'mode' : missing or invalid mode '{text}' (octal integer expected)")
    words.position += 1
    words.values["mode"] = int(text, 8) & 0o7777


def _owner(field: str, kind: str) -> Reader:
    def read(words: BindWords, name: str) -> None:
        text = words.take(f"'{name}' : missing {kind} name")
        try:
            number = pwd.getpwnam(text).pw_uid if kind == "user" else grp.getgrnam(text).gr_gid
        except KeyError:
            words.lacking(f"'{name}' : unknown {kind} name '{text}'", f"unknown-{kind}")
            return
        words.values[field] = str(number)

    return read


def _owner_number(field: str, kind: str) -> Reader:
    def read(words: BindWords, name: str) -> None:
        words.values[field] = str(leading_integer(words.take(f"'{name}' : missing value")))

    return read


def _id(words: BindWords, name: str) -> None:
    text = words.take("'id' : expects an integer argument")
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise words.refuse(f"'id' : expects an integer argument, found '{text}'", words.position - 1)
    if words.several:
        raise words.refuse("'id' can only be used with a single socket", words.position - 2)
    number = leading_integer(text)
    if number <= 0:
        raise words.refuse("'id' : custom id has to be > 0", words.position - 1)
    words.values["number"] = number


def _mss(words: BindWords, name: str) -> None:
    text = words.take("'mss' : missing MSS value")
    value = leading_integer(text)
    if value != -(2**31) and not 1 <= abs(value) <= 65535:  # the one number that has no absolute value
        raise words.refuse("'mss' : expects an MSS with and absolute value between 1 and 65535", words.position - 1)
    words.values["mss"] = value


def _nice(words: BindWords, name: str) -> None:
    value = leading_integer(words.take("'nice' : missing value"))
    if not -1024 <= value <= 1024:
        raise words.refuse(f"'nice' : invalid value {value}, allowed range is -1024..1024", words.position - 1)
    words.values["nice"] = value


def _proto(words: BindWords, name: str) -> None:
    text = words.take("'proto' : missing value")
    if text not in ("h1", "h2", "fcgi", "none"):
        raise words.refuse(f"'proto' :  unknown MUX protocol '{text}'", words.position - 1)
    words.build.note_protocol(words.statement, words.position - 1, name, text)
    words.options[name] = (text,)


def _choice(choices: tuple[str, ...], listed: str, what: str) -> Reader:
    def read(words: BindWords, name: str) -> None:
        text = words.take(f"'{name}' : missing {what}")
        if text not in choices:
            raise words.refuse(f"'{name}' only supports {listed} (got '{text}')", words.position - 1)
        words.options[name] = (text,)

    return read


def _process(words: BindWords, name: str) -> None:
    text = words.take("'process' : missing argument")
    match = _PROCESS.fullmatch(text)
    if match is None:
        raise words.refuse(f"'process' : '{text}' is not a valid number/range.", words.position - 1)
    for number in (match[1], match[2]):
        most = words.build.processes
        if number is not None and number.isdecimal() and not 1 <= int(number) <= most:
            raise words.refuse(
                f"'process' : '{text}' is not a valid number/range. It supports numbers from 1 to {most}.\n",
                words.position - 1,
            )
    for number in (match[3], match[4]):
        if number is not None and number.isdecimal() and not 1 <= int(number) <= _MAX_THREADS:
            raise words.refuse(
                f"'process' : '{number}' is not a valid number/range. It supports numbers from 1 to 64.\n",
                words.position - 1,
            )
    instead = f" Please use 'thread {match[3]}' instead." if match[3] else ""
    words.build.warning(
        "deprecated",
        words.statement.span(words.position - 1),
        f"{words.prefix}'process {text}' on 'bind' lines is deprecated and will be removed in 2.7.{instead}",
    )


def _thread(words: BindWords, name: str) -> None:
    text = words.take("'thread' : missing argument")
    lists = words.build.version >= (2, 8)  # which take several sets
    for part in text.split(",") if lists else (text,):
        match = _THREADS.fullmatch(part)
        if match is None:
            raise words.refuse(f"'{text}' : '{part}' is not a valid number/range.", words.position - 1)
        for number in (match["group"], match["last_group"]):
            if number and leading_integer(number) != 1:
                raise words.refuse(
                    f"'{text}' thread-group number must be between 1 and 1 (was {leading_integer(number)})",
                    words.position - 1,
                )
        for number in (match["low"], match["high"]):
            if number and number.isdecimal() and not 1 <= int(number) <= _MAX_THREADS:
                raise words.refuse(
                    f"'{text}' : '{part}' is not a valid number/range. It supports numbers from 1 to 64.\n",
                    words.position - 1,
                )
    earlier = words.options.get(name)
    if earlier and not lists and _group(earlier[0]) != _group(text):
        raise words.refuse(f"'{text}' multiple thread-groups are not supported", words.position - 1)
    words.options[name] = (f"{earlier[0]},{text}" if earlier else text,)


def _group(text: str) -> str:
    match = _THREADS.match(text)
    return (match["group"] or "") if match is not None else ""


def threads_of(text: str) -> set[int]:
    """The numbers of the threads that a value of `thread` names, such as `1-3,8` or `odd`."""
    found: set[int] = set()
    for part in text.split(","):
        match = _THREADS.fullmatch(part)
        if match is None:
            continue
        low, high = match["low"], match["high"]
        if low in ("all", "odd", "even"):
            found.update(range(2 if low == "even" else 1, _MAX_THREADS + 1, 1 if low == "all" else 2))
            continue
        first = int(low)
        last = first if high is None else int(high or _MAX_THREADS)
        found.update(range(min(first, last), max(first, last) + 1))
    return found


def _shards(words: BindWords, name: str) -> None:
    text = words.take("'shards' : missing value")
    if text != "by-thread" and not 1 <= leading_integer(text) <= _MAX_THREADS:
        raise words.refuse(
            f"'shards' : invalid value {leading_integer(text)}, allowed range is 1..64 or 'by-thread'",
            words.position - 1,
        )
    words.options[name] = (text,)


def _tcp_ut(words: BindWords, name: str) -> None:
    words.options[name] = (tcp_user_timeout(words),)


def _cip(words: BindWords, name: str) -> None:
    text = words.take("'accept-netscaler-cip' : missing value")
    if not leading_integer(text):
        raise words.refuse(
            f"'accept-netscaler-cip' : invalid value {leading_integer(text)}, must be >= 0", words.position - 1
        )
    words.values["netscaler"] = leading_integer(text) & 0xFFFFFFFF


def _namespace(words: BindWords, name: str) -> None:
    text = words.take("'namespace' : missing namespace id")
    if not words.build.namespace_exists(text):
        words.lacking(f"Cannot open namespace '{text}'.", "missing-namespace")
    words.options[name] = (text,)


def _ssl(words: BindWords, name: str) -> None:
    words.ssl = True


def _tls_flag(words: BindWords, name: str) -> None:
    put(words.tls, name)


def _tls_word(missing: str) -> Reader:
    def read(words: BindWords, name: str) -> None:
        words.tls[name] = (words.take(missing),)

    return read


def _tls_version(words: BindWords, name: str) -> None:
    put(words.tls, name, (tls.version_word(words, name),))


def _alpn(words: BindWords, name: str) -> None:
    text = words.take(f"'{name}' : missing the comma-delimited {name.upper()} protocol suite")
    if fault := protocols_fault(name, text):
        raise words.refuse(fault, words.position - 1)
    words.tls[name] = (text,)


def _verify(words: BindWords, name: str) -> None:
    text = words.take("'verify' : missing verify method")
    if text not in ("none", "optional", "required"):
        raise words.refuse(
            f"'verify' : unknown verify method '{text}', only 'none', 'optional', and 'required' are supported",
            words.position - 1,
            hint=words.build.nearest(text, ("none", "optional", "required")),
        )
    words.tls[name] = (text,)


def _certificate(words: BindWords, name: str) -> None:
    text = words.take("'crt' : missing certificate location")
    from hapy_config.tls.pem import Fault

    try:
        words.certificates += tls.entries(words.build, text)
    except Fault as fault:
        words.unread = True
        words.lacking(str(fault), "bad-certificate", fault.hint)
    words.tls["crt"] = (*words.tls.get("crt", ()), text)


def _certificate_list(words: BindWords, name: str) -> None:
    text = words.take("'crt-list' : missing certificate location")
    from hapy_config.tls.pem import Fault

    try:
        words.certificates += tls.listed(words.build, text)
    except Fault as fault:
        words.unread = True
        words.lacking(f"'crt-list' : {fault}", "bad-certificate", fault.hint)
    words.tls["crt-list"] = (*words.tls.get("crt-list", ()), text)


def _authority(words: BindWords, name: str) -> None:
    text = words.take(f"'{name}' : missing CAfile path")
    fault = tls.authority_fault(words.build, text)
    if fault:
        words.lacking(f"'{name}' : unable to load {text}", "missing-file", fault)
    words.tls[name] = (tls.located(words.build, text, "ca-base"),)


def _ignored_errors(words: BindWords, name: str) -> None:
    text = words.take(f"'{name}' : missing error IDs list")
    numbers = [] if text == "all" else [leading_integer(part) for part in text.split(",")]
    for number in numbers:
        if not 1 <= number <= 94:
            raise words.refuse(
                f"'{name}' : ID '{number}' out of range (1..94) in error IDs list '{text}'", words.position - 1
            )
    known = words.tls.get(name, ("",))[0]  # lists add up
    every = "all" in (text, known)
    words.tls[name] = ("all" if every else ",".join([known, *map(str, numbers)]).lstrip(","),)


def _signer(words: BindWords, name: str) -> None:
    """Only `generate-certificates`, which may come later, makes use of it."""
    text = words.take("'ca-sign-file' : missing CAfile path")
    from hapy_config.tls.pem import Fault

    try:
        words.values["signer"] = tls.signer(words.build, text)
        words.signer_fault = ""
    except Fault as fault:
        words.values.pop("signer", None)
        words.signer_fault = str(fault)
    words.tls[name] = (text,)


def _ticket_keys(words: BindWords, name: str) -> None:
    text = words.take(f"'{name}' : missing TLS ticket keys file path")
    from hapy_config.tls.pem import Fault

    try:
        words.values["ticket_keys"] = tls.ticket_keys(text, words.build.files.read(text))
    except OSError:
        words.lacking(f"'{text}' : unable to load ssl tickets keys file", "missing-file")
    except Fault as fault:
        words.lacking(str(fault), "bad-ticket-keys")
    words.tls[name] = (text,)


_LEVELS: Final = ("user", "operator", "admin")

READERS: Final[dict[str, Reader]] = {
    "accept-netscaler-cip": _cip,
    "accept-proxy": _flag("accept_proxy", value=True),
    "backlog": _number("backlog", 0, "> 0"),
    "defer-accept": _flag("defer_accept", value=True),
    "expose-fd": _choice(("listeners",), "'listeners'", "fd type"),
    "gid": _owner_number("gid", "group"),
    "group": _owner("gid", "group"),
    "id": _id,
    "interface": _text("interface", "'interface' : missing interface name"),
    "level": _choice(_LEVELS, "'user', 'operator', and 'admin'", "level"),
    "maxconn": _number("maxconn", 0, ">= 0"),
    "mode": _mode,
    "mss": _mss,
    "name": _text("name", "'name' : missing name"),
    "namespace": _namespace,
    "nice": _nice,
    "process": _process,
    "proto": _proto,
    "severity-output": _choice(("none", "number", "string"), "'none', 'number', and 'string'", "severity format"),
    "shards": _shards,
    "tcp-ut": _tcp_ut,
    "tfo": _flag("tfo", value=True),
    "thread": _thread,
    "transparent": _flag("transparent", value=True),
    "uid": _owner_number("uid", "user"),
    "user": _owner("uid", "user"),
    "v4v6": _flag("v4v6", value=True),
    "v6only": _flag("v4v6", value=False),
    "ssl": _ssl,
    "allow-0rtt": _tls_flag,
    "alpn": _alpn,
    "ca-file": _authority,
    "ca-ignore-err": _ignored_errors,
    "ca-sign-file": _signer,
    "ca-sign-pass": _tls_word("'ca-sign-pass' : missing CAkey password"),
    "ca-verify-file": _authority,
    "ciphers": _tls_word("'ciphers' : missing cipher suite"),
    "ciphersuites": _tls_word("'ciphersuites' : missing cipher suite"),
    "crl-file": _authority,
    "crt": _certificate,
    "crt-ignore-err": _ignored_errors,
    "crt-list": _certificate_list,
    "curves": _tls_word("'curves' : missing curve suite"),
    "ecdhe": _tls_word("'ecdhe' : missing named curve"),
    "npn": _alpn,
    "ssl-max-ver": _tls_version,
    "ssl-min-ver": _tls_version,
    "tls-ticket-keys": _ticket_keys,
    "verify": _verify,
    **dict.fromkeys(
        (
            "force-sslv3", "force-tlsv10", "force-tlsv11", "force-tlsv12", "force-tlsv13", "generate-certificates",
            "no-ca-names", "no-sslv3", "no-tls-tickets", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13",
            "prefer-client-ciphers", "strict-sni",
        ),
        _tls_flag,
    ),
}  # fmt: skip
