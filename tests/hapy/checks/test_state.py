"""The states of a server: what checks find, what operators want, and what follows for requests."""

from __future__ import annotations

import pytest

from hapy.checks.check import Check
from hapy.checks.observe import Observer
from hapy.checks.result import Ended, Result, Status
from hapy.checks.tracking import link_trackers
from hapy.proxy import slowstart
from hapy.proxy.backend import Backend
from hapy.proxy.server import Server
from hapy.proxy.state import Admin, State
from hapy.proxy.weights import shown_throttle, shown_weight
from hapy_config import read_text

CONFIG = """
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
listen b
    bind 127.0.0.1:1
    server one 127.0.0.1:2 check {one}
    server two 127.0.0.1:3
    server spare 127.0.0.1:4 backup
backend t
    server follower 127.0.0.1:5 track b/one
"""


class Listening:
    """An audience that writes down."""

    node = "here"

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shut: list[tuple[str, str]] = []

    def server(self, _server: Server, level: str, text: str) -> None:
        self.lines.append(f"{level}: {text}")

    def exhausted(self, backend: Backend) -> None:
        self.lines.append(f"{backend.model.name} is empty")

    def shut_sessions(self, server: Server, code: str) -> None:
        self.shut.append((server.model.name, code))


def _world(one: str = "") -> tuple[dict[str, Backend], Listening]:
    result = read_text(CONFIG.replace("{one}", one))
    assert result.config is not None
    audience = Listening()
    backends = {model.name: Backend(model) for model in result.config.proxies}
    for backend in backends.values():
        backend.audience = audience
    link_trackers(backends.values())
    return backends, audience


def _check(server: Server, *, rise: int = 2, fall: int = 3) -> Check:
    class Nothing:
        async def run(self, _check: Check) -> None:
            """Never called."""

    server.check = Check(server, Nothing(), inter=2.0, rise=rise, fall=fall)
    return server.check


OK = Result(Status.L4OK)
BAD = Result(Status.L4CON, 0, "Connection refused")


def test_health_goes_by_rise_and_fall() -> None:
    backends, _ = _world()
    server = backends["b"].by_name["one"]
    check = _check(server)
    assert check.describe() == "1/3 UP"
    check.conclude(OK, 0.0)
    assert check.describe() == "3/3 UP"
    for shown in ("2/3 UP", "1/3 UP"):
        check.conclude(BAD, 0.0)
        assert (check.describe(), server.up) == (shown, True)
    assert check.interval == 2.0
    check.conclude(BAD, 0.0)
    assert (check.describe(), server.up, server.usable) == ("0/2 DOWN", False, False)
    check.conclude(OK, 0.0)
    assert (check.describe(), server.up) == ("1/2 DOWN", False)
    check.conclude(OK, 0.0)
    assert (check.describe(), server.up) == ("3/3 UP", True)
    assert server.counters.chkfail == 3
    assert server.counters.chkdown == 1


def test_the_interval_follows_from_what_the_check_has_just_found(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(Check, "begin_after", lambda _self, seconds: waits.append(seconds))
    monkeypatch.setattr("hapy.checks.check.watch", lambda _check: None)
    backends, _ = _world()
    results = iter([OK, BAD, BAD, BAD, OK, OK])

    class Next:
        async def run(self, _check: Check) -> None:
            raise Ended(next(results).status)

    server = backends["b"].servers[0]
    server.check = check = Check(server, Next(), inter=2.0, rise=2, fall=3)
    check.fastinter, check.downinter = 0.5, 5.0
    for _ in range(6):
        check.begin_now()
    assert waits == [2.0, 0.5, 0.5, 5.0, 0.5, 2.0]


def test_the_first_failure_brings_a_fresh_server_down() -> None:
    backends, audience = _world()
    server = backends["b"].by_name["one"]
    _check(server).conclude(BAD, 0.0)
    assert not server.up
    assert audience.lines[0].startswith(
        'alert: Server b/one is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms.'
        " 1 active and 1 backup servers left."
    )
    assert audience.lines[1].startswith("alert: Server t/follower is DOWN via b/one.")
    assert audience.lines[2] == "t is empty"


def test_backups_take_over_and_step_back() -> None:
    backends, audience = _world()
    backend = backends["b"]
    check = _check(backend.by_name["one"])
    backend.by_name["two"].set_admin_state(maintenance=True)
    check.conclude(BAD, 0.0)
    assert [server.model.name for server in backend.active] == ["spare"]
    assert "Running on backup." in audience.lines[1]
    check.conclude(OK, 0.0)
    check.conclude(OK, 0.0)
    assert [server.model.name for server in backend.active] == ["one"]


def test_maintenance_stops_what_checks_say_and_forgives() -> None:
    backends, audience = _world()
    server = backends["b"].by_name["one"]
    check = _check(server)
    check.conclude(OK, 0.0)
    server.set_admin(Admin.FMAINT, True)
    assert (server.state, backends["t"].servers[0].admin) == (State.STOPPED, Admin.IMAINT)
    server.set_state(State.RUNNING)
    assert server.state is State.STOPPED
    server.set_admin(Admin.RMAINT, True)
    server.set_admin(Admin.FMAINT, False)
    assert server.maintenance
    server.set_admin(Admin.RMAINT, False)
    assert (server.usable, check.describe()) == (True, "1/3 UP")
    assert not backends["t"].servers[0].maintenance
    assert audience.lines[-1] == "notice: Server t/follower is UP/READY (leaving maintenance)."


def test_stopping_takes_no_new_traffic() -> None:
    backends, _ = _world()
    server = backends["b"].by_name["one"]
    check = _check(server)
    check.conclude(Result(Status.L7OKC, 404), 0.0)
    assert (server.state, server.up, server.usable) == (State.STOPPING, True, False)
    check.conclude(OK, 0.0)
    assert server.usable


def test_an_agent_must_agree() -> None:
    backends, _ = _world()
    server = backends["b"].by_name["one"]
    check = _check(server)
    agent = server.agent = Check(server, check.plan, inter=1.0, rise=1, fall=1, agent=True)
    agent.conclude(BAD, 0.0)
    assert server.up
    agent.conclude(Result(Status.L7STS), 0.0)
    assert not server.up
    check.conclude(OK, 0.0)
    assert not server.up
    agent.conclude(Result(Status.L7OK), 0.0)
    assert server.up


@pytest.mark.parametrize(
    ("reaction", "shown"),
    [("fastinter", "3/3 UP"), ("fail-check", "2/3 UP"), ("sudden-death", "1/3 UP"), ("mark-down", "0/2 DOWN")],
)
def test_observed_errors(reaction: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hurried: list[Check] = []

    def hurry(check: Check) -> None:
        hurried.append(check)

    monkeypatch.setattr(Check, "hurry", hurry)
    backends, _ = _world(f"observe layer7 error-limit 2 on-error {reaction}")
    server = backends["b"].by_name["one"]
    check = _check(server)
    check.conclude(OK, 0.0)
    observer = Observer(check)
    observer.answered(500)
    observer.answered(200)
    observer.not_answered("timeout")
    assert check.health == check.most
    observer.answered(503)
    assert check.describe() == shown
    assert (server.counters.hanafail, len(hurried)) == (1, 1)


def test_slowstart_shares_out_weight_and_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1000.0]
    for module in ("hapy.proxy.server", "hapy.proxy.slowstart", "hapy.checks.check"):
        monkeypatch.setattr(f"{module}.now", lambda: moment[0])
    ramps: list[slowstart.Ramp] = []

    def begin(ramp: slowstart.Ramp) -> None:
        ramps.append(ramp)

    monkeypatch.setattr(slowstart.Ramp, "begin", begin)
    backends, _ = _world("slowstart 16s weight 10 maxconn 100")
    server = backends["b"].by_name["one"]
    server.set_operational(False)
    server.set_operational(True)
    assert (server.state, server.ramp, server.limit()) == (State.STARTING, 1, 1)
    moment[0] += 8
    ramps[-1].on_deadline()
    assert (server.ramp, server.scaled, server.limit(), server.throttle()) == (9, 90, 50, 50)
    assert (shown_weight(server), shown_throttle(server)) == (6, 56)
    moment[0] += 8
    ramps[-1].on_deadline()
    assert (server.state, server.scaled, server.limit()) == (State.RUNNING, 160, 100)
