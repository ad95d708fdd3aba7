"""What all builders share: the findings, the drafts made so far, the files and the environment."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy_config.alike import nearest
from hapy_config.build.arguments import TIME_HINT, TIME_SUFFIX, TimeError, milliseconds, time_message
from hapy_config.build.draft import BACK, Draft
from hapy_config.build.expressions import note_references
from hapy_config.build.luafiles import LuaNames
from hapy_config.build.patternfiles import pattern_file_fault
from hapy_config.build.references import References
from hapy_config.build.refused import Refused
from hapy_config.build.tls import TlsFiles
from hapy_config.build.watching import Watching
from hapy_config.diagnostics import Diagnostic, Diagnostics, Severity
from hapy_config.grammar.units import is_number, leading_integer
from hapy_config.source import Source, Span
from hapy_config.syntax import Statement

if TYPE_CHECKING:
    import re

    from hapy_config.build.sectiondraft import SectionDraft
    from hapy_config.build.tables import StickTable
    from hapy_config.model.config import Variable
    from hapy_config.model.expressions import AclExpression, LogFormat, SampleExpression
    from hapy_config.model.proxy import LogTarget
    from hapy_config.model.server import Bind, Server

#: Tells whether a host name has an address: the name, and `ipv4`, `ipv6` or empty for either.
HostLookup = Callable[[str, str], bool]

#: In the order they run, whatever the order they are written in.
_ORDER: Final = (
    "tcp-request connection",
    "tcp-request session",
    "tcp-request content",
    "monitor fail",
    "http-request",
    "redirect",
    "use_backend",
    "use-server",
)
_TITLES: Final = {
    "monitor fail": ("a", "monitor fail"),
    "http-request": ("an", "http-request"),
    "redirect": ("a", "redirect"),
    "use_backend": ("a", "use_backend"),
    "use-server": ("a", "use-server"),
    "tcp-request connection": ("a", "tcp-request connection"),
    "tcp-request session": ("a", "tcp-request session"),
    "tcp-request content": ("a", "tcp-request content"),
}


class Files:
    """The files that a configuration names, read once each.

    Relative names count from the working directory, as HAProxy's do at its default `default-path current`.
    """

    def __init__(self) -> None:
        self.base: Path | None = None
        self._read: dict[Path, bytes] = {}

    def path(self, name: str) -> Path:
        """Where `name` is."""
        return self.base / name if self.base is not None else Path(name)

    # Path's own methods raise for names that are too long.

    def exists(self, name: str) -> bool:
        """Whether there is something of that name."""
        return os.path.exists(self.path(name))  # noqa: PTH110

    def is_directory(self, name: str) -> bool:
        """Whether it is a directory."""
        return os.path.isdir(self.path(name))  # noqa: PTH112

    def read(self, name: str) -> bytes:
        """The file's bytes.

        Raises:
            OSError: when it can't be read.
        """
        path = self.path(name)
        found = self._read.get(path)
        if found is None:
            found = self._read[path] = path.read_bytes()
        return found


class Build(References, Watching):
    """One configuration being built.

    Attributes:
        out: findings in the order HAProxy would print them.
        env: the environment, with what `setenv` and its kin changed.
        local_peer: the name of this process among peers (`-L`, else `localpeer`, else the host's name).
        peer_given: whether `-L` gave it.
        resolve: looks host names in ACLs up; None takes what looks like one.
        assume_machine: what this machine lacks refuses nothing.
        statement, shift: what is being read, and how many words (`no`) were taken off its front.
        proxies: frontends, backends and listens in order.
        frontends, backends: the same by name.
        defaults: named defaults sections; `last_defaults` is the one that applies to what follows.
        sections: all other sections by (kind, name).
        later: checks that run when everything was read.
        reader: the proxy that expressions of the global section are evaluated in, of mode tcp.
        variables: `set-var` and `set-var-fmt` of the global section.
        nameless: stands for the proxy where an expression belongs to none.
    """

    def __init__(
        self, out: Diagnostics, env: Mapping[str, str], local_peer: str, lookup: HostLookup | None = None
    ) -> None:
        References.__init__(self)
        Watching.__init__(self)
        self.out = out
        self.env: dict[str, str] = dict(env)
        self.local_peer = local_peer
        self.peer_given = False
        self.master_worker = False
        self._lookup = lookup
        self._hosts: dict[tuple[str, str], bool] = {}
        self.resolve = (lambda host: lookup(host, "")) if lookup is not None else None
        self.assume_machine = False
        self.files = Files()
        self.current_section = ""
        #: Lines, by file and number, whose servers need no port for checks: `10.1`, 65536 in 2.2.
        self.unasked_ports: set[tuple[str, int]] = set()
        self.threads: dict[int, int] = {}  # to the group that a `thread-group` line put them in
        self.thread_groups: dict[int, tuple[int, int]] = {}  # where the threads of each group begin and end
        #: Whether a section other than `global` has been read.
        self.past_global = False
        self.experimental = False
        self.lua = False
        self.lua_names = LuaNames()
        self.acl_ids: set[int] = set()  # given by `-u`
        # the global section
        self.global_: dict[str, object] = {}
        self.tune: dict[str, int | str] = {}
        self.given: set[str] = set()
        self.case_adjust: dict[str, str] = {}
        self.unix_bind: dict[str, str] = {}
        self.stats_sockets: list[tuple[str, ...]] = []
        self.stats_binds: list[Bind] = []
        self.stats_timeout = 10_000
        self.stats_maxconn = 10
        self.variables: list[Variable] = []
        self.global_log: list[LogTarget] = []
        self.global_settings: list[tuple[str, ...]] = []
        # proxies and the rest
        self.proxies: list[Draft] = []
        self.frontends: dict[str, Draft] = {}
        self.backends: dict[str, Draft] = {}
        self.proxy_ids: dict[int, Draft] = {}
        self.tables: dict[str, StickTable] = {}
        self.defaults: dict[str, list[Draft]] = {}
        self.last_defaults: Draft | None = None
        self.sections: dict[tuple[str, str], SectionDraft] = {}
        self.named_servers: list[tuple[Draft, Server, Statement]] = []
        self.straight: set[int] = set()  # servers whose `track` is known to end
        self.criteria: list[tuple[Draft, Statement, SampleExpression]] = []
        self.group_acls: list[tuple[Draft, Statement, str, AclExpression]] = []
        self.comments: dict[str, dict[int, re.Match[str]]] = {}
        self.used_comments: set[tuple[str, int]] = set()
        self.tls_files = TlsFiles()
        self.pattern_files: dict[tuple[str, str, bool, bool], str] = {}
        #: Of each file of patterns whether it is read as a map.
        self.pattern_columns: dict[str, bool] = {}
        self.formats: dict[tuple[str, str], LogFormat] = {}
        source = Source("", ("global",))
        self.nameless = Draft("listen", "", Statement(source, 1, ["global"]))
        self.statement = self.nameless.header
        self.shift = 0
        self.nameless.mode = "http"
        self.reader = Draft("listen", "CFG", Statement(source, 1, ["global"]))
        self.http_client = Draft("listen", "<HTTPCLIENT>", self.nameless.header)

    # -- findings

    def fault(self, refusal: Refused, statement: Statement | None = None) -> None:
        """Note a refusal and what came with it, of the statement that is being read or of another; reading goes on."""
        shift = 0
        if statement is None:
            statement, shift = self.statement, self.shift
        self.out.found.extend(one.diagnostic(statement, shift) for one in refusal)

    def read_on(self, words: list[str]) -> list[str]:
        """The words of the line that is being read, past the empty one that ended `words`, up to the next.

        A line ends at an empty word, but for some arguments HAProxy takes one and goes on behind it.
        """
        behind = self.statement.words[self.shift + len(words) :]
        if not behind:
            return words
        end = behind.index("", 1) if "" in behind[1:] else len(behind)
        return [*words, *behind[:end]]

    @contextmanager
    def noting(self, statement: Statement | None = None) -> Iterator[None]:
        """Note what is refused inside, and go on behind."""
        try:
            yield
        except Refused as refusal:
            self.fault(refusal, statement)

    def lacking(self, refusal: Refused, statement: Statement | None = None) -> None:
        """Note what this machine does not have; the statement is read on as if it were there."""
        refusal.environment = True
        self.fault(refusal, statement)

    def error(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Note something HAProxy refuses."""
        self.out.found.append(Diagnostic(code, Severity.ERROR, span, message, hint))

    def warning(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Note something HAProxy warns of."""
        self.out.found.append(Diagnostic(code, Severity.WARNING, span, message, hint))

    def alert(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Note something HAProxy alerts of without refusing the file."""
        self.out.found.append(Diagnostic(code, Severity.ERROR, span, message, hint, fatal=False))

    def environment(self, code: str, span: Span, message: str, hint: str = "") -> None:
        """Note an error that lies in this machine's state."""
        self.out.found.append(Diagnostic(code, Severity.ERROR, span, message, hint, environment=True))

    def side_note(self, draft: Draft, statement: Statement, word: str, side: int) -> None:
        """Warn, in the words of HAProxy's newer keywords, when a proxy lacks the side that a keyword needs."""
        if not draft.side & side:
            capability = "backend" if side == BACK else "frontend"
            self.warning(
                "ignored-here",
                statement.span(),
                f"{word} will be ignored because {draft.title} '{draft.name}' has no {capability} capability",
            )

    def rule_order(self, draft: Draft, statement: Statement, kind: str, title: str) -> None:
        """Warn of a rule that is written behind one that runs after it."""
        rank = _ORDER.index(kind)
        later = draft.rules_seen >> (rank + 1)
        draft.rules_seen |= 1 << rank
        if later and kind not in ("use_backend", "use-server"):
            article, name = _TITLES[_ORDER[rank + (later & -later).bit_length()]]
            own = "an" if title == "http-request" else "a"
            self.warning(
                "rule-order",
                statement.span(),
                f"{own} '{title}' rule placed after {article} '{name}' rule will still be processed before.",
            )

    @staticmethod
    def nearest(word: str, known: Iterable[str]) -> str:
        """`did you mean 'x'?`, or empty when nothing known is near."""
        near = nearest(word, known)
        return f"did you mean '{near}'?" if near else ""

    # -- arguments

    def time(self, statement: Statement, words: Sequence[str], index: int, what: str, unit: str = "ms") -> int:
        """The time at `index` in ms; a character behind its unit is a warning, as in HAProxy 2.6.

        Args:
            statement: where findings are placed.
            words: the statement's words, perhaps without a leading `no`.
            index: where the time stands; it must be there.
            what: how messages name the argument.
            unit: the unit of a bare number.

        Raises:
            Refused: when it is no time.
        """
        text = words[index]
        try:
            value, behind = milliseconds(text, unit=unit)
        except TimeError as error:
            raise Refused(time_message(error, text, what), index, hint=TIME_HINT) from None
        if behind:
            self.warning("time-suffix", statement.span(index), TIME_SUFFIX.format(behind, text), TIME_HINT)
        return value

    def loose_number(self, statement: Statement, index: int, text: str) -> None:
        """Say at DIAG level that HAProxy reads a number out of what is none."""
        if not is_number(text):
            found = Diagnostic(
                "loose-number",
                Severity.DIAG,
                statement.span(index),
                f"'{text}' is not a whole number: HAProxy reads {leading_integer(text)}",
                "write the number alone",
            )
            self.out.found.append(found)

    # -- expressions

    def note_criterion(self, draft: Draft, statement: Statement, criterion: SampleExpression) -> None:
        """Remember an ACL's criterion for the checks that need the whole configuration."""
        note_references(self, draft, statement, 0, criterion, acl=True)
        self.criteria.append((draft, statement, criterion))

    def check_pattern_files(self, parsed: AclExpression, statement: Statement, prefix: str) -> None:
        """Note a pattern file that can't be used."""
        for file in parsed.files:
            fault = pattern_file_fault(self, file, parsed.match, ignore_case=parsed.ignore_case, as_map=parsed.as_map)
            if fault:
                index = statement.words.index(file) if file in statement.words else None
                self.lacking(Refused(f"{prefix}{fault}.", index, code="bad-pattern-file"), statement)

    # -- the machine

    def host_exists(self, host: str, family: str = "") -> bool:
        """Whether a host name resolves; always, where the caller gave no way to find out."""
        if self._lookup is None:
            return True
        key = (host, family)
        found = self._hosts.get(key)
        if found is None:
            found = self._hosts[key] = self._lookup(host, family)
        return found

    @staticmethod
    def namespace_exists(name: str) -> bool:
        """Whether a network namespace of that name is there."""
        return os.path.exists(f"/var/run/netns/{name}")  # noqa: PTH110  # a name may be too long

    @staticmethod
    def descriptor_fault(number: int) -> str:
        """Why an inherited descriptor is no listening socket, or an empty string."""
        try:
            mode = os.fstat(number).st_mode
        except OverflowError:
            return "Bad file descriptor"
        except OSError as error:
            return error.strerror or str(error)
        return "" if stat.S_ISSOCK(mode) else "Socket operation on non-socket"


def host_name() -> str:
    """What this machine calls itself: the default name among peers."""
    return socket.gethostname()
