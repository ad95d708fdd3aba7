"""The two connections of a session in `mode tcp`.

Bytes go from one transport to the other inside the event loop's callback. A side that can't take more pauses the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy.net.clock import NEVER, now, watch
from hapy.net.sockets import send_fin, unacknowledged
from hapy.net.stream import Stream

if TYPE_CHECKING:
    from hapy.proxy.tcp_flow import Flow


class Side(Stream):
    """One of the two connections of a session.

    Attributes:
        other: the opposite side, None until it stands and once it is gone.
        timeout: seconds of inactivity it may have.
        shut: our FIN has been sent.
        linked: bytes written here, too, put its timeout off; not so with `option independent-streams`.
        nolinger: what would be its FIN and its end at once is a reset (`option nolinger`).
        holding: what comes is kept in `held`: the other side doesn't stand yet, or content rules look at it first.
        ceased: it was silent for too long, which is taken for its FIN.
        late: it was silent for too long while content rules waited.
        gone: the event loop has told of its end.
    """

    __slots__ = (
        "ceased",
        "gone",
        "held",
        "holding",
        "late",
        "linked",
        "nolinger",
        "other",
        "session",
        "shut",
        "timeout",
    )

    session: Flow

    def __init__(self) -> None:
        super().__init__()
        self.other: Side | None = None
        self.timeout = NEVER
        self.shut = False
        self.held: list[bytes] = []
        self.holding = True
        self.ceased = False
        self.late = False
        self.gone = False
        self.linked = True
        self.nolinger = False

    def data_received(self, data: bytes) -> None:
        """Event loop: bytes for the other side."""
        self.session.passed(self, len(data))
        other = self.other
        if self.holding or other is None:
            self.held.append(data)
            self.session.more(self)
        elif not other.closed and not other.shut:
            moment = now()
            self.deadline = deadline = moment + self.timeout
            if deadline < self.looked_at:
                watch(self)
            if other.linked or other.eof:
                other.deadline = deadline = moment + other.timeout
                if deadline < other.looked_at:
                    watch(other)
            other.transport.write(data)

    def peek(self, limit: int) -> bytes:
        """What has been held back, as much as content rules see of it."""
        if len(self.held) > 1:
            self.held = [b"".join(self.held)]
        return self.held[0][:limit] if self.held else b""

    def let_go(self) -> None:
        """Pass on what was held back, and from now on what comes."""
        self.holding = False
        other = self.other
        assert other is not None
        if self.held and not other.closed and not other.shut:
            other.transport.write(b"".join(self.held))
        self.held.clear()
        self.resume()
        if self.eof:
            other.shut_down()

    @property
    def pending(self) -> bool:
        """Whether bytes wait for the peer to take them."""
        return not self.gone and self.transport.get_write_buffer_size() > 0

    @property
    def due(self) -> bool:
        """Whether anything is due from the peer: to send what we are ready to read, or to take what it was sent."""
        return (self.reading and not self.eof) or self.pending

    def cease(self) -> None:
        """Take nothing more from the peer, as if it had sent its FIN."""
        self.ceased = True
        self.pause()
        self.eof = True
        self.on_eof()

    def finish(self) -> None:
        """Nobody takes its bytes any more: FIN, then close, so that what it still sends is answered by a reset.

        While something is under way to it, which a reset would destroy, it is heard and what it says is dropped.
        """
        if self.closed or self.draining:
            return
        if self.eof or self.pending or unacknowledged(self.transport):
            super().finish()
            return
        if self.nolinger:
            self.cut()
            return
        if not self.shut:
            send_fin(self.transport)
        self.close()

    def cut(self) -> None:
        """FIN, and a reset behind it: what the peer has sent is lost, and it shall know."""
        if not self.closed:
            if not self.shut:
                send_fin(self.transport)
            self.abort()

    def conclude(self) -> None:
        """Nobody takes its bytes any more: send what is buffered as long as the peer takes it, then close."""
        if self.closed or self.draining:
            return
        if not self.pending and not self.shut:
            if self.eof and not self.ceased:
                self.leave()
            else:
                self.finish()
            return
        self.pause()
        self.close()
        if self.deadline == NEVER:
            self.expire_after(self.timeout)

    def leave(self) -> None:
        """End it where nothing asks for care: `option nolinger` resets it."""
        if self.nolinger:
            self.abort()
        else:
            self.finish()

    def drop(self) -> None:
        """Close at once; what is buffered here is lost."""
        self.closed = True
        self.transport.abort()

    def on_eof(self) -> None:
        """The peer has shut its sending side."""
        other = self.other
        if other is not None and not self.holding:
            other.shut_down()
        self.session.half_closed(self)

    def shut_down(self) -> None:
        """Send FIN after what is buffered; close when the peer has sent its own."""
        if self.closed or self.shut:
            return
        self.shut = True
        if not self.eof:
            self.transport.write_eof()
            return
        if self.ceased and not self.pending:
            send_fin(self.transport)  # what it sent too late is not read
        self.close()

    def on_deadline(self) -> None:
        """This side was silent for too long."""
        if not self.draining:
            self.session.expired(self)
        elif self.closed:
            self.drop()
        else:
            self.close()
            self.expire_after(self.timeout)  # for taking what is left

    def resume(self) -> None:
        """The other side takes bytes again: this one has all its time to send some."""
        if not self.reading and self.other is not None and not self.pending:
            self.expire_after(self.timeout)
        super().resume()

    def pause_writing(self) -> None:
        """Event loop: the peer must take bytes."""
        super().pause_writing()
        self.expire_after(self.timeout)

    def on_drained(self) -> None:
        """It has taken some."""
        self.expire_after(self.timeout)

    def on_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self.gone = True
        self.session.lost(self, error)


class ServerSide(Side):
    """The connection to the server.

    Attributes:
        preface: what it begins with (a PROXY header).
    """

    __slots__ = ("preface",)

    def __init__(self, preface: bytes) -> None:
        super().__init__()
        self.preface = preface

    def on_open(self) -> None:
        """It stands: the server may speak at once, and what the client has sent goes out."""
        if self.preface:
            self.transport.write(self.preface)
        self.session.join(self)

    def shut_down(self) -> None:
        """Send FIN; with `option nolinger` a server that has not sent its own is not waited for."""
        if self.nolinger and (self.ceased or not self.eof) and not (self.closed or self.shut):
            self.shut = True
            self.abort()
        else:
            super().shut_down()
