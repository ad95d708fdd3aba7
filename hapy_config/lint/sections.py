"""Sections that are there to be named elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.lint.rule import Finding

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def unused(view: View, kind: str, loss: str = "") -> Iterator[Finding]:
    """A finding for each section of a kind whose name stands nowhere else.

    Args:
        view: the configuration.
        kind: the first word of the section's header.
        loss: what follows of it, for the hint.
    """
    named = [section for section in view.document.sections if section.kind == kind and section.name]
    counts = view.mentions(section.name for section in named) if named else {}
    own = {name: sum(1 for section in named if section.name == name) for name in counts}
    for section in named:
        if counts[section.name] == own[section.name]:
            yield Finding(section.header.span(), f"nothing names the {kind} section '{section.name}'", loss)
