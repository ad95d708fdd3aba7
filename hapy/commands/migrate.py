"""`hapy migrate FILE --to TARGET`: a configuration for a newer HAProxy, or for another proxy.

Nothing is written without `-o`: what would change is shown, then what a person must know or decide.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from hapy_config.api import read_config
from hapy_config.loader import STDIN, read_file, read_sources
from hapy_config.source import Span
from hapy_config.targets import VERSIONS, parse_version, shown
from hapy_config.translate.report import Loss, Note, Translation

if TYPE_CHECKING:
    from hapy_config.model.config import Config
    from hapy_config.source import Source
    from hapy_config.syntax import Document

#: Exit statuses.
DONE: Final = 0
DECIDE: Final = 1
FAILED: Final = 2

_HAPROXY: Final = "haproxy-"
#: Describes the form of `json`, of any file.
_SCHEMA: Final = "json-schema"
#: Targets that are no HAProxy.
OTHERS: Final = ("nginx", "caddy", "envoy", "json")
_HEADINGS: Final = {
    Loss.LOST: "To be decided by you",
    Loss.NEAR: "Nearly the same",
    Loss.NONE: "Changed",
}


def main(words: list[str]) -> int:
    """Run the command; gives the exit status."""
    options = _parser().parse_args(words)
    if options.to == _SCHEMA:
        return _show_schema()
    if not options.files:
        print("hapy migrate: name a file to read, or - for the standard input", file=sys.stderr)
        return FAILED
    sources, found = read_sources(options.files, read_file)
    for finding in found:
        print(f"hapy migrate: {finding.message}", file=sys.stderr)
    if not sources:
        return FAILED
    try:
        outcome = _translate(sources, options)
    except ValueError as error:
        print(f"hapy migrate: {error}", file=sys.stderr)
        return FAILED
    same_language = options.origin == "haproxy" and options.to.startswith(_HAPROXY)
    if options.output is not None:
        if not _write(outcome, options.output):
            return FAILED
    elif same_language:
        _show_changes(sources, outcome)
    else:
        for text in outcome.files.values():
            print(text, end="")
    stream = sys.stdout if options.output not in (None, STDIN) or same_language else sys.stderr
    _report(outcome, options.to, stream, same_language=same_language)
    return DECIDE if outcome.worst is Loss.LOST or found.has_errors else DONE


def _show_schema() -> int:
    import json

    from hapy_config.translate.json_form import schema

    print(json.dumps(schema(), indent=2))
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hapy migrate",
        description="Rewrite a configuration for a newer HAProxy, keeping comments and layout, or for another proxy.",
        epilog="Without -o nothing is written: the difference, or the other proxy's file, is shown. The exit status is "
        "0, 1 when something is left for a person to decide, 2 when a file can't be read or written.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="a file, a directory of *.cfg files, or -")
    parser.add_argument(
        "--to",
        default="haproxy-2.6",
        metavar="TARGET",
        help="haproxy-VERSION, 1.8 to 3.4 (default: haproxy-2.6), nginx, caddy, envoy, json, or json-schema (no FILE)",
    )
    parser.add_argument(
        "--from",
        dest="origin",
        default="haproxy",
        choices=("haproxy", "nginx", "json"),
        help="what the files are written for (default: haproxy)",
    )
    parser.add_argument("-o", dest="output", metavar="OUT", help="write there: a file, or a directory for several; -")
    return parser


def _translate(sources: Sequence[Source], options: argparse.Namespace) -> Translation:
    """The outcome.

    Raises:
        ValueError: there is no such target, or the source can't be read.
    """
    origin, target = options.origin, options.to
    version = None
    if target.startswith(_HAPROXY):
        version = parse_version(target.removeprefix(_HAPROXY))
        if version is None:
            raise ValueError(f"--to {target}: versions are {shown(VERSIONS[0])} to {shown(VERSIONS[-1])}")
    elif target not in OTHERS:
        raise ValueError(f"--to {target}: targets are haproxy-VERSION, {', '.join(OTHERS)}")
    if origin != "haproxy":
        if version is None:
            raise ValueError(f"--from {origin} needs --to haproxy-VERSION")
        return _from_other(sources, origin)
    if version is not None:
        from hapy_config.translate.upgrade import upgrade

        return upgrade(sources, version)
    return _to_other(sources, target)


def _from_other(sources: Sequence[Source], origin: str) -> Translation:
    if origin == "nginx":
        from hapy_config.translate.from_nginx import from_nginx

        return from_nginx(sources)
    from hapy_config.translate.json_form import from_json

    return from_json(sources)


def _to_other(sources: Sequence[Source], target: str) -> Translation:
    texts = {source.name: source.text.encode("utf-8", "surrogateescape") for source in sources}
    result = read_config(list(texts), read=texts.__getitem__, assume_machine=True)
    if result.config is None:
        faults = [one for one in result.diagnostics if one.refuses and not one.environment]
        for one in faults:
            print(f"{one.span.file}:{one.span.line}: {one.message}", file=sys.stderr)
        raise ValueError("HAProxy would refuse this configuration: mend it first (hapy check says how)")
    outcome = _written(result.config, result.document, target)
    missing = [
        Note(
            Span(one.span.file, one.span.line),
            Loss.LOST,
            f"{one.message.partition(':')[0]}: a value was made up; set it and translate again",
        )
        for one in result.diagnostics
        if one.code == "unset-variable"
    ]
    missing += [
        Note(Span(one.span.file, one.span.line), Loss.LOST, f"{one.message}: what it holds is not in the result")
        for one in result.diagnostics
        if one.code == "missing-file"
    ]
    return replace(outcome, notes=(*dict.fromkeys(missing), *outcome.notes))


def _written(config: Config, document: Document, target: str) -> Translation:
    if target == "json":
        from hapy_config.translate.json_form import to_json

        return to_json(config)
    if target == "nginx":
        from hapy_config.translate.nginx import to_nginx

        return to_nginx(config, document)
    if target == "caddy":
        from hapy_config.translate.caddy import to_caddy

        return to_caddy(config, document)
    from hapy_config.translate.envoy import to_envoy

    return to_envoy(config, document)


def _show_changes(sources: Sequence[Source], outcome: Translation) -> None:
    for source in sources:
        new = outcome.files[source.name]
        before, after = [line.rstrip("\r") for line in source.lines], new.splitlines()
        lines = list(difflib.unified_diff(before, after, source.name, source.name, lineterm=""))
        if not source.ends_with_newline and not lines:
            lines = [f"{source.name}: a line feed is added at the end"]
        for line in lines:
            print(line.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _write(outcome: Translation, output: str) -> bool:
    """Write the new files; False where that failed."""
    try:
        if output == STDIN:
            for text in outcome.files.values():
                sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
            return True
        place = Path(output)
        names = [Path(name).name for name in outcome.files]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            print(f"hapy migrate: several files are called {twice}: write them one by one", file=sys.stderr)
            return False
        if len(outcome.files) > 1:
            place.mkdir(parents=True, exist_ok=True)
        for name, text in outcome.files.items():
            path = place / Path(name).name if place.is_dir() else place
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
    except FileExistsError:
        print(f"hapy migrate: cannot write {output}: several files need a folder, and it is none", file=sys.stderr)
        return False
    except OSError as error:
        print(f"hapy migrate: cannot write {output}: {error.strerror}", file=sys.stderr)
        return False
    return True


def _report(outcome: Translation, target: str, stream: TextIO, *, same_language: bool) -> None:
    """What changed, and what is left to do; the latter last, where it is seen."""
    import textwrap

    if outcome.always:
        print(f"\n{target.capitalize()}, whatever a configuration says ({len(outcome.always)}):", file=stream)
        for one in outcome.always:
            print(textwrap.fill(one, 80, initial_indent="  ", subsequent_indent="    "), file=stream)
    for loss in (Loss.NONE, Loss.NEAR, Loss.LOST):
        notes = [note for note in outcome.notes if note.loss is loss]
        if not notes:
            continue
        print(f"\n{_HEADINGS[loss]} ({len(notes)}):", file=stream)
        for note in notes:
            place = f"{note.span.file}:{note.span.line}: " if note.span.line else ""
            text = f"{place}{note.text}".encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            print(textwrap.fill(text, 80, initial_indent="  ", subsequent_indent="    "), file=stream)
    if outcome.counts:
        plain, unchanged, near, lost = outcome.counts
        total = max(sum(outcome.counts), 1)
        print(
            f"\n{total} statements: {plain + unchanged} go over, {near} nearly, {lost} do not"
            f" ({100 * (total - lost) // total} % have a counterpart).",
            file=stream,
        )
    elif same_language and not outcome.notes:
        print(f"Nothing changes: it is written for {target} already.", file=stream)
