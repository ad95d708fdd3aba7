"""The statistics page and the exporter of metrics: who gets them, their heads, their numbers, what forms do."""

from __future__ import annotations

import base64
import re

from compat.harness import World
from compat.harness.client import Client
from compat.harness.message import Message
from compat.harness.targets import wait_until
from compat.scenarios.stats_socket import _COLUMNS

_VARYING = re.compile(
    r"^(h1_|bout|smax|lastsess|lastchg|slim|.?rate|conn_rate|req_rate|.time)|_conn_|_icur|check_duration"
)


def _ask(
    world: World, target: str, *headers: str, listener: str = "fe", method: str = "GET", body: str = ""
) -> Message:
    """One request on a connection of its own that is no part of the transcript."""
    client = Client(world.listeners[listener].getsockname())
    try:
        if body or method == "POST":
            answer = client.post(target, body.encode(), *headers)
        else:
            answer = client.get(target, *headers, method=method)
    finally:
        client.close()
    assert answer is not None
    return answer


def _head(world: World, target: str, *headers: str, **options: str) -> None:
    """Note the head of an answer."""
    answer = _ask(world, target, *headers, **options)
    world.note(f"{options.get('method', 'GET')} {options.get('listener', 'fe')} {target}")
    for line in answer.head.decode("latin-1").split("\r\n"):
        world.note("    " + line)
    world.note(f"    [{answer.framing}] {'with' if answer.body else 'without'} a body")


def _csv(world: World, target: str, listener: str = "fe", names: str = "") -> None:
    """Note the rows of a table, what varies left out."""
    text = _ask(world, target, listener=listener).body.decode()
    for line in text.splitlines():
        values = dict(zip(_COLUMNS, line.split(","), strict=False))
        if line.startswith("#"):
            world.note(line)
        elif not names or values["pxname"] in names.split():
            world.note(",".join("" if _VARYING.search(name) else value for name, value in values.items()))


def _login(pair: str) -> str:
    return f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"


def access(world: World) -> None:
    """Addresses, accounts, rules, defaults: which requests get the page and what its heads are."""
    world.origin("a")
    world.start(
        """
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
    stats uri /defaults
    stats auth d:d
frontend fe
    bind fd@${fe}
    http-request deny if { path /denied } or { url_sub never }
    redirect location /elsewhere if { path /defaults }
    default_backend be
frontend own
    bind fd@${own}
    stats refresh 3s
    http-after-response set-header x-after yes
    default_backend be
frontend described
    bind fd@${described}
    stats show-desc some words
    http-request allow
    default_backend be
backend be
    stats uri /in/backend
    stats refresh 1500ms
    stats auth a:b:c
    stats auth nothing
    server a {a}
listen tied
    bind fd@${tied}
    cookie SRV insert
    http-request deny if { path /denied }
    stats uri /s
    server a {a} cookie A
frontend totied
    bind fd@${totied}
    default_backend tiedback
backend tiedback
    cookie SRV insert
    http-request deny if { path /denied }
    http-request wait-for-body time 1s if METH_POST
    stats uri /s
    server a {a} cookie A
listen ruled
    bind fd@${ruled}
    stats http-request deny if { url_sub no }
    stats http-request allow if { url_sub yes }
    stats http-request redirect location /away if { url_sub away }
    stats http-request auth realm a\\ realm
    server a {a}
listen everything
    bind fd@${everything}
    stats uri /
    stats scope .
    stats realm one\\ two
    stats auth x:y
    option forwardfor
""",
        bare=True,
    )
    for target in ("/defaults", "/denied", "/defaults?never", "/other", "/in/backend", "/haproxy?stats"):
        _head(world, target)
    for pair in ("d:d", "d:", "e:d", "d:dd"):
        _head(world, "/defaults;csv", _login(pair))
    _head(world, "/defaults;csv", "Authorization: Basic !!!")
    for pair in ("a:b:c", "a:b", "nothing:"):
        _head(world, "/in/backend;csv", _login(pair))
    for target in ("/haproxy?stats", "/haproxy?stats;norefresh", "/haproxy?stats;csv", "/haproxy?stats;typed"):
        _head(world, target, listener="own")
    for target in ("/haproxy?stats;json", "/haproxy?stats;json-schema", "/haproxy?statsmore", "//haproxy?stats"):
        _head(world, target, listener="own")
    for method in ("HEAD", "PUT", "OPTIONS", "POST"):
        _head(world, "/haproxy?stats;csv", listener="own", method=method)
    _head(world, "http://hapy.test/haproxy?stats", listener="own")
    _head(world, "/haproxy?stats", listener="described")
    _head(world, "/defaults", listener="described")
    for word in ("no", "yes", "away", "else"):
        _head(world, f"/haproxy?stats;{word}", listener="ruled")
    _head(world, "/x", listener="everything")
    for listener in ("tied", "totied"):
        for target in ("/s", "/denied", "/x"):
            _head(world, target, listener=listener)
        _head(world, "/s", listener=listener, method="POST", body="s=a&action=maint&b=tied")
    _csv_rows = _ask(world, "/;csv", _login("x:y"), listener="everything").body.decode().splitlines()
    world.note(" ".join(line.partition(",")[0] for line in _csv_rows))
    client = Client(world.listeners["ruled"].getsockname())  # and the connection goes on
    statuses = [client.get(target) for target in ("/haproxy?stats;yes", "/haproxy?stats;csv;yes", "/x")]
    client.close()
    world.note(" ".join(str(answer.status) if answer else "none" for answer in statuses))


def numbers(world: World) -> None:
    """What the tables tell after some traffic."""
    world.origin("a")
    world.origin("b")
    world.start(
        """
global
    maxconn 1000
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
    retries 0
frontend fe
    bind fd@${fe} name first
    bind fd@${fe2}
    option socket-stats
    http-request deny if { path /denied }
    use_backend gone if { path /gone }
    default_backend be
backend be
    fullconn 10
    cookie SRV insert
    server a {a} cookie A
    server b {b} cookie B disabled backup
backend gone
    server g 127.0.0.1:1
listen both
    bind fd@${both}
    http-request return status 204 if { path /here }
    server a {a} maxconn 7
frontend stats
    bind fd@${stats}
    stats enable
    stats uri /s
""",
        bare=True,
    )
    for target in ("/", "/denied", "/gone", "/"):
        world.once(target)
    world.once("/", listener="fe2")
    world.once("/denied", listener="fe2")
    world.once("/", listener="both")
    world.once("/here", listener="both")
    _csv(world, "/s;csv", "stats", "fe be gone both")
    for target in ("/s;csv;up", "/s;csv;no-maint", "/s;csv;scope=OT", "/s;csv;scope=bo;up", "/s;csv;scope=bo%"):
        world.note(target)
        rows = _ask(world, target, listener="stats").body.decode().splitlines()[1:]
        world.note(" ".join("/".join(row.split(",")[:2]) for row in rows))


def forms(world: World) -> None:
    """What forms do, and what is said of it."""
    world.origin("a")
    world.origin("b")
    world.start(
        """
global
    log {syslog} local0
defaults
    mode http
    log global
    timeout client 5s
    timeout server 5s
    timeout connect 5s
listen fe
    bind fd@${fe}
    stats uri /s
    stats refresh 5s
    stats admin if { req.hdr(x-admin) yes }
    server a {a}
    server b {b} check inter 1h
backend other
    server a {a}
frontend closed
    bind fd@${closed}
    stats uri /s
""",
        bare=True,
    )
    world.once("/x")
    world.once("/x")
    for origin in world.origins.values():
        origin.order.clear()

    def post(body: str, target: str = "/s", listener: str = "fe") -> None:
        answer = _ask(world, target, "X-Admin: yes", listener=listener, body=body, method="POST")
        world.note(f"{target} {body[:60]}: {answer.start} {answer.header('location')} {answer.framing}")

    _head(world, "/s", method="POST", body="s=a&action=maint&b=fe")
    post("s=a&action=maint&b=fe", listener="closed")
    post("")
    post("junk")
    for body in ("s=a&b=fe", "s=a&action=maint", "action=maint&b=fe", "s=x&action=maint&b=fe", "s=a&action=xx&b=fe"):
        post(body)
    for body in ("s=a&action=maint&b=nope", "s=a&action=maint&b=closed", "s=a&action=maint&b=%23999"):
        post(body)
    post("s=a&s=x&action=drain&b=fe")
    post("s=a&action=ready&b=%66e")
    post("b=fe&action=dr%61in&s=a", "/s;up;norefresh;scope=fe")
    post("s=a&action=ready&b=fe", "/s;csv;no-maint")
    post("s=a&s=b&action=" + "x" * 20000)
    for action in ("maint", "ready", "dhlth", "ehlth", "hdown", "hrunn", "shutdown"):
        post(f"s=b&action={action}&b=fe")
        rows = _ask(world, "/s;csv").body.decode().splitlines()[1:]
        world.note("    " + next(row.split(",")[17] for row in rows if row.startswith("fe,b,")))
    client = world.client()
    client.send("POST /s HTTP/1.1\r\nHost: x\r\nX-Admin: yes\r\nExpect: 100-continue\r\nContent-Length: 21\r\n\r\n")
    client.receive("POST")
    client.send("s=a&action=ready&b=fe")
    client.receive("POST")
    for action in ("dagent", "eagent", "arunn", "adown"):
        post(f"s=a&action={action}&b=fe")


def metrics(world: World) -> None:
    """The exporter: names, labels, states, and what its query chooses."""
    world.origin("a")
    world.start(
        """
global
    maxconn 1000
    log {syslog} local0
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend fe
    bind fd@${fe}
    http-request use-service prometheus-exporter if { path /metrics }
    log global
    log-format "%f %b/%s %ST %ts %TR/%Tw/%Tc"
    default_backend be
backend be
    server a {a} weight 3
    server b {a} disabled
    server c {a} weight 0 maxconn 4
listen tcp
    mode tcp
    bind fd@${tcp} name one
    option socket-stats
    fullconn 5
    server a {a}
""",
        bare=True,
    )
    world.once("/")
    wait_until(lambda: any(" be/a " in line for line in world.syslog.lines))  # it has been counted as well by then
    text = _ask(world, "/metrics").body.decode()
    for line in text.splitlines():
        if "hapy_server_reuse" in line:
            continue  # hapy's own
        if line.startswith("# TYPE"):
            world.note(line)
        elif not line.startswith("#"):
            name = line.partition("{")[0].partition(" ")[0]
            varying = "_process_" in name or re.search(
                r"bytes|rate|seconds|prometheus|current_|connections|max_sess", name
            )
            shown = line.rpartition(" ")[0] if varying else line
            world.note(re.sub(r'version="[^"]*"', "version", shown))
    for query in ("scope=frontend", "scope=", "scope=*", "scope=global&scope=server", "scope=server&no-maint", "x=y"):
        answer = _ask(world, f"/metrics?{query}")
        types = [line.split("_")[1] for line in answer.body.decode().splitlines() if line.startswith("# TYPE haproxy")]
        world.note(f"{query}: {answer.status} {[(word, types.count(word)) for word in dict.fromkeys(types)]}")
    _head(world, "/metrics?scope=nope")
    _head(world, "/metrics", method="HEAD")
    _head(world, "/metrics")
    world.logs(2)


def oddities(world: World) -> None:
    """What the log says of an answer that asks for a password, and an answer to HTTP/1.0."""
    world.start(
        """
global
    log {syslog} local0
defaults
    mode http
    log global
    timeout client 5s
listen fe
    bind fd@${fe}
    log-format "%s %ST %ts"
    stats uri /s
    stats auth a:b
frontend old
    bind fd@${old}
    stats uri /s
    no log
""",
        bare=True,
    )
    _head(world, "/s")
    client = Client(world.listeners["old"].getsockname())
    answer = client.get("/s;csv", version="1.0")
    client.close()
    world.note(answer.framing if answer else "none")
    world.logs(1)
