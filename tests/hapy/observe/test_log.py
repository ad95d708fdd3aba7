"""Senders, framings and loggers on their own."""

from __future__ import annotations

import contextlib
import os
import re
import socket

import pytest

from hapy.observe.counters import Rate
from hapy.observe.framing import make_framing
from hapy.observe.log import Logger
from hapy.observe.process import Process
from hapy.observe.senders import Sender, make_transport
from hapy.samples.environment import CompileError
from hapy_config.grammar.formats import parse_format
from hapy_config.model.addresses import Address
from hapy_config.model.proxy import LogTarget, Proxy
from tests.hapy.rules_world import environment, transaction

REQUEST = b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.fixture
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(5)
        yield found


def target(receiver, **settings) -> LogTarget:
    host, port = receiver.getsockname()
    return LogTarget(Address("ipv4", host, port), **settings)


@pytest.fixture
def closing():
    """Closes what it is handed, in the end."""
    with contextlib.ExitStack() as stack:

        def close_later(one):
            stack.callback(one.close)
            return one

        yield close_later


def nothing_waits(receiver) -> bool:
    receiver.settimeout(0)
    try:
        receiver.recv(65536)
    except BlockingIOError:
        return True
    finally:
        receiver.settimeout(5)
    return False


def sender_to(wanted: LogTarget, closing, hostname: str | None = None, longest: int = 0) -> Sender:
    framing = make_framing(wanted, Process(), "haproxy", hostname)
    return closing(Sender(wanted, framing, make_transport(wanted), longest or max(wanted.length, 1024)))


def logger(receiver, closing, *, options=("httplog",), **settings) -> tuple[Logger, object]:
    wanted = settings.pop("target", {})
    model = Proxy("f", "listen", mode="http", options=frozenset(options), log=(target(receiver, **wanted),), **settings)
    env = environment(model)
    txn = transaction(REQUEST, env)
    txn.started = txn.idle_done = txn.request_done = txn.finished = 5.0
    txn.request_wall = 1795174298.125
    txn.status = 200
    return closing(Logger(model, env)), txn


FRAMES = {
    "": rb"<134>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d haproxy\[\d+\]: text\n",
    "local": rb"<134>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d haproxy\[\d+\]: text\n",
    "rfc3164": rb"<134>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d localhost haproxy\[\d+\]: text\n",
    "rfc5424": rb"<134>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d - haproxy \d+ - - text\n",
    "priority": rb"<134>text\n",
    "short": rb"<6>text\n",
    "timed": rb"<6>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d text\n",
    "iso": rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d text\n",
    "raw": rb"text\n",
}


@pytest.mark.parametrize("form", FRAMES)
def test_framings(form, receiver, closing):
    wanted = target(receiver, format=form)
    sender_to(wanted, closing).send(6, b"text")
    assert re.fullmatch(FRAMES[form], receiver.recv(65536))


def test_host_name_makes_rfc3164_the_default(receiver, closing):
    wanted = target(receiver)
    sender_to(wanted, closing, "hh").send(6, b"x")
    assert b" hh haproxy[" in receiver.recv(65536)
    sender_to(wanted, closing, "").send(6, b"x")
    assert b" %b haproxy[" % socket.gethostname().encode() in receiver.recv(65536)


def test_unknown_facility_and_format_are_errors(receiver):
    with pytest.raises(CompileError, match="facility"):
        make_framing(target(receiver, facility="local9"), Process(), "t", None)
    with pytest.raises(CompileError, match="format"):
        make_framing(target(receiver, format="xml"), Process(), "t", None)


def test_ring_buffers_are_refused():
    with pytest.raises(CompileError, match="ring"):
        make_transport(LogTarget(Address("name", "buf0"), stream="ring"))


@pytest.mark.parametrize(("length", "longest", "sent"), [(80, 80, 80), (80, 81, 81), (80, 2000, 81), (100, 100, 91)])
def test_cut_without_a_head(length, longest, sent, receiver, closing):
    """The text alone is cut to the greatest length of all targets, its line end counted in; then to the target's own."""
    sender_to(target(receiver, length=length, format="raw"), closing, longest=longest).send(6, b"x" * 90)
    assert receiver.recv(65536) == b"x" * (sent - 1) + b"\n"


def test_levels(receiver, closing):
    wanted = target(receiver, level="notice", minimum_level="crit", format="short")
    sender = sender_to(wanted, closing)
    sender.send(6, b"info")
    assert nothing_waits(receiver)
    sender.send(5, b"notice")
    assert receiver.recv(65536) == b"<5>notice\n"
    sender.send(0, b"emerg")
    assert receiver.recv(65536) == b"<2>emerg\n"


def test_samples(receiver, closing):
    wanted = target(receiver, sample=(((1, 1), (3, 4)), 5), format="raw")
    sender = sender_to(wanted, closing)
    for number in range(10):
        sender.send(6, b"%d" % number)
    found = []
    while not nothing_waits_into(receiver, found):
        pass
    assert found == [b"0\n", b"2\n", b"3\n", b"5\n", b"7\n", b"8\n"]


def nothing_waits_into(receiver, found) -> bool:
    receiver.settimeout(0)
    try:
        found.append(receiver.recv(65536))
    except BlockingIOError:
        return True
    return False


def test_long_lines_are_cut(receiver, closing):
    wanted = target(receiver, length=80, format="raw")
    sender = sender_to(wanted, closing)
    sender.send(6, b"x" * 200)
    assert receiver.recv(65536) == b"x" * 80 + b"\n"


def test_unix_socket(tmp_path, closing):
    path = str(tmp_path / "log")
    wanted = LogTarget(Address("unix", path), format="raw")
    sender = sender_to(wanted, closing)
    sender.send(6, b"lost")
    assert sender.dropped == 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(5)
        sender.send(6, b"found")
        assert receiver.recv(100) == b"found\n"
    assert sender.dropped == 1


def test_descriptor_drops_when_full(closing):
    reading, writing = os.pipe()
    wanted = LogTarget(Address("fd", str(writing)), length=3000, format="raw")
    sender = sender_to(wanted, closing)
    sender.send(6, b"y" * 4000)
    assert os.read(reading, 10000) == b"y" * 2999 + b"\n"
    for _ in range(100):
        sender.send(6, b"z" * 4000)
    assert sender.dropped > 0
    os.close(reading)
    os.close(writing)


def test_refused_messages_do_not_raise(receiver, closing):
    wanted = target(receiver, format="raw")
    sender = sender_to(wanted, closing)
    receiver.close()
    for _ in range(5):
        sender.send(6, b"x")


def test_access_line(receiver, closing):
    log, txn = logger(receiver, closing)
    log.log_transaction(txn)
    line = receiver.recv(65536)
    assert line.startswith(b"<134>")
    assert line.endswith(b'f f/<NOSRV> 0/-1/-1/-1/0 200 0 - - ---- 0/0/0/0/0 0/0 "GET /a HTTP/1.1"\n')
    assert txn.frontend.counters.log_lines == 1


def test_level_of_a_request(receiver, closing):
    log, txn = logger(receiver, closing)
    txn.log_level = "err"
    log.log_transaction(txn)
    assert receiver.recv(65536).startswith(b"<131>")
    txn.log_level = "silent"
    log.log_transaction(txn)
    assert nothing_waits(receiver)


def test_separate_errors(receiver, closing):
    log, txn = logger(receiver, closing, options=("httplog", "log-separate-errors"))
    txn.status = 502
    log.log_transaction(txn)
    assert receiver.recv(65536).startswith(b"<131>")
    txn.status = 404
    log.log_transaction(txn)
    assert receiver.recv(65536).startswith(b"<134>")


def test_normal_ones_are_left_out(receiver, closing):
    log, txn = logger(receiver, closing, options=("httplog", "dontlog-normal"))
    log.log_transaction(txn)
    assert nothing_waits(receiver)
    txn.term_cause, txn.term_phase = "P", "R"
    log.log_transaction(txn)
    assert b" PR-- " in receiver.recv(65536)


def test_no_format_is_a_line_at_accept(receiver, closing):
    log, txn = logger(receiver, closing, options=())
    assert log.at_accept
    log.log_transaction(txn)
    assert nothing_waits(receiver)
    log.log_accept(txn.client)
    assert receiver.recv(65536).endswith(b": Connect from 127.0.0.1:40000 to 127.0.0.1:8080 (f/HTTP)\n")


def test_events_and_errors(receiver, closing):
    log, txn = logger(receiver, closing)
    log.log_event("notice", "Proxy f started.")
    assert re.fullmatch(rb"<133>.* haproxy\[\d+\]: Proxy f started\.\n", receiver.recv(65536))
    txn.client.listener_id = 3
    log.log_error(txn, "Connection error during SSL handshake")
    assert receiver.recv(65536).endswith(b"] f/3: Connection error during SSL handshake\n")


def test_tag_of_the_section(receiver, closing):
    log, txn = logger(receiver, closing, log_tag="mine")
    log.log_transaction(txn)
    assert b" mine[" in receiver.recv(65536)


def test_a_section_without_targets_logs_nothing():
    model = Proxy("f", "listen", mode="http", options=frozenset({"httplog"}))
    log = Logger(model, environment(model))
    assert not log.enabled
    log.log_transaction(transaction(REQUEST, environment(model)))
    assert log.dropped == 0


def test_rate_is_a_sliding_second():
    rate = Rate()
    for _ in range(10):
        rate.add(100.0)
    assert rate.read(100.5) == 10
    assert rate.read(101.5) == 5
    rate.add(101.6)
    assert 1 <= rate.read(101.9) <= 3
    assert rate.read(110.0) == 0
    assert rate.highest == 10


def test_error_format_tells_what_failed(receiver, closing):
    log, txn = logger(
        receiver,
        closing,
        error_log_format=parse_format("%ci:%cp %[fc_err] %[fc_err_str]", merge_spaces=True),
        target={"format": "raw"},
    )
    log.log_error(txn, "Timeout during SSL handshake")
    assert receiver.recv(65536) == b"127.0.0.1:40000 26 Timeout during SSL handshake\n"


def test_what_is_refused_has_structured_data_too(receiver, closing):
    log, txn = logger(
        receiver,
        closing,
        error_log_format=parse_format("refused", merge_spaces=True),
        log_format_sd=parse_format('[a@1 x="%ci"]', merge_spaces=True),
        target={"format": "rfc5424"},
    )
    log.log_refusal(txn)
    assert receiver.recv(65536).endswith(b' - [a@1 x="127.0.0.1"] refused\n')
