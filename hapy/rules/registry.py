"""Where actions are registered, one decorator each, and how their arguments are read at start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from hapy.rules.outcomes import Outcome
from hapy.samples.environment import CompileEnv
from hapy.samples.expression import compile_expression
from hapy.samples.formats import Renderer, compile_format
from hapy.samples.raw_format import compile_raw_format
from hapy_config.model.expressions import LogFormat, SampleExpression
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy.samples.registry import Getter
    from hapy_config.model.rules import Rule

#: A compiled action: does its work; an outcome ends the ruleset, None lets the next rule run.
Action = Callable[["Transaction"], Outcome | None]
AsyncAction = Callable[["Transaction"], Awaitable[Outcome | None]]

#: The rulesets, as `Rule.ruleset` names them.
REQUEST: Final = "http-request"
RESPONSE: Final = "http-response"
AFTER: Final = "http-after-response"
CONNECTION: Final = "tcp-request connection"
SESSION: Final = "tcp-request session"
CONTENT: Final = "tcp-request content"
TCP_RESPONSE: Final = "tcp-response content"
HTTP: Final = (REQUEST, RESPONSE, AFTER)
TCP: Final = (CONNECTION, SESSION, CONTENT, TCP_RESPONSE)


class Arguments:
    """A rule's arguments by name, with what they are compiled to."""

    __slots__ = ("before", "env", "rule", "strict")

    def __init__(self, rule: Rule, env: CompileEnv, *, strict: bool, before: Rule | None = None) -> None:
        self.rule = rule
        self.env = env
        #: Whether a rewrite that fails ends the request (`strict-mode`).
        self.strict = strict
        #: The rule in front of it.
        self.before = before

    def text(self, name: str) -> str:
        """A string argument."""
        value = self.rule.arguments[name]
        assert isinstance(value, str)
        return value

    def data(self, name: str) -> bytes:
        """A string argument as it goes on the wire."""
        return to_bytes(self.text(name))

    def field_name(self) -> bytes:
        """The argument `name` as a header field's name."""
        return self.data("name").lower()

    def number(self, name: str = "number") -> int:
        """An integer argument."""
        value = self.rule.arguments[name]
        assert isinstance(value, int)
        return value

    def format(self, name: str = "format") -> Renderer:
        """A format argument, compiled."""
        value = self.rule.arguments[name]
        assert isinstance(value, LogFormat)
        return compile_format(value, self.env)

    def raw_format(self, name: str = "format") -> Renderer:
        """A format argument, compiled, whose text is taken byte for byte."""
        value = self.rule.arguments[name]
        assert isinstance(value, LogFormat)
        return compile_raw_format(value, self.env)

    def expression(self, name: str = "expression") -> Getter:
        """A sample expression argument, compiled."""
        value = self.rule.arguments[name]
        assert isinstance(value, SampleExpression)
        return compile_expression(value, self.env)


Builder = Callable[[Arguments], "Action | AsyncAction"]

#: Builders by (ruleset, action), and whether what they build waits.
ACTIONS: Final[dict[tuple[str, str], tuple[Builder, bool]]] = {}

_B = TypeVar("_B", bound=Builder)


def action(name: str, *rulesets: str, waits: bool = False) -> Callable[[_B], _B]:
    """Register a builder for an action in some rulesets; with `waits` it builds a coroutine function."""

    def register(build: _B) -> _B:
        for ruleset in rulesets:
            ACTIONS[ruleset, name] = (build, waits)
        return build

    return register
