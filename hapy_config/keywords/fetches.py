"""Sample fetches: sections 7.3.2 to 7.3.7 of the configuration manual."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hapy_config.keywords.fetch_counters import counter_rows
from hapy_config.keywords.fetch_rows import ANYWHERE, ROWS, Source
from hapy_config.keywords.samples import Fetch, example
from hapy_config.keywords.spec import OLDEST, TARGET, Runs, Table, Version

_ROW: Final = re.compile(
    r"(?P<name>[\w.+-]+)(?:\((?P<signature>.*)\))?: (?P<type>\w+)"
    r"(?: \[(?P<since>\d\.\d)\])?(?: !(?P<removed>\d\.\d))?$",
)


def _version(text: str | None) -> Version | None:
    if text is None:
        return None
    major, minor = text.split(".")
    return int(major), int(minor)


#: Fetches that hapy does not run: a pattern of names, and what differs.
_NOT_RUN: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (
        re.compile(r"(bs\.|fs\.)"),
        "what passes through is not looked into: the sample is absent",
    ),
    (
        re.compile(r"(sc[012]?|src)_(?!is_local$|port$)|table_(avl|cnt)$"),
        "there are no stick tables: the sample is absent",
    ),
    (re.compile(r"(internal\.|distcc_|fcgi\.|51d\.)"), "the sample is absent"),
    (re.compile(r"res\.(cache|comp)"), "answers are neither cached nor compressed: the sample is absent"),
)
#: Further ones that it does not run.
_SINGLE_NOT_RUN: Final = frozenset(
    (
        "dst_conn",
        *("cpu_calls", "cpu_ns_avg", "cpu_ns_tot", "lat_ns_avg", "lat_ns_tot"),
        "set-cookie",
    ),
)
#: Fetches that run although their family does not.
_SINGLE_RUN: Final = frozenset(
    {
        *("fc_pp_tlv", "internal.strm.is_htx", "ssl_fc"),
        *("req.ssl_cipherlist", "req.ssl_keyshare_groups", "req.ssl_sigalgs", "req.ssl_supported_groups"),
        *("ssl_fc_sigalgs_bin", "ssl_fc_supported_versions_bin", "ssl_fc_curve", "ssl_fc_crtname", "ssl_fc_early_rcvd"),
        *("ssl_c_san", "ssl_c_r_dn", "ssl_bc_curve", "ssl_bc_sni"),
        *(f"ssl_bc_{what}_traffic_secret" for what in ("client_early", "client_handshake", "server_handshake")),
        *("ssl_bc_client_traffic_secret_0", "ssl_bc_server_traffic_secret_0"),
        *("ssl_bc_exporter_secret", "ssl_bc_early_exporter_secret"),
    }
)


def _runs(name: str, since: Version) -> tuple[Runs, str]:
    """What hapy does with a fetch, and what differs."""
    if name in _SINGLE_RUN:
        return Runs.YES, ""
    for pattern, loss in _NOT_RUN:
        if pattern.match(name):
            return Runs.NO, loss
    if (since > TARGET and name not in _SINGLE_RUN) or name in _SINGLE_NOT_RUN:
        return Runs.NO, "the sample is absent"
    return Runs.YES, ""


#: Arguments for the examples of fetches that ask more of theirs than the type.
_EXAMPLE_ARGUMENTS: Final = {
    "bool": "true",
    "bin": "41",
    "var": "txn.x",
    "distcc_body": "ARGV",
    "distcc_param": "ARGV",
    "payload_lv": "0,2",
    "req.payload_lv": "0,2",
    "res.payload_lv": "0,2",
    "internal.htx_blk.data": "head",
    "internal.htx_blk.hdrname": "head",
    "internal.htx_blk.hdrval": "head",
    "internal.htx_blk.size": "head",
    "internal.htx_blk.start_line": "head",
    "internal.htx_blk.type": "head",
}


def _fetch(source: Source, row: str) -> Fetch:
    """One row's entry."""
    match = _ROW.match(row)
    assert match is not None, row
    name, signature = match["name"], match["signature"] or ""
    since, removed = _version(match["since"]) or OLDEST, _version(match["removed"])
    runs, loss = _runs(name, since)
    needs = "USE_51DEGREES" if name.startswith("51d") else ""
    known = since <= TARGET and removed is None and not needs
    call = example(name, signature, _EXAMPLE_ARGUMENTS.get(name))
    return Fetch(
        name=name,
        signature=signature,
        type=match["type"],
        places=source.places,
        reads=source.reads,
        needs=needs,
        since=since,
        removed=removed,
        runs=runs,
        loss=loss,
        manual="7.3",
        ok=((f"acl x {call} g1" if name == "http_auth_group" else f"acl x {call} -m found"),) if known else (),
        bad=(f"acl x {name}(", f"acl x {name},nonesuch -m found") if known else (),
    )


def _entries() -> Iterator[Fetch]:
    for source, rows in ROWS:
        for row in rows.split("\n"):
            if row.strip():
                yield _fetch(source, row.strip())
    for source, row in counter_rows():
        yield _fetch(source, row)


#: What Lua scripts register. Whether a script is loaded, and registers the name, is not for the tables to know.
_LUA: Final = Fetch(
    name="lua.*",
    signature="[string,string,string,string,string,string,string,string,string,string,string,string]",
    type="str",
    places=ANYWHERE.places,
    since=(1, 8),
    runs=Runs.NO,
    loss="Lua scripts are not run: the sample is absent",
    manual="7.3",
)

FETCHES: Final[dict[str, Fetch]] = {**{entry.name: entry for entry in _entries()}, _LUA.name: _LUA}
TABLE: Final = Table("fetches", FETCHES.values())


def find_fetch(name: str) -> Fetch | None:
    """The entry that a name in an expression means, of any version."""
    return FETCHES.get(name) or (_LUA if name.startswith("lua.") else None)
