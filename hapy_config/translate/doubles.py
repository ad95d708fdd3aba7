"""What there may be several of: headers, cookies and parameters of one name, of which other proxies see another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.expressions import Condition, FormatExpression, LogFormat, SampleExpression
from hapy_config.model.proxy import Proxy
from hapy_config.source import Span
from hapy_config.translate.answers import formats_of
from hapy_config.translate.auth import expressions_of
from hapy_config.translate.field_names import policy
from hapy_config.translate.flow import LISTS, Untranslatable, subject
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.report import Loss

#: Headers of which a request has one value, whatever commas it holds, or one line.
_SINGLE: Final = frozenset({"host", "authorization", "content-length", "content-type"})
#: Headers whose lines nginx puts together.
_JOINED: Final = frozenset({"cookie", "x-forwarded-for", "host", "content-length"})
#: Headers with `-` that nginx knows by their own names.
_EXACT: Final = frozenset({"user-agent", "x-forwarded-for"})
_UNDERSCORES: Final = "nginx takes a header with '_' in its name for the one with '-', too"
_LINES: Final = "of several lines with one header nginx before 1.23 sees the first alone, HAProxy each"
_CAPTURED: Final = (
    "HAProxy has capture.req.uri and -.method in conditions, and in backends, only where a frontend logs them or "
    "makes something of them"
)
_EMPTY: Final = "nginx can't tell an empty header from none"


def note_doubles(ledger: Ledger, config: Config) -> None:
    """Tell of lines that went over and look at what there may be several of.

    Args:
        ledger: knows which went over.
        config: has the lines.
    """
    for proxy in config.proxies:
        exact = ledger.is_exact(proxy)
        for span, condition, formats in _lines(proxy):
            if ledger.accounted.get((span.file, span.line), Loss.LOST) is Loss.LOST:
                continue
            notes = [] if exact else [text for one in formats for text in _of_text(one, ledger.target)]
            if ledger.target == "nginx":
                notes += _of_tests(condition)
            if ledger.target == "Caddy":
                notes += _in_caddy(condition, formats)
            fetches = {acl.criterion.fetch.name for acl in expressions_of(condition)}
            if not fetches.isdisjoint(("capture.req.uri", "capture.req.method")):
                notes.append(_CAPTURED)
            if policy(proxy) != "preserve":
                notes = [text for text in notes if text is not _UNDERSCORES]  # such headers are gone before
            for text in dict.fromkeys(notes):
                ledger.near(span, text)


def count_doubles(ledger: Ledger, proxies: tuple[Proxy, ...]) -> int:
    """How much there would be to tell of some proxies."""
    trial = ledger.trial()
    note_doubles(trial, replace(ledger.config, proxies=proxies))
    return trial.told(Loss.NEAR) - ledger.told(Loss.NEAR)


def _lines(proxy: Proxy) -> Iterator[tuple[Span, Condition | None, list[SampleExpression]]]:
    """The lines of a proxy, each with its condition and what its texts are made of."""
    for rules in proxy.rules.values():
        for rule in rules:
            yield rule.span, rule.condition, [one for text in formats_of(rule) for one in _samples(text)]
    for redirect in proxy.redirects:
        yield redirect.span, redirect.condition, list(_samples(redirect.target))
    for use in proxy.use_backends:
        yield use.span, use.condition, list(_samples(use.target)) if isinstance(use.target, LogFormat) else []


def _samples(text: LogFormat) -> Iterator[SampleExpression]:
    return (one.expression for one in text.items if isinstance(one, FormatExpression))


def _of_text(sample: SampleExpression, target: str) -> Iterator[str]:
    """What differs where a text is made of a sample."""
    fetch = sample.fetch
    try:
        what = subject(SampleExpression(sample.text, fetch, (), sample.type))
    except Untranslatable:
        return
    listed = what.kind in ("header", "answer") and what.name.lower() not in _SINGLE and fetch.name in LISTS
    if listed and target != "Caddy":
        yield f"of a header that is a list HAProxy takes the last value, {target} all"
    if target == "nginx" and what.kind == "header" and "-" in what.name and what.name.lower() not in _EXACT:
        yield _UNDERSCORES


def _of_tests(condition: Condition | None) -> Iterator[str]:
    """What differs where nginx looks at headers."""
    for acl in expressions_of(condition):
        try:
            what = subject(SampleExpression(acl.criterion.text, acl.criterion.fetch, (), acl.criterion.type))
        except Untranslatable:
            continue
        if what.kind != "header":
            continue
        if acl.match == "found" or acl.criterion.fetch.name.endswith("_cnt"):
            yield _EMPTY
        elif what.name.lower() not in _JOINED:
            yield _LINES
        if "-" in what.name and what.name.lower() not in _EXACT:
            yield _UNDERSCORES


def _in_caddy(condition: Condition | None, formats: list[SampleExpression]) -> Iterator[str]:
    """What differs in Caddy."""
    looked = [*(acl.criterion for acl in expressions_of(condition)), *formats]
    if any(one.fetch.name in ("req.fhdr", "fhdr", "res.fhdr") for one in looked):
        yield "of several lines with one header Caddy sees one text with commas"
    for sample in formats:
        with suppress(Untranslatable):
            what = subject(sample)
            if what.lower and what.kind in ("host", "hostname"):
                yield "Caddy leaves the host's letters as the client wrote them"
