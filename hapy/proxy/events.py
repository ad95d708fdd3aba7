"""What happens to servers, told to logs and to the terminal, and done to their sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.observe.log import Logger

if TYPE_CHECKING:
    from hapy.observe.startup import Messages
    from hapy.proxy.backend import Backend
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.server import Server


class Events:
    """The audience (`hapy.proxy.state.Audience`) of all backends of one runtime.

    Attributes:
        node: this machine's name. messages: where the process itself says it, None for nowhere.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.node = runtime.process.node
        self._loggers: dict[str, Logger] = {}
        self.messages: Messages | None = None

    def server(self, server: Server, level: str, text: str) -> None:
        """Write a line about a server to the log of its backend, and say it."""
        self._log(server.backend, level, text)
        if self.messages is not None:
            self.messages.warning(text)

    def exhausted(self, backend: Backend) -> None:
        """A backend has no server left."""
        kind = "proxy" if backend.model.kind == "listen" else "backend"
        self._log(backend, "emerg", f"{kind} {backend.model.name} has no server available!")
        if self.messages is not None:
            self.messages.alert(f"{kind} '{backend.model.name}' has no server available!")

    def shut_sessions(self, server: Server, code: str) -> None:
        """End the sessions of a server: `D` for it went down, `U` for better ones came up, `K` by an operator."""
        for frontend in tuple(self._runtime.frontends.values()):
            for connection in tuple(frontend.connections):
                connection.end_session(server, code)

    def _log(self, backend: Backend, level: str, text: str) -> None:
        logger = self._loggers.get(backend.model.name)
        if logger is None:
            model = backend.model
            frontend = self._runtime.frontends.get(model.name) if model.kind == "listen" else None
            logger = frontend.logger if frontend is not None else Logger(model, self._runtime.env(model))
            self._loggers[model.name] = logger
        logger.log_event(level, text)
