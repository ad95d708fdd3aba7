"""Origins: servers whose every connection follows a script, and which write down what reached them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable

from cryptography import x509

from compat.harness.message import Message, Reader


class Connection:
    """One connection that a proxy made to an origin. Scripts read from it and write to it; all of it is recorded."""

    def __init__(self, origin: Origin, sock: socket.socket, number: int) -> None:
        self.origin = origin
        self.sock = sock
        self.number = number
        self.reader = Reader(sock)
        self.requests: list[Message] = []
        self.ended = threading.Event()

    def read(self) -> Message | None:
        """The next request, or None when the proxy closed."""
        message = self.reader.message(request=True)
        if message is not None:
            with self.origin.changed:
                self.requests.append(message)
                self.origin.order.append((self.number, message))
                self.origin.changed.notify_all()
        return message

    def write(self, data: bytes) -> None:
        """Send bytes; a proxy that has gone away is no error."""
        try:
            self.sock.sendall(data)
        except OSError:
            self.reader.end = self.reader.end or "reset"

    def reply(self, body: bytes = b"", status: str = "200 OK", headers: tuple[str, ...] = ()) -> None:
        """Send an answer with Content-Length."""
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
        self.write("\r\n".join(lines).encode("latin-1") + body)

    def close(self) -> None:
        """FIN."""
        self.sock.close()

    def shutdown(self) -> None:
        """Half-close: FIN, but go on reading."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Connection], None]


def answering(body: bytes, *headers: str) -> Script:
    """A script that answers every request on a connection with the same body."""

    def script(connection: Connection) -> None:
        while connection.read() is not None:
            connection.reply(body, headers=headers)

    return script


class Origin:
    """A listening server. Each connection runs `script` in a thread of its own."""

    def __init__(self, name: str, script: Script, *, deaf: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self.name = name
        self.script = script
        self.tls = tls
        self.handshakes: list[str] = []
        if tls is not None:
            tls.sni_callback = self._named
        self.connections: list[Connection] = []
        self.order: list[tuple[int, Message]] = []
        self.names: dict[int, str | None] = {}
        self.changed = threading.Condition()
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self.sock.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        if not deaf:
            self._thread.start()

    @property
    def address(self) -> str:
        """`127.0.0.1:port`."""
        return f"127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            sock.settimeout(10)
            with self.changed:
                connection = Connection(self, sock, len(self.connections) + 1)
                self.connections.append(connection)
                self.changed.notify_all()
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: Connection) -> None:
        try:
            if self.tls is not None:
                self._shake(connection)
            self.script(connection)
        except (OSError, TimeoutError):
            pass
        finally:
            connection.ended.set()
            connection.sock.close()

    def _named(self, _tls: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        self.names[threading.get_ident()] = name

    def _shake(self, connection: Connection) -> None:
        assert self.tls is not None
        tls = self.tls.wrap_socket(connection.sock, server_side=True, do_handshake_on_connect=False)
        connection.sock = tls
        try:
            tls.do_handshake()
        except OSError as error:
            self.handshakes.append(f"no handshake on connection {connection.number}: {type(error).__name__}")
            tls.shutdown(socket.SHUT_WR)
            while tls.recv(4096):  # closing before all is read resets, and the alert may be lost by that
                pass
            raise
        connection.reader = Reader(tls)
        der = tls.getpeercert(binary_form=True)
        peer = x509.load_der_x509_certificate(der).subject.rfc4514_string() if der else "none"
        self.handshakes.append(
            f"TLS on connection {connection.number}: {tls.version()} sni {self.names.get(threading.get_ident())}"
            f" alpn {tls.selected_alpn_protocol()} resumed {tls.session_reused} certificate {peer}"
        )

    def wait_for(self, test: Callable[[], bool], seconds: float = 5.0) -> bool:
        """Wait until `test()` holds; it is looked at whenever a connection or a request comes."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not test():
                rest = deadline - time.monotonic()
                if rest <= 0:
                    return False
                self.changed.wait(min(rest, 0.05))
        return True

    def stop(self) -> None:
        """Refuse further connections and drop the standing ones."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)  # a close alone leaves a blocked accept() listening
        self.sock.close()
        for connection in self.connections:
            connection.sock.close()

    def transcript(self) -> list[str]:
        """What reached it: every request in order, with the number of the connection it came on."""
        shown = list(self.handshakes)
        for number, message in self.order:
            shown.append(f"on connection {number}:")
            shown.extend("  " + line for line in message.lines())
        return shown
