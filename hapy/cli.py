"""The `hapy` program: HAProxy's command line, and sub-commands beside it.

Only what is asked for is imported: a proxy starts without the validator, and the validator without the event loop.
"""

from __future__ import annotations

import io
import os
import sys
import warnings

#: Sub-commands: the module in `hapy.commands` and what it does, for the overview.
COMMANDS = {
    "check": "report every mistake in a configuration, with its place and a fix",
    "explain": "say what a configuration does, or what it does with one request",
    "fmt": "lay configurations out in one way, meaning and comments untouched",
    "migrate": "rewrite a configuration for a newer HAProxy",
    "run": "the same as giving the flags alone",
    "test": "walk requests through a configuration, compare the outcomes",
    "verify": "send the same requests through haproxy and hapy, and compare",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the program; gives the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in COMMANDS:
        name, words = words[0], words[1:]
    elif words and not words[0].startswith("-"):
        return _unknown(words[0])
    else:
        name = "run"
    from importlib import import_module

    warnings.filterwarnings("ignore", "Parsed a serial number")  # of a certificate, which HAProxy does not mind
    if name != "run" and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # letters that the terminal's encoding lacks
    try:
        status: int = import_module(f"hapy.commands.{name}").main(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has had enough of it (`hapy -vv | head -1`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        if name == "run":
            raise
        return 130  # as a shell says of what Ctrl-C ended
    return status


def _unknown(word: str) -> int:
    """A stray first word: HAProxy shows its help and fails; a near miss deserves better."""
    from hapy.usage import overview

    if word.endswith((".cfg", ".conf")) or "/" in word:
        reason = f"hapy: to run a configuration file, write: hapy -f {word}"
    else:
        from hapy_config.alike import nearest

        reason = f"hapy: there is no command '{word}'"
        near = nearest(word, COMMANDS)
        if near:
            print(f"{reason}; did you mean '{near}'?", file=sys.stderr)
            return 1
    print(f"{overview()}\n{reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
