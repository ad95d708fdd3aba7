"""`balance roundrobin`: each server in turn by weight, evenly spread, in HAProxy's order.

Rules, as observed on 2.6.12:

- Picks are counted in windows. A window has as many places as the weights (times 16) sum up to, and begins anew for
  all: what happened in the one before leaves no trace. So an undisturbed window is the same each time: it is learned.
- A server that has not been picked in this window waits its first turn, heaviest first, else in the order in which it
  came. One that has been picked has a due place: its last one plus window/weight, the remainders adding up.
- The next pick is the server whose due place is reached; of several, the earliest due, then the one that is heavier and
  further behind (in units of 16). If none is due, whose first turn it is; else the next due one early.
- A server whose due place lies beyond the window waits for the next one.
- A server that is picked while full, or that must be avoided, gives up its turn and the next is looked at; when the
  window has ended once during one search, the request waits. Those that gave up a turn are placed again, last first.
- Servers that come up or change weight in mid-window find a place in the rest of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

from hapy.balance.base import Balancer

if TYPE_CHECKING:
    from hapy.proxy.server import Server
    from hapy.proxy.transaction import Transaction

_SCALE = 16  # places per unit of weight
_HEAVIEST = 256 * _SCALE
_LEARNABLE = 1 << 14  # the longest window worth remembering, in places


class _Turn:
    """One server's turns.

    Attributes:
        weight: in places. last: its last place in the window. due: its next one, 0 before its first.
        remainder: what the divisions by weight left over. tree: the list where it waits, None while it is looked at.
    """

    __slots__ = ("due", "last", "remainder", "server", "tree", "weight")

    def __init__(self, server: Server) -> None:
        self.server = server
        self.weight = server.scaled
        self.last = 0
        self.due = 0
        self.remainder = 0
        self.tree: list[Any] | None = None


def _weight(turn: _Turn) -> int:
    return turn.weight


class RoundRobin(Balancer):
    """The scheduler of one group of servers."""

    in_line = True

    def __init__(self) -> None:
        self._turns: dict[Server, _Turn] = {}
        self._gone: dict[Server, _Turn] = {}  # they keep their remainder for when they come back
        self._first: list[_Turn] = []  # lightest first: the next one is the last
        self._due: list[tuple[int, int, int, _Turn]] = []  # a heap
        self._next: list[_Turn] = []
        self._sequence = 0
        self._window = 0  # places of this window, which are numbered from here on
        self._place = 0
        self._total = 0  # places of the next window: the sum of the weights now
        self._order: list[_Turn] | None = []  # of first turns in this window; None when it has been disturbed
        self._taken: list[Server] = []  # in this window, as long as it is undisturbed
        self._learned: tuple[list[_Turn], list[Server]] | None = None  # a whole window: its order, its picks
        self._replay = -1  # how far the learned window has been repeated, -1 while turns are really taken

    def update(self, servers: Sequence[Server]) -> None:
        """Servers came, went, or changed weight."""
        self._disturb()
        self._learned = None
        present = set(servers)
        for server in [server for server in self._turns if server not in present]:
            turn = self._gone[server] = self._turns.pop(server)
            self._remove(turn)
            self._total -= turn.weight
        starting = not self._window
        for server in servers:
            known = self._turns.get(server)
            if known is None:
                turn = self._turns[server] = self._gone.pop(server) if server in self._gone else _Turn(server)
                turn.weight = server.scaled
                self._total += turn.weight
                if starting:
                    turn.tree = self._first
                    self._first.append(turn)
                else:
                    turn.due = self._place + (self._total + self._window - self._place) // turn.weight
                    self._queue(turn)
            elif known.weight != server.scaled:
                self._reweigh(known, server.scaled)
        if starting:
            self._sort_first()
            self._begin_window()

    def pick(self, txn: Transaction | None, avoid: Server | None) -> Server | None:  # noqa: ARG002 - plays no part
        """The next in turn that has room."""
        index = self._replay
        if index >= 0:
            assert self._learned is not None
            picks = self._learned[1]
            server = picks[index]
            if server is not avoid and (not server.maxconn or server.has_room()):
                index += 1
                self._replay = index if index < len(picks) else 0
                return server
            self._disturb()
        return self._search(avoid)

    def _search(self, avoid: Server | None) -> Server | None:
        passed_over: list[_Turn] = []
        avoided: _Turn | None = None
        turned = False
        while True:
            turn = self._take_turn()
            if turn is None:
                if turned or not self._turns:
                    turn = avoided
                    break
                turned = True
                self._turn_window()
                if self._replay >= 0:
                    if not passed_over:
                        return self.pick(None, avoid)
                    self._disturb()
                continue
            server = turn.server
            if server.has_room():
                if server is not avoid or avoided is not None:
                    break
                avoided = turn
            self._disturb()
            passed_over.append(turn)
        if turn is not None:
            if self._order is not None:
                self._taken.append(turn.server)
            self._queue(turn)
        for other in reversed(passed_over):
            if other is turn:
                continue
            if turned:
                self._queue_by_weight(self._first, other)
            else:
                self._queue(other)
        return turn.server if turn is not None else None

    # --- turns ---

    def _take_turn(self) -> _Turn | None:
        """Whose turn it is, taken from where it waits and moved on to its next place; None at the window's end."""
        due = self._due
        place = self._place
        if due and due[0][0] <= place:
            turn = heappop(due)[3]
        elif self._first:
            turn = self._first.pop()
            turn.due = place
            turn.remainder = 0
        elif due:
            turn = heappop(due)[3]
        else:
            return None
        turn.tree = None
        self._place = place + 1
        weight = turn.weight
        step, rest = divmod(self._total, weight)
        turn.last = turn.due
        turn.due += step
        rest += turn.remainder
        if rest >= weight:
            rest -= weight
            turn.due += 1
        turn.remainder = rest
        return turn

    def _queue(self, turn: _Turn) -> None:
        """Let it wait for its due place, in this window or in the next."""
        if turn.due >= self._window + min(self._window, self._total):
            turn.due -= self._window
            turn.tree = self._next
            self._next.append(turn)
        else:
            self._sequence = sequence = self._sequence + 1
            turn.tree = self._due
            heappush(self._due, (turn.due, (_HEAVIEST + turn.remainder - turn.weight) // _SCALE, sequence, turn))

    def _queue_by_weight(self, waiting: list[_Turn], turn: _Turn) -> None:
        """Let it wait for its first turn: after those that are as heavy, before lighter ones."""
        turn.tree = waiting
        waiting.insert(bisect_left(waiting, turn.weight, key=_weight), turn)

    def _remove(self, turn: _Turn) -> None:
        if turn.tree is self._due:
            self._due[:] = [entry for entry in self._due if entry[3] is not turn]
            heapify(self._due)
        elif turn.tree is not None:
            turn.tree.remove(turn)
        turn.tree = None

    def _reweigh(self, turn: _Turn, weight: int) -> None:
        self._total += weight - turn.weight
        turn.weight = weight
        tree = turn.tree
        self._remove(turn)
        if tree is self._first:
            self._queue_by_weight(self._first, turn)
            return
        if tree is self._next:
            turn.due += self._window
        step = self._total // weight
        turn.due = min(turn.due, turn.last + step)
        turn.remainder = 0
        if turn.due < self._place + 2:
            turn.due = self._place + step
        self._queue(turn)

    # --- windows ---

    def _turn_window(self) -> None:
        """The window's end: all wait for their first turn again."""
        self._first, self._next = self._next, self._first
        self._sort_first()
        for turn in self._first:
            turn.tree = self._first
        order, taken = self._order, self._taken
        if order is not None and taken and len(taken) <= _LEARNABLE and len(order) == len(self._turns):
            self._learned = (order, taken)
        self._begin_window()

    def _sort_first(self) -> None:
        """From the order of coming to that of first turns, the next one last."""
        self._first.reverse()
        self._first.sort(key=_weight)

    def _begin_window(self) -> None:
        self._window = self._place = self._total
        self._order = list(self._first)
        self._taken = []
        if self._learned is not None and self._order == self._learned[0]:
            self._replay = 0

    def _disturb(self) -> None:
        """Something out of the ordinary comes: take turns really, and learn nothing from this window."""
        index, self._replay = self._replay, -1
        self._order = None
        if index > 0:
            for _ in range(index):
                turn = self._take_turn()
                assert turn is not None
                self._queue(turn)
