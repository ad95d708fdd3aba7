"""Comparisons of numbers that never hold, or always."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.patterns import IntegerRange, integer_ranges
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View
    from hapy_config.model.expressions import AclExpression
    from hapy_config.model.proxy import Proxy
    from hapy_config.source import Span

#: How the names of fetches end that count something.
_COUNTS: Final = ("_cnt", "_conn", "_len", ".len", "body_size", "_queue", "_rate")


def check(view: View) -> Iterator[Finding]:
    """A finding for each comparison that says the same of every number that can come."""
    told: set[Span] = set()
    servers = {proxy.name: proxy for proxy in view.backends}
    for proxy in view.proxies:
        for use in view.uses(proxy):
            test = use.acl
            if test is None or test.match not in ("int", "len") or test.files or test.span in told:
                continue
            if not test.patterns or not test.span.line:
                continue
            told.add(test.span)
            if "ne" in test.patterns:
                yield Finding(
                    test.span,
                    "'ne' compares as 'eq' does: HAProxy has no operator for what differs",
                    "write 'eq', or nothing, and '!' in front of the test where it is used",
                )
                continue
            least, most = _bounds(test, proxy, servers)
            if least is None:
                continue
            found = _reason(test, least, most)
            if found is not None:
                yield Finding(test.span, *found)


def _bounds(test: AclExpression, proxy: Proxy, servers: dict[str, Proxy]) -> tuple[int | None, int | None]:
    """The least and the greatest number that the test may see; None for what is not known."""
    call, converters = test.criterion.fetch, test.criterion.converters
    if test.match == "len" or (converters and converters[-1].name == "length"):
        return 0, None
    if converters:
        return None, None
    if call.name in ("src_port", "dst_port", "fc_rcvd_port", "bc_dst_port", "bc_src_port"):
        return 0, 65535
    if call.name == "status":
        return 100, 999
    if call.name == "rand" and call.args and call.args[0].isascii() and call.args[0].isdecimal():
        return 0, max(int(call.args[0]) - 1, 0)
    if call.name == "nbsrv":
        named = servers.get(call.args[0] if call.args and call.args[0] else proxy.name)
        return (0, len(named.servers)) if named is not None and named.servers else (0, None)
    if call.name == "queue" or call.name.endswith(_COUNTS):
        return 0, None
    return None, None


def _reason(test: AclExpression, least: int, most: int | None) -> tuple[str, str] | None:
    """What is wrong, and what to do."""
    try:
        ranges = integer_ranges(test.patterns)
    except GrammarError:
        return None
    if not ranges:
        return None
    own = [one for one in ranges if _meets(one, least, most)]
    bounds = f"is never below {least}" if most is None else f"lies between {least} and {most}"
    bounds = f"'{test.criterion.text.partition(',')[0]}' {bounds}"
    if not own:
        return f"'{' '.join(test.patterns)}' never holds: {bounds}", "see what it is compared with"
    if not _covers(own, least, most):
        return None
    if len(ranges) > 1:
        return (
            f"'{' '.join(test.patterns)}' always holds: comparisons on one line are alternatives",
            "write a range such as '5:10', or two tests side by side",
        )
    return f"'{' '.join(test.patterns)}' always holds: {bounds}", "see what it is compared with"


def _meets(one: IntegerRange, least: int, most: int | None) -> bool:
    return (one.high is None or one.high >= least) and (most is None or one.low is None or one.low <= most)


def _covers(ranges: list[IntegerRange], least: int, most: int | None) -> bool:
    """Whether they leave no number out."""
    place = least
    for one in sorted(ranges, key=lambda each: least if each.low is None else each.low):
        if one.low is not None and one.low > place:
            return False
        if one.high is None:
            return True
        place = max(place, one.high + 1)
    return most is not None and place > most


RULE = Rule(
    "impossible-range",
    Severity.WARNING,
    """The comparison says the same of every number that can come: ports end at 65535, lengths and counts begin at 0,
    and several comparisons on one line are alternatives, so `gt 5 lt 10` holds always. A range is written `6:9`, and
    what differs from a number with `!` before the test.""",
    "frontend a\n bind :80\n acl middle path_len gt 5 lt 10\n http-request deny if middle\n"
    " http-request deny if { dst_port 80443 }\n",
    "frontend a\n bind :80\n acl middle path_len 6:9\n http-request deny if middle\n"
    " http-request deny if { dst_port 8443 }\n",
    check,
)
