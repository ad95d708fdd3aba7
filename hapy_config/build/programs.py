"""Sections program (configuration manual, section 3.7)."""

from __future__ import annotations

import grp
import pwd
from typing import TYPE_CHECKING

from hapy_config.build.arguments import at_most
from hapy_config.build.refused import Refused

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.sectiondraft import SectionDraft
    from hapy_config.syntax import Statement


def option(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """`option start-on-reload`."""
    name = words[1] if len(words) > 1 else ""
    if name != "start-on-reload":
        raise Refused(f"unknown option '{name}'.", 1, code="unknown-option")
    at_most(words, 1, "option start-on-reload")


def identity(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """`user` and `group` of a program, which must exist."""
    kind, name = words[0], words[1] if len(words) > 1 else ""
    try:
        _ = pwd.getpwnam(name) if kind == "user" else grp.getgrnam(name)
    except KeyError:
        refusal = Refused(f"cannot find {kind} id for '{name}' (0:Success)", 1, code=f"unknown-{kind}")
        if not name:
            raise refusal from None
        build.lacking(refusal)
    at_most(words, 1, f"{kind} {name}")


def command(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """What is run."""
    if len(words) < 2:
        raise Refused("'command' expects a command with optional arguments separated in words.", 1)
    draft.names["command"] = statement


def _need_master(build: Build, draft: SectionDraft) -> None:
    if not build.global_.get("master_worker") and not build.master_worker:
        build.error(
            "needs-master",
            draft.header.span(),
            "Can't use a 'program' section without master worker mode.",
            "add 'master-worker' to the global section, or start with -W",
        )


def finish(build: Build, draft: SectionDraft) -> None:
    """It must have a command, and a master that runs it."""
    if "command" not in draft.names:
        message = f"The program section '{draft.name}' lacks a command to launch."
        build.error("missing-command", draft.header.span(), message)
    build.later.append(lambda: _need_master(build, draft))
