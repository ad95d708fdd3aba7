"""The locations of a server, those within others among them, in the order in which they must be asked.

nginx takes the longest prefix, then looks for regular expressions within it, then for those beside it; and within a
regular expression that matches for those that match, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from hapy_config.translate.from_nginx.backends import Backends
from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.from_nginx.locations import begins, in_order, kind_of, matches

_PREFIXES = ("", "^~")
_EXPRESSIONS = ("~", "~*")


class Locations:
    """All locations of one server.

    Args:
        server: it.
        backends: knows what locations within others inherit.

    Attributes:
        beside: those that are compared with each other; prefixes within prefixes are such.
        owners: by the location's `id` the server as it sees it.
    """

    def __init__(self, server: Directive, backends: Backends) -> None:
        self.beside = [one for one in server.all("location") if not _named(one)]
        self.owners = {id(one): server for one in server.all("location")}
        self._parents: dict[int, Directive] = {}
        self._in_prefixes: list[tuple[Directive, Directive]] = []
        self._in_expressions: dict[int, list[Directive]] = {}
        every = list(server.all("location"))
        for location in every:  # those within others come in behind them
            location.used = True
            for inner in location.all("location"):
                self.owners[id(inner)] = backends.within(self.owners[id(location)], location)
                self._parents[id(inner)] = location
                every.append(inner)
                if _named(inner) or kind_of(location)[0] == "=":
                    continue  # what lies within an equal path is never looked at
                if kind_of(location)[0] in _EXPRESSIONS:
                    self._in_expressions.setdefault(id(location), []).append(inner)
                elif kind_of(inner)[0] in _EXPRESSIONS:
                    self._in_prefixes.append((location, inner))
                else:
                    self.beside.append(inner)

    def in_order(self) -> Iterator[tuple[Directive, list[str]]]:
        """Each with its tests; none for the one that takes the rest."""
        within = sorted(self._in_prefixes, key=lambda pair: -len(kind_of(pair[0])[1]))
        asked = False
        for location, tests in in_order(self.beside):
            if kind_of(location)[0] != "=" and not asked:
                asked = True
                yield from self._nested(within)
            yield from self._with_inner(location, tests)
        if not asked:
            yield from self._nested(within)

    def _nested(self, within: list[tuple[Directive, Directive]]) -> Iterator[tuple[Directive, list[str]]]:
        """Expressions within prefixes: they count where no longer prefix beside theirs fits."""
        for outer, inner in within:
            text = kind_of(outer)[1]
            longer = [
                other
                for one in self.beside
                for modifier, other in (kind_of(one),)
                if modifier in _PREFIXES and other != text and other.startswith(text) and not self._lies_in(one, outer)
            ]
            tests = [begins(text)] if text != "/" else []
            tests += [f"!{begins(other)}" for other in longer]
            yield from self._with_inner(inner, [*tests, matches(*kind_of(inner))])

    def _with_inner(self, location: Directive, tests: list[str]) -> Iterator[tuple[Directive, list[str]]]:
        """A location behind those within it."""
        for inner, more in in_order(self._in_expressions.get(id(location), [])):
            yield from self._with_inner(inner, [*tests, *more])
        yield location, tests

    def _lies_in(self, one: Directive, outer: Directive) -> bool:
        parent = self._parents.get(id(one))
        return parent is not None and (parent is outer or self._lies_in(parent, outer))


def _named(location: Directive) -> bool:
    return bool(location.args) and location.args[0].startswith("@")
