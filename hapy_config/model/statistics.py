"""`stats …` of a proxy section: the statistics page that its requests may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hapy_config.model.expressions import Condition
from hapy_config.model.rules import Rule

#: What a browser tells of where it asks a password for.
REALM: Final = "HAProxy Statistics"


@dataclass(frozen=True, slots=True)
class StatsPage:
    """What a section says of its statistics page (configuration manual, section 4.2).

    Attributes:
        uri: what the targets begin with that the page answers.
        realm: of `stats auth`, None for the usual one. accounts: (user, password) of each, in order; empty for
            free access.
        rules: `stats http-request`, in order. admin: `stats admin`: any that holds lets forms change servers.
        scope: names of the sections to show, `.` for the page's own; empty for all.
        refresh: seconds after which a browser asks again, 0 for never.
        hide_version: the page does not tell which version this is.
        show_node: None not to, empty for the name in `global`. show_description: the same.
        show_legends: tell of modes, numbers, addresses and cookies. show_modules: tell of TLS and HTTP, too.
    """

    uri: str = "/haproxy?stats"
    realm: str | None = None
    accounts: tuple[tuple[str, str], ...] = ()
    rules: tuple[Rule, ...] = ()
    admin: tuple[Condition, ...] = ()
    scope: tuple[str, ...] = ()
    refresh: int = 0
    hide_version: bool = False
    show_node: str | None = None
    show_description: str | None = None
    show_legends: bool = False
    show_modules: bool = False
