"""The library's front door: files or text in, a `Result` out."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field

from hapy_config import loader
from hapy_config.build.builder import build
from hapy_config.diagnostics import Diagnostic, Diagnostics
from hapy_config.keywords.spec import TARGET, Version
from hapy_config.loader import collector_paused
from hapy_config.model.config import Config
from hapy_config.preprocess import VERSION, Surroundings
from hapy_config.source import Source
from hapy_config.syntax import Document
from hapy_config.variables import STAND_IN, unset_variables, without_variables

#: Gives a file's content; raises OSError.
Read = Callable[[str], bytes]
#: Tells whether a host name has an address: the name, and `ipv4`, `ipv6` or empty for either.
HostLookup = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Result:
    """What was read.

    Attributes:
        config: the model, or None when HAProxy would refuse the configuration.
        document: the statements as they stand in the files, for rewriting.
        diagnostics: all findings: those of reading in the order of the lines, then those about the whole.
        not_run: what is known and not run by hapy: severity ERROR changes what a client or server sees (it stops the
            start unless told otherwise), NOTICE does not. HAProxy's verdict does not depend on it.
        has_listener: whether anything would listen; HAProxy's `-c` ends with 2 where nothing would.
        environment: the variables as `setenv` and its kin have left them.
    """

    config: Config | None
    document: Document
    diagnostics: Diagnostics
    not_run: tuple[Diagnostic, ...] = ()
    has_listener: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def unreadable(self) -> bool:
        """Whether a file of the configuration itself could not be read: what there is of it is not the whole."""
        return any(found.code == "unreadable-file" and not found.span.line for found in self.diagnostics)


def read_config(
    paths: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    features: frozenset[str] = frozenset(),
    local_peer: str | None = None,
    master_worker: bool = False,
    read: Read = loader.read_file,
    lookup: HostLookup | None = None,
    version: str = VERSION,
    ssl_library: str = "",
    assume_machine: bool = False,
    target: Version | None = None,
) -> Result:
    """Read a configuration.

    Args:
        paths: files and directories in the order of the command line; `-` is standard input.
        env: the environment of `$VARIABLES`; None takes the process's own. It is not changed.
        features: what `feature()` in `.if` answers to.
        local_peer: this process's name among peers (`-L`).
        master_worker: `-W` was given.
        read: gives a file's content.
        lookup: tells whether a host name resolves; without it all do.
        version: the HAProxy version that `.if` conditions compare with.
        ssl_library: the TLS library's name and version, for `.if`.
        target: the HAProxy version whose verdict is asked for; None takes what hapy itself runs, which follows 2.6 and
            knows a few later words.
        assume_machine: judge the text for another machine: what this one lacks (files, users, variables) is noted as
            `environment`, lines are read on as if it were there, and a model is made all the same.

    Returns:
        The result; no exception comes of anything that a file may hold.
    """
    environment = dict(os.environ if env is None else env)
    reading = _Reading(features, version, ssl_library, local_peer, master_worker, lookup, assume_machine, target)
    with collector_paused():
        sources, found = loader.read_sources(paths, read)
        return reading.result(sources, environment, found)


def read_text(
    text: str,
    name: str = "-",
    *,
    env: Mapping[str, str] | None = None,
    features: frozenset[str] = frozenset(),
    local_peer: str | None = None,
    lookup: HostLookup | None = None,
    assume_machine: bool = False,
    target: Version | None = None,
) -> Result:
    """Read one configuration that is at hand as text; see `read_config`."""
    environment = dict(os.environ if env is None else env)
    reading = _Reading(features, local_peer=local_peer, lookup=lookup, assume_machine=assume_machine, target=target)
    with collector_paused():
        return reading.result([Source.from_text(name, text)], environment, Diagnostics())


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a configuration is read; see `read_config`."""

    features: frozenset[str] = frozenset()
    version: str = VERSION
    ssl_library: str = ""
    local_peer: str | None = None
    master_worker: bool = False
    lookup: HostLookup | None = None
    assume_machine: bool = False
    target: Version | None = None

    def result(self, sources: Sequence[Source], env: dict[str, str], found: Diagnostics) -> Result:
        """Read sources that are in memory; `found` has what was found when they were opened."""
        opening = list(found)
        if self.target is not None and self.target > TARGET:
            from hapy_config.later import variables

            env = {**variables(self.target), **env}
        known = dict(env)
        first = self._once(sources, known, known, Diagnostics(list(opening)))
        if not self.assume_machine:
            return first
        unset = unset_variables(first, env)
        if unset:
            # Once more with a stand-in for each, so that the lines that name them count.
            stand_ins = dict.fromkeys((name for names in unset.values() for name in names), STAND_IN)
            known = dict(env)
            second = self._once(sources, known, ChainMap(known, stand_ins), Diagnostics(list(opening)))
            return without_variables(first, second, unset)
        return first

    def _once(
        self, sources: Sequence[Source], conditions: dict[str, str], env: MutableMapping[str, str], found: Diagnostics
    ) -> Result:
        """Read once; `conditions` is the environment that `.if` asks for."""
        surroundings = Surroundings(
            conditions,
            self.features,
            self.version,
            self.ssl_library,
            peer_given=self.local_peer is not None,
            target=self.target,
        )
        document, found = loader.load_sources(sources, surroundings, env, found)
        readable = document
        if self.target is not None and self.target != TARGET:
            from hapy_config.targets import prepare

            readable, faults = prepare(document, self.target)
            found.extend(faults)
        built = build(
            readable,
            env=env,
            local_peer=self.local_peer,
            master_worker=self.master_worker,
            lookup=self.lookup,
            refused=any(one.refuses and not (self.assume_machine and one.environment) for one in found),
            assume_machine=self.assume_machine,
            target=self.target,
        )
        order = {source.name: index for index, source in enumerate(document.sources)}
        reading = [*found, *built.reading]
        reading.sort(key=lambda finding: (order.get(finding.span.file, -1), finding.span.line))
        findings = [*reading, *built.checking]
        if self.target is not None and (self.target != TARGET or built.other_versions):
            from hapy_config.targets import judge

            findings = judge(document, self.target, findings, built.other_versions)
        not_run = built.not_run
        if self.assume_machine and any(one.environment for one in findings):  # a line that was read twice says so twice
            findings = list(dict.fromkeys(findings))
            not_run = tuple(dict.fromkeys(not_run))
        return Result(built.config, document, Diagnostics(findings), not_run, built.has_listener, conditions)
