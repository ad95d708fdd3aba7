"""What compiling needs to know around a proxy, and what compiled code may ask of the running proxy.

The running counterparts of frontends, backends and servers are known here only through small protocols, so that samples
and logs depend on no other package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hapy_config.source import NOWHERE, Span

if TYPE_CHECKING:
    from hapy.observe.counters import BackendCounters, FrontendCounters, ServerCounters
    from hapy.observe.process import Process
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.config import Config
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.server import Server


class ServerView(Protocol):
    """What samples and logs ask of a running server.

    Attributes:
        model: its configuration. label: its name in bytes.
        current: requests (TCP: connections) it serves now. queued: requests waiting for it.
        weight: the effective weight now. usable: it takes new traffic.
    """

    @property
    def model(self) -> Server: ...
    @property
    def label(self) -> bytes: ...
    @property
    def counters(self) -> ServerCounters: ...
    @property
    def current(self) -> int: ...
    @property
    def queued(self) -> int: ...
    @property
    def weight(self) -> int: ...
    @property
    def usable(self) -> bool: ...
    @property
    def up(self) -> bool: ...
    @property
    def maintenance(self) -> bool: ...


class BackendView(Protocol):
    """What samples and logs ask of a running backend.

    Attributes:
        current: requests in it, waiting ones too. queued: those waiting for any of its servers.
    """

    @property
    def model(self) -> Proxy: ...
    @property
    def label(self) -> bytes: ...
    @property
    def counters(self) -> BackendCounters: ...
    @property
    def servers(self) -> Sequence[ServerView]: ...
    @property
    def current(self) -> int: ...
    @property
    def queued(self) -> int: ...


class FrontendView(Protocol):
    """What samples and logs ask of a running frontend.

    Attributes:
        unique_id: `unique-id-format`, compiled with `compile_format`, or None.
    """

    @property
    def model(self) -> Proxy: ...
    @property
    def label(self) -> bytes: ...
    @property
    def counters(self) -> FrontendCounters: ...
    @property
    def unique_id(self) -> Callable[[Transaction], bytes] | None: ...


class CompileError(ValueError):
    """Something in the configuration that can't be run; the span says where, as far as it is known."""

    def __init__(self, message: str, span: Span = NOWHERE) -> None:
        super().__init__(message)
        self.message = message
        self.span = span


def read_file(name: str) -> bytes:
    """The content of a file named as in the configuration."""
    return Path(name).read_bytes()


@dataclass(frozen=True, slots=True)
class CompileEnv:
    """What surrounds the thing being compiled.

    Attributes:
        config: the whole configuration.
        proxy: the section that is being compiled.
        process: the facts and counters of the process.
        frontends, backends: the running ones by name. They may still be empty while compiling: what refers to them looks
            them up when it runs (the model has already made sure that they exist).
        response: what is compiled looks at answers (`hdr` then means the answer's).
        read_file: gives the content of a file of patterns; raises OSError.
        cache: ACLs compiled so far, so that one used in many places is compiled once.
    """

    config: Config
    proxy: Proxy
    process: Process
    frontends: Mapping[str, FrontendView]
    backends: Mapping[str, BackendView]
    response: bool = False
    read_file: Callable[[str], bytes] = read_file
    cache: dict[object, Callable[[Transaction], bool]] = field(default_factory=dict, compare=False)

    def for_response(self) -> CompileEnv:
        """The same, looking at answers."""
        return self if self.response else replace(self, response=True)
