"""Commands of the Runtime API, as typed on a stats socket or the master socket (management guide, section 9.3).

A row reads: the command's words; the processes that take it (`m` master, `w` worker) and the mode it needs; the first
version where that is later than 2.6; what follows it. Older guides are not told apart: what 2.6 has counts as old.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.spec import OLDEST, Arg, Context, Keyword, Kind, Runs, Table

_ROWS: Final = """
@!<pid>; m;;
@<relative pid>; m;;
@master; m;;
_getsocks; w;;
abort ssl ca-file; w;; <cafile>
abort ssl cert; w;; <filename>
abort ssl crl-file; w;; <crlfile>
acme renew; w; 3.2; <certificate>
acme status; w; 3.2;
add acl; w;; [@<ver>] <acl> <pattern>
add backend; w experimental; 3.4; <name> from <defproxy> [mode <mode>] [guid <guid>]
add map; w;; [@<ver>] <map> <key> <value>
add server; w;; <backend>/<server> [args]*
add ssl ca-file; w; 2.8; <cafile> <payload>
add ssl crt-list; w;; <crtlist> <certificate>
add ssl ech; w; 3.4; <bind> <payload>
add ssl jwt; w; 3.4; <filename>
clear acl; w;; [@<ver>] <acl>
clear counters; w;;
clear map; w;; [@<ver>] <map>
clear table; w;; <table> ...
commit acl; w;; @<ver> <acl>
commit map; w;; @<ver> <map>
commit ssl ca-file; w;; <cafile>
commit ssl cert; w;; <filename>
commit ssl crl-file; w;; <crlfile>
debug counters; w; 3.2; [reset|show|on|off|all|bug|chk|cnt|glt|?]*
debug dev bug; w expert;;
debug dev check; w expert;;
debug dev close; w expert;;
debug dev delay; w expert;;
debug dev exit; w expert;;
debug dev fd; w expert;;
debug dev hex; w expert;;
debug dev log; w expert;;
debug dev loop; w expert;;
debug dev panic; w expert;;
debug dev sched; w expert;;
debug dev stream; w expert;;
debug dev sym; w expert;;
debug dev tkill; w expert;;
debug dev warn; w expert;;
debug dev write; w expert;;
del acl; w;; <acl> [<key>|#<ref>]
del backend; w; 3.4; <name>
del map; w;; <map> [<key>|#<ref>]
del server; w;; <backend>/<server>
del ssl ca-file; w;; <cafile>
del ssl cert; w;; <certfile>
del ssl crl-file; w;; <crlfile>
del ssl crt-list; w;; <filename> <certfile[:line]>
del ssl ech; w; 3.4; <bind>
del ssl jwt; w; 3.4; <filename>
disable agent; w;; <backend>/<server>
disable dynamic-cookie backend; w;; <backend>
disable frontend; w;; <frontend>
disable health; w;; <backend>/<server>
disable server; w;; <backend>/<server>
dump ssl cert; w; 3.2; <certfile>
dump stats-file; w; 3.0;
echo; mw; 3.0; <text>
enable agent; w;; <backend>/<server>
enable dynamic-cookie backend; w;; <backend>
enable frontend; w;; <frontend>
enable health; w;; <backend>/<server>
enable server; w;; <backend>/<server>
experimental-mode; mw;; [on|off]
expert-mode; mw;; [on|off]
get acl; w;; <acl> <value>
get map; w;; <map> <value>
get var; w;; <name>
get weight; w;; <backend>/<server>
help; mw;; [<command>]
httpclient; w expert;; <method> <URI>
mcli-debug-mode; m;;
new ssl ca-file; w;; <cafile>
new ssl cert; w;; <filename>
new ssl crl-file; w;; <crlfile>
operator; mw;;
prepare acl; w;; <acl>
prepare map; w;; <map>
prompt; mw;;
publish backend; w; 3.4; <backend>
quit; mw;;
reload; m;;
set anon; w; 2.8; [on|off] [<key>] | global-key <key>
set dynamic-cookie-key backend; w;; <backend> <value>
set map; w;; <map> [<key>|#<ref>] <value>
set maxconn frontend; w;; <frontend> <value>
set maxconn global; w;; <maxconn>
set maxconn server; w;; <backend/server> <value>
set profiling; w;; { tasks | memory } { auto | on | off }
set rate-limit; w;; connections global <value>
set server; w;; <backend>/<server> ...
set severity-output; w;; [ none | number | string ]
set ssl ca-file; w;; <cafile> <payload>
set ssl cert; w;; <filename> <payload>
set ssl crl-file; w;; <crlfile> <payload>
set ssl ech; w; 3.4; <bind> <payload>
set ssl ocsp-response; w;; <response | payload>
set ssl tls-key; w;; <id> <tlskey>
set table; w;; <table> key <key> [data.<type> <value>]*
set timeout; w;; cli <delay>
set var; w experimental;; <name> <expression>
set weight; w;; <backend>/<server> <weight>[%]
show acl; w;; [[@<ver>] <acl>]
show activity; w;;
show anon; w; 2.8;
show backend; w;;
show cache; w;;
show cli level; mw;;
show cli sockets; mw;;
show dev; w; 3.0;
show env; w;; [<name>]
show errors; w;; [<iid>|<proxy>] [request|response]
show events; w;; [<sink>] [-w] [-n]
show fd; w;; [<fd>]
show info; w;; [typed|json] [desc] [float]
show libs; w;;
show map; w;; [[@<ver>] <map>]
show peers; w;; [dict|-] [<peers section>]
show pools; w;;
show proc; m;;
show profiling; w;; [{all | status | tasks | memory}] [byaddr] [<max_lines>]
show quic; w; 2.8; [<format>] [<filter>]
show resolvers; w;; [<resolvers section id>]
show schema json; w;;
show servers conn; w;; [<backend>]
show servers state; w;; [<backend>]
show sess; w;; [<id>]
show ssl ca-file; w;; [<cafile>[:<index>]]
show ssl cert; w;; [<filename>]
show ssl crl-file; w;; [<crlfile>[:<index>]]
show ssl crt-list; w;; [-n] [<filename>]
show ssl ech; w; 3.4; [<name>]
show ssl jwt; w; 3.4;
show ssl ocsp-response; w;; [<id>]
show ssl ocsp-updates; w; 2.8;
show ssl providers; w;;
show ssl sni; w; 3.2; [-f <frontend>] [-A] [-t <offset>]
show startup-logs; w;;
show stat; w;; [{<iid>|<proxy>} <type> <sid>] [typed|json] ...
show table; w;; [<table> ...]
show tasks; w;;
show threads; w;;
show tls-keys; w;; [id|*]
show trace; w;; [<source>]
show version; mw;;
shutdown frontend; w;; <frontend>
shutdown session; w;; <id>
shutdown sessions server; w;; <backend>/<server>
trace; w;; <source> ...
unpublish backend; w; 3.4; <backend>
update ssl ocsp-response; w; 2.8; <certfile>
user; mw;;
wait; w; 3.0; { -h | <delay> } [<condition> [<args>...]]
"""

#: The commands that hapy answers.
_RUN: Final = frozenset(
    name.strip()
    for name in """
    clear counters; disable agent; disable dynamic-cookie backend; disable frontend; disable health; disable server
    enable agent; enable dynamic-cookie backend; enable frontend; enable health; enable server; get weight; help
    expert-mode; experimental-mode; operator; prompt; quit; set dynamic-cookie-key backend; set maxconn frontend
    set maxconn global; set maxconn server; set server; set severity-output; set timeout; set weight; show backend
    show cli level; show cli sockets; show env; show info; show resolvers; show schema json; show servers conn
    show servers state; show sess; show stat; show version; shutdown frontend; shutdown session
    shutdown sessions server; user
    """.replace("\n", ";").split(";")
    if name.strip()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Keyword):
    """One command.

    Attributes:
        master: whether the master process takes it.
        worker: whether a worker takes it.
        mode: `expert`, `experimental` or empty: the mode that must be switched on before.
        usage: what follows the command's words.
    """

    where: Context = Context.GLOBAL
    master: bool = False
    worker: bool = False
    mode: str = ""
    usage: str = ""


def _commands() -> Iterator[Command]:
    for row in _ROWS.strip().split("\n"):
        name, where, since, usage = (part.strip() for part in row.split(";", 3))
        processes, _, mode = where.partition(" ")
        version = since.split(".")
        yield Command(
            name=name,
            args=(Arg(Kind.REST, "arguments", optional=True),) if usage else (),
            since=(int(version[0]), int(version[1])) if since else OLDEST,
            master="m" in processes,
            worker="w" in processes,
            mode=mode,
            usage=usage,
            runs=Runs.YES if name in _RUN else Runs.NO,
            loss="" if name in _RUN else "the command is not answered",
            manual="9.3",
        )


TABLE: Final = Table("runtime-api", _commands())
