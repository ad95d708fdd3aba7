"""`show resolvers`: what became of DNS questions."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from hapy.runtime_api.registry import Call, Refusal, command
from hapy_config.model.resolvers import DEFAULT

if TYPE_CHECKING:
    from hapy.dns.section import Section
    from hapy.proxy.runtime import Runtime

_LABELS = {"truncated": "truncated"}


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
