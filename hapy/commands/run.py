"""HAProxy's command line: check a configuration, or run it.

Reading and judging are here; `hapy.launch` does the rest. A failure ends with an `[ALERT]` and a status other than 0.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections import Counter
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from hapy import environment
from hapy.names import Names, resolve, without_address
from hapy.observe.startup import Messages, describe
from hapy.options import Options, UsageError, parse
from hapy.processes import StartError
from hapy_config.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hapy.master import State
    from hapy.proxy.saved import States
    from hapy_config import Result
    from hapy_config.model.config import Config
    from hapy_config.syntax import Statement


class StopProgram(Exception):  # noqa: N818 - an end, not always an error
    """The program ends here, with this status; everything has been said."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def main(arguments: list[str]) -> int:
    """Do what the flags say; gives the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if isinstance(sys.stderr, TextIOWrapper):
        sys.stderr.reconfigure(errors="surrogateescape")  # what a file holds comes out as the same bytes
    gc.disable()  # nearly all that a start makes stays; the worker turns it on again
    try:
        options = parse(arguments)
    except UsageError as error:
        if error.message:
            Messages().alert(error.message)
        else:
            _show_usage(f"'{error.word}' is not understood here")
        return 1
    try:
        return Program(options).run()
    except StopProgram as stop:
        return stop.status
    except StartError:
        return 1
    except (MemoryError, ImportError) as error:
        if not _out_of_memory(error):
            raise
        Messages().alert("[haproxy.main()] There is not enough memory to start.")
        return 1


def _out_of_memory(error: MemoryError | ImportError) -> bool:
    """Whether memory is short: a library that can't be mapped for want of it is an import that fails."""
    return isinstance(error, MemoryError) or "failed to map segment" in str(error)


def _show_usage(reason: str = "") -> None:
    """The overview, and the reason for it last, where it is seen."""
    from hapy.features import banner
    from hapy.usage import overview

    sys.stdout.write(banner())
    sys.stdout.flush()
    sys.stderr.write(overview() + (f"\nhapy: {reason}\n" if reason else ""))


class Program:
    """One run of the program."""

    def __init__(self, options: Options) -> None:
        self.options = options
        quiet = options.quiet and not options.is_verbose
        self.messages = Messages(quiet=quiet, show_diagnostics=options.diagnostics)
        self.directory = str(Path.cwd())
        self.names = Names()
        self.state: State | None = None

    def run(self) -> int:
        """Everything."""
        options = self.options
        if options.version:
            from hapy import features

            sys.stdout.write(features.banner() if options.version == 1 else features.build_report())
            return 0
        if options.help:
            from hapy.usage import overview

            sys.stdout.write(overview())
            return 0
        self._enter_directory()
        if options.memory_help:
            from hapy.usage import MEMORY_HELP

            sys.stdout.write(MEMORY_HELP)
            return 0
        if options.condition is not None:
            return self._evaluate(options.condition)
        if options.master:
            from hapy.master import State

            self.state = State.inherited()
        try:
            return self._start()
        except (StopProgram, StartError):
            if self.state is not None and self.state.reloading and self.state.workers:
                return self._keep_old_workers(self.state)
            raise

    def _keep_old_workers(self, state: State) -> int:
        """The new configuration can't be loaded: go on watching those who serve the old one."""
        from hapy.master import Master

        self.messages.warning("Loading failure!")
        return Master(state, self.messages, notify=self.options.notify, directory=self.directory).supervise()

    # judging

    def _enter_directory(self) -> None:
        directory = self.options.directory
        if directory is None:
            return
        try:
            os.chdir(directory)
        except OSError as error:
            self.messages.alert(f"Could not change to directory {directory} : {error.strerror}")
            raise StopProgram(1) from None

    def _environment(self) -> dict[str, str]:
        import socket

        return environment.for_reading(self.options.local_peer or socket.gethostname())

    def _evaluate(self, condition: str) -> int:
        from hapy import features
        from hapy_config.preprocess import ConditionError, Surroundings, evaluate_argument

        try:
            surroundings = Surroundings(self._environment(), features.have(), ssl_library=features.ssl_library())
            return 0 if evaluate_argument(condition, surroundings) else 1
        except ConditionError as error:
            self.messages.alert(f"config : Failed to evaluate condition: {error}")
            return 2

    def _read(self) -> Result:
        from hapy import features
        from hapy_config import read_config

        for path in self.options.files:
            try:
                Path(path).stat()
            except OSError as error:
                self.messages.alert(
                    f"config : Cannot open configuration file/directory {path} : {error.strerror or error}"
                )
                raise StopProgram(1) from None
        return read_config(
            self.options.files,
            env=self._environment(),
            features=features.have(),
            ssl_library=features.ssl_library(),
            local_peer=self.options.local_peer,
            master_worker=self.options.master,
            lookup=None if self.options.no_resolve_errors else self.names.known,
        )

    def _judge(self, result: Result) -> Config:
        """Say what was found; stops when the configuration is refused."""
        from hapy.overrides import apply

        messages, options = self.messages, self.options
        self._settle_quiet(result)
        for warning in options.warnings:
            messages.warning(warning)
        if options.pidfile is not None:
            messages.tell(_idle_pidfiles(result))
        messages.tell(result.diagnostics)
        errors = [found for found in result.diagnostics if found.severity is Severity.ERROR and found.fatal]
        config = result.config
        if errors or config is None:
            for name in dict.fromkeys(found.span.file for found in errors if found.span.file):
                messages.alert(f"config : Error(s) found in configuration file : {name}")
            messages.alert("config : Fatal errors found in configuration.")
            raise StopProgram(1)
        if options.master_socket is not None and not self._is_master(config):
            messages.warning("config : a master CLI socket was defined, but master-worker mode (-W) is not enabled.")
        elif options.master_socket:
            self._judge_master_socket(options.master_socket)
        zero_warning = ("zero-warning",) in config.global_.settings
        if messages.warned and (options.zero_warning or zero_warning):
            messages.alert("config : Some warnings were found and 'zero-warning' is set. Aborting.")
            raise StopProgram(1)
        self._judge_not_run(result)
        return apply(config, options)

    def _judge_master_socket(self, argument: str) -> None:
        from hapy.commands.mastersocket import faults

        found = faults(argument, None if self.options.no_resolve_errors else self.names.known)
        for text in found:
            self.messages.alert(f"config : {text}")
        if found:
            self.messages.alert("config : Can't create the master's CLI.")
            raise StopProgram(1)

    def _settle_quiet(self, result: Result) -> None:
        """`quiet` in the global section silences the whole start, even where the file is refused later on."""
        asked = any(statement.words == ["quiet"] for statement in _global_statements(result))
        if asked and not self.options.is_verbose:
            self.messages.quiet = True

    def _judge_not_run(self, result: Result) -> None:
        """Say what hapy knows and does not run; by default what others would notice stops the start."""
        options, messages = self.options, self.messages
        stopping = False
        places = Counter(found.message for found in result.not_run)
        told = set()
        for found in result.not_run:
            serious = found.severity is Severity.ERROR
            fatal = options.strict or (serious and not options.lenient and not options.check)
            stopping = stopping or fatal
            if fatal:
                messages.alert(describe(found))
            elif found.message not in told:
                told.add(found.message)
                more = places[found.message] - 1
                text = describe(found) + (f" (and in {more} more places)" if more else "")
                if options.check or found.severity is Severity.NOTICE:
                    messages.notice(text)
                else:
                    messages.warning(text)
        if not options.check:
            self._tell_unused_flags()
        if stopping:
            messages.alert(
                "config : hapy does not run all of this configuration."
                + ("" if options.strict else " Start it with --lenient to run it without these keywords.")
            )
            raise StopProgram(1)

    def _tell_unused_flags(self) -> None:
        options, messages = self.options, self.messages
        for flag, reason in options.unused:
            messages.notice(f"{flag} has no effect: {reason}.")
        if options.old_socket is not None:
            messages.warning(
                "-x is not supported: listening sockets are not fetched from the old process, but bound beside it."
            )
        if options.master_socket is not None:
            messages.warning(f"-S is not supported: there is no master CLI at '{options.master_socket}'.")

    def _is_master(self, config: Config) -> bool:
        return self.options.master or config.global_.master_worker

    # starting

    def _start(self) -> int:
        options = self.options
        if not options.files:
            _show_usage()
            return 1
        result = self._read()
        if not result.document.sources:
            _show_usage(f"no *.cfg file in {', '.join(options.files)}")
            return 1
        config = self._judge(result)
        self._dump()
        states = self._saved_states(config)
        has_listener = result.has_listener or self._is_master(config)
        if options.check:
            return self._report_check(has_listener)
        if not has_listener:
            self.messages.alert("[haproxy.main()] No enabled listener found (check for 'bind' directives) ! Exiting.")
            return 1
        from hapy.launch import Launch

        config = resolve(config, self.names, lambda *names: states[names].host if names in states else None)
        lost = [
            Diagnostic("unresolved-host", Severity.ERROR if fatal else Severity.WARNING, server.span, text)
            for fatal, server, text in without_address(config, self.names)
        ]
        self.messages.tell(lost)
        if any(one.severity is Severity.ERROR for one in lost):
            return 1
        if options.lenient:
            from hapy.lenient import without_what_is_not_run

            config = without_what_is_not_run(config)
        files = [source.name for source in result.document.sources]
        environment.take_over(result.environment, config, files, master=self._is_master(config))
        return Launch(config, options, self.messages, self.state, self.directory, states).go()

    def _saved_states(self, config: Config) -> States:
        """What an earlier process has left of its servers' states, where the configuration asks for that."""
        if not config.has_saved_states:
            return {}
        from hapy.proxy.saved import load

        return load(config, lambda text: self.messages.warning(f"config : {text}"))

    def _dump(self) -> None:
        if self.options.dump_libraries:
            sys.stdout.write(_loaded_libraries())
        if self.options.keyword_classes is not None:
            from hapy.commands.keywords import dump

            sys.stdout.write(dump(self.options.keyword_classes))

    def _report_check(self, has_listener: bool) -> int:
        if not self.messages.quiet:
            if self.messages.warned:
                print("Warnings were found.")
            if has_listener:
                print("Configuration file is valid")
            else:
                print("Configuration file has no error but will not start (no listener) => exit(2).")
        return 0 if has_listener else 2


def _global_statements(result: Result) -> Iterator[Statement]:
    return (one for section in result.document.sections if section.kind == "global" for one in section.statements)


def _idle_pidfiles(result: Result) -> list[Diagnostic]:
    """`-p` names the pid file, so that the file's own first word about it has no effect."""
    found = [one for one in _global_statements(result) if one.words[:1] == ["pidfile"] and len(one.words) > 1]
    text = "'pidfile' already specified. Continuing."
    return [Diagnostic("duplicate", Severity.ERROR, one.span(), text) for one in found[:1]]


def _loaded_libraries() -> str:
    """The object files in memory, as `-dL` lists them."""
    with Path("/proc/self/maps").open(encoding="utf-8", errors="surrogateescape") as maps:
        names = {line.split(maxsplit=5)[5].strip() for line in maps if line.count("/") > 1 and ".so" in line}
    listed = [os.path.realpath(sys.executable), *sorted(names)]
    return "List of loaded object files:\n" + "".join(f"{name}\n" for name in listed)
