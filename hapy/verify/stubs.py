"""Servers that answer every request alike and remember what they got."""

from __future__ import annotations

import socket
import socketserver
import threading
from typing import Final

import h11

#: Marks a replayed request, so that a health check is not taken for one.
MARK: Final = b"x-hapy-verify"


class Stub:
    """One server.

    Attributes:
        name: `backend/server`. address: `127.0.0.1:port`.
        heads: what it got, by the request's mark: the head's lines without the mark, then the body.
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
            while self._exchange(sock, connection, stub):
                connection.start_next_cycle()
        except (OSError, h11.ProtocolError):
            return  # it was closed in the middle, or what came was no HTTP: a TCP session, then

    def _exchange(self, sock: socket.socket, connection: h11.Connection, stub: Stub) -> bool:
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
        lines += [b"%s: %s" % field for field in head.headers if field[0] != MARK]
        stub.heads[mark] = [*lines, b"", body]
        answer = f"{stub.name}\n".encode()
        fields = [("content-type", "text/plain"), ("content-length", str(len(answer))), ("server", "stub")]
        sock.sendall(connection.send(h11.Response(status_code=200, headers=fields, reason=b"OK")) or b"")
        if head.method != b"HEAD":
            sock.sendall(connection.send(h11.Data(data=answer)) or b"")
        sock.sendall(connection.send(h11.EndOfMessage()) or b"")
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE
