"""Counters of frontends, backends, servers and listeners, named after the fields of HAProxy's CSV statistics.

(management manual, section 9.1.) Plain integers that their owners count up; nothing here computes but `Rate`.
"""

from __future__ import annotations

from collections.abc import Callable


class Rate:
    """Events per second over a sliding second: the current period and, weighted, the one before."""

    __slots__ = ("count", "highest", "previous", "start")

    def __init__(self) -> None:
        self.start = 0.0
        self.count = 0
        self.previous = 0
        self.highest = 0

    def add(self, now: float) -> None:
        """Count one event at `now` (seconds, monotonic)."""
        if now - self.start >= 1.0:
            self._turn(now)
        self.count += 1

    def _turn(self, now: float) -> None:
        passed = now - self.start
        self.previous = self.count if passed < 2.0 else 0
        self.highest = max(self.highest, self.count)
        self.count = 0
        self.start = self.start + 1.0 if passed < 2.0 else now

    def read(self, now: float) -> int:
        """Events in the last second."""
        if now - self.start >= 1.0:
            self._turn(now)
        remaining = 1.0 - (now - self.start)
        return self.count + int(self.previous * max(0.0, remaining) + 0.5)


#: How many requests averages look back on.
_WINDOW = 1024
#: So many samples are summed up together.
_TOGETHER = 32


class Times:
    """How long requests took, in seconds: averages over about the last 1024, and the highest.

    Of each request four times count: in the queue, to connect, to the answer, and all together. Samples are only kept,
    and summed up a few dozen at a time.
    """

    __slots__ = ("_count", "_recent", "_sums", "highest")

    def __init__(self) -> None:
        self._recent: list[tuple[float, float, float, float]] = []
        self._sums = [0.0, 0.0, 0.0, 0.0]
        self._count = 0
        self.highest = [0.0, 0.0, 0.0, 0.0]

    def add(self, taken: tuple[float, float, float, float]) -> None:
        """Note what one request took, in the order above."""
        self._recent.append(taken)
        if len(self._recent) >= _TOGETHER:
            self._sum_up()

    def _sum_up(self) -> None:
        recent, self._recent = self._recent, []
        if not recent:
            return
        self._count += len(recent)
        faded = min(1.0, _WINDOW / self._count)
        for index, values in enumerate(zip(*recent, strict=True)):
            self._sums[index] = (self._sums[index] + sum(values)) * faded
            self.highest[index] = max(self.highest[index], *values)
        self._count = min(self._count, _WINDOW)

    def read(self) -> tuple[list[int], list[int]]:
        """The averages and the highest, in ms."""
        self._sum_up()
        count = max(1, self._count)
        return [int(total * 1000 / count) for total in self._sums], [int(top * 1000) for top in self.highest]

    def forget(self, *, everything: bool) -> None:
        """Begin anew with the highest, or with all."""
        self._sum_up()
        self.highest = [0.0, 0.0, 0.0, 0.0]
        if everything:
            self._sums = [0.0, 0.0, 0.0, 0.0]
            self._count = 0


class ProcessTls:
    """TLS of the whole process, for `show info`.

    Attributes:
        accepted: connections that clients opened (SslRate).
        frontend_keys, backend_keys: full handshakes, with clients and with servers (SslFrontendKeyRate and so on).
        frontend_sess, frontend_reused: handshakes with clients, and those of them that took up an earlier session.
        current, total: TLS connections of both sides, now and ever (CurrSslConns, CumSslConns).
        freed: called when one has ended, or None.
    """

    __slots__ = (
        "accepted",
        "backend_keys",
        "current",
        "freed",
        "frontend_keys",
        "frontend_reused",
        "frontend_sess",
        "total",
    )

    def __init__(self) -> None:
        self.accepted = Rate()
        self.frontend_keys = Rate()
        self.backend_keys = Rate()
        self.frontend_sess = 0
        self.frontend_reused = 0
        self.current = 0
        self.total = 0
        self.freed: Callable[[], object] | None = None

    def ended(self) -> None:
        """One connection less."""
        self.current -= 1
        if self.freed is not None:
            self.freed()


#: The one of this process.
TLS = ProcessTls()


class _Traffic:
    """What all kinds count: sessions, bytes, answers."""

    __slots__ = (
        "bin",
        "bout",
        "dreq",
        "dresp",
        "eint",
        "hrsp_1xx",
        "hrsp_2xx",
        "hrsp_3xx",
        "hrsp_4xx",
        "hrsp_5xx",
        "hrsp_other",
        "lastsess",
        "rate",
        "req_tot",
        "scur",
        "smax",
        "ssl_failed_handshake",
        "ssl_reused_sess",
        "ssl_sess",
        "stot",
        "wrew",
    )

    def __init__(self) -> None:
        self.scur = 0
        self.smax = 0
        self.stot = 0
        self.bin = 0
        self.bout = 0
        self.dreq = 0
        self.dresp = 0
        self.eint = 0
        self.wrew = 0
        self.hrsp_1xx = 0
        self.hrsp_2xx = 0
        self.hrsp_3xx = 0
        self.hrsp_4xx = 0
        self.hrsp_5xx = 0
        self.hrsp_other = 0
        self.req_tot = 0
        self.lastsess = -1.0
        self.ssl_sess = 0
        self.ssl_reused_sess = 0
        self.ssl_failed_handshake = 0
        self.rate = Rate()

    def answered(self, status: int) -> None:
        """Count one answer by its class."""
        if 200 <= status < 300:
            self.hrsp_2xx += 1
        elif 300 <= status < 400:
            self.hrsp_3xx += 1
        elif 400 <= status < 500:
            self.hrsp_4xx += 1
        elif 500 <= status < 600:
            self.hrsp_5xx += 1
        elif 100 <= status < 200:
            self.hrsp_1xx += 1
        else:
            self.hrsp_other += 1

    def open(self) -> None:
        """Count one session that begins."""
        self.stot += 1
        self.scur += 1
        self.smax = max(self.smax, self.scur)


class FrontendCounters(_Traffic):
    """A frontend's (and, in part, a listener's)."""

    __slots__ = ("conn_rate", "conn_tot", "dcon", "dses", "empty", "ereq", "intercepted", "log_lines", "req_rate")

    def __init__(self) -> None:
        super().__init__()
        self.conn_tot = 0
        self.dcon = 0
        self.dses = 0
        self.ereq = 0
        self.empty = 0
        self.intercepted = 0
        self.log_lines = 0
        self.req_rate = Rate()
        self.conn_rate = Rate()


class Upstream(_Traffic):
    """What backends and servers count."""

    __slots__ = (
        "cli_abrt",
        "connect",
        "econ",
        "eresp",
        "lbtot",
        "qcur",
        "qmax",
        "reuse",
        "reuse_reasons",
        "srv_abrt",
        "times",
        "wredis",
        "wretr",
    )

    def __init__(self) -> None:
        super().__init__()
        self.qcur = 0
        self.qmax = 0
        self.econ = 0
        self.eresp = 0
        self.wretr = 0
        self.wredis = 0
        self.lbtot = 0
        self.cli_abrt = 0
        self.srv_abrt = 0
        self.connect = 0
        self.reuse = 0
        #: Requests by `hapy.pool.ReuseReason` word.
        self.reuse_reasons: dict[str, int] = {}
        self.times = Times()


class BackendCounters(Upstream):
    """A backend's.

    Attributes:
        chkdown: how often its last server went. downtime: seconds without one, the present time without one left out.
        http_checks: connections of HTTP checks. http_asked, http_heard: bytes that they have sent and received.
    """

    __slots__ = ("chkdown", "downtime", "http_asked", "http_checks", "http_heard")

    def __init__(self) -> None:
        super().__init__()
        self.chkdown = 0
        self.downtime = 0.0
        self.http_checks = 0
        self.http_asked = 0
        self.http_heard = 0


class ServerCounters(Upstream):
    """A server's.

    Attributes:
        hanafail: failures that `observe` saw. chkfail: failed checks while it was up. chkdown: how often it went down.
        downtime: seconds that it was down, the present time left out.
    """

    __slots__ = ("chkdown", "chkfail", "downtime", "hanafail")

    def __init__(self) -> None:
        super().__init__()
        self.hanafail = 0
        self.chkfail = 0
        self.chkdown = 0
        self.downtime = 0.0
