"""The library's front door: files or text in, a `Result` out."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from hapy_config import loader
from hapy_config.build.builder import build
from hapy_config.diagnostics import Diagnostic, Diagnostics
from hapy_config.model.config import Config
from hapy_config.preprocess import VERSION, Surroundings
from hapy_config.source import Source
from hapy_config.syntax import Document

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
    """

    config: Config | None
    document: Document
    diagnostics: Diagnostics
    not_run: tuple[Diagnostic, ...] = ()
    has_listener: bool = True


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

    Returns:
        The result; no exception comes of anything that a file may hold.
    """
    environment = dict(os.environ if env is None else env)
    with _collector_paused():
        document, found = loader.load(
            paths, env=environment, features=features, read=read, version=version, ssl_library=ssl_library
        )
        return _result(document, found, environment, local_peer, master_worker, lookup)


def read_text(
    text: str,
    name: str = "-",
    *,
    env: Mapping[str, str] | None = None,
    features: frozenset[str] = frozenset(),
    local_peer: str | None = None,
    lookup: HostLookup | None = None,
) -> Result:
    """Read one configuration that is at hand as text; see `read_config`."""
    environment = dict(os.environ if env is None else env)
    source = Source.from_text(name, text)
    with _collector_paused():
        surroundings = Surroundings(environment, features)
        document, found = loader.load_sources([source], surroundings, environment, Diagnostics())
        return _result(document, found, environment, local_peer, False, lookup)


def _result(
    document: Document,
    found: Diagnostics,
    env: Mapping[str, str],
    local_peer: str | None,
    master_worker: bool,
    lookup: HostLookup | None,
) -> Result:
    built = build(
        document,
        env=env,
        local_peer=local_peer,
        master_worker=master_worker,
        lookup=lookup,
        refused=found.has_errors,
    )
    order = {source.name: index for index, source in enumerate(document.sources)}
    reading = [*found, *built.reading]
    reading.sort(key=lambda finding: (order.get(finding.span.file, -1), finding.span.line))
    return Result(built.config, document, Diagnostics([*reading, *built.checking]), built.not_run, built.has_listener)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking a growing model again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
