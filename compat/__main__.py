"""`python -m compat [NAME…] [--program haproxy|hapy]`: run scenarios and show transcripts or differences."""

from __future__ import annotations

import argparse
import sys

from compat.deviations import DEVIATIONS
from compat.harness.world import compare, run
from compat.test_scenarios import SCENARIOS


def main() -> int:
    """Run what the command line asks for; the exit status is the number of differing scenarios, at most 1."""
    parser = argparse.ArgumentParser(prog="python -m compat", description=__doc__)
    parser.add_argument("names", nargs="*", help="scenarios, or parts of their names; all without")
    parser.add_argument("--program", choices=["haproxy", "hapy"], help="only show this program's transcript")
    options = parser.parse_args()
    chosen = [n for n in SCENARIOS if not options.names or any(part in n for part in options.names)]
    failed = 0
    for name in chosen:
        if options.program:
            transcript, said = run(SCENARIOS[name], options.program)
            print(f"== {name}", *transcript, "-- said", said, sep="\n")
            continue
        try:
            compare(SCENARIOS[name])
            print(f"same    {name}")
        except AssertionError as difference:
            if name in DEVIATIONS:
                print(f"differs {name}: {DEVIATIONS[name]}")
                continue
            failed += 1
            print(f"DIFFERS {difference}")
    print(f"{len(chosen) - failed} of {len(chosen)} the same")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
