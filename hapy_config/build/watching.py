"""What hapy knows and does not run: noted beside the findings, since HAProxy's verdict does not depend on it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.keywords import table
from hapy_config.keywords.sections import CONTEXTS
from hapy_config.keywords.spec import TARGET, Keyword, Runs, Version

if TYPE_CHECKING:
    from hapy_config.build.draft import Draft
    from hapy_config.grammar.errors import GrammarError
    from hapy_config.source import Span
    from hapy_config.syntax import Statement


@functools.cache
def watched_first_words(family: str) -> frozenset[str]:
    """The first words of all statements of a family that hapy does not (fully) run."""
    return frozenset(entry.name.partition(" ")[0] for entry in table(family) if entry.runs is not Runs.YES)


@functools.cache
def watched_names(family: str) -> frozenset[str]:
    """The names of a family's entries that hapy does not (fully) run."""
    return frozenset(entry.name for entry in table(family) if entry.runs is not Runs.YES)


@functools.cache
def early_names(family: str) -> frozenset[str]:
    """The names of a family's entries that hapy runs though they are newer than the HAProxy it follows."""
    return frozenset(entry.name for entry in table(family) if entry.early)


#: Losses of what watches over the service instead of serving requests. They are told as warnings, and the start goes
#: on: while all servers work, no client and no server sees a difference.
_OPERATIONAL = ("servers are not checked", "the server is not checked", "no mail is sent")


class Watching:
    """Collects `not_run`: severity ERROR stops the start, WARNING and NOTICE do not."""

    def __init__(self) -> None:
        self.not_run: list[Diagnostic] = []
        #: What can be told only once the whole file is read.
        self.later: list[Callable[[], None]] = []
        #: The HAProxy version whose verdict is asked for (None: what hapy itself takes), and the fetches,
        #: converters and server options that it does not know: the statement, the word, the entry.
        self.target: Version | None = None
        self.other_versions: list[tuple[Statement, int, Keyword]] = []
        #: How many stick counters a stream has (`tune.stick-counters`, since 2.8).
        self.stick_counters = 3
        self.watched = watched_first_words("proxies") | {"option"}
        self.watched_globals = watched_first_words("globals")
        self.watched_sections = {entry.name: entry for entry in table("sections") if entry.runs is not Runs.YES}
        self.watched_server_options = watched_names("servers") | early_names("servers")
        self.watched_bind_options = watched_names("binds")
        self.watched_actions = watched_names("actions")
        self.watched_options = watched_names("options")

    @property
    def version(self) -> Version:
        """The HAProxy version that is spoken."""
        return self.target or TARGET

    @property
    def processes(self) -> int:
        """The highest number of a process: several could run before 2.5."""
        return 64 if self.version < (2, 5) else 1

    def _note(self, keyword: Keyword, span: Span, title: str) -> None:
        loss = f": {keyword.loss}" if keyword.loss else ""
        if keyword.runs is Runs.NO:
            severity = Severity.WARNING if keyword.loss.startswith(_OPERATIONAL) else Severity.ERROR
            found = Diagnostic("not-run", severity, span, f"{title} is not run by hapy{loss}")
        else:
            found = Diagnostic("harmless", Severity.NOTICE, span, f"{title} has no effect in hapy{loss}")
        self.not_run.append(found)

    def watch(self, statement: Statement, words: Sequence[str], kind: str) -> None:
        """Look a proxy's statement up."""
        if words[0] in ("no", "default"):
            return
        if words[0] == "option":
            self._watch_option(statement, words)
            return
        found = table("proxies").find(words)
        if found is not None:
            keyword, count = found
            if keyword.runs is not Runs.YES and keyword.where & CONTEXTS[kind]:
                self._note(keyword, statement.span(0, count - 1), f"'{keyword.name}'")

    def _watch_option(self, statement: Statement, words: Sequence[str]) -> None:
        if len(words) < 2:
            return
        name = words[1]
        if name in self.watched_options:
            keyword = table("options").get(name)
            assert keyword is not None
            self._note(keyword, statement.span(0, 1), f"'option {name}'")

    def watch_global(self, statement: Statement, words: Sequence[str]) -> None:
        """Look a global statement up."""
        found = table("globals").find(words)
        if found is not None and found[0].runs is not Runs.YES:
            self._note(found[0], statement.span(0, found[1] - 1), f"'{found[0].name}'")

    def watch_section(self, header: Statement, kind: str) -> None:
        """Look a section up."""
        keyword = self.watched_sections.get(kind)
        if keyword is not None:
            self._note(keyword, header.span(), f"section '{kind}'")

    def watch_server_option(self, statement: Statement, index: int, name: str) -> None:
        """Note a server option."""
        keyword = table("servers").get(name)
        assert keyword is not None
        if keyword.early:
            if self.target == TARGET:  # other versions' words are looked up in the document
                self.other_versions.append((statement, index, keyword))
            return
        self._note(keyword, statement.span(index), f"server option '{name}'")

    def watch_bind_option(self, statement: Statement, index: int, name: str) -> None:
        """Note a bind option."""
        keyword = table("binds").get(name)
        assert keyword is not None
        self._note(keyword, statement.span(index), f"bind option '{name}'")

    def note_http2(self, draft: Draft, statement: Statement, index: int, ends: str) -> None:
        """Note that HTTP/2 is among the protocols of an `alpn`; in mode tcp, which may follow, that is all right.

        `ends`: whom HTTP/1 is spoken to.
        """

        def note() -> None:
            if draft.mode == "http":
                message = f"'h2' is not offered: hapy speaks HTTP/1 to {ends}"
                self.not_run.append(Diagnostic("harmless", Severity.NOTICE, statement.span(index), message))

        self.later.append(note)

    def note_protocol(self, statement: Statement, index: int, option: str, protocol: str) -> None:
        """Note a protocol that connections are to speak (`proto`), where hapy knows others only."""
        if protocol not in ("h1", "none"):
            message = f"'{option} {protocol}' is not run by hapy: only HTTP/1 is spoken"
            self.not_run.append(Diagnostic("not-run", Severity.ERROR, statement.span(index), message))

    def note_websockets(self, statement: Statement, index: int) -> None:
        """Note that WebSocket streams are to be sent over HTTP/2 (`ws h2`)."""
        message = "server option 'ws h2' is not run by hapy: WebSocket streams are sent over HTTP/1.1"
        self.not_run.append(Diagnostic("not-run", Severity.ERROR, statement.span(index), message))

    def watch_action(self, statement: Statement, ruleset: str, action: str) -> None:
        """Note an action."""
        if action in self.watched_actions:
            keyword = table("actions").get(action)
            assert keyword is not None
            self._note(keyword, statement.span(), f"'{ruleset} {action.rstrip('*')}'")

    def watch_sample(self, statement: Statement, index: int, family: str, name: str) -> bool:
        """Note a fetch or converter; tell whether hapy runs it."""
        keyword = table(family).get(name)
        if keyword is not None and self.target is not None and not keyword.known_in(self.target):
            self.other_versions.append((statement, index, keyword))
            return False
        if keyword is None or keyword.runs is Runs.YES:
            return True
        what = "sample fetch" if family == "fetches" else "converter"
        self._note(keyword, statement.span(index), f"{what} '{name}'")
        return False

    def watch_alias(self, statement: Statement, index: int, name: str) -> None:
        """Note a log variable that the target does not know."""
        keyword = table("log-aliases").get(name)
        if keyword is not None and self.target is not None and not keyword.known_in(self.target):
            self.other_versions.append((statement, index, keyword))

    def note_check(self, statement: Statement, index: int, title: str, loss: str, severity: Severity) -> None:
        """Note a part of a health check."""
        found = Diagnostic("not-run", severity, statement.span(index), f"{title} is not run by hapy: {loss}")
        self.not_run.append(found)

    def note_twin(self, header: Statement, title: str, name: str) -> None:
        """Note a `listen` section behind a backend of the same name, which HAProxy lets pass."""
        message = f"a {title} section of the same name as a backend, '{name}', is not run by hapy"
        self.not_run.append(Diagnostic("not-run", Severity.ERROR, header.span(1), message, "give it another name"))

    def note_lua(self, statement: Statement, index: int, title: str) -> None:
        """Note something that a Lua file registers."""
        found = Diagnostic(
            "not-run", Severity.ERROR, statement.span(index), f"{title} is not run by hapy: Lua is not run"
        )
        self.not_run.append(found)

    def note_regex(self, statement: Statement, error: GrammarError) -> None:
        """Note a regular expression that HAProxy's library understands and Python's does not."""
        found = Diagnostic("not-run", Severity.ERROR, statement.span(error.word), f"hapy can't run a {error.message}")
        self.not_run.append(found)
