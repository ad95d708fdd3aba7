"""Statements of the global section about TLS, Lua, the inner HTTP client and device detection (manual, section 3)."""

from __future__ import annotations

from typing import Any, Final

from hapy_config.keywords.spec import Arg, Context, Keyword, Kind, Runs

_NOT_SO: Final = "TLS is spoken as Python's OpenSSL does it"
_NO_LUA: Final = "Lua is not run: what its scripts do does not happen"
_NO_CLIENT: Final = "hapy makes no requests of its own"

_TEXT: Final = Arg(Kind.STRING, "text")
_DIRECTORY: Final = Arg(Kind.DIRECTORY, "directory")
_NUMBER: Final = Arg(Kind.INTEGER, "number", lax=True)
_ON_OFF: Final = Arg(Kind.CHOICE, "value", ("on", "off"))
_REST_MAYBE: Final = Arg(Kind.REST, "arguments", optional=True)


def _global(name: str, *args: Arg, manual: str = "3.1", **more: Any) -> Keyword:
    return Keyword(name=name, where=Context.GLOBAL, args=args, manual=manual, **more)


def _tls(name: str, *args: Arg, **more: Any) -> Keyword:
    """A setting of TLS."""
    if name not in _RUN:
        more.setdefault("runs", Runs.HARMLESS)
        more.setdefault("loss", _NOT_SO)
    return _global(name, *args, **more)


#: Settings of TLS that hapy runs.
_RUN: Final = frozenset(
    {
        "ca-base",
        "crt-base",
        "key-base",
        "issuers-chain-path",
        "ssl-default-bind-ciphers",
        "ssl-default-bind-ciphersuites",
        "ssl-default-bind-curves",
        "ssl-default-bind-options",
        "ssl-default-server-ciphers",
        "ssl-default-server-ciphersuites",
        "ssl-default-server-options",
        "ssl-dh-param-file",
        "ssl-load-extra-del-ext",
        "ssl-load-extra-files",
        "ssl-server-verify",
        "ssl-skip-self-issued-ca",
    }
)


_TLS: Final = (
    _tls("ca-base", _DIRECTORY, ok=("ca-base /tmp",), bad=("ca-base", "ca-base /a /b")),
    _tls("crt-base", _DIRECTORY, ok=("crt-base /tmp",), bad=("crt-base", "crt-base /a /b")),
    _tls("key-base", _DIRECTORY, since=(3, 0)),
    _tls(
        "issuers-chain-path",
        _DIRECTORY,
        since=(2, 2),
        ok=("issuers-chain-path /tmp",),
        bad=("issuers-chain-path", "issuers-chain-path /nonexistent", "issuers-chain-path /tmp x"),
    ),
    _tls(
        "ssl-default-bind-ciphers",
        _TEXT,
        ok=("ssl-default-bind-ciphers HIGH",),
        bad=("ssl-default-bind-ciphers", "ssl-default-bind-ciphers a b"),
    ),
    _tls(
        "ssl-default-bind-ciphersuites",
        _TEXT,
        since=(1, 9),
        ok=("ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256",),
        bad=("ssl-default-bind-ciphersuites", "ssl-default-bind-ciphersuites a b"),
    ),
    _tls("ssl-default-bind-client-sigalgs", _TEXT, since=(2, 8)),
    _tls(
        "ssl-default-bind-curves",
        _TEXT,
        since=(2, 1),
        ok=("ssl-default-bind-curves X25519",),
        bad=("ssl-default-bind-curves", "ssl-default-bind-curves a b"),
    ),
    _tls(
        "ssl-default-bind-options",
        Arg(Kind.REST, "options"),
        since=(1, 6),
        ok=("ssl-default-bind-options no-sslv3 no-tls-tickets ssl-min-ver TLSv1.2 prefer-client-ciphers",),
        bad=("ssl-default-bind-options", "ssl-default-bind-options x", "ssl-default-bind-options ssl-min-ver"),
    ),
    _tls("ssl-default-bind-sigalgs", _TEXT, since=(2, 8)),
    _tls(
        "ssl-default-server-ciphers",
        _TEXT,
        ok=("ssl-default-server-ciphers HIGH",),
        bad=("ssl-default-server-ciphers", "ssl-default-server-ciphers a b"),
    ),
    _tls(
        "ssl-default-server-ciphersuites",
        _TEXT,
        since=(1, 9),
        ok=("ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256",),
        bad=("ssl-default-server-ciphersuites", "ssl-default-server-ciphersuites a b"),
    ),
    _tls("ssl-default-server-client-sigalgs", _TEXT, since=(2, 9)),
    _tls("ssl-default-server-curves", _TEXT, since=(2, 9)),
    _tls(
        "ssl-default-server-options",
        Arg(Kind.REST, "options"),
        since=(1, 6),
        ok=("ssl-default-server-options no-tls-tickets ssl-max-ver TLSv1.3",),
        bad=("ssl-default-server-options", "ssl-default-server-options x"),
    ),
    _tls("ssl-default-server-sigalgs", _TEXT, since=(2, 9)),
    _tls(
        "ssl-dh-param-file",
        Arg(Kind.FILE, "file"),
        since=(1, 6),
        bad=("ssl-dh-param-file", "ssl-dh-param-file /nonexistent", "ssl-dh-param-file a b"),
    ),
    _tls("ssl-engine", _TEXT, _REST_MAYBE, since=(1, 8), needs="USE_ENGINE"),
    _tls("ssl-load-extra-del-ext", surplus=True, since=(2, 3), ok=("ssl-load-extra-del-ext",)),
    _tls(
        "ssl-load-extra-files",
        Arg(Kind.CHOICE, "kinds", ("none", "all", "bundle", "sctl", "ocsp", "issuer", "key"), repeat=True),
        since=(2, 1),
        ok=("ssl-load-extra-files none", "ssl-load-extra-files sctl ocsp"),
        bad=(
            "ssl-load-extra-files",
            "ssl-load-extra-files x",
            "ssl-load-extra-files all bundle",
            "ssl-load-extra-files none none",
        ),
    ),
    _tls("ssl-mode-async", surplus=True, since=(1, 8), ok=("ssl-mode-async",)),
    _tls("ssl-passphrase-cmd", _TEXT, _REST_MAYBE, since=(3, 3)),
    _tls(
        "ssl-propquery",
        _TEXT,
        surplus=True,
        since=(2, 6),
        ok=("ssl-propquery provider=default",),
        bad=("ssl-propquery", "ssl-propquery a:b"),
    ),
    _tls(
        "ssl-provider",
        _TEXT,
        surplus=True,
        since=(2, 6),
        ok=("ssl-provider default",),
        bad=("ssl-provider", "ssl-provider no-such-provider"),
    ),
    _tls(
        "ssl-provider-path",
        _DIRECTORY,
        surplus=True,
        since=(2, 6),
        ok=("ssl-provider-path /tmp",),
        bad=("ssl-provider-path",),
    ),
    _tls("ssl-security-level", _NUMBER, since=(2, 9)),
    _tls(
        "ssl-server-verify",
        Arg(Kind.CHOICE, "value", ("none", "required")),
        ok=("ssl-server-verify none", "ssl-server-verify required"),
        bad=("ssl-server-verify", "ssl-server-verify x", "ssl-server-verify none x"),
    ),
    _tls("ssl-skip-self-issued-ca", surplus=True, since=(2, 2), ok=("ssl-skip-self-issued-ca",)),
    _tls("acme.scheduler", Arg(Kind.CHOICE, "value", ("auto", "off")), since=(3, 2)),
    _tls("jwt.decrypt_alg_list", _TEXT, since=(3, 4)),
    _tls("jwt.decrypt_enc_list", _TEXT, since=(3, 4)),
    _tls("ocsp-update.disable", _ON_OFF, since=(2, 9)),
    _tls("ocsp-update.httpproxy", Arg(Kind.ADDRESS, "address"), since=(3, 0)),
    _tls("ocsp-update.maxdelay", _NUMBER, since=(2, 9)),
    _tls("ocsp-update.mindelay", _NUMBER, since=(2, 9)),
    _tls("ocsp-update.mode", _ON_OFF, since=(3, 0)),
)

_LUA: Final = (
    *(
        _global(
            name,
            Arg(Kind.FILE, "file"),
            _REST_MAYBE,
            repeatable=True,
            since=since,
            runs=Runs.NO,
            loss=_NO_LUA,
            ok=(f"{name} /dev/null", f"{name} /dev/null a b"),
            bad=(name, f"{name} /nonexistent"),
        )
        for name, since in (("lua-load", (1, 6)), ("lua-load-per-thread", (2, 4)))
    ),
    _global(
        "lua-prepend-path",
        Arg(Kind.STRING, "path"),
        Arg(Kind.CHOICE, "type", ("path", "cpath"), optional=True),
        repeatable=True,
        since=(2, 2),
        runs=Runs.HARMLESS,
        loss=_NO_LUA,
        ok=("lua-prepend-path /x", "lua-prepend-path /x cpath"),
        bad=("lua-prepend-path", "lua-prepend-path /x y", "lua-prepend-path /x path y"),
    ),
)

_CLIENT: Final = (
    _global(
        "dns-accept-family",
        Arg(Kind.STRING, "families"),
        since=(3, 2),
        runs=Runs.NO,
        loss="names give addresses of all families",
    ),
    *(
        _global(f"httpclient.{name}", *args, manual="3.4", runs=Runs.HARMLESS, loss=_NO_CLIENT, **more)
        for name, args, more in (
            ("resolvers.disabled", (_ON_OFF,), {"since": (2, 8)}),
            (
                "resolvers.id",
                (Arg(Kind.STRING, "id", optional=True),),
                {"since": (2, 6), "ok": ("httpclient.resolvers.id x",), "bad": ("httpclient.resolvers.id a b",)},
            ),
            (
                "resolvers.prefer",
                (Arg(Kind.CHOICE, "family", ("ipv4", "ipv6")),),
                {
                    "since": (2, 6),
                    "ok": ("httpclient.resolvers.prefer ipv4",),
                    "bad": ("httpclient.resolvers.prefer x",),
                },
            ),
            ("retries", (_NUMBER,), {"since": (2, 8)}),
            (
                "ssl.ca-file",
                (Arg(Kind.STRING, "file", optional=True),),
                {"since": (2, 6), "ok": ("httpclient.ssl.ca-file x",), "bad": ("httpclient.ssl.ca-file a b",)},
            ),
            (
                "ssl.verify",
                (Arg(Kind.CHOICE, "value", ("none", "required")),),
                {"since": (2, 6), "ok": ("httpclient.ssl.verify none",), "bad": ("httpclient.ssl.verify x",)},
            ),
            ("timeout.connect", (Arg(Kind.TIME, "timeout"),), {"since": (2, 8)}),
        )
    ),
)

#: Device detection: names, the build option and the first version, by prefix.
_DEVICES: Final = (
    *(
        (f"51degrees-{name}", "USE_51DEGREES", since)
        for name, since in (
            ("allow-unmatched", (2, 7)),
            ("cache-size", (1, 6)),
            ("data-file", (1, 6)),
            ("difference", (2, 7)),
            ("drift", (2, 7)),
            ("property-name-list", (1, 6)),
            ("property-separator", (1, 6)),
            ("use-performance-graph", (2, 7)),
            ("use-predictive-graph", (2, 7)),
        )
    ),
    *(
        (f"deviceatlas-{name}", "USE_DEVICEATLAS", (1, 6))
        for name in ("json-file", "log-level", "properties-cookie", "separator")
    ),
    *(
        (f"wurfl-{name}", "USE_WURFL", (1, 7))
        for name in ("cache-size", "data-file", "information-list", "information-list-separator", "patch-file")
    ),
)

_DETECTION: Final = (
    *(
        _global(name, _REST_MAYBE, needs=needs, since=since, runs=Runs.NO, loss="devices are not detected")
        for name, needs, since in _DEVICES
    ),
    *(
        _global(
            f"wurfl-{name}",
            _REST_MAYBE,
            needs="USE_WURFL",
            since=(1, 7),
            removed=(2, 0),
            instead="nothing: just remove it",
            manual="3.1 of the 1.8 manual",
        )
        for name in ("engine-mode", "useragent-priority")
    ),
)

ENTRIES: Final = (*_TLS, *_LUA, *_CLIENT, *_DETECTION)
