"""`python -m compat.corpus_differences`: which files of a corpus of real configurations hapy judges otherwise than HAProxy.

The corpus is a folder with `index.jsonl` and the files it names; `HAPY_CORPUS` says where, else `../shared/corpus` beside
the repository. For each file the index has HAProxy's exit status: 0 valid, 1 refused, 2 valid without a listener. What is
found is written to `corpus_differences.txt`, one file a line under the cause that it shares with others.

What a finding says of the machine (a user that does not exist) counts only where HAProxy too refused the file.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from hapy_config import Severity, read_config

LIST = Path(__file__).with_suffix(".txt")

#: What the referee's build has, as `.if feature(…)` asks for it.
FEATURES = frozenset(
    {"OPENSSL", "LUA", "PCRE2", "PCRE2_JIT", "THREAD", "EPOLL", "SLZ", "PROMEX", "NS", "SYSTEMD", "TFO"}
)


@dataclass(frozen=True)
class Judged:
    """One file: what the index says of it, and what hapy does.

    `cause` says why they differ; it is empty where they agree.
    """

    name: str
    core: bool
    expected: int
    cause: str


def corpus() -> Path | None:
    """The corpus, or None when there is none."""
    given = os.environ.get("HAPY_CORPUS")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "corpus"
    return folder if (folder / "index.jsonl").is_file() else None


def judge(folder: Path) -> Iterator[Judged]:
    """Read every file of the corpus, in its own folder as HAProxy did."""
    with (folder / "index.jsonl").open(encoding="utf-8") as lines, chdir(folder):
        for line in lines:
            entry = json.loads(line)
            yield Judged(entry["id"], entry["core"], entry["rc"], _cause(entry))


def _cause(entry: dict[str, object]) -> str:
    arguments = entry["args"]
    assert isinstance(arguments, list)
    peer = arguments[arguments.index("-L") + 1] if "-L" in arguments else None
    result = read_config([f"{entry['id']}.cfg"], env={}, features=FEATURES, local_peer=peer)
    errors = [found for found in result.diagnostics if found.severity is Severity.ERROR and found.fatal]
    if entry["rc"] == 1:
        alerts = entry["alerts"]
        assert isinstance(alerts, list)
        reason = alerts[0].split(" : ")[-1] if alerts else "(it gives no reason)"
        return "" if errors else f"taken, refused by HAProxy: {reason}"
    textual = [found for found in errors if not found.environment]
    if textual:
        return f"refused ({textual[0].code}), taken by HAProxy"
    if not errors and result.has_listener != (entry["rc"] == 0):
        return "whether anything listens"
    return ""


def differences(folder: Path) -> str:
    """The list as it is kept."""
    by_cause: dict[str, list[Judged]] = {}
    total = core = agreed = core_agreed = 0
    for judged in judge(folder):
        total += 1
        core += judged.core
        agreed += not judged.cause
        core_agreed += judged.core and not judged.cause
        if judged.cause:
            by_cause.setdefault(judged.cause, []).append(judged)
    lines = [f"# {agreed} of {total} files judged as HAProxy 2.6.12 does, {core_agreed} of {core} core files"]
    for cause, found in sorted(by_cause.items()):
        lines += ["", f"[{cause}]", *(f"{one.name}{' core' if one.core else ''}" for one in found)]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the list anew."""
    folder = corpus()
    if folder is None:
        print("no corpus: set HAPY_CORPUS to its folder", file=sys.stderr)
        return 1
    text = differences(folder)
    LIST.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
