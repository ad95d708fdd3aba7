"""What a proxy takes over from its defaults section (configuration manual, section 4).

Values are copied when the section is opened. Rules and ACLs are not: those of a named defaults section stay there and
run before the proxy's own.
"""

from __future__ import annotations

from typing import Final

from hapy_config.build.draft import BACK, FRONT, Draft

_ALL: Final = (
    "mode",
    "disabled",
    "http_mode",
    "log_format",
    "log_format_kind",
    "log_format_statement",
    "error_log_format",
    "log_format_sd",
    "unique_id_format",
    "unique_id_header",
    "log_tag",
    "forwardfor",
    "originalto",
    "restrict_names",
    "email_alert",
    "stats",
    "stats_statement",
    "inspect_delay",
    "response_inspect_delay",
)
_FRONT: Final = ("maxconn", "backlog", "rate_limit_sessions", "monitor_uri", "default_backend")
_BACK: Final = (
    "balance",
    "balance_statement",
    "hash_type",
    "hash_balance_factor",
    "reuse",
    "fullconn",
    "retries",
    "redispatch",
    "retry_on",
    "max_keep_alive_queue",
    "http_send_name_header",
    "load_server_state",
    "source",
    "cookie",
    "dynamic_cookie_key",
    "rdp_cookie",
    "check",
    "check_statement",
    "check_rules",
    "check_steps",
)
_BY_SIDE: Final = {
    FRONT: frozenset((*_ALL, *_FRONT)),
    BACK: frozenset((*_ALL, *_BACK)),
    FRONT | BACK: frozenset((*_ALL, *_FRONT, *_BACK)),
}


def inherit(draft: Draft, parent: Draft) -> None:
    """Fill a freshly opened section with what `parent` says."""
    draft.parent = parent
    wanted = _BY_SIDE[draft.side]
    own = draft.__dict__
    for name, value in parent.__dict__.items():
        if name in wanted:
            own[name] = value
    draft.options = set(parent.options)
    draft.timeouts = dict(parent.timeouts)
    draft.log = list(parent.log)
    if parent.error_pages:
        draft.error_pages = dict(parent.error_pages)
    if parent.error_files:
        draft.error_files = list(parent.error_files)
    if parent.settings:
        draft.settings = list(parent.settings)
    if draft.side & BACK and (parent.server_values or parent.server_options):
        draft.server_values = dict(parent.server_values)
        draft.server_options = dict(parent.server_options)
