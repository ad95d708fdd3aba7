"""The environment of a running proxy: what the configuration has made of it (`setenv` and its kin), and HAProxy's own.

Rules (configuration manual, section 2.3; seen with HAProxy 2.6):
- While the files are read, variables change in a copy; the process takes that over before it starts.
- `HAPROXY_CFGFILES`, `HAPROXY_CLI` and `HAPROXY_MWORKER` are there for what runs, not yet for what is read.
- A program that replaces itself (a reload) begins with what it was started with.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hapy.version import HAPROXY_VERSION

if TYPE_CHECKING:
    from hapy_config import Result
    from hapy_config.model.addresses import Address
    from hapy_config.model.config import Config

_at_start: dict[str, str] | None = None


def for_reading(local_peer: str) -> dict[str, str]:
    """What the files are read with."""
    return {**os.environ, "HAPROXY_STARTUP_VERSION": HAPROXY_VERSION, "HAPROXY_LOCALPEER": local_peer}


def take_over(found: Mapping[str, str], config: Config, files: Iterable[str], *, master: bool) -> None:
    """Make this the environment of the process.

    Args:
        found: what reading the files has left of it.
        config: what they say.
        files: their names.
        master: a master starts workers.
    """
    global _at_start
    _at_start = dict(os.environ)
    wanted = {**found, "HAPROXY_CFGFILES": ";".join(files)}
    if master:
        wanted["HAPROXY_MWORKER"] = "1"
    if config.global_.stats_binds:
        wanted["HAPROXY_CLI"] = ";".join(_written(bind.address) for bind in config.global_.stats_binds)
    _become(wanted)


@contextmanager
def taken_over(result: Result) -> Iterator[None]:
    """The environment that a configuration makes, for as long as something looks into it."""
    global _at_start
    if result.config is None:
        yield
        return
    before = _at_start
    take_over(result.environment, result.config, [one.name for one in result.document.sources], master=False)
    try:
        yield
    finally:
        restore()
        _at_start = before


def restore() -> None:
    """Go back to the environment that the process was started with."""
    if _at_start is not None:
        _become(_at_start)


def _become(wanted: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name not in wanted]:
        del os.environ[name]
    os.environ.update({name: value for name, value in wanted.items() if os.environ.get(name) != value})
    time.tzset()


def _written(address: Address) -> str:
    """An address with its family in front."""
    if address.family == "any":
        return f"ipv4@0.0.0.0:{address.port}"
    host = f"[{address.host}]" if address.family == "ipv6" else address.host
    return f"{address.family}@{host}" + ("" if address.port is None else f":{address.port}")
