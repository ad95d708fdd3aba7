"""`show resolvers`: what became of DNS questions."""

from __future__ import annotations

from dataclasses import fields

from hapy.runtime_api.registry import Call, Refusal, command

_LABELS = {"truncated": "truncated"}


@command("show resolvers", usage="[id]", tells="the counters of name servers")
def show_resolvers(call: Call) -> str:
    """A section, then its name servers."""
    sections = call.control.job.runtime.resolvers
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
