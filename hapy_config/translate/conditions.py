"""The conditions of lines to be rewritten, as written: their alternatives, and one thing more to ask for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from hapy_config.translate.lines import write

#: More alternatives than this are for a person to write.
_MOST: Final = 16


def alternatives(words: Sequence[str], raw: Sequence[str]) -> list[list[str]] | None:
    """The terms of each alternative of a condition; none of them where it is empty.

    Args:
        words: it, from `if` or `unless` on.
        raw: the same as written.

    Returns:
        None where it is no condition, or too long to be written without `unless`.
    """
    if not words:
        return [[]]
    if words[0] not in ("if", "unless"):
        return None
    found: list[list[str]] = [[]]
    for term in _terms(words[1:], raw[1:]):
        if term:
            found[-1].append(term)
        else:
            found.append([])
    if words[0] == "if":
        return found
    denied = [[_denied(term) for term in terms] for terms in found]
    choices = list(itertools.islice(itertools.product(*denied), _MOST + 1))
    return [list(dict.fromkeys(choice)) for choice in choices] if len(choices) <= _MOST else None


def _terms(words: Sequence[str], raw: Sequence[str]) -> Iterator[str]:
    """Each term as it may be written; an empty one stands for `or`."""
    pending: list[str] = []
    negated = braced = False
    for word, written in zip(words, raw, strict=True):
        if braced:
            pending.append(written)
            braced = word != "}"
        elif word in ("or", "||"):
            yield ""
            continue
        else:
            bare = word.lstrip("!")
            negated ^= (len(word) - len(bare)) % 2 == 1
            if not bare:
                continue
            pending = [written if bare == word else write(bare)]
            braced = bare == "{"
        if not braced:
            yield f"{'!' if negated else ''}{' '.join(pending)}"
            negated = False


def _denied(term: str) -> str:
    return term[1:] if term.startswith("!") else f"!{term}"


def asking_too(test: str, words: Sequence[str], raw: Sequence[str]) -> str | None:
    """A condition that asks for a test and for what a line's own condition asks; None where it can't be written."""
    found = alternatives(words, raw)
    return None if found is None else " if " + " or ".join(" ".join((test, *terms)) for terms in found)
