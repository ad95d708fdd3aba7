"""A whole configuration in plain words: what listens, what is balanced, who shares, who waits, who dies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hapy.explain import backends, frontends
from hapy.explain.values import address, listed
from hapy_config import Severity

if TYPE_CHECKING:
    from hapy_config import Diagnostic, Result
    from hapy_config.model.config import Config
    from hapy_config.model.proxy import Proxy


@dataclass(frozen=True, slots=True)
class Chapter:
    """One section.

    Attributes:
        title: `frontend web`. place: `file:line`.
        paragraphs: (label, sentences) in order; a label names a question, as `listens` or `who waits`.
    """

    title: str
    place: str
    paragraphs: tuple[tuple[str, tuple[str, ...]], ...]


#: What opens every story.
IN_SHORT: Final = "in short"

_PLACES_SHOWN: Final = 4


def tell(result: Result) -> list[Chapter]:
    """The story of a configuration that HAProxy takes."""
    config = result.config
    assert config is not None
    chapters = [_overview(config, result.not_run)]
    chapters += [_chapter(proxy, config) for proxy in config.proxies]
    return chapters


def _overview(config: Config, not_run: Sequence[Diagnostic]) -> Chapter:
    """How much of what there is, and per what it balances."""
    live = [proxy for proxy in config.proxies if not proxy.disabled]
    entries = [proxy for proxy in live if proxy.is_frontend and proxy.binds]
    sentences = []
    http = [proxy.name for proxy in entries if proxy.mode == "http"]
    tcp = [proxy.name for proxy in entries if proxy.mode != "http"]
    if http:
        sentences.append(f"Per request: {', '.join(http)} (mode http).")
    if tcp:
        sentences.append(f"Per connection: {', '.join(tcp)} (mode tcp).")
    if not entries:
        sentences.append("Nothing listens.")
    asked = [
        proxy
        for proxy in live
        if proxy.is_backend and proxy.mode == "http" and (proxy.servers or backends.kept_apart(proxy))
    ]
    kept = [proxy for proxy in asked if proxy.http_mode == "keep-alive"]
    apart = [proxy for proxy in kept if backends.kept_apart(proxy)]
    kept = [proxy for proxy in kept if proxy not in apart]
    for reuse in sorted({proxy.reuse for proxy in kept}):
        names = [proxy.name for proxy in kept if proxy.reuse == reuse]
        sentences.append(f"{backends.REUSE_IN_SHORT[reuse]}: {', '.join(names)} (http-reuse {reuse}).")
    if apart:
        sentences.append(
            f"{backends.REUSE_IN_SHORT['never']}: {', '.join(proxy.name for proxy in apart)} (no server lines)."
        )
    if closed := [proxy.name for proxy in asked if proxy not in kept and proxy not in apart]:
        sentences.append(f"{backends.CLOSED_IN_SHORT}: {', '.join(closed)} (option http-server-close or httpclose).")
    limit = config.global_.maxconn
    if limit:
        sentences.append(f"At most {limit:,} client connections at once in all (maxconn); others wait in the kernel.")
    paragraphs = [("balances and shares", tuple(sentences))]
    if config.global_.stats_binds:
        places = listed([address(bind.address) for bind in config.global_.stats_binds])
        paragraphs.append(("listens, too", (f"The runtime API on {places} (stats socket).",)))
    if told := tuple(_left_out(not_run)):
        paragraphs.append(("hapy does not run", told))
    return Chapter(IN_SHORT, "", tuple(paragraphs))


def _left_out(not_run: Sequence[Diagnostic]) -> Iterator[str]:
    """What HAProxy would do and hapy does not: each kind of thing once, with its lines.

    What stops no start is told by what will be missed, under the first of its words.
    """
    alike: dict[str, list[str]] = {}
    missed: dict[str, str] = {}
    for finding in not_run:
        message = finding.message
        if finding.severity is Severity.WARNING:
            message = missed.setdefault(message.partition(" is not run by hapy: ")[2], message)
        if finding.severity >= Severity.WARNING:
            alike.setdefault(message, []).append(f"{finding.span.file}:{finding.span.line}")
    for message, places in alike.items():
        what, _, differs = message.partition(" is not run by hapy: ")
        shown = places if len(places) <= _PLACES_SHOWN else [*places[: _PLACES_SHOWN - 1], "others"]
        yield f"{what[:1].upper()}{what[1:]} ({listed(shown)}){f': {differs}' if differs else ''}."


def _chapter(proxy: Proxy, config: Config) -> Chapter:
    paragraphs: list[tuple[str, tuple[str, ...]]] = []
    if proxy.disabled:
        paragraphs.append(("off", ("It is disabled: nothing of it runs.",)))
    else:
        parts: list[Iterator[tuple[str, list[str]]]] = []
        if proxy.is_frontend:
            parts.append(frontends.tell(proxy, config))
        if proxy.is_backend and (proxy.servers or backends.kept_apart(proxy) or proxy.kind == "backend"):
            parts.append(backends.tell(proxy, config))
        for part in parts:
            paragraphs += [(label, tuple(sentences)) for label, sentences in part if sentences]
    place = f"{proxy.span.file}:{proxy.span.line}" if proxy.span.line else ""
    return Chapter(f"{proxy.kind} {proxy.name}", place, tuple(paragraphs))
