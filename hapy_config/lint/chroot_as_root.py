"""A process that stays root."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for a `chroot` without a user to become."""
    settings = view.config.global_
    statement = view.globals_("chroot")
    if statement is not None and settings.chroot and settings.user is None and not settings.uid:
        yield Finding(
            statement.span(),
            "'chroot' takes a start as root, and no 'user' says who to become: root can leave a chroot",
            "add 'user haproxy' and 'group haproxy'",
        )


RULE = Rule(
    "chroot-as-root",
    Severity.WARNING,
    """Only root may `chroot`, and the process stays root, since neither `user` nor `uid` is set. Root gets out of a
    chroot again, so it protects nothing.""",
    "global\n chroot /var/empty\n",
    "global\n chroot /var/empty\n user nobody\n group nogroup\n",
    check,
)
