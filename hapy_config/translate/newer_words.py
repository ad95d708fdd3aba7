"""Words of a newer HAProxy in a configuration for an older one.

What has an older name gets it; what only tunes the process, and what only names things for statistics, goes. The rest
is left to the target's verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from hapy_config.keywords import table
from hapy_config.keywords.spec import Keyword, Kind, Runs, Version
from hapy_config.targets import shown
from hapy_config.translate.edits import Edit, Remove, Replace
from hapy_config.translate.lines import Line

_OPTIONS: Final = {
    f"accept-unsafe-violations-in-http-{side}": f"accept-invalid-http-{side}" for side in ("request", "response")
}
_ACTIONS: Final = {"set-fc-mark": "set-mark", "set-fc-tos": "set-tos"}
_RULES: Final = frozenset({"http-request", "http-response", "tcp-request", "tcp-response"})
#: Lines with options: how many words stand before them.
_WITH_OPTIONS: Final = {"bind": 2, "server": 3, "default-server": 1, "server-template": 4}
_CONSTANT: Final = re.compile(r"0x[0-9a-fA-F]+|\d+")


def step_back(line: Line, version: Version) -> Iterator[Edit]:
    """What becomes of a line that holds words that a version does not know yet."""
    words = line.words
    if words[0] in ("no", "default"):
        return
    if line.section == "global":
        found = _keyword("globals", words)
        if found is None or found.since <= version or found.name.startswith("ssl-"):
            return  # what is about TLS is for a person to decide
        if found.runs is Runs.HARMLESS or found.name == "expose-deprecated-directives":
            yield Remove(f"HAProxy {shown(version)} does not know it, and it changes no answer")
    elif words[0] == "guid":
        yield from _unless_known("proxies", line, version)
    elif words[0] == "option" and len(words) > 1 and words[1] in _OPTIONS:
        keyword = _keyword("options", words[1:2]) or _keyword("options", words[:2])
        if keyword is not None and keyword.since > version:
            yield Replace(f"option {_OPTIONS[words[1]]}{line.tail(2)}")
    elif words[0] in _RULES:
        yield from _rule(line, version)
    elif words[0] in _WITH_OPTIONS:
        yield from _options(line, version)


def _keyword(family: str, words: Sequence[str]) -> Keyword | None:
    found = table(family).find(words)
    return found[0] if found is not None else None


def _unless_known(family: str, line: Line, version: Version) -> Iterator[Edit]:
    keyword = _keyword(family, line.words)
    if keyword is not None and keyword.since > version:
        yield Remove(f"HAProxy {shown(version)} does not know it, and it changes no answer")


def _rule(line: Line, version: Version) -> Iterator[Edit]:
    for place, word in enumerate(line.words[1:4], 1):
        if word in _ACTIONS and version < (3, 0) and _CONSTANT.fullmatch("".join(line.words[place + 1 : place + 2])):
            yield Replace(" ".join((*line.raw[:place], _ACTIONS[word], *line.raw[place + 1 :])))
            return


def _options(line: Line, version: Version) -> Iterator[Edit]:
    """A bind or server line without options that have no effect on what is passed on."""
    family = "binds" if line.words[0] == "bind" else "servers"
    first = _WITH_OPTIONS[line.words[0]]
    kept, gone, place = list(line.raw[:first]), [], first
    while place < len(line.words):
        option = _keyword(family, line.words[place : place + 1])
        if option is None or any(arg.kind is Kind.REST or arg.optional for arg in option.args):
            return  # where its arguments end can't be told
        behind = place + 1 + len(option.args)
        if option.since > version and option.runs is Runs.HARMLESS:
            gone.append(line.words[place])
        else:
            kept += line.raw[place:behind]
        place = behind
    if gone:
        names = ", ".join(f"'{name}'" for name in gone)
        yield Replace(" ".join(kept), note=f"HAProxy {shown(version)} does not know {names}, and no answer changes")
