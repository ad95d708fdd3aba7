"""The door to the codec: parsers by direction, and the vocabulary of `hapy.http.interface`.

There are three implementations behind one interface:

- `exact`, the default and the hot path: HAProxy's own rules, no more and no less. It remembers the field blocks and
  lines that come again and again; a head made of those costs a quarter of what httptools and these rules together cost,
  one in which all is new about the same (`benchmarks/codec.py`). httptools in front would need it behind itself anyway,
  for all that HAProxy takes and llhttp refuses: bare LF, obs-fold, repeated lengths, most methods
- `httptools` and `h11`: strict ones, in which a message must please that library as well. h11 is for what isn't hot and
  faces peers that need no indulgence; both keep the exact one honest, as what two of them take they must take alike
"""

from __future__ import annotations

from hapy.http.interface import BadMessage, Limits, Parser, RequestSink, ResponseSink
from hapy.http.request_parser import RequestParser
from hapy.http.response_parser import ResponseParser

__all__ = [
    "IMPLEMENTATIONS",
    "BadMessage",
    "Limits",
    "Parser",
    "RequestParser",
    "RequestSink",
    "ResponseParser",
    "ResponseSink",
    "request_parser",
    "response_parser",
]

IMPLEMENTATIONS = ("exact", "httptools", "h11")


def request_parser(limits: Limits, sink: RequestSink, implementation: str = "exact") -> RequestParser:
    """A parser for a client connection.

    Raises:
        ImportError: the library of that implementation is not installed.
    """
    if implementation == "httptools":
        from hapy.http.with_httptools import HttptoolsRequestParser

        return HttptoolsRequestParser(limits, sink)
    if implementation == "h11":
        from hapy.http.with_h11 import H11RequestParser

        return H11RequestParser(limits, sink)
    return RequestParser(limits, sink)


def response_parser(limits: Limits, sink: ResponseSink, implementation: str = "exact") -> ResponseParser:
    """A parser for a server connection.

    Raises:
        ImportError: the library of that implementation is not installed.
    """
    if implementation == "httptools":
        from hapy.http.with_httptools import HttptoolsResponseParser

        return HttptoolsResponseParser(limits, sink)
    if implementation == "h11":
        from hapy.http.with_h11 import H11ResponseParser

        return H11ResponseParser(limits, sink)
    return ResponseParser(limits, sink)
