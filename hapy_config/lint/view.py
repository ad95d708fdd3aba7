"""A configuration as rules look at it: the model, the lines it was made of, and who sends what to whom.

Everything is worked out when first asked for, once, in one pass: rules run over files of 100,000 lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Fix
from hapy_config.lint.walk import Use, uses
from hapy_config.source import Source, Span

if TYPE_CHECKING:
    from hapy_config.api import Result
    from hapy_config.model.config import Config
    from hapy_config.model.expressions import Condition
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.rules import Rule
    from hapy_config.syntax import Document, Section, Statement

_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]+")
_NONE: Final[frozenset[str]] = frozenset()
_PROXIES: Final = frozenset({"frontend", "backend", "listen"})


class View:
    """One configuration.

    Attributes:
        config: the model.
        document: the statements.
        proxies: the proxies that are not disabled.
    """

    def __init__(self, result: Result, config: Config) -> None:
        self.config = config
        self.document: Document = result.document
        self.proxies: tuple[Proxy, ...] = tuple(proxy for proxy in config.proxies if not proxy.disabled)
        self._uses: dict[int, tuple[Use, ...]] = {}
        self._conditions: dict[int, Sequence[tuple[Condition, Span]]] = {}
        self._conditional: dict[str, bool] = {}
        self._actions: dict[int, frozenset[str]] = {}
        self._headers: dict[int, frozenset[str]] = {}
        self._header_uses: dict[tuple[int, tuple[str, ...]], Use | None] = {}

    @cached_property
    def frontends(self) -> tuple[Proxy, ...]:
        """The frontends and listens that are not disabled."""
        return tuple(proxy for proxy in self.proxies if proxy.is_frontend)

    @cached_property
    def backends(self) -> tuple[Proxy, ...]:
        """The backends and listens that are not disabled."""
        return tuple(proxy for proxy in self.proxies if proxy.is_backend)

    @cached_property
    def varying(self) -> frozenset[tuple[str, int]]:
        """The lines with variables, by file and number: what stands there may be something else on another machine."""
        return frozenset(
            (source.name, number)
            for source in self.document.sources
            for number, line in enumerate(source.lines, 1)
            if "$" in line
        )

    @cached_property
    def _by_word(self) -> dict[str, list[tuple[Section, Statement]]]:
        found: dict[str, list[tuple[Section, Statement]]] = {}
        for section in self.document.sections:
            for statement in section.statements:
                found.setdefault(statement.words[0], []).append((section, statement))
        return found

    @cached_property
    def _by_two(self) -> dict[tuple[str, ...], list[tuple[Section, Statement]]]:
        found: dict[tuple[str, ...], list[tuple[Section, Statement]]] = {}
        for pairs in self._by_word.values():
            for pair in pairs:
                found.setdefault(tuple(pair[1].words[:2]), []).append(pair)
        return found

    def lines(self, *words: str) -> Iterator[tuple[Section, Statement]]:
        """All statements of the files that begin with these words, and their sections."""
        if len(words) == 1:
            yield from self._by_word.get(words[0], ())
            return
        count, wanted = len(words), list(words)
        for section, statement in self._by_two.get(words[:2], ()):
            if count == 2 or statement.words[:count] == wanted:
                yield section, statement

    @cached_property
    def _sections(self) -> dict[tuple[str, int], Section]:
        return {
            (section.header.source.name, section.header.line): section
            for section in self.document.sections
            if section.kind in _PROXIES
        }

    @cached_property
    def origins(self) -> dict[int, Section]:
        """The defaults section that each proxy section (by `id`) takes from, and each defaults section with `from`."""
        found: dict[int, Section] = {}
        last: Section | None = None
        named: dict[str, Section] = {}
        for section in self.document.sections:
            words = section.header.words
            is_defaults = section.kind == "defaults"
            if not is_defaults and section.kind not in _PROXIES:
                continue
            parent = None if is_defaults else last
            if "from" in words[1:-1]:
                parent = named.get(words[words.index("from", 1) + 1])
            if parent is not None:
                found[id(section)] = parent
            if is_defaults:
                last = section
                if len(words) > 1:
                    named[words[1]] = section
        return found

    def sections_of(self, proxy: Proxy) -> list[Section]:
        """The sections that a proxy is made of: its own, then the defaults behind it."""
        found: list[Section] = []
        section = self._sections.get((proxy.span.file, proxy.span.line))
        while section is not None and all(section is not known for known in found):
            found.append(section)
            section = self.origins.get(id(section))
        return found

    def statement(self, proxy: Proxy, *words: str) -> Statement | None:
        """The last statement that begins with these words in a proxy's section, or in the defaults behind it."""
        wanted = list(words)
        for section in self.sections_of(proxy):
            for statement in reversed(section.statements):
                if statement.words[: len(wanted)] == wanted:
                    return statement
        return None

    def place(self, proxy: Proxy, *words: str) -> Span:
        """Where a proxy says so: the statement that begins with these words, or else the section's header."""
        found = self.statement(proxy, *words)
        return proxy.span if found is None else found.span()

    def page_of(self, proxy: Proxy) -> list[Statement]:
        """The `stats` lines that count for a proxy: its own, or if it has none those of the defaults behind it."""
        for section in self.sections_of(proxy):
            found = [statement for statement in section.statements if statement.words[0] == "stats"]
            if found:
                return found
        return []

    def globals_(self, *words: str) -> Statement | None:
        """The last statement of the global sections that begins with these words."""
        found = None
        for section, statement in self.lines(*words):
            if section.kind == "global":
                found = statement
        return found

    @cached_property
    def senders(self) -> dict[str, list[Proxy]]:
        """The frontends that send to each backend; a listen sends to itself. Names made of requests are not in it."""
        found: dict[str, list[Proxy]] = {}
        for proxy in self.frontends:
            names = {rule.target for rule in proxy.use_backends if isinstance(rule.target, str)}
            if proxy.default_backend is not None:
                names.add(proxy.default_backend)
            if proxy.is_backend:
                names.add(proxy.name)
            for name in names:
                found.setdefault(name, []).append(proxy)
        return found

    def front_of(self, proxy: Proxy) -> list[Proxy]:
        """The proxies that clients of `proxy` come through: itself, or the frontends that send to it."""
        return [proxy] if proxy.kind == "frontend" else self.senders.get(proxy.name, [])

    def uses(self, proxy: Proxy) -> tuple[Use, ...]:
        """All fetches that a proxy's rules make, and where."""
        found = self._uses.get(id(proxy))
        if found is None:
            busy = proxy.rules or proxy.redirects or proxy.use_backends or proxy.use_servers
            found = self._uses[id(proxy)] = tuple(uses(proxy)) if busy else ()
        return found

    def actions(self, proxy: Proxy) -> frozenset[str]:
        """The names of all actions of a proxy's rules."""
        found = self._actions.get(id(proxy))
        if found is None:
            found = frozenset(rule.action for rules in proxy.rules.values() for rule in rules) if proxy.rules else _NONE
            self._actions[id(proxy)] = found
        return found

    def actions_before(self, proxy: Proxy) -> frozenset[str]:
        """The actions of a proxy's rules and of those of the frontends that send to it."""
        return self.actions(proxy).union(*(self.actions(front) for front in self.front_of(proxy)))

    def headers_set(self, proxy: Proxy) -> frozenset[str]:
        """The request headers, in lower case, that a proxy's rules set or delete."""
        found = self._headers.get(id(proxy))
        if found is None:
            found = self._headers[id(proxy)] = frozenset(
                str(rule.arguments.get("name", "")).lower()
                for rule in proxy.rules.get("http-request", ())
                if rule.action in ("set-header", "del-header")
            )
        return found

    def header_use(self, proxy: Proxy, *headers: str) -> Use | None:
        """The first time that a proxy's rules read one of these request headers."""
        key = (id(proxy), headers)
        if key not in self._header_uses:
            self._header_uses[key] = next((use for use in self.uses(proxy) if use.header in headers), None)
        return self._header_uses[key]

    def own_rules(self, proxy: Proxy) -> Iterator[tuple[str, Sequence[Rule]]]:
        """The rules of a proxy's own section by ruleset, without those of its defaults."""
        for name, rules in proxy.rules.items():
            file, line = proxy.span.file, proxy.span.line
            first = rules[0].span
            if first.file == file and first.line > line:
                yield name, rules
            else:
                yield name, [rule for rule in rules if rule.span.file == file and rule.span.line > line]

    def conditions(self, proxy: Proxy) -> Sequence[tuple[Condition, Span]]:
        """The conditions of a proxy's rules, and the lines they stand on."""
        found = self._conditions.get(id(proxy))
        if found is None:
            found = self._conditions[id(proxy)] = list(_conditions(proxy))
        return found

    def mentions(self, names: Iterable[str]) -> dict[str, int]:
        """How often each of these names stands in the files, alone or within a word; one pass over all words."""
        found = dict.fromkeys(names, 0)
        if not found:
            return found
        for section in self.document.sections:
            for statement in (section.header, *section.statements):
                for word in statement.words:
                    if word in found:
                        found[word] += 1
                    elif not word.isalnum():
                        for part in _NAME.findall(word):
                            if part in found:
                                found[part] += 1
        return found

    def removal(self, statement: Statement) -> Fix | None:
        """The edit that takes a statement away.

        None where quotes make it unclear where it ends, or where `.if` may bring lines back that need it.
        """
        source, raw = statement.source, statement.raw
        if '"' in raw or "'" in raw or "\\" in raw or self._is_conditional(source):
            return None
        code = raw.partition("#")[0].rstrip()
        return Fix(Span(source.name, statement.line, 1, len(code) + 1), "")

    def _is_conditional(self, source: Source) -> bool:
        found = self._conditional.get(source.name)
        if found is None:
            found = any(line.lstrip().startswith(".") for line in source.lines)
            self._conditional[source.name] = found
        return found


def _conditions(proxy: Proxy) -> Iterator[tuple[Condition, Span]]:
    for rules in proxy.rules.values():
        for rule in rules:
            if rule.condition is not None:
                yield rule.condition, rule.span
    for group in (proxy.redirects, proxy.use_backends, proxy.use_servers):
        for other in group:
            if other.condition is not None:
                yield other.condition, other.span
