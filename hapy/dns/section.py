"""One `resolvers` section as it runs: its name servers, and one resolution for each name and record type in use.

Rules (configuration manual 5.3, and HAProxy 2.6 where the manual is silent):
- All name servers are asked at once; the first good answer counts, of bad ones the last.
- When all have given bad answers, or some have and the others say nothing for `timeout retry`, A is asked for instead
  of AAAA and the other way round, once a try; in the last one only when all have answered. `timeout retry` after a
  question the next try begins with the preferred type; after `resolve_retries` tries the resolution has failed.
- The next resolution of a name that a server uses begins `timeout resolve` after the last one ended.
- All questions of a resolution have one id, so that what a slow name server says to an earlier one counts as well.
- An answer counts only if it comes from a name server's address, with the id of a resolution that runs, its very name
  and a type that it has asked for. What else comes is counted and ignored.
- An address or service that an answer no longer has is kept for `hold obsolete` after the last answer that had it.
- An answer over UDP that was cut is asked for once more over TCP, from the same name server; only if that fails it is
  one of the bad answers. (HAProxy 2.6 does not ask again.)
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from hapy.dns import messages
from hapy.dns.messages import Answer, BadAnswer, Service
from hapy.dns.nameserver import NameServer, system_name_servers
from hapy.net.clock import NEVER, Watched, now, unwatch, watch
from hapy_config.model.resolvers import NameServer as NameServerModel
from hapy_config.model.resolvers import Resolvers

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from hapy.tls.outgoing import Outgoing

#: Makes TLS towards a name server, None for plain text.
TlsMaker = Callable[[NameServerModel], "Outgoing | None"]

#: By an answer's status which `hold` applies. An answer without any records is an error like others.
_HOLDS = {"nx": "nx", "refused": "refused", "timeout": "timeout"}
_OTHER_FAMILY = {"A": "AAAA", "AAAA": "A"}

#: Questions of a section that may be open before no more are asked on demand.
MOST_OPEN = 16384

#: At the start so many names are asked for at once, and the next ones so many seconds later: sockets hold a few hundred
#: answers before they lose some.
_TOGETHER = 64
_APART = 0.01

#: Told of the end of a resolution.
Waiter = Callable[["Resolution"], None]


class User(Protocol):
    """A server (or the servers of a service) that lives by a resolution."""

    def on_records(self, resolution: Resolution, source: str) -> bool:
        """A good answer has come from `source` (`section/name server`); whether that changed anything."""

    def on_failure(self, resolution: Resolution, status: str) -> None:
        """A resolution has failed, and the last good answer is longer ago than `hold` says."""


class Resolution:
    """What is known of a name.

    Attributes:
        name, kind: the name and the record type (A, AAAA, SRV) that is preferred.
        users: servers that live by it; without any it is asked for on demand only.
        addresses: of A and AAAA records, and when an answer last had each; in the order of their rank. services: the
            same of SRV records, by (target, port).
        extra: addresses that came along with the services, by name.
        status: how the last resolution ended: `valid`, another `Answer.status`, `timeout`; empty before the first.
        last_valid, ended: when the last good answer came; when the last resolution ended.
        running: a question is open.
        deadline, looked_at, slot: see `hapy.net.clock.Watched`.
    """

    __slots__ = (
        "_asked",
        "_asking",
        "_fell_back",
        "_number",
        "_open",
        "_question",
        "_section",
        "_tries",
        "_waiters",
        "_worst",
        "addresses",
        "deadline",
        "ended",
        "extra",
        "kind",
        "last_valid",
        "looked_at",
        "name",
        "running",
        "services",
        "slot",
        "status",
        "users",
    )

    def __init__(self, section: Section, name: str, kind: str) -> None:
        self._section = section
        self.name = name
        self.kind = kind
        self.users: list[User] = []
        self.addresses: dict[str, float] = {}
        self.services: dict[tuple[str, int], tuple[Service, float]] = {}
        self.extra: dict[str, tuple[str, ...]] = {}
        self.status = ""
        self.last_valid = now()
        self.ended = 0.0
        self.running = False
        self._asking = kind
        self._asked: set[str] = set()
        self._fell_back = False
        self._tries = 0
        self._number = -1
        self._question = b""
        self._open: set[NameServer] = set()
        self._worst = "timeout"
        self._waiters: list[Waiter] = []
        self.deadline = NEVER
        self.looked_at = NEVER
        self.slot: set[Watched] | None = None

    def __repr__(self) -> str:
        return f"<Resolution {self.name}/{self.kind} {self.status or 'new'}>"

    # asking

    def refresh(self) -> None:
        """Ask now, unless a question is open: at the start, or because the server's address seems to be wrong."""
        if not self.running:
            self.running = True
            self._tries = self._section.model.retries
            self._number = self._section.new_number(self)
            self._asked.clear()
            self._begin_try()

    def wait(self, waiter: Waiter) -> None:
        """Have a call when there is an answer or none is to be had; at once where a server lives by the name and it has
        an answer. HAProxy 2.6 does not make do with an answer that is younger than `hold valid`.
        """
        if not self.running and self.status == "valid":
            waiter(self)
            return
        if not self.running and len(self._section.numbers) >= MOST_OPEN:
            self.status = "other"
            waiter(self)
            return
        self._waiters.append(waiter)
        self.refresh()

    def forget(self, waiter: Waiter) -> None:
        """Take a waiter back."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def _begin_try(self) -> None:
        self._fell_back = False
        self._worst = "timeout"
        self._ask(self.kind)

    def _ask(self, kind: str) -> None:
        section = self._section
        self._asking = kind
        self._asked.add(kind)
        self._question = messages.question(self.name, kind, self._number, section.model.payload_size)
        self._open = set(section.nameservers)
        self.due(section.model.timeout_retry / 1000)
        for nameserver in section.nameservers:
            nameserver.ask(self._question)

    def due(self, seconds: float) -> None:
        """Set when it is looked at next."""
        self.deadline = now() + seconds
        if self.deadline < self.looked_at:
            watch(self)

    def on_deadline(self) -> None:
        """No (good) answer in time, or it is time for the next resolution."""
        if not self.running:
            if self.users:
                self.refresh()
            return
        for nameserver in self._open:
            nameserver.counters.timeout += 1
        other = _OTHER_FAMILY.get(self._asking)
        if self._tries > 1 and other is not None and not self._fell_back and self._worst != "timeout":
            self._fell_back = True  # one name server has no good answer, another one says nothing
            self._ask(other)
            return
        self._tries -= 1
        if self._tries > 0:
            self._begin_try()
        else:
            self._fail()

    # what comes

    def on_answer(self, nameserver: NameServer, data: bytes, *, stream: bool) -> None:
        """A message with the open question's id has come, over TCP or UDP."""
        counters = nameserver.counters
        try:
            answer = messages.read(data, self.name, *sorted(self._asked))
        except BadAnswer:
            counters.invalid += 1
            return
        if answer.status == "valid":
            counters.valid += 1
            counters.cname += answer.aliased
            self._succeed(answer, nameserver)
            return
        self._count_bad(answer.status, nameserver)
        if answer.kind != self._asking:
            return  # late, to the question before
        self._worst = answer.status
        if answer.status == "truncated" and not stream:
            nameserver.ask_again(self._question)
            return
        self._open.discard(nameserver)
        if not self._open:
            self._all_bad()

    @staticmethod
    def _count_bad(status: str, nameserver: NameServer) -> None:
        counters = nameserver.counters
        if status == "nx":
            counters.nx += 1
        elif status == "refused":
            counters.refused += 1
        elif status == "empty":
            counters.any_err += 1
        elif status == "cname":
            counters.cname_error += 1
        elif status == "truncated":
            counters.truncated += 1
        else:
            counters.other += 1

    def _all_bad(self) -> None:
        other = _OTHER_FAMILY.get(self._asking)
        if other is None:
            return  # SRV: the next try, when it is time
        if not self._fell_back:
            self._fell_back = True
            self._ask(other)
        elif self._tries <= 1:
            self._fail()

    # endings

    def _end(self, status: str) -> None:
        self.running = False
        self.status = status
        self.ended = now()
        self._section.numbers.pop(self._number, None)
        self._number = -1
        self._open.clear()
        if self.users:
            self.due(self._section.model.timeout_resolve / 1000)
        else:
            unwatch(self)

    def _succeed(self, answer: Answer, nameserver: NameServer) -> None:
        self._end("valid")
        self.last_valid = moment = self.ended
        hold = self._section.model.hold_obsolete / 1000
        fresh = dict.fromkeys(answer.addresses, moment)
        for address, seen in self.addresses.items():
            if address not in fresh and moment - seen < hold:
                fresh[address] = seen
        self.addresses = dict(sorted(fresh.items(), key=lambda item: messages.rank(item[0])))
        services = {(one.target, one.port): (one, moment) for one in answer.services}
        extra = answer.extra
        for key, kept in self.services.items():
            if key not in services and moment - kept[1] < hold:
                services[key] = kept
                target = kept[0].target
                if target in self.extra and target not in answer.extra:
                    extra = extra | {target: self.extra[target]}
        self.services = dict(sorted(services.items(), key=lambda item: messages.rank(item[1][0])))
        self.extra = extra
        source = f"{self._section.model.name}/{nameserver.name}"
        changed = False
        for user in tuple(self.users):
            if user.on_records(self, source):
                changed = True
                source = "DNS cache"
        nameserver.counters.update += changed and self.kind != "SRV"
        self._tell_waiters()
        self._section.tidy(self)

    def _fail(self) -> None:
        self._end(self._worst)
        section = self._section
        hold = section.model.hold[_HOLDS.get(self.status, "other")] / 1000
        if self.ended - self.last_valid >= hold:
            self.addresses = {}
            self.services = {}
            self.extra = {}
            for user in tuple(self.users):
                user.on_failure(self, self.status)
        self._tell_waiters()
        section.tidy(self)

    def _tell_waiters(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter(self)

    @property
    def idle(self) -> bool:
        """Nobody uses it and nobody waits for it."""
        return not (self.users or self._waiters or self.running)


class Section:
    """A section as it runs.

    Attributes:
        model: what the file says. nameservers: those of /etc/resolv.conf included.
        resolutions: by (name, type). numbers: the resolutions that wait for an answer, by the id of their question.
    """

    def __init__(self, model: Resolvers, make_tls: TlsMaker | None = None) -> None:
        self.model = model
        self.nameservers: list[NameServer] = []
        for nameserver in _name_servers(model.nameservers):
            tls = make_tls(nameserver) if make_tls is not None else None
            self.nameservers.append(NameServer(nameserver, model.payload_size, self._on_data, tls))
        self.resolutions: dict[tuple[str, str], Resolution] = {}
        self.numbers: dict[int, Resolution] = {}
        self.started = False

    def resolution(self, name: str | bytes, kind: str) -> Resolution:
        """The resolution of a name, shared by all that use it.

        Raises:
            messages.BadName: there can be no such name.
        """
        key = (messages.canonical(name), kind)
        found = self.resolutions.get(key)
        if found is None:
            found = self.resolutions[key] = Resolution(self, *key)
        return found

    def use(self, name: str, kind: str, user: User) -> Resolution:
        """Have a server live by a name; once the section runs it is asked for right away, unless it is known."""
        resolution = self.resolution(name, kind)
        resolution.users.append(user)
        if self.started and (resolution.status != "valid" or len(resolution.users) == 1):
            resolution.refresh()
        return resolution

    def leave(self, resolution: Resolution, user: User) -> None:
        """The end of that."""
        if user in resolution.users:
            resolution.users.remove(user)
        self.tidy(resolution)

    def tidy(self, resolution: Resolution) -> None:
        """Forget a resolution that nobody uses."""
        if resolution.idle:
            unwatch(resolution)
            self.resolutions.pop((resolution.name, resolution.kind), None)

    def start(self, group: TaskGroup) -> None:
        """Ask for all names, on the event loop."""
        self.started = True
        for nameserver in self.nameservers:
            nameserver.start(group)
        for number, resolution in enumerate(tuple(self.resolutions.values())):
            resolution.last_valid = now()
            if number < _TOGETHER:
                resolution.refresh()
            else:
                resolution.due(number // _TOGETHER * _APART)

    def new_number(self, resolution: Resolution) -> int:
        """An id for a question, hard to guess and not in use."""
        while True:
            number = secrets.randbits(16)
            if number not in self.numbers:
                self.numbers[number] = resolution
                return number

    def _on_data(self, nameserver: NameServer, data: bytes, stream: bool) -> None:
        try:
            number = messages.number_of(data)
        except BadAnswer:
            nameserver.counters.invalid += 1
            return
        resolution = self.numbers.get(number)
        if resolution is None:
            nameserver.counters.outdated += 1
        else:
            resolution.on_answer(nameserver, data, stream=stream)


def _name_servers(listed: Sequence[NameServerModel | None]) -> list[NameServerModel]:
    found: list[NameServerModel] = []
    for one in listed:
        if one is not None:
            found.append(one)
            continue
        known = {nameserver.name for nameserver in found}
        found += [NameServerModel(name, address) for name, address in system_name_servers() if name not in known]
    return found
