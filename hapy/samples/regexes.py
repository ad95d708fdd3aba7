r"""Regular expressions as HAProxy takes them: PCRE text on bytes, substitutions with `\1`.

Python's `re` knows nearly all of PCRE. What it writes otherwise is translated: POSIX classes (`[[:alpha:]]`), `\h`, `\R`,
`\K`-free possessive quantifiers and atomic groups are Python's own since 3.11, `\Z`/`\z`, `(?<name>…)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from hapy.samples.environment import CompileError
from hapy_config.words import to_bytes

_POSIX: Final = {
    b"alpha": b"A-Za-z",
    b"digit": b"0-9",
    b"alnum": b"A-Za-z0-9",
    b"upper": b"A-Z",
    b"lower": b"a-z",
    b"space": rb" \t\r\n\v\f",
    b"blank": rb" \t",
    b"punct": rb"!-/:-@\[-`{-~",
    b"print": b" -~",
    b"graph": b"!-~",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"xdigit": b"0-9A-Fa-f",
    b"word": b"A-Za-z0-9_",
    b"ascii": rb"\x00-\x7f",
}
_TOKEN: Final = re.compile(
    rb"(?P<posix>\[:(?P<class>\^?[a-z]+):\])|(?P<escape>\\(?:x\{(?P<code>[0-9a-fA-F]+)\}|Q(?P<quoted>.*?)(?:\\E|$)|.))"
    rb"|(?P<named>\(\?<(?=[A-Za-z_]))|(?P<call>\(\?&)|(?P<open>\[\^?\]?)|(?P<close>\])|(?P<dollar>\$)|(?P<other>.)",
    re.DOTALL,
)
_ESCAPES: Final = {
    b"\\h": rb"[ \t]",
    b"\\H": rb"[^ \t]",
    b"\\R": rb"(?:\r\n|[\n\v\f\r])",
    b"\\z": rb"\Z",
    b"\\Z": rb"(?=\n?\Z)",
    b"\\e": rb"\x1b",
    b"\\N": rb"[^\n]",
}
_IN_CLASS: Final = {b"\\h": rb" \t", b"\\e": rb"\x1b"}


def translate(pattern: bytes) -> bytes:
    """A PCRE pattern in Python's spelling."""
    out: list[bytes] = []
    in_class = False
    for match in _TOKEN.finditer(pattern):
        text = match[0]
        if match["quoted"] is not None:
            text = re.escape(match["quoted"])
        elif match["code"] is not None:
            text = b"\\x%02x" % (int(match["code"], 16) & 0xFF)
        elif match["escape"] is not None:
            text = (_IN_CLASS if in_class else _ESCAPES).get(text, text)
            if len(text) == 2 and text[1:].isalpha() and text[1:] not in b"AbBdDsSwWnrtfvaxZ":
                text = text[1:]
        elif in_class:
            if match["posix"] is not None:
                text = _posix(match["class"])
            elif match["close"] is not None:
                in_class = False
            elif text[:1] == b"[":
                text = text.replace(b"[", rb"\[", 1)
                if text.endswith(b"]"):
                    in_class = False
        elif match["open"] is not None or match["posix"] is not None:
            in_class = True
            if match["posix"] is not None:  # `[:alpha:]` outside of brackets: a class of these characters
                in_class = False
            elif text.endswith(b"]"):
                text = text[:-1] + rb"\]"
        elif match["named"] is not None:
            text = b"(?P<"
        elif match["dollar"] is not None:
            text = rb"(?=\n?\Z)"
        out.append(text)
    return b"".join(out)


def _posix(name: bytes) -> bytes:
    negated = name.startswith(b"^")
    characters = _POSIX.get(name.lstrip(b"^"))
    if characters is None or negated:
        raise CompileError(f"regex: unknown character class [:{name.decode('latin-1')}:]")
    return characters


@lru_cache(maxsize=4096)
def compile_regex(pattern: str, *, ignore_case: bool = False) -> re.Pattern[bytes]:
    """Compile a configuration's regular expression.

    Raises:
        CompileError: when it isn't one.
    """
    text = to_bytes(pattern)
    try:
        return re.compile(translate(text), re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError) as error:
        raise CompileError(f"regex '{pattern}' is invalid: {error}") from None


Replacement = Callable[["re.Match[bytes]"], bytes]

_REFERENCE: Final = re.compile(rb"\\(?:(?P<group>[0-9])|x(?P<hex>[0-9a-fA-F]{2})|(?P<other>.))", re.DOTALL)


def compile_replacement(text: bytes) -> Replacement:
    r"""What takes a match's place: `\0` to `\9` are its groups (empty where they took no part), `\xNN` a byte."""
    parts: list[bytes | int] = []
    position = 0
    for match in _REFERENCE.finditer(text):
        parts.append(text[position : match.start()])
        if match["group"] is not None:
            parts.append(int(match["group"]))
        elif match["hex"] is not None:
            parts.append(bytes.fromhex(match["hex"].decode()))
        else:
            parts.append(match["other"])
        position = match.end()
    parts.append(text[position:])
    if not any(isinstance(part, int) for part in parts):
        constant = b"".join(part for part in parts if isinstance(part, bytes))
        return lambda match: constant

    def expand(match: re.Match[bytes]) -> bytes:
        groups = match.re.groups
        return b"".join(
            [part if isinstance(part, bytes) else (match[part] or b"") if part <= groups else b"" for part in parts]
        )

    return expand


def substitute(pattern: re.Pattern[bytes], replace: Replacement, text: bytes, *, everywhere: bool) -> bytes:
    """The text with the first match, or all matches, replaced; after an empty match the next byte stays as it is."""
    return pattern.sub(replace, text, count=0 if everywhere else 1)
