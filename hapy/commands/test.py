"""`hapy test FILE CASES.yaml`: requests walked through a configuration, and whether they end as expected."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from hapy import environment, features
from hapy_config import Severity, read_config
from hapy_config.loader import read_file

if TYPE_CHECKING:
    from hapy_config import Result

#: Exit statuses.
PASSED: Final = 0
FAILED: Final = 1
BAD_USAGE: Final = 2


def main(words: list[str]) -> int:
    """Run the command; gives the exit status."""
    options = _parser().parse_args(words)
    files = options.config or options.files[:1]
    result = read_config(files, features=features.have(), ssl_library=features.ssl_library(), assume_machine=True)
    with environment.taken_over(result):
        return _run(options, result)


def _run(options: argparse.Namespace, result: Result) -> int:
    from hapy.explain.cases import CasesError, judge, read_cases
    from hapy.explain.walk import Walker
    from hapy.samples.environment import CompileError

    suites = options.files if options.config else options.files[1:]
    if not suites:
        print("hapy test: no file of cases; write: hapy test haproxy.cfg cases.yaml", file=sys.stderr)
        return BAD_USAGE
    if result.config is None or result.unreadable:
        for finding in result.diagnostics:
            if finding.severity is Severity.ERROR:
                place = f"{finding.span}: " if finding.span.line else ""
                print(f"{place}{finding.message}", file=sys.stderr)
        return BAD_USAGE
    try:
        walker = Walker(result)
        suite = []
        for name in suites:
            try:
                suite.append((name, read_cases(read_file(name).decode("utf-8", "replace"))))
            except CasesError as error:
                print(f"{name}:{error.line}: {error}", file=sys.stderr)
                return BAD_USAGE
            except OSError as error:
                print(f"hapy test: cannot read {name}: {error.strerror}", file=sys.stderr)
                return BAD_USAGE
    except CompileError as error:
        print(f"{error.span or 'hapy test'}: {error.message}", file=sys.stderr)
        return BAD_USAGE
    passed = failed = 0
    for name, cases in suite:
        for case in cases:
            verdict = judge(case, walker)
            if not verdict.failures:
                passed += 1
                if options.verbose:
                    print(f"ok    {case.name}")
                continue
            failed += 1
            print(f"FAIL  {case.name}  ({name}:{case.line})")
            for failure in verdict.failures:
                print(f"      {failure}")
    print(f"{passed} passed" + (f", {failed} failed" if failed else ""))
    return FAILED if failed else PASSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hapy test",
        description="Walk requests through a configuration and compare what becomes of them; no network is used.",
        epilog="A case is a request with what is expected: see examples/haproxy_cfgs/routing.cases.yaml. The exit "
        "status is 0 when all cases pass, 1 when one fails, 2 when a file can't be used.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="the configuration, then files of cases")
    parser.add_argument(
        "-f",
        dest="config",
        action="append",
        metavar="FILE",
        help="a configuration file; repeatable, all others are cases",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show the cases that pass, too")
    return parser
