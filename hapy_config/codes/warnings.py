"""Findings that HAProxy warns of and goes on after: lines without effect, lines that surprise."""

from __future__ import annotations

from typing import Final

from hapy_config.codes.spec import Code, Kind, code

CODES: Final[tuple[Code, ...]] = (
    code(
        Kind.ERROR,
        "zero-warning",
        """The global section says `zero-warning`: HAProxy gives up after its warnings.""",
    ),
    code(
        Kind.WARNING,
        "ignored-here",
        """The line has no effect: its section lacks the side (client or server) that it is for, or something else that
        it needs. Remove it, or move it where it works.""",
        "frontend f\n bind :8080\n timeout server 10s\n",
        "frontend f\n bind :8080\n timeout client 10s\n",
    ),
    code(
        Kind.WARNING,
        "ignored-part",
        """Something else has no effect, because of this line or in this section: servers behind a 'default_backend',
        a 'dispatch' beside 'balance', the settings of checks that nobody makes.""",
        "listen l\n bind :8080\n default_backend b\n server s 192.0.2.1:80\nbackend b\n server s 192.0.2.2:80\n",
        "listen l\n bind :8080\n default_backend b\nbackend b\n server s 192.0.2.2:80\n",
    ),
    code(
        Kind.WARNING,
        "ignored-argument",
        """A part of the line has no effect.""",
        "listen l\n bind :8080\n http-request return status 404 content-type text/plain\n",
        "listen l\n bind :8080\n http-request return status 404\n",
    ),
    code(
        Kind.WARNING,
        "bad-public-key",
        """The file that `jwt_verify` names is here, but holds no public key in PEM form; a certificate is none.""",
        "listen l\n bind :8080\n http-request set-header a %[req.hdr(b),jwt_verify(RS256,/dev/null)]\n",
        "listen l\n bind :8080\n http-request set-header a %[req.hdr(b),jwt_verify(RS256,/nowhere/key)]\n",
    ),
    code(
        Kind.WARNING,
        "unknown-error-page",
        """A page is taken from an http-errors section that has none for that status. The usual page is
        sent instead.""",
        "http-errors e\nlisten l\n bind :8080\n errorfiles e 500\n",
        "http-errors e\nlisten l\n bind :8080\n errorfiles e\n",
    ),
    code(
        Kind.WARNING,
        "ignored-message",
        """An agent of `filter spoe` names a message that no `event` sends. Give the message one, or name it in a group
        alone, which rules send.""",
    ),
    code(
        Kind.WARNING,
        "ignored-rules",
        """`http-check` or `tcp-check` rules have no effect without the option that turns such checks on.""",
        "backend b\n tcp-check connect\n server s 10.0.0.1:80 check\n",
        "backend b\n option tcp-check\n tcp-check connect\n server s 10.0.0.1:80 check\n",
    ),
    code(
        Kind.WARNING,
        "rule-order",
        """Rules run by their kind, whatever the order of the lines: tcp-request connection, session, content, monitor
        fail, http-request, redirect, use_backend, use-server. The line stands behind one that runs after it, so the
        file reads otherwise than it works. Move it up.""",
        "frontend f\n bind :8080\n use_backend b if TRUE\n http-request set-path /x\nbackend b\n",
        "frontend f\n bind :8080\n http-request set-path /x\n use_backend b if TRUE\nbackend b\n",
    ),
    code(
        Kind.WARNING,
        "rule-after-final",
        """The rule before it has no condition and ends the rule set (allow, deny, tarpit, auth, redirect, return), so
        this one and those behind it never run. A deny behind an allow protects nothing. Move the rule up, or give the
        other one a condition.""",
        "frontend f\n bind :8080\n http-request allow\n http-request deny if { path /admin }\n",
        "frontend f\n bind :8080\n http-request deny if { path /admin }\n http-request allow\n",
    ),
    code(
        Kind.WARNING,
        "overridden",
        """The line replaces an earlier one of the same section; one of the two is a mistake.""",
        "frontend f\n bind :8080\n timeout client 1s\n timeout client 2s\n",
        "frontend f\n bind :8080\n timeout client 2s\n",
    ),
    code(
        Kind.WARNING,
        "duplicate",
        """The line repeats an earlier one, which counts; this one does not. Remove one of the two.""",
        "global\n maxconn 10\n maxconn 20\n",
        "global\n maxconn 20\n",
    ),
    code(
        Kind.WARNING,
        "missing-timeouts",
        """A proxy has no limit for how long it waits for the client, for a connection to a server, or for the server's
        answer. Connections that nobody closes add up until none is left.""",
        "listen l\n mode http\n bind :8080\n server s 10.0.0.1:80\n",
        "defaults\n timeout client 30s\n timeout server 30s\n timeout connect 5s\n"
        "listen l\n mode http\n bind :8080\n server s 10.0.0.1:80\n",
        alone=True,
    ),
    code(
        Kind.WARNING,
        "shortened-capture",
        """More of a cookie is to be captured than is ever kept: `tune.http.cookielen` bytes, 63 by default.""",
        "listen l\n bind :8080\n capture cookie SID len 100\n",
        "global\n tune.http.cookielen 100\nlisten l\n bind :8080\n capture cookie SID len 100\n",
    ),
    code(
        Kind.WARNING,
        "never-matches",
        """The condition can't become true: it asks for something that is not there yet, or no more, when the rule
        runs.""",
        "listen l\n bind :8080\n http-response deny if { path /x }\n",
    ),
    code(
        Kind.WARNING,
        "no-pattern",
        """An ACL has a criterion that is compared with patterns and none is given, so it never matches. To ask whether
        something is there at all, write `-m found`.""",
        "listen l\n bind :8080\n http-request deny if { hdr(x-a) }\n",
        "listen l\n bind :8080\n http-request deny if { hdr(x-a) -m found }\n",
    ),
    code(
        Kind.WARNING,
        "no-bind",
        """A frontend listens nowhere.""",
        "frontend f\n default_backend b\nbackend b\n",
        "frontend f\n bind :8080\n default_backend b\nbackend b\n",
    ),
    code(
        Kind.WARNING,
        "no-log",
        """A log format is set and no `log` line says where to.""",
        "frontend f\n bind :8080\n option httplog\n",
        "frontend f\n bind :8080\n log 127.0.0.1 local0\n option httplog\n",
    ),
    code(
        Kind.WARNING,
        "no-inspect-delay",
        """A `tcp-request content` rule tracks or captures what the client sends, and finds what has come when the
        connection begins, which is mostly nothing: `tcp-request inspect-delay` makes it wait.""",
        "frontend f\n mode tcp\n bind :8080\n tcp-request content capture req.ssl_sni len 20\n",
        "frontend f\n mode tcp\n bind :8080\n tcp-request inspect-delay 5s\n"
        " tcp-request content capture req.ssl_sni len 20\n",
    ),
    code(
        Kind.WARNING,
        "late-tracking",
        """The rule needs nothing of the request's contents: as a `tcp-request session` rule it runs once for each
        connection and counts on HTTP/2 connections, too.""",
        "frontend f\n bind :8080\n stick-table type ip size 1k\n tcp-request content track-sc0 src\n",
        "frontend f\n bind :8080\n stick-table type ip size 1k\n tcp-request session track-sc0 src\n",
    ),
    code(
        Kind.WARNING,
        "cookie-domain",
        """A cookie's domain needs a dot within it, or browsers may drop the cookie.""",
        "backend b\n cookie c insert domain localhost\n server s 10.0.0.1:80 cookie s\n",
        "backend b\n cookie c insert domain .example.org\n server s 10.0.0.1:80 cookie s\n",
    ),
    code(
        Kind.WARNING,
        "tfo-without-retry",
        """Data sent with the first packet may be lost; `retry-on` must say that it is sent again.""",
        "backend b\n server s 10.0.0.1:80 tfo\n",
        "backend b\n retry-on conn-failure empty-response response-timeout\n server s 10.0.0.1:80 tfo\n",
    ),
    code(
        Kind.WARNING,
        "missing-fork",
        """External checks start programs, which HAProxy denies itself without `insecure-fork-wanted`.""",
        "global\n external-check\nbackend b\n option external-check\n external-check command /bin/true\n"
        " server s 10.0.0.1:80 check\n",
    ),
    code(
        Kind.WARNING,
        "missing-state-file",
        """`load-server-state-from-file global` takes `server-state-file` in the global section.""",
        "backend b\n load-server-state-from-file global\n server s 10.0.0.1:80\n",
    ),
    code(
        Kind.WARNING,
        "incomplete-mail",
        """Mail alerts take `email-alert mailers`, `from` and `to`; something of it is missing, so none is sent.""",
        "backend b\n email-alert from a@example.org\n server s 10.0.0.1:80 check\n",
    ),
    code(
        Kind.WARNING,
        "incomplete-peers",
        """A peers section without a peer of this process's own name is dropped. The name is the host's, or what `-L`
        or `localpeer` says.""",
        "peers p\n peer somebody-else 10.0.0.1:1024\n",
    ),
    code(
        Kind.WARNING,
        "empty-section",
        """A resolvers section without name servers finds nothing out; a mailers section without mailers is dropped.""",
        "resolvers r\n",
        "resolvers r\n nameserver n 10.0.0.1:53\n",
    ),
)
