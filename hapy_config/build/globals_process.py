"""Statements of the global section about the process: identity, limits, logs, sockets, variables (section 3.1)."""

from __future__ import annotations

import grp
import os
import pwd
import re
from typing import Final

from hapy_config.build.arguments import at_most
from hapy_config.build.binds import listening_addresses, make_binds, read_options
from hapy_config.build.bindwords import BindWords
from hapy_config.build.context import Build
from hapy_config.build.expressions import expression_words, log_format
from hapy_config.build.logs import read_target
from hapy_config.build.refused import Refused
from hapy_config.build.registry import GlobalHandler as Handler
from hapy_config.grammar.checks import variable
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords.samples import Place
from hapy_config.keywords.spec import Version
from hapy_config.model.config import Variable
from hapy_config.model.proxy import LogTarget
from hapy_config.syntax import Statement

_TIMES: Final = {
    "hard-stop-after": "hard_stop_after",
    "grace": "grace",
    "close-spread-time": "close_spread_time",
}


_NODE: Final = re.compile(r"[A-Za-z0-9._-]+")


_PROCESSES: Final = re.compile(r"all|odd|even|([0-9]+)(?:-([0-9]*))?")


#: One of `all`, `odd`, `even`, a number or a range; what has no end goes to the last.
_SET: Final = re.compile(r"all|odd|even|([0-9]+)(?:-([0-9]*))?")
_CPU_RANGE: Final = re.compile(r"([0-9]+)(?:-([0-9]*))?")
_THREAD_SET: Final = re.compile(r"([0-9]+)(?:-([0-9]+))?")


#: The highest number of a process or thread in `cpu-map`.
_THREADS: Final = 64
#: The most threads and thread groups, by the first version.
_MOST: Final = (((3, 2), (1024, 32)), ((2, 7), (256, 16)), ((0, 0), (64, 1)))
#: The first version whose `setenv` refuses words after the value.
_NO_SURPLUS: Final[Version] = (2, 8)
#: The first version that takes the numbers of threads and of their groups in front of all other sections only.
_THREADS_FIRST: Final[Version] = (2, 8)
#: The first version that refuses a bad `mworker-max-reloads`, and the first that gives up the threads above 64 of one
#: group with a warning.
_RELOADS_REFUSED: Final[Version] = (2, 8)
_THREADS_CUT: Final[Version] = (3, 2)
_OF_A_GROUP: Final = 64
#: The first version whose limits of buffers need no number, and must not be negative.
_NO_NUMBER_OF_BUFFERS: Final[Version] = (3, 0)
#: One more than the highest number of a CPU.
_CPUS: Final = 1024


def _time(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused(f"'{words[0]}' expects <time> as argument.", 1, code="missing-argument")
    if words[0] == "close-spread-time" and words[1] == "infinite":
        build.global_["close_spread_time"] = -1
        return
    build.global_[_TIMES[words[0]]] = build.time(statement, words, 1, f"<{words[0]}>")


#: What HAProxy says of a second line; the first one counts, unless it names root.
_GIVEN: Final = {
    "user": "user/uid already specified. Continuing.",
    "uid": "user/uid already specified. Continuing.",
    "group": "gid/group was already specified. Continuing.",
    "gid": "group/gid already specified. Continuing.",
}


def _identity_given(build: Build, statement: Statement, keyword: str) -> bool:
    """Whether an earlier line says who to become, which is told."""
    if not build.global_.get("uid" if keyword in ("user", "uid") else "gid"):
        return False
    build.alert("duplicate", statement.span(0), _GIVEN[keyword], "only the first such line counts: remove one")
    return True


def _identity(build: Build, statement: Statement, words: list[str]) -> None:
    """`user` and `group`, which must exist."""
    kind = words[0]
    if _identity_given(build, statement, kind):
        return
    name = words[1] if len(words) > 1 else ""
    at_most(words, 1)
    try:
        number = pwd.getpwnam(name).pw_uid if kind == "user" else grp.getgrnam(name).gr_gid
    except KeyError:
        refusal = Refused(f"cannot find {kind} id for '{name}' (0:Success)", 1, code=f"unknown-{kind}")
        if not name:
            raise refusal from None
        build.lacking(refusal)
        return
    build.global_[kind] = name
    build.global_["uid" if kind == "user" else "gid"] = number


def _numeric_identity(build: Build, statement: Statement, words: list[str]) -> None:
    kind = words[0]
    if _identity_given(build, statement, kind):
        return
    if len(words) < 2:
        raise Refused(f"'{kind}' expects an integer argument.", 1, code="missing-argument")
    at_most(words, 1)
    number = words[1].removeprefix("-")
    if not (number.isascii() and number.isdecimal()) or (abs(int(number)) >> 31):
        other = "user" if kind == "uid" else "group"
        build.warning(
            "bad-argument",
            statement.span(1),
            f"{kind}: string '{words[1]}' is not a number.\n   | You might want to use the '{other}' parameter to use a"
            f" system {other} name.",
        )
    build.global_[kind] = leading_integer(words[1])


def _master_worker(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) > 1 and words[1] != "no-exit-on-failure":
        raise Refused("'master-worker' only supports 'no-exit-on-failure' option.", 1)
    at_most(words, 1)
    build.global_["master_worker"] = True


def _nbthread(build: Build, statement: Statement, words: list[str]) -> None:
    if build.past_global and build.version >= _THREADS_FIRST:
        raise Refused(
            f"'{words[0]}' not allowed if a non-global section was previously defined. This parameter must be declared"
            " in the first global section",
            0,
            code="wrong-section",
        )
    text = words[1] if len(words) > 1 else ""
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise Refused(f"'{words[0]}' passed a missing or unparsable integer value in '{text}'", 1)
    value = int(text)
    threads, groups = next(most for since, most in _MOST if since <= build.version)
    highest = threads if words[0] == "nbthread" else groups
    if not 1 <= value <= highest:
        raise Refused(f"'{words[0]}' value must be between 1 and {highest} (was {value})", 1)
    at_most(words, 1)
    if words[0] != "thread-group":
        build.global_[words[0].replace("-", "_")] = value
    if words[0] == "nbthread" and value > _OF_A_GROUP:
        build.later.append(lambda: _too_many_threads(build, statement, value))


def _too_many_threads(build: Build, statement: Statement, count: int) -> None:
    """A group takes 64 threads, so the groups that no line describes must be enough for those that no line names."""
    groups = build.global_.get("thread_groups", 1)
    if not isinstance(groups, int) or (not build.thread_groups and build.version >= _THREADS_CUT):
        return
    left = sum(1 for thread in range(1, count + 1) if thread not in build.threads)
    free = groups - len(build.thread_groups)
    if 0 < free * _OF_A_GROUP < left:
        message = (
            f"Too many remaining unassigned threads ({left}) for thread groups ({groups}). Please increase"
            " thread-groups or make sure to keep thread numbers contiguous"
        )
        build.error("missing-thread", statement.span(1), message, f"a group takes {_OF_A_GROUP} threads")


def _max_reloads(build: Build, statement: Statement, words: list[str]) -> None:
    """mworker-max-reloads, of which HAProxy says a lot and refused nothing before 2.8."""
    refused = build.version >= _RELOADS_REFUSED
    note = build.error if refused else build.warning
    if len(words) > 2:
        message = f"'{words[0]}' cannot handle unexpected argument '{words[2]}'."
        (build.error if refused else build.alert)("surplus-argument", statement.span(2), message)
    elif len(words) < 2:
        note("missing-argument", statement.span(), f"'{words[0]}' expects an integer argument.")
    else:
        build.loose_number(statement, 1, words[1])
        number = leading_integer(words[1])
        if number < 0:
            note("bad-argument", statement.span(1), f"'{words[0]}' : invalid value {number}, must be >= 0")


def _node(build: Build, statement: Statement, words: list[str]) -> None:
    name = words[1] if len(words) > 1 else ""
    if not _NODE.fullmatch(name):
        raise Refused(
            "'node' requires valid node name - non-empty string with digits(0-9), letters(A-Z, a-z), dot(.),"
            " hyphen(-) or"
            " underscode(_).",
            1,
        )
    at_most(words, 1)
    build.global_["node"] = name


def _local_peer(build: Build, statement: Statement, words: list[str]) -> None:
    """`localpeer`, which took effect while the file was read; here it is checked."""
    if len(words) < 2:
        raise Refused("'localpeer' expects a name as an argument.", 1, code="missing-argument")
    at_most(words, 1)
    reason = ""
    if build.peer_given:
        reason = "it is already set by using the '-L' command line argument."
    elif any(kind == "peers" for kind, _ in build.sections):
        reason = "it is used after 'peers' section."
    if reason:
        build.warning("ignored-here", statement.span(0), f"'localpeer' ignored since {reason}")
    else:
        build.global_["localpeer"] = words[1]


def _description(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'description' expects a string argument.", 1, code="missing-argument")
    build.global_["description"] = " ".join(words[1:])


def _log(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) == 2 and words[1] == "global":
        raise Refused("log : 'global' is not supported for a global syslog server", 1)
    target: LogTarget = read_target(build, statement, words)
    build.global_log.append(target)


def _stats(build: Build, statement: Statement, words: list[str]) -> None:
    what = words[1] if len(words) > 1 else ""
    if what == "socket":
        _stats_socket(build, statement, words)
    elif what == "timeout":
        text = words[2] if len(words) > 2 else ""
        try:
            if not text:
                raise Refused("")
            build.stats_timeout = build.time(statement, words, 2, "")
        except Refused:
            bad = text.lstrip("0123456789")[:1]
            raise Refused(f"'stats timeout' : unexpected character '{bad}'", 2) from None
        if not build.stats_timeout:
            raise Refused("'stats timeout' expects a positive value", 2)
    elif what == "maxconn":
        if len(words) < 3 or leading_integer(words[2]) <= 0:
            raise Refused("'stats maxconn' expects a positive value", 2)
        build.stats_maxconn = leading_integer(words[2])
    elif what == "bind-process":
        for index, text in enumerate(words[2:], 2):
            match = _PROCESSES.fullmatch(text)
            if match is None:
                build.fault(Refused(f"'stats bind-process' : '{text}' is not a valid number/range.", index))
            elif any(number and not 1 <= int(number) <= build.processes for number in match.groups()):
                message = (
                    f"'stats bind-process' : '{text}' is not a valid number/range. "
                    f"It supports numbers from 1 to {build.processes}."
                )
                build.fault(Refused(message, index))
    else:
        raise Refused(f"'stats' only supports 'socket', 'maxconn', 'bind-process' and 'timeout' (got '{what}')", 1)


def _stats_socket(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused(
            "'stats socket' in global section expects an address or a path to a UNIX socket", 2, code="missing-argument"
        )
    addresses = listening_addresses(build, words[2], 2, "'stats socket' : ")
    reading = BindWords(build, statement, words, 3, "'stats socket' : '")
    reading.suffix = "'"
    read_options(reading, "'stats socket' : ")
    build.stats_sockets.append(tuple(words[2:]))
    build.stats_binds.extend(make_binds(reading, addresses, statement))


def _cpu_map(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused(
            "cpu-map expects a process number  ('all', 'odd', 'even', a number from 1 to 64 or a range),  followed"
            " by a list"
            " of CPU ranges with numbers from 0 to 63.",
            len(words),
            code="missing-argument",
        )
    process, slash, threads = words[1].removeprefix("auto:").partition("/")
    sizes: list[int] = []
    for text in (process, threads) if slash else (process,):
        with build.noting():
            sizes.append(_set_size(text))
    cpus: set[int] = set()
    for index, text in enumerate(words[2:], 2):
        with build.noting():
            cpus |= _cpus(text, index)
    if sizes and cpus and words[1].startswith("auto:") and len(cpus) not in sizes:
        raise Refused("cpu-map : PROC/THREAD range and CPU sets must have the same size to be automatically bound", 1)


def _set_size(text: str) -> int:
    """How many processes or threads a set of cpu-map has.

    Raises:
        Refused: when it is no set of numbers from 1 to 64.
    """
    match = _SET.fullmatch(text)
    numbers = [leading_integer(number) for number in match.groups() if number] if match is not None else []
    if match is None or any(not 1 <= number <= _THREADS for number in numbers):
        raise Refused(f"cpu-map : '{text}' is not a valid number/range. It supports numbers from 1 to {_THREADS}.", 1)
    if not numbers:
        return _THREADS if text == "all" else _THREADS // 2
    last = numbers[-1] if match[2] is None or match[2] else _THREADS
    return abs(last - numbers[0]) + 1


def _cpus(text: str, index: int) -> set[int]:
    """The CPUs that a word of cpu-map names; of each part HAProxy reads digits, a dash and digits and nothing further.

    Raises:
        Refused: when it names none.
    """
    found: set[int] = set()
    for place, part in enumerate(text.split(",")):
        if not part and place:
            continue
        match = _CPU_RANGE.match(part)
        if match is None:
            raise Refused(f"cpu-map : '{part}' is not a CPU range.", index)
        low = leading_integer(match[1])
        high = low if match[2] is None else leading_integer(match[2])
        if not 0 <= low < _CPUS or not 0 <= high < _CPUS:
            raise Refused(f"cpu-map : supports CPU numbers from 0 to {_CPUS - 1}.", index)
        found.update(range(min(low, high), max(low, high) + 1))
    return found


def _thread_group(build: Build, statement: Statement, words: list[str]) -> None:
    """`thread-group`: a number, then the threads that belong to it."""
    _nbthread(build, statement, words[:2])
    group = leading_integer(words[1])
    held, ends = build.threads, build.thread_groups
    first, last = ends.get(group, (_THREADS, 0))
    members = {thread: owner for thread, owner in held.items() if owner != group or not first <= thread < last}
    line: list[int] = []
    for index, text in enumerate(words[2:], 2):
        match = _THREAD_SET.fullmatch(text)
        numbers = [leading_integer(number) for number in match.groups() if number] if match is not None else []
        if not numbers or any(not 1 <= number <= _THREADS for number in numbers):
            raise Refused(
                f"'thread-group {words[1]}' passed an unparsable or invalid thread number '{text}' (valid range is 1 to"
                f" {_THREADS})",
                index,
            )
        for number in range(numbers[0], numbers[-1] + 1):
            owner = members.get(number, 0)
            if owner == group:
                message = f"'thread-group {words[1]}': thread {number} assigned more than once on the same line."
                build.warning("duplicate", statement.span(index), message)
            elif owner:
                message = f"thread {number} was previously assigned to thread group {owner} and will be overridden."
                build.warning("duplicate", statement.span(index), f"'thread-group {words[1]}': {message}")
            members[number] = group
            line.append(number)
    if not line:
        return
    if group in ends:
        message = f"'thread-group {words[1]}' was already defined and will be overridden."
        build.warning("duplicate", statement.span(), message)
    if not ends:
        build.later.append(lambda: _left_threads(build, statement))
    build.threads = members
    # Of a line that is overridden HAProxy lets go all threads but the highest.
    ends[group] = (min(first, *line), max(line))


def _left_threads(build: Build, statement: Statement) -> None:
    """Every thread must have its group, unless there are groups without a line to take those that are left.

    How many threads there are is the machine's to say, by default.
    """
    groups = build.global_.get("thread_groups", 1)
    if isinstance(groups, int) and len(build.thread_groups) < groups:
        return
    own = build.global_.get("nbthread")
    count = own if isinstance(own, int) else len(os.sched_getaffinity(0))
    left = sum(1 for thread in range(1, count + 1) if thread not in build.threads)
    if left:
        message = (
            f"Remaining unassigned threads found ({left}) because all groups are in use. Please increase"
            " 'thread-groups', reduce 'nbthreads' or remove or extend 'thread-group' enumerations."
        )
        note = build.error if isinstance(own, int) else build.environment
        note("missing-thread", statement.span(), message, f"name the threads from 1 to {count}")


def _environment(build: Build, statement: Statement, words: list[str]) -> None:
    """Setenv and its kin took effect while the file was read; here they are checked."""
    if words[0] in ("setenv", "presetenv") and len(words) < 3:
        raise Refused(f"'{words[0]}' expects a name and a value.", len(words), code="missing-argument")
    if words[0] in ("setenv", "presetenv"):
        at_most(words, 2 if build.version >= _NO_SURPLUS else 3)
    if words[0] == "unsetenv" and len(words) < 2:
        raise Refused("'unsetenv' expects at least one variable name.", 1, code="missing-argument")


def _set_var(build: Build, statement: Statement, words: list[str]) -> None:
    name = words[0]
    if len(words) < 3:
        what = "a sample expression" if name == "set-var" else "a 'log-format' expression"
        raise Refused(f"'{name}' requires a process-wide variable name ('proc.<name>') and {what}.", len(words))
    fault = variable(words[1])
    if not fault and not words[1].startswith("proc."):
        fault = f"cannot set variable '{words[1]}', only scope 'proc' is permitted in the global section"
    if fault:
        build.fault(Refused(f"'{name}': {fault}.", 1))
    if name == "set-var-fmt":
        parsed = log_format(build, build.reader, statement, words[2], 2, Place.CONFIG, "")
        build.variables.append(Variable(words[1], format=parsed, span=statement.span()))
        return
    expression, _ = expression_words(build, build.reader, statement, words, 2, Place.CONFIG)
    build.variables.append(Variable(words[1], expression, span=statement.span()))


def _buffer(build: Build, statement: Statement, words: list[str]) -> None:
    """Socket buffers may be given once; HAProxy alerts of a second one and goes on."""
    if len(words) < 2:
        raise Refused(f"'{words[0]}' expects an integer argument.", 1, code="missing-argument")
    at_most(words, 1)
    if build.tune.get(words[0][5:]):
        build.alert("duplicate", statement.span(), f"'{words[0]}' already specified. Continuing.")
        return
    build.loose_number(statement, 1, words[1])
    build.tune[words[0][5:]] = leading_integer(words[1])


def _buffer_count(build: Build, statement: Statement, words: list[str]) -> None:
    """tune.buffers.limit and tune.buffers.reserve."""
    at_most(words, 1)
    if len(words) < 2:
        if build.version < _NO_NUMBER_OF_BUFFERS:
            raise Refused(f"'{words[0]}' expects an integer argument.", 1, code="missing-argument")
        return
    build.loose_number(statement, 1, words[1])
    if leading_integer(words[1]) < 0 and build.version >= _NO_NUMBER_OF_BUFFERS:
        raise Refused(f"'{words[0]}' expects a non-negative number but got '{words[1]}'.", 1)


HANDLERS: Final[dict[str, Handler]] = {
    "cpu-map": _cpu_map,
    "description": _description,
    "gid": _numeric_identity,
    "grace": _time,
    "close-spread-time": _time,
    "group": _identity,
    "hard-stop-after": _time,
    "localpeer": _local_peer,
    "log": _log,
    "master-worker": _master_worker,
    "mworker-max-reloads": _max_reloads,
    "nbthread": _nbthread,
    "node": _node,
    "presetenv": _environment,
    "resetenv": _environment,
    "set-var": _set_var,
    "set-var-fmt": _set_var,
    "setenv": _environment,
    "stats": _stats,
    "thread-group": _thread_group,
    "thread-groups": _nbthread,
    "tune.buffers.limit": _buffer_count,
    "tune.buffers.reserve": _buffer_count,
    "tune.rcvbuf.client": _buffer,
    "tune.rcvbuf.server": _buffer,
    "tune.sndbuf.client": _buffer,
    "tune.sndbuf.server": _buffer,
    "uid": _numeric_identity,
    "unsetenv": _environment,
    "user": _identity,
}
