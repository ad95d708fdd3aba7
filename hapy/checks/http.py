"""The steps of HTTP checks: `http-check send` and `http-check expect` (configuration manual, 4.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from hapy.checks.context import show_response
from hapy.checks.result import Ended, Status, decoded
from hapy.checks.steps import Expectation, Unusable, something
from hapy.http.codec import BadMessage, Limits, ResponseParser
from hapy.http.framing import FIELD_OVERHEAD, HEAD_OVERHEAD, STATUS_SIZE, VERSION_SIZE
from hapy.proxy.state import State
from hapy.proxy.weights import shown_throttle
from hapy.samples.raw_format import compile_raw_format
from hapy.samples.regexes import compile_regex
from hapy_config.model.checks import CheckExpect
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.checks.plan import Run
    from hapy.http.connection import ConnectionOptions
    from hapy.http.message import Header, Response
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction
    from hapy.samples import CompileEnv
    from hapy_config.model.checks import CheckRequest, TextPattern

#: Methods whose requests say nothing of a body that they don't have.
_WITHOUT_BODY: Final = frozenset({b"GET", b"HEAD", b"DELETE", b"OPTIONS"})


#: HAProxy's checks take RTSP's answers, too, and any number as a status.
_STATUS_LINE: Final = re.compile(rb"(?:HTTP|RTSP)/([0-9])\.([0-9])[ \t]+([0-9]{1,9})(?:[ \t]+([^\r\n]*))?")
#: What a piece of a body takes in HAProxy's buffer, besides its bytes.
_PIECE_OVERHEAD: Final = 16


class _Parser(ResponseParser):
    """Reads answers to checks: less strictly than those that clients get, since nobody else does anything with them."""

    __slots__ = ()

    def _status_line(self, line: bytes) -> tuple[int, int, bytes]:
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise self._bad("invalid status line")
        return int(match[1] + match[2]), int(match[3]), match[4] or b""

    def _check_upgrade(self, _reason: bytes, _headers: list[Header], _options: ConnectionOptions) -> None:
        """A check asks for none, and 101 is a status as good as any."""


class Answer:
    """The answer to one request, as far as it has come; a `hapy.http.codec.ResponseSink`.

    Attributes:
        head: None before it has come. body: its bytes, as far as they count (`room`).
        ended: it is complete. bad: it is no HTTP.
    """

    __slots__ = ("_limits", "_parser", "bad", "body", "ended", "head")

    def __init__(self, limits: Limits, method: bytes) -> None:
        self._limits = limits
        self._parser = _Parser(limits, self)
        self._parser.expect(method, False)
        self.head: Response | None = None
        self.body = bytearray()
        self.ended = False
        self.bad = False

    @property
    def room(self) -> int:
        """How much of the body is looked at."""
        head = self.head
        if head is None:
            return self._limits.bufsize
        used = HEAD_OVERHEAD + VERSION_SIZE + STATUS_SIZE + len(head.reason) + _PIECE_OVERHEAD
        used += sum(FIELD_OVERHEAD + len(name) + len(value) for name, value in head.headers)
        return self._limits.bufsize - used

    def feed(self, data: bytes) -> None:
        """Bytes of it."""
        try:
            self._parser.feed(data)
        except BadMessage:
            self.bad = True
        head = self.head
        if head is not None and head.status < 200 and (head.status == 101 or not self.body):
            self.ended = True  # nothing follows that belongs to it, unless it came along

    def feed_eof(self) -> None:
        """The server has closed its side: all that has come is the answer."""
        with suppress(BadMessage):
            self._parser.feed_eof()
        self.ended = True

    def on_head(self, head: Response, /) -> None:
        """The final head."""
        self.head = self.head or head

    def on_informational(self, head: Response, /) -> None:
        """A 1xx head: to a check an answer like any other."""
        self.head = self.head or head

    def on_data(self, data: bytes, /) -> None:
        """Bytes of the body."""
        self.body += data

    def on_end(self, _trailers: list[Header], /) -> None:
        """It is complete."""
        self.ended = True


class SendRequest:
    """`http-check send`, or what `option httpchk` says."""

    __slots__ = (
        "_body",
        "_constants",
        "_headers",
        "_limits",
        "_method",
        "_state",
        "_target",
        "_version",
        "comment",
        "title",
    )

    def __init__(self, model: CheckRequest, env: CompileEnv, limits: Limits, *, state: bool) -> None:
        self.title = "send"
        self.comment = model.comment
        self._limits = limits
        self._method = to_bytes(model.method or "OPTIONS")
        self._version = to_bytes(model.version or "HTTP/1.0")
        self._target: bytes | Callable[[Transaction], bytes] = to_bytes(model.uri or "/")
        if model.uri_format is not None:
            self._target = _constant_or(compile_raw_format(model.uri_format, env), model.uri_format.constant)
        self._body: bytes | Callable[[Transaction], bytes] | None = None
        if model.body_format is not None:
            self._body = _constant_or(compile_raw_format(model.body_format, env), model.body_format.constant)
        elif model.body is not None:
            self._body = to_bytes(model.body)
        self._headers = [
            (to_bytes(name).lower(), _constant_or(compile_raw_format(fmt, env), fmt.constant))
            for name, fmt in model.headers
            if name.lower() not in ("content-length", "transfer-encoding")
        ]
        self._state = state
        self._constants: dict[bool, bytes] = {}

    async def run(self, run: Run) -> None:
        """Send it."""
        borrowed = run.borrowed
        data = self._constants.get(borrowed is not None)
        if data is None:
            data = self._request(run)
            varying = (self._target, self._body, *(value for _, value in self._headers))
            if not self._state and not any(callable(part) for part in varying):
                self._constants[borrowed is not None] = data
        answer = run.extra = Answer(self._limits, self._method)
        if borrowed is not None:
            borrowed.ask(answer, self._method, data)
            return
        run.probe.received.clear()
        run.check.server.backend.counters.http_asked += len(data)
        run.send(data)

    def _request(self, run: Run) -> bytes:
        target = self._target if isinstance(self._target, bytes) else self._target(run.txn) or b"/"
        body = self._body(run.txn) if callable(self._body) else self._body
        headers = [(name, value if isinstance(value, bytes) else value(run.txn)) for name, value in self._headers]
        host = next((value for name, value in headers if name == b"host"), None)
        if host is not None:
            target = _with_authority(target, host)
        lines = [b"%b %b %b" % (self._method, target, self._version)]
        lines += [b"%b: %b" % header for header in headers]
        if self._state:
            lines.append(b"x-haproxy-server-state: " + server_state(run.check.server).encode())
        if body is not None:
            lines.append(b"content-length: %d" % len(body))
        elif self._method not in _WITHOUT_BODY:
            lines.append(b"content-length: 0")
        old = self._version == b"HTTP/1.0"
        if old is (run.borrowed is not None) and all(name != b"connection" for name, _ in headers):
            lines.append(b"connection: keep-alive" if old else b"connection: close")
        return b"\r\n".join([*lines, b"", body or b""])


def _constant_or(
    render: Callable[[Transaction], bytes], constant: str | None
) -> bytes | Callable[[Transaction], bytes]:
    return render if constant is None else to_bytes(constant)


def _with_authority(target: bytes, host: bytes) -> bytes:
    """An absolute target names the host that the request's own field names."""
    scheme, separator, rest = target.partition(b"://")
    if not separator or b"/" in scheme:
        return target
    slash = rest.find(b"/")
    return b"%b://%b%b" % (scheme, host, rest[slash:] if slash >= 0 else b"")


def server_state(server: Server) -> str:
    """What `http-check send-state` tells of a server (manual, 4.2)."""
    check = server.check
    backend = server.backend
    if server.state is State.STOPPING:
        text = "NOLB"
    elif check is None or check.health in (0, check.most):
        text = "UP" if server.up else "DOWN"
    elif check.healthy:
        text = f"UP {check.health - check.rise + 1}/{check.fall}"
    else:
        text = f"DOWN {check.health}/{check.rise}"
    weight = total = 0
    if server.usable:
        weight = server.weight
        total = sum(other.weight for other in backend.active)
    if not server.usable:
        weight, total = server.weight, sum(other.weight for other in backend.active)
    address = server.address
    host, port = address.host, address.port or 0
    where = f"address={host}; port={port}" if address.family in ("ipv4", "ipv6") else "address=unix; port=unix"
    text += (
        f"; {where}; name={backend.model.name}/{server.model.name}; node={_node(server)};"
        f" weight={weight}/{total}; scur={server.current}/{backend.current}; qcur={server.queued}"
    )
    if server.state is State.STARTING:
        text += f"; throttle={shown_throttle(server)}%"
    return text


def _node(server: Server) -> str:
    audience = server.backend.audience
    return audience.node if audience is not None else "localhost"


class HttpExpect(Expectation):
    """`http-check expect`."""

    __slots__ = ("_disable_on_404", "_judge", "_of_body")

    def __init__(self, model: CheckExpect, env: CompileEnv, *, last: bool, disable_on_404: bool) -> None:
        super().__init__(model, env, last=last)
        self._of_body = model.match in ("string", "rstring", "string-lf")
        self._judge = None if self._of_body else _judge(model, env)
        self._disable_on_404 = disable_on_404

    async def run(self, run: Run) -> None:
        """Read as much of the answer as it takes, and judge it."""
        run.check.step_status = self.timeout_status
        run.acted = True
        answer: Answer | None = run.extra
        if answer is None:  # nothing was asked
            while True:
                await run.more()
        received = run.probe.received
        while True:
            if received:
                data = bytes(received)
                received.clear()
                answer.feed(data)
            if run.probe.eof and not answer.ended:
                answer.feed_eof()
            head = answer.head
            if answer.bad or (head is None and run.probe.eof):
                if head is not None:  # a 1xx, behind which came what is no answer
                    show_response(run.txn, head, b"")
                raise Ended(Status.L7RSP, self.error_info(run, ""))
            found = None if head is None else self._find(answer, head, run)
            if head is not None and found is not None:
                break
            await run.more()
        self._conclude(run, head, found=found)

    def _find(self, answer: Answer, head: Response, run: Run) -> bool | None:
        """Whether what is expected is there; None while there is too little to tell.

        Raises:
            Ended: that will not matter.
        """
        if self._disable_on_404 and head.status == 404 and run.check.server.up:
            raise Ended(Status.L7OKC, "", 404)
        room = answer.room
        ended = answer.ended or len(answer.body) >= room
        body = bytes(answer.body[:room])
        show_response(run.txn, head, body)
        if self._judge is not None:
            try:
                return self._judge(head, run.txn)
            except Unusable as error:
                self.give_up(run, error)
        if body:
            return self.look(run, body, ended=ended)
        if ended:
            self.fail(run, "HTTP content check could not find a response body", head.status)
        return None

    def _conclude(self, run: Run, head: Response, *, found: bool) -> None:
        inverse = self.model.inverse
        if found is not inverse:
            self.succeed(run, "", head.status)
        elif self._of_body:
            info = "HTTP check matched unwanted content" if inverse else "HTTP content check did not match"
            self.fail(run, info, head.status)
        else:
            self.fail(run, decoded(head.reason), head.status, Status.L7STS)


Judge = Callable[["Response", "Transaction"], bool]


def _judge(model: CheckExpect, env: CompileEnv) -> Judge:
    """What looks at the head of an answer."""
    match model.match:
        case "status":
            ranges = _status_ranges(model.pattern)
            return lambda head, _txn: any(low <= head.status <= high for low, high in ranges)
        case "rstatus":
            search = compile_regex(model.pattern).search
            return lambda head, _txn: search(b"%d" % head.status) is not None
    return _header_judge(model, env)


def _status_ranges(text: str) -> list[tuple[int, int]]:
    found = []
    for part in text.split(","):
        low, dash, high = part.partition("-")
        if low.isdigit():
            found.append((int(low), int(high) if dash and high.isdigit() else int(low)))
    return found


def _header_judge(model: CheckExpect, env: CompileEnv) -> Judge:
    assert model.name is not None
    name_test = _text_test(model.name, env, fold=True)
    value_test = _text_test(model.value, env, fold=False) if model.value is not None else None
    whole = model.match == "fhdr"

    def judge(head: Response, txn: Transaction) -> bool:
        name = name_test(txn)
        value = value_test(txn) if value_test is not None else None
        for field, text in head.headers:
            if not name(field):
                continue
            if value is None:
                return True
            for one in [text] if whole else [part.strip(b" \t") for part in text.split(b",")]:
                if value(one):
                    return True
        return False

    return judge


_COMPARISONS: Final[dict[str, Callable[[bytes, bytes], bool]]] = {
    "beg": lambda text, wanted: text.startswith(wanted),
    "end": lambda text, wanted: text.endswith(wanted),
    "sub": lambda text, wanted: wanted in text,
    "str": lambda text, wanted: text == wanted,
}

#: Compares one text.
Test = Callable[[bytes], bool]


def _text_test(pattern: TextPattern, env: CompileEnv, *, fold: bool) -> Callable[[Transaction], Test]:
    """Gives, for one answer, what compares texts with a pattern; names of fields come in lower case."""
    if pattern.method == "reg":
        search = compile_regex(pattern.text, ignore_case=fold).search
        return lambda _txn: lambda text: search(text) is not None
    compare = _COMPARISONS[pattern.method]

    def with_text(wanted: bytes) -> Test:
        wanted = wanted.lower() if fold else wanted
        return lambda text: compare(text, wanted)

    if pattern.format is not None:
        render = compile_raw_format(pattern.format, env)
        return lambda txn: with_text(something(render(txn)))
    test = with_text(to_bytes(pattern.text))
    return lambda _txn: test


#: What `option httpchk` expects where nothing else is said.
USUAL: Final = CheckExpect("status", pattern="200-399")
