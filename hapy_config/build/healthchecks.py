"""What a proxy says of health checks that it does not make, and what programs that make them need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft


def check_external(build: Build, draft: Draft) -> None:
    """`external-check` lines with or without `option external-check`."""
    if draft.check == "external-check":
        _external(build, draft)
    else:
        _unused_external(build, draft)


def _external(build: Build, draft: Draft) -> None:
    span = draft.check_statement.span() if draft.check_statement is not None else draft.header.span()
    words = {setting[:2] for setting in draft.settings}
    if not build.global_.get("external_check"):
        build.error(
            "missing-external-check",
            span,
            f"Proxy '{draft.name}' : 'option external-check' unable to find required 'global.external-check'.",
        )
    if ("external-check", "command") not in words:
        build.error(
            "missing-external-check",
            span,
            f"Proxy '{draft.name}' : 'option external-check' unable to find required 'external-check command'.",
        )
    _external_command(build, draft)
    if not build.global_.get("insecure_fork_wanted"):
        build.warning(
            "missing-fork",
            span,
            f"Proxy '{draft.name}' : 'insecure-fork-wanted' not enabled in the global section, 'option"
            " external-check' will"
            " likely fail.",
        )


def _unused_external(build: Build, draft: Draft) -> None:
    given = {setting[1] for setting in draft.settings if setting[0] == "external-check"}
    if not given:
        return
    _external_command(build, draft)
    for what in ("command", "path"):
        if what in given:
            build.warning(
                "ignored-part",
                draft.header.span(),
                f"'external-check {what}' will be ignored for {draft.title} '{draft.name}'"
                " (requires 'option external-check').",
                f"add 'option external-check', or remove the 'external-check {what}' line",
            )


def _external_command(build: Build, draft: Draft) -> None:
    """A command without a directory is looked for in the path, which must be given then."""
    given = {setting[1]: setting for setting in draft.settings if setting[0] == "external-check"}
    command = given.get("command")
    if command is not None and "path" not in given and not command[2].startswith("/"):
        build.error(
            "missing-external-check",
            draft.header.span(),
            f"Proxy '{draft.name}': 'external-check command' does not have a leading '/' and 'external-check path' is"
            " not set.",
            "write the command with its directory, or add 'external-check path <directories>'",
        )


def check_inherited(build: Build, draft: Draft) -> None:
    """What a frontend inherits of HTTP checks has no effect there."""
    parent = draft.parent
    if draft.kind != "frontend" or parent is None or parent.check != "httpchk":
        return
    words = {setting[1] for setting in parent.settings if setting[0] == "http-check" and len(setting) > 1}
    for word in ("disable-on-404", "send-state"):
        if word in words:
            build.warning(
                "ignored-part",
                draft.header.span(),
                f"'{word}' will be ignored for {draft.title} '{draft.name}' (requires 'option httpchk').",
                f"write 'http-check {word}' in the backends instead of 'defaults'",
            )


def check_families(build: Build, draft: Draft) -> None:
    """Rules of a check that is not made; frontends too are told so."""
    for family, option in (("tcp-check", "tcp-check"), ("http-check", "httpchk")):
        if family in draft.check_families and draft.check != option:
            build.warning(
                "ignored-rules",
                draft.header.span(),
                f"{draft.title} '{draft.name}' uses {family} rules without 'option {option}', so the rules are"
                " ignored.",
            )
