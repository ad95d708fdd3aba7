"""Persistence by cookie (configuration manual, `cookie`, `dynamic-cookie-key`, `force-persist`, `ignore-persist`).

What HAProxy 2.6 was seen to do, and this does:

- The first cookie that names a server which runs decides. One that names only servers which are down is noted (`D`),
  one that names none too (`I`), and the next cookie of that name gets its chance.
- With `option persist` or `force-persist` a server that is down will do.
- `use-server` comes first; the cookie then is but noted (`U`).
- Of the dates in a request's cookies the last of each kind counts, whatever server it stands with; those of one that is
  too old count for nothing, and take back what came before. A new cookie keeps the date of the first visit.
- An answer gets a cookie (`insert`) unless the client's own led to its server, or a date in it must be refreshed.
- A backend whose `cookie` line has neither a mode nor `indirect` is read from, and shows no letters in the log.
- Blanks between a cookie's name and its value go, from requests and from answers, whoever's cookie it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hapy.net.clock import wall
from hapy.persist.caching import is_cacheable
from hapy.persist.dates import decode, encode
from hapy.persist.fields import Part, parts, settings, tightened, without
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hapy.http.message import Header
    from hapy.persist.values import CookieValues
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction
    from hapy.rules import Outcome
    from hapy_config.model.proxy import Cookie

#: Dates may lie this far in the future, in seconds: wrong clocks and time zones.
_AHEAD: Final = 24 * 3600

_SET_COOKIES: Final = frozenset({b"set-cookie", b"set-cookie2"})


class Tie:
    """What ties one request to a server.

    Attributes:
        direct: the server that a cookie or `use-server` chose, None once another has been taken.
        cookies: what looks at the request's cookies, None where the backend has only rules.
        last, first: the dates in the cookies, in seconds, 0 for none.
        forced: `force-persist` applies. ignored: `ignore-persist` does.
    """

    __slots__ = ("cookies", "direct", "first", "forced", "ignored", "last")

    def __init__(self, cookies: Cookies | None) -> None:
        self.cookies = cookies
        self.direct: Server | None = None
        self.last = 0
        self.first = 0
        self.forced = False
        self.ignored = False


def runs(server: Server) -> bool:
    """Whether a server takes what is tied to it; draining ones do, and those of weight 0."""
    return server.in_service


class Cookies:
    """The cookies of a backend: `choose` for requests, `review` for answers, after their http-response rules."""

    def __init__(self, cookie: Cookie, values: CookieValues, *, persists: bool) -> None:
        """Args:
        cookie: the `cookie` line.
        values: which server has which value.
        persists: `option persist`: servers that are down will do.
        """
        self._name = to_bytes(cookie.name)
        self._values = values
        self._persists = persists
        self._mode = cookie.mode
        self._idle = cookie.max_idle
        self._life = cookie.max_life
        self._hides = cookie.mode == "insert" and cookie.indirect
        self._indirect = cookie.indirect
        self._preserves = cookie.preserve
        self._nocache = cookie.nocache
        self._post_only = cookie.postonly
        self._tail = b"; path=/" + "".join(
            [
                *(f"; domain={domain}" for domain in cookie.domains),
                "; HttpOnly" if cookie.httponly else "",
                "; Secure" if cookie.secure else "",
                *(f"; {attribute}" for attribute in cookie.attributes),
            ]
        ).encode("utf-8", "surrogateescape")
        #: Whether the log shows letters.
        self.shown = bool(cookie.mode or cookie.indirect)

    # requests

    def choose(self, txn: Transaction, tie: Tie) -> Server | None:
        """The server that the request's cookies name; `tie.direct` has one already where `use-server` did."""
        request = txn.request
        assert request is not None
        if any(key == b"cookie" for key, _value in request.headers):
            request.headers = self._read(txn, tie, request.headers)
            request.plain_size = -1
        return tie.direct

    def _read(self, txn: Transaction, tie: Tie, headers: Sequence[Header]) -> list[Header]:
        """Look at all cookies; gives the fields as the server shall see them."""
        kept: list[Header] = []
        for field in headers:
            if field[0] != b"cookie":
                kept.append(field)
                continue
            line = self._read_line(txn, tie, field[1])
            if line == field[1]:
                kept.append(field)
            elif line:
                kept.append((b"cookie", line))
        return kept

    def _read_line(self, txn: Transaction, tie: Tie, line: bytes) -> bytes:
        unwanted: list[Part] = []
        changes: list[tuple[int, int]] = []
        dropped = False  # whether the cookie that attributes belong to goes
        # Whether any other cookie stays; attributes alone don't, where the field ends without a delimiter.
        others = False
        for part in parts(line):
            if part.name.startswith(b"$"):
                if dropped:
                    unwanted.append(part)
                continue
            dropped = False
            if part.value is None:
                others = True
                continue
            behind = 0
            if part.name == self._name:
                behind = self._take(txn, tie, part.value)
                if self._hides:
                    dropped = True
                    unwanted.append(part)
                    continue
            others = True
            if part.value_start > part.name_end + 1 or behind:
                changes.append((part.name_end, part.value_start + behind))
        if unwanted and not others and unwanted[-1].end == len(line):
            return b""
        if changes:
            line = tightened(line, changes, unwanted)
        return without(line, unwanted) if unwanted else line

    def _take(self, txn: Transaction, tie: Tie, text: bytes) -> int:
        """Look at one cookie's value; gives how many bytes of it the server must not see."""
        behind = 0
        if self._mode == "prefix":
            value, mark, _rest = text.partition(b"~")
            behind = len(value) + 1 if mark else 0
        else:
            value, mark, dates = text.partition(b"|")
            if mark and self._mode == "insert":
                late, _mark, early = dates.partition(b"|")
                last, first = decode(late), decode(early)
                fault = self._is_stale(last, first)
                if fault:
                    txn.cookie_in = fault
                    tie.last = tie.first = 0
                    return 0
                tie.last, tie.first = last or tie.last, first or tie.first
        if tie.direct is not None or tie.ignored:
            if txn.cookie_in == "N":
                txn.cookie_in = "U"
            return behind
        self._find(txn, tie, value)
        if not self.shown:
            txn.cookie_in = "-"
        return behind

    def _is_stale(self, last: int, first: int) -> str:
        """`E` for a cookie that was idle for too long, `O` for one that is too old, else empty."""
        now = int(wall())
        if self._life and first and (now - first > self._life or first - now > _AHEAD):
            return "O"
        if self._idle and last and (now - last > self._idle or last - now > _AHEAD):
            return "E"
        return ""

    def _find(self, txn: Transaction, tie: Tie, value: bytes) -> None:
        """The server of a value."""
        down = False
        for server in self._values.servers(value):
            if runs(server):
                tie.direct = server
                txn.cookie_in = "V"
                return
            down = True
            if self._persists or tie.forced:
                tie.direct = server
                break
        if down:
            txn.cookie_in = "D"
        elif txn.cookie_in not in ("D", "E", "O"):
            txn.cookie_in = "I"

    # answers

    def review(self, txn: Transaction) -> Outcome | None:
        """Do to an answer what `insert`, `prefix` and `rewrite` ask for."""
        response, server, tie = txn.response, txn.server, txn.tie
        assert response is not None
        assert server is not None
        assert tie is not None
        direct = tie.direct is server
        value = self._values.of(server)
        letter = "N"
        headers = response.headers
        if any(field[0] in _SET_COOKIES for field in headers):
            headers, letter = self._handle(headers, value, direct=direct, ignored=tie.ignored)
        if tie.ignored:
            response.headers = headers
            return None
        if self._inserts(txn, tie, direct=direct, provided=letter == "P"):
            headers = [*headers, (b"set-cookie", self._made(value, tie))]
            letter = "U" if direct and value is not None else "I"
            if self._nocache and is_cacheable(txn.method, response.status, response.headers):
                headers.append((b"cache-control", b"private"))
        response.headers = headers
        if self.shown:
            txn.cookie_out = letter
        return None

    def _handle(
        self, headers: list[Header], value: bytes | None, *, direct: bool, ignored: bool
    ) -> tuple[list[Header], str]:
        """The server's own cookies of that name: gives the fields and the letter of what became of them."""
        letter = "N"
        kept: list[Header] = []
        for field in headers:
            if field[0] not in _SET_COOKIES:
                kept.append(field)
                continue
            key, line = field
            stop = len(line)  # what is behind has changed, what is before has not
            for part in reversed(settings(key, line)):
                behind, stop = line[stop:], part.start - 1
                if part.value is None:
                    continue
                head, tail = line[: part.name_end] + b"=", line[part.value_start :]
                line = head + tail
                if part.name != self._name or ignored:
                    continue
                if not self._preserves and (self._mode == "insert" or (self._indirect and direct)):
                    letter = "D"
                    line = line[:stop] + behind if stop > 0 else behind.lstrip(b", \t")
                elif value is not None and self._mode == "rewrite":
                    letter = "R"
                    line = head + value + tail[part.value_end - part.value_start :]
                elif value is not None and self._mode == "prefix":
                    letter = "R"
                    line = head + value + b"~" + tail
                else:
                    letter = "P"
            if line or not field[1]:
                kept.append((key, line))
        return kept, letter

    def _inserts(self, txn: Transaction, tie: Tie, *, direct: bool, provided: bool) -> bool:
        """Whether the answer gets a cookie."""
        if self._mode != "insert" or (self._post_only and txn.method != b"POST"):
            return False
        if provided and self._preserves:
            return False
        if not direct:
            return True
        if (self._idle or tie.last) and (not tie.last or tie.last < int(wall())):
            return True
        return bool(self._life) != bool(tie.first)

    def _made(self, value: bytes | None, tie: Tie) -> bytes:
        """The cookie for a server; for one without a value that which makes browsers forget theirs."""
        if value is None:
            return self._name + b"=; Expires=Thu, 01-Jan-1970 00:00:01 GMT" + self._tail
        text = self._name + b"=" + value
        if self._idle or self._life:
            now = int(wall())
            text += b"|" + encode(now)
            if self._life:
                text += b"|" + encode(tie.first or now)
        return text + self._tail


def bind(
    rules: Sequence[tuple[bool, Callable[[Transaction], bool]]], cookies: Cookies | None
) -> Callable[[Transaction], Outcome | None]:
    """What happens as a request enters the backend: its tie is made, `force-persist` and `ignore-persist` are asked.

    Args:
        rules: whether each forces, and its condition; the first that holds counts.
        cookies: the backend's cookies, None without a `cookie` line.
    """
    shown = cookies is not None and cookies.shown

    def begin(txn: Transaction) -> Outcome | None:
        tie = txn.tie = Tie(cookies)
        if shown:
            txn.cookie_in = txn.cookie_out = "N"
        for forces, applies in rules:
            if applies(txn):
                tie.forced, tie.ignored = forces, not forces
                break
        return None

    return begin
