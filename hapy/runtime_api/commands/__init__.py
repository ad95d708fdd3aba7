"""The commands, one module a family. Importing this registers them all."""

from hapy.runtime_api.commands import (
    cookies,
    counters,
    info,
    names,
    resolvers,
    server,
    session,
    sessions,
    states,
    switches,
)

__all__ = ["cookies", "counters", "info", "names", "resolvers", "server", "session", "sessions", "states", "switches"]
