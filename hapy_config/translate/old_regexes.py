r"""What the `reqrep` family's regular expressions are about: a header, or the request line.

Those rules matched whole lines of a head (`^Host:\ (.*)`, `^([^\ ]*)\ /a/(.*)`); today's rules name what they look at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: Blanks in a pattern.
_BLANK: Final = r"(?:[ \t]|\\s|\\ |\[(?:[ \t]|\\s)+\]|\[\[:(?:space|blank):\]\])"
#: `^Name:` and the blanks behind it.
_HEADER: Final = re.compile(rf"\^([A-Za-z0-9_-]+)(?:{_BLANK}[*?])?:((?:{_BLANK}[*+?]?)*)(.*)", re.DOTALL)
#: What may stand for the blank behind a header's colon.
_MAY_BE_BLANK: Final = (".", "(.", "[^", "([^", "(\\s", "( ")
#: `^Name` without a colon: the beginning of a name.
_NAME: Final = re.compile(r"\^([A-Za-z0-9_-]+)(?:\.\*)?")
#: Several names' beginnings without a colon.
_SOME_NAMES: Final = re.compile(r"\^(\([A-Za-z0-9_-]+(?:\|[A-Za-z0-9_-]+)+\))")
#: `^name-regex:`; what is behind it takes anything.
_NAMES: Final = re.compile(rf"\^([^: ]+):(?:{_BLANK}[*?]?)?(?:\.\*\$?)?")
#: The method at the beginning of a request line: captured or not, and the blank behind it.
_METHOD: Final = re.compile(
    r"\^(?:(?P<group>\((?:\[\^(?: :?|: )\][*+]|\\w[*+]|\\S[*+]|\[[A-Za-z-]+\][*+]|\.\*|\[\^\\s\][*+])\))"
    r"|(?P<bare>\[\^(?: :?|: )\][*+]|\\w[*+]|\\S[*+]|\[[A-Za-z-]+\][*+]))(?: |\\ |\\s)\+?"
    r"(?P<rest>/.*|\(.*|\[.*|\.\*.*|\*.*|https?:.*)",
    re.DOTALL,
)
#: A request line whose first group takes the method and the beginning of the URI in one.
_RUN_IN: Final = re.compile(r"\^\((?:\[\^ \])?\.\*\)(?P<rest>[^ ]*)", re.DOTALL)
#: A method in so many letters.
_VERB: Final = re.compile(r"\^([A-Z]+) (?P<rest>/.*)", re.DOTALL)
#: A group that takes the method, the blank behind it and the URI's beginning.
_WITH_START: Final = re.compile(
    r"\^\((?:\[\^(?: :?|: )\]|\\S|\\w)[*+] (?P<start>[A-Za-z0-9/_-]*)\)(?P<rest>.*)", re.DOTALL
)
#: Methods in so many letters, as a group.
_VERBS: Final = re.compile(r"\^\((?P<verbs>[A-Z]+(?:\|[A-Z]+)*)\) (?P<rest>[/(].*)", re.DOTALL)
#: Methods and nothing else, one or several as a group; the blank behind a method or not.
_METHODS: Final = re.compile(
    r"\^(?:(?P<one>[A-Za-z]+)|\((?P<several>[A-Za-z]+(?:\|[A-Za-z]+)*)\))(?P<blank> (?:\.\*)?)?"
)
#: What any line matches.
_ANY_LINE: Final = frozenset({"", ".", ".*", ".+", "^", "^.", "^.*", "^.*$", "^.+$", "(.*)", "^(.*)", "^(.*)$"})
#: A method in so many letters, and all behind it as one group or two.
_ONE_VERB: Final = re.compile(r"\^([A-Z]+) (?:\(\.\*\)\$?|\(\.\*\) \((?:HTTP/?)?\.\*\)\$?)")
_NEW_VERB: Final = re.compile(r"([A-Z]+) \\1(?: \\2)?")
#: A status line; the reason behind the status as a group or not.
_STATUS: Final = re.compile(
    r"\^HTTP/(?:1|\.|\[[^]]*\]|\\d)(?:\\?\.)(?P<minor>[01.]|\[[^]]*\]|\\d) (?P<code>[1-5]\d\d)(?: ?(?P<rest>.*))?",
    re.DOTALL,
)
_NEW_STATUS: Final = re.compile(r"HTTP/1\.[01] (?P<code>[1-5]\d\d)(?: ?(?P<reason>.*))?", re.DOTALL)
_ANYTHING: Final = ("", ".*", "(.*)", ".*$", "(.*)$", "\\ .*")
#: The protocol at the end of a request line.
_VERSION: Final = re.compile(r" (?:\((?:\.\*|HTTP/?[^()]*|\[\^ \][*+]|\\S[*+])\)|HTTP/[^ ()]*)\$?\Z")
#: A header whose name and the beginning of its value are one group.
_BEGUN_HEADER: Final = re.compile(
    rf"\^\(([A-Za-z0-9_-]+):((?:{_BLANK}[*+?]?)*)((?:[^()\\]|\\.)*)\)((?![*+?]).*)", re.DOTALL
)
#: A header whose name is a group.
_GROUPED_NAME: Final = re.compile(r"\^\(([A-Za-z0-9_-]+)\)(:.*)", re.DOTALL)
_TAKES_ALL: Final = re.compile(r"(?:\(\.\*\)|\.\*)\$?\Z")
#: One version at the end of a request line.
_ONE_VERSION: Final = re.compile(r" \(?HTTP/1\\?\.([01])\)?\$?\Z")
#: Letters, signs and classes that no blank, colon or end of a line fits.
_WITHIN_A_WORD: Final = re.compile(
    r"(?:[A-Za-z0-9_/%&=,;!~@<>'|()-]|\\[][./+*?(){}$^|\\-]|\.(?![*+?{])|\[[A-Za-z0-9_./%-]+\][+*?]?)+"
)
#: A version, whatever is asked for.
_VERSION_ALONE: Final = re.compile(r"\^?(?:\.\*|\(\.\*\)) HTTP/1\\?\.[01]\$?")
_IN_BRACKETS: Final = re.compile(r"\[\^?\]?[^]]*\]")
_REFERENCE: Final = re.compile(r"\\(\d)")
_GROUP: Final = re.compile(r"(?<!\\)\((?!\?)")


@dataclass(frozen=True, slots=True)
class Header:
    """A pattern for the value of one header."""

    name: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Uri:
    """A pattern for the URI of a request line. method: those asked for, a blank between them; empty for any."""

    pattern: str
    method: str = ""


@dataclass(frozen=True, slots=True)
class Methods:
    """A pattern for methods; `whole`: it takes no more than they are."""

    names: tuple[str, ...]
    whole: bool


def sees_headers(pattern: str) -> bool:
    """Whether a pattern for request lines fits headers, too, whose values are such a URI."""
    return re.match(r"\^\(?(?:\[\^(?: |\\s)\]|\\S|\.)[*+]\)? ", pattern) is not None


def any_line(pattern: str) -> bool:
    """Whether a pattern fits every request and answer."""
    return pattern in _ANY_LINE


def anywhere(pattern: str) -> str | None:
    """What a pattern looks for in any place of any line, without blanks or ends of lines; None for another pattern."""
    text = re.sub(r"^\^?(?:\.\*)+|(?:\.\*)+\$?$", "", pattern)
    if not _WITHIN_A_WORD.fullmatch(text) or "http" in text.lower():
        return None
    return text


def may_be_method(text: str) -> bool:
    """Whether methods may have a text in them."""
    return re.fullmatch(r"[A-Za-z|()-]+", text) is not None


def methods(pattern: str) -> Methods | None:
    """The methods that a pattern looks for; None where it looks for something else."""
    found = _METHODS.fullmatch(pattern)
    if found is None:
        return None
    return Methods(tuple((found["one"] or found["several"]).split("|")), found["blank"] is not None)


def about(pattern: str) -> Header | Uri | None:
    """What a search pattern looks at; None where that can't be said."""
    if (found := _HEADER.fullmatch(pattern)) is not None:
        blank, rest = found[2], found[3]
        if rest and not blank and not rest.startswith(_MAY_BE_BLANK):
            return None  # lines have a blank there
        return Header(found[1], rest if rest.startswith((".*", "(.*)")) or not rest else f"^{rest}")
    if (found := _VERB.fullmatch(pattern)) is not None:
        return _of_uri(found["rest"], found[1])
    if (found := _VERBS.fullmatch(pattern)) is not None:
        return _of_uri(found["rest"], found["verbs"].replace("|", " "))
    if (found := _METHOD.fullmatch(pattern)) is not None:
        return _of_uri(found["rest"])
    return None


def _of_uri(rest: str, methods: str = "") -> Uri | None:
    """What looks at a URI; None where it looks behind it, too, or for its end where a line goes on."""
    pattern = _uri(rest)
    own = _IN_BRACKETS.sub("", pattern)
    if " " in own or "HTTP/" in own or (pattern == f"^{rest}" and rest.endswith("$") and not rest.endswith(".*$")):
        return None
    return Uri(pattern, methods)


def version_alone(pattern: str) -> bool:
    """Whether a pattern looks at nothing but the version of a request."""
    return _VERSION_ALONE.fullmatch(pattern) is not None


def version(pattern: str) -> str | None:
    """The version that a pattern asks a request line for; None where any will do."""
    found = _ONE_VERSION.search(pattern)
    return None if found is None else f"1.{found[1]}"


def header_names(pattern: str) -> tuple[str, str] | None:
    """The header that matching lines belong to, as (`str`, `beg` or `reg`, name); None where values decide."""
    if (found := _HEADER.fullmatch(pattern)) is not None and found[3] in ("", ".*", "(.*)", ".*$"):
        return "str", found[1]
    if (found := _NAME.fullmatch(pattern)) is not None:
        return "beg", found[1]
    if (found := _SOME_NAMES.fullmatch(pattern)) is not None:
        return "reg", f"^{found[1]}"
    if (found := _NAMES.fullmatch(pattern)) is not None:
        return "reg", f"^{found[1]}$"
    return None


def replaced_header(pattern: str, replacement: str) -> tuple[str, str, str] | None:
    """A rewrite of one header's value: name, pattern and value; None where it is something else."""
    grouped = _GROUPED_NAME.fullmatch(pattern)
    if grouped is not None and replacement.startswith("\\1:") and not re.search(r"\\[01]", replacement[2:]):
        return replaced_header(f"^{grouped[1]}{grouped[2]}", grouped[1] + _shifted(replacement[2:], 1))
    begun = _BEGUN_HEADER.fullmatch(pattern)
    if begun is not None and re.match(r"\\1(?!\d)", replacement) and not re.search(r"\\[01]", replacement[2:]):
        name, blank, first, rest = begun.groups()
        if blank or first.startswith("."):
            return name, f"^({first}){rest}", replacement
        if not first and not rest:
            return name, "^(.*)", replacement
    found = about(pattern)
    if not isinstance(found, Header):
        return None
    name, colon, value = replacement.partition(":")
    if not colon or name.lower() != found.name.lower():
        return None
    return name, found.pattern or ".*", value.lstrip(" ")


def replaced_name(pattern: str, replacement: str) -> tuple[str, str, str, str] | None:
    """A header under another name: the old one, the new one, what is written before its value and behind it."""
    found = about(pattern)
    name, colon, value = replacement.partition(":")
    if not isinstance(found, Header) or found.pattern.removeprefix("^") not in ("(.*)", "(.*)$", "(.+)") or not colon:
        return None
    parts = value.lstrip(" ").split("\\1")
    if len(parts) != 2 or not re.fullmatch(r"[A-Za-z0-9_-]+", name) or "\\" in "".join(parts):
        return None
    return found.name, name, parts[0], parts[1]


def replaced_method(pattern: str, replacement: str) -> tuple[str, str] | None:
    """Another method: the old one and the new one."""
    old, new = _ONE_VERB.fullmatch(pattern), _NEW_VERB.fullmatch(replacement)
    return (old[1], new[1]) if old is not None and new is not None else None


def status(pattern: str) -> str | None:
    """The status that a pattern looks for."""
    found = _STATUS.fullmatch(pattern)
    return found["code"] if found is not None and (found["rest"] or "").lstrip(" ") in _ANYTHING else None


def _statuses(pattern: str, replacement: str) -> tuple[str, str, str] | None:
    old, new = _STATUS.fullmatch(pattern), _NEW_STATUS.fullmatch(replacement)
    if old is None or new is None or (old["rest"] or "").lstrip(" ") not in _ANYTHING:
        return None
    return old["code"], new["code"], (new["reason"] or "").strip()


def same_status(pattern: str, replacement: str) -> bool:
    """Whether a status line keeps its status and gets another version only."""
    if re.fullmatch(r"\^HTTP/1\\?\.[01] \(\.\*\)\$?", pattern) and re.fullmatch(r"HTTP/1\.[01] \\1", replacement):
        return True
    found = _statuses(pattern, replacement)
    return found is not None and found[0] == found[1] and found[2] in ("", "\\1")


def replaced_status(pattern: str, replacement: str) -> tuple[str, str, str] | None:
    """Another status: the old code, the new one, and its reason; an empty one is the usual."""
    found = _statuses(pattern, replacement)
    if found is None or ("\\" in found[2] and found[2] != "\\1"):
        return None
    return found[0], found[1], "" if found[2] == "\\1" else found[2]


def replaced_uri(pattern: str, replacement: str) -> tuple[str, str, tuple[str, ...]] | None:
    """A rewrite of the URI: pattern, URI, and the methods that it is for; None where it is another rewrite."""
    if (named := _VERBS.fullmatch(pattern)) is not None:
        if not replacement.startswith("\\1 "):
            return None
        found = _without_version(named["rest"], replacement[3:].lstrip(" "), 1)
        return None if found is None else (*found, tuple(named["verbs"].split("|")))
    verb = _VERB.fullmatch(pattern)
    if verb is not None and replacement.startswith(f"{verb[1]} "):
        found = _without_version(verb["rest"], replacement[len(verb[1]) :].lstrip(" "), 0)
        return None if found is None else (*found, (verb[1],))
    plain = _replaced_uri(pattern, replacement)
    return None if plain is None else (*plain, ())


def _replaced_uri(pattern: str, replacement: str) -> tuple[str, str] | None:
    if (begun := _WITH_START.fullmatch(pattern)) is not None:
        if not re.match(r"\\1(?!\d)", replacement):
            return None
        return _without_version(begun["start"] + begun["rest"], begun["start"] + replacement[2:], 1)
    if (found := _METHOD.fullmatch(pattern)) is not None:
        rest = found["rest"]
        first = 1 if found["group"] is not None else 0
        if first and not replacement.startswith("\\1 "):
            return None
        if not first:
            return None  # the method could not be put back
        uri = replacement[3:].lstrip(" ")
        return _without_version(rest, uri, first)
    if (found := _RUN_IN.fullmatch(pattern)) is not None and replacement.startswith("\\1"):
        if not _TAKES_ALL.search(pattern):
            return None
        return f"^(.*){found['rest']}", replacement
    return None


def _without_version(rest: str, uri: str, shift: int) -> tuple[str, str] | None:
    """Take the protocol off both, and count groups anew."""
    behind = _VERSION.search(rest)
    if behind is not None:
        before = rest[: behind.start()]
        last = len(_GROUP.findall(rest)) + shift
        ending = re.search(rf" (?:\\{last}|HTTP/\S*)\Z", uri)
        if ending is None:
            if not _TAKES_ALL.search(before):
                return None
        else:
            rest, uri = before, uri[: ending.start()]
            if "(" in behind[0] and re.search(rf"\\{last}", uri):
                return None
            return f"^{rest}$", _shifted(uri, shift)
    if not _TAKES_ALL.search(rest) or " " in uri:
        return None
    references = {int(number) for number in _REFERENCE.findall(uri)}
    if 0 in references or (shift and shift in references):
        return None
    return f"^{rest}", _shifted(uri, shift)


def _shifted(text: str, shift: int) -> str:
    return _REFERENCE.sub(lambda match: f"\\{int(match[1]) - shift}", text)


def _uri(rest: str) -> str:
    behind = _VERSION.search(rest)
    if behind is not None:
        return f"^{rest[: behind.start()]}$"
    return f"^{rest[:-1]}$" if rest.endswith(" ") else f"^{rest}"


def any_case(pattern: str) -> str:
    """The pattern, taking letters of either case."""
    return f"(?i){pattern}" if re.search(r"[A-Za-z]", re.sub(r"\\.", "", pattern)) else pattern
