"""nginx's variables and values in HAProxy's words."""

from __future__ import annotations

import re
from typing import Final

from hapy_config.translate.lines import pattern

_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_TIME: Final = re.compile(r"(\d+)(ms|[smhdwMy]?)")
_UNITS: Final = {"ms": 1, "": 1000, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000, "w": 604800000}
#: What is the URI of the request again.
_WHOLE_URI: Final = re.compile(r"\$\{?(?:document_)?uri\}?\$\{?is_args\}?\$\{?(?:args|query_string)\}?(?!\w)")
#: Path and query as they came; `pathq` where no rule changes them.
ORIGINAL: Final = "var(txn.ngx_request_uri)"
_FETCHES: Final = {
    "host": "req.hdr(host),regsub(:[0-9]*$,),lower,rtrim(.)",
    "http_host": "req.hdr(host)",
    "remote_addr": "src",
    "remote_port": "src_port",
    "binary_remote_addr": "src",
    "realip_remote_addr": "src",
    "server_addr": "dst",
    "server_port": "dst_port",
    "request_uri": ORIGINAL,
    "uri": "path",
    "document_uri": "path",
    "args": "query",
    "query_string": "query",
    "request_method": "method",
    "ssl_server_name": "ssl_fc_sni",
    "ssl_preread_server_name": "req.ssl_sni",
    "ssl_client_s_dn": "ssl_c_s_dn",
    "ssl_protocol": "ssl_fc_protocol",
    "ssl_cipher": "ssl_fc_cipher",
    "request_id": "uuid(),regsub(-,,g)",
    "hostname": "hostname",
    "msec": "date",
    "content_type": "req.fhdr(content-type,1)",
    "content_length": "req.fhdr(content-length,1)",
}
#: Headers whose lines nginx puts together; of others it knows the first.
_JOINED: Final = frozenset({"cookie", "x_forwarded_for"})
#: What a request may lack, by the first letters of variables; nginx sends no header with an empty value.
_MAY_LACK: Final = ("http_", "cookie_", "arg_", "args", "query_string", "content_")
_SIZE: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


class NoCounterpartError(ValueError):
    """HAProxy has nothing for it; the message says for what and why."""


def fetch(name: str) -> str:
    """The sample of a variable.

    Raises:
        NoCounterpartError: HAProxy has none.
    """
    if name in _FETCHES:
        return _FETCHES[name]
    if name.startswith("http_"):
        own = name.removeprefix("http_")
        return f"req.fhdr({own.replace('_', '-')}{'' if own in _JOINED else ',1'})"
    raise NoCounterpartError(f"HAProxy has nothing for ${name}")


def first_of(name: str) -> str | None:
    """What takes the first cookie or parameter of a name, in either case of letters; None for other variables.

    HAProxy's own samples look at each of several.
    """
    for prefix, source, regex in (
        ("arg_", "query", r"^(?:(?:[^&]*&)*?(?i:{})=([^&]*).*|.*)$"),
        ("cookie_", "req.fhdr(cookie)", r"^(?:(?:[^;]*;\s*)*?(?i:{})=([^;]*).*|.*)$"),
    ):
        if name.startswith(prefix):
            return f"{source},regsub('{regex.format(name.removeprefix(prefix))}','\\1')"
    return None


def may_lack(text: str) -> bool:
    """Whether a text is nothing but variables that may be empty."""
    names = variables(text)
    return bool(names) and not _VARIABLE.sub("", text) and all(one.startswith(_MAY_LACK) for one in names)


def sample_of(name: str, known: dict[str, str]) -> str:
    """The sample of a variable, of one that the configuration itself makes, too, where `known` knows of those.

    Raises:
        NoCounterpartError: HAProxy has none.
    """
    own = getattr(known, "sample", fetch)
    return str(own(name))


def format_string(text: str, known: dict[str, str], *, location: bool = False) -> str:
    """A string with variables as a log format; `known` has the values of variables that were set.

    Raises:
        NoCounterpartError: a variable of it has no counterpart.
    """
    text = _WHOLE_URI.sub("$request_uri", text)
    found, place = [], 0
    for match in _VARIABLE.finditer(text):
        found.append(text[place : match.start()].replace("%", "%%"))
        place = match.end()
        name = match[1] or match[2]
        if name in known:
            found.append(known[name].replace("%", "%%"))
        elif name == "scheme":
            raise NoCounterpartError("HAProxy 2.6 has no sample for $scheme")
        elif name == "is_args":
            raise NoCounterpartError("HAProxy has no sample that is '?' where there is a query")
        elif location and name in ("args", "query_string"):
            found.append("%[query]")
        else:
            found.append(f"%[{sample_of(name, known)}]")
    return "".join((*found, text[place:].replace("%", "%%")))


def variables(text: str) -> list[str]:
    """The names of the variables in a text."""
    return [match[1] or match[2] for match in _VARIABLE.finditer(text)]


def time(text: str) -> str:
    """A time, with a unit.

    Raises:
        NoCounterpartError: it is none.
    """
    total = 0
    parts = _TIME.findall(text.replace(" ", ""))
    if not parts or "".join(number + unit for number, unit in parts) != text.replace(" ", ""):
        raise NoCounterpartError(f"'{text}' is no time")
    for number, unit in parts:
        total += int(number) * _UNITS.get(unit, 86400000 * 365 if unit == "y" else 86400000 * 30)
    return f"{total // 1000}s" if total % 1000 == 0 else f"{total}ms"


def size(text: str) -> int:
    """A number of bytes.

    Raises:
        NoCounterpartError: it is none.
    """
    match = re.fullmatch(r"(\d+)([kmg]?)", text.lower())
    if match is None:
        raise NoCounterpartError(f"'{text}' is no size")
    return int(match[1]) * _SIZE[match[2]]


def condition(words: tuple[str, ...], known: dict[str, str]) -> str:
    """The condition of an `if` as an anonymous ACL.

    Raises:
        NoCounterpartError: HAProxy can't test it.
    """
    text = " ".join(words).strip()
    if not (text.startswith("(") and text.endswith(")")):
        raise NoCounterpartError("the condition has no parentheses")
    match = re.fullmatch(r"\$\{?(\w+)\}?\s*(?:(=|!=|!?~\*?)\s*(.*))?", text[1:-1].strip(), re.DOTALL)
    if match is None:
        raise NoCounterpartError("files and such can't be tested")
    name, operator, value = match[1], match[2], (match[3] or "").strip()
    if name in known:
        raise NoCounterpartError(f"${name} was set by a rule")
    negated = "!" if operator and operator.startswith("!") else ""
    if name in ("scheme", "https"):
        encrypted = value in ("https", "on")
        return f"{'!' if (not encrypted) != bool(negated) else ''}{{ ssl_fc }}"
    if name == "ssl_client_verify" and value == "SUCCESS":
        return f"{negated}{{ ssl_c_used }}"  # HAProxy ends the handshake of whoever has another certificate
    sample = sample_of(name, known)
    if not operator:
        return f"{{ {sample} -m reg ^(.{{2,}}|[^0])$ }}"
    if value == "":
        return f"{'' if negated else '!'}{{ {sample} -m len gt 0 }}"
    if "~" in operator:
        return f"{negated}{{ {sample} -m reg {'-i ' if '*' in operator else ''}{pattern(value)} }}"
    if sample == "src":
        return f"{negated}{{ src {value} }}"
    return f"{negated}{{ {sample} -m str {pattern(value)} }}"
