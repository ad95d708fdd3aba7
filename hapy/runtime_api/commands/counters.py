"""`clear counters`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.observe.counters import Rate, Times
from hapy.runtime_api.registry import Call, Level, command

if TYPE_CHECKING:
    from hapy.observe.counters import BackendCounters, FrontendCounters, ServerCounters

_NOW = ("scur", "qcur")
_HIGHEST = {"smax": "scur", "qmax": "qcur"}


@command("clear counters", usage="[all]", tells="count the highest values anew, or all", level=Level.OPERATOR)
def clear_counters(call: Call) -> str:
    """Nothing."""
    everything = call.argument(0) == "all"
    if everything:
        call.need(Level.ADMIN)
    runtime = call.control.job.runtime
    for frontend in runtime.frontends.values():
        _clear(frontend.counters, everything=everything)
        for counters in (frontend.sockets or {}).values():
            _clear(counters, everything=everything)
    for backend in runtime.backends.values():
        _clear(backend.counters, everything=everything)
        for server in backend.servers:
            _clear(server.counters, everything=everything)
    if everything:
        for section in runtime.resolvers.values():
            for nameserver in section.nameservers:
                nameserver.counters.clear()
    return ""


def _clear(counters: FrontendCounters | BackendCounters | ServerCounters, *, everything: bool) -> None:
    fresh = type(counters)()
    for name in dir(counters):
        value = getattr(counters, name)
        if name in _HIGHEST:
            setattr(counters, name, getattr(counters, _HIGHEST[name]))
        elif isinstance(value, Rate):
            value.highest = 0
        elif isinstance(value, Times):
            value.forget(everything=everything)
        elif everything and name not in _NOW and isinstance(value, int | float):
            setattr(counters, name, getattr(fresh, name))
