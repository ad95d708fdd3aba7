r"""Regular expressions: HAProxy's (PCRE2) to Python's `re` on bytes.

Most patterns mean the same in both. What differs is rewritten here: POSIX classes, `\h`, `\R`, `\Q…\E`, `\x{…}`,
inline flags in the middle, named groups in PCRE's other spellings, `{,n}` as plain text. What Python has no counterpart
for (recursion, `\K`, `\G`, branch reset) is refused with a message that says so.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.units import is_number
from hapy_config.words import to_bytes

_POSIX: Final = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "A-Za-z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\t\n\x0b\x0c\r ",
    "blank": r"\t ",
    "punct": r"!-/:-@\[-`{-~",
    "print": r" -~",
    "graph": r"!-~",
    "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9A-Fa-f",
    "word": r"\w",
    "ascii": r"\x00-\x7f",
}
_POSIX_NEGATED: Final = {
    "alpha": r"\x00-@\[-`{-\xff",
    "digit": r"\D",
    "alnum": r"\x00-/:-@\[-`{-\xff",
    "upper": r"\x00-@\[-\xff",
    "lower": r"\x00-`{-\xff",
    "space": r"\S",
    "blank": r"\x00-\x08\n-\x1f!-\xff",
    "punct": r"\x00- 0-9A-Za-z\x7f-\xff",
    "print": r"\x00-\x1f\x7f-\xff",
    "graph": r"\x00- \x7f-\xff",
    "cntrl": r" -~\x80-\xff",
    "xdigit": r"\x00-/:-@G-`g-\xff",
    "word": r"\W",
    "ascii": r"\x80-\xff",
}
#: Escapes that stand for a set, as the inside of a class.
_SETS: Final = {"h": r"\t \xa0", "v": r"\n\x0b\x0c\r\x85", "d": r"\d", "w": r"\w", "s": r"\s"}
_SETS_NEGATED: Final = {
    "H": r"\x00-\x08\n-\x1f!-\x9f\xa1-\xff",
    "V": r"\x00-\t\x0e-\x84\x86-\xff",
    "D": r"\D",
    "W": r"\W",
    "S": r"\S",
}
_PROPERTIES: Final = {"L": "A-Za-z", "Lu": "A-Z", "Ll": "a-z", "N": "0-9", "Nd": "0-9"}
_SIMPLE: Final = {"a": r"\x07", "e": r"\x1b", "f": r"\x0c", "n": r"\n", "r": r"\r", "t": r"\t"}
_WHOLE: Final = {
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "R": r"(?:\r\n|[\n\x0b\x0c\r\x85])",
    "N": r"[^\n]",
    "C": r"[\x00-\xff]",
    "B": r"(?!\b)",
}
_KEPT: Final = frozenset("Ab")
_REFUSED: Final = {"K": r"\K", "G": r"\G", "X": r"\X", "U": r"\U", "L": r"\L", "u": r"\u", "l": r"\l"}

_MESSAGES: Final = (
    ("missing ), unterminated subpattern", "missing closing parenthesis"),
    ("unterminated character set", "missing terminating ] for character class"),
    ("nothing to repeat", "quantifier does not follow a repeatable item"),
    ("multiple repeat", "quantifier does not follow a repeatable item"),
    ("unbalanced parenthesis", "unmatched closing parenthesis"),
    ("bad character range", "range out of order in character class"),
    ("bad escape (end of pattern)", "\\ at end of pattern"),
    ("min repeat greater than max repeat", "numbers out of order in {} quantifier"),
    ("invalid group reference", "reference to non-existent subpattern"),
    ("unknown group name", "reference to non-existent subpattern"),
    ("look-behind requires fixed-width pattern", "lookbehind assertion is not fixed length"),
)

_PLAIN: Final = re.compile(r"[^\\\[({]+")
_SET_IN_CLASS: Final = re.compile(r"\\[dwshvDWSHVpP]|\[:\^?\w+:\]")
_QUANTIFIER: Final = re.compile(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}")
_NUMBER: Final = re.compile(r"-?\d+")


@lru_cache(maxsize=16384)
def compile_regex(text: str, ignore_case: bool = False, captures: bool = True) -> re.Pattern[bytes]:
    r"""Compile a pattern of the configuration.

    Args:
        text: the pattern.
        ignore_case: whether letters match without regard to case (ASCII).
        captures: whether plain parentheses capture. In ACLs and maps HAProxy lets only named groups capture, so that
            `\1` is an error there.

    Raises:
        GrammarError: when it is no regular expression, or one that Python can't run; `offset` is where.
    """
    source = to_bytes(text).decode("latin-1")
    same = (captures or "(" not in source) and _DIFFERENT.search(source) is None
    try:
        translated = source if same else _Translator(source, captures).run()
        return re.compile(translated.encode("latin-1"), re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        reason = next((ours for theirs, ours in _MESSAGES if error.msg.startswith(theirs)), error.msg)
        place = error.pos if error.pos is not None and same and "missing" not in reason else len(source)
    except GrammarError as error:
        reason, place = error.message, error.offset
    except (OverflowError, RecursionError):
        reason, place = "regular expression is too large", 0
    message = f"regex '{text}' is invalid (error={reason}, erroffset={place})"
    raise GrammarError(message, len(source[:place].encode("latin-1").decode("utf-8", "ignore")))


#: What could mean something else to Python.
_DIFFERENT: Final = re.compile(r"\[|\\[^.\\/?*+()|^$\-dwsDWSbAnrtf:0-9]|\(\?|\{,")


class _Translator:
    """One pattern's rewriting: the position in it, what has been written, and the groups that inline flags opened."""

    __slots__ = ("captures", "groups", "out", "position", "text")

    def __init__(self, text: str, captures: bool) -> None:
        self.text = text
        self.captures = captures
        self.position = 0
        self.out: list[str] = []
        self.groups: list[list[str]] = [[]]  # for each open group, the flag groups opened in it

    def fail(self, reason: str, place: int | None = None) -> GrammarError:
        place = self.position if place is None else place
        return GrammarError(reason, place)

    def run(self) -> str:
        text = self.text
        while self.position < len(text):
            plain = _PLAIN.match(text, self.position)
            if plain is not None:
                self._plain(plain[0])
                self.position = plain.end()
                continue
            character = text[self.position]
            if character == "\\":
                self._escape()
            elif character == "[":
                self._class()
            elif character == "(":
                self._group()
            else:
                self._brace()
        self.out.append(")" * len(self.groups[0]))
        return "".join(self.out)

    def _plain(self, run: str) -> None:
        """A run without escapes, classes or opening parentheses; alternatives and ends of groups close flag groups."""
        for piece in re.split(r"([)|])", run):
            flags = self.groups[-1]
            if piece == "|":
                self.out.append(")" * len(flags) + "|" + "".join(flags))
            elif piece == ")":
                if len(self.groups) == 1:
                    raise self.fail("unmatched closing parenthesis")
                self.out.append(")" * len(self.groups.pop()) + ")")
            else:
                self.out.append(piece)

    def _brace(self) -> None:
        """`{,n}` is plain text to PCRE2 10.42."""
        self.out.append(r"\{" if self.text.startswith("{,", self.position) else "{")
        self.position += 1

    def _escape(self) -> None:
        """A backslash outside of a class."""
        text, start = self.text, self.position
        if start + 1 >= len(text):
            raise self.fail("\\ at end of pattern", len(text))
        letter = text[start + 1]
        self.position += 2
        if letter == "Q":
            end = text.find("\\E", self.position)
            end = len(text) if end < 0 else end
            self.out.append(re.escape(text[self.position : end]))
            self.position = min(end + 2, len(text))
        elif letter == "E":
            pass
        elif letter in _WHOLE:
            quantified = _QUANTIFIER.match(text, self.position)
            if letter in "BZ" and quantified:
                raise self.fail("quantifier does not follow a repeatable item")
            if letter == "N" and text.startswith("{", self.position) and not quantified:
                raise self.fail("\\N{name} is not supported")
            self.out.append(_WHOLE[letter])
        elif letter in _KEPT or is_number(letter):
            self.out.append("\\" + letter)
        elif letter in "gk":
            self._reference(letter)
        else:
            inside = self._class_escape(letter, start)
            self.out.append(f"[{inside}]" if len(inside) > 2 and not inside.startswith("\\x") else inside)

    def _class_escape(self, letter: str, start: int) -> str:
        """An escape as it is written inside a class; `position` already stands behind the letter."""
        text = self.text
        if letter in _SETS:
            return _SETS[letter]
        if letter in _SETS_NEGATED:
            return _SETS_NEGATED[letter]
        if letter in _SIMPLE:
            return _SIMPLE[letter]
        if letter == "x":
            match = re.compile(r"\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{0,2})").match(text, self.position)
            assert match is not None
            self.position = match.end()
            return self._byte(int(match[1] or match[2] or "0", 16), start)
        if letter == "o" and (octal := re.compile(r"\{([0-7]+)\}").match(text, self.position)):
            self.position = octal.end()
            return self._byte(int(octal[1], 8), start)
        if letter == "c" and self.position < len(text):
            self.position += 1
            return self._byte(ord(text[self.position - 1].upper()) ^ 0x40, start)
        if letter in "pP":
            match = re.compile(r"\{(\^?)(\w+)\}|(\w)").match(text, self.position)
            name = (match[2] or match[3]) if match is not None else ""
            if match is None or name not in _PROPERTIES:
                raise self.fail("unknown property name after \\P or \\p", start)
            self.position = match.end()
            if (letter == "P") != bool(match[1]):
                raise self.fail(f"a negated property (\\{letter}{{{name}}}) is not supported here", start)
            return _PROPERTIES[name]
        if letter in _REFUSED:
            raise self.fail(f"{_REFUSED[letter]} is not supported", start)
        if letter.isascii() and letter.isalpha():
            raise self.fail("unrecognized character follows \\", start + 1)
        return re.escape(letter) if letter.isascii() else letter

    def _byte(self, code: int, start: int) -> str:
        if code > 0xFF:
            raise self.fail("character code point value in \\x{} or \\o{} is too large", start)
        return f"\\x{code:02x}"

    def _reference(self, letter: str) -> None:
        r"""`\g1`, `\g{-1}`, `\g{name}`, `\k<name>`, `\k'name'`, `\k{name}`."""
        match = re.compile(r"\{(-?\w+)\}|<(\w+)>|'(\w+)'|(-?\d+)").match(self.text, self.position)
        if match is None:
            raise self.fail(f"\\{letter} is not followed by a name or number", self.position)
        self.position = match.end()
        name = next(value for value in match.groups() if value)
        if letter == "g" and match[2]:
            raise self.fail("a subroutine call (\\g<…>) is not supported")
        if _NUMBER.fullmatch(name):
            number = int(name)
            if number < 0:
                opened = len(re.findall(r"\((?!\?)|\(\?P<", "".join(self.out)))
                number = opened + 1 + number
            self.out.append(f"(?:\\{number})")
        else:
            self.out.append(f"(?P={name})")

    def _class(self) -> None:
        """A `[…]`, written anew with everything escaped that Python reads otherwise."""
        text, start = self.text, self.position
        self.position += 1
        parts = ["["]
        if text.startswith("^", self.position):
            parts.append("^")
            self.position += 1
        first = True
        after_set = False
        while True:
            if self.position >= len(text):
                raise self.fail("missing terminating ] for character class", len(text))
            character = text[self.position]
            if character == "]" and not first:
                self.position += 1
                break
            first = False
            if character == "[" and (posix := re.compile(r"\[:(\^?)(\w+):\]").match(text, self.position)):
                table = _POSIX_NEGATED if posix[1] else _POSIX
                if posix[2] not in table:
                    raise self.fail("unknown POSIX class name", self.position)
                parts.append(table[posix[2]])
                self.position = posix.end()
                after_set = True
            elif character == "\\":
                if self.position + 1 >= len(text):
                    raise self.fail("\\ at end of pattern", len(text))
                after_set = self._escape_in_class(parts)
            elif character == "-":
                self.position += 1
                parts.append(r"\-" if parts[-1] == "-" else self._hyphen(start, after_set=after_set))
            else:
                parts.append("\\" + character if character in "[]^&|~" else character)
                self.position += 1
                after_set = False
        self.out.append("".join(parts) + "]")

    def _escape_in_class(self, parts: list[str]) -> bool:
        """A backslash inside a class; tells whether it stood for a set, which can't begin a range."""
        letter = self.text[self.position + 1]
        start = self.position
        self.position += 2
        if letter == "b":
            parts.append(r"\x08")
        elif is_number(letter):
            octal = re.compile(r"[0-7]{1,3}").match(self.text, start + 1)
            if octal is None:
                parts.append(letter)
            else:
                self.position = octal.end()
                parts.append(self._byte(int(octal[0], 8) & 0xFF, start))
        elif letter in "QE":
            if letter == "Q":
                end = self.text.find("\\E", self.position)
                end = len(self.text) if end < 0 else end
                parts.append("".join("\\" + c if c in "[]\\^-&|~" else c for c in self.text[self.position : end]))
                self.position = min(end + 2, len(self.text))
        else:
            parts.append(self._class_escape(letter, start))
            return letter in _SETS or letter in _SETS_NEGATED or letter in "pP"
        return False

    def _hyphen(self, start: int, *, after_set: bool) -> str:
        """A `-` inside a class: itself at the ends, else a range's sign, which can't stand beside a set."""
        text, position = self.text, self.position
        at_start = text[start + 1 : position - 1] in ("", "^")
        at_end = text.startswith("]", position)
        if at_start or at_end:
            return r"\-"
        if after_set or _SET_IN_CLASS.match(text, position):
            raise self.fail("invalid range in character class")
        return "-"

    def _group(self) -> None:
        """An opening parenthesis with what its `?` asks for."""
        text, start = self.text, self.position
        self.position += 1
        if not text.startswith("?", self.position):
            if text.startswith("*", self.position):
                raise self.fail("verbs such as (*UTF) are not supported")
            self._open("(" if self.captures else "(?:")
            return
        comment = re.compile(r"\?#[^)]*\)").match(text, self.position)
        if comment is not None:
            self.position = comment.end()
            return
        flags = re.compile(r"\?([imsx]*)(?:-([imsx]+))?([:)])").match(text, self.position)
        if flags is not None and (flags[1] or flags[2] or flags[3] == ":"):
            self._flags(flags)
            return
        named = re.compile(r"\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')").match(text, self.position)
        if named is not None:
            self.position = named.end()
            self._open(f"(?P<{named[1] or named[2]}>")
            return
        for opener in ("?>", "?=", "?!", "?<=", "?<!"):
            if text.startswith(opener, self.position):
                self.position += len(opener)
                self._open("(" + opener)
                return
        condition = re.compile(r"\?\((?:<(\w+)>|'(\w+)'|(\w+))\)").match(text, self.position)
        if condition is not None:
            self.position = condition.end()
            self._open(f"(?({condition[1] or condition[2] or condition[3]})")
            return
        named_reference = re.compile(r"\?P=(\w+)\)").match(text, self.position)
        if named_reference is not None:
            self.position = named_reference.end()
            self.out.append(f"(?P={named_reference[1]})")
            return
        if re.compile(r"\?(?:R|[+-]?\d+|&\w+|P>\w+|\|)").match(text, self.position):
            raise self.fail("recursion and branch reset are not supported", start)
        raise self.fail("unrecognized character after (? or (?-", self.position + 1)

    def _open(self, opener: str) -> None:
        self.out.append(opener)
        self.groups.append([])

    def _flags(self, flags: re.Match[str]) -> None:
        """`(?i)` counts to the end of the group that it stands in; `(?i:…)` is a group of its own."""
        self.position = flags.end()
        words = flags[1] + (f"-{flags[2]}" if flags[2] else "")
        if flags[3] == ":":
            self._open(f"(?{words}:")
        else:
            self.out.append(f"(?{words}:")
            self.groups[-1].append(f"(?{words}:")
