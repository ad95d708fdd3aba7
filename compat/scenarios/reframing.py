"""Rules that touch the length or the encoding of a message: how the body goes out then, and what is refused."""

from __future__ import annotations

from compat.harness import Connection, World

CONFIG = """
frontend fe
    bind "fd@${fe}"
    option httplog
    %s
    default_backend be
backend be
    http-reuse always
    timeout server 400ms
    server s1 {s1}
"""

REQUEST_RULES = {
    "removed": "del-header content-length",
    "removed-by-pattern": "del-header ^content-l -m reg",
    "smaller": "set-header content-length 2",
    "larger": "set-header content-length 10",
    "no-number": "set-header content-length abc",
    "twice": "add-header content-length 3",
    "twice-differently": "add-header content-length 2",
    "encoded": "set-header transfer-encoding chunked",
    "encoded-otherwise": "set-header transfer-encoding gzip",
    "decoded": "del-header transfer-encoding",
    "other-te": "set-header te gzip",
    "more-te": 'set-header te "gzip, trailers"',
}

RESPONSE_RULES = {
    "removed": "del-header content-length",
    "smaller": "set-header content-length 3",
    "larger": "set-header content-length 10",
    "no-number": "set-header content-length x",
    "twice": "add-header content-length 5",
    "twice-differently": "add-header content-length 3",
    "encoded": "set-header transfer-encoding chunked",
    "encoded-otherwise": "set-header transfer-encoding gzip",
    "decoded": "del-header transfer-encoding",
}


def _lines(ruleset: str, rules: dict[str, str]) -> str:
    kept = "    http-request set-var(txn.path) path\n"
    return kept + "".join(
        f"    {ruleset} {rule} if {{ var(txn.path) -m str /{name} }}\n" for name, rule in rules.items()
    )


def requests(world: World) -> None:
    """Requests with a length, in chunks and without a body, under each of the rules."""
    world.origin("s1", b"ok")
    world.start(CONFIG % _lines("http-request", REQUEST_RULES))
    for name in REQUEST_RULES:
        for raw in (
            f"POST /{name} HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc",
            f"POST /{name} HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n",
            f"GET /{name} HTTP/1.1\nHost: a\n\n",
        ):
            client = world.client()
            client.send(raw)
            client.receive("POST")
            client.ending(0.05)
            client.close()
    world.logs(3 * len(REQUEST_RULES))


def _answers(connection: Connection) -> None:
    answers = {
        "fixed": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "none": b"HTTP/1.1 204 No Content\r\n\r\n",
        "same": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "still": b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
        "head": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "top": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    }
    while (message := connection.read()) is not None:
        kind = next(kind for kind in answers if kind.encode() in message.head)
        connection.write(answers[kind])


def _ask(world: World, rules: dict[str, str], kinds: tuple[str, ...], method: str = "GET") -> None:
    world.once("/", "X-Kind: empty")  # the program runs
    for name in rules:
        for kind in kinds:
            client = world.client()
            client.sock.settimeout(0.5)
            client.send(f"{method} /{name} HTTP/1.1\nHost: a\nX-Kind: {kind}\n\n")
            client.receive(method)
            client.ending(0.05)
            client.close()


def responses(world: World) -> None:
    """Answers with a length, in chunks, empty and without a body, under each of the rules."""
    world.origin("s1", _answers)
    world.start(CONFIG % _lines("http-response", RESPONSE_RULES))
    _ask(world, RESPONSE_RULES, ("fixed", "chunks", "none"))
    _ask(world, {"removed": "", "encoded": ""}, ("empty",))


def responses_without_bodies(world: World) -> None:
    """Answers that have no body whatever their head says."""
    world.origin("s1", _answers)
    world.start(CONFIG % _lines("http-response", RESPONSE_RULES))
    _ask(world, RESPONSE_RULES, ("same", "still"))
    _ask(world, RESPONSE_RULES, ("head", "top"), "HEAD")


def last_rules(world: World) -> None:
    """The same with rules that come after all others, also on the answer of a rule."""
    rules = {name: rule for name, rule in RESPONSE_RULES.items() if "twice" not in name}
    lines = _lines("http-after-response", rules)
    world.origin("s1", _answers)
    world.start(CONFIG % (lines + "    http-request return content-type a/b string hello if { hdr(x-kind) own }\n"))
    _ask(world, rules, ("fixed", "own"))
