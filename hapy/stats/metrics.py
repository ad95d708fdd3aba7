"""What Prometheus reads (`http-request use-service prometheus-exporter`): names, labels and order are HAProxy's.

The query chooses: `scope=` one of global, frontend, listener, backend, server, or `*` for all, as often as wanted;
`no-maint` leaves servers in maintenance out. A value that a thing does not have is NaN, but HTTP's are left out where
no HTTP is spoken, and those of checks where nothing is checked. One metric is hapy's own: how often requests reused a
server's connection, and why others did not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from hapy.rules.outcomes import Reply
from hapy.rules.pages import error_pages
from hapy.runtime_api import process_fields
from hapy.runtime_api.rows import rows
from hapy.stats import answers
from hapy.stats.metric_names import METRICS, PROCESS, Metric

if TYPE_CHECKING:
    from hapy.http.message import Response
    from hapy.proxy.runtime import Runtime
    from hapy.proxy.transaction import Transaction
    from hapy.runtime_api.control import Control
    from hapy.runtime_api.fields import Value
    from hapy.runtime_api.rows import Row
    from hapy.samples.environment import CompileEnv

_SERVICE: Final = b"<PROMEX>"
_TYPE: Final = b"text/plain; version=0.0.4"

#: The scopes in order: the word of the query, the letter of the rows and of the tables, the word in names.
_SCOPES: Final = (
    ("frontend", "F", "frontend"),
    ("listener", "L", "listener"),
    ("backend", "B", "backend"),
    ("server", "S", "server"),
)
_ALL: Final = frozenset({"global", *(word for word, _letter, _name in _SCOPES)})
#: Taken without having anything to tell.
_EMPTY: Final = frozenset({"sticktable"})

#: hapy's own metric, of servers.
_REUSE: Final = "hapy_server_reuse_total"

_SERVER_STATES: Final = ("DOWN", "UP", "MAINT", "DRAIN", "NOLB")
_CHECKS: Final = (
    *("HANA", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP", "L7TOUT", "L7RSP", "L7OK", "L7OKC"),
    *("L7STS", "PROCERR", "PROCTOUT", "PROCOK"),
)
_LISTENER_STATES: Final = ("WAITING", "OPEN", "FULL")
_CODES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx", "other")
_AGGREGATES: Final = frozenset({"agg_server_status", "agg_server_check_status", "agg_check_status"})
_MILLISECONDS: Final = frozenset(
    f"{name}{most}" for name in ("qtime", "ctime", "rtime", "ttime") for most in ("", "_max")
) | {"check_duration"}
_CHECKED: Final = frozenset({"check_status", "check_code", "check_duration"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the query asks for."""

    scopes: frozenset[str] = _ALL
    no_maintenance: bool = False


def asked(target: bytes) -> Asked | None:
    """What a target asks for; None for a query that is not understood."""
    _path, _mark, query = target.partition(b"?")
    scopes: set[str] = set()
    found = no_maintenance = False
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name == "no-maint":
            no_maintenance = True
        elif name == "scope":
            found = True
            if value == "*":
                scopes |= _ALL
            elif value == "":
                scopes.clear()
            elif value in _ALL:
                scopes.add(value)
            elif value not in _EMPTY:
                return None
    return Asked(frozenset(scopes) if found else _ALL, no_maintenance)


def exporter(env: CompileEnv, runtime: Runtime) -> Reply:
    """The outcome that exports the counters of what runs."""
    pages = error_pages(env)

    def build(txn: Transaction) -> tuple[Response, bytes] | None:
        answers.served(txn, _SERVICE)
        assert txn.request is not None
        wanted = asked(txn.request.target)
        if wanted is None:
            txn.status = 400
            return pages.build(txn, 400)
        control = runtime.control
        if control is None:  # nothing runs, as when a request is walked through
            return answers.fresh(txn, _TYPE, "", told=txn.version >= 11)
        text = "" if txn.method == b"HEAD" else "".join(export(control, wanted))
        return answers.fresh(txn, _TYPE, text, told=txn.version >= 11)

    return Reply("use-service", "stats", 200, "L", "R", build)


def export(control: Control, wanted: Asked) -> Iterator[str]:
    """The lines, each with its end."""
    if "global" in wanted.scopes:
        yield from _process(control)
    found = list(rows(control)) if wanted.scopes - {"global"} else []
    for scope, letter, word in _SCOPES:
        if scope not in wanted.scopes:
            continue
        shown = [row for row in found if row.kind == letter]
        if wanted.no_maintenance:
            shown = [row for row in shown if not row.maintenance]
        totals = _totals(found) if letter == "B" else {}
        for metric in METRICS:
            if letter in metric.scopes:
                yield from _metric(metric, word, shown, totals)
        if letter == "S":
            yield from _reuse(control, shown)


def _process(control: Control) -> Iterator[str]:
    values = process_fields.values(control)
    for metric in PROCESS:
        name = f"haproxy_process_{metric.name}"
        yield _title(name, metric)
        if metric.field == "Build info":
            yield f'{name}{{version="{_label(str(values["Version"]))}"}} 1\n'
        else:
            yield f"{name} {_number(values.get(metric.field))}\n"


def _title(name: str, metric: Metric) -> str:
    return f"# HELP {name} {metric.help}\n# TYPE {name} {metric.kind}\n"


def _number(value: Value) -> str:
    return "NaN" if value is None else str(value)


def _label(text: str) -> str:
    """A label's value."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _metric(metric: Metric, word: str, shown: list[Row], totals: dict[str, dict[str, dict[str, int]]]) -> Iterator[str]:
    """The lines of one metric; none where nothing has it."""
    name = f"haproxy_{word}_{metric.name}"
    lines: list[str] = []
    if metric.http:
        shown = [row for row in shown if row.proxy.mode == "http"]
    if metric.field == "hrsp":
        for code in _CODES:
            for row in shown:
                value = row.values.get(f"hrsp_{code}")
                if value is not None:
                    lines.append(f'{name}{{{_labels(row)},code="{code}"}} {value}\n')
    else:
        for row in shown:
            lines.extend(_lines(metric, name, row, totals))
    if lines:
        yield _title(name, metric)
        yield from lines


def _lines(metric: Metric, name: str, row: Row, totals: dict[str, dict[str, dict[str, int]]]) -> Iterator[str]:
    labels = _labels(row)
    field = metric.field
    if field in _AGGREGATES:
        for state, count in totals.get(row.proxy.name, {}).get(field, _nothing(field)).items():
            yield f'{name}{{{labels},state="{state}"}} {count}\n'
        return
    if field in ("status", "check_status"):
        for state, holds in _states(row, field):
            yield f'{name}{{{labels},state="{state}"}} {int(holds)}\n'
        return
    value = row.values.get(field)
    if field == "check_code" and value is None and row.values.get("check_status") is not None:
        value = 0
    if value is None:
        if field not in _CHECKED:
            yield f"{name}{{{labels}}} NaN\n"
    elif field in _MILLISECONDS:
        yield f"{name}{{{labels}}} {int(value) / 1000:.6f}\n"
    else:
        yield f"{name}{{{labels}}} {value}\n"


def _reuse(control: Control, shown: list[Row]) -> Iterator[str]:
    """The lines of hapy's own metric; none before the first request to any of the servers."""
    counts = {
        (name, server.model.name): server.counters.reuse_reasons
        for name, backend in control.job.runtime.backends.items()
        for server in backend.servers
    }
    lines = [
        f'{_REUSE}{{{_labels(row)},reason="{reason}"}} {count}\n'
        for row in shown
        for reason, count in counts.get((row.proxy.name, str(row.values["svname"])), {}).items()
        if count
    ]
    if lines:
        yield f"# HELP {_REUSE} Requests by what became of reusing a connection\n# TYPE {_REUSE} counter\n"
        yield from lines


def _labels(row: Row) -> str:
    labels = f'proxy="{_label(row.proxy.name)}"'
    if row.kind in ("S", "L"):
        what = "server" if row.kind == "S" else "listener"
        labels += f',{what}="{_label(str(row.values["svname"]))}"'
    return labels


def state_of(row: Row) -> str:
    """The state of a server in one word."""
    status = str(row.values.get("status", ""))
    if row.maintenance or status.startswith("MAINT"):
        return "MAINT"
    for word in ("DOWN", "NOLB"):
        if status.startswith(word):
            return word
    return "DRAIN" if row.drained else "UP"


def _states(row: Row, field: str) -> Iterator[tuple[str, bool]]:
    """The states that a row may have, and whether it has them."""
    if field == "check_status":
        status = str(row.values.get(field) or "").removeprefix("* ")
        if status and status not in ("INI", "UNK"):
            yield from ((state, state == status) for state in _CHECKS)
    elif row.kind == "S":
        now = state_of(row)
        yield from ((state, state == now) for state in _SERVER_STATES)
    elif row.kind == "L":
        yield from ((state, state == row.values.get("status")) for state in _LISTENER_STATES)
    else:
        yield "DOWN", not row.up
        yield "UP", row.up


def _nothing(field: str) -> dict[str, int]:
    return dict.fromkeys(_CHECKS if field == "agg_check_status" else _SERVER_STATES, 0)


def _totals(found: list[Row]) -> dict[str, dict[str, dict[str, int]]]:
    """For each backend how many servers are in which state, and how many checks have ended how."""
    totals: dict[str, dict[str, dict[str, int]]] = {}
    for row in found:
        if row.kind != "S":
            continue
        counts = totals.setdefault(row.proxy.name, {field: _nothing(field) for field in sorted(_AGGREGATES)})
        state = state_of(row)
        counts["agg_server_status"][state] += 1
        counts["agg_server_check_status"][state] += 1
        for check, holds in _states(row, "check_status"):
            counts["agg_check_status"][check] += holds
    return totals
