"""Persistence by cookie: who is sent where, what servers and clients see of the cookie, and the letters in the log."""

from __future__ import annotations

import re

from compat.harness import Connection, World
from hapy.net.clock import wall
from hapy.persist.dates import decode, encode

_REQUEST_COOKIES = (
    "",
    "SRV=A",
    "SRV=B",
    "SRV=D",
    "SRV=X",
    "x=1; SRV=B; y=2",
    "SRV=B; y=2",
    "x=1; SRV=B",
    "SRV = B ;z=2",
    "x = 1;SRV=B",
    'SRV="B"',
    "$Version=1; SRV=B; $Path=/; y=2",
    '$Version="1"; x="a;SRV=A"; SRV=B; $Path="/";$Domain=x',
    "SRV=X; SRV=B",
    "SRV=D; SRV=B",
    "SRV=D; SRV=X",
    "SRV=X; SRV=D",
    "x = 1; y=2",
    "SRV = B;x = 1; SRV=A; z =3",
    "SRV=B; SRV=X",
    "SRV=B; SRV=A",
    "SRV",
    "SRV=",
    "a=1,  SRV=B,c=2; d",
    "SRV=B~val; x=1",
    "SRV=X~val",
    "SRV=~val",
    "SRV=A|x",
    "srv=B",
    ";;SRV=B;;",
    "a;  SRV=B  ;  c ; ",
    'x="SRV=A',
    "SRV=B;x=1;SRV=A;y=2;",
)

_ANSWER_COOKIES = (
    "SRV=v; path=/; SRV=x",
    "x=1",
    "SRV=v@@Set-Cookie: SRV=w",
    "x=1@@Set-Cookie: SRV=w",
    "SRV",
    "SRV=",
    "SRV = v ; path",
    'SRV="v"; a',
    "srv=v",
    "SRV=v, SRV=w; p",
    "; SRV=v",
    "x=1, SRV=v",
)

_MODES = {
    "passive": "cookie SRV",
    "insert": "cookie SRV insert",
    "indirect": "cookie SRV insert indirect nocache",
    "prefix": "cookie SRV prefix",
    "rewrite": "cookie SRV rewrite",
    "preserve": "cookie SRV insert indirect preserve nocache",
    "posts": "cookie SRV insert postonly",
    "attributes": "cookie SRV insert httponly secure domain .a.b domain .c.d attr x=1 attr y",
    "hidden": "cookie SRV prefix indirect",
    "only": "cookie SRV indirect",
}

#: Lines without a mode: no letters.
_BARE = ("nocache", "httponly secure", "postonly", "dynamic", "domain .x attr y", "indirect nocache")

_SERVERS = """
    use-server a if { req.hdr(x-use) a }
    use-server n if { req.hdr(x-use) n }
    ignore-persist if { path_end ignored }
    force-persist if { path_end forced }
    server a {a} cookie A
    server b {b} cookie B weight 0
    server d {dead} cookie D disabled
    server d2 {dead} cookie E disabled
    server e {b} cookie E weight 0
    server n {a} weight 0
"""


def _script(connection: Connection) -> None:
    """Answers with the fields and the status that the request asks for."""
    while (message := connection.read()) is not None:
        fields = {name.lower(): value for name, _, value in (line.strip().partition(": ") for line in message.lines())}
        headers = tuple(fields["x-set"].split("@@")) if "x-set" in fields else ()
        seen = [line.strip() for line in message.lines() if line.strip().lower().startswith("cookie")]
        headers = (*headers, *(f"X-Seen: {line}" for line in seen))
        connection.reply(connection.origin.name.encode(), fields.get("x-status", "200 OK"), headers)


class _Teller:
    """Sends requests one after another and notes each with its answer's cookies and its line in the log."""

    def __init__(self, world: World, backends: dict[str, str], front: str = "", shows_ages: int | None = None) -> None:
        self.world = world
        self.shows_ages = shows_ages
        self.count = 0
        for name in ("a", "b"):
            world.origin(name, _script)
        world.origin("dead").stop()
        uses = "".join(f"    use_backend {name} if {{ path_beg /{name}/ }}\n" for name in backends)
        sections = "".join(f"backend {name}\n    {lines}\n" for name, lines in backends.items())
        world.start(f'frontend fe\n    bind "fd@${{fe}}"\n    option httplog\n{front}{uses}{sections}')
        self.client = world.client()

    def tell(self, target: str, *headers: str, method: str = "GET") -> None:
        """One request."""
        client = self.client
        start = len(client.seen)
        client.get(target, *headers, method=method)
        answer = client.seen[start:]
        client.seen.clear()
        self.count += 1
        self.world.syslog.wait(self.count)
        lines = self.world.syslog.traffic()
        log = lines[self.count - 1] if len(lines) >= self.count else "no line"
        shown = [self._masked(line.strip()) for line in answer if re.search(r"HTTP/|cookie|cache-control|x-seen", line)]
        server = re.search(r" (\w+/[\w<>]+) .* (\d+) \d+ - - (\S+) ", log)
        self.world.note(f"{method} {target} {[self._masked(header) for header in headers]}")
        self.world.note(f"    {' '.join(server.groups()) if server else log} {shown}")

    def _masked(self, line: str) -> str:
        """Without dates, or with ages in their place, to ten minutes."""
        start = self.shows_ages
        if start is None:
            return re.sub(r"\|[\w+/]{5}", "|date", line)
        return re.sub(
            r"(?<=\|)[\w+/]{5}", lambda match: str(round((start - decode(match[0].encode())) / 600) * 10), line
        )

    def end(self) -> None:
        """Leave nothing in the transcript but the notes."""
        for origin in self.world.origins.values():
            origin.order.clear()


def requests(world: World) -> None:
    """What becomes of cookies in requests, in every mode."""
    teller = _Teller(world, {name: line + _SERVERS for name, line in _MODES.items()})
    for mode in ("passive", "indirect", "prefix", "rewrite", "only"):
        for cookie in _REQUEST_COOKIES:
            teller.tell(f"/{mode}/", *((f"Cookie: {cookie}",) if cookie else ()))
    for mode in ("insert", "hidden"):
        for cookie in ("", "SRV=B", "SRV=D", "SRV=E", "SRV=X; a=1", "SRV=B~v", "x=1; SRV=B"):
            teller.tell(f"/{mode}/", *((f"Cookie: {cookie}",) if cookie else ()))
    for mode in ("indirect", "prefix", "rewrite", "passive"):
        teller.tell(f"/{mode}/", "Cookie: SRV=B", "Cookie: y=1")
        teller.tell(f"/{mode}/", "Cookie: y=1", "Cookie: SRV=B~1")
        teller.tell(f"/{mode}/", "Cookie: SRV=A", "Cookie: SRV=B")
        for tail in ("ignored", "forced"):
            for cookie in ("x=1", "SRV=B~x", "SRV=B", "SRV=X"):
                teller.tell(f"/{mode}/{tail}", f"Cookie: {cookie}")
        for server in "an":
            teller.tell(f"/{mode}/", "Cookie: SRV=B~1", f"X-Use: {server}")
            teller.tell(f"/{mode}/", f"X-Use: {server}")
    teller.end()


def answers(world: World) -> None:
    """What becomes of cookies that servers set, and who gets one from the proxy."""
    teller = _Teller(world, {name: line + _SERVERS for name, line in _MODES.items()})
    for mode in _MODES:
        for cookie in _ANSWER_COOKIES:
            teller.tell(f"/{mode}/", f"X-Set: Set-Cookie: {cookie}")
        for cookie in ("x=1", "SRV=A", "SRV=B"):
            for theirs in ("SRV=v", "x=1", "x=2@@Set-Cookie: SRV=w"):
                teller.tell(f"/{mode}/", f"X-Set: Set-Cookie: {theirs}", f"Cookie: {cookie}")
        teller.tell(f"/{mode}/", "X-Set: Set-Cookie2: SRV=v")
        teller.tell(f"/{mode}/", "X-Set: Set-Cookie: SRV=v", "X-Use: n")
        teller.tell(f"/{mode}/", method="POST")
        teller.tell(f"/{mode}/ignored", "X-Set: Set-Cookie: SRV=v", "Cookie: SRV=A")
    teller.end()


def dates(world: World) -> None:
    """`maxidle` and `maxlife`: cookies that are too old, refreshed ones, dates that make no sense."""
    backends = {
        "idle": "cookie SRV insert indirect maxidle 30m",
        "life": "cookie SRV insert indirect maxlife 30m",
        "both": "cookie SRV insert indirect maxidle 30m maxlife 8h",
        "none": "cookie SRV insert indirect",
        "prefix": "cookie SRV prefix maxidle 30m",
    }
    teller = _Teller(world, {name: line + _SERVERS for name, line in backends.items()})
    now = int(wall())
    moments = {"now": 60, "recent": -600, "old": -7200, "ancient": -720000, "soon": 3600, "far": 100000}
    texts = {name: encode(now + offset).decode() for name, offset in moments.items()} | {"broken": "a!b", "none": ""}
    for backend in backends:
        teller.tell(f"/{backend}/")
        for last, text in texts.items():
            world.note(last)
            teller.tell(f"/{backend}/", f"Cookie: SRV=B|{text}")
            for first in ("now", "recent", "old", "ancient", "far", "broken"):
                if backend == "none" and first == "broken":
                    continue
                world.note(f"{last} {first}")
                teller.tell(f"/{backend}/", f"Cookie: SRV=B|{text}|{texts[first]}")
        teller.tell(f"/{backend}/", f"Cookie: SRV=X|{texts['now']}")
        teller.tell(f"/{backend}/", f"Cookie: SRV=B|{texts['ancient']}", "X-Use: a")
    teller.end()


def several_dates(world: World) -> None:
    """Several dated cookies in one request: which letter stays, and the ages that a new cookie carries on."""
    start = int(wall())
    lines = {"both": "insert maxidle 1h maxlife 4h", "idle": "insert indirect maxidle 1h", "none": "insert"}
    teller = _Teller(world, {name: f"cookie SRV {line}" + _SERVERS for name, line in lines.items()}, shows_ages=start)

    def date(age: int) -> str:
        return encode(start - age).decode()

    cookies = {
        "good": f"A|{date(1200)}|{date(3000)}",
        "bare": "A",
        "idle": f"A|{date(5000)}|{date(6000)}",
        "old": f"B|{date(1200)}|{date(90000)}",
        "unknown": f"X|{date(600)}|{date(1200)}",
        "down": f"D|{date(600)}|{date(1800)}",
        "ahead": f"B|{date(-90000)}|{date(-90000)}",
        "last": f"B|{date(1800)}",
        "first": f"B||{date(2400)}",
        "broken": f"A|!!!!!|{date(2400)}",
    }
    for backend in lines:
        for one, first in cookies.items():
            for two, second in cookies.items():
                world.note(f"{one}, {two}")
                teller.tell(f"/{backend}/", f"Cookie: SRV={first}; SRV={second}")
    teller.end()


def shapes(world: World) -> None:
    """What is left of fields whose cookies are taken out, and of blanks around `=`, in requests and answers."""
    backends = {
        "hidden": "cookie SRV insert indirect",
        "seen": "cookie SRV insert",
        **{f"bare{number}": f"cookie SRV {words}" for number, words in enumerate(_BARE)},
    }
    teller = _Teller(world, {name: line + _SERVERS for name, line in backends.items()})
    for field in (
        "a=1 ; SRV=B ; c=2",
        "a=1, SRV=B; c=2",
        "a=1; SRV=B, c=2",
        "a= 1, SRV=X, b=2, SRV=;",
        ";;SRV=B;;",
        "a=1;;SRV=B;;SRV=A;",
        "a;;SRV=B;;SRV=B;; = c",
        '$Version="1"; SRV=; SRV = B',
        "$V= A ; SRV=AA ; $V =B ; $V=A",
        "$V;SRV=B",
        "$V=1;;SRV=B",
        "$V=1",
        "",
    ):
        teller.tell("/hidden/", f"Cookie: {field}")
        teller.tell("/hidden/", f"Cookie: {field}", "Cookie: z=1")
    for path in ("/seen/", "/hidden/", "/seen/ignored", *(f"/bare{number}/" for number in range(len(_BARE)))):
        teller.tell(path, "Cookie: SRV=B", "X-Set: Set-Cookie: x = 1 ; path = /@@Set-Cookie: SRV = v; a = b, c = d")
        teller.tell(path, "Cookie: SRV=B", "X-Set: Set-Cookie: x@@Set-Cookie: y= ; Secure")
    teller.end()


def caches(world: World) -> None:
    """`nocache`: which answers are marked as private."""
    teller = _Teller(world, {"be": "cookie SRV insert nocache" + _SERVERS})
    for field in (
        *("X: 1", "Cache-Control: public", "Cache-Control: max-age=10", "Cache-Control: s-maxage=0"),
        *(
            "Cache-Control: no-cache",
            'Cache-Control: no-cache="set-cookie"',
            "Expires: 0",
            "ETag: x",
            "Last-Modified: x",
        ),
        *("ETag: x@@Pragma: no-cache", "ETag: x@@Cache-Control: max-age=0", "ETag: x@@Cache-Control: private"),
        *("ETag: x@@Cache-Control: private, public", "ETag: x@@Cache-Control: public, private", "ETag: x@@Vary: *"),
        *(
            "Cache-Control: public, max-age=10",
            "Cache-Control: no-store, max-age=10",
            "Cache-Control: PUBLIC,s-maxage=5",
        ),
    ):
        teller.tell("/be/", f"X-Set: {field}")
    for status in (201, 203, 204, 206, 300, 301, 302, 304, 307, 404, 405, 410, 414, 500, 501):
        teller.tell("/be/", "X-Set: ETag: x", f"X-Status: {status} x")
    for method in ("HEAD", "POST", "OPTIONS", "PUT", "DELETE", "FOO"):
        teller.tell("/be/", "X-Set: ETag: x", method=method)
        teller.tell("/be/", "X-Set: Cache-Control: public, max-age=5", method=method)
    teller.end()


def down_servers(world: World) -> None:
    """Cookies of servers that are down, that can't be reached, and `option persist` with and without redispatch."""
    servers = """
    retries 2
    timeout connect 200ms
    use-server gone if { req.hdr(x-use) gone }
    force-persist if { path_end forced }
    server a {a} cookie A
    server refused {dead} cookie R weight 0
    server gone {dead} cookie G disabled
    server spare {b} cookie S backup
"""
    backends = {
        "plain": "cookie SRV insert",
        "persist": "cookie SRV insert\n    option persist",
        "again": "cookie SRV insert\n    option redispatch 2",
        "both": "cookie SRV insert\n    option persist\n    option redispatch",
        "prefix": "cookie SRV prefix\n    option redispatch 1",
    }
    teller = _Teller(world, {name: line + servers for name, line in backends.items()})
    for backend in backends:
        for cookie in ("SRV=R", "SRV=G", "SRV=S", "SRV=R~x; SRV=A"):
            teller.tell(f"/{backend}/", f"Cookie: {cookie}")
        teller.tell(f"/{backend}/", "X-Use: gone")
    for backend in ("plain", "again", "both"):
        for cookie in ("SRV=R", "SRV=G"):
            teller.tell(f"/{backend}/forced", f"Cookie: {cookie}")
        teller.tell(f"/{backend}/forced", "X-Use: gone")
    teller.end()


def letters(world: World) -> None:
    """The letters of requests that are answered by rules, or by nobody."""
    backends = {
        "denied": "cookie SRV insert\n    http-request deny if TRUE" + _SERVERS,
        "answered": "cookie SRV insert\n    http-response deny if TRUE" + _SERVERS,
        "changed": "cookie SRV insert\n    http-response set-header Set-Cookie SRV=v\n"
        "    http-after-response del-header Set-Cookie" + _SERVERS,
        "nobody": "cookie SRV insert\n    server a {a} cookie A disabled",
        "none": "server a {a} cookie A",
    }
    teller = _Teller(
        world, backends, '    capture cookie SRV len 10\n    http-request return status 200 if { path_end "early" }\n'
    )
    for backend in backends:
        for cookie in ("SRV=A", "x=1"):
            teller.tell(f"/{backend}/", f"Cookie: {cookie}")
        teller.tell(f"/{backend}/", "Cookie: SRV=X", "X-Set: Set-Cookie: SRV=w")
        teller.tell(f"/{backend}/early", "Cookie: SRV=A")
    teller.end()


def dynamic(world: World) -> None:
    """`dynamic`: servers without a value get one made from their address."""
    port = 23405
    backends = {
        "v4": f"cookie SRV insert dynamic\n    dynamic-cookie-key sesame\n    server x 127.0.0.1:{port}"
        "\n    server a {a} cookie A",
        "v6": f"cookie SRV insert dynamic\n    dynamic-cookie-key sesame\n    server x [::1]:{port}"
        "\n    server a {a} cookie A",
        "keyless": "cookie SRV insert dynamic\n    server a {a}",
    }
    teller = _Teller(world, backends)
    teller.tell("/keyless/")
    for value in ("0000000000000000", "1f7a2d3c4b5a6978"):
        teller.tell("/v4/", f"Cookie: SRV={value}", "Cookie: SRV=A")
    teller.end()


#: Fields with a cookie C that servers must not see.
_LEFTOVERS = (
    *("a=1; C=A", "a=1;C=A", "a=1; C=A;", "a=1; C=A; ", "a=1 ; C=A", "C=A; a=1", "C=A ; a=1", "C=A", "C=A; ", ";C=A"),
    *(" ; C=A", "; C=A;", ";;C=A", "a=1; C=A; b=2", "a=1;C=A;b=2", "a=1; C=A;; b=2", "a=1;; C=A; b=2", "a=1, C=A"),
    *("a=1; C=A; C=B", "C=A;C=B;", ";C=A;;c", "a=1;\tC=A", "a=1; C = A ;", "=x ; C=A", "c;  ; C=A", "a=1 ;  C=A  ;  "),
    *("$Path=A; C=A;", "$Path=A; C=A", "C=A; $Path=/", "C=A; $Path=/; a=1", "$V=1; C=A; $P=/; a=1; $P=/", ", C=A, b=2"),
    *("C=A;;C=B; x", "a;;C=A;;C=B;;", "a=1, C=A; b=2", "a=1; C=A, b=2", "C=A;$Path=/;", "b=1;C=A;$Path=/;;"),
    *("b;C=A;$P=1;C=B;c;C=A", "C=A;C=B;a;C=A;$X", 'a="x;C=A";C=A;b', "a = 1 ; C = A ; b = 2 ; C=A", "a=1;C=A;b= 3;C=A"),
)


def leftovers(world: World) -> None:
    """`indirect`: what is left of a field, blanks and delimiters included, wherever in it the cookie stood."""

    def script(connection: Connection) -> None:
        while (request := connection.read()) is not None:
            fields = [line for line in request.head.split(b"\r\n") if line.startswith(b"cookie:")]
            connection.reply(repr(fields).encode())

    world.origin("a", script)
    world.start(
        """frontend fe
    bind "fd@${fe}"
    default_backend be
backend be
    cookie C insert indirect
    server a {a} cookie A
"""
    )
    for field in _LEFTOVERS:
        world.note(f"{field!r}: {world.once('/', f'Cookie: {field}')}")
    world.forget_clients()
    world.forget_origins()


def captured(world: World) -> None:
    """`capture cookie`: names with blanks, commas, attributes, `Set-Cookie2`; and the blanks around `=` that go with it."""
    front = '    capture cookie SR len 12\n    log-format "%b/%s %ST %B - - %tsc %{+Q}CC %{+Q}CS"\n'
    teller = _Teller(world, {"tied": "cookie SRV prefix" + _SERVERS, "free": "server a {a}"}, front)
    for path in ("/tied/", "/free/"):
        for field in (
            "b c = 1 ; SRV = B",
            "b c=1,SRV=B;SRV=A",
            "b SRV=B; SR c=2",
            "SR; SRV ; SRVX = a long value; SRV=B",
            "$SR=1; SRV=B",
            'a="x; SRV=A"; SRV = "B"',
        ):
            teller.tell(path, f"Cookie: {field}")
            world.note(world.syslog.traffic()[-1].partition(" - - ")[2])
        for field in (
            "Set-Cookie: SRV = v ; path = /",
            "Set-Cookie: x=1, SRV=v",
            "Set-Cookie: SRVX, SRV=v, SRV=w; path=/",
            "Set-Cookie: SRV=v, SRV=w; path=/",
            "Set-Cookie2: x = 1 ; y = 2, SRV = v ; z = 3, SRV=w",
            "Set-Cookie2: SRV=2@@Set-Cookie: b c = 1@@Set-Cookie: SR x = a long value",
        ):
            teller.tell(path, f"X-Set: {field}")
            world.note(world.syslog.traffic()[-1].partition(" - - ")[2])
    teller.end()


def one_of_several_set(world: World) -> None:
    """`insert`: a server's own cookie that stands beside others in one `Set-Cookie2`."""
    teller = _Teller(world, {"be": "cookie SRV insert" + _SERVERS})
    teller.tell("/be/", "X-Set: Set-Cookie2: a = 1 ; b = 2, SRV = v ; c = 3, d=4")
    teller.end()
