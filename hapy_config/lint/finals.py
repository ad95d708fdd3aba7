"""Which rules end their set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy_config.model.rules import Redirect

if TYPE_CHECKING:
    from hapy_config.model.rules import Rule

_FINAL: Final = {
    "http-request": frozenset(
        {"allow", "auth", "deny", "redirect", "reject", "return", "silent-drop", "tarpit", "use-service"}
    ),
    "http-response": frozenset({"allow", "deny", "redirect", "return", "silent-drop"}),
    "http-after-response": frozenset({"allow"}),
    "tcp-request connection": frozenset({"accept", "reject", "silent-drop"}),
    "tcp-request session": frozenset({"accept", "reject", "silent-drop"}),
    "tcp-request content": frozenset({"accept", "reject", "silent-drop", "use-service"}),
    "tcp-response content": frozenset({"accept", "reject", "close", "silent-drop"}),
}
#: Actions after which all conditions are as they were.
_IDLE: Final = frozenset(
    {"add-header", "capture", "set-header", "del-header", "set-log-level", "set-nice", "set-tos", "set-mark"}
)


def is_final(rule: Rule) -> bool:
    """Whether no rule of the set runs behind it, where its condition holds."""
    if rule.action not in _FINAL.get(rule.ruleset, ()):
        return False
    redirect = rule.arguments.get("redirect")
    return not (isinstance(redirect, Redirect) and redirect.ignore_empty)


def changes_nothing(rule: Rule) -> bool:
    """Whether conditions say the same before and after it; headers that it changes are asked for seldom enough."""
    return rule.action in _IDLE and not rule.action.endswith("-header")
