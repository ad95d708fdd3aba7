"""What a Lua file registers, as far as its text tells; nothing here runs it.

Names are taken from calls of `core.register_…` with literal names. Where a file loads others, hands `core` around or
makes names, it may register more than its text shows, and everything that begins with `lua.` is taken to be registered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

#: What the second argument of `register_action` calls the rulesets.
_RULESETS: Final = {
    "http-req": "http-request",
    "http-res": "http-response",
    "http-after-res": "http-after-response",
    "tcp-req": "tcp-request content",
    "tcp-res": "tcp-response content",
}
_COMMENT: Final = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|--\[(=*)\[.*?\]\2\]|--[^\n]*""", re.DOTALL
)
_OPEN: Final = re.compile(
    r"\b(?:require|dofile|loadfile|loadstring|load|pcall|_G|_ENV)\b|\bcore\b(?!\s*\.\s*\w)"
    r"|\.\s*register_(?:action|service|fetches|converters)\b(?!\s*\(\s*[\"'])"
)
_CALL: Final = re.compile(
    r"""\bregister_(?P<kind>action|service|fetches|converters)\s*\(\s*(["'])(?P<name>[^"'\n]*)\2\s*,"""
)
_TABLE: Final = re.compile(r"""\s*\{(?P<rulesets>(?:\s*["'][a-z-]+["']\s*,?)*)\s*\}\s*,""")
_SERVICE: Final = re.compile(r"""\s*["'](http|tcp)["']""")
_STRING: Final = re.compile(r"""["']([a-z-]+)["']""")
_NAMED: Final = re.compile(r"\s*[A-Za-z_][\w.]*\s*(?:,\s*(\d+)\s*)?\)")
_INLINE: Final = re.compile(r"\bend\s*(?:,\s*(\d+)\s*)?\)")
_FUNCTION: Final = re.compile(r"\s*function\b")


@dataclass(frozen=True, slots=True)
class LuaAction:
    """An action.

    Attributes:
        rulesets: where it may stand; None where the text does not tell.
        arguments: how many words it takes; None where the text does not tell.
    """

    rulesets: frozenset[str] | None
    arguments: int | None


@dataclass(slots=True)
class LuaNames:
    """What the Lua files of a configuration register.

    Attributes:
        services: `http` or `tcp` by name; empty where the text does not tell.
        complete: whether all of it is known.
    """

    actions: dict[str, LuaAction] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    fetches: set[str] = field(default_factory=set)
    converters: set[str] = field(default_factory=set)
    complete: bool = True

    def add(self, text: str) -> None:
        """Note what a file registers."""
        if text.startswith("\x1b"):  # compiled
            self.complete = False
        text = _COMMENT.sub(lambda match: match["text"] or " ", text)
        if _OPEN.search(text):
            self.complete = False
        for call in _CALL.finditer(text):
            if call["kind"] == "service":
                kind = _SERVICE.match(text, call.end())
                self.services[call["name"]] = kind[1] if kind is not None else ""
            elif call["kind"] == "fetches":
                self.fetches.add(call["name"])
            elif call["kind"] == "converters":
                self.converters.add(call["name"])
            else:
                self.actions[call["name"]] = _action(text, call.end())

    def knows_action(self, name: str, ruleset: str) -> bool:
        """Whether an action may stand in a ruleset."""
        found = self.actions.get(name)
        if found is None:
            return not self.complete
        return found.rulesets is None or ruleset in found.rulesets

    def knows_service(self, name: str) -> bool:
        """Whether there is a service of that name."""
        return name in self.services or not self.complete

    def knows_sample(self, family: str, name: str) -> bool:
        """Whether there is a fetch or converter (`family` is `fetches` or `converters`) of that name."""
        return not self.complete or name in (self.fetches if family == "fetches" else self.converters)


def _action(text: str, place: int) -> LuaAction:
    table = _TABLE.match(text, place)
    if table is None:
        return LuaAction(None, None)
    names = _STRING.findall(table["rulesets"])
    rulesets = frozenset(_RULESETS[name] for name in names if name in _RULESETS)
    named = _NAMED.match(text, table.end())
    if named is not None:
        return LuaAction(rulesets, int(named[1] or 0))
    if _FUNCTION.match(text, table.end()) is None:
        return LuaAction(rulesets, None)
    following = _CALL.search(text, table.end())
    ends = list(_INLINE.finditer(text, table.end(), following.start() if following is not None else len(text)))
    # With one `end` before a parenthesis it is the function's own.
    return LuaAction(rulesets, int(ends[0][1] or 0) if len(ends) == 1 else None)
