"""Which of HAProxy's build features hapy has, under HAProxy's names, and the texts of `-v` and `-vv`.

The list is read by scripts and by `feature()` in configurations: a name with a plus is something that works here.
"""

from __future__ import annotations

import os
import platform

from hapy import compiled
from hapy.version import HAPROXY_VERSION, __version__
from hapy_config.keywords import table
from hapy_config.keywords.spec import Runs

_ALWAYS = ("ACCEPT4", "EPOLL", "GETADDRINFO", "LINUX_TPROXY", "SYSTEMD", "TFO", "TPROXY")

_OTHERS = (
    "51DEGREES",
    "BACKTRACE",
    "CLOSEFROM",
    "CPU_AFFINITY",
    "CRYPT_H",
    "DEVICEATLAS",
    "DL",
    "ENGINE",
    "EVPORTS",
    "KQUEUE",
    "LIBCRYPT",
    "LINUX_SPLICE",
    "LUA",
    "MEMORY_PROFILING",
    "NETFILTER",
    "NS",
    "OBSOLETE_LINKER",
    "OPENSSL",
    "OT",
    "PCRE",
    "PCRE2",
    "PCRE2_JIT",
    "PCRE_JIT",
    "POLL",
    "PRCTL",
    "PROCCTL",
    "PROMEX",
    "QUIC",
    "RT",
    "SLZ",
    "STATIC_PCRE",
    "STATIC_PCRE2",
    "THREAD",
    "THREAD_DUMP",
    "WURFL",
    "ZLIB",
)

#: Features that hapy has when it runs a keyword: feature, family, keyword.
_BY_KEYWORD = (
    ("OPENSSL", "binds", "ssl"),
    ("SLZ", "proxies", "compression algo"),
    ("LUA", "globals", "lua-load"),
    ("PROMEX", "services", "prometheus-exporter"),
    ("LIBCRYPT", "userlist", "user"),
    ("CRYPT_H", "userlist", "user"),
)


def have() -> frozenset[str]:
    """What `feature(NAME)` is true for."""
    run = (name for name, family, word in _BY_KEYWORD if _runs(family, word))
    return frozenset((*_ALWAYS, *run))


def _runs(family: str, word: str) -> bool:
    entry = table(family).get(word)
    return entry is not None and entry.runs is Runs.YES


def _services() -> list[str]:
    """What `use-service` can name."""
    return [entry.name for entry in table("services") if entry.runs is Runs.YES]


def ssl_library() -> str:
    """The TLS library's name and version, empty without TLS."""
    if not _runs("binds", "ssl"):
        return ""
    import ssl

    return ssl.OPENSSL_VERSION


def banner() -> str:
    """What `-v` prints."""
    system = os.uname()
    return (
        f"HAProxy version {HAPROXY_VERSION} (hapy {__version__})\n"
        f"Status: hapy runs configurations of HAProxy {HAPROXY_VERSION.rpartition('.')[0]}.\n"
        f"Running on: {system.sysname} {system.release} {system.version} {system.machine}\n"
    )


def pollers() -> str:
    """The polling systems, as HAProxy lists them."""
    return (
        "Available polling systems :\n      epoll : pref=300,  test result OK\nTotal: 1 (1 usable), will use epoll.\n"
    )


def filters() -> str:
    """The filters, as HAProxy lists them: none is run."""
    return "Available filters :\n\tnone\n"


def build_report() -> str:
    """What `-vv` prints."""
    features = have()
    listed = sorted((name, "+" if name in features else "-") for name in (*_ALWAYS, *_OTHERS))
    options = " ".join(f"USE_{name}=1" for name in sorted(features))
    tls = ssl_library()
    built = (
        f"Built with OpenSSL version : {tls}\nRunning on OpenSSL version : {tls}"
        if tls
        else "Built without OpenSSL support."
    )
    libraries = "".join(f"Running with {name} version : {version}\n" for name, version in _libraries())
    parts = (
        f"""{banner()}Build options :
  TARGET  = linux-glibc
  CPU     = {platform.machine()}
  CC      = {platform.python_implementation()} {platform.python_version()}
  OPTIONS = {options}
""",
        f"Feature list : {' '.join(sign + name for name, sign in listed)}\n",
        "Default settings :\n  bufsize = 16384, maxrewrite = 1024, maxpollevents = 200\n",
        f"""Built without multi-threading support.
{built}
Built without Lua support.
Built with transparent proxy support using: IP_TRANSPARENT IPV6_TRANSPARENT
Running on Python version : {platform.python_version()}
Running with the path of a request : {"compiled" if compiled.is_used() else "as source"}
{libraries}""",
        pollers(),
        """Available multiplexer protocols :
(protocols marked as <default> cannot be specified using 'proto' keyword)
  <default> : mode=HTTP  side=FE|BE  mux=H1    flags=HTX
         h1 : mode=HTTP  side=FE|BE  mux=H1    flags=HTX|NO_UPG
  <default> : mode=TCP   side=FE|BE  mux=PASS  flags=
       none : mode=TCP   side=FE|BE  mux=PASS  flags=NO_UPG
""",
        f"Available services : {' '.join(_services()) or 'none'}\n{filters()}",
    )
    return "\n".join(parts)


def _libraries() -> list[tuple[str, str]]:
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in ("anyio", "uvloop", "httptools", "h11"):
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, "not installed"))
    return found
