"""`show resolvers` and `show stat domain resolvers`: what became of DNS questions."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from hapy.dns.nameserver import Counters
from hapy.runtime_api.fields import Field, read, shown, tags
from hapy.runtime_api.registry import Call, Refusal, command
from hapy_config.model.resolvers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hapy.dns.section import Section
    from hapy.proxy.runtime import Runtime


def _sections(runtime: Runtime) -> dict[str, Section]:
    """Those of the file, and `default`, which is there without being written where the system has name servers."""
    from hapy.dns.section import Section

    models = dict(runtime.config.resolvers)
    models.setdefault(DEFAULT.name, DEFAULT)
    used = runtime.resolvers
    found = {name: used.get(name) or Section(model) for name, model in models.items()}
    if DEFAULT.name not in runtime.config.resolvers and not found[DEFAULT.name].nameservers:
        del found[DEFAULT.name]
    return found


@command("show resolvers", usage="[id]", tells="the counters of name servers")
def show_resolvers(call: Call) -> str:
    """A section, then its name servers."""
    sections = _sections(call.control.job.runtime)
    wanted = call.argument(0)
    if wanted and wanted not in sections:
        raise Refusal("Can't find that resolvers section\n")
    text = []
    for name, section in sections.items():
        if wanted in ("", name):
            text.append(f"Resolvers section {name}\n")
            for server in section.nameservers:
                text.append(f" nameserver {server.name}:\n")
                counters = server.counters
                text.extend(f"  {field.name + ':':<12} {getattr(counters, field.name)}\n" for field in fields(counters))
    return "".join(text)


def resolver_statistics(runtime: Runtime, words: Sequence[str]) -> str:
    """`show stat domain resolvers`: a row for each name server, as CSV, `typed` or `json`."""
    names = [_NAMES.get(field.name, field.name) for field in fields(Counters)]
    found = read("id CGP str;pid CGP str;" + ";".join(f"{name} MGP u64" for name in names))
    rows = [
        (server.name, name, *(getattr(server.counters, field.name) for field in fields(Counters)))
        for name, section in _sections(runtime).items()
        for server in section.nameservers
    ]
    if "json" in words:
        items = (",".join(_item(field, value) for field, value in zip(found, row, strict=True)) for row in rows)
        return "[" + ",".join(f"[{one}]" for one in items) + "]\n"
    if "typed" in words:
        described = "desc" in words
        return "".join(
            f"N.{field.position}.{field.name}:{field.tag}:{field.kind}:{value}{shown(field, described)}\n"
            for row in rows
            for field, value in zip(found, row, strict=True)
        )
    head = "# " + "".join(f"{field.name}," for field in found) + "\n"
    return head + "".join("".join(f"{value}," for value in row) + "\n" for row in rows)


#: Counters that statistics call otherwise.
_NAMES: Final = {"snd_error": "send_error"}


def _item(field: Field, value: object) -> str:
    item = {
        "field": {"pos": field.position, "name": field.name},
        "tags": tags(field),
        "value": {"type": field.kind, "value": value},
    }
    return json.dumps(item, separators=(",", ":"))
