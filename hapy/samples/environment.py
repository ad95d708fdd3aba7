"""What compiling needs to know around a proxy, and what compiled code may ask of the running proxy.

The running counterparts of frontends, backends and servers are only ever asked for values; for type checking alone this
package knows where they live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hapy_config.source import NOWHERE, Span

if TYPE_CHECKING:
    from hapy.observe.process import Process
    from hapy.proxy.backend import Backend
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.transaction import Transaction
    from hapy_config.model.config import Config
    from hapy_config.model.proxy import Proxy


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
        frontends, backends: the running ones by name. They may still be empty while compiling: what refers to them
            looks them up when it runs (the model has already made sure that they exist).
        response: what is compiled looks at answers (`hdr` then means the answer's).
        read_file: gives the content of a file of patterns; raises OSError.
        cache: ACLs compiled so far, so that one used in many places is compiled once.
        shared: what all that is compiled with this environment has in common, by name.
    """

    config: Config
    proxy: Proxy
    process: Process
    frontends: Mapping[str, Frontend]
    backends: Mapping[str, Backend]
    response: bool = False
    read_file: Callable[[str], bytes] = read_file
    cache: dict[object, Callable[[Transaction], bool]] = field(default_factory=dict, compare=False)
    shared: dict[str, object] = field(default_factory=dict, compare=False)

    def for_response(self) -> CompileEnv:
        """The same, looking at answers."""
        return self if self.response else replace(self, response=True)
