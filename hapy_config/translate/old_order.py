"""The order in which the old rules ran, where it was not that of the lines.

- `reqadd` and `rspadd` added their lines when all other old rules of their section had run: what deletes or rewrites
  such a header did not see them.
- `reqpass` kept lines of a head from the rules below it, which is nothing where those look at other lines.
- `reqallow` spared a request what denies below it, there and in the backend, and nothing else; `http-request allow`
  ends the section's rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from hapy_config.translate.edits import Edit, Remove, Replace
from hapy_config.translate.lines import Line
from hapy_config.translate.old_regexes import Header, Uri, about, any_line, header_names, methods

_VARIABLE: Final = "txn.allowed"
_ALLOWED: Final = f"!{{ var({_VARIABLE}) -m bool }}"
#: A quoted word; what stands between them is left.
_QUOTED: Final = re.compile(r"""("(?:\\.|[^"\\])*"|'[^']*')""")
_ALLOWING: Final = ("reqallow", "reqiallow")
_PASSING: Final = ("reqpass", "reqipass")
_DENYING: Final = ("reqdeny", "reqideny", "reqtarpit", "reqitarpit")


def in_order(line: Line, edit: Edit, found: Sequence[Line]) -> Edit:
    """An old rule's edit, so that it does its work when the old one did.

    Args:
        line: the rule.
        edit: what becomes of it by itself.
        found: all lines of all files.
    """
    first = line.words[0]
    if first in _PASSING and not any(_looks_again(line, other) for other in found):
        return Remove("no rule behind it looks at the lines that it keeps as they are")
    if not isinstance(edit, Replace):
        return edit
    if first in ("reqadd", "rspadd"):
        return replace(edit, behind=_seeing(line, found))
    if first in _ALLOWING and not _may_end(line, found):
        _, _, condition = edit.text.partition("http-request allow")
        return replace(edit, text=f"http-request set-var({_VARIABLE}) bool(true){condition}")
    if first in _DENYING and any(_spares(other, line, found) for other in found):
        return replace(edit, text=_spared(edit.text), more=tuple(map(_spared, edit.more)))
    return edit


def _spared(rule: str) -> str:
    """A rule that leaves those alone who were let in before."""
    head, _, condition = rule.partition(" if ")
    return f"{head} if {_with_term(condition).strip()}"


def _seeing(line: Line, found: Sequence[Line]) -> int:
    """The place of the last old rule below that must not see the header that a line adds; -1 without one.

    Conditions may look at anything: those of both lines were asked at their own time.
    """
    side = line.words[0][:3]
    asks = len(line.words) > 2
    name = line.words[1].partition(":")[0].strip().lower() if len(line.words) > 1 else ""
    last = -1
    for other in found:
        first = other.words[0]
        if other.place > line.place and _together(other, line) and first.startswith(side) and not first.endswith("add"):
            pattern = other.words[1] if len(other.words) > 1 else ""
            own = {"if", "unless"}.intersection(other.words[2:])
            if asks or own or first in _ALLOWING or _may_see(pattern, name, first):
                last = other.place
    return last


def _may_see(pattern: str, name: str, rule: str) -> bool:
    """Whether a rule's pattern may fit a header of a name in small letters."""
    seen = about(pattern)
    if rule.endswith("del") and (names := header_names(pattern)) is not None:
        how, text = names
        return not (how == "str" and text.lower() != name) and not (how == "beg" and not name.startswith(text.lower()))
    if isinstance(seen, Header):
        return seen.name.lower() == name
    return not isinstance(seen, Uri)


def _looks_again(passing: Line, other: Line) -> bool:
    """Whether a rule may look at a line of a head that a `reqpass` keeps as it is."""
    first = other.words[0]
    behind = other.place > passing.place if _together(other, passing) else other.section == "backend"
    if not behind or not first.startswith("req") or first == "reqadd" or len(passing.words) < 2 or len(other.words) < 2:
        return behind and first.startswith("req") and first != "reqadd"
    kept, seen = about(passing.words[1]), about(other.words[1])
    of_request = any_line(other.words[1]) or methods(other.words[1]) is not None
    if of_request and isinstance(kept, Header) and first in (*_DENYING, *_ALLOWING):
        return False
    if isinstance(kept, Header) and isinstance(seen, Header):
        return kept.name.lower() == seen.name.lower()
    if isinstance(kept, Header | Uri) and (names := header_names(other.words[1])) is not None and names[0] == "beg":
        return isinstance(kept, Header) and kept.name.lower().startswith(names[1].lower())
    return not (isinstance(kept, Header | Uri) and isinstance(seen, Header | Uri) and type(kept) is not type(seen))


def _together(one: Line, other: Line) -> bool:
    return one.part == other.part


def _may_end(line: Line, found: Sequence[Line]) -> bool:
    """Whether all that comes after a `reqallow` in its section denies, and nothing denies in backends."""
    rest = [other for other in found if other.place > line.place and _together(other, line)]
    if any(other.words[0].startswith("req") and other.words[0] not in (*_DENYING, *_ALLOWING) for other in rest):
        return False
    return line.section == "backend" or not any(
        other.section == "backend" and other.words[0] in _DENYING for other in found
    )


def _spares(allowing: Line, line: Line, found: Sequence[Line]) -> bool:
    """Whether a `reqallow` that sets the variable spares requests this line."""
    if allowing.words[0] not in _ALLOWING or _may_end(allowing, found):
        return False
    if _together(allowing, line):
        return allowing.place < line.place
    return line.section == "backend" and allowing.section in ("frontend", "listen")


def _with_term(condition: str) -> str:
    """A condition whose every alternative asks for one thing more."""
    parts = _QUOTED.split(condition)
    parts[::2] = [part.replace(" or ", f" {_ALLOWED} or ") for part in parts[::2]]
    return f"{''.join(parts)} {_ALLOWED}"
