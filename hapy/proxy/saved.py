"""The states of servers that an earlier process has left in a file (`load-server-state-from-file`; manual, 9.3).

Rules (HAProxy 2.6, looked at):
- The file is what `show servers state` prints, format version 1; one broken line makes all of it unusable.
- A line counts for the server of its backend's and its own name, whatever the ids say.
- Its address counts through `init-addr last` only, for servers that have a host name or a service; its port always.
- Its weight counts unless the configured weight has changed meanwhile.
- Maintenance and drain that an operator asked for stay; so does the lifting of what the file configures (`disabled`),
  if it did so then, too.
- A server that was up goes on with all its health, one that was down with none; one that was starting or stopping
  with what it had, below its `rise` or from it on.
- Places that checks and agents were given by commands stay, and whether they were switched off. TLS is the
  configuration's: HAProxy goes on without it where the file says so, though the configuration may have got it since.
- A server that was down starts down if something will find out when it works again: its checks, its agent, a tracked
  server. HAProxy leaves others down, too, for good; hapy starts them up.
- A server of a service keeps its record (host and port) until the first answer.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy.checks.target import change_place
from hapy.net.clock import now
from hapy.proxy.state import Admin, State, remains_in_drain, title

if TYPE_CHECKING:
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.server import Server
    from hapy_config.model.config import Config
    from hapy_config.model.proxy import Proxy

_VERSION: Final = "1"
#: Fields that a line must have; HAProxy 2.6 writes 25, and what is behind them does not count.
_LEAST: Final = 20
#: The last result of a check that there is, by number.
_MOST_STATUS: Final = 20
#: Bits of a check's state.
_SET_UP, _ENABLED = 2, 4

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Saved:
    """One server's line.

    Attributes:
        host: its address, empty without one. port: its port.
        state, admin: as `hapy.proxy.state` has them, by number. weight, configured: the weight then, and by its file.
        health: what its check had counted. since: seconds since the state last changed.
        fqdn, service: its host name and its service, or None.
        places: where its check and its agent went: addresses and ports, `-` and `0` for nothing of their own.
        off: whether its check, and its agent, were switched off.
        fault: why the line can't be applied, else empty.
    """

    host: str
    port: int
    state: int
    admin: int
    weight: int
    configured: int
    since: int
    health: int
    fqdn: str | None
    service: str | None
    places: tuple[tuple[str, str], tuple[str, str]]
    off: tuple[bool, bool]
    fault: str = ""


States = Mapping[tuple[str, str], Saved]


class BadFile(ValueError):  # noqa: N818 - it is the file that is bad
    """A file of states that is none; the line's number behind the version's, 0 for that."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def parse(text: str) -> dict[tuple[str, str], Saved]:
    """The lines of a file by (backend, server).

    Raises:
        BadFile: it is none.
    """
    lines = text.split("\n")
    if not lines or lines[0].strip() != _VERSION:
        raise BadFile(0)
    found: dict[tuple[str, str], Saved] = {}
    for number, line in enumerate(lines[1:], 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < _LEAST:
            raise BadFile(number)
        found[words[1], words[3]] = _read(words)
    return found


def _read(words: list[str]) -> Saved:
    faults: list[str] = []

    def number(index: int, name: str, most: int) -> int:
        text = words[index]
        if not (text.isascii() and text.isdecimal() and int(text) <= most):
            faults.append(f"invalid {name} value '{text}'")
            return 0
        return int(text)

    def name(index: int) -> str | None:
        return words[index] if len(words) > index and words[index] != "-" else None

    host = words[4]
    try:
        ipaddress.ip_address(host)
    except ValueError:
        host = ""
    state = number(5, "srv_op_state", 3)
    admin = number(6, "srv_admin_state", 0x7F)
    weight = number(7, "srv_uweight", 256)
    configured = number(8, "srv_iweight", 256)
    since = number(9, "srv_time_since_last_change", 1 << 40)
    if admin & Admin.FMAINT and admin & Admin.FDRAIN:
        faults.append(f"invalid srv_admin_state value '{words[6]}'")
    number(10, "srv_check_status", _MOST_STATUS)
    number(11, "srv_check_result", 4)
    health = number(12, "srv_check_health", 1 << 31)
    checking = number(13, "srv_check_state", 31), number(14, "srv_agent_state", 31)
    port = number(18, "srv_port", 65535)
    own = [*words[21:25], *("0", "-", "-", "0")[max(0, len(words) - 21) :]]
    places = (own[1], own[0]), (own[2], own[3])
    check, agent = (bits & (_SET_UP | _ENABLED) == _SET_UP for bits in checking)
    fault = faults[0] if faults else ""
    return Saved(
        host, port, state, admin, weight, configured, since, health, name(17), name(19), places, (check, agent), fault
    )


def load(config: Config, say: Say) -> States:
    """What the files have that the configuration names; says which of them can't be used, and why."""
    settings = {words[0]: words[1] for words in config.global_.settings if len(words) > 1}
    base = settings.get("server-state-base", "")
    found: dict[tuple[str, str], Saved] = {}
    shared: States = {}
    if "server-state-file" in settings:  # HAProxy reads it though no proxy takes anything from it
        shared = _load(_under(base, settings["server-state-file"]), say, "config: ", "global server state file")
    for proxy in config.proxies:
        if proxy.load_server_state == "global":
            found.update({key: saved for key, saved in shared.items() if key[0] == proxy.name})
        elif proxy.load_server_state == "local":
            path = _under(base, _file_name(proxy))
            local = _load(path, say, f"Proxy '{proxy.name}': ", "server state file")
            found.update({key: saved for key, saved in local.items() if key[0] == proxy.name})
    return found


def _file_name(proxy: Proxy) -> str:
    names = [words[1] for words in proxy.settings if words[0] == "server-state-file-name" and len(words) > 1]
    return proxy.name if not names or names[-1] == "use-backend-name" else names[-1]


def _under(base: str, name: str) -> str:
    return name if name.startswith("/") or not base else f"{base.rstrip('/')}/{name}"


def _load(path: str, say: Say, whose: str, what: str) -> States:
    try:
        return parse(Path(path).read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        say(f"{whose}Can't open {what} '{path}': {error.strerror}{'' if what.startswith('global') else '.'}")
    except BadFile as error:
        if error.line:
            say(f"{whose}corrupted {what} '{path}' at line {error.line}.")
        else:
            say(f"{whose}Can't get version of the {what} '{path}'.")
    return {}


def apply(states: States, runtime: Runtime, say: Say) -> None:
    """Have the servers of a runtime that does not serve yet go on where they were."""
    for (backend_name, server_name), saved in states.items():
        backend = runtime.backends.get(backend_name)
        server = backend.by_name.get(server_name) if backend is not None else None
        if backend is None or server is None:
            continue
        if saved.fault:
            say(f"server-state application failed for server '{backend_name}/{server_name}', {saved.fault}")
            continue
        audience, backend.audience = backend.audience, None  # nobody is told of changes before the start
        try:
            _apply(saved, server, say)
        finally:
            backend.audience = audience


def _apply(saved: Saved, server: Server, say: Say) -> None:
    if saved.configured == server.model.weight:
        server.set_weight(saved.weight)
    server.bare_health = _health(saved, server)
    _apply_name(saved, server)
    _apply_admin(saved, server, say)
    watched = server.check is not None or server.agent is not None
    if saved.state == State.STOPPED and watched and not server.maintenance and server.up:
        server.set_state(State.STOPPED)
        if server.check is not None:
            server.check.health = 0
        active, backups = server.backend.available()
        say(
            f"{title(server)} is DOWN, changed from server-state after a reload. {active} active and {backups} backup"
            " servers left. 0 sessions active, 0 requeued, 0 remaining in queue."
        )
    elif saved.state == State.STOPPING and watched and not server.maintenance:
        server.set_state(State.STOPPING)
        active, backups = server.backend.available()
        say(
            f"{title(server)} is stopping, changed from server-state after a reload. {active} active and {backups}"
            " backup servers online. 0 sessions requeued, 0 total in queue."
        )
    elif saved.state == State.RUNNING and server.check is not None and not server.model.disabled:
        server.check.health = server.check.most
    server.last_change = now() - saved.since
    for check, off in zip((server.check, server.agent), saved.off, strict=True):
        if check is not None and off:
            check.paused = True
    for agent, (address, port) in enumerate(saved.places):
        if (address, port) != ("-", "0"):
            check = server.agent if agent else server.check
            own = None if address == "-" else address
            fault = change_place(check, own, None if port == "0" else port, agent=bool(agent))
            if fault:
                label = f"{server.backend.model.name}/{server.model.name}"
                say(f"server-state partially applied for server '{label}', {fault}")
                break


def _health(saved: Saved, server: Server) -> int:
    """What a server without a check is said to have of health."""
    rise, most = server.model.rise, server.model.rise + server.model.fall - 1
    if saved.state == State.RUNNING:
        return most
    if saved.state == State.STARTING:
        return saved.health if 0 < saved.health < rise else rise - 1
    return saved.health if rise <= saved.health <= most else rise  # one that was down is up now, see the rules


def _apply_name(saved: Saved, server: Server) -> None:
    """The host name, address and port."""
    address = server.address
    user = server.resolving
    if user is not None and server.model.service is not None:
        if saved.service == server.model.service and saved.fqdn and saved.port and saved.host:
            user.remember(saved.fqdn, saved.port, saved.host if "last" in server.model.init_addr else None)
        return
    if user is not None and saved.fqdn is not None and saved.admin & Admin.HMAINT:
        user.live_by(saved.fqdn)
    if address.family in ("ipv4", "ipv6", "name") and not address.port_offset:
        server.set_address(dataclasses.replace(address, port=saved.port, port_end=saved.port))


def _apply_admin(saved: Saved, server: Server, say: Say) -> None:
    """What an operator wanted."""
    forced = bool(saved.admin & Admin.FMAINT)
    if server.model.disabled and not saved.admin & Admin.CMAINT:
        return  # it is the file that has come to say so
    if saved.admin & Admin.CMAINT and not server.model.disabled:
        forced = False  # it came from a file that has changed
    was = server.maintenance
    if forced != bool(server.admin & Admin.FMAINT):
        server.set_admin(Admin.FMAINT, forced)
    if was and not server.maintenance:
        say(f"{title(server)} is UP/READY (leaving forced maintenance).")
    elif server.maintenance and not was and saved.state == State.STOPPED:
        active, backups = server.backend.available()
        say(
            f"{title(server)} is DOWN, changed from server-state after a reload. {active} active and {backups} backup"
            " servers left. 0 sessions active, 0 requeued, 0 remaining in queue."
        )
    if saved.admin & Admin.FDRAIN:
        server.set_admin(Admin.FDRAIN, True)
        say(remains_in_drain(server))
