"""HAProxy's own command line (management manual, section 3), parsed the way HAProxy does.

Rules, as seen on the real program:
- Flags are told by their first letters only (`-dbx` is `-db`, `-Vx` is `-V`), and can't be joined (`-cq` is `-c`).
- An argument always stands in the next word, whatever it begins with; a pid list ends at a word that begins with `-`.
- An unknown letter after `-d` is plain `-d`; any other unknown flag or stray word is a usage error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


class UsageError(Exception):
    """The command line can't be understood.

    Attributes:
        message: why; empty when the whole usage text is the answer.
        word: what was not understood, where the usage text is the answer.
    """

    def __init__(self, message: str = "", word: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.word = word


@dataclass(slots=True)
class Options:
    """What the command line asks for.

    Attributes:
        files: configuration files and directories in order, as written.
        version: 0, 1 for `-v`, 2 for `-vv`.
        condition: what `-cc` evaluates, else None.
        verbose, quiet: `-V` (which wins) and `-q`.
        old_pids: of `-sf` and `-st`; `terminate` says which of the two.
        keyword_classes: of `-dK`, else None. memory_help: `-dMhelp`.
        unused: flags that were accepted and have no counterpart here, with the reason.
        warnings: what is worth a warning in the command line itself.
        strict, lenient: hapy's own: what happens to keywords that are known and not run.
    """

    files: list[str] = field(default_factory=list)
    version: int = 0
    help: bool = False
    check: bool = False
    condition: str | None = None
    debug: bool = False
    foreground: bool = False
    daemon: bool = False
    master: bool = False
    notify: bool = False
    verbose: bool = False
    quiet: bool = False
    diagnostics: bool = False
    zero_warning: bool = False
    no_reuse_port: bool = False
    no_resolve_errors: bool = False
    no_verify: bool = False
    dump_libraries: bool = False
    keyword_classes: str | None = None
    memory_help: bool = False
    maxconn: int | None = None
    proxy_maxconn: int | None = None
    megabytes: int = 0
    pidfile: str | None = None
    directory: str | None = None
    local_peer: str | None = None
    old_socket: str | None = None
    master_socket: str | None = None
    old_pids: list[int] = field(default_factory=list)
    terminate: bool = False
    strict: bool = False
    lenient: bool = False
    unused: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def is_verbose(self) -> bool:
        """Whether `-V`, or `-d` in the foreground where more than a check is wanted, asks for more words."""
        return self.verbose or (self.debug and not (self.daemon or self.check))


_MEMORY_WORDS = ("fail", "merge", "hot-first", "cold-first", "integrity", "global", "cache", "caller", "tag", "poison")

_NO_POLLER = "the event loop has one way of polling, epoll"

#: `-d` flags by their second letter that only need noting: flag, reason.
_NOTED = {
    "e": ("-de", _NO_POLLER),
    "k": ("-dk", _NO_POLLER),
    "p": ("-dp", _NO_POLLER),
    "v": ("-dv", _NO_POLLER),
    "G": ("-dG", "names are always resolved by getaddrinfo()"),
}

#: `-d` flags by their second letter that set one option.
_SWITCHES = {
    "b": "foreground",
    "D": "diagnostics",
    "W": "zero_warning",
    "R": "no_reuse_port",
    "r": "no_resolve_errors",
    "V": "no_verify",
    "L": "dump_libraries",
}

_LONG = {"--strict": "strict", "--lenient": "lenient", "--help": "help"}


def number(text: str) -> int:
    """An integer as C's atol reads it: leading digits count, anything else is 0."""
    text = text.strip()
    digits = 1 if text[:1] in ("+", "-") else 0
    while digits < len(text) and text[digits].isdigit():
        digits += 1
    try:
        return int(text[:digits])
    except ValueError:
        return 0


def parse(arguments: list[str]) -> Options:
    """Parse the words after the program's name.

    Raises:
        UsageError: see there.
    """
    options = Options()
    words = iter(arguments)
    pending: str | None = None
    while True:
        word = pending if pending is not None else next(words, None)
        pending = None
        if word is None:
            return options
        if word == "--":
            options.files += words
        elif word in _LONG:
            setattr(options, _LONG[word], True)
        elif word == "--version":
            options.version = 1
            return options
        elif len(word) < 2 or word[0] != "-" or word[1] == "-":
            raise UsageError(word=word)
        elif word[1] == "v":
            options.version = 2 if word[2:3] == "v" else 1
            return options
        elif word[1] == "d":
            _debug_flag(options, word)
        elif word[1] == "s":
            pending = _pids(options, word, words)
        elif word[1] == "c" and word[2:3] == "c":
            options.condition = next(words, None)
            if options.condition is None:
                raise UsageError(word=word)
        elif not _simple_flag(options, word):
            argument = next(words, None)
            if argument is None:
                raise UsageError("" if word[1] not in "CLNSfmnp" else f"option '{word}' needs an argument", word)
            _flag_with_argument(options, word, argument)


def _simple_flag(options: Options, word: str) -> bool:
    match word[1]:
        case "c":
            options.check = True
        case "D":
            options.daemon = True
        case "W":
            options.master = True
            options.notify = options.notify or word[2:3] == "s"
        case "V":
            options.verbose = True
        case "q":
            options.quiet = True
        case "h":
            options.help = True
        case _:
            return False
    return True


def _flag_with_argument(options: Options, word: str, argument: str) -> None:
    match word[1]:
        case "f":
            options.files.append(argument)
        case "C":
            options.directory = argument
        case "L":
            options.local_peer = argument
        case "n":
            options.maxconn = number(argument)
        case "N":
            options.proxy_maxconn = number(argument)
        case "m":
            options.megabytes = number(argument)
        case "p":
            options.pidfile = argument
        case "S":
            options.master_socket = argument
        case "x":
            if options.old_socket is not None:
                options.warnings.append("-x option already set, overwriting the value")
            options.old_socket = argument
        case _:
            raise UsageError(word=word)


def _debug_flag(options: Options, word: str) -> None:
    letter, rest = word[2:3], word[3:]
    if letter in _SWITCHES:
        setattr(options, _SWITCHES[letter], True)
    elif letter in _NOTED:
        options.unused.append(_NOTED[letter])
    elif letter == "K":
        options.keyword_classes = rest
    elif letter == "M":
        _memory_flag(options, rest)
    elif letter != "S":  # no splicing anyway: -dS is what hapy does
        options.debug = True


def _memory_flag(options: Options, rest: str) -> None:
    words = rest.split(",")
    try:
        int(words[0], 0)
        words.pop(0)
    except ValueError:
        pass
    for word in words:
        if word == "help":
            options.memory_help = True
        elif word and word.removeprefix("no-") not in _MEMORY_WORDS:
            raise UsageError(f"-dM: unknown pool debugging feature <{word}>")
    options.unused.append(("-dM", "there are no memory pools to debug"))


def _pids(options: Options, word: str, words: Iterator[str]) -> str | None:
    """Read a pid list; gives the word after it, or None at the end."""
    if word[2:3] not in ("f", "t"):
        raise UsageError(word=word)
    options.terminate = word[2] == "t"
    for argument in words:
        if argument.startswith("-"):
            return argument
        for text in argument.split():
            digits = text[: len(text) - len(text.lstrip("0123456789"))]
            if digits != text:
                raise UsageError(f"-{word[1:3]} option: some bytes unconsumed in PID list {{{text[len(digits) :]}}}")
            if int(digits) <= 0:
                raise UsageError(word=text)
            options.old_pids.append(int(digits))
    return None
