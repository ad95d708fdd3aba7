"""A DNS server of a scenario: answers from a table that scenarios change, and lies when told to.

UDP and TCP on one port of 127.0.0.1. Whatever isn't in the table does not exist (NXDOMAIN); a name that is there without
the type asked for has an answer without records.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

#: Changes an answer on its way out: (query, answer as made) to the datagrams to send.
Lie = Callable[[dns.message.Message, dns.message.Message], list[bytes]]


class DnsServer:
    """A DNS server on an ephemeral port.

    Attributes:
        records: by name (without the last dot) and type: the records' data as zone files write it.
        rcode: answer everything with this code; None answers from the table.
        silent: answer nothing.
        delay: seconds before each answer.
        truncate: answers over UDP say that they are cut, and carry nothing.
        ttl: of all records.
        lie: see `Lie`.
        queries: (name, type, "udp" or "tcp") of what was asked, in order. times: when each came, on the monotonic clock.
    """

    def __init__(
        self, records: dict[tuple[str, str], list[str]] | None = None, place: tuple[str, int] = ("127.0.0.1", 0)
    ) -> None:
        """Begin to answer.

        Args:
            records: see the attributes.
            place: address and port, 0 for a free one.
        """
        self.records = dict(records or {})
        self.rcode: str | None = None
        self.silent = False
        self.delay = 0.0
        self.truncate = False
        self.ttl = 1
        self.lie: Lie | None = None
        self.queries: list[tuple[str, str, str]] = []
        self.times: list[float] = []
        self.came = threading.Condition()
        self._udp, self._tcp = _pair(place)
        self.port = self._udp.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._closed = False
        threading.Thread(target=self._serve_udp, daemon=True).start()
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, name: str, kind: str, *data: str) -> None:
        """Put records in the place of those of a name and type; none at all keep the name known."""
        self.records[name, kind] = list(data)

    def drop(self, name: str) -> None:
        """Forget a name."""
        self.records = {key: data for key, data in self.records.items() if key[0] != name}

    def wait(self, count: int, seconds: float = 10.0) -> bool:
        """Wait until so many questions have come since this call began; whether they did."""
        deadline = time.monotonic() + seconds
        with self.came:
            wanted = len(self.queries) + count
            while len(self.queries) < wanted:
                if not self.came.wait(max(deadline - time.monotonic(), 0.0)):
                    return False
        return True

    def close(self) -> None:
        """Stop answering."""
        self._closed = True
        for sock in (self._udp, self._tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """The honest answer."""
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if self.rcode is not None:
            answer.set_rcode(dns.rcode.from_text(self.rcode))
            return answer
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        name, seen = question.name, set()
        while True:
            text = name.to_text(omit_final_dot=True).lower()
            alias = self.records.get((text, "CNAME"))
            if not alias or kind == "CNAME" or text in seen:
                break
            seen.add(text)
            answer.answer.append(dns.rrset.from_text(name, self.ttl, "IN", "CNAME", alias[0]))
            name = dns.name.from_text(alias[0])
        data = self.records.get((text, kind))
        if data:
            answer.answer.append(dns.rrset.from_text(name, self.ttl, "IN", kind, *data))
        elif not any(key[0] == text for key in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        for extra_name, extra_kind in self.records:
            if extra_kind.startswith("+") and (extra_name, extra_kind[1:]) not in self.records:
                extra = self.records[extra_name, extra_kind]
                answer.additional.append(dns.rrset.from_text(extra_name + ".", self.ttl, "IN", extra_kind[1:], *extra))
        return answer

    def _respond(self, data: bytes, transport: str) -> list[bytes]:
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return []
        question = query.question[0]
        silent, moment = self.silent, time.monotonic()
        if self.delay:
            time.sleep(self.delay)
        answer = self.answer(query)
        lie = self.lie
        with self.came:
            asked = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype), transport
            self.queries.append(asked)
            self.times.append(moment)
            self.came.notify_all()
        if silent:
            return []
        if lie is not None:
            return lie(query, answer)
        if self.truncate and transport == "udp":
            answer.flags |= dns.flags.TC
            answer.answer.clear()
        return [answer.to_wire(max_size=65535, want_shuffle=False)]

    def _serve_udp(self) -> None:
        while not self._closed:
            try:
                data, sender = self._udp.recvfrom(65536)
            except OSError:
                if self._closed:
                    return
                continue
            threading.Thread(target=self._answer_udp, args=(data, sender), daemon=True).start()

    def _answer_udp(self, data: bytes, sender: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):
            for answer in self._respond(data, "udp"):
                self._udp.sendto(answer, sender)

    def _accept(self) -> None:
        while not self._closed:
            try:
                sock, _ = self._tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_tcp, args=(sock,), daemon=True).start()

    def _serve_tcp(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock, sock.makefile("rb") as stream:
            while head := stream.read(2):
                for answer in self._respond(stream.read(struct.unpack("!H", head)[0]), "tcp"):
                    sock.sendall(struct.pack("!H", len(answer)) + answer)


def _pair(place: tuple[str, int]) -> tuple[socket.socket, socket.socket]:
    """A UDP and a listening TCP socket on the same port."""
    while True:
        tcp = socket.create_server(place, backlog=64)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
            if place[1]:
                raise
            continue
        return udp, tcp
