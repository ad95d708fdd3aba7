"""What became of every statement of a configuration that goes to another proxy: nothing is left out in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.proxy import Proxy
from hapy_config.model.rules import HttpReply, Rule
from hapy_config.source import Span
from hapy_config.syntax import Document, Section, Statement
from hapy_config.translate.guards import GUARDS, refusal
from hapy_config.translate.report import Loss, Note, Translation


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of statements of one name; `loss` None says that they go over without a word."""

    loss: Loss | None = None
    text: str = ""


CARRIED: Final = Fate()


def same(text: str) -> Fate:
    """It needs nothing there."""
    return Fate(Loss.NONE, text)


def near(text: str) -> Fate:
    """It goes over with a difference."""
    return Fate(Loss.NEAR, text)


def lost(text: str) -> Fate:
    """It has no counterpart."""
    return Fate(Loss.LOST, text)


#: Statements of a proxy in `mode tcp` that HAProxy itself leaves aside there.
_HTTP_ONLY: Final = frozenset(
    {
        "http-request", "http-response", "http-after-response", "http-error", "redirect", "errorfile", "errorloc",
        "errorloc302", "errorloc303", "errorfiles", "cookie", "compression", "monitor-uri", "http-reuse", "retry-on",
        "unique-id-format", "unique-id-header", "option forwardfor", "option originalto", "option http-server-close",
        "option httpclose", "option http-keep-alive", "timeout http-request", "timeout http-keep-alive", "stats",
        "http-send-name-header", "option http-buffer-request", "option http-pretend-keepalive", "capture",
        "option http-use-htx", "option forceclose", "option http-tunnel", "timeout tarpit",
        "option http-restrict-req-hdr-names",
    }
)  # fmt: skip


class Ledger:
    """Notes, and which lines are accounted for.

    Args:
        config: the model.
        document: its statements.
        target: the other proxy's name, for messages.
    """

    def __init__(self, config: Config, document: Document, target: str) -> None:
        self.config = config
        self.document = document
        self.target = target
        self._notes: dict[Note, None] = {}
        self._fates: dict[tuple[str, int], Loss | None] = {}
        self._proxies = {(proxy.span.file, proxy.span.line): proxy for proxy in config.proxies}
        self._written: set[tuple[str, int]] = set()
        self._exactly: dict[tuple[str, int], bool] = {}

    def trial(self) -> Ledger:
        """A ledger that goes on from here, of which may be taken what it has been told (`take`)."""
        found = copy(self)
        found._notes, found._fates, found._written = dict(self._notes), dict(self._fates), set(self._written)
        return found

    def take(self, trial: Ledger) -> None:
        """Go on with what a trial was told."""
        self._notes, self._fates, self._written = trial._notes, trial._fates, trial._written

    def told(self, loss: Loss) -> int:
        """How many notes of a kind there are."""
        return sum(note.loss is loss for note in self._notes)

    def done(self, span: Span) -> None:
        """A line went over."""
        self._fates.setdefault((span.file, span.line), None)

    def note(self, span: Span, loss: Loss, text: str) -> None:
        """Say something of a line, which is accounted for by that."""
        place = (span.file, span.line)
        before = self._fates.get(place)
        self._fates[place] = loss if before is None else max(loss, before)
        self._notes.setdefault(Note(Span(span.file, span.line), loss, text))

    def near(self, span: Span, text: str) -> None:
        """A line went over with a difference."""
        self.note(span, Loss.NEAR, text)

    def lost(self, span: Span, text: str) -> None:
        """A line did not go over."""
        self.note(span, Loss.LOST, text)

    def left_out(self, rule: Rule, reason: Exception, *, refused: bool = False) -> None:
        """A rule did not go over; of one that keeps clients out it is said what that means.

        Args:
            rule: it.
            reason: why.
            refused: something that refuses at least whom it would stands in its place.
        """
        if refused:
            whom = (
                "all whom it might ask are"
                if rule.action == "auth"
                else "tests that can't be made there count as not true, and whom it keeps out then is"
            )
            text = f"{rule.ruleset} {rule.word} can't be had: {reason}; {whom} refused with {refusal(rule)}"
            self.lost(rule.span, text)
            return
        opened = "; what it keeps out is let in" if rule.action in GUARDS else ""
        self.lost(rule.span, f"{rule.ruleset} {rule.word} was left out: {reason}{opened}")

    def wrote(self, proxy: Proxy) -> None:
        """A proxy has its counterpart in what is written; what stands in all others does not go over."""
        self._written.add((proxy.span.file, proxy.span.line))

    def wrote_exactly(self, proxies: Iterable[Proxy], *, exactly: bool) -> None:
        """Whether what there may be several of is taken from some proxies' requests as HAProxy takes it."""
        for proxy in proxies:
            place = (proxy.span.file, proxy.span.line)
            self._exactly[place] = exactly and self._exactly.get(place, True)

    def is_exact(self, proxy: Proxy) -> bool:
        """Whether it is so wherever a proxy was written."""
        return self._exactly.get((proxy.span.file, proxy.span.line), False)

    @property
    def accounted(self) -> Mapping[tuple[str, int], Loss | None]:
        """By file and line what was lost of it; None where it went over without a word."""
        return self._fates

    def proxy_statements(self, proxy: Proxy) -> list[Statement]:
        """The statements that stand in a proxy's own section."""
        for section in self.document.sections:
            if (section.header.source.name, section.header.line) == (proxy.span.file, proxy.span.line):
                return section.statements
        return []

    def line(self, proxy: Proxy, *words: str) -> Span:
        """The last line of a proxy that begins with these words, else that of its defaults, else its first line."""
        found = [one for one in self.proxy_statements(proxy) if one.words[: len(words)] == list(words)]
        found = found or [one for one in self._defaults_of(proxy) if one.words[: len(words)] == list(words)]
        return found[-1].span() if found else proxy.span

    def note_pages(self, proxy: Proxy, failures: Collection[int] = (503, 504)) -> None:
        """Name the error pages of a proxy that the other one can't give: those of its own faults and the clients'.

        Args:
            proxy: has the pages.
            failures: the statuses that servers cause and whose pages it can give.
        """
        rules = [rule for ruleset in proxy.rules.values() for rule in ruleset]
        replies = [reply for rule in rules if isinstance(reply := rule.arguments.get("reply"), HttpReply)]
        given = {*failures, *(reply.status or 403 for reply in replies)}
        for status, page in proxy.error_pages.items():
            closes = page.raw == b""
            if status not in given or closes:
                for word in ("errorfile", "errorloc", "errorloc302", "errorloc303"):
                    span = self.line(proxy, word, str(status))
                    if span != proxy.span:
                        instead = "; HAProxy closes without an answer" if closes else ""
                        self.near(
                            span, f"where {self.target} itself answers with {status}, its own page is shown{instead}"
                        )

    def _defaults_of(self, proxy: Proxy) -> list[Statement]:
        """The statements of the `defaults` section that a proxy takes up."""
        before: list[Statement] = []
        named: dict[str, list[Statement]] = {}
        for section in self.document.sections:
            header = section.header
            if section.kind == "defaults":
                before = section.statements
                named.update(dict.fromkeys(header.words[1:2], before))
            elif (header.source.name, header.line) == (proxy.span.file, proxy.span.line):
                words = header.words
                return named.get(words[words.index("from") + 1], before) if "from" in words[:-1] else before
        return []

    def settle(self, fates: Mapping[str, Fate], sections: Mapping[str, Fate]) -> None:
        """Account for every statement that is not yet: by its name in `fates`, or as lost.

        Args:
            fates: by the first words of a statement of a proxy; `global …` for those of the global section.
            sections: by kind of section, for all others.
        """
        for section in self.document.sections:
            self.done(section.header.span())
            if section.kind == "global":
                for statement in section.statements:
                    self._one(statement, statement.words, fates, "global ")
            elif section.kind in ("defaults", "frontend", "backend", "listen"):
                self._settle_proxy(section, fates)
            else:
                self._settle_section(section, sections)

    def _settle_proxy(self, section: Section, fates: Mapping[str, Fate]) -> None:
        place = (section.header.source.name, section.header.line)
        proxy = self._proxies.get(place)
        if proxy is not None and place not in self._written and not proxy.disabled:
            self._leave_out(section, proxy)
        for statement in section.statements:
            words = statement.words
            if words[0] in ("no", "default"):
                self.done(statement.span())  # the model, which is what was written down, knows it
            elif proxy is not None and proxy.disabled:
                self.note(statement.span(), Loss.NONE, f"'{proxy.name}' is disabled: it was left out")
            elif proxy is not None and proxy.mode != "http" and (words[0] in _HTTP_ONLY or pair(words) in _HTTP_ONLY):
                self.note(statement.span(), Loss.NONE, "in mode tcp HAProxy leaves it aside, too")
            else:
                self._one(statement, words, fates, "")

    def _leave_out(self, section: Section, proxy: Proxy) -> None:
        """Account for a proxy that nothing was written for."""
        loss = Loss.LOST if proxy.is_frontend or proxy.name in self._named() else Loss.NONE
        header = section.header.span()
        if not proxy.is_frontend and self._fates.get((header.file, header.line)) is not Loss.LOST:
            why = "only what was left out leads there" if loss is Loss.LOST else "no frontend leads there"
            self.note(header, loss, f"'{proxy.name}' was left out: {why}")
        for statement in section.statements:
            place = (statement.source.name, statement.line)
            self._fates[place] = max(loss, self._fates.get(place) or loss)

    def _named(self) -> set[str]:
        """The backends that rules may lead to; where a name depends on the request, all."""
        found: set[str] = set()
        for proxy in self.config.proxies:
            found.update({proxy.default_backend} if proxy.default_backend else ())
            for use in proxy.use_backends:
                if not isinstance(use.target, str):
                    return {one.name for one in self.config.proxies}
                found.add(use.target)
        return found

    def _settle_section(self, section: Section, sections: Mapping[str, Fate]) -> None:
        fate = sections.get(section.kind) or lost(f"a '{section.kind}' section has no counterpart in {self.target}")
        for statement in (section.header, *section.statements):
            place = (statement.source.name, statement.line)
            if self._fates.get(place) is None:
                self._fates[place] = fate.loss
        if fate.loss is not None:
            self.note(section.header.span(), fate.loss, fate.text)

    def _one(self, statement: Statement, words: list[str], fates: Mapping[str, Fate], prefix: str) -> None:
        span = statement.span()
        if (span.file, span.line) in self._fates:
            return
        for count in (3, 2, 1):
            fate = fates.get(prefix + " ".join(words[:count])) if len(words) >= count else None
            if fate is not None:
                break
        else:
            fate = fates.get(f"{prefix}*") or lost(f"'{pair(words)}' has no counterpart in {self.target}")
        if fate.loss is None:
            self.done(span)
        else:
            self.note(span, fate.loss, fate.text)

    def translation(self, name: str, text: str, always: tuple[str, ...] = ()) -> Translation:
        """The outcome: one file, and the notes in the order of the lines.

        Args:
            name: of the file.
            text: of the file.
            always: what the other program does otherwise whatever a configuration says.
        """
        order = {source.name: index for index, source in enumerate(self.document.sources)}
        notes = sorted(self._notes, key=lambda note: (order.get(note.span.file, -1), note.span.line))
        counts = tuple(sum(1 for fate in self._fates.values() if fate is loss) for loss in (None, *Loss))
        return Translation({name: text}, tuple(notes), counts, always)


def pair(words: list[str]) -> str:
    """A statement's name for a message: its first word, two of those that come in families."""
    families = ("option", "timeout", "stats", "tcp-request", "tcp-response", "http-request", "http-response", "no")
    return " ".join(words[:2]) if words[0] in (*families, "http-check", "tcp-check", "stick") else words[0]
