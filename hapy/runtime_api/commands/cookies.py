"""Dynamic cookies: switching them on and off, and their key."""

from __future__ import annotations

from hapy.runtime_api.commands.names import backend_named
from hapy.runtime_api.registry import Call, Level, Refusal, command


def _switch(call: Call, *, on: bool) -> str:
    name = call.argument(0)
    backend = backend_named(call, name, "No such backend.\n" if name else "A backend name is expected.\n")
    if backend.cookie_values is not None:
        backend.cookie_values.dynamic = on
        backend.cookie_values.refresh()
    return ""


@command("enable dynamic-cookie backend", usage="<bk>", tells="make cookies where there are none", level=Level.ADMIN)
def enable(call: Call) -> str:
    """Nothing."""
    return _switch(call, on=True)


@command("disable dynamic-cookie backend", usage="<bk>", tells="make no more cookies", level=Level.ADMIN)
def disable(call: Call) -> str:
    """Nothing."""
    return _switch(call, on=False)


@command("set dynamic-cookie-key backend", usage="<bk> <k>", tells="the secret of made cookies", level=Level.ADMIN)
def set_key(call: Call) -> str:
    """Nothing."""
    backend = backend_named(call, call.argument(0), "No such backend.\n")
    if not call.argument(1):
        raise Refusal("String value expected.\n")
    if backend.cookie_values is not None:
        backend.cookie_values.key = call.argument(1)
        backend.cookie_values.refresh()
    return ""
