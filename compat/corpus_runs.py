"""`python -m compat.corpus_runs [FOLDER]`: real configurations, run in HAProxy and in hapy with the same requests.

Every file of the folder (by default the corpus, see `compat.corpus_differences`) that HAProxy takes is run as `hapy verify`
runs it: on private ports, with stubs for its servers. Each of its frontends gets requests for the host names and paths that
stand in the file, several times, so that balancing shows. Answers, servers and what these get are compared.

Printed are the files in which something differs, with what hapy does not run of them, those that can't be run here, and the
numbers.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from compat.corpus_differences import corpus
from hapy import features
from hapy.explain.asked import Asked, asked
from hapy.verify.compare import CannotRunError, Outcome, verify
from hapy_config import Result, Severity, read_config
from hapy_config.loader import read_file, read_sources

_HOSTS: Final = re.compile(r"(?:hdr(?:_\w+)?\([Hh]ost[^)]*\)|hdr_dom|req\.?_?ssl_sni)[^\n]*?\s([\w-]+\.[\w.-]+)")
_PATHS: Final = re.compile(r"(?:path|url)(?:_beg|_end|_reg|_sub|_dir)?\s+(?:-\S+\s+)*(/?[\w./-]+)")
_METHODS: Final = (
    ("GET", "/"),
    ("GET", "/static/a.png?b=1"),
    ("POST", "/login?a=1"),
    ("HEAD", "/index.html"),
    ("GET", "/"),
)
#: How many of each are taken from a file.
_NAMES: Final = 4
_FRONTENDS: Final = 6


def _requests(text: str) -> Iterator[Asked]:
    hosts = list(dict.fromkeys(_HOSTS.findall(text)))[:_NAMES] or ["shop.test"]
    paths = [path if path.startswith("/") else f"/{path}" for path in dict.fromkeys(_PATHS.findall(text))][:_NAMES]
    targets = [*_METHODS, *(("GET", path) for path in paths)]
    for host in hosts:
        for method, target in targets:
            yield asked(f"{method} http://{host}{target}", headers=["Cookie: SERVERID=s1; JSESSIONID=abc"])


def run(path: Path, haproxy: str) -> tuple[Outcome, Result] | None:
    """Run one file; None where it has no frontend that listens.

    Raises:
        CannotRunError: one of the programs does not take what `hapy verify` makes of it.
    """
    result = read_config([str(path)], features=features.have(), assume_machine=True)
    if result.config is None:
        return None
    proxies = [one for one in result.config.proxies if one.is_frontend and one.binds and not one.disabled]
    asked_for = list(_requests(path.read_text(errors="replace")))
    pages = [one for one in proxies if one.stats is None]
    requests = [(one.name, request) for one in pages[:_FRONTENDS] for request in asked_for]
    if not requests:
        return None
    statements = (one for section in result.document.sections for one in (section.header, *section.statements))
    counts = frozenset((one.source.name, one.line) for one in statements)
    sources, _ = read_sources([str(path)], read_file)
    return verify(sources, requests, haproxy=haproxy, counts=counts), result


def main(arguments: list[str]) -> int:
    """Run the command; gives the exit status: 0 when nothing differs."""
    folder = Path(arguments[0]) if arguments else corpus()
    if folder is None:
        print("no corpus: name a folder of configurations", file=sys.stderr)
        return 2
    haproxy = "/usr/sbin/haproxy"
    seen: Counter[str] = Counter()
    for path in sorted(folder.glob("*.cfg")):
        valid = subprocess.run([haproxy, "-c", "-f", path], capture_output=True, check=False).returncode == 0
        try:
            found = run(path, haproxy) if valid else None
        except (CannotRunError, OSError) as error:
            seen["can't be run here"] += 1
            print(f"{path.name}: {error}")
            continue
        if found is None:
            seen["nothing to run"] += 1
            continue
        outcome, result = found
        seen["requests"] += outcome.compared
        seen["requests that differ"] += len(outcome.differences)
        seen["differ" if outcome.differences else "alike"] += 1
        if outcome.differences:
            print(f"{path.name}: {len(outcome.differences)} of {outcome.compared} requests differ")
            for message in dict.fromkeys(one.message for one in result.not_run if one.severity is Severity.ERROR):
                print(f"  {message}")
            if re.search(r"^\s*balance\s+random", path.read_text(errors="replace"), re.MULTILINE):
                print("  balance random chooses otherwise each time")
    print(", ".join(f"{name}: {count}" for name, count in sorted(seen.items())))
    return 1 if seen["differ"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
