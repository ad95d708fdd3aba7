"""Filters: what may follow `filter` (configuration manual, section 9)."""

from __future__ import annotations

from typing import Final

from hapy_config.keywords.spec import Arg, Context, Keyword, Kind, Runs, Table

_NAME: Final = Arg(Kind.NAME, "name")
_REST: Final = Arg(Kind.REST, "arguments", optional=True)
_BANDWIDTH: Final = "bandwidth is not limited"
_COMPRESSION: Final = "messages are not compressed"

ENTRIES: Final[tuple[Keyword, ...]] = (
    Keyword(
        name="bwlim-in",
        where=Context.PROXY,
        args=(_NAME, _REST),
        since=(2, 8),
        runs=Runs.NO,
        loss=_BANDWIDTH,
        manual="9.7",
    ),
    Keyword(
        name="bwlim-out",
        where=Context.PROXY,
        args=(_NAME, _REST),
        since=(2, 8),
        runs=Runs.NO,
        loss=_BANDWIDTH,
        manual="9.7",
    ),
    Keyword(
        name="cache",
        where=Context.ANY_PROXY,
        args=(_NAME,),
        since=(1, 8),
        runs=Runs.NO,
        loss="answers are not cached",
        manual="9.4",
        ok=("filter cache cached",),
        bad=("filter cache",),
    ),
    Keyword(
        name="comp-req",
        where=Context.ANY_PROXY,
        since=(3, 4),
        runs=Runs.NO,
        loss=_COMPRESSION,
        manual="9.2",
    ),
    Keyword(
        name="comp-res",
        where=Context.ANY_PROXY,
        since=(3, 4),
        runs=Runs.NO,
        loss=_COMPRESSION,
        manual="9.2",
    ),
    Keyword(
        name="compression",
        where=Context.ANY_PROXY,
        since=(1, 8),
        deprecated=(3, 4),
        instead="comp-req and comp-res",
        runs=Runs.NO,
        loss=_COMPRESSION,
        manual="9.2",
        ok=("filter compression",),
    ),
    Keyword(
        name="fcgi-app",
        where=Context.ANY_PROXY,
        args=(_NAME,),
        since=(2, 2),
        runs=Runs.NO,
        loss="FastCGI is not spoken",
        manual="9.5",
        bad=("filter fcgi-app",),
    ),
    Keyword(
        name="opentracing",
        where=Context.ANY_PROXY,
        args=(_REST,),
        since=(2, 4),
        runs=Runs.NO,
        loss="nothing is traced",
        manual="9.6",
        bad=("filter opentracing",),
    ),
    Keyword(
        name="spoe",
        where=Context.ANY_PROXY,
        args=(_REST,),
        since=(1, 8),
        runs=Runs.NO,
        loss="no agent is asked",
        manual="9.3",
        bad=("filter spoe", "filter spoe config no-such-file.conf"),
    ),
    Keyword(
        name="trace",
        where=Context.ANY_PROXY,
        args=(_REST,),
        since=(1, 8),
        runs=Runs.NO,
        loss="nothing is printed",
        manual="9.1",
        ok=("filter trace", "filter trace name a hexdump"),
        bad=("filter trace name",),
    ),
)

TABLE: Final = Table("filters", ENTRIES)
