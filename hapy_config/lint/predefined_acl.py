"""An ACL with the name of one that HAProxy has already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.keywords.acls import PREDEFINED
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each ACL that hides a predefined one."""
    for _, statement in view.lines("acl"):
        name = statement.words[1] if len(statement.words) > 1 else ""
        if name in PREDEFINED and statement.words[2:] != PREDEFINED[name].split():
            yield Finding(
                statement.span(1),
                f"'{name}' is predefined as '{PREDEFINED[name]}', and means something else in this section",
                "choose another name",
            )


RULE = Rule(
    "predefined-acl",
    Severity.NOTICE,
    """HAProxy has ACLs of its own, such as TRUE, LOCALHOST and METH_GET. One that is declared under such a name takes
    its place in this section, and who reads the conditions is misled. Choose another name.""",
    "frontend a\n bind :80\n acl METH_GET method GET\n http-request deny unless METH_GET\n",
    "frontend a\n bind :80\n acl is_get method GET\n http-request deny unless is_get\n",
    check,
)
