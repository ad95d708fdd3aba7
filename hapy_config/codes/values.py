"""Findings about arguments: values, expressions, conditions, and what arguments ask of each other."""

from __future__ import annotations

from typing import Final

from hapy_config.codes.spec import Code, Kind, code

CODES: Final[tuple[Code, ...]] = (
    code(
        Kind.ERROR,
        "bad-argument",
        """An argument is not what the keyword takes: a number out of range, an unknown word, one word too many.""",
        "listen l\n bind :8080\n mode htp\n",
        "listen l\n bind :8080\n mode http\n",
    ),
    code(
        Kind.ERROR,
        "bad-address",
        """An address is written ADDRESS:PORT, with `*` or nothing for any address, and brackets are not needed around
        IPv6. Paths, abns@, fd@ and more prefixes have no port.""",
        "listen l\n bind 10.0.0.1\n",
        "listen l\n bind 10.0.0.1:8080\n",
    ),
    code(
        Kind.ERROR,
        "bad-name",
        """Names are made of letters, digits, and `-`, `_`, `.`, `:`.""",
        "backend b/1\n",
        "backend b-1\n",
    ),
    code(
        Kind.ERROR,
        "bad-acl",
        """The ACL's criterion, flags or patterns can't be read.""",
        "listen l\n bind :8080\n acl local src 10.0.0.0/33\n",
        "listen l\n bind :8080\n acl local src 10.0.0.0/8\n",
    ),
    code(
        Kind.ERROR,
        "bad-condition",
        """What follows `if` or `unless` is not a condition: ACL names and anonymous ACLs in braces with blanks around
        them, joined by nothing (and) or by `or`.""",
        "listen l\n bind :8080\n http-request deny if {path /x}\n",
        "listen l\n bind :8080\n http-request deny if { path /x }\n",
    ),
    code(
        Kind.ERROR,
        "bad-expression",
        """The sample expression can't be read: an unknown fetch or converter, wrong arguments, or a converter that does
        not take what the one before it gives.""",
        "listen l\n bind :8080\n http-request set-var(txn.p) pth\n",
        "listen l\n bind :8080\n http-request set-var(txn.p) path\n",
    ),
    code(
        Kind.ERROR,
        "bad-format",
        """The log format can't be read. A literal percent sign is written twice.""",
        "listen l\n bind :8080\n log-format %xyz\n",
        "listen l\n bind :8080\n log-format %ci\n",
    ),
    code(
        Kind.ERROR,
        "bad-regex",
        """The regular expression can't be compiled.""",
        "listen l\n bind :8080\n http-request replace-path (a b\n",
        "listen l\n bind :8080\n http-request replace-path (a) b\n",
    ),
    code(
        Kind.ERROR,
        "bad-track",
        """`track` names a server that exists, is checked, and follows no chain back to itself.""",
        "backend b\n server s 10.0.0.1:80 track b/t\n server t 10.0.0.2:80\n",
        "backend b\n server s 10.0.0.1:80 track b/t\n server t 10.0.0.2:80 check\n",
    ),
    code(
        Kind.ERROR,
        "bad-key",
        """What is tracked or stored can't become a key of the stick table's type.""",
        "backend b\n stick-table type ip size 1k\n stick on bool(true)\n server s 10.0.0.1:80\n",
        "backend b\n stick-table type ip size 1k\n stick on src\n server s 10.0.0.1:80\n",
    ),
    code(
        Kind.ERROR,
        "bad-error-file",
        """The file is not a whole HTTP answer, as `errorfile` takes it: status line, headers, empty line, body.""",
    ),
    code(
        Kind.ADVICE,
        "late-global",
        """A global section follows another section, which may have been read without what the global one says.""",
        "listen l\n bind :8080\nglobal\n maxconn 100\n",
        "global\n maxconn 100\nlisten l\n bind :8080\n",
        alone=True,
    ),
    code(
        Kind.ADVICE,
        "loose-number",
        """HAProxy reads the digits at the beginning and drops the rest without a word: `5k` is 5 and `foo` is 0.""",
        "listen l\n bind :8080\n maxconn 5k\n",
        "listen l\n bind :8080\n maxconn 5000\n",
    ),
    code(
        Kind.WARNING,
        "time-suffix",
        """Something follows the unit of a time. The units are us, ms, s, m, h and d.""",
        "listen l\n bind :8080\n timeout client 5sec\n",
        "listen l\n bind :8080\n timeout client 5s\n",
    ),
    code(
        Kind.ERROR,
        "incompatible-mode",
        """An HTTP frontend sends its traffic to a TCP backend, or the other way round.""",
        "frontend f\n bind :8080\n default_backend b\nbackend b\n mode tcp\n server s 10.0.0.1:80\n",
        "frontend f\n bind :8080\n default_backend b\nbackend b\n mode http\n server s 10.0.0.1:80\n",
    ),
    code(
        Kind.ERROR,
        "incompatible-protocol",
        """`proto` names a protocol that the mode or the kind of check does not have.""",
        "backend b\n mode tcp\n server s 10.0.0.1:80 proto h2\n",
        "backend b\n mode http\n server s 10.0.0.1:80 proto h2\n",
    ),
    code(
        Kind.WARNING,
        "needs-http",
        """The line reads or changes HTTP in a proxy of `mode tcp`; HAProxy drops it with a warning, or refuses it where
        it could not do without.""",
        "listen l\n mode tcp\n bind :8080\n balance uri\n",
        "listen l\n mode http\n bind :8080\n balance uri\n",
    ),
    code(
        Kind.WARNING,
        "needs-tcp",
        """The line looks at raw bytes, which an HTTP proxy has no use for.""",
        "listen l\n bind :8080\n tcp-request content accept if { req.len gt 0 }\n",
    ),
    code(
        Kind.ERROR,
        "missing-certificate",
        """A `bind` line with `ssl` needs `crt`.""",
        "listen l\n bind :8443 ssl\n",
    ),
    code(
        Kind.ERROR,
        "tls-versions",
        """The limits of a line leave no TLS version to speak, or don't fit together: `ssl-min-ver` and `ssl-max-ver`
        say all there is to say, beside them `no-tlsv1x` is void.""",
        "backend b\n server s 10.0.0.1:443 ssl verify none ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.2\n",
        "backend b\n server s 10.0.0.1:443 ssl verify none ssl-min-ver TLSv1.2\n",
    ),
    code(
        Kind.ERROR,
        "missing-authority",
        """Servers' certificates are verified unless `verify none` says otherwise, and that takes a `ca-file`. With
        `@system-ca` the system's authorities count. `generate-certificates` of a `bind` line takes `ca-sign-file`.""",
        "backend b\n server s 10.0.0.1:443 ssl\n",
        "backend b\n server s 10.0.0.1:443 ssl verify required ca-file @system-ca\n",
    ),
    code(
        Kind.ERROR,
        "missing-check-port",
        """The server is checked and no port says where.""",
        "backend b\n server s 10.0.0.1 check\n",
        "backend b\n server s 10.0.0.1:80 check\n",
    ),
    code(
        Kind.ERROR,
        "missing-agent-port",
        """`agent-check` takes an `agent-port`.""",
        "backend b\n server s 10.0.0.1:80 agent-check\n",
        "backend b\n server s 10.0.0.1:80 agent-check agent-port 9999\n",
    ),
    code(
        Kind.ERROR,
        "missing-external-check",
        """`option external-check` takes `external-check command` beside it and `external-check` in the global
        section.""",
        "backend b\n option external-check\n server s 10.0.0.1:80 check\n",
    ),
    code(
        Kind.ERROR,
        "missing-application",
        """A server of `proto fcgi` takes `use-fcgi-app` in its backend.""",
        "backend b\n server s 10.0.0.1:9000 proto fcgi\n",
    ),
    code(
        Kind.ERROR,
        "missing-server",
        """A backend with `use-fcgi-app` takes a server of `proto fcgi`.""",
        "fcgi-app a\n docroot /srv\nbackend b\n use-fcgi-app a\n server s 10.0.0.1:9000\n",
        "fcgi-app a\n docroot /srv\nbackend b\n use-fcgi-app a\n server s 10.0.0.1:9000 proto fcgi\n",
    ),
    code(
        Kind.ERROR,
        "small-buffer",
        """`tune.bufsize` leaves no room for HAProxy's own error messages.""",
    ),
)
