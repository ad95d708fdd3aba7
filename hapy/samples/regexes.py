r"""Substitutions as HAProxy writes them (`\1`), and the configuration's regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from hapy.samples.environment import CompileError
from hapy_config.grammar import regexes
from hapy_config.grammar.errors import GrammarError


def compile_regex(pattern: str, *, ignore_case: bool = False) -> re.Pattern[bytes]:
    """Compile a configuration's regular expression.

    Raises:
        CompileError: when it isn't one, or one that Python can't run.
    """
    try:
        return regexes.compile_regex(pattern, ignore_case)
    except GrammarError as error:
        raise CompileError(error.message) from None


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
    r"""The text with the first match, or all matches, replaced.

    HAProxy looks for the next match in what follows the last one, as if nothing stood before it, except that `^` does
    not match there: `\b` does at each byte of a word. Where a match ends at its very beginning a byte stays as it is,
    so that `$` is replaced twice behind something, and once in an empty text.
    """
    match = pattern.search(text)
    if match is None or not everywhere:
        return text if match is None else text[: match.start()] + replace(match) + text[match.end() :]
    parts: list[bytes] = []
    while match is not None:
        # All of the text is searched at first, then what is left, with a byte before it that belongs to no word.
        subject, start = match.string, match.pos
        end = match.end()
        parts += (subject[start : match.start()], replace(match))
        text = subject[end:]
        if end == start:
            parts.append(text[:1])
            if not text:
                break
            text = text[1:]
        match = pattern.search(b"\0" + text, 1)
    parts.append(text)
    return b"".join(parts)
