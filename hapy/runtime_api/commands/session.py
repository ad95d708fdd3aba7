"""What concerns the session itself: `help`, `prompt`, `quit`, levels, its timeout."""

from __future__ import annotations

from hapy.runtime_api.registry import Call, Level, Refusal, Severity, command, listing
from hapy_config.build.arguments import TimeError, milliseconds


@command("help", usage="[<command>]", tells="this list, or the commands that match")
def help_(call: Call) -> str:
    """The list."""
    call.severity = Severity.INFO
    return listing(call.arguments)


@command("prompt", tells="go on after an answer, with a prompt, or no longer")
def prompt(call: Call) -> str:
    """Nothing but the prompt."""
    call.session.interactive = not call.session.interactive
    return ""


@command("quit", tells="end the session")
def quit_(call: Call) -> str:
    """Nothing."""
    call.session.leaving = True
    return ""


@command("operator", tells="go down to the level of an operator")
def operator(call: Call) -> str:
    """Nothing."""
    call.need(Level.OPERATOR)
    call.session.level = Level.OPERATOR
    return ""


@command("user", tells="go down to the level of a user")
def user(call: Call) -> str:
    """Nothing."""
    call.session.level = Level.USER
    return ""


@command("expert-mode", usage="[on|off]", tells="commands for experts", level=Level.ADMIN)
def expert_mode(call: Call) -> str:
    """Nothing, or whether it is on."""
    return _mode(call, "expert")


@command("experimental-mode", usage="[on|off]", tells="commands on trial", level=Level.ADMIN)
def experimental_mode(call: Call) -> str:
    """Nothing, or whether it is on."""
    return _mode(call, "experimental")


def _mode(call: Call, mode: str) -> str:
    """Switch a mode of the session on by `on`, off by any other word; without one tell it."""
    modes = call.session.modes
    if not call.argument(0):
        return f"{mode}-mode is {'ON' if mode in modes else 'OFF'}\n"
    if call.argument(0) == "on":
        modes.add(mode)
    else:
        modes.discard(mode)
    return ""


@command("show cli level", tells="the level of the session")
def show_level(call: Call) -> str:
    """One word."""
    call.severity = Severity.INFO
    return f"{call.session.level.name.lower()}\n"


@command("show cli sockets", tells="the sockets that take commands")
def show_sockets(call: Call) -> str:
    """One line for each."""
    lines = [f"{title} {level} all\n" for title, level in call.control.sockets()]
    return "# socket lvl processes\n" + "".join(lines)


@command("set timeout", usage="[cli] <delay>", tells="how long a silent session stays")
def set_timeout(call: Call) -> str:
    """Nothing."""
    if call.argument(0) != "cli":
        raise Refusal("'set timeout' only supports 'cli'.\n")
    if not call.argument(1):
        raise Refusal("Expects an integer value.\n")
    try:
        value, behind = milliseconds(call.argument(1), unit="s")
    except TimeError:
        behind, value = "?", 0
    if behind or not value:
        raise Refusal("Invalid timeout value.\n")
    call.session.wait_anew(value / 1000)
    return ""


@command("set severity-output", usage="[none|number|string]", tells="whether answers say how grave they are")
def set_severity(call: Call) -> str:
    """Nothing."""
    if call.argument(0) not in ("none", "number", "string"):
        raise Refusal("one of 'none', 'number', 'string' is a required argument\n")
    call.session.severity = call.argument(0)
    return ""
