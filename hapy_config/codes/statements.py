"""Findings about statements: unknown, misplaced, from another version, incomplete."""

from __future__ import annotations

from typing import Final

from hapy_config.codes.spec import Code, Kind, code

CODES: Final[tuple[Code, ...]] = (
    code(
        Kind.ERROR,
        "implicit-filter",
        """HAProxy puts the filters of caches, compression and FastCGI where they belong by itself, but not among others
        (spoe, trace): there a `filter` line must say where each runs.""",
        "cache c\n total-max-size 4\nfrontend f\n mode http\n bind :8080\n filter trace\n http-request cache-use c\n",
        "cache c\n total-max-size 4\nfrontend f\n mode http\n bind :8080\n filter trace\n filter cache c\n"
        " http-request cache-use c\n",
    ),
    code(
        Kind.ERROR,
        "filter-order",
        """What is cached is stored as the server sent it, so the compression has to come behind the cache: `filter
        compression` may not stand before the first line that names the cache.""",
        "cache c\n total-max-size 4\nfrontend f\n mode http\n bind :8080\n filter compression\n"
        " http-request cache-use c\n",
        "cache c\n total-max-size 4\nfrontend f\n mode http\n bind :8080\n http-request cache-use c\n"
        " filter compression\n",
    ),
    code(
        Kind.ERROR,
        "unknown-keyword",
        """No version of HAProxy knows the word in this place. It may be misspelt, or stand where the word before it
        takes no argument.""",
        "listen l\n bnd :8080\n",
        "listen l\n bind :8080\n",
    ),
    code(
        Kind.ERROR,
        "unknown-option",
        """There is no such option.""",
        "listen l\n bind :8080\n option httplgo\n",
        "listen l\n bind :8080\n option httplog\n",
    ),
    code(
        Kind.ERROR,
        "unknown-action",
        """The rule set has no action of that name.""",
        "listen l\n bind :8080\n http-request denny\n",
        "listen l\n bind :8080\n http-request deny\n",
    ),
    code(
        Kind.ERROR,
        "unknown-filter",
        """There is no filter of that name.""",
        "listen l\n bind :8080\n filter compresion\n",
        "listen l\n bind :8080\n filter compression\n",
    ),
    code(
        Kind.ERROR,
        "newer-keyword",
        """A later HAProxy knows the word, the one that is checked for does not. Choose another version with
        `--target`, or do without.""",
        "listen l\n bind :8080\n http-response return status 200\n http-after-response do-log\n",
    ),
    code(
        Kind.ERROR,
        "newer-section",
        """A later HAProxy knows this section, the one that is checked for does not.""",
        "acme s\n directory https://ca.example\n",
    ),
    code(
        Kind.ERROR,
        "removed-keyword",
        """An older HAProxy knew the word; the one that is checked for refuses it. The hint says what to write today,
        and where both mean the same `--fix` writes it.""",
        "listen l\n bind :8080\n clitimeout 10s\n",
        "listen l\n bind :8080\n timeout client 10s\n",
    ),
    code(
        Kind.WARNING,
        "deprecated",
        """HAProxy still takes the word, and will not for long.""",
        "listen l\n bind :8080\n bind-process all\n",
        "listen l\n bind :8080\n",
    ),
    code(
        Kind.ERROR,
        "experimental",
        """The keyword is experimental: HAProxy takes it only behind `expose-experimental-directives` in the global
        section.""",
        "listen l\n bind :8080\n http-request normalize-uri path-strip-dot\n",
        "global\n expose-experimental-directives\nlisten l\n bind :8080\n http-request normalize-uri path-strip-dot\n",
    ),
    code(
        Kind.ERROR,
        "wrong-section",
        """The keyword exists and does not belong into a section of this kind; the hint names those it may stand in.""",
        "global\n timeout client 10s\n",
        "defaults\n timeout client 10s\n",
    ),
    code(
        Kind.ERROR,
        "wrong-place",
        """The expression asks for something that is not there when the line is evaluated: a header of the request
        while the answer is handled, say. Keep it in a variable while it is there.""",
        "listen l\n bind :8080\n http-response set-header x-p %[path]\n",
        "listen l\n bind :8080\n http-request set-var(txn.p) path\n http-response set-header x-p %[var(txn.p)]\n",
    ),
    code(
        Kind.ERROR,
        "bad-negation",
        """`no` and `default` go with options and a few other keywords only. Leave the line out instead.""",
        "listen l\n bind :8080\n no timeout client\n",
        "listen l\n bind :8080\n",
    ),
    code(
        Kind.ERROR,
        "missing-argument",
        """Something must follow the word.""",
        "listen l\n bind :8080\n timeout client\n",
        "listen l\n bind :8080\n timeout client 10s\n",
    ),
    code(
        Kind.ERROR,
        "bad-combination",
        """Two statements of a section exclude each other: `balance` chooses among servers, `option transparent` goes
        where the client wanted to.""",
        "backend b\n balance roundrobin\n option transparent\n server s 10.0.0.1:80\n",
        "backend b\n option transparent\n server s 10.0.0.1:80\n",
    ),
    code(
        Kind.ERROR,
        "old-listen-address",
        """Until version 1.6 a section's header could hold an address. HAProxy now ignores the whole section and alerts,
        without refusing the file for this alone. Write the address on a `bind` line; `--fix` does.""",
        "listen l :8080\n",
        "listen l\n bind :8080\n",
    ),
    code(
        Kind.ERROR,
        "mixed-peers",
        """A peers section is written with `peer` lines, or with `bind` and `server` lines.""",
        "peers p\n bind :1024\n peer x 10.0.0.1:1024\n",
        "peers p\n bind :1024\n server x 10.0.0.1:1024\n",
    ),
    code(
        Kind.ERROR,
        "second-bind",
        """A peers section listens on one address.""",
        "peers p\n bind :1024\n bind :1025\n",
        "peers p\n bind :1024\n",
    ),
    code(
        Kind.ERROR,
        "defaults-with-rules",
        """A defaults section with rules (`http-request`, `tcp-request` …) serves frontends or backends, never both, and
        no listen section, and no other defaults section takes from it.""",
        "defaults d\n http-request deny\nlisten l from d\n bind :8080\n",
        "defaults d\n http-request deny\nfrontend l from d\n bind :8080\n",
    ),
    code(
        Kind.ERROR,
        "mixed-defaults",
        """A defaults section is used by name in one proxy and without being named in another; HAProxy alerts and goes
        on. Write `from` in both, or add a last defaults section that nobody names.""",
        """
        defaults d
         mode http
        listen a
         bind :8080
        listen b from d
         bind :8081
        """,
    ),
    code(
        Kind.ERROR,
        "missing-size",
        """A cache needs `total-max-size`, a ring its size.""",
        "cache c\n max-age 10\n",
        "cache c\n total-max-size 4\n",
    ),
    code(
        Kind.ERROR,
        "missing-docroot",
        "A fcgi-app section needs `docroot`.",
        "fcgi-app a\n",
        "fcgi-app a\n docroot /srv\n",
    ),
    code(Kind.ERROR, "missing-command", """A program section needs `command`.""", "program p\n"),
    code(
        Kind.ERROR,
        "needs-master",
        """A program section works only in master-worker mode: start with `-W`, or write `master-worker` in the global
        section.""",
        "program p\n command true\n",
    ),
)
