"""What the hashing algorithms look at: a request's key, hashed, or None where the request has none.

`source`: the client's address. `uri`: the request target, as rules have left it. `url_param`: the value of a parameter.
`hdr`: the value of a header. `rdp-cookie`: the value of an RDP cookie. `hash`: any sample.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from hapy.balance.hashing import address_hash, hash_function
from hapy.http.message import first_value
from hapy.samples import compile_expression
from hapy.samples.casts import to_binary
from hapy_config.model.expressions import Call, SampleExpression
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction
    from hapy.samples import CompileEnv
    from hapy_config.model.proxy import Balance

#: The first element of a list: commas in double quotes belong to it.
_FIRST_ELEMENT = re.compile(rb'(?:"(?:[^"\\]|\\.)*"?|[^",])*', re.DOTALL)

#: From a request to the hash of its key.
KeyHash = Callable[["Transaction"], int | None]


def key_hash(balance: Balance, env: CompileEnv | None) -> KeyHash:
    """The function for a `balance` line with one of the hashing algorithms."""
    match balance.algorithm:
        case "source":
            return _source(balance)
        case "uri":
            return _uri(balance)
        case "url_param":
            return _url_param(balance)
        case "hdr":
            return _header(balance)
        case "rdp-cookie":
            call = Call("req.rdp_cookie", (balance.argument or "mstshash",))
            return _sample(SampleExpression(f"req.rdp_cookie({call.args[0]})", call, type="str"), balance, env)
    assert balance.expression is not None
    return _sample(balance.expression, balance, env)


def _source(balance: Balance) -> KeyHash:
    hash_address = address_hash(balance)

    def of_text(source: bytes) -> int | None:
        try:
            return hash_address(ipaddress.ip_address(source.decode("latin-1")).packed)
        except ValueError:  # a UNIX socket's client has no address
            return None

    remembered = lru_cache(4096)(of_text)
    return lambda txn: remembered(txn.client.source if txn.source is None else txn.source)


def _uri(balance: Balance) -> KeyHash:
    hash_bytes = hash_function(balance)
    options = balance.options
    whole = "whole" in options
    path_only = "path-only" in options
    length = int(options.get("len", "0"))
    depth = int(options.get("depth", "0"))

    def of_request(txn: Transaction) -> int | None:
        request = txn.request
        if request is None:
            return None
        uri = request.target
        if path_only:
            uri = path_of(uri)
        if length:
            uri = uri[:length]
        if not whole:
            uri = uri.partition(b"?")[0]
        if depth:
            parts = uri.split(b"/", depth + 1)
            if len(parts) > depth + 1:
                uri = b"/".join(parts[: depth + 1])
        return hash_bytes(uri)

    return of_request


def path_of(target: bytes) -> bytes:
    """The path of a request target with its query: what follows scheme and authority."""
    if target.startswith(b"/"):
        return target
    scheme, separator, rest = target.partition(b"://")
    if not separator or not scheme:
        return b"" if target == b"*" else target
    slash = rest.find(b"/")
    return rest[slash:] if slash >= 0 else b""


def _url_param(balance: Balance) -> KeyHash:
    hash_bytes = hash_function(balance)
    name = to_bytes(balance.argument)

    def of_request(txn: Transaction) -> int | None:
        request = txn.request
        if request is None:
            return None
        value = parameter(request.target.partition(b"?")[2], name)
        # HAProxy looks at what has come of a POST's body in any case; `check_post` makes it wait for that.
        if value is None and request.method == b"POST" and txn.body:
            value = parameter(txn.body, name)
        return None if value is None else hash_bytes(value)

    return of_request


def parameter(query: bytes, name: bytes) -> bytes | None:
    """The value of the first parameter of that name, or None."""
    for pair in query.split(b"&"):
        key, separator, value = pair.partition(b"=")
        if separator and key == name:
            return value
    return None


def _header(balance: Balance) -> KeyHash:
    hash_bytes = hash_function(balance)
    name = to_bytes(balance.argument).lower()
    domain_only = "use_domain_only" in balance.options

    def of_request(txn: Transaction) -> int | None:
        request = txn.request
        if request is None:
            return None
        value = first_value(request.headers, name)
        if value is not None and b"," in value:
            match = _FIRST_ELEMENT.match(value)
            value = match[0].rstrip(b" \t") if match else b""
        if not value:
            return None
        return hash_bytes(domain_of(value) if domain_only else value)

    return of_request


def domain_of(value: bytes) -> bytes:
    """The part of a host name that `use_domain_only` looks at: the label before the last, however odd the name.

    The first byte is not looked at for the last dot, nor the byte before the last dot for the one before.
    """
    last = value.rfind(b".", 1)
    if last < 0:
        return value
    return value[value.rfind(b".", 0, last - 1) + 1 : last]


def _sample(expression: SampleExpression, balance: Balance, env: CompileEnv | None) -> KeyHash:
    assert env is not None
    hash_bytes = hash_function(balance)
    evaluate = compile_expression(expression, env)

    def of_request(txn: Transaction) -> int | None:
        value = evaluate(txn)
        if value is None:
            return None
        data = to_binary(value)
        return hash_bytes(data) if isinstance(data, bytes) else None

    return of_request
