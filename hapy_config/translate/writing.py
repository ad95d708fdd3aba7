"""Words of a configuration line from parts of the model: strings, addresses, expressions, conditions, answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from hapy_config.keywords.acls import PREDEFINED
from hapy_config.model.addresses import Address
from hapy_config.model.expressions import AclExpression, Condition, LogFormat, SampleExpression, Term
from hapy_config.model.rules import HttpReply, Redirect

_PLAIN: Final = re.compile(r"""[^\s"'\\#$\x00-\x1f]+""")
_SUFFIXES: Final = ("_beg", "_end", "_sub", "_reg", "_dir", "_dom", "_len", "_str", "_ip", "_cnt")
_NATURAL: Final = {
    "bool": "bool", "sint": "int", "ipv4": "ip", "ipv6": "ip", "addr": "ip", "str": "str", "bin": "bin", "meth": "str"
}  # fmt: skip
_CONTROL: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def word(text: str) -> str:
    """A word as it must be written to be read as `text`."""
    if _PLAIN.fullmatch(text):
        return text
    if not any(one in text for one in "'\n\r\t") and text:
        return f"'{text}'"
    escaped = re.sub(r'(["\\$])', r"\\\1", text)
    return '"' + "".join(_CONTROL.get(one, one) for one in escaped) + '"'


def line(words: Iterable[object]) -> str:
    """A line of words; None and empty lists are left out, lists are several words."""
    found: list[str] = []
    for one in words:
        if isinstance(one, tuple | list):
            found.extend(word(str(part)) for part in one)
        elif one is not None:
            found.append(word(str(one)))
    return " ".join(found)


def address(value: Address, *, offset: bool = False) -> str:
    """An address; `offset` is how one whose port maps the client's is written on server lines."""
    prefix = f"{value.protocol}@" if value.protocol else "udp@" if value.datagram else ""
    if value.family in ("unix", "abns", "fd"):
        kind = {"abns": "abns@", "fd": "fd@", "unix": "" if value.host.startswith("/") else "unix@"}[value.family]
        return prefix + kind + value.host
    host = f"[{value.host}]" if value.family == "ipv6" else value.host
    if value.family == "any":
        host = host or "*"
    if value.port is None or (value.port_offset and not value.port):
        return prefix + host
    port = f"{value.port:+d}" if value.port_offset and offset else str(value.port)
    if value.port_end is not None and value.port_end != value.port and not value.port_offset:
        port += f"-{value.port_end}"
    return f"{prefix}{host}:{port}"


def acl(one: AclExpression) -> list[str]:
    """The words behind an ACL's name."""
    words = [one.criterion.text]
    plain = one.criterion.text.partition(",")[0].partition("(")[0]
    if not plain.endswith(_SUFFIXES) and _NATURAL.get(one.criterion.type) != one.match:
        words += ["-m", one.match]
    words += ["-i"] if one.ignore_case else []
    words += ["-n"] if one.numeric_only else []
    words += ["-M"] if one.as_map else []
    words += ["-u", str(one.unique_id)] if one.unique_id is not None else []
    for file in one.files:
        words += ["-f", file]
    if any(pattern.startswith("-") for pattern in one.patterns[:1]):
        words.append("--")
    return [*words, *one.patterns]


class Acls:
    """The ACLs of one proxy, collected while its conditions are written."""

    def __init__(self) -> None:
        self.lines: dict[str, tuple[AclExpression, ...]] = {}

    def condition(self, condition: Condition | None) -> list[str]:
        """`if …` or `unless …`, or nothing."""
        if condition is None:
            return []
        words = ["unless" if condition.unless else "if"]
        for index, terms in enumerate(condition.alternatives):
            words += ["or"] if index else []
            for term in terms:
                words += self._term(term)
        return words

    def _term(self, term: Term) -> list[str]:
        sign = "!" if term.negated else ""
        if term.name:
            usual = PREDEFINED.get(term.name, "").split()
            if not usual or [term.expressions[0].criterion.text, *term.expressions[0].patterns] != usual:
                before = self.lines.get(term.name, ())
                self.lines[term.name] = max(before, term.expressions, key=len)
            return [sign + term.name]
        return [f"{sign}{{", *(part for one in term.expressions for part in acl(one)), "}"]

    def written(self) -> list[str]:
        """The `acl` lines."""
        return [line(["acl", name, acl(one)]) for name, expressions in self.lines.items() for one in expressions]


def redirect(value: Redirect) -> list[str]:
    """The words of a redirect, without its condition."""
    words = [value.kind, value.target.text, "code", str(value.code)]
    words += ["drop-query"] if value.drop_query else []
    words += ["append-slash"] if value.append_slash else []
    words += ["ignore-empty"] if value.ignore_empty else []
    words += ["set-cookie", value.set_cookie] if value.set_cookie is not None else []
    words += ["clear-cookie", value.clear_cookie] if value.clear_cookie is not None else []
    return words


class Files:
    """Texts that a configuration reads from files of their own; `folder` is written in front of their names."""

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        self.texts: dict[str, str] = {}

    def add(self, stem: str, content: bytes) -> str:
        """The name of a file with that content."""
        text = content.decode("utf-8", "surrogateescape")
        for name, known in self.texts.items():
            if known == text:
                return self.folder + name
        name = f"{stem}-{len(self.texts) + 1}.http"
        self.texts[name] = text
        return self.folder + name


def reply(value: HttpReply, action: str, files: Files) -> list[str]:
    """The words of an answer."""
    words: list[str] = []
    if value.status is not None:
        words += [
            "deny_status" if value.default_errorfiles and action in ("deny", "tarpit") else "status",
            str(value.status),
        ]
    if value.default_errorfiles and (action not in ("deny", "tarpit") or value.headers):
        words.append("default-errorfiles")
    if value.errorfile is not None:
        words += ["errorfile", files.add(action, value.errorfile)]
    if value.errorfiles is not None:
        words += ["errorfiles", value.errorfiles]
    if value.content_type is not None:
        words += ["content-type", value.content_type]
    if value.body_format is not None:
        given = value.body_format.text
        words += ["lf-string", given] if given else ["lf-file", files.add(action, b"")]  # no word may be empty there
    elif value.body is not None and (value.body or value.content_type is not None):
        words += ["string", value.body.decode("utf-8", "surrogateescape")]
    for name, format_ in value.headers:
        words += ["hdr", name, format_.text]
    return words


def plain(value: object) -> list[str]:
    """An argument of a rule as it stands."""
    if value is None:
        return []
    if isinstance(value, LogFormat | SampleExpression):
        return value.text.split() if isinstance(value, SampleExpression) and " " in value.text else [value.text]
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return [str(value)]


def option_words(options: Mapping[str, tuple[str, ...]], skipped: frozenset[str]) -> list[str]:
    """The words of a bind or server line that the model keeps by name."""
    return [part for name, values in options.items() if name not in skipped for part in (name, *values)]
