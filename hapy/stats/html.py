"""The statistics page as people read it: one document without anything from elsewhere, readable on a phone."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from hapy.runtime_api import process_fields, stat_fields
from hapy.stats.forms import OFFERED, result
from hapy.stats.looks import STYLE
from hapy.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hapy.runtime_api.fields import Value
    from hapy.runtime_api.rows import Row
    from hapy.stats.page import Page, View
    from hapy_config.model.proxy import Proxy

_LEGEND: Final = (
    ("up", "up"),
    ("rising", "down, coming up"),
    ("falling", "up, going down"),
    ("down", "down"),
    ("drain", "drained"),
    ("nolb", "stopping"),
    ("maint", "maintenance"),
    ("unchecked", "not checked"),
    ("backup up", "backup"),
)

#: The columns: their title, and the fields in them. Two fields are shown as `now / most`.
_COLUMNS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Status", ("status",)),
    ("Last check", ("check_status",)),
    ("Weight", ("weight",)),
    ("Queue", ("qcur", "qmax", "qlimit")),
    ("Sessions", ("scur", "smax", "slim")),
    ("Per second", ("rate", "rate_max", "rate_lim")),
    ("Total", ("stot",)),
    ("Balanced", ("lbtot",)),
    ("Last", ("lastsess",)),
    ("Bytes in", ("bin",)),
    ("Bytes out", ("bout",)),
    ("Denied", ("dreq", "dresp")),
    ("Errors", ("ereq", "econ", "eresp")),
    ("Retries", ("wretr", "wredis")),
    ("Servers", ("act", "bck")),
    ("Checks", ("chkfail", "chkdown", "downtime")),
    ("Throttle", ("throttle",)),
)

#: What the columns mean whose fields need words.
_HINTS: Final = {
    "Queue": "now / most / limit",
    "Sessions": "now / most / limit",
    "Per second": "sessions in the last second / most / limit",
    "Denied": "requests / responses",
    "Errors": "requests / connections / responses",
    "Retries": "retries / sent to another server",
    "Servers": "active / backup",
    "Checks": "failed / times down / time down",
}

#: What a row tells when it is opened: title and field.
_DETAILS: Final = (
    ("Connections so far", "conn_tot"),
    ("Connections per second", "conn_rate"),
    ("Requests", "req_tot"),
    ("Requests per second", "req_rate"),
    ("Most requests per second", "req_rate_max"),
    ("Answers 1xx", "hrsp_1xx"),
    ("Answers 2xx", "hrsp_2xx"),
    ("Answers 3xx", "hrsp_3xx"),
    ("Answers 4xx", "hrsp_4xx"),
    ("Answers 5xx", "hrsp_5xx"),
    ("Other answers", "hrsp_other"),
    ("Answered here", "intercepted"),
    ("Connections refused by rules", "dcon"),
    ("Sessions refused by rules", "dses"),
    ("Rewrites that failed", "wrew"),
    ("Internal errors", "eint"),
    ("New server connections", "connect"),
    ("Reused server connections", "reuse"),
    ("Idle connections", "idle_conn_cur"),
    ("Idle connections safe to reuse", "safe_conn_cur"),
    ("Used connections", "used_conn_cur"),
    ("Connections needed", "need_conn_est"),
    ("Limit of idle connections", "src_ilim"),
    ("Broken off by clients", "cli_abrt"),
    ("Broken off by servers", "srv_abrt"),
    ("Queue time, average ms", "qtime"),
    ("Queue time, most ms", "qtime_max"),
    ("Connect time, average ms", "ctime"),
    ("Connect time, most ms", "ctime_max"),
    ("Response time, average ms", "rtime"),
    ("Response time, most ms", "rtime_max"),
    ("Total time, average ms", "ttime"),
    ("Total time, most ms", "ttime_max"),
    ("Check", "check_desc"),
    ("Check said", "last_chk"),
    ("Check took, ms", "check_duration"),
    ("Check code", "check_code"),
    ("Check health", "check_health"),
    ("Agent", "agent_status"),
    ("Agent said", "last_agt"),
    ("Failures observed", "hanafail"),
    ("Tracks", "tracked"),
)
_LEGENDS: Final = (("Mode", "mode"), ("Number", "sid"), ("Address", "addr"), ("Cookie", "cookie"), ("Balance", "algo"))
_TITLES: Final = {"F": "Frontend", "B": "Backend"}
_KINDS: Final = {"F": "frontend", "B": "backend", "S": "server", "L": "listener"}
_UNITS: Final = ("", "k", "M", "G", "T", "P")


def report(page: Page, view: View, *, admin: bool) -> str:
    """The document.

    Args:
        page: the section's page.
        view: what is asked for.
        admin: the client may change servers.
    """
    values = process_fields.values(page.control)
    parts = [_head(page, values), _intro(page, view, values)]
    if view.done:
        good, text = result(view.done)
        kind = "good" if good else "bad"
        back = _link(view.address(page.settings))
        parts.append(f'<p class="told {kind}" role="status">{text} <a href="{back}">dismiss</a></p>')
    parts.append("<main>")
    for proxy, found in groupby(page.shown(view), key=lambda row: row.proxy):
        parts.append(_section(page, proxy, list(found), admin=admin))
    parts.append("</main></body></html>\n")
    return "\n".join(parts)


def _head(page: Page, values: Mapping[str, Value]) -> str:
    settings = page.settings
    where = ""
    if settings.show_node is not None:
        where = f" on {escape(settings.show_node or str(values['node']))}"
    described = ""
    if settings.show_description is not None:
        text = settings.show_description or str(values["description"])
        described = f'<p class="about">{escape(text)}</p>' if text else ""
    version = "" if settings.hide_version else f" <small>{escape(__version__)}</small>"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>Statistics{where}</title><style>{STYLE}</style></head><body>"
        f"<header><h1>hapy{version} statistics{where}</h1>{described}</header>"
    )


def _intro(page: Page, view: View, values: Mapping[str, Value]) -> str:
    facts = (
        ("Process", f"{values['Pid']} (number {values['Process_num']}, threads {values['Nbthread']})"),
        ("Up for", str(values["Uptime"])),
        ("Connections", f"{values['CurrConns']} now, at most {values['Maxconn']}"),
        ("New connections", f"{values['ConnRate']} in the last second, {values['CumConns']} so far"),
        ("Requests", str(values["CumReq"])),
        ("Descriptors", f"at most {values['Ulimit-n']}"),
    )
    shown = "".join(f"<div><dt>{title}</dt><dd>{escape(text)}</dd></div>" for title, text in facts)
    legend = "".join(f'<li class="{kind}">{title}</li>' for kind, title in _LEGEND)
    return (
        f'<section class="intro"><dl>{shown}</dl>{_options(page, view)}</section>'
        f'<ul class="legend" aria-label="colours">{legend}</ul>'
    )


def _options(page: Page, view: View) -> str:
    settings = page.settings
    only_up = view.only_up
    links = [
        ("All servers" if only_up else "Only what is up", view.address(settings, only_up=not only_up)),
        (
            "Servers in maintenance, too" if view.no_maintenance else "Nothing in maintenance",
            view.address(settings, no_maintenance=not view.no_maintenance),
        ),
        ("Refresh", view.address(settings)),
        ("CSV", view.address(settings, form="csv")),
        ("JSON", view.address(settings, form="json")),
        ("JSON schema", f"{settings.uri};json-schema"),
    ]
    if settings.refresh:
        title = "Refresh by itself" if view.no_refresh else "Stop refreshing"
        links.insert(2, (title, view.address(settings, no_refresh=not view.no_refresh)))
    path, _mark, query = settings.uri.partition("?")
    hidden = "".join(
        f'<input type="hidden" name="{_link(name)}" value="{_link(value)}">'
        for name, _equals, value in (part.partition("=") for part in query.split("&"))
        if name
    )
    form = (
        f'<form method="get" action="{_link(path)}">{hidden}<label>Sections named '
        f'<input name="scope" size="12" maxlength="20" value="{_link(view.scope)}"></label></form>'
    )
    items = "".join(f'<li><a href="{_link(address)}">{title}</a></li>' for title, address in links)
    return f'<nav aria-label="view"><ul>{items}</ul>{form}</nav>'


def _link(text: str) -> str:
    return escape(text, quote=True)


def _section(page: Page, proxy: Proxy, found: list[Row], *, admin: bool) -> str:
    choosing = admin and any(row.kind == "S" for row in found)
    columns = [column for column in _COLUMNS if any(_text(row, column[1]) for row in found)]
    titles = "".join(
        f'<th scope="col" title="{_HINTS[title]}">{title}</th>' if title in _HINTS else f'<th scope="col">{title}</th>'
        for title, _names in columns
    )
    body = "".join(_line(page, row, columns, choosing=choosing) for row in found)
    name = escape(proxy.name)
    anchor = _link(proxy.name)
    about = f" <small>{escape(proxy.description)}</small>" if proxy.description else ""
    legend = ""
    if page.settings.show_legends:
        sides = (["FE"] if proxy.is_frontend else []) + (["BE"] if proxy.is_backend else [])
        legend = f" <small>{'+'.join(sides)}, mode {escape(proxy.mode)}, number {proxy.number}</small>"
    table = (
        f'<div class="wide"><table><thead><tr>{"<th></th>" if choosing else ""}<th scope="col">Name</th>{titles}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )
    if choosing:
        table = f'<form method="post" action="{_link(page.settings.uri)}">{table}{_actions(proxy)}</form>'
    heading = f'<h2><a href="#{anchor}">{name}</a>{legend}{about}</h2>'
    return f'<section id="{anchor}">{heading}{table}</section>'


def _actions(proxy: Proxy) -> str:
    options = "".join(f'<option value="{word}">{title}</option>' for word, title in OFFERED.items())
    return (
        '<p class="act"><label>With the servers that are checked: <select name="action"><option value=""></option>'
        f'{options}</select></label><input type="hidden" name="b" value="#{proxy.number}">'
        '<button type="submit">Apply</button></p>'
    )


def _line(page: Page, row: Row, columns: Iterable[tuple[str, tuple[str, ...]]], *, choosing: bool) -> str:
    name = str(row.values["svname"])
    shown = escape(_TITLES.get(row.kind, name))
    check = ""
    if choosing:
        box = f'<input type="checkbox" name="s" value="{_link(name)}" aria-label="{_link(name)}">'
        check = f"<td>{box if row.kind == 'S' else ''}</td>"
    cells = "".join(f"<td>{escape(_text(row, names))}</td>" for _title, names in columns)
    anchor = _link(f"{row.proxy.name}/{name}")
    details = _details(page, row)
    return (
        f'<tr id="{anchor}" class="{_KINDS[row.kind]} {colour(row)}">{check}<th scope="row">'
        f"<details><summary>{shown}</summary><dl>{details}</dl></details></th>{cells}</tr>"
    )


def _details(page: Page, row: Row) -> str:
    wanted = list(_DETAILS)
    if page.settings.show_legends:
        wanted = [*_LEGENDS, *wanted]
    if page.settings.show_modules:
        wanted += [(name, name) for name in (*stat_fields.TLS, *stat_fields.PROTOCOLS)]
    return "".join(
        f"<div><dt>{title}</dt><dd>{escape(str(row.values[name]))}</dd></div>"
        for title, name in wanted
        if row.values.get(name) not in (None, "")
    )


def colour(row: Row) -> str:
    """The classes that say how a row is."""
    if row.kind in ("F", "L"):
        return "open" if row.values.get("status") == "OPEN" else "down"
    status = str(row.values.get("status", ""))
    spare = "backup " if row.kind == "S" and row.values.get("bck") else ""
    if status.startswith("MAINT"):
        return spare + "maint"
    if status.startswith("DRAIN"):
        return spare + "drain"
    if status.startswith("NOLB"):
        return spare + "nolb"
    if status == "no check":
        return spare + "unchecked"
    if status.startswith("DOWN"):
        return spare + ("rising" if "/" in status and row.kind == "S" else "down")
    return spare + ("falling" if "/" in status and row.kind == "S" else "up")


def _text(row: Row, names: tuple[str, ...]) -> str:
    values = row.values
    if names == ("status",):
        lasts = values.get("lastchg")
        return f"{values.get('status', '')}" + (f" for {duration(int(lasts))}" if lasts is not None else "")
    if names == ("check_status",):
        status = values.get("check_status")
        if status is None:
            return ""
        took = values.get("check_duration")
        return str(status) + (f" in {took} ms" if took is not None else "")
    if names == ("lastsess",):
        last = values.get("lastsess")
        return "" if last is None else "never" if int(last) < 0 else f"{duration(int(last))} ago"
    if names in (("bin",), ("bout",)):
        count = values.get(names[0])
        return "" if count is None else size(int(count))
    if names == ("weight",) and values.get("weight") is not None:
        now, wanted = values["weight"], values.get("uweight")
        return str(now) if wanted in (None, now) else f"{now}/{wanted}"
    found = [values.get(name) for name in names]
    if all(value is None for value in found):
        return ""
    if names[-1] == "downtime" and found[-1] is not None:
        found[-1] = duration(int(found[-1]))
    if names[-1] == "rate_lim" and not found[-1]:
        found[-1] = None  # no limit
    while found and found[-1] is None:
        found.pop()
    return " / ".join("-" if value is None else str(value) for value in found)


def duration(seconds: int) -> str:
    """Seconds as people read them, in two units at most."""
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}d{hours}h"
    if hours:
        return f"{hours}h{minutes}m"
    return f"{minutes}m{left}s" if minutes else f"{left}s"


def size(count: int) -> str:
    """A number of bytes as people read it, in powers of 1000."""
    number = float(count)
    for unit in _UNITS:
        if number < 1000 or unit == _UNITS[-1]:
            return f"{count}" if not unit else f"{number:.1f}{unit}"
        number /= 1000
    raise AssertionError("the last unit takes everything")
