"""What does otherwise than before though no line changed: defaults that are others since a file was written.

A file with words that 2.1 no longer took was written for 2.0 or older. What it does not say itself it had from the
defaults of that version; those that clients and servers notice are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hapy_config.keywords.spec import Version
from hapy_config.translate.lines import Line
from hapy_config.translate.old_rules import REWRITERS
from hapy_config.translate.report import Loss, Note

#: Words that HAProxy took up to 2.0, as are those of the old rules.
_OLD: Final = frozenset({*REWRITERS, "clitimeout", "contimeout", "srvtimeout", "redispatch", "redisp", "appsession"})


@dataclass(frozen=True, slots=True)
class _Default:
    """A default that changed.

    Attributes:
        since: the version it changed with.
        concerns: whether a line makes it matter. set_by: words of a line that says itself what shall be.
        text: what is otherwise, and how it stays.
    """

    since: Version
    concerns: Callable[[Line], bool]
    set_by: frozenset[str]
    text: str


def _is_http(line: Line) -> bool:
    return line.words[:2] == ("mode", "http")


def _speaks_tls(line: Line) -> bool:
    return line.words[0] == "bind" and "ssl" in line.words


_DEFAULTS: Final = (
    _Default(
        (2, 0),
        _is_http,
        frozenset({"http-reuse"}),
        "since 2.0 an idle server connection serves the requests of other clients, too; 'http-reuse never' in the "
        "defaults keeps each to its client, as before",
    ),
    _Default(
        (2, 0),
        _is_http,
        frozenset({"h1-case-adjust", "h1-case-adjust-file"}),
        "since 2.0 names of headers go on in small letters; 'h1-case-adjust' with 'option h1-case-adjust-bogus-client' "
        "or '-server' spells them for those that need it",
    ),
    _Default(
        (2, 0),
        lambda line: line.section == "global",
        frozenset({"nbthread", "nbproc"}),
        "since 2.0 there is a thread for each CPU; 'nbthread 1' keeps one",
    ),
    _Default(
        (2, 2),
        _speaks_tls,
        frozenset({"ssl-min-ver", "force-tlsv10", "force-tlsv11", "force-tlsv12", "force-tlsv13"}),
        "since 2.2 clients need TLS 1.2; 'ssl-default-bind-options ssl-min-ver TLSv1.0' lets older ones in, as before",
    ),
)


def changed_defaults(found: Sequence[Line], version: Version) -> Iterator[Note]:
    """Notes on the first old line of a configuration.

    Args:
        found: all lines of all files, as they were.
        version: the version that shall take them.
    """
    first = next((line for line in found if line.words[0] in _OLD), None)
    if first is None:
        return
    said = {word for line in found for word in line.words}
    for default in _DEFAULTS:
        if version >= default.since and default.set_by.isdisjoint(said) and any(map(default.concerns, found)):
            yield Note(first.span, Loss.NEAR, default.text)
