"""Servers that answer every request alike and remember what they got."""

from __future__ import annotations

import socket
import socketserver
import threading
from typing import Final

import h11

from hapy.net.proxy_header import CRC32C, BadHeader, Header, read_header, values

#: Marks a replayed request, so that a health check is not taken for one.
MARK: Final = b"x-hapy-verify"


class Stub:
    """One server.

    Attributes:
        name: `backend/server`. address: `127.0.0.1:port`.
        heads: what it got, by the request's mark: the head's lines without the mark, then the body. What a PROXY header
            in front of the connection says stands behind the first line, as if it were a field.
        connections: how many were opened to it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.heads: dict[bytes, list[bytes]] = {}
        self.connections = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stub = self
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    stub: Stub


class _Handler(socketserver.BaseRequestHandler):
    """One connection."""

    server: _Server

    def handle(self) -> None:
        """Answer until the other side ends it."""
        stub = self.server.stub
        stub.connections += 1
        sock: socket.socket = self.request
        sock.settimeout(30)
        connection = h11.Connection(h11.SERVER)
        try:
            preface = self._preface(sock, connection)
            while self._exchange(sock, connection, stub, preface):
                connection.start_next_cycle()
        except (OSError, h11.ProtocolError):
            return  # it was closed in the middle, or what came was no HTTP: a TCP session, then

    def _preface(self, sock: socket.socket, connection: h11.Connection) -> list[bytes]:
        """Take a PROXY header, if there is one; what follows is for `connection`."""
        data = b""
        header: Header | None = None
        while header is None:
            more = sock.recv(65536)
            data += more
            try:
                header = read_header(data) if more else Header(0)
            except BadHeader:
                header = Header(0)
        if data[header.size :] or not data:
            connection.receive_data(data[header.size :])
        return [_told(header)] if header.size else []

    def _exchange(self, sock: socket.socket, connection: h11.Connection, stub: Stub, preface: list[bytes]) -> bool:
        head: h11.Request | None = None
        body = b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    sock.sendall(connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
                connection.receive_data(sock.recv(65536))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return False
        assert head is not None
        mark = next((value for name, value in head.headers if name == MARK), b"")
        lines = [b"%s %s HTTP/%s" % (head.method, head.target, head.http_version)]
        lines += preface
        lines += [b"%s: %s" % field for field in head.headers if field[0] != MARK]
        stub.heads[mark] = [*lines, b"", body]
        answer = f"{stub.name}\n".encode()
        fields = [("content-type", "text/plain"), ("content-length", str(len(answer))), ("server", "stub")]
        sock.sendall(connection.send(h11.Response(status_code=200, headers=fields, reason=b"OK")) or b"")
        if head.method != b"HEAD":
            sock.sendall(connection.send(h11.Data(data=answer)) or b"")
        sock.sendall(connection.send(h11.EndOfMessage()) or b"")
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE


def _told(header: Header) -> bytes:
    """A PROXY header in words: no ports, which are never the same, and no checksum over them."""
    told = [b"(PROXY header): %s to %s" % (header.source or b"local", header.destination or b"local")]
    told += [b"0x%02x=%s" % (kind, value.hex().encode()) for kind, value in values(header.tail) if kind != CRC32C]
    return b" ".join(told)
