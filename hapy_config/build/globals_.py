"""The global section (configuration manual, section 3): most of it checked by the table, the rest here."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import Final

from hapy_config.build.arguments import TimeError, at_most, milliseconds
from hapy_config.build.context import Build
from hapy_config.build.generic import check_arguments
from hapy_config.build.globals_files import HANDLERS as FILES
from hapy_config.build.globals_process import HANDLERS as PROCESS
from hapy_config.build.refused import Refused
from hapy_config.build.registry import GlobalHandler as Handler
from hapy_config.build.unknown import unknown_statement
from hapy_config.diagnostics import Diagnostic, Severity
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords import table
from hapy_config.keywords.later_values import size_of
from hapy_config.keywords.spec import TARGET, Kind, Version
from hapy_config.syntax import Section, Statement

#: The first version that reads `tune.bufsize` as a size with its unit.
_SIZES_HAVE_UNITS: Final[Version] = (3, 2)
#: `no NAME` and `default NAME` work for these alone.
_NEGATABLE: Final = frozenset(
    {"busy-polling", "set-dumpable", "strict-limits", "insecure-fork-wanted", "numa-cpu-mapping", "log"}
)


_NEGATION: Final = (
    "negation/default currently supported only for options, log, busy-polling, set-dumpable, strict-limits,"
    " insecure-fork-wanted and numa-cpu-mapping."
)


_LATE: Final = "global section detected after a non-global one, the prevalence of their statements is unspecified"


def read_global(build: Build, section: Section) -> None:
    """Read one global section; several add up."""
    header = section.header
    if build.past_global:
        build.out.found.append(Diagnostic("late-global", Severity.DIAG, header.span(0), _LATE, "put it first"))
    if len(header.words) > 1:
        build.error("bad-argument", header.span(1), f"'global' cannot handle unexpected argument '{header.words[1]}'.")
    for statement in section.statements:
        words = statement.words
        if "" in words:
            words = words[: words.index("")] or words[:1]
        shift = 0
        if words[0] in ("no", "default"):
            if len(words) < 2 or words[1] not in _NEGATABLE:
                build.error("bad-negation", statement.span(0), _NEGATION, "remove the first word")
                continue
            negated = words[0] == "no"
            if not negated and words[1] != "numa-cpu-mapping":
                message = f"'{words[1]}' cannot handle unexpected argument '{words[1]}'."
                build.error("bad-negation", statement.span(0), message, "remove the first word")
                continue
            words, shift = words[1:], 1
        else:
            negated = False
        build.statement, build.shift = statement, shift
        with build.noting():
            _statement(build, statement, words, negated=negated)
        build.shift = 0
        if words[0] in build.watched_globals:
            build.watch_global(statement, words)


def _statement(build: Build, statement: Statement, words: list[str], *, negated: bool) -> None:
    first = words[0]
    if first in _ONCE and not negated:
        if first in build.given:
            if first != "log-send-hostname":
                at_most(words, 1)
            build.alert(
                "duplicate", statement.span(), f"'{first}' already specified. Continuing.", "remove one of the lines"
            )
            return
        build.given.add(first)
    if negated:
        if first == "log":
            if len(words) > 1:
                raise Refused("log : 'no log' does not expect arguments", 1)
            build.global_log.clear()
        else:
            at_most(words, 0)
            build.global_[first.replace("-", "_")] = False
        return
    handler = _HANDLERS.get(first)
    if handler is None:
        found = table("globals").find(words)
        if found is None or not found[0].known_in(build.version):
            if found is not None and first in _GONE:
                raise Refused(
                    _GONE[first], 0, code="removed-keyword", hint=f"use {found[0].instead}" if found[0].instead else ""
                )
            raise unknown_statement(build, "globals", "global", statement)
        keyword, count = found
        if not keyword.built_in(build.version):
            raise unknown_statement(build, "globals", "global", statement)
        if keyword.experimental and not build.experimental and build.version >= _EXPERIMENTS:
            raise Refused(
                f"'{keyword.name}' directive is experimental, must be allowed via a global"
                " 'expose-experimental-directives'",
                0,
                code="experimental",
            )
        if build.version == TARGET and keyword.deprecated is not None and keyword.deprecated <= TARGET:
            build.warning(
                "deprecated",
                statement.span(0),
                f"'{keyword.name}' is deprecated and will be removed in version 2.7. Please use '{keyword.instead}'"
                " instead.",
            )
        check_arguments(build, keyword, statement, count, words)
        if first in _CAPTURES and any(words[0] in _CAPTURES for words in build.global_settings):
            message = f"'{first}' is already configured."
            raise Refused(message, 0, code="bad-combination", hint="remove one of the two lines")
        if first == "maxconn" and build.version >= _STRICT_MAXCONN and not re.fullmatch(r"[+-]?[0-9]+", words[1]):
            raise Refused(f"cannot parse 'maxconn' value '{words[1]}', an integer is expected.", 1)
        _store(build, words)
        if first == "nbproc":
            _check_processes(words)
            build.later.append(lambda: _processes_or_threads(build, statement))
        elif first == "tune.stick-counters":
            build.stick_counters = leading_integer(words[1])
    else:
        handler(build, statement, words)
    build.global_settings.append(tuple(words))


#: Two names of one setting, which may be given once.
_CAPTURES: Final = frozenset({"tune.ssl.capture-buffer-size", "tune.ssl.capture-cipherlist-size"})

#: The most processes of versions that had several.
_PROCESSES: Final = 64

#: The first version that reads all of `maxconn`'s number, and not just how it begins.
#: The first version that has experiments, which are to be allowed; before it all keywords were as good as others.
_EXPERIMENTS: Final[Version] = (2, 4)
_STRICT_MAXCONN: Final[Version] = (2, 8)


def _check_processes(words: Sequence[str]) -> None:
    """`nbproc`'s number."""
    at_most(words, 1)
    if len(words) < 2:
        raise Refused("'nbproc' expects an integer argument.", 0, hint="nbproc 1")
    number = leading_integer(words[1])
    if not 1 <= number <= _PROCESSES:
        raise Refused(f"'nbproc' must be between 1 and {_PROCESSES} (was {number}).", 1)


def _processes_or_threads(build: Build, statement: Statement) -> None:
    """Several processes, each with several threads, are refused (before 2.5)."""
    threads = build.global_.get("nbthread")
    if leading_integer(statement.words[1]) > 1 and isinstance(threads, int) and threads > 1:
        build.error(
            "bad-argument",
            statement.span(),
            "cannot enable multiple processes if multiple threads are configured. Please use either nbproc or nbthread"
            " but not both.",
        )


_GONE: Final = {
    "nbproc": (
        "nbproc is not supported any more since HAProxy 2.5. Threads will automatically be used on multi-processor"
        " machines if available."
    ),
    "tune.chksize": "option 'tune.chksize' is not supported any more (tune.bufsize is used instead).",
}


#: Of these the first counts; HAProxy alerts of a second one and goes on.
_ONCE: Final = frozenset(
    {
        "chroot", "cluster-secret", "fd-hard-limit", "gid", "log-send-hostname", "maxconn", "maxconnrate",
        "maxpipes", "maxsessrate", "maxsslrate", "pidfile", "server-state-base", "server-state-file", "spread-checks",
        "tune.maxaccept", "tune.maxpollevents", "tune.runqueue-depth", "uid", "ulimit-n",
    }
)  # fmt: skip


_NUMBERS: Final = {
    "maxconn": "maxconn",
    "ulimit-n": "ulimit_n",
    "fd-hard-limit": "fd_hard_limit",
    "uid": "uid",
    "gid": "gid",
}


_TEXTS: Final = {"pidfile": "pidfile", "chroot": "chroot", "localpeer": "localpeer", "log-tag": "log_tag"}


_SWITCHES: Final = {"daemon": "daemon", "strict-limits": "strict_limits"}


def _store(build: Build, words: list[str]) -> None:
    """Keep what has a field in the model."""
    first = words[0]
    value = words[1] if len(words) > 1 else ""
    if first.startswith("tune."):
        if build.version >= _SIZES_HAVE_UNITS and first == "tune.bufsize":
            size = size_of(value)
            if size:
                build.tune["bufsize"] = size
            return
        keyword = table("globals").get(first)
        kind = keyword.args[0].kind if keyword is not None and keyword.args else None
        if kind is Kind.INTEGER:
            build.tune[first[5:]] = leading_integer(value)  # as C reads it, whatever stands there
            return
        if kind in (Kind.TIME, Kind.SECONDS):
            with contextlib.suppress(TimeError):  # it has been told of
                time = milliseconds(value, unit="ms" if kind is Kind.TIME else "s")[0]
                build.tune[first[5:]] = time if kind is Kind.TIME else -(-time // 1000)
            return
        number = value.isdecimal() and first != "tune.bufsize"  # that one is an int to HAProxy, too
        build.tune[first[5:]] = int(value) if number else (leading_integer(value) if value[:1].isdecimal() else value)
    elif first in _NUMBERS:
        build.global_[_NUMBERS[first]] = leading_integer(value)
    elif first in _TEXTS:
        build.global_[_TEXTS[first]] = value
    elif first in _SWITCHES:
        build.global_[_SWITCHES[first]] = True
    elif first == "expose-experimental-directives":
        build.experimental = True
    elif first == "log-send-hostname":
        build.global_["log_send_hostname"] = value or ""
    else:
        build.global_.setdefault(first.replace("-", "_").replace(".", "_"), value or True)


_HANDLERS: Final[dict[str, Handler]] = {**PROCESS, **FILES}
