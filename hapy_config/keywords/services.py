"""Services that `use-service` may name. Those of Lua scripts are called `lua.NAME`."""

from __future__ import annotations

from typing import Final

from hapy_config.keywords.spec import Context, Keyword, Table

ENTRIES: Final[tuple[Keyword, ...]] = (
    Keyword(
        name="prometheus-exporter",
        where=Context.ANY_PROXY,
        since=(2, 0),
        manual="4.4",
        ok=("http-request use-service prometheus-exporter if { path /metrics }",),
        bad=("http-request use-service nonesuch",),
    ),
)

TABLE: Final = Table("services", ENTRIES)
