"""Files to a `Document`: lines to words, words to statements, statements to sections.

One pass; `.if` blocks are decided and `setenv` and its kin take effect on the way, since both change how the next lines
read. Nothing here knows a keyword beyond that: what a statement means is the builder's business.

Most lines hold nothing but words and blanks, and 100,000 of them must not be felt. So the text is searched once, as a
whole, for the characters that make a line special; the other lines are only cut by `str.split`.
"""

from __future__ import annotations

import bisect
import gc
import os
import re
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from hapy_config.diagnostics import Diagnostics
from hapy_config.keywords.sections import CONTEXTS
from hapy_config.preprocess import VERSION, BlockError, Blocks, ConditionError, Surroundings, evaluate_condition
from hapy_config.source import Source, Span
from hapy_config.syntax import Document, Section, Statement
from hapy_config.words import WordError, split

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_WORDS: Final = 64

#: The first version that skips empty words at the beginning of a line; others skip the line.
_SKIPS_EMPTY: Final = (2, 8)
#: A word that is empty since its variables are not set: it vanishes, while one that is written empty ends the line.
_UNSET: Final = re.compile(r'"(?:\$[A-Za-z_0-9]+|\$\{[^}"]*\})+"')
_BRANCH: Final = re.compile(r"[0-9]+")
#: The versions that know neither `.if` nor any other directive.
_BEFORE_DIRECTIVES: Final = ("1.", "2.0.", "2.1.", "2.2.", "2.3.")

#: The name of standard input among the paths.
STDIN: Final = "-"

# A quote, an escape, a comment, a variable, a NUL, a blank that only Python takes for one, a carriage return inside a
# line; or a directive.
_SPECIAL: Final = re.compile(r"""["'\\#$\0]|[^\S \t\r\n\v\f]|\r(?!\n)|^[ \t\v\f]*\.""", re.MULTILINE)
#: A number this long is too big for everything; Python reads none of more than a few thousand digits.
_MANY_DIGITS: Final = 1000
_DIGITS: Final = re.compile(r"[0-9]{%d,}" % _MANY_DIGITS)  # noqa: UP031
_ENVIRONMENT: Final = frozenset({"setenv", "presetenv", "unsetenv", "resetenv", "localpeer"})

#: Gives a file's content; raises OSError.
Read = Callable[[str], bytes]


def read_file(path: str) -> bytes:
    """A file's content, or standard input's for `-`."""
    with open(0 if path == STDIN else path, "rb", closefd=path != STDIN) as stream:  # 0 is no path
        return stream.read()


def expand_paths(paths: Sequence[str], found: Diagnostics) -> list[str]:
    """Replace each directory by its `*.cfg` files in the C locale's order, hidden ones left out (management, 3).

    What can't be looked into becomes a finding.
    """
    files: list[str] = []
    for path in paths:
        if path == STDIN or not os.path.isdir(path):  # noqa: PTH112  # names are shown as the user wrote them
            files.append(path)
            continue
        try:
            names = [
                entry.name
                for entry in os.scandir(path)
                if entry.name.endswith(".cfg") and not entry.name.startswith(".") and entry.is_file()
            ]
        except OSError as error:
            found.environment("unreadable-file", Span(path, 0), f"cannot open the directory '{path}': {error.strerror}")
            continue
        files.extend(f"{path}/{name}" for name in sorted(names, key=os.fsencode))
    return files


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking growing statements or models again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def load(
    paths: Sequence[str],
    *,
    env: MutableMapping[str, str],
    features: frozenset[str] = frozenset(),
    read: Read = read_file,
    version: str = VERSION,
    ssl_library: str = "",
) -> tuple[Document, Diagnostics]:
    """Read configuration files.

    Args:
        paths: files and directories, in the order of the command line; `-` is standard input.
        env: the environment that variables are taken from; `setenv` and its kin change it.
        features: what `feature()` answers to.
        read: gives a file's content.
        version: the HAProxy version that conditions compare with.
        ssl_library: the TLS library's name and version, for the conditions about it.

    Returns:
        The document, as much of it as could be read, and all that was found on the way.
    """
    sources, found = read_sources(paths, read)
    surroundings = Surroundings(env, features, version, ssl_library)
    return load_sources(sources, surroundings, env, found)


def read_sources(paths: Sequence[str], read: Read = read_file) -> tuple[list[Source], Diagnostics]:
    """The files' texts, and findings about those that can't be read; see `load`."""
    found = Diagnostics()
    sources: list[Source] = []
    for path in expand_paths(paths, found):
        try:
            content = read(path)
        except OSError as error:
            reason = error.strerror or str(error)
            found.environment(
                "unreadable-file", Span(path, 0), f"cannot open the configuration file '{path}': {reason}"
            )
            continue
        sources.append(Source.from_text(path, content.decode("utf-8", "surrogateescape")))
    return sources, found


def load_text(
    text: str, name: str = STDIN, *, env: MutableMapping[str, str] | None = None
) -> tuple[Document, Diagnostics]:
    """Read one configuration that is at hand as text; see `load`."""
    environment = {} if env is None else env
    return load_sources([Source.from_text(name, text)], Surroundings(environment), environment, Diagnostics())


def load_sources(
    sources: Sequence[Source], surroundings: Surroundings, env: MutableMapping[str, str], found: Diagnostics
) -> tuple[Document, Diagnostics]:
    """Read sources that are in memory; see `load`."""
    document = Document()
    with collector_paused():
        for source in sources:
            document.sources.append(source)
            _FileReader(document, source, surroundings, env, found).run()
    return document, found


class _FileReader:
    """Reads one file into the document."""

    def __init__(
        self,
        document: Document,
        source: Source,
        surroundings: Surroundings,
        env: MutableMapping[str, str],
        found: Diagnostics,
    ) -> None:
        self.document = document
        self.source = source
        self.surroundings = surroundings
        self.env = env
        self.found = found
        self.blocks = Blocks()
        self.section: Section | None = None
        self.skips_empty = tuple(map(int, _BRANCH.findall(surroundings.version)[:2])) >= _SKIPS_EMPTY
        self.directives = not surroundings.version.startswith(_BEFORE_DIRECTIVES)
        self.line = 0  # 1-based number of the line being read

    def run(self) -> None:
        source = self.source
        lines = source.lines
        position = 0
        specials = _special_lines(source)
        if any(len(line) > _MANY_DIGITS for line in lines):
            long = (index for index, line in enumerate(lines) if len(line) > _MANY_DIGITS)
            specials = sorted({*specials, *long})
        for special in (*specials, len(lines)):
            self._plain(position, special)
            if special < len(lines):
                self.line = special + 1
                self._special(lines[special])
            position = special + 1
        if len(self.blocks):
            self._error("open-block", "non-terminated '.if' block", line=len(lines))
        if not source.ends_with_newline:
            last = lines[-1]
            self.found.error(
                "missing-newline",
                Span(source.name, len(lines), len(last) + 1, len(last) + 1),
                "Missing LF on last line, file might have been truncated",
                hint="end the last line by a line feed",
            )

    def _plain(self, begin: int, end: int) -> None:
        """Read the lines from index `begin` to before `end`, none of which is special."""
        source = self.source
        if not self.blocks.active:
            for self.line, line in enumerate(source.lines[begin:end], begin + 1):
                if len(line) > MAX_WORDS and not _COMMENTS.match(line):
                    self._count(Statement(source, self.line, line.split()))
            return
        statements = self.section.statements if self.section is not None else None
        is_global = self.section is not None and self.section.kind == "global"
        for index, line in enumerate(
            source.lines[begin:end] if begin or end < len(source.lines) else source.lines, begin
        ):
            words = line.split()
            if not words:
                continue
            first = words[0]
            if first[0] == "#":
                continue
            if first in CONTEXTS:
                header = Statement(source, index + 1, words)
                self._count(header)
                statements = self._open_section(header).statements
                is_global = first == "global"
            elif statements is None or len(words) > MAX_WORDS or (is_global and first in _ENVIRONMENT):
                self.line = index + 1
                statement = Statement(source, index + 1, words)
                self._count(statement)
                self._place(statement)
            else:
                statements.append(Statement(source, index + 1, words))

    def _special(self, line: str) -> None:
        """Read a line with quotes, escapes, variables or a comment, or a directive."""
        cut = line.find("\0")
        if cut >= 0:
            self._error("stray-nul", f"Stray NUL character at position {cut + 1}", cut + 1)
            line = line[:cut]
        try:
            words, columns = split(line, self._variable)
        except WordError as error:
            self._error(_CODES.get(error.message, "bad-quoting"), error.message, error.column)
            return
        if self.skips_empty and "" in words:
            kept = [
                (word, place)
                for word, place in zip(words, columns, strict=True)
                if word or not _UNSET.fullmatch(line, place[0] - 1, place[1] - 1)
            ]
            words, columns = [word for word, _ in kept], [place for _, place in kept]
        if not words or not words[0]:
            return
        if len(line) > _MANY_DIGITS:
            words = [_DIGITS.sub(lambda match: match[0][:_MANY_DIGITS], word) for word in words]
        statement = Statement(self.source, self.line, words, columns)
        self._count(statement)
        if words[0][0] == "." and self.directives:
            if len(words) <= MAX_WORDS:
                self._directive(statement)
        elif self.blocks.active:
            if words[0] in CONTEXTS:
                self._open_section(statement)
            else:
                self._place(statement)

    def _open_section(self, header: Statement) -> Section:
        words = header.words
        self.section = Section(words[0], words[1] if len(words) > 1 else "", header)
        self.document.sections.append(self.section)
        return self.section

    def _place(self, statement: Statement) -> None:
        """Put a statement where it belongs."""
        words = statement.words
        if self.section is None:
            if len(words) > MAX_WORDS:
                return  # told already
            self.found.error("outside-section", statement.span(0), f"unknown keyword '{words[0]}' out of section")
            return
        self.section.statements.append(statement)
        if self.section.kind == "global" and words[0] in _ENVIRONMENT:
            self._change_environment(statement)

    def _count(self, statement: Statement) -> None:
        """Note a line with more words than a line may have; HAProxy looks at lines that don't count, too."""
        if len(statement.words) > MAX_WORDS:
            self.found.error(
                "too-many-words",
                statement.span(MAX_WORDS),
                f"too many words, truncating after word {MAX_WORDS}",
                hint="several shorter lines say the same, for most keywords",
            )

    def _change_environment(self, statement: Statement) -> None:
        """`setenv`, `presetenv`, `unsetenv`, `resetenv`, `localpeer`; missing words are the builder's business."""
        keyword, *rest = statement.words
        names = rest[: rest.index("")] if "" in rest else rest
        if keyword == "localpeer":
            late = any(section.kind == "peers" for section in self.document.sections)
            if len(names) == 1 and not late and not self.surroundings.peer_given:
                self.env["HAPROXY_LOCALPEER"] = names[0]
            return
        if keyword == "resetenv":
            for name in [name for name in self.env if name not in names]:
                self.env.pop(name, None)
            return
        if keyword != "unsetenv":
            if len(names) < 2 or len(rest) > 3:
                return
            names = names[:1]
        for index, name in enumerate(names, 1):
            if "=" in name or "\0" in name:
                self.found.error(
                    "bad-variable", statement.span(index), f"'{keyword}' failed on variable '{name}': Invalid argument"
                )
            elif keyword == "unsetenv":
                self.env.pop(name, None)
            elif keyword == "setenv" or name not in self.env:
                self.env[name] = rest[1]

    def _variable(self, name: str) -> str | None:
        if name == ".LINE":
            return str(self.line)
        if name == ".FILE":
            return self.source.name
        if name == ".SECTION":
            return "" if self.section is None else self.section.name or self.section.kind
        value = self.env.get(name)
        if value is None and self.blocks.active and f"{{{name}-" not in self.source.lines[self.line - 1]:
            self.document.unset.append((self.source.name, self.line, name))
        return value

    def _directive(self, statement: Statement) -> None:
        """A line that begins with a dot."""
        directive = statement.words[0]
        try:
            if directive == ".if":
                self.blocks.open(self._condition(statement) if self.blocks.active else False)
            elif directive == ".elif":
                self.blocks.check(directive)
                wanted = self.blocks.wants_condition
                self.blocks.switch(self._condition(statement) if wanted else False, final=False)
            elif directive in {".else", ".endif"}:
                right = self._no_argument(statement)
                try:
                    self.blocks.check(directive)
                except BlockError:
                    if right:
                        raise
                    return  # one finding for a line is enough
                if directive == ".else":
                    self.blocks.switch(condition=True, final=True)
                else:
                    self.blocks.close()
            elif self.blocks.active:
                self._message(statement)
        except BlockError as error:
            self.found.error("bad-block", statement.span(0), str(error))

    def _no_argument(self, statement: Statement) -> bool:
        if len(statement.words) > 1:
            self.found.error(
                "surplus-argument",
                statement.span(1),
                f"Unexpected argument '{statement.words[1]}' for '{statement.words[0]}'",
            )
            return False
        return True

    def _condition(self, statement: Statement) -> bool | None:
        text = " ".join(statement.words[1:])
        try:
            return evaluate_condition(text, self.surroundings)
        except ConditionError as error:
            for one in (error, *error.others):
                self.found.error(
                    "bad-condition",
                    statement.span(1, len(statement.words) - 1),
                    f"{one} in '{statement.words[0]}'",
                )
            return None

    def _message(self, statement: Statement) -> None:
        """`.diag`, `.notice`, `.warning`, `.alert`."""
        directive, *rest = statement.words
        report = {
            ".diag": self.found.diag,
            ".notice": self.found.notice,
            ".warning": self.found.warning,
            ".alert": self.found.error,
        }.get(directive)
        if report is None:
            self.found.error("unknown-directive", statement.span(0), f"unknown directive '{directive}'")
        elif len(rest) > 1 and rest[1]:
            self.found.error(
                "surplus-argument",
                statement.span(2),
                f"Unexpected argument '{rest[1]}' for '{directive}'. Use quotes if the message should contain spaces",
            )
        else:
            report(directive[1:] + "-directive", statement.span(), f"'{rest[0] if rest else ''}'")

    def _error(self, code: str, message: str, column: int = 1, line: int = 0) -> None:
        self.found.error(code, Span(self.source.name, line or self.line, column, column + 1), message)


#: Codes of the findings that `words.split` makes.
_CODES: Final = {
    "unmatched quote": "unmatched-quote",
    "unmatched brace in environment variable name": "unmatched-brace",
    "forbidden first char in environment variable name": "bad-variable",
    "truncated or invalid hexadecimal sequence": "bad-escape",
    "truncated or invalid word expansion sequence": "bad-variable",
}


#: Lines that are nothing but comments.
_COMMENTS: Final = re.compile(r"^[ \t]*#[^\0\n]*$", re.MULTILINE)


def _special_lines(source: Source) -> list[int]:
    """The indices of the lines that `str.split` alone does not cut right, in order; comments are left out there."""
    text = "\n".join(source.lines)
    if "#" in text:
        text = _COMMENTS.sub("", text)
    starts: list[int] = []
    position = 0
    for line in text.split("\n"):
        starts.append(position)
        position += len(line) + 1
    found: list[int] = []
    search = _SPECIAL.search
    match = search(text)
    while match is not None:
        index = bisect.bisect_right(starts, match.start()) - 1
        found.append(index)
        if index + 1 >= len(starts):
            break
        match = search(text, starts[index + 1])
    return found
