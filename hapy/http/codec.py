"""The door to the codec: parsers by direction, and the vocabulary of `hapy.http.interface`."""

from __future__ import annotations

from hapy.http.interface import BadMessage, Limits, Parser, RequestSink, ResponseSink
from hapy.http.request_parser import RequestParser
from hapy.http.response_parser import ResponseParser

__all__ = [
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


def request_parser(limits: Limits, sink: RequestSink) -> RequestParser:
    """A parser for a client connection."""
    return RequestParser(limits, sink)


def response_parser(limits: Limits, sink: ResponseSink) -> ResponseParser:
    """A parser for a server connection."""
    return ResponseParser(limits, sink)
