"""What Envoy does otherwise than HAProxy whatever its configuration says; seen in Envoy 1.40."""

from __future__ import annotations

from typing import Final

#: The host that requests of HTTP/1.0 without one get: Envoy needs one.
NO_HOST: Final = "none.invalid"

_LINES: Final = f"""
HTTP/1.1 without a Host, OPTIONS *, and upgrades other than to websocket are refused
bodies of GET, HEAD and DELETE in HTTP/1.0 are let in, where HAProxy answers 413
servers are asked in HTTP/1.1, by path, and with the host {NO_HOST} where HTTP/1.0 has none
lines of Host and of other known headers are joined, and an empty one among them vanishes
Keep-Alive, Proxy-Connection and what Connection names are not passed on, nor a Referer that is no URL
clients' headers that begin with x-envoy- or x-hapy- are not passed on
answers get a Date; errors that Envoy finds itself get pages of its own
"""
ALWAYS: Final = tuple(_LINES.strip().split("\n"))
