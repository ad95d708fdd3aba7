"""A document to a configuration: sections in order, then what needs all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hapy_config.build.comments import find_comments, report_unused
from hapy_config.build.context import Build, HostLookup, host_name
from hapy_config.build.finish import finish
from hapy_config.build.freeze import Freezer
from hapy_config.build.globals_ import read_global
from hapy_config.build.proxies import read_proxy
from hapy_config.build.sections import read_section
from hapy_config.diagnostics import Diagnostic, Diagnostics
from hapy_config.keywords.spec import Keyword, Version
from hapy_config.model.config import Config
from hapy_config.syntax import Document, Statement

_PROXIES = frozenset({"defaults", "frontend", "backend", "listen"})


@dataclass(frozen=True, slots=True)
class Built:
    """What became of a document.

    Attributes:
        config: the model; None when it is refused.
        reading: findings made line by line.
        checking: findings made when everything was read.
        not_run: what hapy knows and does not run; severity ERROR stops the start.
        has_listener: whether anything would listen.
        other_versions: fetches, converters and log variables that the target does not know: the statement, the word,
            the entry.
    """

    config: Config | None
    reading: Diagnostics
    checking: Diagnostics
    not_run: tuple[Diagnostic, ...]
    has_listener: bool
    other_versions: tuple[tuple[Statement, int, Keyword], ...]


def build(
    document: Document,
    *,
    env: Mapping[str, str],
    local_peer: str | None = None,
    master_worker: bool = False,
    lookup: HostLookup | None = None,
    refused: bool = False,
    assume_machine: bool = False,
    target: Version | None = None,
) -> Built:
    """Build the model of a document.

    Args:
        document: the statements.
        env: the environment that variables were taken from.
        local_peer: the name given by `-L`.
        master_worker: `-W` was given.
        lookup: tells whether a host name resolves; None takes all of them.
        refused: loading found errors already: no model is made.
        target: note the fetches and converters that this HAProxy version does not know.
        assume_machine: read on where the machine lacks what a statement names, and make a model all the same.
    """
    reading = Diagnostics()
    state = Build(reading, env, local_peer or env.get("HAPROXY_LOCALPEER") or host_name(), lookup)
    state.peer_given = local_peer is not None
    state.master_worker = master_worker
    state.assume_machine = assume_machine
    state.target = target
    for source in document.sources:
        comments = find_comments(source)
        if comments:
            state.comments[source.name] = comments
    for section in document.sections:
        kind = section.kind
        state.past_global = state.past_global or kind != "global"
        if kind in _PROXIES:
            read_proxy(state, section)
            state.current_section = kind
        elif kind == "global":
            read_global(state, section)
            state.current_section = kind
        elif read_section(state, section) is not None:
            state.current_section = kind
    report_unused(state)
    checking = Diagnostics()
    state.out = checking
    has_listener = finish(state)
    config = None
    found = (*reading, *checking)
    if not refused and not any(one.refuses and not (assume_machine and one.environment) for one in found):
        config = Freezer(state).config()
    other_versions = tuple(state.other_versions)
    return Built(config, reading, checking, tuple(state.not_run), has_listener, other_versions)
