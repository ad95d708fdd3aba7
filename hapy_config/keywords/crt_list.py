"""Options of a crt-list file's lines, between square brackets (configuration manual, `crt-list` in section 5.1)."""

from __future__ import annotations

from typing import Final

from hapy_config.keywords.binds import FILE, NO_EARLY_DATA, TEXT, TLS_VERSION
from hapy_config.keywords.spec import TARGET, Arg, Context, Keyword, Kind, Runs, Table, Version


def _option(name: str, *args: Arg, since: Version) -> Keyword:
    later = since > TARGET
    return Keyword(
        name=name,
        where=Context.FRONT,
        args=args,
        since=since,
        runs=Runs.NO if later else Runs.HARMLESS if name in ("allow-0rtt", "npn") else Runs.YES,
        loss="the certificate is served without it" if later else NO_EARLY_DATA if name == "allow-0rtt" else "",
        manual="5.1",
    )


_ON_OFF: Final = Arg(Kind.CHOICE, "switch", ("on", "off"))

ENTRIES: Final[tuple[Keyword, ...]] = (
    _option("allow-0rtt", since=(2, 0)),
    _option("alpn", TEXT, since=(1, 8)),
    _option("ca-file", FILE, since=(1, 8)),
    _option("ca-verify-file", FILE, since=(2, 2)),
    _option("ciphers", TEXT, since=(1, 8)),
    _option("ciphersuites", TEXT, since=(2, 0)),
    _option("client-sigalgs", TEXT, since=(2, 8)),
    _option("crl-file", FILE, since=(1, 8)),
    _option("curves", TEXT, since=(1, 8)),
    _option("ecdhe", TEXT, since=(1, 8)),
    _option("no-alpn", since=(2, 8)),
    _option("no-ca-names", since=(1, 8)),
    _option("npn", TEXT, since=(1, 8)),
    _option("crt", FILE, since=(3, 0)),
    _option("issuer", FILE, since=(3, 0)),
    _option("key", FILE, since=(3, 0)),
    _option("ocsp", FILE, since=(3, 0)),
    _option("ocsp-update", _ON_OFF, since=(2, 8)),
    _option("sctl", FILE, since=(3, 0)),
    _option("sigalgs", TEXT, since=(2, 8)),
    _option("ssl-max-ver", TLS_VERSION, since=(1, 8)),
    _option("ssl-min-ver", TLS_VERSION, since=(1, 8)),
    _option("verify", Arg(Kind.CHOICE, "method", ("none", "optional", "required")), since=(1, 8)),
)

TABLE: Final = Table("crt-list", sorted(ENTRIES, key=lambda entry: entry.name))
