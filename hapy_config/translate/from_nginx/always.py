"""What HAProxy does otherwise than nginx whatever a configuration says; seen in HAProxy 2.6 and nginx 1.22."""

from __future__ import annotations

from typing import Final

_LINES: Final = """
'#' and bytes beyond ASCII in addresses get 400; so do versions beyond 1.1, and another host than Host in the address
methods with small letters, repeated headers as User-Agent, and header lines of more than 8 kB are let in
of several equal Host lines one goes on, where nginx answers 400
bodies in pieces are let in with HTTP/1.0, where nginx answers 400
HTTP/1.0 without Host stays without one, where nginx takes the server's name for $host and in addresses
addresses that climb above '/' are let in where no path is looked at, nginx answers 400
texts of `return` have the type of default_type, where nginx looks at endings as .html first
X-Accel-Redirect of servers is not followed
bodies are measured on their way to servers alone: what `return` answers takes any, nginx answers 413 to long ones
refusals get HAProxy's pages, and no Server and Date
"""
ALWAYS: Final = tuple(_LINES.strip().split("\n"))
