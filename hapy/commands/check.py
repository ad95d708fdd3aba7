"""`hapy check FILE…`: every problem of a configuration at once, each with its place, its reason and what to do.

The verdict is HAProxy's, of the version asked for, and so is the exit status: 0 when it would take the files, 1 when it
would refuse them, 2 when they are valid and nothing would listen; 3 is bad usage of this command. What this machine
lacks and what hapy knows and does not run are told apart and don't change the verdict.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

from hapy import features
from hapy_config import read_config
from hapy_config.diagnostics import Diagnostic, Diagnostics, Severity
from hapy_config.keywords.spec import TARGET, Version
from hapy_config.loader import STDIN, expand_paths, read_file
from hapy_config.source import NOWHERE

if TYPE_CHECKING:
    from hapy_config import Result
    from hapy_config.source import Source

_REFUSED: Final = 1
_BAD_USAGE: Final = 3
_FORMATS: Final = ("text", "json", "sarif", "github")

#: What usual builds of HAProxy have, as `.if feature(…)` asks for it: files are checked for HAProxy as well as hapy.
_USUAL: Final = frozenset(
    {"EPOLL", "GETADDRINFO", "LUA", "NS", "OPENSSL", "PCRE2", "PCRE2_JIT", "PROMEX", "SLZ", "SYSTEMD", "TFO", "THREAD"}
)

_EPILOG: Final = (
    "The exit status is 0 when HAProxy would take the files, 1 when it would refuse them, 2 when they are valid and "
    "nothing would listen (as `haproxy -c` ends), 3 for bad usage. A comment '# hapy: ignore CODE' at the end of a "
    "line, or alone above it, silences a finding. Codes may be beginnings: 'unknown' stands for all that begin so."
)


class _Parser(argparse.ArgumentParser):
    """argparse, whose exit status for bad usage would be HAProxy's for files without a listener."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(_BAD_USAGE, f"{self.prog}: {message}\n")


def main(words: list[str]) -> int:
    """Run the command; gives the exit status."""
    parser = _parser()
    options = parser.parse_args(words)
    if options.codes or options.explain is not None:
        from hapy.report import codes

        return codes.listed() if options.codes else codes.explained(options.explain)
    if not options.files:
        parser.error("which file? '-' is standard input")
    target = _target(parser, options.target)
    for word in (*options.select, *options.ignore):
        _known_code(parser, word)
    unreadable = Diagnostics()
    if not expand_paths(options.files, unreadable) and not list(unreadable):
        print(f"hapy check: no *.cfg file in {', '.join(options.files)}", file=sys.stderr)
        return _REFUSED
    checked = _Checked(options, target)
    was_on = gc.isenabled()
    gc.disable()  # the model of a big file is walked often enough without it
    try:
        if options.fix or options.diff:
            return _mended(checked, write=options.fix and not options.diff)
        return checked.told(sys.stdout)
    finally:
        if was_on:
            gc.freeze()
            gc.enable()


@dataclass(frozen=True, slots=True)
class _Checked:
    """The command's options, and how they have a configuration read and told."""

    options: argparse.Namespace
    target: Version

    def read(self, sources: Sequence[Source] | None = None) -> Result:
        """The configuration as it is on disk, or as it is in memory."""
        from hapy_config.targets import release

        options = self.options
        texts: dict[str, bytes] = {}

        def read(name: str) -> bytes:
            if name not in texts:
                texts[name] = read_file(name)
            return texts[name]

        if sources is not None:
            texts |= {source.name: source.text.encode("utf-8", "surrogateescape") for source in sources}
            paths = [source.name for source in sources]
        else:
            paths = options.files
            for name in expand_paths(paths, Diagnostics()):
                with suppress(OSError):
                    read(name)
        result = read_config(
            paths,
            env={**os.environ, **({} if options.local_peer is None else {"HAPROXY_LOCALPEER": options.local_peer})},
            features=features.have() | _USUAL,
            ssl_library=features.ssl_library() if any(b"ssllib" in text for text in texts.values()) else "",
            local_peer=options.local_peer,
            read=read,
            lookup=_resolves if options.names or options.environment else None,
            target=self.target,
            version=release(self.target),
            assume_machine=True,
        )
        return _with_saved_states(result)

    def told(self, stream: TextIO, result: Result | None = None) -> int:
        """Print the report; gives the exit status."""
        from hapy.report.findings import Wanted, report

        options = self.options
        wanted = Wanted(
            select=tuple(options.select),
            ignore=tuple(options.ignore),
            environment=options.environment,
            strict=options.strict,
            lint=not options.no_lint,
            not_run=not options.haproxy,
            quiet=options.quiet,
        )
        found = report(self.read() if result is None else result, wanted, f"{self.target[0]}.{self.target[1]}")
        if options.format == "text":
            from hapy.report import text

            text.write(text.lines(found, text.width_of(stream), summed=not options.quiet), stream)
        else:
            from hapy.report import machine

            make = {"json": machine.as_json, "sarif": machine.as_sarif, "github": machine.as_github}[options.format]
            stream.write(make(found))
        return found.status


def _with_saved_states(result: Result) -> Result:
    """The result, and what is wrong with the files that servers' states are to be taken from."""
    config = result.config
    if config is None or not config.has_saved_states:
        return result
    from hapy.proxy.saved import load

    shared = next(
        (
            statement.span()
            for section in result.document.sections
            if section.kind == "global"
            for statement in section.statements
            if statement.words[0] == "server-state-file"
        ),
        NOWHERE,
    )
    spans = {f"Proxy '{proxy.name}": proxy.span for proxy in config.proxies if proxy.load_server_state}
    said: list[str] = []
    load(config, said.append)
    own = [
        Diagnostic(
            "bad-state-file",
            Severity.WARNING,
            spans.get(text.partition("': ")[0], shared),
            text.removeprefix("config: "),
            environment=True,
        )
        for text in said
    ]
    return replace(result, diagnostics=Diagnostics([*result.diagnostics, *own])) if own else result


def _mended(checked: _Checked, *, write: bool) -> int:
    """`--fix` and `--diff`: make the safe edits, or show them."""
    from hapy.report.findings import Wanted, report
    from hapy_config.fixes import mend

    result = checked.read()
    options = checked.options
    wanted = Wanted(tuple(options.select), tuple(options.ignore), lint=not options.no_lint, not_run=False)
    changed = mend(result, lambda one: [entry.found for entry in report(one, wanted, "").entries], checked.read)
    if not write:
        from hapy.report.diff import write_diff

        write_diff(result.document.sources, changed, sys.stdout)
        return checked.told(sys.stderr, result)
    stream = sys.stdout
    for name, source in changed.items():
        content = source.ended_alike(source.text).encode("utf-8", "surrogateescape")
        if name == STDIN:
            sys.stdout.buffer.write(content)
            sys.stdout.flush()
            stream = sys.stderr
        else:
            try:
                Path(name).write_bytes(content)
            except OSError as error:
                print(f"hapy check: cannot write '{name}': {error.strerror}", file=sys.stderr)
                return 1
    mended = checked.read([changed.get(source.name, source) for source in result.document.sources])
    return checked.told(stream, mended)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="hapy check",
        description="Report every problem of a configuration at once, with its place, the reason and a fix.",
        epilog=_EPILOG,
    )
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE", help="a file, a directory of *.cfg files, or - (standard input)")
    add("--target", default="2.6", metavar="VERSION", help="the HAProxy version to check for, 1.8 to 3.4 (default 2.6)")
    add("--environment", action="store_true", help="what this machine lacks (files, users, names) is an error")
    add("--names", action="store_true", help="look host names up, as a start would")
    add("--strict", action="store_true", help="warnings too make the command fail")
    add("--fix", action="store_true", help="make the safe edits in the files (of standard input: to standard output)")
    add("--diff", action="store_true", help="show what --fix would do; the report goes to standard error")
    add("--format", choices=_FORMATS, default="text", help="how to report (default text)")
    add(
        "--select",
        type=_codes,
        action="extend",
        default=[],
        metavar="CODE,…",
        help="tell only these codes, or those that begin so",
    )
    add(
        "--ignore",
        type=_codes,
        action="extend",
        default=[],
        metavar="CODE,…",
        help="don't tell these codes, nor those that begin so",
    )
    add("--explain", metavar="CODE", help="say what a code means, with an example")
    add("--codes", action="store_true", help="list all codes")
    add("--haproxy", action="store_true", help="leave out what hapy knows and does not run")
    add("--no-lint", action="store_true", help="leave out advice on what is valid")
    add("-q", "--quiet", action="store_true", help="print nothing but errors")
    add("-L", dest="local_peer", metavar="NAME", help="this process's name among peers")
    return parser


def _codes(text: str) -> tuple[str, ...]:
    """A list of codes separated by commas or blanks."""
    return tuple(word for word in text.replace(",", " ").split() if word)


def _target(parser: argparse.ArgumentParser, text: str) -> Version:
    if text == "2.6":
        return TARGET
    from hapy_config.targets import VERSIONS, parse_version, shown

    version = parse_version(text)
    if version is None:
        parser.error(f"unknown version '{text}': --target takes one of {', '.join(map(shown, VERSIONS))}")
    return version


def _known_code(parser: argparse.ArgumentParser, word: str) -> None:
    from hapy_config.codes import matching, nearest

    if not matching(word):
        near = nearest(word)
        parser.error(f"there is no code '{word}'{f', did you mean {near!r}?' if near else ''} (--codes lists them)")


def _resolves(name: str, family: str) -> bool:
    """Whether the system knows an address of that name."""
    import socket

    families = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
    try:
        return bool(socket.getaddrinfo(name, None, families.get(family, socket.AF_UNSPEC), socket.SOCK_STREAM))
    except (OSError, UnicodeError):
        return False
