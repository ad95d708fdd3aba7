"""Findings about names: what is named and not there, or there twice."""

from __future__ import annotations

from typing import Final

from hapy_config.codes.spec import Code, Kind, code

CODES: Final[tuple[Code, ...]] = (
    code(
        Kind.ERROR,
        "unknown-backend",
        """`default_backend` or `use_backend` names a backend that does not exist. A `listen` section counts as one.""",
        "frontend f\n bind :8080\n default_backend wbe\nbackend web\n",
        "frontend f\n bind :8080\n default_backend web\nbackend web\n",
    ),
    code(
        Kind.ERROR,
        "unknown-server",
        """`use-server` names a server that its backend does not have.""",
        "backend b\n use-server x if TRUE\n server s 10.0.0.1:80\n",
        "backend b\n use-server s if TRUE\n server s 10.0.0.1:80\n",
    ),
    code(
        Kind.ERROR,
        "unknown-defaults",
        """`from` names a defaults section that does not exist, or comes later in the file.""",
        "backend b from d\n",
        "defaults d\n mode http\nbackend b from d\n",
        alone=True,
    ),
    code(
        Kind.ERROR,
        "ambiguous-defaults",
        """`from` names a defaults section that exists more than once.""",
        "defaults d\n mode http\ndefaults d\n mode http\nbackend b from d\n",
        "defaults d\n mode http\nbackend b from d\n",
        alone=True,
    ),
    code(
        Kind.ERROR,
        "unknown-table",
        """The stick table that a rule names belongs to a proxy that does not exist, or has none. Without a name it is
        the rule's own proxy.""",
        "frontend f\n bind :8080\n http-request track-sc0 src\n",
        "frontend f\n bind :8080\n stick-table type ip size 1k\n http-request track-sc0 src\n",
    ),
    code(
        Kind.ERROR,
        "unknown-section",
        """A cache, resolvers, peers, http-errors or mailers section is named and does not exist.""",
        "listen l\n bind :8080\n http-request cache-use c\n",
        "cache c\n total-max-size 4\nlisten l\n bind :8080\n http-request cache-use c\n",
    ),
    code(
        Kind.ERROR,
        "unknown-reference",
        """A sample expression names a proxy, server, table or userlist that does not exist.""",
        "listen l\n bind :8080\n http-request deny if { nbsrv(nobody) lt 1 }\n",
        "listen l\n bind :8080\n http-request deny if { nbsrv(l) lt 1 }\n",
    ),
    code(
        Kind.ERROR,
        "unknown-capture",
        """A response captures into a slot that no `declare capture` made.""",
        "frontend f\n bind :8080\n http-response capture res.hdr(server) id 3\n",
        "frontend f\n bind :8080\n declare capture response len 20\n http-response capture res.hdr(server) id 0\n",
    ),
    code(
        Kind.ERROR,
        "unknown-engine",
        """`send-spoe-group` names an engine that no `filter spoe` of the proxy has, or a group that the engine's agent
        does not send.""",
        "listen l\n bind :8080\n http-request send-spoe-group e g\n",
    ),
    code(
        Kind.ERROR,
        "unknown-member",
        """A userlist names a user or group that it does not have.""",
        "userlist u\n group g users nobody\n",
        "userlist u\n group g users nobody\n user nobody insecure-password x\n",
    ),
    code(
        Kind.ERROR,
        "duplicate-name",
        """Two sections, servers or peers have the same name where names must differ. A frontend and a backend may share
        one, a listen section is both.""",
        "backend b\nbackend b\n",
        "backend b\nbackend c\n",
    ),
    code(
        Kind.ERROR,
        "duplicate-id",
        """Two proxies, servers or bind lines have the same `id`, or two ACLs the same one after `-u`.""",
        "backend b\n id 7\nbackend c\n id 7\n",
        "backend b\n id 7\nbackend c\n id 8\n",
    ),
    code(
        Kind.ERROR,
        "loop",
        """A listen section sends its requests to itself.""",
        "listen l\n bind :8080\n default_backend l\n",
        "listen l\n bind :8080\n server s 10.0.0.1:80\n",
    ),
)
