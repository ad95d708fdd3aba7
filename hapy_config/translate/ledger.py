"""What became of every statement of a configuration that goes to another proxy: nothing is left out in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.proxy import Proxy
from hapy_config.source import Span
from hapy_config.syntax import Document, Section, Statement
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
        proxy = self._proxies.get((section.header.source.name, section.header.line))
        for statement in section.statements:
            words = statement.words
            if words[0] in ("no", "default"):
                self.done(statement.span())  # the model, which is what was written down, knows it
            elif proxy is not None and proxy.disabled:
                self.note(statement.span(), Loss.NONE, f"'{proxy.name}' is disabled: it was left out")
            elif proxy is not None and proxy.mode != "http" and (words[0] in _HTTP_ONLY or pair(words) in _HTTP_ONLY):
                self.done(statement.span())
            else:
                self._one(statement, words, fates, "")

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

    def translation(self, name: str, text: str) -> Translation:
        """The outcome: one file, and the notes in the order of the lines."""
        order = {source.name: index for index, source in enumerate(self.document.sources)}
        notes = sorted(self._notes, key=lambda note: (order.get(note.span.file, -1), note.span.line))
        counts = tuple(sum(1 for fate in self._fates.values() if fate is loss) for loss in (None, *Loss))
        return Translation({name: text}, tuple(notes), counts)


def pair(words: list[str]) -> str:
    """A statement's name for a message: its first word, two of those that come in families."""
    families = ("option", "timeout", "stats", "tcp-request", "tcp-response", "http-request", "http-response", "no")
    return " ".join(words[:2]) if words[0] in (*families, "http-check", "tcp-check", "stick") else words[0]
