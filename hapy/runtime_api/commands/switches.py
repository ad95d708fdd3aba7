"""Frontends and limits: `enable`, `disable` and `shutdown frontend`, `set maxconn`, `shutdown sessions server`."""

from __future__ import annotations

from hapy.proxy.limits import change_maxconn
from hapy.runtime_api.commands.names import frontend_named, leading_number, server_named
from hapy.runtime_api.registry import Call, Level, Refusal, Severity, command


@command("disable frontend", usage="<frontend>", tells="a frontend takes no connections for now", level=Level.ADMIN)
def disable_frontend(call: Call) -> str:
    """Nothing."""
    model = frontend_named(call, call.argument(0)).model
    control = call.control
    if control.is_closed(model):
        raise Refusal("Frontend was previously shut down, cannot disable.\n")
    if control.is_paused(model):
        raise Refusal("All sockets are already disabled.\n", Severity.NOTICE)
    control.pause(model)
    return ""


@command("enable frontend", usage="<frontend>", tells="a frontend takes connections again", level=Level.ADMIN)
def enable_frontend(call: Call) -> str:
    """Nothing."""
    model = frontend_named(call, call.argument(0)).model
    control = call.control
    if control.is_closed(model):
        raise Refusal("Frontend was previously shut down, cannot enable.\n")
    if not control.is_paused(model):
        raise Refusal("All sockets are already enabled.\n", Severity.NOTICE)
    control.resume(model)
    return ""


@command("shutdown frontend", usage="<frontend>", tells="a frontend gives its addresses up for good", level=Level.ADMIN)
def shutdown_frontend(call: Call) -> str:
    """Nothing."""
    model = frontend_named(call, call.argument(0)).model
    if call.control.is_closed(model):
        raise Refusal("Frontend was already shut down.\n")
    call.control.shut(model)
    return ""


@command("shutdown sessions server", usage="<bk>/<srv>", tells="end all sessions of a server", level=Level.ADMIN)
def shutdown_sessions(call: Call) -> str:
    """Nothing."""
    server = server_named(call, call.argument(0))
    audience = server.backend.audience
    if audience is not None:
        audience.shut_sessions(server, "K")
    return ""


@command("set maxconn server", usage="<bk>/<srv> <value>", tells="how many requests a server takes", level=Level.ADMIN)
def set_maxconn_server(call: Call) -> str:
    """Nothing."""
    server = server_named(call, call.argument(0))
    fault = change_maxconn(server, call.argument(1))
    if fault:
        raise Refusal(fault)
    return ""


@command(
    "set maxconn frontend", usage="<frontend> <value>", tells="a frontend's most clients at once", level=Level.ADMIN
)
def set_maxconn_frontend(call: Call) -> str:
    """Nothing."""
    frontend = frontend_named(call, call.argument(0))
    if not call.argument(1):
        raise Refusal("Integer value expected.\n")
    number = leading_number(call.argument(1))
    if number < 0:
        raise Refusal("Value out of range.\n")
    call.control.limit(frontend, number)
    return ""


@command("set maxconn global", usage="<value>", tells="how many clients the process takes", level=Level.ADMIN)
def set_maxconn_global(call: Call) -> str:
    """Nothing."""
    if not call.argument(0):
        raise Refusal("Expects an integer value.\n")
    number = leading_number(call.argument(0))
    if number > call.control.job.maxconn:
        raise Refusal("Value out of range.\n")
    gate = call.control.everything
    gate.limit = max(number, 0) or call.control.job.maxconn
    gate.admit()
    return ""
