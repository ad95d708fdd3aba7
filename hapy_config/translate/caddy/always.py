"""What Caddy does otherwise than HAProxy whatever its configuration says; seen in Caddy 2.6."""

from __future__ import annotations

from typing import Final

_LINES: Final = """
requests of HTTP/1.1 without Host, and paths with a % that no two hexadecimal digits follow, get 400; HTTP/2.0 gets 505
of absolute URIs the path alone goes on, and their host counts where Host is another, which HAProxy refuses
signs in a path that should be percent-encoded are encoded before rules look at it, and all of that path anew
bytes beyond ASCII in a path are let in, encoded, where HAProxy answers 400
servers get HTTP/1.1 and always a Host, with CONNECT that of the request line; OPTIONS * gets 200 and is not passed on
servers get several lines of one X-Forwarded-For, -Proto or -Host as one, and none that is empty
Keep-Alive, Proxy-Connection, Proxy-Authorization, Trailer and what Connection names are not passed on
an Upgrade that Connection does not name, an empty User-Agent, and all but the first of several are not passed on
clients that wait for 100 Continue get it from Caddy, not from the server
answers get a Date where the server gives none, some a Content-Type; those with 304 lose their Content-Type
faulty requests get Caddy's own pages, and heads may be larger than HAProxy's buffers: 1 MB
GET, HEAD and DELETE of HTTP/1.0 with a body are let in, HAProxy answers 413
103 and 101 may carry Server: Caddy, and rules that look at answers do not change headers of 101
regular expressions see the letters of UTF-8, not bytes; where rules take a query away a ? with nothing behind it stays
"""
ALWAYS: Final = tuple(_LINES.strip().split("\n"))
