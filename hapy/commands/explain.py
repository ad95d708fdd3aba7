"""`hapy explain FILE`: what a configuration does, in plain words; with `--request`, what it does with one request."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from hapy import environment, features
from hapy_config import Severity, read_config
from hapy_config.source import Span

if TYPE_CHECKING:
    from hapy_config import Result

#: Exit statuses.
FINE: Final = 0
REFUSED: Final = 1
BAD_USAGE: Final = 2


def main(words: list[str]) -> int:
    """Run the command; gives the exit status."""
    options = _parser().parse_args(words)
    result = read_config(
        options.files, features=features.have(), ssl_library=features.ssl_library(), assume_machine=True
    )
    if result.config is None or result.unreadable:
        return _refused(result)
    if options.request is None:
        return _story(result, as_json=options.json)
    with environment.taken_over(result):
        return _walk(result, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hapy explain",
        description="Say in plain words what a configuration does, or what it does with one request.",
        epilog="The exit status is 0, 1 when HAProxy would refuse the files, 2 for bad usage.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a file, a directory of *.cfg files, or - (standard input)"
    )
    parser.add_argument(
        "--request", metavar="REQUEST", help="walk it through, as 'GET https://shop.example/cart' (no network is used)"
    )
    parser.add_argument(
        "--header", action="append", default=[], metavar="'NAME: VALUE'", help="a header of it; repeatable"
    )
    parser.add_argument("--data", default="", metavar="TEXT", help="its body")
    parser.add_argument("--src", metavar="IP", help="its client's address (192.0.2.1)")
    parser.add_argument(
        "--frontend", metavar="NAME", help="the frontend that it comes to, where its URL leaves it open"
    )
    parser.add_argument(
        "--down", action="append", default=[], metavar="BACKEND/SERVER", help="a server that is down; repeatable"
    )
    parser.add_argument("--json", action="store_true", help="the same for programs")
    return parser


def _refused(result: Result) -> int:
    """Say why there is nothing to explain."""
    errors = [finding for finding in result.diagnostics if finding.severity is Severity.ERROR]
    for finding in errors:
        print(f"{finding.span}: {finding.message}" if finding.span.line else finding.message, file=sys.stderr)
    if result.unreadable:
        return REFUSED
    print("HAProxy refuses this configuration; `hapy check` tells more.", file=sys.stderr)
    return REFUSED


def _story(result: Result, *, as_json: bool) -> int:
    from hapy.explain.story import tell

    chapters = tell(result)
    if as_json:
        print(json.dumps([_plain(chapter) for chapter in chapters], indent=2, ensure_ascii=False))
        return FINE
    from hapy.explain.page import print_story

    print_story(chapters)
    return FINE


def _walk(result: Result, options: argparse.Namespace) -> int:
    from hapy.explain.asked import RequestError, asked
    from hapy.explain.stage import NoWayInError
    from hapy.explain.walk import Walker
    from hapy.samples.environment import CompileError

    try:
        request = asked(options.request, headers=options.header, source=options.src, body=options.data)
        walk = Walker(result).walk(request, frontend=options.frontend, down=options.down)
    except (RequestError, NoWayInError) as error:
        print(f"hapy explain: {error}", file=sys.stderr)
        return BAD_USAGE
    except CompileError as error:
        print(f"{error.span}: {error.message}" if error.span is not None else error.message, file=sys.stderr)
        return REFUSED
    if options.json:
        print(json.dumps(_plain(walk), indent=2, ensure_ascii=False))
        return FINE
    from hapy.explain.page import print_walk

    print_walk(walk)
    return FINE


def _plain(value: Any) -> Any:
    """Findings as JSON has it."""
    if isinstance(value, Span):
        return str(value) if value.line else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value
