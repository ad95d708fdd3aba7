"""Walks through the expressions of rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy_config.model.expressions import Condition, FormatExpression, LogFormat, SampleExpression
from hapy_config.model.rules import HttpReply, Redirect

if TYPE_CHECKING:
    from hapy_config.model.expressions import AclExpression
    from hapy_config.model.proxy import Proxy
    from hapy_config.source import Span


_SHORT: Final = ("hdr", "fhdr", "cook")


@dataclass(frozen=True, slots=True)
class Use:
    """A fetch that a rule makes.

    Attributes:
        expression: the sample.
        span: the rule's line.
        ruleset: the rule's set, `redirect`, `use_backend` or `use-server`.
        acl: the ACL that it belongs to, None outside of conditions.
    """

    expression: SampleExpression
    span: Span
    ruleset: str
    acl: AclExpression | None = None

    @property
    def fetch(self) -> str:
        """The fetch's name, in full where it was written short."""
        return full_name(self.expression.fetch.name, self.ruleset)

    @property
    def header(self) -> str:
        """The name of the request header that it reads, in lower case; empty for anything else."""
        args = self.expression.fetch.args
        return args[0].lower() if args and self.fetch.startswith(("req.hdr", "req.fhdr")) else ""


def full_name(name: str, ruleset: str) -> str:
    """A fetch's name with the side of the message that it reads: `hdr` is `req.hdr`, in answers `res.hdr`."""
    if name.startswith(_SHORT):
        side = "res" if "response" in ruleset else "req"
        return f"{side}.{name}"
    return "urlp" if name == "url_param" else name


def uses(proxy: Proxy) -> Iterator[Use]:
    """All fetches of a proxy's rules."""
    for name, rules in proxy.rules.items():
        for rule in rules:
            yield from _tests(rule.condition, rule.span, name)
            for value in rule.arguments.values():
                for expression in samples(value):
                    yield Use(expression, rule.span, name)
    for name, others in (
        ("redirect", proxy.redirects),
        ("use_backend", proxy.use_backends),
        ("use-server", proxy.use_servers),
    ):
        for other in others:
            yield from _tests(other.condition, other.span, name)
            if not isinstance(other.target, str):
                for expression in samples(other.target):
                    yield Use(expression, other.span, name)


def _tests(condition: Condition | None, span: Span, ruleset: str) -> Iterator[Use]:
    if condition is None:
        return
    for alternative in condition.alternatives:
        for term in alternative:
            for test in term.expressions:
                yield Use(test.criterion, span, ruleset, test)


def samples(value: object) -> Iterator[SampleExpression]:
    """The sample expressions within a rule's argument."""
    if isinstance(value, SampleExpression):
        yield value
    elif isinstance(value, LogFormat):
        for item in value.items:
            if isinstance(item, FormatExpression):
                yield item.expression
    elif isinstance(value, Redirect):
        yield from samples(value.target)
    elif isinstance(value, HttpReply):
        yield from samples(value.body_format)
        yield from samples(value.headers)
    elif isinstance(value, tuple):
        for part in value:
            yield from samples(part)
