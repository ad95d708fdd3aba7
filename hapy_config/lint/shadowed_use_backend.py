"""A use_backend whose condition an earlier one has taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hapy_config.diagnostics import Severity
from hapy_config.lint.logic import Taken, alternatives, is_restless
from hapy_config.lint.rule import Finding, Rule

if TYPE_CHECKING:
    from hapy_config.lint.view import View


def check(view: View) -> Iterator[Finding]:
    """A finding for each use_backend with nothing left to send."""
    for proxy in view.frontends:
        taken = Taken(view.varying)
        for rule in proxy.use_backends if len(proxy.use_backends) > 1 else ():
            wanted = None if is_restless(rule.condition) else alternatives(rule.condition)
            if wanted is None or not isinstance(rule.target, str):  # a name made of the request may not exist
                continue
            if taken.has(rule.condition, wanted):
                yield Finding(
                    rule.span,
                    f"nothing is left for '{rule.target}': an earlier 'use_backend' takes all that fits this condition",
                    "the first that fits counts: move the narrower condition up",
                )
            else:
                taken.add(rule.condition, wanted)


RULE = Rule(
    "shadowed-use-backend",
    Severity.WARNING,
    """The first `use_backend` whose condition holds counts. This one's condition holds only where an earlier one's
    holds too, so its backend gets nothing from here. The narrower condition comes first.""",
    "frontend a\n bind :80\n acl api path_beg /api\n acl beta hdr(x-beta) -m found\n"
    " use_backend b if api\n use_backend c if api beta\nbackend b\nbackend c\n",
    "frontend a\n bind :80\n acl api path_beg /api\n acl beta hdr(x-beta) -m found\n"
    " use_backend c if api beta\n use_backend b if api\nbackend b\nbackend c\n",
    check,
)
