"""Findings about this machine: what the text names and is not here.

`hapy check` shows them and does not count them, since files are often checked where they will not run. `--environment`
makes them errors, as they are for HAProxy and for `hapy -c`.
"""

from __future__ import annotations

from typing import Final

from hapy_config.codes.spec import Code, Kind, code

CODES: Final[tuple[Code, ...]] = (
    code(
        Kind.ERROR,
        "bad-spoe",
        """The file of `filter spoe` can be read, and HAProxy would refuse it: it has no agent for the engine that the
        line names, or several of them, a statement is wrong, something is named that does not exist, or the agent's
        `use-backend` is missing, names no backend of the configuration, or one that speaks HTTP.""",
    ),
    code(
        Kind.ENVIRONMENT,
        "unset-variable",
        """An environment variable has no value here; HAProxy puts nothing in its place.""",
        'listen l\n bind ":${SOME_PORT}"\n',
        'listen l\n bind ":${SOME_PORT-8080}"\n',
    ),
    code(
        Kind.ENVIRONMENT,
        "missing-file",
        """A file that the configuration names is not here: an error page, a CA, a Lua program.""",
        "listen l\n bind :8080\n errorfile 503 /nowhere/503.http\n",
    ),
    code(
        Kind.ENVIRONMENT,
        "unreadable-file",
        """A file is here and can't be read. For a configuration file itself this is always an error.""",
    ),
    code(
        Kind.ENVIRONMENT,
        "bad-state-file",
        """The file with the states of servers that an earlier process left is not here, or is none. HAProxy warns and
        starts without it.""",
    ),
    code(
        Kind.ENVIRONMENT,
        "bad-certificate",
        """A certificate or its key is not here, or is none; or a directory or list of them is empty.""",
        "listen l\n bind :8443 ssl crt /nowhere/site.pem\n",
    ),
    code(
        Kind.ENVIRONMENT,
        "bad-authority",
        """The `ca-sign-file` under which certificates are generated is not here, or is no certificate with its key.""",
    ),
    code(
        Kind.ENVIRONMENT,
        "bad-pattern-file",
        """A file of ACL patterns or a map is not here, or a line in it is not of the kind that is looked for.""",
        "listen l\n bind :8080\n http-request deny if { src -f /nowhere/list }\n",
    ),
    code(
        Kind.ENVIRONMENT,
        "missing-name-servers",
        """Something asks the resolvers section `default`, which nobody wrote. It is made of the name servers in
        /etc/resolv.conf, and there are none here.""",
    ),
    code(
        Kind.ENVIRONMENT,
        "bad-name-server",
        """A line of /etc/resolv.conf names no server by its address, or one that is there already; it is left out.""",
    ),
    code(Kind.ENVIRONMENT, "bad-case-file", """A line of the `h1-case-adjust-file` can't be used."""),
    code(
        Kind.ENVIRONMENT,
        "bad-ciphers",
        """This machine's TLS library knows none of the ciphers or groups.""",
    ),
    code(
        Kind.ENVIRONMENT,
        "bad-ticket-keys",
        """A `tls-ticket-keys` file has too few keys, or one that is no base64 of 48 or 80 bytes.""",
    ),
    code(
        Kind.ENVIRONMENT,
        "bad-descriptor",
        """`fd@` names a file descriptor that is no listening socket here.""",
        "listen l\n bind fd@987\n",
    ),
    code(
        Kind.ENVIRONMENT,
        "missing-namespace",
        """The network namespace does not exist here.""",
        "backend b\n server s 10.0.0.1:80 namespace nowhere\n",
    ),
    code(
        Kind.ENVIRONMENT,
        "missing-thread",
        """`thread` of a `bind` line names only threads that are not there, or `thread-group` leaves some out. There
        are as many as `nbthread` says; without it, as many as this machine has CPUs.""",
        "global\n nbthread 2\nlisten l\n bind :8080 thread 3\n",
        "global\n nbthread 2\nlisten l\n bind :8080 thread 1-2\n",
    ),
    code(
        Kind.ENVIRONMENT,
        "unknown-user",
        """The system has no such user.""",
        "global\n user nobody-of-that-name\n",
    ),
    code(
        Kind.ENVIRONMENT,
        "unknown-group",
        """The system has no such group.""",
        "global\n group nobody-of-that-name\n",
    ),
    code(
        Kind.ENVIRONMENT,
        "unknown-provider",
        "The TLS library has no provider of that name, or none with the properties that are asked for.",
        "global\n ssl-provider x\n",
    ),
    code(
        Kind.ENVIRONMENT,
        "unresolved-host",
        """A host name has no address here. HAProxy does not start then, unless `init-addr` on the server line ends
        with `none`. Names are looked up with `--names` or `--environment` only.""",
        "backend b\n server s no.such.host.example:80\n",
        "backend b\n server s no.such.host.example:80 init-addr none\n",
    ),
)
