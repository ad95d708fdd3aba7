"""A client on a raw socket: it sends bytes and writes down what comes back, also how the connection ended."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct

from cryptography import x509

from compat.harness.message import Message, Reader


class Client:
    """One client connection.

    Attributes:
        seen: the transcript lines.
        shaken: a TLS handshake has succeeded.
    """

    def __init__(self, address: tuple[str, int] | str, source: str | None = None, timeout: float = 10.0) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        if source is not None:
            self.sock.bind((source, 0))
        self.reader = Reader(self.sock)
        try:
            self.sock.connect(address)
        except ConnectionResetError:
            self.reader.end = "reset"  # it stood, and was reset before we were told
        except OSError:
            self.sock.close()
            raise
        self.seen: list[str] = []
        self.shaken = False

    def shake(self, context: ssl.SSLContext, server_name: str | None = None, **options: ssl.SSLSession | None) -> bool:
        """Make it a TLS connection; note how that went."""
        try:
            self.sock = tls = context.wrap_socket(
                self.sock, server_hostname=server_name, suppress_ragged_eofs=False, **options
            )
        except OSError as error:
            why = error.reason if isinstance(error, ssl.SSLError) else type(error).__name__
            self.seen.append(f"no handshake: {why}")
            self.sock = socket.socket()  # the other one is gone
            return False
        self.shaken = True
        self.reader = Reader(tls)
        der = tls.getpeercert(binary_form=True)
        name = x509.load_der_x509_certificate(der).subject.rfc4514_string() if der else "none"
        cipher = tls.cipher()
        self.seen.append(
            f"TLS: {tls.version()} {cipher[0] if cipher else ''} alpn {tls.selected_alpn_protocol()}"
            f" resumed {tls.session_reused} certificate {name}"
        )
        return True

    def send(self, data: bytes | str) -> None:
        """Send bytes as they are; text has its line ends made CRLF."""
        if isinstance(data, str):
            data = data.replace("\r\n", "\n").replace("\n", "\r\n").encode("latin-1")
        try:
            self.sock.sendall(data)
        except OSError as error:
            self.seen.append(f"send failed: {type(error).__name__}")

    def receive(self, method: str = "GET") -> Message | None:
        """Read one answer (with the informational ones before it) into the transcript."""
        while True:
            try:
                message = self.reader.message(request=False, method=method)
            except TimeoutError:
                self.seen.append("no answer in time")
                return None
            if message is None:
                self.seen.append(f"no answer: {self.reader.end}")
                return None
            self.seen.extend(message.lines())
            if message.framing == "cut" or not 100 <= message.status < 200 or message.status == 101:
                return message

    def get(self, target: str = "/", *headers: str, version: str = "1.1", method: str = "GET") -> Message | None:
        """Send a request without a body and read the answer."""
        lines = [f"{method} {target} HTTP/{version}", "Host: hapy.test", *headers, "", ""]
        self.send("\r\n".join(lines).encode("latin-1"))
        return self.receive(method)

    def post(self, target: str, body: bytes, *headers: str) -> Message | None:
        """Send a request with a body and read the answer."""
        lines = [f"POST {target} HTTP/1.1", "Host: hapy.test", f"Content-Length: {len(body)}", *headers, "", ""]
        self.send("\r\n".join(lines).encode("latin-1") + body)
        return self.receive("POST")

    def ending(self, wait: float = 0.3) -> str:
        """How the connection stands after at most `wait` seconds: open, fin, reset, or data when more came."""
        if not self.reader.end and not self.reader.buffer:
            self.sock.settimeout(wait)
            try:
                self.reader.fill()
            except TimeoutError:
                self.seen.append("connection: open")
                return "open"
            finally:
                self.sock.settimeout(10)
        state = "data" if self.reader.buffer else self.reader.end
        self.seen.append(f"connection: {state}")
        return state

    def expect_end(self, seconds: float = 5.0) -> str:
        """Wait for the other side's end and note which it was."""
        return self.ending(seconds)

    def shutdown(self) -> None:
        """Half-close, with TLS without a word."""
        with contextlib.suppress(OSError):  # it may have been reset
            socket.socket.shutdown(self.sock, socket.SHUT_WR)

    def send_last(self, data: bytes | str) -> None:
        """Send bytes and a FIN with them, in one segment."""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self.send(data)
        self.shutdown()

    def close(self) -> None:
        """FIN."""
        self.sock.close()

    def reset(self) -> None:
        """RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
