"""Where the health checks of servers without a port go: the steps of the check must say it, from the first one on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy_config.grammar.units import leading_integer
from hapy_config.keywords.spec import Version
from hapy_config.model.checks import CheckComment, CheckConnect, CheckRequest, CheckSetVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft
    from hapy_config.model.checks import CheckStep
    from hapy_config.model.server import Server

_FAMILIES: Final = {"tcp-check": "tcp-check", "httpchk": "http-check"}
#: HAProxy 2.2 refuses servers without a port even where every connect step names one.
_STEPS_DO_NOT_HELP: Final[Version] = (2, 2)

_NO_STEPS: Final = "neither service port nor check port."
_NO_FIRST: Final = "neither service port nor check port nor tcp_check rule 'connect' with port information."
_NOT_ALL: Final = "neither service port nor check port, and a tcp_check rule 'connect' with no port information."


def check_port(build: Build, draft: Draft, server: Server) -> None:
    """Refuse a checked server if nothing says to which port its checks go."""
    address = server.address
    if (
        server.service is not None
        or address.family in ("unix", "abns", "any", "name")  # HAProxy does not ask it of names
        or (address.port and not address.port_offset)
    ):
        return
    if leading_integer(server.options.get("port", ("0",))[0]) & 0xFFFF:
        return
    if address.family == "ipv4" and address.host == "0.0.0.0":
        return
    if (server.span.file, server.span.line) in build.unasked_ports:
        return
    fault = _fault(draft, steps_help=build.version != _STEPS_DO_NOT_HELP)
    if fault:
        build.error(
            "missing-check-port",
            server.span,
            f"config: {draft.title} '{draft.name}': server '{server.name}' has {fault}",
            "give the server a port, or add 'port <number>'",
        )


def _fault(draft: Draft, *, steps_help: bool) -> str:
    """What is missing in the steps of a section's check, empty if each connection has its port."""
    steps = tuple(_steps(draft))
    if not steps:
        return _NO_STEPS if draft.check == "tcp-check" else _NO_FIRST
    first = next((step for step in steps if not isinstance(step, CheckComment | CheckSetVar)), None)
    if not _names_port(first):
        return _NO_FIRST
    if not steps_help or not all(_names_port(step) for step in steps if isinstance(step, CheckConnect)):
        return _NOT_ALL
    return ""


def _steps(draft: Draft) -> Iterator[CheckStep]:
    """The steps as written.

    The request of `option httpchk` comes before them where no `send` takes its place, so no `connect` is first then.
    One that is inherited is not made where the section has steps of its own.
    """
    family = _FAMILIES.get(draft.check)
    steps = [step for name, step in draft.check_steps if name == family]
    asks = any(name == draft.check for name, _ in draft.check_steps)
    if family == "http-check" and asks and not any(isinstance(step, CheckRequest) for step in steps):
        return
    yield from steps


def _names_port(step: CheckStep | None) -> bool:
    """Whether it connects to a port that is a number; an expression does not count."""
    if not isinstance(step, CheckConnect):
        return False
    return isinstance(step.port, int) or bool(step.address is not None and step.address.port)
