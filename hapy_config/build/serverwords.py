"""The options of server, default-server and server-template lines (configuration manual, section 5.2).

A reader is handed a `ServerWords` that stands behind the option's name and puts what it reads into `values` (fields of
the model) or `options` (what later issues run).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, cast

from hapy_config.build import tls
from hapy_config.build.addressing import address, read_source
from hapy_config.build.arguments import TIME_SUFFIX, TimeError, milliseconds
from hapy_config.build.expressions import expression_words, log_format
from hapy_config.build.networks import is_network
from hapy_config.build.refused import Refused
from hapy_config.grammar.addresses import AddressUse
from hapy_config.grammar.checks import proxy_value_type
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords.samples import Place
from hapy_config.tls.protocols import protocols_fault
from hapy_config.tls.versions import put

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft
    from hapy_config.model.expressions import LogFormat
    from hapy_config.syntax import Statement

_HOST: Final = AddressUse()
_PORT_NEEDED: Final = AddressUse(port_required=True)


class ServerWords:
    """Where reading stands in a server line, and what it has given so far.

    Attributes:
        position: the index of the next word.
        label: how messages name the server (`backend/server`), empty for default-server.
        name: the server's name, `default-server` for that.
        values: fields of `model.Server`.
        options: other options by name.
    """

    __slots__ = ("build", "default", "draft", "label", "name", "options", "position", "statement", "values", "words")

    def __init__(
        self,
        build: Build,
        draft: Draft,
        statement: Statement,
        words: list[str],
        position: int,
        label: str,
        name: str,
        values: dict[str, object],
        options: dict[str, tuple[str, ...]],
    ) -> None:
        self.build = build
        self.draft = draft
        self.statement = statement
        self.words = words
        self.position = position
        self.label = label
        self.name = name
        self.default = not label
        self.values = values
        self.options = options

    @property
    def prefix(self) -> str:
        """What messages begin with."""
        return f"'server {self.label}' : " if self.label else ""

    def peek(self) -> str:
        """The next word, empty at the end."""
        return self.words[self.position] if self.position < len(self.words) else ""

    def take(self, missing: str) -> str:
        """The next word, or the refusal that it is missing."""
        word = self.peek()
        if not word:
            raise self.refuse(missing, code="missing-argument")
        self.position += 1
        return word

    def lax(self) -> str:
        """The next word; HAProxy reads past the end of the line where there is none."""
        word = self.peek()
        self.position += 1
        return word

    def refuse(self, message: str, place: int | None = None, *, code: str = "bad-argument", hint: str = "") -> Refused:
        """The refusal in HAProxy's form."""
        where = self.position if place is None else place
        return Refused(f"{self.prefix}{message}.", where, code=code, hint=hint)

    def time(self, missing: str, what: str, name: str) -> int:
        """The next word as a time in ms."""
        text = self.take(missing)
        try:
            value, behind = milliseconds(text)
        except TimeError as error:
            if not error.character:
                raise self.refuse(
                    f"timer overflow in argument <{text}> to <{name}> of server {self.name}, maximum value is"
                    " 2147483647"
                    " ms (~24.8 days)",
                    self.position - 1,
                ) from None
            raise self.refuse(
                f"unexpected character '{error.character}' in {what} of server {self.name}", self.position - 1
            ) from None
        if behind:
            message = f"{self.prefix}{TIME_SUFFIX.format(behind, text)}"
            self.build.warning("time-suffix", self.statement.span(self.position - 1), message)
        return value


Reader = Callable[[ServerWords, str], None]


def _flag(field: str, value: object) -> Reader:
    def read(words: ServerWords, name: str) -> None:
        words.values[field] = value

    return read


def _keep(count: int, missing: str = "") -> Reader:
    """Keep `count` words under the option's name."""

    def read(words: ServerWords, name: str) -> None:
        found = tuple(words.take(missing or f"'{name}' : missing value") for _ in range(count))
        put(words.options, name, found)

    return read


def _drop(opposite: str) -> Reader:
    def read(words: ServerWords, name: str) -> None:
        words.options.pop(opposite, None)

    return read


def _instead(opposite: str) -> Reader:
    """Keep the option, which undoes its opposite."""

    def read(words: ServerWords, name: str) -> None:
        words.options.pop(opposite, None)
        words.options[name] = ()

    return read


def _weight(words: ServerWords, name: str) -> None:
    weight = leading_integer(words.lax())
    if not 0 <= weight <= 256:
        raise words.refuse(f"weight of server {words.name} is not within 0 and 256 ({weight})", words.position - 1)
    words.values["weight"] = weight


def _lax_number(field: str) -> Reader:
    def read(words: ServerWords, name: str) -> None:
        text = words.lax()
        if not text.isdecimal():
            words.build.loose_number(words.statement, words.position - 1, text)
        words.values[field] = max(leading_integer(text), 0)

    return read


def _interval(words: ServerWords, name: str) -> None:
    value = words.time(f"'{name}' expects a delay as argument", "'agent-inter' argument", name)
    if not value:
        raise words.refuse(f"invalid value 0 for argument '{name}' of server {words.name}", words.position - 1)
    words.options[name] = (str(value),)


def _threshold(words: ServerWords, name: str) -> None:
    text = words.take(f"'{name}' expects an integer argument")
    if leading_integer(text) <= 0:
        shown = name if name == "error-limit" else f"'{name}'"
        raise words.refuse(f"{shown} has to be > 0", words.position - 1)
    words.options[name] = (text,)


def _slowstart(words: ServerWords, name: str) -> None:
    words.values["slowstart"] = words.time("'slowstart' expects a delay as argument", "'slowstart' argument", name)


def _id(words: ServerWords, name: str) -> None:
    if words.default:
        words.position += 1
        words.build.alert(
            "ignored-here",
            words.statement.span(words.position - 2),
            "'id' option is not accepted in default-server sections",
        )
        return
    number = leading_integer(words.take("'id' : expects an integer argument"))
    if number <= 0:
        raise words.refuse("'id' : custom id has to be > 0", words.position - 1)
    other = words.draft.server_ids.get(number)
    if other is not None:
        where = f"{other.span.file}:{other.span.line}"
        raise words.refuse(
            f"'id' : custom id {number} already used at {where} ('server {other.name}')",
            words.position - 1,
            code="duplicate-id",
        )
    words.values["number"] = number


def _choice(choices: tuple[str, ...], expected: str, bad: str) -> Reader:
    """One of several words. `bad` says what was expected, with `{}` for what was found."""

    def read(words: ServerWords, name: str) -> None:
        text = words.take(expected)
        if text not in choices:
            raise words.refuse(bad.format(text), words.position - 1, hint=words.build.nearest(text, choices))
        words.options[name] = (text,)

    return read


def _text(field: str, missing: str) -> Reader:
    def read(words: ServerWords, name: str) -> None:
        words.values[field] = words.take(missing)

    return read


def _send_proxy(*flags: str, add: bool = True) -> Reader:
    """HAProxy keeps one set of flags for all these words; a header is sent while any of them is left."""

    def read(words: ServerWords, name: str) -> None:
        _set_proxy_flags(words, flags, add=add)

    return read


def _set_proxy_flags(words: ServerWords, flags: Iterable[str], *, add: bool) -> None:
    kept = dict.fromkeys(words.options.get("proxy-v2-options", ()))
    for flag in flags:
        if add:
            kept[flag] = None
        else:
            kept.pop(flag, None)
    words.options["proxy-v2-options"] = tuple(kept)
    words.values["send_proxy"] = 2 if "v2" in kept else int(bool(kept))


#: What each of `proxy-v2-options` switches on.
_PROXY_OPTIONS: Final = {
    "authority": ("authority",),
    "cert-cn": ("ssl", "cert-cn"),
    "cert-key": ("ssl", "cert-key"),
    "cert-sig": ("ssl", "cert-sig"),
    "crc32c": ("crc32c",),
    "ssl": ("ssl",),
    "ssl-cipher": ("ssl", "ssl-cipher"),
    "unique-id": ("unique-id",),
}


def _proxy_options(words: ServerWords, name: str) -> None:
    for part in words.lax().split(","):
        flags = _PROXY_OPTIONS.get(part)
        if flags is None:
            raise words.refuse(f"'{part}' : proxy v2 option not implemented", words.position - 1)
        _set_proxy_flags(words, flags, add=True)


def _proxy_value(words: ServerWords, name: str) -> None:
    """`set-proxy-v2-tlv-fmt(<id>) <fmt>` of HAProxy 3.0 and later."""
    kind = proxy_value_type(name.partition("(")[2].removesuffix(")"))
    if kind is None or not name.endswith(")"):
        raise words.refuse(
            f"'{name}' : expects a type between 0 and 255 in parentheses, like set-proxy-v2-tlv-fmt(0xE0)",
            words.position - 1,
        )
    text = words.take(f"'{name}' : missing a format string for the value")
    written = log_format(
        words.build,
        words.draft,
        words.statement,
        text,
        words.position - 1,
        Place.BACKEND_SOURCE,
        f"{words.prefix}'{name}' : ",
    )
    earlier = cast("tuple[tuple[int, LogFormat], ...]", words.values.get("proxy_values", ()))
    words.values["proxy_values"] = (*earlier, (kind, written))


def _proto(words: ServerWords, name: str) -> None:
    text = words.take(f"'{name}' : missing value")
    if text not in ("h1", "h2", "fcgi", "none"):
        raise words.refuse(f"'{name}' :  unknown MUX protocol '{text}'", words.position - 1)
    words.build.note_protocol(words.statement, words.position - 1, name, text)
    words.options[name] = (text,)


def _source(words: ServerWords, name: str) -> None:
    if not words.peek():
        raise words.refuse(
            "'source' expects <addr>[:<port>[-<port>]], and optionally 'usesrc' <addr>, and 'interface' <name> as"
            " argument",
            code="missing-argument",
        )
    found, words.position = read_source(
        words.build, words.words, words.position, words.prefix, ranges=True, name="server"
    )
    words.values["source"] = found


def _usesrc(words: ServerWords, name: str) -> None:
    raise words.refuse("'usesrc' only allowed after a 'source' statement", words.position - 1)


def _track(words: ServerWords, name: str) -> None:
    words.values["track"] = words.take("'track' expects [<proxy>/]<server> as argument")


def _check_address(words: ServerWords, name: str) -> None:
    text = words.take(f"'{name}' expects <ipv4|ipv6> as argument")
    found = address(words.build, text, words.position - 1, _HOST, f"{words.prefix}'addr' : ")
    words.options[name] = (text,)
    if found.port:
        words.options.setdefault("port", (str(found.port),))


def _agent_address(words: ServerWords, name: str) -> None:
    text = words.take("'agent-addr' expects an address as argument")
    try:
        address(words.build, text, words.position - 1, _HOST, "")
    except Refused as refusal:
        message = f"{words.prefix}parsing agent-addr failed. Check if '{text}' is correct address.."
        other = Refused(message, words.position - 1, code=refusal.code)
        if not refusal.environment:
            raise other from None
        words.build.lacking(other)
    words.options[name] = (text,)


def _socks4(words: ServerWords, name: str) -> None:
    text = words.take("'socks4' expects <addr>:<port> as argument")
    address(words.build, text, words.position - 1, _PORT_NEEDED, f"{words.prefix}'socks4 {text}' : ")
    words.options[name] = (text,)


def _init_addr(words: ServerWords, name: str) -> None:
    text = words.lax()
    found: list[str] = []
    for part in filter(None, text.split(",")):
        method = part in ("last", "libc", "none")
        if not (method or part == "*" or _is_ip(part)):
            raise words.refuse(
                f"'init-addr' : unknown init-addr method '{part}', supported methods are 'libc', 'last', 'none'.",
                words.position - 1,
            )
        if not method and any(one not in ("last", "libc", "none") for one in found):
            raise words.refuse(
                f"'init-addr' : initial address already specified, cannot add '{part}'.", words.position - 1
            )
        found.append("0.0.0.0" if part == "*" else part.strip("[]"))
    words.values["init_addr"] = tuple(found)
    words.options["init-addr"] = (text,)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text[1:-1] if text[0] == "[" and text[-1] == "]" else text)
    except ValueError:
        return False
    return True


def _resolvers(words: ServerWords, name: str) -> None:
    words.values["resolvers"] = words.lax()
    words.options["resolvers"] = (str(words.values["resolvers"]),)


def _resolve_net(words: ServerWords, name: str) -> None:
    text = words.take("'resolve-net' expects a list of networks")
    for part in text.split(","):
        if not is_network(part.strip()):
            raise words.refuse(f"'resolve-net' invalid network '{part}'", words.position - 1)
    words.options[name] = (text,)


def _resolve_options(words: ServerWords, name: str) -> None:
    text = words.lax().removesuffix(",")
    for part in text.split(",") if text else ():
        if part not in ("allow-dup-ip", "ignore-weight", "prevent-dup-ip"):
            raise words.refuse(
                f"'resolve-opts' : unknown resolve-opts option '{part}', supported methods are 'allow-dup-ip',"
                " 'ignore-weight', and 'prevent-dup-ip'.",
                words.position - 1,
            )
    words.options[name] = (text,)


def _agent_check(words: ServerWords, name: str) -> None:
    words.options["agent-check"] = ()


def _tcp_ut(words: ServerWords, name: str) -> None:
    text = words.take("'tcp-ut' : missing TCP User Timeout value")
    try:
        milliseconds(text)
    except TimeError:
        raise words.refuse("'tcp-ut' : expects a positive delay in milliseconds", words.position - 1) from None
    words.options[name] = (text,)


def _port(words: ServerWords, name: str) -> None:
    words.options[name] = (words.take(f"'{name}' expects a port number as argument"),)


def _pool_max(words: ServerWords, name: str) -> None:
    number = leading_integer(words.take("'pool-max-conn' expects <value> as argument"))
    if number < -1:
        raise words.refuse("'pool-max-conn' must be >= -1", words.position - 1)
    words.values["pool_max_conn"] = number


def _pool_low(words: ServerWords, name: str) -> None:
    words.values["pool_low_conn"] = max(leading_integer(words.take("'pool-low-conn' expects <value> as argument")), 0)


def _pool_purge(words: ServerWords, name: str) -> None:
    text = words.take("'pool-purge-delay' expects <value> as argument")
    try:
        value, _ = milliseconds(text)
    except TimeError as error:
        raise words.refuse(
            f"unexpected character '{error.character}' in argument to <pool-purge-delay>.", words.position - 1
        ) from None
    words.values["pool_purge_delay"] = value


def _max_reuse(words: ServerWords, name: str) -> None:
    words.values["max_reuse"] = max(leading_integer(words.take("'max-reuse' expects <value> as argument")), -1)


def _namespace(words: ServerWords, name: str) -> None:
    text = words.take("'namespace' expects <name> as argument")
    if text != "*" and not words.build.namespace_exists(text):
        message = f"{words.prefix}Cannot open namespace '{text}'."
        words.build.lacking(Refused(message, words.position - 1, code="missing-namespace"))
    words.options[name] = (text,)


def _ssl(words: ServerWords, name: str) -> None:
    words.values["ssl"] = True
    if words.default:
        words.values["default_ssl"] = True


def _no_ssl(words: ServerWords, name: str) -> None:
    words.values["ssl"] = False


def _verify(words: ServerWords, name: str) -> None:
    text = words.take("'verify' : missing verify method")
    if text not in ("none", "required"):
        raise words.refuse(
            f"'verify' : unknown verify method '{text}', only 'none' and 'required' are supported", words.position - 1
        )
    words.options[name] = (text,)


_WS: Final = "'ws' has to be 'auto', 'h1' or 'h2'"


def _websockets(words: ServerWords, name: str) -> None:
    _choice(("auto", "h1", "h2"), _WS, _WS)(words, name)
    if words.options[name] == ("h2",):
        words.build.note_websockets(words.statement, words.position - 1)


def _sni(words: ServerWords, name: str) -> None:
    if not words.peek():
        raise words.refuse("'sni' : missing sni expression", code="missing-argument")
    text = words.lax()
    found, _ = expression_words(
        words.build,
        words.draft,
        words.statement,
        [text],
        0,
        Place.BACKEND_SOURCE,
        f"{words.prefix}error detected while parsing sni expression : ",
        place=words.position - 1,
    )
    words.values["sni"] = found


def _tls_version(words: ServerWords, name: str) -> None:
    text = words.take(f"'{name}' : missing the ssl/tls version")
    if text not in tls.VERSIONS:
        raise words.refuse(f"'{text}' : unknown ssl/tls version", words.position - 1)
    put(words.options, name, (text,))


def _alpn(words: ServerWords, name: str) -> None:
    text = words.take(f"'{name}' : missing the comma-delimited {name.upper()} protocol suite")
    if fault := protocols_fault(name, text):
        raise words.refuse(fault, words.position - 1)
    words.options[name] = (text,)


def _authority_file(words: ServerWords, name: str) -> None:
    text = words.take(
        f"'{name}' : missing {name.replace('-', ' ').replace('ca', 'CAfile').replace('crl', 'CRLfile')} path"
    )
    fault = tls.authority_fault(words.build, text)
    if fault and not words.default:
        words.build.lacking(Refused(f"{words.prefix}{fault}", words.position - 1, code="missing-file"))
    words.options[name] = (tls.located(words.build, text, "ca-base"),)


def _certificate(words: ServerWords, name: str) -> None:
    text = words.take("'crt' : missing certificate location")
    words.options[name] = (text,)


_OBSERVED: Final = _choice(
    ("none", "layer4", "layer7"),
    "'observe' expects <mode> as argument",
    "'observe' expects one of 'none', 'layer4', 'layer7' but got '{}'",
)


def _observe(words: ServerWords, name: str) -> None:
    _OBSERVED(words, name)
    if words.options[name] == ("layer7",) and words.draft.mode != "http":
        message = f"{words.prefix}'layer7' can only be used in http proxies."
        words.build.alert("incompatible-mode", words.statement.span(words.position - 1), message)


_ON_ERROR: Final = ("fastinter", "fail-check", "sudden-death", "mark-down")

READERS: Final[dict[str, Reader]] = {
    "addr": _check_address,
    "agent-addr": _agent_address,
    "agent-check": _agent_check,
    "agent-inter": _interval,
    "agent-port": _port,
    "agent-send": _keep(1, "'agent-send' expects a string as argument"),
    "allow-0rtt": _keep(0),
    "alpn": _alpn,
    "backup": _flag("backup", value=True),
    "ca-file": _authority_file,
    "check": _flag("check", value=True),
    "check-alpn": _alpn,
    "check-proto": _proto,
    "check-reuse-pool": _keep(0),
    "check-send-proxy": _instead("no-check-send-proxy"),
    "check-sni": _keep(1, "'check-sni' : missing SNI"),
    "check-ssl": _instead("no-check-ssl"),
    "check-via-socks4": _keep(0),
    "ciphers": _keep(1, "'ciphers' : missing cipher suite"),
    "ciphersuites": _keep(1, "'ciphersuites' : missing cipher suite"),
    "cookie": _text("cookie", "'cookie' expects <value> as argument"),
    "crl-file": _authority_file,
    "crt": _certificate,
    "disabled": _flag("disabled", value=True),
    "downinter": _interval,
    "enabled": _flag("disabled", value=False),
    "error-limit": _threshold,
    "fall": _threshold,
    "fastinter": _interval,
    "force-sslv3": _keep(0),
    "force-tlsv10": _keep(0),
    "force-tlsv11": _keep(0),
    "force-tlsv12": _keep(0),
    "force-tlsv13": _keep(0),
    "id": _id,
    "init-addr": _init_addr,
    "init-state": _choice(
        ("fully-up", "up", "down", "fully-down", "none"),
        "'init-state' expects <state> as argument",
        "'init-state' expects one of 'fully-up', 'up', 'down', 'fully-down' or 'none' but got '{}'",
    ),
    "inter": _interval,
    "log-proto": _choice(
        ("legacy", "octet-count"),
        "'log-proto' expects one of 'legacy' or 'octet-count'",
        "'log-proto' expects one of 'legacy' or 'octet-count' but got '{}'",
    ),
    "max-reuse": _max_reuse,
    "maxconn": _lax_number("maxconn"),
    "maxqueue": _lax_number("maxqueue"),
    "minconn": _lax_number("minconn"),
    "namespace": _namespace,
    "no-agent-check": _drop("agent-check"),
    "no-backup": _flag("backup", value=False),
    "no-check": _flag("check", value=False),
    "no-check-reuse-pool": _drop("check-reuse-pool"),
    "no-check-send-proxy": _instead("check-send-proxy"),
    "no-check-ssl": _instead("check-ssl"),
    "no-send-proxy": _send_proxy("v1", add=False),
    "no-send-proxy-v2": _send_proxy("v2", add=False),
    "no-send-proxy-v2-ssl": _send_proxy("v2", "ssl", add=False),
    "no-send-proxy-v2-ssl-cn": _send_proxy("v2", "ssl", "cert-cn", add=False),
    "no-ssl": _no_ssl,
    "no-ssl-reuse": _keep(0),
    "no-sslv3": _keep(0),
    "no-tfo": _drop("tfo"),
    "no-tls-tickets": _keep(0),
    "no-tlsv10": _keep(0),
    "no-tlsv11": _keep(0),
    "no-tlsv12": _keep(0),
    "no-tlsv13": _keep(0),
    "non-stick": _keep(0),
    "npn": _alpn,
    "observe": _observe,
    "on-error": _choice(
        _ON_ERROR,
        "'on-error' expects <mode> as argument",
        "'on-error' expects one of 'fastinter', 'fail-check', 'sudden-death' or 'mark-down' but got '{}'",
    ),
    "on-marked-down": _choice(
        ("shutdown-sessions",),
        "'on-marked-down' expects <mode> as argument",
        "'on-marked-down' expects 'shutdown-sessions' but got '{}'",
    ),
    "on-marked-up": _choice(
        ("shutdown-backup-sessions",),
        "'on-marked-up' expects <mode> as argument",
        "'on-marked-up' expects 'shutdown-backup-sessions' but got '{}'",
    ),
    "pool-low-conn": _pool_low,
    "pool-max-conn": _pool_max,
    "pool-purge-delay": _pool_purge,
    "port": _port,
    "proto": _proto,
    "proxy-v2-options": _proxy_options,
    "set-proxy-v2-tlv-fmt*": _proxy_value,
    "redir": _text("redir", "'redir' expects <prefix> as argument"),
    "resolve-net": _resolve_net,
    "resolve-opts": _resolve_options,
    "resolve-prefer": _choice(
        ("ipv4", "ipv6"),
        "'resolve-prefer' expects either ipv4 or ipv6 as argument",
        "'resolve-prefer' expects either ipv4 or ipv6 as argument",
    ),
    "resolvers": _resolvers,
    "rise": _threshold,
    "send-proxy": _send_proxy("v1"),
    "send-proxy-v2": _send_proxy("v2"),
    "send-proxy-v2-ssl": _send_proxy("v2", "ssl"),
    "send-proxy-v2-ssl-cn": _send_proxy("v2", "ssl", "cert-cn"),
    "slowstart": _slowstart,
    "sni": _sni,
    "socks4": _socks4,
    "source": _source,
    "ssl": _ssl,
    "ssl-max-ver": _tls_version,
    "ssl-min-ver": _tls_version,
    "ssl-reuse": _drop("no-ssl-reuse"),
    "stick": _drop("non-stick"),
    "tcp-ut": _tcp_ut,
    "tfo": _keep(0),
    "tls-tickets": _drop("no-tls-tickets"),
    "track": _track,
    "usesrc": _usesrc,
    "verify": _verify,
    "verifyhost": _keep(1, "'verifyhost' : missing hostname to verify against"),
    "weight": _weight,
    "ws": _websockets,
}
