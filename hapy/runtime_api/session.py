"""One connection to a stats socket: lines in, answers out.

Rules (management manual, 9.3):
- A session answers the lines that are there and ends, unless `prompt` was among them: then it goes on until `quit`.
- Commands on one line are parted by `;`. A backslash takes blanks, `;` and itself literally.
- A line that ends with `<<` is followed by a payload, which ends with an empty line.
- Whatever a command does wrong, the session answers and the process goes on.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

from hapy.net.clock import NEVER
from hapy.net.stream import Stream
from hapy.runtime_api.registry import Call, Level, Refusal, Severity, find, is_known, not_understood

if TYPE_CHECKING:
    from collections.abc import Callable

    from hapy.runtime_api.control import Control

#: A line with its payload may be this long, in bytes.
_LONGEST: Final = 16384
_END_OF_PAYLOAD: Final = re.compile(rb"(?<=\n)\r?\n")
_WORD: Final = re.compile(r"(?:\\.|[^\\\s])+", re.DOTALL)


def split_commands(line: str) -> list[str]:
    """The commands of a line, parted by `;`."""
    found, start, position = [], 0, 0
    while position < len(line):
        if line[position] == "\\":
            position += 1
        elif line[position] == ";":
            found.append(line[start:position])
            start = position + 1
        position += 1
    found.append(line[start:])
    return found


def split_words(text: str) -> list[str]:
    """The words of a command, backslashes taken away."""
    return [re.sub(r"\\(.)", r"\1", word) for word in _WORD.findall(text)]


class Session(Stream):
    """A connection.

    Attributes:
        level: what it may do. interactive: it goes on after an answer.
        severity: how answers say how grave they are: none, number or string.
        modes: what it has switched on, of `expert` and `experimental`.
        timeout: seconds of silence that end it.
    """

    __slots__ = ("_buffer", "_control", "_release", "interactive", "leaving", "level", "modes", "severity", "timeout")

    def __init__(
        self, control: Control, release: Callable[[], None], level: Level, *, timeout: float, severity: str = "none"
    ) -> None:
        super().__init__()
        self._control = control
        self._release = release
        self._buffer = b""
        self.level = level
        self.timeout = timeout
        self.interactive = False
        self.leaving = False
        self.severity = severity
        self.modes: set[str] = set()

    def on_open(self) -> None:
        """Accepted."""
        self._wait()

    def on_deadline(self) -> None:
        """Silent for too long."""
        self.close()

    def on_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - streams are told
        """The connection is gone."""
        self._control.open_sessions -= 1
        self._release()

    def on_eof(self) -> None:
        """The client has nothing more to say; what was answered still goes out."""
        self.close()

    def wait_anew(self, seconds: float) -> None:
        """Have silence end the session after a time from now on."""
        self.timeout = seconds
        self._wait()

    def _wait(self) -> None:
        if self.timeout != NEVER:
            self.expire_after(self.timeout)

    def data_received(self, data: bytes) -> None:
        """Event loop: bytes have come."""
        if self.closed or self.draining:
            return
        self._wait()
        self._buffer += data
        answered = False
        while not self.leaving and (taken := self._take_line()) is not None:
            answered = True
            line, payload = taken
            self._answer(line, payload)
        if len(self._buffer) > _LONGEST:
            self._buffer = b""
            self.leaving = True
        if self.leaving or (answered and not self.interactive and not self._buffer):
            self.close()

    def _take_line(self) -> tuple[str, str | None] | None:
        """The next line and its payload; None while it is incomplete."""
        end = self._buffer.find(b"\n")
        if end < 0:
            return None
        line = self._buffer[:end].rstrip(b"\r").rstrip(b" \t")
        rest = end + 1
        payload = None
        if line == b"<<" or line.endswith((b" <<", b"\t<<")):
            line = line[:-2]
            stop = _END_OF_PAYLOAD.search(self._buffer, rest)
            if stop is None:
                return None
            payload = self._buffer[rest : stop.start()].decode("utf-8", "surrogateescape")
            rest = stop.end()
        self._buffer = self._buffer[rest:]
        return line.decode("utf-8", "surrogateescape"), payload

    def _answer(self, line: str, payload: str | None) -> None:
        """Do what a line says."""
        for text in split_commands(line):
            answer = self._run(split_words(text), payload)
            if self.leaving:
                return
            self._write(answer + ("\n> " if self.interactive else "\n"))

    def _run(self, words: list[str], payload: str | None) -> str:
        found = find(words) if words else None
        if found is None:
            known = is_known(words)
            if known is None:
                return self._prefixed(not_understood(words), Severity.INFO)
            return self._prefixed(f"'{known}' is not run by hapy.\n", Severity.ERR)
        call = Call(words, words[len(found.words) :], payload, self, self._control)
        try:
            call.need(found.level)
            text = found.run(call)
        except Refusal as refusal:
            return self._prefixed(str(refusal), refusal.severity)
        except Exception:
            logging.getLogger(__name__).exception("the command %r broke", " ".join(words))
            return self._prefixed("Internal error.\n", Severity.ERR)
        return self._prefixed(text, call.severity)

    def _prefixed(self, text: str, severity: Severity | None) -> str:
        """A message with its severity, as far as that is wanted."""
        if not text or severity is None or self.severity == "none":
            return text
        return f"[{severity.value if self.severity == 'number' else severity.name.lower()}]: {text}"

    def _write(self, text: str) -> None:
        if not self.closed:
            data = text.encode("utf-8", "surrogateescape")
            self._control.job.runtime.process.bytes_out += len(data)
            self.transport.write(data)
