"""Names that point elsewhere in the configuration: noted while it is read, looked up when all of it is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy_config.build.draft import Draft
    from hapy_config.grammar.expressions import Reference
    from hapy_config.model.expressions import SampleExpression
    from hapy_config.syntax import Statement


@dataclass(slots=True)
class Needed:
    """One name that must exist.

    Attributes:
        draft: the section that names it.
        statement: where.
        name: the name; None stands for the section's own.
        kind: table, stick-table, cache, resolvers, http-errors, peers, engine.
        extra: for tables: the rule's name and the expression; for a cache: whether it stands behind the compression.
    """

    draft: Draft
    statement: Statement
    name: str | None
    kind: str
    extra: tuple[object, ...] = field(default=())


class References:
    """What `Build` collects of them."""

    def __init__(self) -> None:
        self.needed: list[Needed] = []
        self.expression_references: list[
            tuple[Draft, Statement, int, SampleExpression, tuple[Reference, ...], bool]
        ] = []
        self.regexes: list[tuple[Draft, Statement, int, str]] = []
        #: Expressions that name nothing and that hapy runs: no second look at them.
        self.plain_expressions: set[str] = set()

    def needs_table(
        self, draft: Draft, statement: Statement, name: str | None, rule: str, expression: SampleExpression
    ) -> None:
        """A `track-sc` rule needs a stick table."""
        self.needed.append(Needed(draft, statement, name, "table", (rule, expression)))

    def needs_stick_table(
        self, draft: Draft, statement: Statement, name: str | None, stores: bool, expression: SampleExpression
    ) -> None:
        """A `stick` rule needs a stick table."""
        self.needed.append(Needed(draft, statement, name, "stick-table", (stores, expression)))

    def needs_cache(self, draft: Draft, statement: Statement, name: str) -> None:
        """A filter or rule names a cache section; the first that names it is where the cache's filter stands."""
        behind = name not in draft.caches and ("compression",) in draft.filters
        draft.caches.add(name)
        self.needed.append(Needed(draft, statement, name, "cache", ("behind compression",) if behind else ()))

    def needs_resolvers(self, draft: Draft, statement: Statement, name: str) -> None:
        """A do-resolve rule names a resolvers section."""
        self.needed.append(Needed(draft, statement, name, "resolvers"))

    def needs_http_errors(self, draft: Draft, statement: Statement, name: str, status: int) -> None:
        """A reply takes a status's page of an http-errors section."""
        self.needed.append(Needed(draft, statement, name, "http-errors", (status,)))

    def needs_peers(self, draft: Draft, statement: Statement, name: str) -> None:
        """A stick table names a peers section."""
        self.needed.append(Needed(draft, statement, name, "peers"))

    def needs_engine(self, draft: Draft, statement: Statement, engine: str, group: str) -> None:
        """A send-spoe-group or ot-group rule names a filter."""
        self.needed.append(Needed(draft, statement, engine, "engine", (group,)))
