"""`hapy verify FILE --against haproxy`: the same requests through both programs, and what differs."""

from __future__ import annotations

import argparse
import difflib
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hapy import features
from hapy_config import Diagnostic, Severity, read_config
from hapy_config.loader import read_file, read_sources

if TYPE_CHECKING:
    from hapy.explain.asked import Asked
    from hapy.verify.compare import Difference, Outcome
    from hapy_config.model.config import Config

#: Exit statuses.
ALIKE: Final = 0
DIFFERENT: Final = 1
FAILED: Final = 2

#: Differences that are shown in full.
_SHOWN: Final = 10
#: Lines of each, and how long they may be.
_LINES_SHOWN: Final = 40
_LINE_SHOWN: Final = 400


def main(words: list[str]) -> int:
    """Run the command; gives the exit status."""
    options = _parser().parse_args(words)
    from hapy.explain.asked import RequestError
    from hapy.explain.stage import NoWayInError
    from hapy.verify.compare import CannotRunError, verify

    program = shutil.which(options.against)
    if program is None:
        print(f"hapy verify: there is no program '{options.against}'", file=sys.stderr)
        return FAILED
    sources, unread = read_sources(options.files, read_file)
    result = read_config(options.files, features=features.have(), assume_machine=True)
    errors = [finding for finding in (*unread, *result.diagnostics) if finding.severity is Severity.ERROR]
    if result.config is None or unread.has_errors:
        for finding in dict.fromkeys(errors):
            place = f"{finding.span}: " if finding.span.line else "hapy verify: "
            print(f"{place}{finding.message}", file=sys.stderr)
        return FAILED
    try:
        requests = _requests(options, result.config)
        if not requests:
            raise RequestError("there is nothing to compare: no frontend listens")
        with _tidy():
            pages = _statistics(requests, result.config)
            counts = frozenset(
                (one.source.name, one.line)
                for section in result.document.sections
                for one in (section.header, *section.statements)
            )
            outcome = verify(sources, requests, haproxy=program, own_pages=pages, counts=counts)
    except (RequestError, NoWayInError, CannotRunError, OSError) as error:
        text = "".join(one if one.isprintable() or one == "\n" else "?" for one in str(error))
        print(f"hapy verify: {text}", file=sys.stderr)
        return FAILED
    if pages:
        print("note: of statistics pages the status alone is compared")
    for found in {one.message: one for one in reversed(result.not_run) if _matters(one)}.values():
        print(f"note: {found.span}: {found.message}")
    _report(outcome)
    return DIFFERENT if outcome.differences else ALIKE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hapy verify",
        description="Run a configuration in haproxy and in hapy, send both the same requests, and compare the answers, "
        "the servers chosen and what these get. Listeners move to private ports and servers are stubs: nothing outside "
        "is touched.",
        epilog="The exit status is 0 when both do the same, 1 when they differ, 2 when one can't run it.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="the configuration")
    parser.add_argument("--against", default="haproxy", metavar="PROGRAM", help="the other program (haproxy)")
    parser.add_argument(
        "--request", action="append", default=[], metavar="REQUEST", help="as 'GET http://a/x'; repeatable"
    )
    parser.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'", help="for each --request")
    parser.add_argument("--requests", metavar="FILE", help="one request a line")
    parser.add_argument("--har", metavar="FILE", help="the requests of a HAR file")
    parser.add_argument("--log", metavar="FILE", help="the requests of an access log (httplog, CLF, combined)")
    parser.add_argument("--frontend", metavar="NAME", help="where all of them come in")
    return parser


def _requests(options: argparse.Namespace, config: Config) -> list[tuple[str, Asked]]:
    """The requests with their frontends: those given, else a GET of `/` for every frontend of mode http."""
    from hapy.explain.asked import RequestError, asked
    from hapy.verify.requests import from_har, from_lines, from_log

    listening = [proxy for proxy in config.proxies if proxy.is_frontend and proxy.binds]
    live = [proxy.name for proxy in listening if not proxy.disabled]
    http = [proxy.name for proxy in listening if proxy.mode == "http" and proxy.name in live]
    found = [(asked(request, headers=options.header), "") for request in options.request]
    if options.requests is not None:
        found += [(one, "") for one in from_lines(_text(options.requests))]
    if options.har is not None:
        left_out: list[int] = []
        found += [(one, "") for one in from_har(_text(options.har), left_out)]
        _tell_left_out(options.har, "entries", left_out)
    if options.log is not None:
        captures = {
            proxy.name: [capture for capture in proxy.captures if capture.direction == "request"] for proxy in listening
        }
        left_out = []
        found += from_log(_text(options.log), captures, left_out)
        _tell_left_out(options.log, "lines", left_out)
    if not found:
        for path in (options.requests, options.har, options.log):
            if path is not None:
                raise RequestError(f"{path} holds no request")
        return [(name, asked("/", headers=["Host: verify.invalid"])) for name in live if name in http or not http]
    return [
        (name if name in live and not options.frontend else _frontend(config, live, request, options.frontend), request)
        for request, name in found
    ]


def _tell_left_out(path: str, what: str, numbers: list[int]) -> None:
    """Say which parts of a file are not sent."""
    if numbers:
        shown = ", ".join(map(str, numbers[:10])) + (" …" if len(numbers) > 10 else "")
        print(f"note: {path}: {what} without a request that can be sent: {len(numbers)} ({shown})")


def _statistics(requests: list[tuple[str, Asked]], config: Config) -> frozenset[int]:
    """The numbers of requests for statistics, which each program shows in its own way and of itself."""
    found = set()
    for number, (name, request) in enumerate(requests):
        proxy = config.frontend(name)
        target = request.head.split(b" ", 2)[1].decode("latin-1")
        if proxy is not None and proxy.stats is not None and target.startswith(proxy.stats.uri):
            found.add(number)
    return frozenset(found)


def _matters(found: Diagnostic) -> bool:
    """Whether answers may differ by what hapy does not run."""
    return found.severity is Severity.ERROR


@contextmanager
def _tidy() -> Iterator[None]:
    """Signals that end the command end the programs that it runs, too, and take away what they used."""

    def ended(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, ended) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _text(path: str) -> str:
    """What a file of requests holds.

    Raises:
        RequestError: it can't be read.
    """
    from hapy.explain.asked import RequestError

    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise RequestError(f"cannot read {path}: {error.strerror}") from None


def _frontend(config: Config, live: list[str], request: Asked, name: str | None) -> str:
    """Where a request comes in: by name, by its port, by TLS or without, or by the only way there is."""
    from hapy.explain.stage import NoWayInError

    if name is not None:
        if name not in live:
            raise NoWayInError(f"there is no frontend '{name}' with a bind line")
        return name
    http = {proxy.name for proxy in config.proxies if proxy.mode == "http"}
    pairs = [(proxy.name, bind) for proxy in config.proxies if proxy.name in live for bind in proxy.binds]
    fitting = [pair for pair in pairs if request.port in pair[1].address.ports]
    chosen = fitting or pairs
    chosen = [pair for pair in chosen if (pair[1].tls is not None) == request.tls] or chosen
    if not fitting:
        chosen = [pair for pair in chosen if pair[0] in http] or chosen
    choice = list(dict.fromkeys(name for name, _ in chosen))
    if not choice:
        raise NoWayInError("no frontend has a bind line")
    if len(choice) > 1 and not fitting:
        raise NoWayInError(f"several frontends may take it ({', '.join(choice)}); say which with --frontend")
    return choice[0]


def _report(outcome: Outcome) -> None:
    for sentence in outcome.left_out:
        print(f"note: {sentence}")
    for difference in outcome.differences[:_SHOWN]:
        _show(difference)
    if len(outcome.differences) > _SHOWN:
        print(f"\n… and {len(outcome.differences) - _SHOWN} more")
    same = outcome.compared - len(outcome.differences)
    theirs, ours = outcome.connections
    print(f"{same} of {outcome.compared} requests alike; server connections: haproxy {theirs}, hapy {ours}")


def _show(difference: Difference) -> None:
    first = difference.asked.head.split(b"\r\n")[0].decode("utf-8", "backslashreplace")
    print(f"\n{first}  (frontend {difference.frontend})")
    theirs, ours = difference.theirs, difference.ours
    if theirs.server != ours.server:
        print(f"  server: haproxy {theirs.server or 'none'}, hapy {ours.server or 'none'}")
    lines = [
        f"  {what}: {changed}"
        for what, one, other in (
            ("answer", theirs.answer, ours.answer),
            ("server gets", theirs.received, ours.received),
        )
        for changed in list(difflib.unified_diff(one, other, "haproxy", "hapy", lineterm="", n=0))[2:]
        if not changed.startswith("@@")
    ]
    for line in lines[:_LINES_SHOWN]:
        print(line if len(line) <= _LINE_SHOWN else f"{line[:_LINE_SHOWN]}…")
    if len(lines) > _LINES_SHOWN:
        print(f"  … and {len(lines) - _LINES_SHOWN} lines more")
