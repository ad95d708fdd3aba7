"""Random but plausible nginx configurations, and odd requests for them.

A configuration is a tree of lines, so that `compat.nginx_runs` can leave lines out. `{one}`, `{port}` and so on in its words
stand for ports and files that are known at run time only.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final


@dataclass(eq=False)
class Node:
    """A directive: its words, and what stands between its braces."""

    words: str
    block: list[Node] | None = None

    def walk(self) -> Iterator[tuple[Node, list[Node]]]:
        """All within, each with the list that it stands in."""
        for one in self.block or ():
            yield one, self.block or []
            yield from one.walk()


@dataclass(frozen=True)
class Request:
    """What a client sends, without the ending of lines."""

    port: str
    method: str
    target: str
    version: str = "HTTP/1.1"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    chunked: bool = False
    source: str = "127.0.0.1"

    def __str__(self) -> str:
        more = "".join(f", {name}: {value}" for name, value in self.headers)
        return f"{self.method} {self.target} {self.version}{more}{' + ' + self.body if self.body else ''} from {self.source}"


@dataclass
class Random:
    """Makes one configuration.

    Attributes:
        dice: where chance comes from.
    """

    dice: random.Random
    _variables: list[str] = field(default_factory=list)
    _pools: list[str] = field(default_factory=list)
    _maps_to_pools: list[str] = field(default_factory=list)
    _named: list[str] = field(default_factory=list)
    _count: int = 0

    def http(self) -> Node:
        """The `http` block."""
        block: list[Node] = []
        block += [self._upstream() for _ in range(self.dice.randint(0, 2))]
        block += [self._map() for _ in range(self.dice.choice((0, 0, 1, 2, 3)))]
        if self._one_in(6):
            block.append(self._geo())
        if self._one_in(25):
            block.append(self._split())
        block += self._some(_SHARED, self.dice.choice((0, 0, 0, 1, 2)))
        for number in range(self.dice.choice((1, 1, 2, 2, 3))):
            block.append(self._server(number))
        return Node("http", block)

    def _one_in(self, many: int) -> bool:
        return self.dice.randrange(many) == 0

    def _some(self, makers: tuple[_Maker, ...], count: int) -> list[Node]:
        return [made for _ in range(count) for made in (self.dice.choice(makers)(self),) if made is not None]

    def pick(self, *choices: str) -> str:
        """One of them."""
        return self.dice.choice(choices)

    def variable(self) -> str:
        """Some variable."""
        own = self._variables if self._variables and self._one_in(3) else []
        return self.dice.choice(own or _VARIABLES)

    def text(self) -> str:
        """A text, with variables or not."""
        kind = self.dice.randrange(6)
        if kind < 2:
            return self.pick("plain", "two words", "a%20b", "x;y", "50%", "1")
        if kind < 4:
            return self.variable()
        if kind == 4:
            return f"{self.pick('v=', 'a ', '')}{self.variable()}{self.pick('-end', '%', '')}"
        return f"{self.variable()}:{self.variable()}"

    def _pool(self) -> str:
        return self.pick("one", "two", "three", "four")

    def _upstream(self) -> Node:
        name = f"up{len(self._pools)}"
        self._pools.append(name)
        port = self._pool()
        block = [Node(f"server 127.0.0.{number}:{{{port}}}{self.pick('', '', ' weight=3', ' max_fails=0', ' max_fails=3 fail_timeout=30s', ' fail_timeout=0')}")
                 for number in range(1, self.dice.choice((1, 1, 2, 3)) + 1)]  # fmt: skip
        if self._one_in(4):
            block.append(Node(f"server 127.0.0.1:{{dead}}{self.pick(' down', ' backup', ' down')}"))
        if self._one_in(4):
            block.append(Node(f"server 127.0.0.1:{{{self._pool()}}} backup"))
        if self._one_in(12):
            block = [Node("server 127.0.0.1:{dead}"), Node(f"server 127.0.0.1:{{{port}}} backup")]
        if self._one_in(3) and not any("backup" in one.words for one in block):
            block.insert(0, Node(self.pick("least_conn", "ip_hash", "hash $request_uri", "hash $remote_addr consistent",
                                           "hash $http_x_a consistent", "random", "hash $arg_a$uri")))  # fmt: skip
        if self._one_in(3):
            block.append(Node(self.pick("keepalive 8", "zone z 64k", "keepalive 4")))
        return Node(f"upstream {name}", block)

    def _map(self) -> Node:
        name = f"$m{len(self._variables)}"
        to_pools = bool(self._pools) and self._one_in(3)

        def value() -> str:
            if to_pools:
                return self.dice.choice(self._pools)
            return (
                self.pick("0", "1", "yes", '""', "no", "a b", "$http_x_a", "$uri", "v$arg_a")
                if not self._one_in(3)
                else self.pick("0", "1")
            )

        def quoted(text: str) -> str:
            return text if text.startswith('"') else f'"{text}"'

        kind = self.dice.randrange(7)
        block: list[Node] = []
        if kind == 0:
            source, keys = (
                "$host",
                ["a.example", "*.wild.example", ".b.example", "www.*", "~^shop\\d?\\.", "~*EXAMPLE$"],
            )
            if self._one_in(2):
                block.append(Node("hostnames"))
            else:
                keys = [key for key in keys if "*." not in key and ".*" not in key and key[0] != "."]
        elif kind == 1:
            source, keys = "$uri", ["/", "/admin", "~^/api", "~*\\.png$", "/a b", "~^/(?<part>\\w+)/"]
        elif kind == 2:
            source, keys = "$http_x_a", ["1", "~^a", "~*B$", '""', "A", "\\~x", "a, b"]
        elif kind == 3:
            source, keys = self.pick("$arg_a", "$cookie_c", "$http_user_agent"), ["1", "2", "~^x", '""', "~*bot"]
        elif kind == 4:
            source, keys = "$request_method", ["GET", "POST", "~^(PUT|DELETE)$", "default"]
        elif kind == 5:
            source, keys = (
                self.pick('"$request_method:$uri"', "$host$uri", '"$http_x_a:$arg_a"'),
                ["~^POST:", "a.example/", "~:/adm", "1:1", "~:$"],
            )
        else:
            source, keys = (
                self.pick("$request_uri", "$args", "$http_cookie", "$remote_addr", "$http_host", "$server_port"),
                ["/", "~/adm", "~a=1", "127.0.0.1", "~^127\\.0\\.0\\.2$", "a.example", "~c=2"],
            )
        keys = [key for key in keys if key != "default"]
        self.dice.shuffle(keys)
        if self._one_in(2):
            block.append(Node(f"default {quoted(value())}"))
        block += [
            Node(f"{quoted(key)} {quoted(value() if '<part>' not in key or to_pools else '$part')}")
            for key in keys[: self.dice.randint(1, 4)]
        ]
        if self._one_in(8):
            block.append(Node("volatile"))
        self._variables.append(name)
        if to_pools and any(one.words.startswith("default") for one in block):
            self._maps_to_pools.append(name)
        return Node(f"map {source} {name}", block)

    def _geo(self) -> Node:
        name = f"$g{len(self._variables)}"
        block = [Node(f"default {self.pick('0', '1', 'out')}")] if self._one_in(2) else []
        nets = ["127.0.0.0/30", "127.0.0.2", "127.0.0.3/32", "10.0.0.0/8", "127.0.0.0/8"]
        self.dice.shuffle(nets)
        block += [Node(f"{net} {self.pick('0', '1', 'in', 'office')}") for net in nets[: self.dice.randint(1, 3)]]
        self._variables.append(name)
        return Node(f"geo {self.pick('', '', '$http_x_real_ip ', '$arg_ip ')}{name}", block)

    def _split(self) -> Node:
        name = f"$s{len(self._variables)}"
        self._variables.append(name)
        return Node(f"split_clients $remote_addr$http_x_a {name}", [Node("50% left"), Node("* right")])

    def _server(self, number: int) -> Node:
        listen = self.pick("127.0.0.1:{port}", "127.0.0.1:{port}", "127.0.0.1:{port}", "127.0.0.1:{other}")
        if number == 0:
            listen = "127.0.0.1:{port}"
        block = [Node(f"listen {listen}{' default_server' if self._one_in(8) else ''}")]
        names = [["a.example"], ["a.example", "www.a.example"], ["*.wild.example"], ["~^shop(\\d)?\\.example$"], ["www.*"],
                 [".b.example"], ["_"], ["b.example"], ["~^(?<sub>\\w+)\\.c\\.example$"], ["B.Example"]]  # fmt: skip
        if number or not self._one_in(3):
            block.append(Node(f"server_name {' '.join(self.dice.choice(names))}"))
        block += self._some(_SHARED, self.dice.choice((0, 0, 1, 2)))
        block += self._some(_REWRITES, self.dice.choice((0, 0, 0, 1, 2)))
        if self._one_in(20):
            block.append(self._return())
            return Node("server", block)
        if self._one_in(10):
            block += self._some(_ONLY_SERVER, 1)
        self._named = [f"@n{one}" for one in range(self.dice.choice((0, 0, 0, 1)))]
        places = self.dice.sample(_PLACES, self.dice.randint(1, 5))
        if not self._one_in(8) and "/" not in places:
            places.append("/")
        seen: set[str] = set()
        for place in places:
            if place in seen:
                continue
            seen.add(place)
            block.append(self._location(place))
        block += [
            Node(f"location {one}", [*self._some(_SHARED, self.dice.choice((0, 1))), self._named_pass()])
            for one in self._named
        ]
        return Node("server", block)

    def _named_pass(self) -> Node:
        return Node(f"proxy_pass http://127.0.0.1:{{{self._pool()}}}")

    def _location(self, place: str) -> Node:
        block = self._some(_REWRITES, self.dice.choice((0, 0, 0, 1, 2)))
        block += self._some(_SHARED, self.dice.choice((0, 0, 1, 2)))
        block += self._some(_ONLY_LOCATION, self.dice.choice((0, 0, 0, 1)))
        kind = self.dice.randrange(12)
        if kind == 0:
            block.append(self._return())
        elif kind == 1 and not self._one_in(3):
            block.append(Node(self.pick("deny all", "internal", "root /nonexistent")))
            if self._one_in(2):
                block.append(self._pass(place))
        else:
            block.append(self._pass(place))
        plain = place.split(maxsplit=1)[0] not in ("=", "~", "~*", "^~") and place != "/"
        if plain and self._one_in(5):
            block += [self._inner(place) for _ in range(self.dice.randint(1, 2))]
        return Node(f"location {place}", block)

    def _inner(self, outer: str) -> Node:
        place = self.pick(
            f"{outer.rstrip('/')}/{self.pick('in', 'in/', 'v1')}", "~ \\.png$", "~* \\.JS$", f"= {outer.rstrip('/')}/x"
        )
        self._count += 1
        block = self._some(_SHARED, self.dice.choice((0, 1)))
        return Node(f"location {place}", [*block, self._return() if self._one_in(3) else self._pass(place)])

    def _pass(self, place: str) -> Node:
        kind = place.split(maxsplit=1)[0]
        if self._maps_to_pools and self._one_in(5):
            return Node(
                f"proxy_pass http://{self.dice.choice(self._maps_to_pools)}{self.pick('', '', '', '$request_uri', '/v2$uri')}"
            )
        host = self.dice.choice(self._pools) if self._pools and self._one_in(2) else f"127.0.0.1:{{{self._pool()}}}"
        if self._one_in(20):
            host = "127.0.0.1:{dead}"
        if kind.startswith("~"):
            tail = self.pick("", "", "", "", "$request_uri", "/new/$1", "/q?a=$1&$args", "/w$uri$is_args$args")
            if "(" not in place:
                tail = tail.replace("$1", "x")
        elif kind.startswith("@"):
            tail = ""
        else:
            tail = self.pick(
                "",
                "",
                "",
                "",
                "/",
                "/",
                "/v2",
                "/v2/",
                "/v2/x?y=1",
                "$request_uri",
                "/fix$request_uri",
                "/f$uri",
                "/f$uri?$args",
            )
        return Node(f"proxy_pass http://{host}{tail}")

    def _return(self) -> Node:
        return Node(self.dice.choice((
            "return 200 ok", 'return 200 "hi $http_x_a\\n"', "return 204", "return 403", "return 404", "return 301 https://$host$request_uri",
            "return 302 /other", "return 302 http://b.example$uri", "return https://c.example/x", "return 444", "return 410", 'return 503 "down"',
            "return 307 $scheme://$http_host/z$request_uri", 'return 200 "$request_method $uri $args"', "return 200", 'return 405 "no $arg_a"', "return 302 /o$is_args$args",
            'return 200 "$m0"' if "$m0" in self._variables else "return 401", "return 308 /p", "return 200 '{\"a\": 1}'", "return 418", "return 429", "return 500", "return 301 /x?a=$arg_a", "return 302 $uri/",
        )))  # fmt: skip

    def condition(self) -> str:
        """What an `if` looks at."""
        own = self.dice.choice(self._variables) if self._variables else "$http_x_a"
        return self.dice.choice((
            "$request_method = POST", "$request_method !~ ^(GET|HEAD)$", "$http_x_a", '$http_x_a = ""', "$http_x_a != 1", "$http_x_a ~ ^a", "$http_x_a ~* ^A",
            "$args ~ a=1", "$arg_a = 1", "$arg_a", "$cookie_c = 2", "$cookie_c !~ x", "$host = a.example", "$host != a.example", "$uri ~ ^/a", "$request_uri ~* PNG",
            "$http_user_agent ~* (bot|curl)", "$remote_addr = 127.0.0.2", "$scheme = http", "$server_port = {port}", "$http_cookie ~ c=", "$uri ~ ^/(\\w+)/",
            f"{own}", f"{own} = 1", f"{own} != 1", f"{own} ~ ^y", "$http_host ~ ^www\\.(.*)$", "$is_args", "$content_type ~ json", "$http_referer ~ evil", "$request_uri ~ //",
            "-f $document_root/x", "!-e $request_filename", "$http_x_forwarded_for", "$content_length", "$server_protocol = HTTP/1.0", "$request_uri = /", "$uri = /admin", "$http_authorization",
        ))  # fmt: skip

    def set(self) -> Node:
        """A `set`."""
        name = f"$v{self.dice.randrange(2)}"
        node = Node(f'set {name} "{self.pick("1", "", "x", "0", self.variable(), "/p" + self.variable())}"')
        self._variables.append(name)
        return node

    def rewrite(self) -> Node:
        """A `rewrite`."""
        regex, new = self.dice.choice((
            ("^/old/(.*)$", "/new/$1"), ("^/old/(.*)$", "/$1"), ("^(/a.*)$", "/r$1"), ("^/api/(.*)", "/$1"), ("\\.png$", "/pic"), ("^/(\\w+)/(\\w+)$", "/q?x=$1&y=$2"),
            ("^/(\\w+)/x", "/y/$1?"), ("^(.*)$", "/p$1"), ("/admin", "/"), ("^/b", "/a?z=1"), ("(?i)^/A$", "/big"), ("^/s/(?<name>\\w+)", "/named/$name"),
            ("^/old", "https://new.example/x"), ("^/old/(.*)$", "http://new.example/$1?"), ("^/go(.*)$", "$scheme://$host/$1"), ("^/h$", "/h/$http_x_a"), ("^/(a|b)$", "/$1/?k=$arg_a"),
            ("^", "/all"), ("^/static/(.*)$", "/$1"), ("^/user/(\\d+)$", "/u?id=$1?"),
        ))  # fmt: skip
        flag = self.pick("", " last", " break", " redirect", " permanent", " last", " break")
        return Node(f"rewrite {regex} {new}{flag}")

    def if_(self) -> Node:
        """An `if` in a server or a location."""
        kind = self.dice.randrange(8)
        block: list[Node]
        if kind < 4:
            block = [self._return()]
        elif kind == 4:
            block = [self.set()]
        elif kind == 5:
            block = [self.rewrite()]
        elif kind == 6:
            block = [self.set(), self._return()]
        else:
            block = [Node("break")]
        return Node(f"if ({self.condition()})", block)

    def if_in_location(self) -> Node:
        """An `if` that only locations may have."""
        one = self.if_()
        if one.block is not None and self._one_in(3):
            one.block = [self.dice.choice((Node(f"add_header X-If {self.pick('1', '$arg_a')}"), Node(f"proxy_pass http://127.0.0.1:{{{self._pool()}}}"),
                         Node("proxy_set_header X-In-If 1"), Node("expires 1h"), Node("return 403"), Node("set $v0 in"), Node("limit_rate 1m")))]  # fmt: skip
            if one.block[0].words.startswith("proxy_set_header"):
                one.block = [Node("set $v1 9"), Node("break")]
        return one

    def set_header(self) -> Node:
        """A `proxy_set_header`."""
        return Node("proxy_set_header " + self.dice.choice((
            "Host $host", "Host $http_host", "Host $host:$server_port", "Host fixed.example", "Host $proxy_host", "X-Real-IP $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for",
            "X-Forwarded-Proto $scheme", "X-Forwarded-For $remote_addr", 'X-A ""', "X-A $http_x_b", f'X-Own "{self.text()}"', f'X-Text "{self.text()}"', 'Cookie ""', "X-Uri $request_uri",
            "X-Forwarded-Host $http_host", "X-M $request_method", "X-Path $uri", "X-Args $args", 'Accept-Encoding ""', "X-Q $query_string", "X-P $server_port", "X-Addr $server_addr",
            "X-C $cookie_c", 'Authorization ""', "X-L $content_length", "X-T $content_type", "X-Sp $server_protocol", "X-Name $server_name", "X-R $request", "X-If $is_args", "Connection close",
        )))  # fmt: skip

    def add_header(self) -> Node:
        """An `add_header`."""
        return Node(
            f'add_header {self.pick("X-Added", "X-Frame", "Cache-Control", "X-Both", "Set-Cookie", "X-More")} "{self.text()}"{self.pick("", " always")}'
        )

    def error_page(self) -> Node:
        """An `error_page`."""
        target = self.pick(
            "/err.html",
            "/e/x",
            "=200 /ok.html",
            "= /a",
            "http://err.example/x",
            "=302 http://err.example/",
            *self._named,
            *self._named,
        )
        return Node(f"error_page {self.pick('404', '403', '404 403', '500 502 503 504', '401', '405', '413')} {target}")

    def location_only(self) -> Node | None:
        """What stands in locations for the most part."""
        if self._one_in(8):
            methods = self.pick("GET", "GET POST", "POST")
            return Node(f"limit_except {methods}", [Node(self.pick("deny all", "allow 127.0.0.2")), Node("deny all")])
        if self._named and self._one_in(4):
            return Node(f"try_files {self.pick('', '$uri ')}/nonexistent {self._named[0]}")
        return Node(self.pick("try_files $uri $uri/ =404", "try_files /nope /index.html", "try_files $uri /a?$args", "root /nonexistent", "default_type text/html", "proxy_method POST",
                              "proxy_pass_request_headers off", "proxy_pass_request_body off", 'proxy_set_body "own body"', "proxy_http_version 1.1", "proxy_buffering off", "internal",
                              "limit_rate 1m", "etag off", "postpone_output 0", "proxy_ignore_headers Cache-Control", "chunked_transfer_encoding off", "default_type application/json"))  # fmt: skip


_Maker = Callable[[Random], "Node | None"]


def _words(*choices: str) -> _Maker:
    return lambda random: Node(random.pick(*choices))


_SHARED: Final[tuple[_Maker, ...]] = (
    Random.set_header, Random.set_header, Random.set_header, Random.add_header, Random.add_header, Random.error_page,
    _words("proxy_hide_header X-Both", "proxy_hide_header X-Stub-Only", "proxy_pass_header Server", "proxy_pass_header X-Both"),
    _words("allow 127.0.0.1", "allow 127.0.0.2", "deny 127.0.0.2", "deny all", "allow all", "allow 127.0.0.0/30", "deny 127.0.0.3", "deny 127.0.0.2"),
    _words("auth_basic in", 'auth_basic "Inside"', "auth_basic off"),
    _words("satisfy any", "satisfy all"),
    _words("expires 1h", "expires -1", "expires max", "expires epoch", "expires off"),
    _words("client_max_body_size 10", "client_max_body_size 1k", "client_max_body_size 0"),
    _words("proxy_intercept_errors on", "proxy_intercept_errors on", "proxy_intercept_errors off"),
    _words("proxy_redirect off", "proxy_redirect default", "proxy_redirect http://inside.example/ /out/", "proxy_redirect ~^http://(\\w+)\\.example/(.*)$ http://o.example/$1/$2", "proxy_redirect / /pre/", "proxy_redirect http://inside.example/ http://$host/"),
    _words("proxy_cookie_path / /shop/", "proxy_cookie_domain inside.example $host", "proxy_cookie_path ~^/(.*)$ /c/$1", "proxy_cookie_domain inside.example out.example", "proxy_cookie_flags ~ secure"),
    _words("proxy_next_upstream error timeout http_503", "proxy_next_upstream off", "proxy_next_upstream http_404 http_500", "proxy_next_upstream_tries 2"),
    _words("absolute_redirect off", "server_name_in_redirect on", "port_in_redirect off"),
    _words("proxy_read_timeout 5s", "proxy_connect_timeout 2s", "proxy_send_timeout 5s", "keepalive_timeout 10s", "client_body_timeout 5s"),
    _words("proxy_http_version 1.1", "proxy_buffering off", "proxy_request_buffering off", "log_not_found off", "recursive_error_pages on", "if_modified_since off"),
)  # fmt: skip
_ONLY_SERVER: Final[tuple[_Maker, ...]] = (
    _words("merge_slashes off", "underscores_in_headers on", "ignore_invalid_headers off"),
    _words("set_real_ip_from 127.0.0.1", "set_real_ip_from 127.0.0.0/8"),
    _words("real_ip_header X-Forwarded-For", "real_ip_header X-Real-IP"),
    _words("valid_referers none blocked server_names", "valid_referers *.a.example"),
)
_REWRITES: Final[tuple[_Maker, ...]] = (
    Random.set, Random.rewrite, Random.if_, Random.if_, Random.rewrite, Random.set, Random.if_in_location,
)  # fmt: skip
_ONLY_LOCATION: Final[tuple[_Maker, ...]] = (Random.location_only,)
_PLACES: Final = (
    "/", "/", "/a", "/a/", "/api/", "/api", "/api/v1/", "= /", "= /admin", "= /a", "^~ /img/", "^~ /static", "/static/", "~ \\.png$", "~* \\.(gif|JPG)$", "~ ^/user/(\\d+)$",
    "~ ^/(?<first>\\w+)/x", "/admin", "/admin/", "/new/", "~ ^/a", "~* ^/API/(.*)$", "/old/", "^~ /", "~ /\\.", "/b", "~ \\.php$", "/e/", "= /err.html", "~ ^/(en|de)/(.*)$", "/user",
)  # fmt: skip
_VARIABLES: Final = (
    "$host", "$http_host", "$remote_addr", "$request_uri", "$uri", "$args", "$arg_a", "$cookie_c", "$http_x_a", "$request_method", "$server_port", "$is_args", "$scheme", "$http_user_agent",
    "$query_string", "$document_uri", "$http_cookie", "$content_type", "$server_addr", "$http_x_forwarded_for", "$server_name", "$server_protocol", "$http_referer", "$request", "$proxy_host", "$1", "$binary_remote_addr", "$remote_user", "$https", "$request_filename", "$hostname", "$sent_http_x_both", "$upstream_status", "$status", "$http_x_none",
)  # fmt: skip
_PATHS: Final = (
    "/", "/a", "/a/", "/api", "/api/", "/api/v1/u", "/admin", "/admin/", "/admin/x", "/img/x.png", "/img/", "/x.png", "/static/a.gif", "/static", "/a.JPG", "/user/12", "/user/x", "/u/x", "/b", "/old/z",
    "/old/a", "/old", "/new/q", "/.git", "/i.php", "/e/x", "/err.html", "/en/x", "/de/y/z", "/a/in", "/a/in/y.png", "/api/v1", "/api/x", "/s/nm", "/go/there", "/h", "/q", "/none", "/A", "/API/K", "/a/x",
    "/%61dmin", "//admin", "/./admin", "/a//b", "/x/../admin", "/%2e%2e/admin", "/a%2Fb", "/a%20b", "/a%3Fb", "/%25", "/%", "/a%zz", "/a+b", "/ä", "/%E4", "/a;b", "/api//x", "/a/./x", "/a/..", "/a/.",
    "/a%00b", "/a\\b", "/a'b", '/a"b', "/img%2Fx.png", "/A%44min", "/old//z", "/%2Fadmin", "/a:b", "/a@b", "/a%0ab", "/static/%2e%2e/admin", "/user/%31", "/a#f", "/a?b#c", "/...", "/a/...", "/status",
)  # fmt: skip
_QUERIES: Final = (
    "",
    "",
    "",
    "",
    "?",
    "?a=1",
    "?a=2&a=1",
    "?A=1",
    "?a",
    "?a=",
    "?b=2&a=1",
    "?a=%201",
    "?ab=1;a=1",
    "?x=/admin",
    "??",
    "?a=1?b=2",
    "?a=x%26y",
    "?ip=10.0.0.1",
    "?a=b+c",
    "?a=1#f",
)
_HOSTS: Final = (
    "a.example", "a.example", "a.example", "b.example", "www.a.example", "A.Example", "a.example:81", "a.example.", "x.wild.example", "shop1.example", "shop.example", "www.other.org", "none.example",
    "x.b.example", "127.0.0.1", "sub.c.example", "wild.example", "[::1]", "a.example:", "a_b.example",
)  # fmt: skip
_HEADERS: Final = (
    ("X-A", "1"), ("X-A", "a"), ("X-A", "ab, c"), ("X-A", ""), ("X-A", "0"), ("X-A", "xB"), ("X-A", "~x"), ("Cookie", "c=2"), ("Cookie", "c=1; c=2"), ("Cookie", "d=1;c=2"), ("Cookie", "cc=1; C=x"), ("Cookie", "c="), ("X-B", "b"),
    ("X_A", "under"), ("Referer", "http://evil.example/"), ("Referer", "http://www.a.example/x"), ("User-Agent", "MyBot/1"), ("Authorization", "Basic YW5uOnNlY3JldA=="), ("Authorization", "Basic YW5uOndyb25n"),
    ("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-For", "10.0.0.1, 127.0.0.1"), ("X-Real-IP", "10.0.0.1"), ("X-Real-IP", "127.0.0.2"), ("Content-Type", "application/json"), ("Accept-Encoding", "gzip"), ("X-Dot.ted", "1"), ("Upgrade", "foo"),
    ("Range", "bytes=0-3"), ("If-None-Match", '"x"'), ("X-Forwarded-Proto", "https"), ("TE", "trailers"), ("X-Own", "client"), ("Keep-Alive", "1"), ("Proxy-Connection", "x"), ("Expect", "100-continue"), ("Trailer", "x"), ("Origin", "https://x.example"),
)  # fmt: skip
#: What a stub server is asked to answer.
_WANTED: Final = (
    "404", "403", "500", "502", "503", "504", "401", "301 location=http://inside.example/x", "302 location=/rel?x=1", "302 location=http://127.0.0.1:{one}/there", "302 location=http://up0/there", "204", "304", "201 location=/made",
    "200 set-cookie=k=v; Path=/; Domain=inside.example", "200 cache-control=no-store", "200 expires=0", "200 x-accel-expires=0", "200 server=stub", "200 x-both=from-stub", "200 location=/strange", "206", "413", "405", "418", "200 refresh=3; url=http://inside.example/z", "200 x-accel-redirect=/a",
    "302 location=http://127.0.0.1:{two}/v2/there", "200 set-cookie=k=v; path=/a", "429", "200 set-cookie=a=1,b=2", "200 date=x", "200 x-pad=1", "200 connection=x-both",
)  # fmt: skip


def requests(dice: random.Random, http: Node, count: int) -> list[Request]:
    """Requests for a configuration."""
    texts = [one.words for one, _ in http.walk()]
    own_paths = [
        words.split()[-1].strip("^$\\")
        for words in texts
        if words.startswith("location") and "@" not in words and words.split()[1][0] != "~"
    ]
    found = []
    for _ in range(count):
        path = (
            dice.choice(own_paths) + dice.choice(("", "", "x", "/x", "in/y.png", "/"))
            if own_paths and dice.randrange(3)
            else dice.choice(_PATHS)
        )
        target = path + dice.choice(_QUERIES)
        method = dice.choice(("GET",) * 12 + ("POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"))
        version, host = "HTTP/1.1", dice.choice(_HOSTS)
        headers = [dice.choice(_HEADERS) for _ in range(dice.choice((0, 0, 1, 1, 2, 3)))]
        if dice.randrange(4) == 0:
            headers.append(("X-Want", dice.choice(_WANTED)))
        hosts = [("Host", host)]
        odd = dice.randrange(40)
        if odd == 0:
            version, hosts = "HTTP/1.0", dice.choice(([], hosts))
        elif odd == 1:
            hosts = []
        elif odd == 2:
            target = f"http://{dice.choice(_HOSTS)}{target}"
        elif odd == 3:
            method = dice.choice(("TRACE", "get", "PURGE", "PROPFIND", "G-T", "LOCK"))
        elif odd == 4:
            method, target = "OPTIONS", "*"
        elif odd == 5:
            hosts = [*hosts, *hosts]
        elif odd == 6:
            headers.append(("Host", "second.example"))
        elif odd == 7:
            version = dice.choice(("HTTP/1.2", "HTTP/2.0", "HTTP/0.9"))
        elif odd == 8:
            headers.append(("X-Long", "l" * dice.choice((5000, 9000))))
        body = ""
        if method in ("POST", "PUT", "PATCH") and dice.randrange(3):
            body = dice.choice(("x", "abc=1", "b" * 100, "b" * 2000))
        port = "other" if "{other}" in "".join(texts) and dice.randrange(3) == 0 else "port"
        source = dice.choice(("127.0.0.1",) * 4 + ("127.0.0.2", "127.0.0.3", "127.0.0.9"))
        found.append(
            Request(
                port, method, target, version, (*hosts, *headers), body, bool(body) and dice.randrange(4) == 0, source
            )
        )
    return found
