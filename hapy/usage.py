"""The help texts. They fit 80 columns."""

from __future__ import annotations

from hapy.cli import COMMANDS

_FLAGS = """\
usage: hapy [-f <file|directory>]... [flags] [-- <file>...]
       hapy <command> [arguments]

Runs haproxy.cfg files, with HAProxy's own flags:
  -f <file|dir>    a configuration file or a directory of *.cfg; repeatable
  -- <file>...     all that follow are configuration files
  -c               check only: exit 0 valid, 1 invalid, 2 no listener
  -cc <condition>  evaluate a condition as in '.if', and exit (0 true, 1 false)
  -D               go into the background once all sockets listen
  -W, -Ws          master and worker; -Ws also tells systemd; SIGUSR2 reloads
  -d               debug: stay in the foreground, be verbose
  -db              stay in the foreground, whatever the configuration says
  -V, -q           be verbose; be quiet
  -v, -vv          version; also features, libraries and defaults
  -C <dir>         change to this directory first
  -p <file>        write the pid there (with -D or -W)
  -sf/-st <pid>... when started, let these processes finish, or end them
  -L <name>        the local peer's name
  -n, -N <number>  connections at once in all, and by default in each frontend
  -m <megabytes>   memory limit
  -x, -S <socket>  accepted: sockets are bound anew; no master CLI is served
  -dK<class,...>   list keywords; -dKhelp lists the classes
  -dW, -dD         fail on warnings; show diagnostics
  -dr, -dV, -dR    ignore unresolved servers; verify no server; no SO_REUSEPORT
  -dL, -dM, -dS    list loaded libraries; memory debugging; no splicing
  -de -dp -dG      accepted: no other poller, no other resolver
and its own:
  --lenient        run without the keywords that hapy does not support
  --strict         refuse a file that has any of them, also harmless ones
  -h, --help       this text

Commands (hapy <command> --help tells more):
"""


def overview() -> str:
    """What hapy can do."""
    width = max(map(len, COMMANDS)) + 2
    return _FLAGS + "".join(f"  {name:<{width}}{text}\n" for name, text in COMMANDS.items())


MEMORY_HELP = """\
-dM[byte][,word...] is accepted for compatibility: memory is managed by Python,
and there is nothing to poison. These words are accepted too, each also with
'no-' before it: fail, merge, cold-first, hot-first, integrity, global, cache,
caller, tag, poison.
"""
