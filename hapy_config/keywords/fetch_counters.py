"""The rows of the stick-table counters, which come in families: by tracked index, by source address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hapy_config.keywords.fetch_rows import RUNNING, SESSION, Source

#: Counters of stick tables, read through `sc_NAME(index[,table])`, `sc0_NAME([table])` and `src_NAME(table)`.
_COUNTERS: Final = (
    "bytes_in_rate",
    "bytes_out_rate",
    "clr_gpc0",
    "clr_gpc1",
    "conn_cnt",
    "conn_cur",
    "conn_rate",
    "get_gpc0",
    "get_gpc1",
    "get_gpt0",
    "glitch_cnt",
    "glitch_rate",
    "gpc0_rate",
    "gpc1_rate",
    "http_err_cnt",
    "http_err_rate",
    "http_fail_cnt",
    "http_fail_rate",
    "http_req_cnt",
    "http_req_rate",
    "inc_gpc0",
    "inc_gpc1",
    "kbytes_in",
    "kbytes_out",
    "sess_cnt",
    "sess_rate",
)
_INDEXED_COUNTERS: Final = ("clr_gpc", "get_gpc", "get_gpt", "gpc_rate", "inc_gpc")
#: The first version of the counters that 1.5 did not have.
_COUNTER_SINCE: Final = {
    "get_gpt0": "1.8",
    "clr_gpc1": "2.0",
    "get_gpc1": "2.0",
    "gpc1_rate": "2.0",
    "inc_gpc1": "2.0",
    "http_fail_cnt": "2.4",
    "http_fail_rate": "2.4",
    "glitch_cnt": "3.0",
    "glitch_rate": "3.0",
}


def counter_rows() -> Iterator[tuple[Source, str]]:
    """The rows of all stick-table counters."""
    for name in _COUNTERS:
        source = SESSION if name.startswith("kbytes") else RUNNING
        since = f" [{_COUNTER_SINCE[name]}]" if name in _COUNTER_SINCE else ""
        for number in "012":
            yield source, f"sc{number}_{name}([table]): sint{since}"
        yield source, f"sc_{name}(integer[,table]): sint{since}"
        yield SESSION, f"src_{name}(table): sint{since}"
    for name, kind in (("tracked", "bool"), ("trackers", "sint")):
        for number in "012":
            yield RUNNING, f"sc{number}_{name}([table]): {kind}"
        yield RUNNING, f"sc_{name}(integer[,table]): {kind}"
    for number in "012":
        yield RUNNING, f"sc{number}_key: any [3.2]"
    yield RUNNING, "sc_key(integer): any [3.2]"
    for name in _INDEXED_COUNTERS:
        yield RUNNING, f"sc_{name}(integer,integer[,table]): sint [2.6]"
        yield SESSION, f"src_{name}(integer,table): sint [2.6]"
    yield RUNNING, "sc1_clr_gpc(integer[,table]): sint [2.6]"
    yield SESSION, "src_updt_conn_cnt(table): sint"
