"""`do-resolve`: a name out of the request is looked up while the client waits (configuration manual, 4.2)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from hapy.net.routine import Promise
from hapy.rules.registry import CONTENT, REQUEST, Arguments, AsyncAction, action
from hapy.samples import variables
from hapy.samples.types import to_string

if TYPE_CHECKING:
    from hapy.dns.section import Resolution
    from hapy.proxy.transaction import Transaction


def _best(resolution: Resolution) -> str | None:
    """The first address of the preferred family, else the first."""
    wants_ipv6 = resolution.kind == "AAAA"
    preferred = [address for address in resolution.addresses if (":" in address) == wants_ipv6]
    return next(iter(preferred or resolution.addresses), None)


@action("do-resolve*", REQUEST, CONTENT, waits=True)
def _do_resolve(args: Arguments) -> AsyncAction:
    from hapy.dns.messages import BadName
    from hapy.dns.setup import section

    read = args.expression()
    write = variables.writer(args.text("variable"), args.env)
    resolvers = section(args.env, args.text("resolvers"))
    options = args.rule.arguments.get("options") or ()
    assert isinstance(options, tuple)
    family = next((option for option in reversed(options) if option), "ipv6")
    kind = "A" if family == "ipv4" else "AAAA"
    delay = args.env.proxy.inspect_delay if args.rule.ruleset == CONTENT else 0
    limit = delay / 1000 if delay else None  # no rule of contents waits longer

    async def do_resolve(txn: Transaction) -> None:
        value = read(txn)
        if value is None:
            return
        try:
            resolution = resolvers.resolution(to_string(value), kind)
        except BadName:
            return
        answer = Promise()
        resolution.wait(answer.keep)
        try:
            await answer.wait(limit)
        finally:
            resolution.forget(answer.keep)
        found = _best(resolution) if resolution.status == "valid" else None
        if found is not None:
            write(txn, ipaddress.ip_address(found))

    return do_resolve
