"""HAProxy's warnings about rules that look at data which is not there, or not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy_config.build.draft import FRONT
from hapy_config.build.expressions import BUFFERS
from hapy_config.grammar.expressions import needs
from hapy_config.model.expressions import SampleExpression

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft
    from hapy_config.model.expressions import Condition
    from hapy_config.source import Span

_LATE: Final = frozenset({"request buffer", "HTTP request", "HTTP request headers", "HTTP request body"})
_NO_DELAY: Final = (
    "{} '{}' : a '{}' rule explicitly depending on request contents without any 'tcp-request inspect-delay' setting."
    " This means that this rule will randomly find its contents. This can be fixed by setting the tcp-request"
    " inspect-delay."
)
_TOO_LATE: Final = (
    "{} '{}' : a 'tcp-request content track-sc*' rule not depending on request contents for an HTTP frontend should be"
    " executed at the session level, using a 'tcp-request session' rule (mandatory to track these counters on HTTP/2"
    " connections)."
)


def advise(build: Build, draft: Draft) -> None:
    """Warn of one proxy's rules."""
    reads = _Reads()
    if draft.mode == "http":
        for condition, span in _conditions(draft):
            if reads.parts(condition) & BUFFERS:
                build.warning(
                    "needs-tcp",
                    span,
                    f"Proxy '{draft.name}': L6 sample fetches ignored on HTTP proxies"
                    f" (declared at {span.file}:{span.line}).",
                )
    for rule in draft.rules.get("tcp-request content", ()):
        expression = rule.arguments.get("expression")
        if not isinstance(expression, SampleExpression) or rule.action not in ("track-sc*", "capture"):
            continue
        late = bool(_LATE.intersection(needs(expression).split(",")))
        if late and draft.inspect_delay is None and draft.side & FRONT:
            name = "tcp-request capture" if rule.action == "capture" else "tcp-request content track-sc*"
            build.warning("no-inspect-delay", rule.span, _NO_DELAY.format(draft.title, draft.name, name))
        elif not late and rule.action == "track-sc*" and draft.mode == "http" and draft.side & FRONT:
            early = rule.condition is None or not reads.parts(rule.condition) & _LATE
            if early:
                build.warning("late-tracking", rule.span, _TOO_LATE.format(draft.title, draft.name))


def _conditions(draft: Draft) -> list[tuple[Condition, Span]]:
    """The conditions of a proxy's rules, in the order HAProxy looks at them."""
    found = [
        (rule.condition, rule.span) for rules in draft.rules.values() for rule in rules if rule.condition is not None
    ]
    found += [(rule.condition, rule.span) for rule in draft.use_backends if rule.condition is not None]
    return found


class _Reads:
    """Which parts of a message conditions look at; ACLs that many rules name are looked at once."""

    def __init__(self) -> None:
        self._parts: dict[int, frozenset[str]] = {}

    def parts(self, condition: Condition) -> frozenset[str]:
        """What the condition's fetches need, in HAProxy's words."""
        found: frozenset[str] = frozenset()
        for alternative in condition.alternatives:
            for term in alternative:
                key = id(term.expressions)
                own = self._parts.get(key)
                if own is None:
                    own = self._parts[key] = frozenset(
                        part for expression in term.expressions for part in needs(expression.criterion).split(",")
                    )
                found |= own
        return found
