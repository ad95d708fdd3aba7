"""What the table of actions says of one action, and the notation it is written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hapy_config.keywords.spec import TARGET, Arg, Keyword, Kind, Runs, Version

#: The rulesets, by the short names that the tables use.
RULESETS: Final[dict[str, str]] = {
    "quic": "quic-initial",
    "con": "tcp-request connection",
    "ses": "tcp-request session",
    "cnt": "tcp-request content",
    "rsp": "tcp-response content",
    "req": "http-request",
    "res": "http-response",
    "after": "http-after-response",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Keyword):
    """One action of rules.

    Attributes:
        rulesets: the rulesets that it may stand in, with the first version that has it there.
        parentheses: what stands in the parentheses of the action's own word, in order; `args` are the words after it.
        final: whether no later rule of the ruleset runs after it.
    """

    rulesets: Mapping[str, Version] = field(default_factory=dict, hash=False)
    parentheses: tuple[Arg, ...] = ()
    final: bool = False

    def in_ruleset(self, ruleset: str, version: Version = TARGET) -> bool:
        """Whether a rule of that ruleset may name it in that version."""
        first = self.rulesets.get(ruleset)
        return first is not None and first <= version and self.known_in(version)


def _rulesets(notation: str) -> dict[str, Version]:
    """`1.5 req res; 2.2 after`: rulesets and the first version of each."""
    found: dict[str, Version] = {}
    for group in notation.split(";"):
        version, *names = group.split()
        major, minor = version.split(".")
        for name in names:
            found[RULESETS[name]] = (int(major), int(minor))
    return found


def _lines(stem: str, rulesets: list[str], tails: tuple[str, ...]) -> tuple[str, ...]:
    """Whole lines from what may follow an action; `req| …` is for http-request alone."""
    cut = [(short, rest) if bar else ("", tail) for tail in tails for short, bar, rest in [tail.partition("|")]]
    return tuple(
        f"{ruleset} {stem}{rest}"
        for short, rest in cut
        for ruleset in rulesets
        if not short or RULESETS[short] == ruleset
    )


def action(
    name: str,
    where: str,
    *args: Arg,
    parentheses: tuple[Arg, ...] = (),
    final: bool = False,
    deprecated: Version | None = None,
    instead: str = "",
    experimental: bool = False,
    needs: str = "",
    loss: str = "",
    ok: tuple[str, ...] = ("",),
    bad: tuple[str, ...] = (),
) -> Action:
    """An entry.

    Args:
        name: the action's word; a final `*` where parentheses (or a number) follow it.
        where: the rulesets in the notation of `_rulesets`.
        args: what follows the word.
        parentheses: what stands in its parentheses.
        final: no later rule runs after it.
        deprecated: the first version that warns of it.
        instead: what to write today.
        experimental: only after `expose-experimental-directives`.
        needs: the build option that it needs.
        loss: what differs; an action with a loss does not run.
        ok: what may follow the word (its blank or parenthesis included), for examples in every ruleset of 2.6, or in
            one (`req| …`).
        bad: what may not.
    """
    rulesets = _rulesets(where)
    since = min(rulesets.values())
    stem = name.rstrip("*")
    shown = [ruleset for ruleset, first in rulesets.items() if first <= TARGET and not experimental and not needs]
    return Action(
        name=name,
        named_defaults=True,
        rulesets=rulesets,
        args=args,
        parentheses=parentheses,
        final=final,
        repeatable=True,
        since=since,
        deprecated=deprecated,
        instead=instead,
        experimental=experimental,
        needs=needs,
        runs=Runs.NO if loss else Runs.YES,
        loss=loss,
        manual="4.4",
        ok=_lines(stem, shown, ok),
        bad=_lines(stem, shown, bad),
    )


NAME: Final = Arg(Kind.STRING, "name")
VALUE: Final = Arg(Kind.FORMAT, "value")
REGEX: Final = Arg(Kind.REGEX, "regex")
FORMAT: Final = Arg(Kind.FORMAT, "format")
EXPRESSION: Final = Arg(Kind.EXPRESSION, "expression")
REPLY: Final = Arg(Kind.REST, "reply", optional=True)
VARIABLE: Final = Arg(Kind.STRING, "variable")
OPTIONS: Final = Arg(Kind.STRING, "options", optional=True, repeat=True)
MAP: Final = Arg(Kind.FILE, "map")
KEY: Final = Arg(Kind.FORMAT, "key")
NUMBER: Final = Arg(Kind.INTEGER, "number")
SLOT: Final = Arg(Kind.INTEGER, "slot", minimum=0)
INDEX: Final = Arg(Kind.INTEGER, "index", minimum=0)
