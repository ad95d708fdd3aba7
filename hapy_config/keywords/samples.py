"""What the tables say of sample fetches and converters: types, parameters, and where a fetch finds its data.

Sections 7.1 and 7.3 of the configuration manual. The 22 places of `Place` are the columns that `haproxy -dKsmp` prints.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hapy_config.keywords.spec import Context, Keyword


class Place(enum.IntFlag):
    """Where an expression may be evaluated. A rule of a `listen` section stands in two places at once."""

    FRONTEND_CONNECTION = 1 << 0
    FRONTEND_SESSION = 1 << 1
    FRONTEND_CONTENT = 1 << 2
    FRONTEND_HTTP_REQUEST = 1 << 3
    FRONTEND_HTTP_REQUEST_BODY = 1 << 4
    FRONTEND_USE_BACKEND = 1 << 5
    BACKEND_CONTENT = 1 << 6
    BACKEND_HTTP_REQUEST = 1 << 7
    BACKEND_HTTP_REQUEST_BODY = 1 << 8
    BACKEND_SERVER = 1 << 9  # use-server, balance, stick match
    BACKEND_SOURCE = 1 << 10  # the source address of the connection to the server
    BACKEND_RESPONSE_CONTENT = 1 << 11
    BACKEND_HTTP_RESPONSE = 1 << 12
    BACKEND_HTTP_RESPONSE_BODY = 1 << 13
    BACKEND_STORE = 1 << 14
    FRONTEND_RESPONSE_CONTENT = 1 << 15
    FRONTEND_HTTP_RESPONSE = 1 << 16
    FRONTEND_HTTP_RESPONSE_BODY = 1 << 17
    LOG = 1 << 18
    CHECK = 1 << 19
    CONFIG = 1 << 20
    CLI = 1 << 21


def places(matrix: str) -> Place:
    """The set that a row of 22 letters (`Y` or `.`), in `Place`'s order, stands for."""
    return Place(sum(1 << column for column, letter in enumerate(matrix) if letter == "Y"))


#: No place at all.
NOWHERE: Final = Place(0)

#: What `Place` is called in HAProxy's messages.
PLACE_NAMES: Final[dict[Place, str]] = {
    Place.FRONTEND_CONNECTION: "frontend tcp-request connection rule",
    Place.FRONTEND_SESSION: "frontend tcp-request session rule",
    Place.FRONTEND_CONTENT: "frontend tcp-request content rule",
    Place.FRONTEND_HTTP_REQUEST: "frontend http-request header rule",
    Place.FRONTEND_HTTP_REQUEST_BODY: "frontend http-request body rule",
    Place.FRONTEND_USE_BACKEND: "frontend use-backend rule",
    Place.BACKEND_CONTENT: "backend tcp-request content rule",
    Place.BACKEND_HTTP_REQUEST: "backend http-request header rule",
    Place.BACKEND_HTTP_REQUEST_BODY: "backend http-request body rule",
    Place.BACKEND_SERVER: "backend use-server, balance or stick-match rule",
    Place.BACKEND_SOURCE: "server source selection",
    Place.BACKEND_RESPONSE_CONTENT: "backend tcp-response content rule",
    Place.BACKEND_HTTP_RESPONSE: "backend http-response header rule",
    Place.BACKEND_HTTP_RESPONSE_BODY: "backend http-response body rule",
    Place.BACKEND_STORE: "backend stick-store rule",
    Place.FRONTEND_RESPONSE_CONTENT: "frontend tcp-response content rule",
    Place.FRONTEND_HTTP_RESPONSE: "frontend http-response header rule",
    Place.FRONTEND_HTTP_RESPONSE_BODY: "frontend http-response body rule",
    Place.LOG: "logs",
    Place.CHECK: "backend tcp-check rule",
    Place.CONFIG: "configuration parser",
    Place.CLI: "CLI parser",
}

#: Sample types that every place may name: what a fetch gives, what a converter takes.
TYPES: Final = frozenset({"any", "bool", "sint", "addr", "ipv4", "ipv6", "str", "bin", "meth"})

#: From each type, the types it can be turned into without being asked.
CASTS: Final[dict[str, frozenset[str]]] = {
    "any": TYPES,
    "bool": frozenset({"any", "bool", "sint", "str", "bin"}),
    "sint": frozenset({"any", "bool", "sint", "addr", "ipv4", "ipv6", "str", "bin"}),
    "addr": frozenset({"any"}),  # HAProxy 2.6 lets nothing follow `map_*_ip`
    "ipv4": frozenset({"any", "sint", "addr", "ipv4", "ipv6", "str", "bin"}),
    "ipv6": frozenset({"any", "addr", "ipv4", "ipv6", "str", "bin"}),
    "str": frozenset({"any", "bool", "sint", "addr", "ipv4", "ipv6", "str", "bin", "meth"}),
    "bin": frozenset({"any", "str", "bin"}),
    "meth": frozenset({"any", "str", "bin", "meth"}),
}

#: The parameter types, under the names HAProxy's messages give them.
PARAMETER_TYPES: Final = frozenset(
    {
        "string",
        "integer",
        "table",
        "backend",
        "frontend",
        "server",
        "user list",
        "IPv4 address",
        "IPv4 mask",
        "IPv6 address",
        "IPv6 mask",
        "regex",
        "Protocol buffers field number",
        "delay",
        "ring",
    },
)


@lru_cache(maxsize=256)
def parameters(signature: str) -> tuple[tuple[str, ...], int]:
    """A signature such as `integer,string[,string]`, cut: the types in order, and how many of them must be given."""
    required, _, optional = signature.partition("[")
    must = [part for part in required.split(",") if part]
    may = [part for part in optional.replace("]", "").replace("[", "").split(",") if part]
    return (*must, *may), len(must)


#: A value of each parameter type, for examples.
_EXAMPLES: Final = {
    "string": "a",
    "integer": "1",
    "table": "st",
    "backend": "be",
    "frontend": "fe",
    "server": "be/s1",
    "user list": "ul",
    "IPv4 address": "192.0.2.1",
    "IPv4 mask": "24",
    "IPv6 address": "2001:db8::1",
    "IPv6 mask": "64",
    "regex": "a",
    "Protocol buffers field number": "1.2",
}


def example(name: str, signature: str, arguments: str | None = None) -> str:
    """A call with values for all parameters that must be given, or with the arguments given here."""
    if arguments is None:
        types, required = parameters(signature)
        arguments = ",".join(_EXAMPLES[kind] for kind in types[:required])
    return f"{name}({arguments})" if arguments else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Keyword):
    """What fetches and converters have in common.

    Attributes:
        type: the type of what comes out.
        signature: the parameters as `haproxy -dK` prints them: `string[,integer]`.
    """

    where: Context = Context.ANY_PROXY
    type: str = "any"
    signature: str = ""

    @property
    def parameters(self) -> tuple[tuple[str, ...], int]:
        """The types of the parameters, and how many of them must be given."""
        return parameters(self.signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch(Sample):
    """A sample fetch.

    Attributes:
        places: where its data exists.
        reads: where from, in HAProxy's words, for the message that says that it is not there.
    """

    places: Place = NOWHERE
    reads: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter(Sample):
    """A converter.

    Attributes:
        takes: the type of what goes in.
    """

    takes: str = "any"
