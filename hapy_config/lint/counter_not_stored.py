"""Counters that the table does not keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


_RATES: Final = re.compile(
    r"(?:sc\d?|src)_(?:get_)?(bytes_in_rate|bytes_out_rate|conn_cnt|conn_cur|conn_rate|gpc0|gpc0_rate|gpc1|gpc1_rate|gpt0"
    r"|http_err_cnt|http_err_rate|http_fail_cnt|http_fail_rate|http_req_cnt|http_req_rate|sess_cnt|sess_rate)"
)


def check(view: View) -> Iterator[Finding]:
    """A finding for each rule that asks a table for a counter that it does not store."""
    stored: dict[str, str] = {}
    for section, statement in view.lines("stick-table"):
        words = statement.words
        stored[section.name] = words[words.index("store") + 1] if "store" in words[:-1] else ""
    if not stored:
        return
    for proxy in view.proxies:
        tables = {
            str(rule.arguments.get("slot", "")): str(rule.arguments.get("table") or proxy.name)
            for rules in proxy.rules.values()
            for rule in rules
            if rule.action == "track-sc*"
        }
        for use in view.uses(proxy):
            call = use.expression.fetch
            match = _RATES.fullmatch(call.name)
            if match is None:
                continue
            if call.name.startswith("src_"):
                table = call.args[0] if call.args else proxy.name
            else:
                slot = call.name[2] if call.name[2].isdecimal() else (call.args[0] if call.args else "")
                table = tables.get(slot, "")
            kept = stored.get(table)
            if kept is not None and not _keeps(kept, match[1]):
                yield Finding(
                    use.span,
                    f"the table of '{table}' does not store '{match[1]}', so '{call.name}' never has a value",
                    f"add 'store {match[1]}{'(10s)' if match[1].endswith('_rate') else ''}' to the stick-table line",
                )


def _keeps(kept: str, name: str) -> bool:
    """Whether a list of counters has one, or an array that holds it: gpc(2) is gpc0 and gpc1, too."""
    if re.search(rf"(?:^|,){name}(?:\(|,|$)", kept):
        return True
    return name.startswith(("gpc", "gpt")) and (f"{name[:3]}(" in kept or f"{name[:3]}_rate(" in kept)


RULE = Rule(
    "counter-not-stored",
    Severity.WARNING,
    """The rule compares a counter that its stick table does not store, so the comparison never holds and nobody is
    ever stopped. `store` on the stick-table line lists what is counted.""",
    "listen l\n bind :80\n stick-table type ip size 1m expire 1m store conn_rate(10s)\n http-request track-sc0 src\n"
    " http-request deny if { sc_http_req_rate(0) gt 20 }\n",
    "listen l\n bind :80\n stick-table type ip size 1m expire 1m store http_req_rate(10s)\n"
    " http-request track-sc0 src\n http-request deny if { sc_http_req_rate(0) gt 20 }\n",
    check,
)
