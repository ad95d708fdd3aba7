"""Random haproxy.cfg files as users write them, and requests that are odd in what those look at.

Words come from small pools that conditions, rules and requests share, so that many conditions hold for some requests and
not for others. `@PORT0@`, `@PORT1@` stand for the listeners' ports, `@one@` … for those of stub servers, `@FOLDER@` for a
folder that has `FILES`. Lines that HAProxy refuses (words that fit nowhere together) are
left out by `compat.translation_runs`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

_PAGE = "HTTP/1.1 {0} Own\r\nContent-Type: text/plain\r\nX-Page: {0}\r\nContent-Length: 9\r\n\r\npage {0}\n"
#: Files that configurations name.
FILES: Final = {
    "paths.lst": "# comment\n/api\n/admin/\n/login\n",
    "hosts.lst": "shop.example\napi.shop.example\n\n",
    "agents.lst": "curl\nEvilBot\n",
    "nets.lst": "127.0.0.2\n10.0.0.0/8\n192.0.2.0/24\n",
    "back.map": "shop.example b2\napi.shop.example b1\nSHOP.example b1\n",
    "moved.map": "/old /new\n/gone https://e.example/?a=b\n/old/x /never\n",
    "tiers.map": "gold 10\nsilver 5 # five\nGOLD 1\n",
    "nets.map": "127.0.0.0/8 near\n127.0.0.2 two\n10.0.0.0/8 far\n",
    "403.http": _PAGE.format(403),
    "503.http": _PAGE.format(503),
    "404.http": _PAGE.format(404),
}  # fmt: skip

_HOSTS: Final = ("shop.example", "api.shop.example", "www.shop.example", "a.example", "xshop.example")
_PATHS: Final = (
    "/", "/api", "/api/", "/api/v1/users", "/static/app.js", "/img/a.png", "/old/x", "/login", "/admin/", "/x.php",
    "/old", "/gone", "/a/b/c", "/shop.example/x", "/api.json", "/new",
)  # fmt: skip
_PARTS: Final = ("api", "static", "img", "old", "admin", "shop", "v1", "users", "a", "php")
_SUFFIXES: Final = (".js", ".png", ".php", ".json", "/", "users", "x")
_REGEXES: Final = (
    "^/api/", "^/(api|old)(/|$)", r"\.(js|png|php)$", "^/([a-z]+)/(.*)$", "[0-9]+", "^/$", "^/old(/.*)?$", "(^|/)a",
    "gold|silver", "^[a-z]+$", "^$", ".", "shop", "^curl/[0-9.]+", "o+", "v[12]",
)  # fmt: skip
_HEADERS: Final = ("X-A", "X-Token", "X-Num", "X-List", "User-Agent", "Referer", "Accept-Language", "Origin", "x_under")
_VALUES: Final = (
    "gold", "silver", "GOLD", "1", "5", "10", "curl/7.88", "EvilBot 2.0", "secret", "a", "b", "https://shop.example/",
    "de", "en-US", "a b", "gold, silver",
)  # fmt: skip
_WORDS: Final = tuple(one for one in _VALUES if " " not in one)
_COOKIES: Final = ("app", "SID", "tier")
_PARAMS: Final = ("a", "id", "tier")
_METHODS: Final = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH")
_REPLACEMENTS: Final = ("/fixed", "/n", r"/n-\1", r"/\1")
_NETS: Final = ("127.0.0.1", "127.0.0.2", "127.0.0.0/30", "10.0.0.0/8", "::1", "192.0.2.7")


@dataclass(slots=True)
class Grammar:
    """Makes one configuration.

    Args:
        seed: what it depends on.
    """

    seed: int
    dice: random.Random = field(init=False)
    acls: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def one(self, choices: Sequence[str]) -> str:
        """One of them."""
        return self.dice.choice(choices)

    def some(self, choices: Sequence[str], most: int = 3) -> str:
        """One or some of them."""
        return " ".join(self.dice.sample(choices, self.dice.randint(1, min(most, len(choices)))))

    def often(self, chance: float) -> bool:
        """True so often."""
        return self.dice.random() < chance

    # Conditions

    def text(self) -> tuple[str, Sequence[str]]:
        """A fetch that gives a text, and what is looked for in it."""
        header, cookie, param = self.one(_HEADERS), self.one(_COOKIES), self.one(_PARAMS)
        fetches: list[tuple[str, Sequence[str]]] = [
            ("path", _PATHS),
            ("path", _PATHS),
            ("url", _PATHS),
            ("pathq", _PATHS),
            ("query", ("a=1", "id=5", "a", "tier=gold")),
            ("base", tuple(host + path for host in _HOSTS[:2] for path in _PATHS[:4])),
            ("hdr(host)", _HOSTS),
            ("req.hdr(Host)", _HOSTS),
            (f"hdr({header})", _WORDS),
            (f"req.hdr({header})", _WORDS),
            (f"req.fhdr({header})", _WORDS),
            (f"req.hdr({header},{self.one(('1', '-1', '2'))})", _WORDS),
            (f"cook({cookie})", _WORDS),
            (f"req.cook({cookie})", _WORDS),
            (f"url_param({param})", _WORDS),
            (f"urlp({param})", _WORDS),
            (f"var({self.variable()})", _WORDS),
        ]
        return self.dice.choice(fetches)

    def variable(self) -> str:
        """A variable's name."""
        return self.one(("txn.one", "txn.two", "req.three"))

    def converters(self) -> str:
        """Some converters that give a text."""
        if self.often(0.7):
            return ""
        return self.one(
            (",lower", ",upper", ",url_dec", ",field(1,:)", ",field(2,/)", ",word(1,/)", ",regsub(a,b)", ",lower,field(1,:)",
             ",regsub(^/old,/new)", ",map(@FOLDER@/tiers.map)", ",map_str(@FOLDER@/tiers.map,none)", ",map_beg(@FOLDER@/moved.map)",
             ",bytes(0,3)", ",base64", ",length", ",concat(x)")
        )  # fmt: skip

    def test(self) -> str:
        """Criterion, matcher and patterns."""
        return self.dice.choice((self._derived, self._derived, self._matched, self._matched, self._other))()

    def _derived(self) -> str:
        """A fetch that has its matcher in its name."""
        flag = self.one(("", "", "-i "))
        header, cookie, param = self.one(_HEADERS), self.one(_COOKIES), self.one(_PARAMS)
        return self.one(
            (f"path {flag}{self.some(_PATHS)}",
             f"path_beg {flag}{self.some(_PATHS)}",
             f"path_end {flag}{self.some(_SUFFIXES)}",
             f"path_sub {flag}{self.some(_PARTS)}",
             f"path_dir {flag}{self.some(_PARTS)}",
             f"path_reg {flag}{self.one(_REGEXES)}",
             f"path_len {self.one(('gt 5', '1', 'le 4', '3:6'))}",
             f"url_beg {flag}{self.some(_PATHS)}",
             f"url_reg {flag}{self.one(_REGEXES)}",
             f"url_sub {flag}{self.one(('a=1', '?', 'api', '%2'))}",
             f"hdr(host) {flag}{self.some(_HOSTS)}",
             f"hdr_dom(host) {flag}{self.one(('shop.example', 'shop', 'example', 'api'))}",
             f"hdr_beg(host) {flag}{self.one(('api.', 'shop', 'www.'))}",
             f"hdr_end(host) {flag}{self.one(('.example', 'shop.example', '.shop.example'))}",
             f"hdr_sub({header}) {flag}{self.some(_WORDS)}",
             f"hdr_beg({header}) {flag}{self.some(_WORDS)}",
             f"hdr_reg({header}) {flag}{self.one(_REGEXES)}",
             f"hdr({header}) {flag}{self.some(_WORDS)}",
             f"hdr_cnt({header}) {self.one(('gt 1', '0', '1', 'ge 1'))}",
             f"hdr_val({header}) {self.one(('gt 1', '5', 'lt 10'))}",
             f"hdr_ip(X-Forwarded-For) {self.some(_NETS)}",
             f"hdr_len({header}) {self.one(('gt 4', '1'))}",
             f"cook({cookie}) {flag}{self.some(_WORDS)}",
             f"cook_beg({cookie}) {flag}{self.some(_WORDS)}",
             f"cook_sub({cookie}) {flag}{self.some(_WORDS)}",
             f"cook_cnt({cookie}) {self.one(('gt 1', '0'))}",
             f"url_param({param}) {flag}{self.some(_WORDS)}",
             f"urlp_beg({param}) {flag}{self.some(_WORDS)}",
             f"urlp_val({param}) {self.one(('gt 3', '5'))}",
             f"urlp_reg({param}) {flag}{self.one(_REGEXES)}",
             f"base_beg {flag}shop.example/api a.example/",
             f"base_dom {flag}shop.example",
             f"method {self.some(_METHODS)}",
             f"src {self.some(_NETS)}")
        )  # fmt: skip

    def _matched(self) -> str:
        """A fetch with `-m`."""
        fetch, words = self.text()
        fetch += self.converters()
        flag = self.one(("", "", "-i "))
        how = self.one(
            ("str", "beg", "end", "sub", "dir", "dom", "reg", "found", "found", "len", "int", "bool", "file")
        )
        if how == "found":
            return f"{fetch} -m found"
        if how == "len":
            return f"{fetch} -m len {self.one(('gt 3', '1', '0'))}"
        if how == "int":
            return f"{fetch} -m int {self.one(('gt 3', '1', '5 10'))}"
        if how == "bool":
            return f"{fetch} -m bool"
        if how == "reg":
            return f"{fetch} -m reg {flag}{self.one(_REGEXES)}"
        if how == "file":
            return f"{fetch} -m {self.one(('str', 'beg', 'sub'))} {flag}-f @FOLDER@/{self.one(('paths.lst', 'hosts.lst', 'agents.lst'))}"
        return f"{fetch} -m {how} {flag}{self.some(words)}"

    def _other(self) -> str:
        """What is no text."""
        return self.one(
            ("src -f @FOLDER@/nets.lst", "src,map_ip(@FOLDER@/nets.map) near", "always_true", "always_false", "ssl_fc",
             "req.ver 1.0", "http_auth(users)", "nbsrv(b1) lt 1", "req.hdrs_bin -m found",
             f"src {self.some(_NETS)}", "dst 127.0.0.0/8", f"hdr({self.one(_HEADERS)}),map(@FOLDER@/tiers.map) -m int gt 4",
             "hdr(host),field(1,:) shop.example a.example", "hdr(host),lower shop.example api.shop.example",
             "hdr(host),map(@FOLDER@/back.map) -m found", "path,lower -m beg /api /old",
             f"{{tests}}{self.one(_COOKIES)}".replace("{tests}", "cook_cnt(") + ") gt 0",
             "query -m found", "req.body -m sub gold", "req.body_len gt 3", "url_param(a),length gt 2",
             "path,url_dec -m str /api /a/b/c", "path -m end .png .js", "path,field(2,/) api old", "path,word(1,/) api old",
             "req.hdr_cnt gt 4", "hdr_cnt(cookie) gt 1", f"hdr({self.one(_HEADERS)}) {self.one(_WORDS)}")
        )  # fmt: skip

    def term(self) -> str:
        """A term of a condition."""
        sign = self.one(("", "", "", "!"))
        if self.acls and self.often(0.6):
            return sign + self.one(self.acls)
        if self.often(0.1):
            return sign + self.one(("METH_GET", "METH_POST", "LOCALHOST", "HTTP_1.0", "TRUE", "FALSE", "HTTP_URL_ABS"))
        return f"{sign}{{ {self.test()} }}"

    def condition(self, chance: float = 0.7) -> str:
        """A condition with a blank in front, or nothing."""
        if not self.often(chance):
            return ""
        terms = [self.term()]
        while self.often(0.35):
            if self.often(0.4):
                terms.append("or")
            terms.append(self.term())
        return f" {self.one(('if', 'if', 'if', 'unless'))} {' '.join(terms)}"

    # Values

    def format(self) -> str:
        """A log-format string of one word."""
        return "".join(self._piece() for _ in range(self.dice.choice((1, 1, 1, 2, 3))))

    def _piece(self) -> str:
        if self.often(0.45):
            return self.one(("v", "-", "x1", "https://", "/p", "a=b", "yes", "$1", ":", "%%", "{a}", "n;o", "?"))
        if self.often(0.3):
            return self.one(("%ci", "%HM", "%HU", "%HP", "%HQ", "%HV", "%fi", "%b", "%f", "%ft", "%[src]", "%[dst]"))
        return f"%[{self.text()[0]}{self.converters()}]"

    def location(self) -> str:
        """Where a redirect leads."""
        return self.one(
            ("/new", "https://e.example/x", "https://%[hdr(host)]%[path]", "https://%[hdr(host),field(1,:)]%[pathq]",
             "/p?u=%[url]", "/to%[path]", "https://www.%[req.hdr(Host)]%[capture.req.uri]", "%[path,regsub(^/old,/new)]",
             "%[path,map(@FOLDER@/moved.map)]", "/q?%[query]", f"/{self.format()}")
        )  # fmt: skip

    # Rules

    def request_rule(self) -> str:
        """An `http-request` rule."""
        action = self._request_action()
        always = action.split()[0] in ("deny", "return", "redirect", "reject", "tarpit", "silent-drop", "allow", "auth")
        return f"http-request {action}{self.condition(1.0 if always else 0.55)}"

    def _request_action(self) -> str:
        header = self.one((*_HEADERS, "X-New", "X-New", "X-Real-IP", "Host"))
        simple: list[Callable[[], str]] = [
            lambda: f"set-header {header} {self.format()}",
            lambda: f"set-header {header} {self.format()}",
            lambda: f"add-header {header} {self.format()}",
            lambda: f"del-header {header if header != 'Host' else 'X-A'}",
            lambda: f"del-header {self.one(('x-', '^x-.*', 'a'))} -m {self.one(('beg', 'reg', 'end', 'sub'))}",
            lambda: f"replace-header {self.one(_HEADERS)} {self.one(('(.*)', '^gold$', 'o', '^(.)(.*)$'))} {self.one(('new', 'x', '[bar]'))}",
            lambda: f"replace-header {self.one(_HEADERS)} ^(.)(.*)$ \\2-\\1",
            lambda: f"replace-value {self.one(_HEADERS)} {self.one(('gold', '^(.)(.*)$'))} {self.one(('new', 'n'))}",
            lambda: f"set-path {self.one(('/fixed', '/p%[path]', '%[path,lower]', '/%[hdr(host)]%[path]', '/a%20b', '%[path,regsub(^/old,/new)]'))}",
            lambda: f"replace-path {self.one(('^/api(/.*)?$', '/old/(.*)', '^/([^/]*)/(.*)$', '(.*)'))} {self.one(_REPLACEMENTS)}",
            lambda: "replace-pathq ^/old([^?]*)(.*)$ /new\\1\\2",
            lambda: f"set-query {self.one(('a=2', '%[query]&x=1', 'h=%[hdr(host)]', '%[query,lower]'))}",
            lambda: f"set-uri {self.one(('/u', '/u?q=1', '%[path]?z'))}",
            lambda: "replace-uri ^/img/(.*) /i/\\1",
            lambda: f"set-method {self.one(('GET', 'POST'))}",
            lambda: f"set-var({self.variable()}) {self._setting()}",
            lambda: f"set-var({self.variable()}) {self._setting()}",
            lambda: f"set-var-fmt({self.variable()}) {self.format()}",
            lambda: f"unset-var({self.variable()})",
            lambda: f"deny{self.one(('', '', ' deny_status 429', ' deny_status 404', ' status 410'))}",
            lambda: "deny",
            lambda: f"deny status 418 content-type text/plain string no{self.one(('', ' hdr X-Why because', ' hdr X-Why %[path]'))}",
            lambda: f"return status {self.one(('200', '404', '503', '204'))} content-type text/plain string ok",
            lambda: f"return status 200 content-type text/plain lf-string {self.format()}{self.one(('', ' hdr X-Why %[src]', ' hdr Set-Cookie a=1'))}",
            lambda: f"return status {self.one(('200', '403'))}",
            lambda: f"redirect location {self.location()}{self._code()}",
            lambda: f"redirect location {self.location()}{self._code()}",
            lambda: f"redirect prefix {self.one(('https://e.example', '/pre', 'https://%[hdr(host)]', '/', 'https://www.shop.example'))}{self._code()}",
            lambda: f"redirect scheme https{self._code()}",
            lambda: f"auth{self.one(('', ' realm Shop', ''))}",
            lambda: self.one(("allow", "allow", "reject", "silent-drop", "tarpit", "tarpit deny_status 429")),
            lambda: self.one(("set-log-level silent", "set-nice 5", "set-tos 8", "capture req.hdr(X-A) len 10", "strict-mode on")),
            lambda: "set-src hdr(X-Forwarded-For)",
            lambda: "early-hint Link </a.css>",
        ]  # fmt: skip
        return self.dice.choice(simple)()

    def _setting(self) -> str:
        if self.often(0.4):
            return self.one(("str(gold)", "str(a)", "int(5)", "bool(true)", "str(silver)"))
        return self.text()[0] + self.converters()

    def _code(self) -> str:
        more = self.one(
            (
                "",
                "",
                " drop-query",
                " append-slash",
                " set-cookie seen=1",
                " clear-cookie seen=",
                " drop-query append-slash",
            )
        )
        return self.one(("", " code 301", " code 302", " code 303", " code 307", " code 308")) + more

    def response_rule(self) -> str:
        """An `http-response` or `http-after-response` rule."""
        ruleset = self.one(("http-response", "http-response", "http-response", "http-after-response"))
        header = self.one(
            ("X-Multi", "X-One", "Set-Cookie", "Server", "ETag", "Cache-Control", "X-New", "Location", "Via", "X-Empty")
        )
        value = self.one(
            ("v", "DENY", "max-age=5;x", "%[status]", "%[res.hdr(X-One)]", "%[var(txn.one)]", "%[src]", "%b", "%f")
        )
        actions = [
            f"set-header {header} {value}",
            f"set-header {header} {value}",
            f"add-header {header} {value}",
            f"del-header {header}",
            f"del-header x- -m {self.one(('beg', 'sub'))}",
            f"replace-header {header} {self.one(('(.*)', '^(.)(.*)$', 'one', ' .*'))} {self.one(('new', 'x', '[b]'))}",
            f"replace-header {header} ^(.)(.*)$ \\2-\\1",
            f"replace-value {header} one two",
        ]
        if ruleset == "http-response":
            actions += [f"set-status {self.one(('202', '404', '500 reason Oops'))}", "deny", "deny deny_status 502", "allow",
                        "set-var(txn.two) res.hdr(X-One)", "return status 200 content-type text/plain string answered",
                        "redirect location /elsewhere"]  # fmt: skip
        action = self.one(actions)
        always = action.split()[0] in ("deny", "return", "redirect", "allow")
        return f"{ruleset} {action}{self.response_condition(1.0 if always else 0.5)}"

    def response_condition(self, chance: float) -> str:
        """A condition on an answer."""
        if not self.often(chance):
            return ""
        tests = ("status 404", "status ge 500", "status 200 302", "res.hdr(X-One) -m found", "res.hdr(X-Multi) one",
                 "res.hdr(Content-Type) -m beg text/", "res.hdr_cnt(Set-Cookie) gt 1", "var(txn.one) -m found",
                 "res.hdr(Location) -m reg ^http:", "src 127.0.0.2", "res.cook(app) -m found", "var(txn.one) gold")  # fmt: skip
        terms = [f"{self.one(('', '!'))}{{ {self.one(tests)} }}"]
        if self.often(0.25):
            terms += [self.one(("or", "")), f"{{ {self.one(tests)} }}"]
        return f" {self.one(('if', 'if', 'unless'))} {' '.join(one for one in terms if one)}"

    # Sections

    def options(self, kind: str) -> list[str]:
        """Settings of a proxy that can be seen."""
        found: list[str] = []

        def maybe(chance: float, *lines: str) -> None:
            if self.often(chance):
                found.append(self.one(lines))

        front, back = kind in ("frontend", "defaults"), kind in ("backend", "defaults")
        maybe(0.3, "option forwardfor", "option forwardfor", "option forwardfor if-none", "option forwardfor header X-Client",
              "option forwardfor except 127.0.0.0/8")  # fmt: skip
        maybe(0.05, "option originalto")
        maybe(0.15, "errorfile 503 @FOLDER@/503.http", "errorfile 403 @FOLDER@/403.http", "errorfile 403 /dev/null",
              "http-error status 404 content-type text/plain string gone", "errorloc 503 /sorry", "errorloc303 403 /no")  # fmt: skip
        maybe(0.15, "compression algo gzip", "compression algo gzip\ncompression type text/plain application/json")
        maybe(0.1, "option httpclose", "option http-server-close", "http-reuse always", "option http-keep-alive")
        if front:
            maybe(0.15, "monitor-uri /alive", "monitor-uri /api")
            maybe(0.1, "option http-buffer-request")
            maybe(0.06, "unique-id-format %[path]-id\nunique-id-header X-Unique")
            maybe(0.05, "option http-restrict-req-hdr-names delete", "option http-restrict-req-hdr-names preserve",
                  "option http-restrict-req-hdr-names reject")  # fmt: skip
            maybe(0.05, "option http-ignore-probes", "option dontlognull", "option logasap", "maxconn 500")
            maybe(0.05, "option accept-invalid-http-request", "option http-use-proxy-header")
            maybe(0.05, "capture request header X-A len 20", "capture cookie app len 20")
        if back:
            maybe(0.4, "balance roundrobin", "balance leastconn", "balance source", "balance uri", "balance hdr(X-A)",
                  "balance url_param id", "balance first", "balance static-rr")  # fmt: skip
            maybe(0.15, "cookie SRV insert indirect nocache", "cookie SRV insert", "cookie SRV", "cookie SRV insert indirect",
                  "cookie SRV insert indirect httponly secure", "cookie SRV rewrite", "cookie SRV prefix")  # fmt: skip
            maybe(0.15, "retries 1", "option redispatch", "retry-on all-retryable-errors", "option httpchk GET /health")
            maybe(0.05, "http-send-name-header X-Server")
        return [line for one in found for line in one.split("\n")]

    def frontend(self, number: int) -> list[str]:
        """A frontend's lines."""
        self.acls = []
        lines = [f"frontend web{number}", f"bind 127.0.0.1:@PORT{number}@", *self.options("frontend")]
        for at in range(self.dice.randint(0, 4)):
            name = self.one((f"acl{at}", f"is_{at}", f"acl{max(at - 1, 0)}"))
            lines.append(f"acl {name} {self.test()}")
            self.acls.append(name)
        lines += [self.request_rule() for _ in range(self.dice.randint(0, 6))]
        if self.often(0.2):
            lines.append(
                f"redirect {self.one(('scheme https', 'location /r', 'prefix /r'))}{self._code()}{self.condition(1.0)}"
            )
        lines += [self.response_rule() for _ in range(self.dice.choice((0, 0, 1, 2, 3)))]
        for _ in range(self.dice.randint(0, 3)):
            target = self.one(
                (
                    "b1",
                    "b2",
                    "b1",
                    "b2",
                    "%[hdr(host),lower,map(@FOLDER@/back.map,b1)]",
                    "%[hdr(host),map(@FOLDER@/back.map)]",
                )
            )
            lines.append(f"use_backend {target}{self.condition(0.95)}")
        lines.append(f"default_backend {self.one(('b1', 'b2'))}")
        return lines

    def backend(self, name: str, servers: Sequence[str]) -> list[str]:
        """A backend's lines."""
        self.acls = []
        lines = [f"backend {name}", *self.options("backend")]
        for at in range(self.dice.choice((0, 0, 1, 2))):
            lines.append(f"acl own{at} {self.test()}")
            self.acls.append(f"own{at}")
        lines += [self.request_rule() for _ in range(self.dice.choice((0, 0, 1, 2, 3)))]
        lines += [self.response_rule() for _ in range(self.dice.choice((0, 0, 1, 2)))]
        ties = any(line.startswith("cookie") for line in lines)
        for server in servers:
            line = f"server {server} 127.0.0.1:@{server}@"
            line += f" cookie {server}" if ties and self.often(0.9) else ""
            line += self.one(("", "", "", " weight 3", " maxconn 50", " backup", " check", " disabled"))
            lines.append(line)
        return lines

    def lines(self) -> list[str]:
        """The whole configuration."""
        found = [
            "global",
            "maxconn 1000",
            "userlist users",
            "user ann insecure-password secret",
            "user bob insecure-password other",
        ]
        found += [
            "defaults",
            "mode http",
            "timeout connect 4s",
            "timeout client 4s",
            "timeout server 4s",
            "timeout tarpit 100",
        ]
        found += self.options("defaults") if self.often(0.4) else []
        found += self.frontend(0)
        if self.often(0.25):
            found += self.frontend(1)
        found += self.backend("b1", ("one", "two")[: self.dice.randint(1, 2)])
        if self.often(0.15):
            found += [
                "defaults",
                "mode http",
                "timeout connect 4s",
                "timeout client 4s",
                "timeout server 4s",
                *self.options("backend"),
            ]
        found += self.backend("b2", ("three", "four")[: self.dice.randint(1, 2)])
        return found


@dataclass(frozen=True, slots=True)
class Request:
    """Bytes of a request, and how they are sent.

    Attributes:
        raw: them.
        listener: to which frontend.
        source: from which address.
    """

    raw: bytes
    listener: int = 0
    source: str = "127.0.0.1"


def request(dice: random.Random, listeners: int = 1) -> Request:
    """A random request."""
    path = dice.choice(_PATHS)
    changes: tuple[Callable[[str], str], ...] = (
        *([str] * 8), str.upper, lambda one: "/" + one, lambda one: one.replace("a", "%61"), lambda one: one + "//x",
        lambda one: one.replace("/", "/./", 1), lambda one: one + "%2Fx", lambda one: one + "/../y", lambda one: one + ";s=1",
        lambda one: one + "%20b", lambda one: one + "%zz", lambda one: "/x" + one, lambda one: one + ".", lambda one: one + "%3Fq",
    )  # fmt: skip
    target = dice.choice(changes)(path)
    query = dice.choice(
        ("", "", "", "", "?", "?a=1", "?a=1&a=2", "?A=1", "?id=5&tier=gold", "?tier=GOLD;a=b", "?a", "?a=", "?x=%61&a=g%6Fld",
         "?a=gold&b=c?d", "?tier=silver&id=10", "?a=http://e.example/", "?&&a=1", "?a=a+b", "?xa=1&a=5")
    )  # fmt: skip
    host: str | None = dice.choice(
        (*_HOSTS, *_HOSTS, "SHOP.example", "shop.example:8080", "shop.example.", "", "127.0.0.1")
    )
    version = dice.choice((*["HTTP/1.1"] * 9, "HTTP/1.0"))
    if version == "HTTP/1.0" and dice.random() < 0.5:
        host = None
    method = dice.choice((*["GET"] * 6, *_METHODS, "FOO", "get"))
    line = target + query
    if dice.random() < 0.06 and host:
        line = f"http://{host}{line}"
    headers: list[tuple[str, str]] = [("Host", host)] if host is not None else []
    for _ in range(dice.choice((0, 1, 1, 2, 3, 4))):
        name = dice.choice((*_HEADERS, *_HEADERS, "X-Real-IP", "x-new", "X-FORWARDED-FOR", "X-Unique", "Via", "X-a"))
        value = dice.choice(
            (*_VALUES, *_VALUES, "", "gold,silver", '"a, b"', "x" * 100, "é", "a,,b", " gold ", "0", "-5", "10.1.2.3")
        )
        if "forwarded" in name.lower():
            value = dice.choice(("10.1.2.3", "192.0.2.7", "10.1.2.3, 127.0.0.2", "nonsense", "::1"))
        headers.append((name, value))
    if dice.random() < 0.05:
        headers.append((dice.choice(("X.Dot", "X~T", "X!", "1x", "X*Y", "X_A")), "odd"))
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2))):
        pairs = [f"{dice.choice((*_COOKIES, 'SRV', 'SRV', 'APP'))}{dice.choice(('=', '=', ' = '))}{dice.choice((*_WORDS, 'one', 'two', 'three', '', '%22'))}"
                 for _ in range(dice.choice((1, 1, 2, 3)))]  # fmt: skip
        headers.append(("Cookie", dice.choice(("; ", "; ", ";", ", ")).join(pairs)))
    if dice.random() < 0.15:
        headers.append(
            (
                "Authorization",
                dice.choice(
                    (
                        "Basic YW5uOnNlY3JldA==",
                        "basic YW5uOnNlY3JldA==",
                        "Basic YW5uOndyb25n",
                        "Bearer x",
                        "Basic Ym9iOm90aGVy",
                    )
                ),
            )
        )
    if dice.random() < 0.2:
        headers.append(("Accept-Encoding", dice.choice(("gzip", "gzip;q=0", "br, gzip", "identity", "*"))))
    if dice.random() < 0.5:
        headers.append(
            (
                "X-Want",
                dice.choice(
                    ("404", "302", "204", "500", "chunked", "old", "304", "plain", "201", "503", "401", "empty")
                ),
            )
        )
    if dice.random() < 0.05:
        headers.append(("Range", "bytes=0-3"))
    if dice.random() < 0.05:
        headers.append(
            dice.choice(
                (
                    ("Upgrade", "h2c"),
                    ("TE", "trailers"),
                    ("Proxy-Connection", "close"),
                    ("Keep-Alive", "5"),
                    ("Trailer", "X-T"),
                )
            )
        )
    body = b""
    if method in ("POST", "PUT", "PATCH", "DELETE", "FOO") and dice.random() < 0.8:
        body = dice.choice((b"a=gold", b"hello", b"x" * 300, b""))
        if dice.random() < 0.3 and version == "HTTP/1.1":
            headers.append(("Transfer-Encoding", "chunked"))
            body = b"%x\r\n%b\r\n" % (len(body), body) + b"0\r\n\r\n" if body else b"0\r\n\r\n"
        else:
            headers.append(("Content-Length", str(len(body))))
        if dice.random() < 0.5:
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    headers.append(("Connection", "close"))
    head = f"{method} {line} {version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    return Request(
        head.encode("utf-8") + body, dice.randrange(listeners), dice.choice(("127.0.0.1", "127.0.0.1", "127.0.0.2"))
    )
