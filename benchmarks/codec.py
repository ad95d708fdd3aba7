"""`python -m benchmarks.codec`: CPU time per message head of the three codecs, and of writing heads.

A browser's request and a usual answer, read again and again (`repeated`), and the same with every line new each time
(`new`), which is what a proxy sees in the worst case.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from hapy.http.codec import IMPLEMENTATIONS, Limits, RequestParser, ResponseParser, request_parser, response_parser
from hapy.http.message import Request, Response
from hapy.http.serialize import request_head, response_head

LINES = (
    b"Host: www.example.com",
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    b"Accept-Language: en-US,en;q=0.5",
    b"Accept-Encoding: gzip, deflate, br",
    b"Cookie: session=0123456789abcdef; theme=dark",
    b"Cache-Control: no-cache",
    b"Referer: https://www.example.com/",
)
ANSWER_LINES = (
    b"Server: nginx/1.22.1",
    b"Date: Fri, 01 Aug 2026 11:11:11 GMT",
    b"Content-Type: text/html",
    b"Last-Modified: Fri, 01 Aug 2026 11:11:11 GMT",
    b'ETag: "66c"',
    b"Accept-Ranges: bytes",
)
#: More than the codec remembers.
NEW = 6000


class Sink:
    """Takes what it is told."""

    head: Request | Response

    def on_head(self, head: Request | Response, /) -> None:
        self.head = head

    def on_informational(self, head: Response, /) -> None:
        pass

    def on_data(self, data: bytes, /) -> None:
        pass

    def on_end(self, trailers: list[tuple[bytes, bytes]], /) -> None:
        pass


def request(number: int | None) -> bytes:
    mark = b"" if number is None else b"%d" % number
    lines = [b"GET /things?id=42 HTTP/1.1", *[line + mark for line in LINES], b"Connection: keep-alive"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def answer(number: int | None) -> bytes:
    mark = b"" if number is None else b"%d" % number
    lines = [b"HTTP/1.1 200 OK", *[line + mark for line in ANSWER_LINES], b"Content-Length: 12"]
    return b"\r\n".join(lines) + b"\r\n\r\nhello world\n"


def microseconds(step: Callable[[], object], times: int = 20000) -> float:
    """CPU time of one call; the best of five rounds."""
    best = float("inf")
    for _ in range(5):
        begun = time.process_time()
        for _ in range(times):
            step()
        best = min(best, (time.process_time() - begun) / times)
    return best * 1e6


def reading(implementation: str, messages: list[bytes], *, requests: bool) -> float:
    sink = Sink()
    turn = 0
    parser: RequestParser | ResponseParser
    if requests:
        parser = request_parser(Limits(), sink, implementation)
    else:
        parser = response_parser(Limits(), sink, implementation)

    def step() -> None:
        nonlocal turn
        turn += 1
        parser.feed(messages[turn % len(messages)])
        parser.resume()

    return microseconds(step, 2000 if implementation == "h11" else 20000)


def main() -> None:
    repeated, new = [request(None)], [request(number) for number in range(NEW)]
    answers, new_answers = [answer(None)], [answer(number) for number in range(NEW)]
    print(f"{'µs CPU per head':24}{'request':>10}{'new':>10}{'answer':>10}{'new':>10}")
    for implementation in IMPLEMENTATIONS:
        try:
            figures = [
                reading(implementation, repeated, requests=True),
                reading(implementation, new, requests=True),
                reading(implementation, answers, requests=False),
                reading(implementation, new_answers, requests=False),
            ]
        except ImportError as missing:
            print(f"{implementation:24}{missing}")
            continue
        print(f"{'read, ' + implementation:24}" + "".join(f"{figure:10.1f}" for figure in figures))
    sink = Sink()
    request_parser(Limits(), sink).feed(repeated[0])
    asked = sink.head
    response_parser(Limits(), sink).feed(answers[0])
    told = sink.head
    assert isinstance(asked, Request)
    assert isinstance(told, Response)
    writing = [
        microseconds(lambda: request_head(asked, close=False)),
        microseconds(lambda: response_head(told, 11, close=False)),
    ]
    print(f"{'written':24}{writing[0]:10.1f}{'':10}{writing[1]:10.1f}")


if __name__ == "__main__":
    main()
