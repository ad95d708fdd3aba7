"""Finding what a command names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hapy.runtime_api.registry import Refusal

if TYPE_CHECKING:
    from hapy.proxy.backend import Backend
    from hapy.proxy.frontend import Frontend
    from hapy.proxy.server import Server
    from hapy.runtime_api.registry import Call


def server_named(call: Call, text: str) -> Server:
    """The server of `backend/server`, the first of that name; both may be given by number as `#1`.

    Raises:
        Refusal: there is none.
    """
    name, slash, label = text.partition("/")
    if not slash or not label:
        raise Refusal("Require 'backend/server'.\n")
    backend = backend_named(call, name, "No such backend.\n")
    if label.startswith("#"):
        found = next((one for one in backend.servers if f"#{one.model.number}" == label), None)
    else:
        found = next((one for one in backend.servers if one.model.name == label), None)
    if found is None:
        raise Refusal("No such server.\n")
    return found


def backend_named(call: Call, name: str, refusal: str) -> Backend:
    """The backend of a name or of a number as `#1`.

    Raises:
        Refusal: with the given text.
    """
    backends = call.control.job.runtime.backends
    if name.startswith("#"):
        found = next((one for one in backends.values() if f"#{one.model.number}" == name), None)
    else:
        found = backends.get(name)
    if found is None:
        raise Refusal(refusal)
    return found


def frontend_named(call: Call, name: str) -> Frontend:
    """The frontend of a name.

    Raises:
        Refusal: there is none.
    """
    if not name:
        raise Refusal("A frontend name is expected.\n")
    found = call.control.job.runtime.frontends.get(name)
    if found is None:
        raise Refusal("No such frontend.\n")
    return found


_LEADING = re.compile(r"[ \t]*([+-]?[0-9]+)")


def leading_number(text: str) -> int:
    """A number as C's `atol` reads it: what follows the digits is passed over, and without any it is 0."""
    found = _LEADING.match(text)
    return int(found[1]) if found is not None else 0
