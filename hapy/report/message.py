"""A message as a person wants it: one line, without lists of every word there is."""

from __future__ import annotations

import re
from typing import Final

#: More than this many quoted words in a row are counted, not listed.
_MANY: Final = 6
_LIST: Final = re.compile(r"'[^'\s]+'(?:(?:, | and | or )'[^'\s]+'){%d,}(?: options\b)?" % _MANY)  # noqa: UP031
#: What the hint below says once more, and what the word "error" before the message says already.
_MAYBE: Final = re.compile(r"; did you mean '[^']+' maybe ?\?")
_PARSING: Final = re.compile(r"^error detected (?=while |in )")
_WORD: Final = re.compile(r"'[^'\s]+'")


def one_line(message: str) -> str:
    """The message on one line, without a full stop."""
    parts = [line.strip(" |") for line in message.split("\n")]
    text = " ".join(part for part in parts if part)
    text = _PARSING.sub("", _MAYBE.sub("", text)).replace(" : ", ": ")
    return _LIST.sub(_counted, text).rstrip(". ")


def _counted(match: re.Match[str]) -> str:
    words = _WORD.findall(match[0])
    return f"one of {len(words)} {'options' if match[0].endswith(' options') else 'words'}"
