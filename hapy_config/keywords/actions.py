"""All actions of http-request, http-response, http-after-response, tcp-request and tcp-response rules.

One entry an action; it says in which rulesets it stands, and since when.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from hapy_config.keywords import actions_http, actions_stream
from hapy_config.keywords.actions_spec import Action
from hapy_config.keywords.spec import TARGET, Table, Version

ACTIONS: Final[dict[str, Action]] = {
    entry.name: entry
    for entry in sorted((*actions_http.ENTRIES, *actions_stream.ENTRIES), key=lambda entry: entry.name)
}
TABLE: Final = Table("actions", ACTIONS.values())


@cache
def of_ruleset(ruleset: str, version: Version = TARGET) -> frozenset[str]:
    """The table names of the actions that a ruleset knows in a version."""
    return frozenset(name for name, entry in ACTIONS.items() if entry.in_ruleset(ruleset, version))
