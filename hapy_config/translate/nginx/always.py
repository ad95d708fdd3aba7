"""What nginx does otherwise than HAProxy whatever its configuration says; seen in nginx 1.22."""

from __future__ import annotations

from typing import Final

_LINES: Final = """
paths that climb above the root, are not absolute, or have %00 or a % without two hexadecimal digits get 400
400 is also the answer to HTTP/1.1 without Host, to one that is empty, repeated, or has odd signs, and to folded headers
methods with other signs than capitals, - and _, CONNECT, and OPTIONS * get 400; TRACE gets 405, HTTP/2.0 in clear 505
a Content-Length that is repeated or stands beside a Transfer-Encoding gets 400, other codings than chunked 501
bodies of GET, HEAD and DELETE in HTTP/1.0 are let in, where HAProxy answers 413
header names with signs that none may have, and lines without a colon, are let in, where HAProxy answers 400
of a request line with another host than Host that host is forgotten, where HAProxy answers 400
of a request for http://host/path servers, and rules that look at 'url', see the path alone
of a header that rules add to, or change in part or on a condition, servers get the first line, and no empty one
rules take a header X_A for X-A, and an empty one for none
clients' TE, Keep-Alive and Expect are not passed on: clients that wait for 100 Continue get it from nginx
101 is passed on for WebSocket upgrades without a key, where HAProxy answers 400
refusals and faulty requests get nginx's pages where the configuration has none; its own answers have Server and Date
"""
ALWAYS: Final = tuple(_LINES.strip().split("\n"))
