"""Lists of protocol names, as `alpn` and `npn` take them."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 255


def protocols_fault(word: str, text: str) -> str:
    """What is wrong with a comma-separated list of protocol names, in HAProxy's words, or an empty string."""
    for name in text.split(","):
        if len(name) > _LONGEST:
            return f"'{word}' : {word.upper()} protocol name too long : '{name}'"
    return ""
