"""What has no effect in mode tcp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy_config.build.options import HTTP_ONLY

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft
    from hapy_config.model.server import Source


def check_without_http(build: Build, draft: Draft) -> None:
    """Warn of what a TCP proxy ignores."""
    span, title, name = draft.header.span(), draft.title, draft.name
    if draft.monitor_uri is not None:
        build.warning("needs-http", span, f"monitor-uri will be ignored for {title} '{name}' (needs 'mode http').")
    if draft.cookie is not None:
        build.warning("needs-http", span, f"cookie will be ignored for {title} '{name}' (needs 'mode http').")
    for server in draft.servers:
        if header := _source_header(server.source):
            build.warning(
                "needs-http",
                server.span,
                f"{title} '{name}' : server {server.name} cannot use header {header} as source IP in non-HTTP mode.",
            )
    if any(rule.action == "switch-mode" for rule in draft.rules.get("tcp-request content", ())):
        if draft.servers and draft.default_backend is None and not draft.use_backends:
            build.warning(
                "needs-http",
                span,
                f"Proxy '{name}' : 'switch-mode http' configured for a tcp proxy with no backend. Incoming connections"
                " upgraded to HTTP cannot be routed to TCP servers",
                "send them to a backend of mode http with 'use_backend … if HTTP'",
            )
        return  # its clients may come to speak HTTP
    if any(capture.direction == "cookie" for capture in draft.captures):
        build.warning("needs-http", span, f"'capture' statement ignored for {title} '{name}' as it requires HTTP mode.")
    if header := _source_header(draft.source):
        build.warning(
            "needs-http", span, f"{title} '{name}' : ignoring use of header {header} as source IP in non-HTTP mode."
        )
    if draft.stats_statement is not None:
        build.warning("needs-http", span, f"'stats' statement ignored for {title} '{name}' as it requires HTTP mode.")
    for ruleset in ("http-request", "http-response", "http-after-response"):
        if ruleset in draft.rules:
            build.warning(
                "needs-http", span, f"'{ruleset}' rules ignored for {title} '{name}' as they require HTTP mode."
            )
    if draft.redirects:
        build.warning("needs-http", span, f"'redirect' rules ignored for {title} '{name}' as they require HTTP mode.")
    for option, value in (("forwardfor", draft.forwardfor), ("originalto", draft.originalto)):
        if value is not None:
            build.warning(
                "needs-http", span, f"'option {option}' ignored for {title} '{name}' as it requires HTTP mode."
            )
    for option in sorted(draft.options & HTTP_ONLY):
        build.warning("needs-http", span, f"'option {option}' ignored for {title} '{name}' as it requires HTTP mode.")
    for server in draft.servers:
        if server.cookie is not None:
            build.warning(
                "needs-http",
                server.span,
                f"{title} '{name}' : ignoring cookie for server '{server.name}' as HTTP mode is disabled.",
            )


def _source_header(source: Source | None) -> str:
    """The header whose address connections to servers are to come from, if any."""
    if source is None or source.usesrc is None or not source.usesrc.startswith("hdr_ip("):
        return ""
    return source.usesrc[len("hdr_ip(") :].rstrip(")").partition(",")[0]
