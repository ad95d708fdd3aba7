"""`show info`, `show stat`, `show version`, `show env`, `show backend`, `show schema json`."""

from __future__ import annotations

import os

from hapy.runtime_api import dump, fields, process_fields, rows, schema
from hapy.runtime_api.commands.names import leading_number
from hapy.runtime_api.commands.resolvers import resolver_statistics
from hapy.runtime_api.registry import Call, Level, Refusal, command


@command("show info", usage="[desc|json|typed|float]*", tells="what the process is and does")
def show_info(call: Call) -> str:
    """Every field of the process."""
    words = call.arguments
    values = process_fields.values(call.control)
    if "float" in words:
        values["Uptime_sec"] = f"{process_fields.uptime(call.control):.6f}"
    described = "desc" in words
    found = [field for field in process_fields.FIELDS if field.name != "description" or values[field.name]]
    if "json" in words:
        items = (fields.json_item(field, values[field.name]) for field in found)
        return "[" + ",".join(items) + "]\n"
    if "typed" in words:
        return "".join(fields.typed("", field, values[field.name], described=described) for field in found)
    return "".join(f"{field.name}: {values[field.name]}{fields.shown(field, described)}\n" for field in found)


@command("show stat", usage="[desc|json|no-maint|typed|up]*", tells="counters of frontends, servers and backends")
def show_stat(call: Call) -> str:
    """The table of statistics."""
    words = list(call.arguments)
    if words[:1] == ["domain"]:
        if words[1:2] == ["resolvers"]:
            return resolver_statistics(call.control.job.runtime, words[2:])
        if words[1:2] != ["proxy"]:
            raise Refusal("Invalid statistics domain.\n")
        words = words[2:]
    proxy, kinds, server = -1, 15, -1
    if len(words) >= 3:
        proxy = _proxy(call, words[0])
        kinds, server = leading_number(words[1]), leading_number(words[2])
        if kinds == -1:
            kinds = 15
        words = words[3:]
    found = list(rows.rows(call.control, kinds=kinds, proxy=proxy, server=server))
    if "up" in words:
        found = [row for row in found if row.up or row.kind != "S"]
    elif "no-maint" in words:
        found = [row for row in found if not row.maintenance]
    if "up" in words or "no-maint" in words:
        for row in found:
            row.count()
    if "json" in words:
        return dump.as_json(found)
    return dump.as_typed(found, described="desc" in words) if "typed" in words else dump.as_csv(found)


def _proxy(call: Call, text: str) -> int:
    """The number of a section that is named, or numbered."""
    named = next((proxy for proxy in call.control.job.config.proxies if proxy.name == text), None)
    if named is not None:
        return named.number
    number = leading_number(text)
    if not number:
        raise Refusal("No such proxy.\n")
    return number


@command("show schema json", tells="the schema of what is told as JSON")
def show_schema(_call: Call) -> str:
    """One line."""
    return schema.schema()


@command("show version", tells="the version of the process")
def show_version(_call: Call) -> str:
    """One line."""
    return f"{process_fields.VERSION}\n"


@command("show backend", tells="the names of all backends")
def show_backend(call: Call) -> str:
    """One line for each."""
    return "# name\n" + "".join(f"{name}\n" for name in call.control.job.runtime.backends)


@command("show env", usage="[var]", tells="the environment variables of the process", level=Level.OPERATOR)
def show_env(call: Call) -> str:
    """All, or one."""
    name = call.argument(0)
    if name:
        value = os.environ.get(name)
        if value is None:
            raise Refusal("Variable not found\n")
        return f"{name}={value}\n"
    return "".join(f"{key}={value}\n" for key, value in os.environ.items())
