"""The global section (configuration manual, section 3): most of it checked by the table, the rest here."""

from __future__ import annotations

import grp
import pwd
import re
from collections.abc import Callable
from typing import Final

from hapy_config.build import tls
from hapy_config.build.arguments import at_most, leading_integer
from hapy_config.build.binds import listening_addresses, read_options
from hapy_config.build.bindwords import BindWords
from hapy_config.build.context import Build
from hapy_config.build.expressions import expression_words, log_format
from hapy_config.build.generic import check_arguments
from hapy_config.build.logs import read_target
from hapy_config.build.refused import Refused
from hapy_config.build.unknown import unknown_statement
from hapy_config.grammar.checks import variable
from hapy_config.keywords import table
from hapy_config.keywords.samples import Place
from hapy_config.keywords.spec import TARGET
from hapy_config.model.proxy import LogTarget
from hapy_config.syntax import Section, Statement

Handler = Callable[[Build, Statement, list[str]], None]

_NODE: Final = re.compile(r"[A-Za-z0-9._-]+")
_PROCESSES: Final = re.compile(r"all|odd|even|(\d+)(?:-(\d*))?")
_CPU_SET: Final = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")
_PROCESS_SET: Final = re.compile(r"(auto:)?(all|odd|even|\d+(-\d*)?)(/(all|odd|even|\d+(-\d*)?))?")
_THREADS: Final = 64

#: `no NAME` and `default NAME` work for these alone.
_NEGATABLE: Final = frozenset(
    {"busy-polling", "set-dumpable", "strict-limits", "insecure-fork-wanted", "numa-cpu-mapping", "log"}
)
_NEGATION: Final = (
    "negation/default currently supported only for options, log, busy-polling, set-dumpable, strict-limits,"
    " insecure-fork-wanted and numa-cpu-mapping."
)

_BIND_OPTIONS: Final = (
    "allow-0rtt", "force-sslv3", "force-tlsv10", "force-tlsv11", "force-tlsv12", "force-tlsv13", "no-sslv3",
    "no-tls-tickets", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13", "prefer-client-ciphers", "ssl-max-ver",
    "ssl-min-ver", "no-ca-names",
)  # fmt: skip
_SERVER_OPTIONS: Final = (
    "force-sslv3", "force-tlsv10", "force-tlsv11", "force-tlsv12", "force-tlsv13", "no-ssl-reuse", "no-sslv3",
    "no-tls-tickets", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13", "ssl-max-ver", "ssl-min-ver",
)  # fmt: skip


def read_global(build: Build, section: Section) -> None:
    """Read one global section; several add up."""
    header = section.header
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
            words, shift = words[1:], 1
        else:
            negated = False
        try:
            _statement(build, statement, words, negated=negated)
        except Refused as refusal:
            build.out.found.append(refusal.diagnostic(statement, shift))
        if words[0] in build.watched_globals:
            build.watch_global(statement, words)


def _statement(build: Build, statement: Statement, words: list[str], *, negated: bool) -> None:
    first = words[0]
    if first in _ONCE and not negated:
        if first in build.given:
            at_most(words, 1)
            build.alert(
                "duplicate", statement.span(), f"'{first}' already specified. Continuing.", "remove one of the lines"
            )
            return
        build.given.add(first)
    if negated:
        if first == "log":
            build.global_log.clear()
        else:
            at_most(words, 0)
            build.global_[first.replace("-", "_")] = False
        return
    handler = _HANDLERS.get(first)
    if handler is None:
        found = table("globals").find(words)
        if found is None or not found[0].known_in(TARGET):
            if found is not None and first in _GONE:
                raise Refused(
                    _GONE[first], 0, code="removed-keyword", hint=f"use {found[0].instead}" if found[0].instead else ""
                )
            raise unknown_statement(build, "globals", "global", statement)
        keyword, count = found
        if keyword.needs:
            raise unknown_statement(build, "globals", "global", statement)
        if keyword.experimental and not build.experimental:
            raise Refused(
                f"'{keyword.name}' directive is experimental, must be allowed via a global"
                " 'expose-experimental-directives'",
                0,
                code="experimental",
            )
        check_arguments(build, keyword, statement, count, words)
        _store(build, words)
    else:
        handler(build, statement, words)
    build.global_settings.append(tuple(words))


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
_TIMES: Final = {"hard-stop-after": "hard_stop_after", "grace": "grace"}
_NUMBERS: Final = {"maxconn": "maxconn", "ulimit-n": "ulimit_n", "uid": "uid", "gid": "gid"}
_TEXTS: Final = {"pidfile": "pidfile", "chroot": "chroot", "localpeer": "localpeer", "log-tag": "log_tag"}
_SWITCHES: Final = {"daemon": "daemon", "strict-limits": "strict_limits"}


def _store(build: Build, words: list[str]) -> None:
    """Keep what has a field in the model."""
    first = words[0]
    value = words[1] if len(words) > 1 else ""
    if first.startswith("tune."):
        number = value.isdigit()
        build.tune[first[5:]] = int(value) if number else (leading_integer(value) if value[:1].isdigit() else value)
    elif first in _NUMBERS:
        build.global_[_NUMBERS[first]] = leading_integer(value)
    elif first in _TEXTS:
        build.global_[_TEXTS[first]] = value
    elif first in _SWITCHES:
        build.global_[_SWITCHES[first]] = True
    elif first == "expose-experimental-directives":
        build.experimental = True
    elif first == "log-send-hostname":
        build.global_["log_send_hostname"] = value
    else:
        build.global_.setdefault(first.replace("-", "_").replace(".", "_"), value or True)


def _time(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused(f"'{words[0]}' expects <time> as argument.", 1, code="missing-argument")
    build.global_[_TIMES[words[0]]] = build.time(statement, words, 1, f"<{words[0]}>")


def _identity(build: Build, statement: Statement, words: list[str]) -> None:
    """`user` and `group`, which must exist."""
    kind = words[0]
    name = words[1] if len(words) > 1 else ""
    at_most(words, 1)
    try:
        number = pwd.getpwnam(name).pw_uid if kind == "user" else grp.getgrnam(name).gr_gid
    except KeyError:
        raise Refused(
            f"cannot find {kind} id for '{name}' (0:Success)", 1, code=f"unknown-{kind}", environment=bool(name)
        ) from None
    build.global_[kind] = name
    build.global_["uid" if kind == "user" else "gid"] = number


def _numeric_identity(build: Build, statement: Statement, words: list[str]) -> None:
    kind = words[0]
    if len(words) < 2:
        raise Refused(f"'{kind}' expects an integer argument.", 1, code="missing-argument")
    at_most(words, 1)
    if not words[1].isdigit():
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
    text = words[1] if len(words) > 1 else ""
    if not re.fullmatch(r"[+-]?\d+", text):
        raise Refused(f"'{words[0]}' passed a missing or unparsable integer value in '{text}'", 1)
    value = int(text)
    highest = _THREADS if words[0] == "nbthread" else 1
    if not 1 <= value <= highest:
        raise Refused(f"'{words[0]}' value must be between 1 and {highest} (was {value})", 1)
    at_most(words, 1)
    if words[0] == "nbthread":
        build.global_["nbthread"] = value


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
            build.time(statement, words, 2, "")
        except Refused:
            bad = text.lstrip("0123456789")[:1]
            raise Refused(f"'stats timeout' : unexpected character '{bad}'", 2) from None
    elif what == "maxconn":
        if len(words) < 3 or leading_integer(words[2]) <= 0:
            raise Refused("'stats maxconn' expects a positive value", 2)
    elif what == "bind-process":
        for index, text in enumerate(words[2:], 2):
            match = _PROCESSES.fullmatch(text)
            if match is None:
                raise Refused(f"'stats bind-process' : '{text}' is not a valid number/range.", index)
            if any(number and int(number) != 1 for number in match.groups()):
                raise Refused(
                    f"'stats bind-process' : '{text}' is not a valid number/range. It supports numbers from 1 to 1.",
                    index,
                )
    else:
        raise Refused(f"'stats' only supports 'socket', 'maxconn', 'bind-process' and 'timeout' (got '{what}')", 1)


def _stats_socket(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused(
            "'stats socket' in global section expects an address or a path to a UNIX socket", 2, code="missing-argument"
        )
    listening_addresses(build, words[2], 2, "'stats socket' : ")
    reading = BindWords(build, statement, words, 3, "'stats socket' : '")
    try:
        read_options(reading, "'stats socket' : ")
    except Refused as refusal:
        if refusal.message.startswith("'stats socket' : '"):
            refusal.message += "'"
        raise
    build.stats_sockets.append(tuple(words[2:]))


def _cpu_map(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused(
            "cpu-map expects a process number  ('all', 'odd', 'even', a number from 1 to 64 or a range),  followed"
            " by a list"
            " of CPU ranges with numbers from 0 to 63.",
            len(words),
            code="missing-argument",
        )
    if not _PROCESS_SET.fullmatch(words[1]):
        raise Refused(f"cpu-map : '{words[1]}' is not a valid number/range.", 1)
    for index, text in enumerate(words[2:], 2):
        if not _CPU_SET.fullmatch(text):
            raise Refused(f"cpu-map : '{text}' is not a CPU range.", index)
    if words[1].startswith("auto:"):
        _check_automatic(words)


def _check_automatic(words: list[str]) -> None:
    process, _, threads = words[1][5:].partition("/")
    sizes = [_width(part) for part in (process, threads) if part]
    cpus = sum(_width(part) for text in words[2:] for part in text.split(","))
    if None not in sizes and cpus not in sizes and not any(size is not None and size >= _THREADS for size in sizes):
        raise Refused("cpu-map : PROC/THREAD range and CPU sets must have the same size to be automatically bound", 1)


def _width(text: str) -> int:
    low, dash, high = text.partition("-")
    if not low.isdigit():
        return _THREADS
    if not dash:
        return 1
    return (int(high) if high else _THREADS) - int(low) + 1


def _base(build: Build, statement: Statement, words: list[str]) -> None:
    """ca-base and crt-base, once each."""
    name = words[0]
    if len(words) < 2:
        raise Refused(f"global statement '{name}' expects a directory path as an argument.", 1, code="missing-argument")
    at_most(words, 1)
    if name in build.global_:
        raise Refused(f"'{name}' already specified.", 0)
    build.global_[name] = words[1]


def _default_path(build: Build, statement: Statement, words: list[str]) -> None:
    mode = words[1] if len(words) > 1 else ""
    supported = "for 'default-path', supported modes include 'current', 'config', 'parent', and 'origin'."
    if not mode:
        raise Refused(f"missing default-path mode '' {supported}", 1, code="missing-argument")
    if mode not in ("current", "config", "parent", "origin"):
        raise Refused(f"unsupported default-path mode '{mode}' {supported}", 1)
    source = build.files.path(statement.source.name)
    if mode == "config":
        build.files.base = source.parent
    elif mode == "parent":
        build.files.base = source.parent.parent
    elif mode == "origin":
        path = words[2] if len(words) > 2 else ""
        if not path:
            raise Refused("'default-path origin' expects a directory as an argument.", 2, code="missing-argument")
        if not build.files.path(path).is_dir():
            raise Refused(
                f"couldn't set 'default-path' to origin '{path}': Impossible to get to directory '{path}':"
                " No such file or directory.",
                2,
                code="missing-file",
                environment=True,
            )
        build.files.base = build.files.path(path)


def _environment(build: Build, statement: Statement, words: list[str]) -> None:
    """Setenv and its kin took effect while the file was read; here they are checked."""
    if words[0] in ("setenv", "presetenv") and len(words) < 3:
        raise Refused(f"'{words[0]}' expects a name and a value.", len(words), code="missing-argument")
    if words[0] == "unsetenv" and len(words) < 2:
        raise Refused("'unsetenv' expects at least one variable name.", 1, code="missing-argument")


def _set_var(build: Build, statement: Statement, words: list[str]) -> None:
    name = words[0]
    if len(words) < 3:
        what = "a sample expression" if name == "set-var" else "a 'log-format' expression"
        raise Refused(f"'{name}' requires a process-wide variable name ('proc.<name>') and {what}.", len(words))
    fault = variable(words[1])
    if fault:
        raise Refused(f"'{name}': {fault}.", 1)
    if not words[1].startswith("proc."):
        raise Refused(
            f"'{name}': cannot set variable '{words[1]}', only scope 'proc' is permitted in the global section.", 1
        )
    if name == "set-var-fmt":
        if len(words) > 3:
            raise Refused(f"'{name}' cannot handle unexpected argument '{words[3]}'.", 3)
        log_format(build, build.nameless, statement, words[2], 2, Place.CONFIG, "")
        return
    _, behind = expression_words(build, build.nameless, statement, words, 2, Place.CONFIG)
    if behind < len(words):
        raise Refused(f"'{name}': unexpected argument '{words[behind]}'.", behind)


def _tls_options(known: tuple[str, ...]) -> Handler:
    def handle(build: Build, statement: Statement, words: list[str]) -> None:
        name = words[0]
        if len(words) < 2:
            raise Refused(f"global statement '{name}' expects an option as an argument.", 1, code="missing-argument")
        index = 1
        while index < len(words):
            word = words[index]
            if word not in known:
                raise Refused(
                    f"unknown option '{word}' on global statement '{name}'.", index, hint=build.nearest(word, known)
                )
            index += 1
            if word in ("ssl-min-ver", "ssl-max-ver"):
                text = words[index] if index < len(words) else ""
                if not text:
                    raise Refused(f"'{word}' : missing the ssl/tls version on global statement '{name}'.", index)
                if text not in tls.VERSIONS:
                    raise Refused(f"'{text}' : unknown ssl/tls version on global statement '{name}'.", index)
                index += 1

    return handle


def _server_verify(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'ssl-server-verify' expects an integer argument.", 1, code="missing-argument")
    if words[1] not in ("none", "required"):
        raise Refused("'ssl-server-verify' expects 'none' or 'required' as argument.", 1)
    at_most(words, 1)
    build.global_["ssl-server-verify"] = words[1]


def _case_adjust(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused("'h1-case-adjust' expects <from> and <to> as argument.", len(words), code="missing-argument")
    at_most(words, 2)
    source, target = words[1], words[2]
    if source.lower() != target.lower() or source == target:
        raise Refused("<from> and <to> must not differ execpt the case", 2)
    if source in build.case_adjust:
        raise Refused(f"duplicate entry '{source}'", 1)
    build.case_adjust[source] = target


def _case_adjust_file(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'h1-case-adjust-file' expects <file> as argument.", 1, code="missing-argument")
    at_most(words, 1)
    try:
        lines = build.files.read(words[1]).decode("latin-1").splitlines()
    except OSError:
        raise Refused(
            f"h1-headers-case-adjust-file '{words[1]}': failed to open file.", 1, code="missing-file", environment=True
        ) from None
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        fault = ""
        if len(parts) < 2:
            fault = "expect <to>"
        elif len(parts) > 2:
            fault = f"unexpected word '{parts[2]}'"
        elif parts[0].lower() != parts[1].lower() or parts[0] == parts[1]:
            fault = "<from> and <to> must not differ execpt the case"
        if fault:
            raise Refused(f"h1-headers-case-adjust-file '{words[1]}' : {fault} at line {number}.", 1, environment=True)
        build.case_adjust.setdefault(parts[0], parts[1])


def _unix_bind(build: Build, statement: Statement, words: list[str]) -> None:
    index = 1
    while index < len(words):
        word = words[index]
        value = words[index + 1] if index + 1 < len(words) else ""
        if word not in ("prefix", "mode", "uid", "gid", "user", "group"):
            raise Refused(
                "'unix-bind' only supports the 'prefix', 'mode', 'uid', 'gid', 'user' and 'group' options.", index
            )
        if word == "prefix" and not value:
            raise Refused("unix_bind 'prefix' expects a path as an argument.", index + 1)
        try:
            if word == "user":
                pwd.getpwnam(value)
            elif word == "group":
                grp.getgrnam(value)
        except KeyError:
            raise Refused(f"'unix-bind' : '{value}' unknown {word}.", index + 1, environment=True) from None
        build.unix_bind[word] = value
        index += 2


def _client_authority(build: Build, statement: Statement, words: list[str]) -> None:
    """httpclient.ssl.ca-file."""
    if len(words) < 2:
        raise Refused(f"'{words[0]}' expects a file name as an argument.", 1, code="missing-argument")
    fault = tls.authority_fault(build, words[1])
    if fault:
        raise Refused(fault, 1, code="missing-file", environment=True)


def _client_resolvers(build: Build, statement: Statement, words: list[str]) -> None:
    """httpclient.resolvers.id, which must name a resolvers section."""
    if len(words) < 2:
        raise Refused(f"'{words[0]}' expects a name as an argument.", 1, code="missing-argument")
    at_most(words, 1)
    build.needs_resolvers(build.http_client, statement, words[1])


def _provider(build: Build, statement: Statement, words: list[str]) -> None:
    """ssl-provider: what OpenSSL brings along is known, the rest depends on the machine."""
    if len(words) < 2:
        raise Refused("'ssl-provider' expects a name as an argument.", 1, code="missing-argument")
    if words[1] not in ("default", "legacy", "base", "null"):
        raise Refused(f"ssl-provider {words[1]}: unknown provider", 1, environment=True)


def _lua(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused(f"'{words[0]}' expects a file name as parameter.", 1, code="missing-argument")
    try:
        build.files.read(words[1])
    except OSError as error:
        raise Refused(
            f"error in Lua file '{words[1]}': cannot open {words[1]}: {error.strerror}",
            1,
            code="missing-file",
            environment=True,
        ) from None
    build.lua = True


def _file(message: str) -> Handler:
    """A keyword whose file must be readable."""

    def handle(build: Build, statement: Statement, words: list[str]) -> None:
        found = table("globals").find(words)
        assert found is not None
        check_arguments(build, found[0], statement, found[1], words)
        path = build.files.path(words[1])
        if not path.exists():
            raise Refused(message.format(words[1]), 1, code="missing-file", environment=True)

    return handle


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


_HANDLERS: Final[dict[str, Handler]] = {
    "ca-base": _base,
    "cpu-map": _cpu_map,
    "crt-base": _base,
    "default-path": _default_path,
    "description": _description,
    "gid": _numeric_identity,
    "grace": _time,
    "group": _identity,
    "h1-case-adjust": _case_adjust,
    "h1-case-adjust-file": _case_adjust_file,
    "hard-stop-after": _time,
    "httpclient.resolvers.id": _client_resolvers,
    "httpclient.ssl.ca-file": _client_authority,
    "issuers-chain-path": _file("global statement 'issuers-chain-path' expects a directory path as an argument."),
    "log": _log,
    "lua-load": _lua,
    "lua-load-per-thread": _lua,
    "master-worker": _master_worker,
    "nbthread": _nbthread,
    "node": _node,
    "presetenv": _environment,
    "resetenv": _environment,
    "set-var": _set_var,
    "set-var-fmt": _set_var,
    "setenv": _environment,
    "ssl-default-bind-options": _tls_options(_BIND_OPTIONS),
    "ssl-default-server-options": _tls_options(_SERVER_OPTIONS),
    "ssl-dh-param-file": _file("'ssl-dh-param-file': unable to load DH parameters from file <{}>."),
    "ssl-provider": _provider,
    "ssl-server-verify": _server_verify,
    "stats": _stats,
    "thread-groups": _nbthread,
    "tune.rcvbuf.client": _buffer,
    "tune.rcvbuf.server": _buffer,
    "tune.sndbuf.client": _buffer,
    "tune.sndbuf.server": _buffer,
    "uid": _numeric_identity,
    "unix-bind": _unix_bind,
    "unsetenv": _environment,
    "user": _identity,
}
