"""What happens to servers, told to logs and to the terminal, and done to their sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.observe.log import Logger
from hapy_config.model.proxy import Proxy

if TYPE_CHECKING:
    from hapy.observe.startup import Messages
    from hapy.proxy.backend import Backend
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.server import Server


def named(model: Proxy) -> str:
    """A section as messages about its listeners name it."""
    return f"{'frontend' if model.kind == 'frontend' else 'proxy'} {model.name}"


class Events:
    """The audience (`hapy.proxy.state.Audience`) of all backends of one runtime.

    Attributes:
        node: this machine's name. messages: where the process itself says it, None for nowhere.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.node = runtime.process.node
        self._loggers: dict[tuple[str, bool], Logger] = {}
        self._own: Logger | None = None
        self.messages: Messages | None = None

    def server(self, server: Server, level: str, text: str) -> None:
        """Write a line about a server to the log of its backend, and say it."""
        self.log(server.backend.model, level, text)
        if self.messages is not None:
            self.messages.warning(text)

    def exhausted(self, backend: Backend) -> None:
        """A backend has no server left."""
        kind = "proxy" if backend.model.kind == "listen" else "backend"
        self.log(backend.model, "emerg", f"{kind} {backend.model.name} has no server available!")
        if self.messages is not None:
            self.messages.alert(f"{kind} '{backend.model.name}' has no server available!")

    def no_source(self, backend: Backend, kind: str) -> None:
        """A connection could not leave from where it was to.

        Args:
            backend: whose server it was for.
            kind: `source`, `tproxy` or `ports`, see `hapy.net.connect.ConnectFailed`.
        """
        if kind == "ports":
            self.log(backend.model, "err", f"Connect() failed for backend {backend.model.name}: no free ports.")
            return
        end = "source" if kind == "source" else "tproxy source"
        text = f"Cannot bind to {end} address before connect() for backend {backend.model.name}."
        if self.messages is not None:
            self.messages.alert(f"{text} Aborting.")
        self.log(backend.model, "emerg", text)

    def shut_sessions(self, server: Server, code: str) -> None:
        """End the sessions of a server: `D` for it went down, `U` for better ones came up, `K` by an operator."""
        for frontend in tuple(self._runtime.frontends.values()):
            for connection in tuple(frontend.connections):
                connection.end_session(server, code)

    def section(self, model: Proxy, text: str) -> None:
        """Say something of a section, and write it to its log."""
        if self.messages is not None:
            self.messages.warning(text)
        self.log(model, "warning", text)

    def turned(self, model: Proxy, what: str) -> None:
        """A section's listeners have been `Paused` or `Resumed`."""
        self.section(model, f"{what} {named(model)}.")

    def process(self, text: str) -> None:
        """Say something of the process, and write it to the log of the global section."""
        if self.messages is not None:
            self.messages.warning(text)
        config = self._runtime.config
        if not config.global_.log:
            return
        if self._own is None:
            model = Proxy(name="", kind="backend", log=config.global_.log)
            self._own = Logger(model, self._runtime.env(model))
        self._own.log_event("warning", text)

    def log(self, model: Proxy, level: str, text: str) -> None:
        """Write a line to the log of a section."""
        key = (model.name, model.is_frontend)
        logger = self._loggers.get(key)
        if logger is None:
            frontend = self._runtime.frontends.get(model.name) if model.is_frontend else None
            logger = frontend.logger if frontend is not None else Logger(model, self._runtime.env(model))
            self._loggers[key] = logger
        logger.log_event(level, text)
