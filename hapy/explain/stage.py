"""A runtime to rehearse on: built as for serving, without certificates, sockets and an event loop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hapy.lenient import without_what_is_not_run
from hapy.proxy.runtime import Runtime
from hapy.proxy.runtime import build as build_runtime

if TYPE_CHECKING:
    from hapy.explain.asked import Asked
    from hapy.proxy.frontend import Frontend
    from hapy_config.model.config import Config
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.server import Bind

#: Descriptors that the pools of a rehearsal may count on; none is opened.
_DESCRIPTORS = 65536


class NoWayInError(ValueError):
    """Nothing listens for such a request."""


def build(config: Config) -> Runtime:
    """The runtime of a configuration, without what hapy does not run and without TLS material.

    Raises:
        CompileError: for something that can't be run.
    """
    runnable = without_what_is_not_run(config)
    return build_runtime(
        replace(runnable, proxies=tuple(map(_in_plain_text, runnable.proxies))), descriptors=_DESCRIPTORS
    )


def _in_plain_text(proxy: Proxy) -> Proxy:
    """A section without certificates and log targets; the names that connections are keyed by are looked at apart."""
    return replace(
        proxy,
        log=(),
        binds=tuple(replace(bind, tls=None) for bind in proxy.binds),
        servers=tuple(replace(server, tls=None) for server in proxy.servers),
    )


def way_in(config: Config, runtime: Runtime, asked: Asked, name: str | None) -> tuple[Frontend, Bind]:
    """The frontend that a request comes in by, and the bind line.

    Args:
        config: as read, with its TLS lines.
        runtime: where the frontend is looked for.
        asked: the request.
        name: the frontend's name where it was said.

    Raises:
        NoWayInError: there is none, or it is not clear which.
    """
    models = [model for model in config.proxies if model.is_frontend and not model.disabled and model.binds]
    if name is not None:
        models = [model for model in models if model.name == name]
        if not models:
            raise NoWayInError(f"there is no frontend '{name}' with a bind line")
    pairs = [(model, bind) for model in models for bind in model.binds]
    fitting = [(model, bind) for model, bind in pairs if asked.port is not None and asked.port in bind.address.ports]
    choice = fitting or pairs
    choice = [(model, bind) for model, bind in choice if (bind.tls is not None) == asked.tls] or choice
    frontends = list(dict.fromkeys(model.name for model, _ in choice))
    if not frontends:
        raise NoWayInError("no frontend has a bind line")
    if len(frontends) > 1 and not fitting:
        raise NoWayInError(f"several frontends may take it ({', '.join(frontends)}); say which with --frontend")
    model, bind = choice[0]
    return runtime.frontends[model.name], bind
