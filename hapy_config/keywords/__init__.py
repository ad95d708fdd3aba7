"""The language as data: every keyword HAProxy knows or knew, from 1.5 to 3.4, in one table a family.

An entry says where a keyword may stand, what its arguments are, which versions know it, and what hapy does with it.
The builder checks statements against the tables, the linter and the documentation read them, and nothing else holds a
second list of keywords. No code that parses, no sockets, no state: an entry whose arguments are a language of their own
says `Kind.REST`, and the builder of that keyword reads them.

`table(family)` imports a family when it is first asked for, so that a start pays only for what its file uses.
"""

from __future__ import annotations

import functools
import importlib
from typing import Final

from hapy_config.keywords.spec import Table

#: The families and the module each stands in. `globals`, `proxies`, `options` and the section tables hold statements;
#: the others hold words inside them.
FAMILIES: Final[dict[str, str]] = {
    "sections": "sections",
    "globals": "globals_",
    "proxies": "proxies",
    "options": "options",
    "resolvers": "others",
    "userlist": "others",
    "peers": "others",
    "mailers": "others",
    "cache": "others",
    "http-errors": "others",
    "ring": "others",
    "log-forward": "others",
    "log-profile": "others",
    "program": "others",
    "fcgi-app": "others",
    "crt-store": "others",
    "traces": "others",
    "acme": "others",
    "healthcheck": "others",
    "binds": "binds",
    "servers": "servers",
    "actions": "actions",
    "fetches": "fetches",
    "converters": "converters",
    "log-aliases": "log_aliases",
    "filters": "filters",
    "services": "services",
    "runtime-api": "runtime_api",
    "crt-list": "crt_list",
}


@functools.cache
def table(family: str) -> Table:
    """The table of one family.

    A family's module has either one `TABLE`, or `TABLES` by family.

    Raises:
        KeyError: for a family that does not exist.
    """
    module = importlib.import_module(f"hapy_config.keywords.{FAMILIES[family]}")
    tables: dict[str, Table] | None = getattr(module, "TABLES", None)
    found: Table = tables[family] if tables is not None else module.TABLE
    return found
