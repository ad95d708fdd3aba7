"""Log lines of the real haproxy and of hapy's renderer for the same request, with what depends on time and chance masked."""

from __future__ import annotations

import re
import socket

import pytest

import hapy_config
from hapy.observe.captures import request_captures, request_cookie, response_captures, response_cookie
from hapy.observe.log import log_format_of, went_wrong
from hapy.observe.process import Process
from hapy.proxy.backend import Backend
from hapy.rules import Reply, compile_ruleset
from hapy.samples import CompileEnv
from hapy.samples.formats import compile_log_format
from hapy_config.model.addresses import Address
from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Server
from tests.hapy.rules_world import Listeners, Referee, read_answer, transaction

REQUEST = (
    b'GET /x?y=1&z={"}| HTTP/1.1\r\nhost: a\r\ncookie: o=1; sid=abc; sidx=2\r\nua: M {x}|"y"#\\z]\x80\r\n'
    b"ua: second value that is long\r\n\r\n"
)
OLD = b"GET http://a.b/p/ HTTP/1.0\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-type: a/b\r\nset-cookie: sid=xyz; path=/\r\n\r\nhello"

ALL = (
    "%ci %cp %CC %CS %H %HM %HP %HPO %HQ %HU %HV %ID %ST %T %Ta %Td %Tl %Th %Ti %Tq %Tt %Tu %TR %Tw %Tc %Tr %B %ac"
    " %b %bc %bi %bp %bq %f %fc %fi %fp %ft %hr %hrl %hs %hsl %lc %ms %pid %r %rc %s %sc %si %sp %sq %sslc %sslv %t %tr"
    " %trg %trl %ts %tsc %Ts"
)
FORMATS = [
    "option tcplog",
    "option httplog",
    "option httplog clf",
    "option httplog\n option logasap",
    f'log-format "{ALL}"',
    f'log-format "%{{+Q}}o {ALL}"',
    f'log-format "%{{+X}}o {ALL}"',
    f'log-format "%{{+E}}o {ALL}"',
    f'log-format "%{{+Q,+E}}o {ALL}"',
    f'log-format "%{{+Q,+X}}o {ALL}"',
    'log-format "a   b  %[var(txn.n)]  c  %ID   d x%[var(txn.n)]y"',
    'log-format "%[capture.req.hdr(1)]|%[capture.req.uri]|%[var(txn.n),lower]|%[str()]|%[capture.req.hdr(0)]"',
    'log-format "%{+Q}[capture.req.hdr(0)] %{+E}[capture.req.hdr(0)] %{+Q}[int(5)] %{+Q}[var(txn.n)] %{+X}[int(255)]"',
    'log-format "  %hr  %hs  end  "',
    'log-format "{\\"ip\\":\\"%ci\\",\\"ua\\":\\"%[capture.req.hdr(0),json(utf8s)]\\",\\"st\\":%ST}"',
    "unique-id-format %{+X}o\\ %ci-%fi-%pid\n log-format [%ID]",
    "log-format %%%HM",
]
CAPTURES = (
    " capture request header ua len 30\n capture request header zz len 10\n capture response header content-type len 10\n"
    " capture cookie sid= len 6\n"
)
ENDINGS = {
    "served": "",
    "denied": " http-request deny\n",
    "returned": " http-request return status 201\n",
}


def configuration(rules: str, captures: str, listeners, syslog: int) -> str:
    text = "global\n node vm1\ndefaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 1s\n"
    for number, (fmt, bind) in enumerate(zip(FORMATS, listeners.binds, strict=False)):
        text += f"frontend f{number}\n bind {bind}\n log 127.0.0.1:{syslog} len 8192 local0\n {fmt}\n"
        text += captures + rules + " default_backend b\n"
    text += f"frontend origin\n bind {listeners.binds[-1]}\n http-request return content-type a/b string hello"
    text += ' hdr set-cookie "sid=xyz; path=/"\n'
    return text + f"backend b\n server s 127.0.0.1:{listeners.ports[-1]}\n"


MASKS = (
    (re.compile(rb"\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]{8}( \+0000|\.\d{3})?"), b"DATE"),
    (re.compile(rb"127\.0\.0\.1[: ]\"?\d+"), b"ADDRESS"),
    (re.compile(rb"7F000001 [0-9A-F]{4}"), b"ADDRESS"),
    # timers and counts: -1 and + stay
    (re.compile(rb"(?<= )(?:\+?-?\d+/){2,4}\+?-?\d+(?= )"), lambda match: re.sub(rb"(?<!-)\b\d+", b"t", match[0])),
)


def masked(line: bytes) -> bytes:
    for pattern, name in MASKS:
        line = pattern.sub(name, line)
    return line


def lines_of_haproxy(haproxy, folder, text, listeners, request, receiver):
    found = []
    with Referee(haproxy, folder, text, listeners) as referee:
        for port in listeners.ports[:-1]:
            with referee.connect(port) as client:
                client.sendall(request)
                assert read_answer(client)
            found.append(receiver.recv(65536))
    return found


def line_of_hapy(model, config, request: bytes, theirs: bytes) -> bytes:
    """hapy's line, with the counts and times that this test does not make taken from the other line."""
    process = Process(node="vm1")
    env = CompileEnv(config, model, process, {}, {})
    txn = transaction(request, env)
    txn.frontend.label = txn.backend.label = model.name.encode()
    if model.unique_id_format is not None:
        txn.frontend.unique_id = compile_log_format(model.unique_id_format, env)
    process.pid = int(re.search(rb"haproxy\[(\d+)\]", theirs)[1])
    process.connections = 1
    txn.frontend.counters.scur = 1
    txn.started = txn.idle_done = txn.request_done = 50.0
    txn.request_wall = 1795174298.125
    for keep in (request_captures(model), request_cookie(model)):
        if keep is not None:
            keep(txn)
    rules = compile_ruleset(model.rules.get("http-request", ()), env)
    outcome = rules.run(txn) if rules is not None else None
    if outcome is not None:
        assert isinstance(outcome, Reply)
        txn.status, txn.term_cause, txn.term_phase = outcome.status, outcome.cause, outcome.phase
        if outcome.kind != "deny":
            txn.cookie_captures = None
        txn.response_captures = None
    else:
        backend = Backend(Proxy("b", "backend", servers=(Server("s", 1, Address("unix", "/nowhere")),)))
        txn.backend = backend
        txn.server = backend.servers[0]
        txn.server_ends = ((b"127.0.0.1", 4000), (b"127.0.0.1", 4000))
        txn.queue_done = txn.connect_done = txn.response_done = 50.0
        txn.status = 200
        process.connections = 2
        txn.response = transaction(request, env, ANSWER).response
        for keep in (response_captures(model), response_cookie(model)):
            if keep is not None:
                keep(txn)
    txn.finished = 50.0
    return compile_log_format(log_format_of(model), env)(txn)


def same_numbers(ours: bytes, theirs: bytes) -> bytes:
    """Our line with the byte counts, milliseconds and seconds of theirs: words that hold digits only, at the same place."""
    our_words, their_words = ours.split(b" "), theirs.split(b" ")
    if len(our_words) != len(their_words):
        return ours
    number = re.compile(rb"\+?[0-9A-F]+")
    return b" ".join(
        other if number.fullmatch(own) and number.fullmatch(other) and own[:1].isalnum() == other[:1].isalnum() else own
        for own, other in zip(our_words, their_words, strict=True)
    )


@pytest.mark.referee
@pytest.mark.parametrize("captures", ["", CAPTURES], ids=["plain", "captures"])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("request_bytes", [REQUEST, OLD], ids=["rich", "old"])
def test_lines_as_haproxy(request_bytes, ending, captures, haproxy, tmp_path):
    listeners = Listeners(len(FORMATS) + 1)  # the last is the origin's
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(5)
    with receiver, listeners:
        text = configuration(ENDINGS[ending], captures, listeners, receiver.getsockname()[1])
        theirs = lines_of_haproxy(haproxy, tmp_path, text, listeners, request_bytes, receiver)
    result = hapy_config.read_text(re.sub(r"fd@\d+", ":80", text), name=str(tmp_path / "haproxy.cfg"))
    assert result.config is not None, [str(one) for one in result.diagnostics]
    different = []
    for number, line in enumerate(theirs):
        model = result.config.frontend(f"f{number}")
        wanted = masked(line.partition(b"]: ")[2].removesuffix(b"\n"))
        given = same_numbers(masked(line_of_hapy(model, result.config, request_bytes, line)), wanted)
        if given != wanted:
            different.append(f"{FORMATS[number]}\n   haproxy {wanted!r}\n   hapy    {given!r}")
    assert not different, "\n".join(different)


def test_what_counts_as_an_error():
    from tests.hapy.rules_world import environment

    txn = transaction(REQUEST, environment())
    txn.status = 200
    assert not went_wrong(txn)
    txn.status = 503
    assert went_wrong(txn)
    txn.status, txn.term_cause = 302, "L"
    assert not went_wrong(txn)
    txn.retries = 1
    assert not went_wrong(txn)
    txn.term_cause = "-"
    assert went_wrong(txn)
    txn.retries, txn.redispatched = 0, True
    assert went_wrong(txn)
    txn.redispatched, txn.term_cause = False, "c"
    assert went_wrong(txn)
