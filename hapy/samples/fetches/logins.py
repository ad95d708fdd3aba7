"""Fetches on the `Authorization` field (configuration manual, 7.3.6)."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from hapy.http.message import first_value
from hapy.samples import passwords
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Fetch, Getter, fetch
from hapy.samples.types import Result

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction


def _authorization(txn: Transaction, header: bytes = b"") -> tuple[bytes, bytes] | None:
    """Scheme and rest of the field, None where there is none."""
    if not header:
        header = b"proxy-authorization" if asks_a_proxy(txn) else b"authorization"
    value = None if txn.request is None else first_value(txn.request.headers, header)
    if not value:
        return None
    scheme, _, rest = value.partition(b" ")
    return scheme, rest.strip(b" ")


def asks_a_proxy(txn: Transaction) -> bool:
    """Whether a request is for a proxy, whose credentials have fields of their own (`option http-use-proxy-header`)."""
    return "http-use-proxy-header" in txn.frontend.model.options and txn.uri[:1] not in (b"/", b"*")


def basic(txn: Transaction) -> tuple[bytes, bytes] | None:
    """User and password of Basic authentication (RFC 7617), None where there is none."""
    found = _authorization(txn)
    if found is None or found[0].lower() != b"basic":
        return None
    try:
        user, colon, password = base64.b64decode(found[1], validate=True).partition(b":")
    except binascii.Error:
        return None
    return (user, password) if colon else None


@fetch("http_auth_type", type="str")
def _type(args: Args, env: CompileEnv) -> Getter:
    def scheme(txn: Transaction) -> Result:
        found = _authorization(txn)
        if found is None:
            return None
        if found[0].lower() == b"basic":
            return b"Basic" if basic(txn) else None
        return b"Bearer" if found[0].lower() == b"bearer" else None

    return scheme


@fetch("http_auth_user", type="str")
def _user(args: Args, env: CompileEnv) -> Getter:
    def user(txn: Transaction) -> Result:
        found = basic(txn)
        return found[0] if found else None

    return user


@fetch("http_auth_pass", type="str")
def _pass(args: Args, env: CompileEnv) -> Getter:
    def password(txn: Transaction) -> Result:
        found = basic(txn)
        return found[1] if found else None

    return password


@fetch("http_auth_bearer", type="str")
def _bearer(args: Args, env: CompileEnv) -> Getter:
    header = args.data(0).lower() if args.given(0) else b""

    def token(txn: Transaction) -> Result:
        found = _authorization(txn, header)
        return found[1] if found and found[0].lower() == b"bearer" and found[1] else None

    return token


def _userlist(args: Args, env: CompileEnv) -> passwords.Users:
    name = args.string(0)
    userlist = env.config.userlists.get(name)
    if userlist is None:
        raise args.error(f"there is no userlist {name!r}")
    return passwords.Users(userlist)


@fetch("http_auth", type="bool")
def _http_auth(args: Args, env: CompileEnv) -> Getter:
    users = _userlist(args, env)

    def checked(txn: Transaction) -> Result:
        found = basic(txn)
        return None if found is None else users.check(*found) is not None

    return checked


@fetch("http_auth_group", type="str")
def _http_auth_group(args: Args, env: CompileEnv) -> Fetch:
    users = _userlist(args, env)

    def name(txn: Transaction) -> Result:
        found = basic(txn)
        return found[0] if found is not None and users.check(*found) is not None else None

    def groups(txn: Transaction) -> list[bytes]:
        found = basic(txn)
        user = users.check(*found) if found is not None else None
        return [group.encode() for group in user.groups] if user is not None else []

    return Fetch(name, groups)
