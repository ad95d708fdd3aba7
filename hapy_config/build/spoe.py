"""The configuration file of `filter spoe`: which agent it declares for an engine, and where that is reached.

hapy does not run SPOE. The file is read for what the main configuration depends on, no further.
"""

from __future__ import annotations

from dataclasses import dataclass

from hapy_config.words import WordError, split


@dataclass(slots=True)
class Agent:
    """An `spoe-agent` section.

    Attributes:
        name: its name.
        line: where it is declared.
        backend: what `use-backend` names, or empty.
    """

    name: str
    line: int
    backend: str = ""


def agents(content: bytes, engine: str) -> list[Agent]:
    """The agents that a file declares in the scope of an engine; the scope `[engine]` goes to the next one."""
    scope, section = "", ""
    found: list[Agent] = []
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").splitlines(), 1):
        try:
            words, _ = split(line, lambda _name: "")
        except WordError:
            continue
        if not words:
            continue
        first = words[0]
        if first.startswith("[") and first.endswith("]"):
            scope, section = first[1:-1], ""
        elif first.startswith("spoe-"):
            section = first
            if first == "spoe-agent" and scope == engine and len(words) > 1:
                found.append(Agent(words[1], number))
        elif first == "use-backend" and section == "spoe-agent" and scope == engine and found and len(words) > 1:
            found[-1].backend = words[1]
    return found
