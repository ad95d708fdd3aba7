"""What is said of a nginx configuration's directives: each is carried over, noted or lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from hapy_config.source import Span
from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.report import Loss, Note

#: Directives about nginx's own process, buffers and logs.
_HARMLESS: Final = frozenset(
    {
        "user", "worker_processes", "pid", "error_log", "worker_rlimit_nofile", "worker_cpu_affinity", "load_module",
        "worker_connections", "multi_accept", "use", "accept_mutex", "sendfile", "tcp_nopush", "tcp_nodelay",
        "types_hash_max_size", "types_hash_bucket_size", "server_names_hash_bucket_size", "server_names_hash_max_size",
        "server_tokens", "log_format", "access_log", "open_file_cache", "client_header_buffer_size", "daemon",
        "large_client_header_buffers", "client_body_buffer_size", "proxy_buffering",
        "proxy_buffers", "proxy_buffer_size",
        "proxy_busy_buffers_size", "proxy_request_buffering", "proxy_http_version", "keepalive",
        "keepalive_requests", "reset_timedout_connection", "map_hash_bucket_size",
        "map_hash_max_size", "zone", "include",
        "default_type", "types", "variables_hash_max_size", "variables_hash_bucket_size",
        "merge_slashes", "absolute_redirect", "server_name_in_redirect", "port_in_redirect",
        "log_not_found", "proxy_pass_header", "ssl_session_cache", "ssl_session_timeout", "ssl_session_tickets",
        "ssl_prefer_server_ciphers", "send_timeout", "resolver_timeout", "gzip_proxied", "gzip_comp_level",
        "gzip_buffers", "gzip_http_version", "gzip_min_length", "gzip_disable", "proxy_temp_path",
        "client_body_temp_path", "fastcgi_temp_path", "uwsgi_temp_path", "scgi_temp_path",
        "proxy_max_temp_file_size", "keepalive_disable", "keepalive_timeout", "proxy_headers_hash_max_size",
        "proxy_headers_hash_bucket_size", "proxy_socket_keepalive", "proxy_buffer", "events", "recursive_error_pages",
        "hash_max_size", "ssl_dhparam", "ssl_buffer_size", "http2", "http2_max_concurrent_streams", "lingering_close",
    }
)  # fmt: skip
#: Directives whose effect HAProxy has in a way of its own.
_NEARLY: Final = {"gzip_vary": "HAProxy tells of Vary where it has compressed an answer only"}


class Notes:
    """Collects notes in the order of the lines."""

    def __init__(self) -> None:
        self._notes: dict[Note, None] = {}
        self._counts = [0, 0, 0, 0]

    def lost(self, span: Span, text: str) -> None:
        """It did not go over."""
        self._notes.setdefault(Note(span, Loss.LOST, text))

    def near(self, span: Span, text: str) -> None:
        """It went over with a difference."""
        self._notes.setdefault(Note(span, Loss.NEAR, text))

    def idle(self, span: Span, text: str) -> None:
        """It does nothing in nginx either."""
        self._notes.setdefault(Note(span, Loss.NONE, text))

    def settle(self, directives: Sequence[Directive]) -> None:
        """Say what became of every directive of which nothing was said yet."""
        said: dict[Span, Loss] = {}
        texts: dict[Span, str] = {}
        for note in self._notes:
            said[note.span] = max(note.loss, said.get(note.span, Loss.NONE))
            texts[note.span] = f"{texts.get(note.span, '')} {note.text}"
        idle = {id(one) for one in _idle(directives)}
        within: set[int] = set()
        for one in (each for top in directives for each in top.walk()):
            if id(one) in within:
                continue
            loss = said.get(one.span)
            # Others may stand on the line that something was said of.
            if not one.used and (loss is None or one.name not in texts[one.span]):
                if id(one) in idle:
                    loss = Loss.NONE
                    self.idle(one.span, f"{one.name} is for nothing here")
                elif one.name in _HARMLESS:
                    loss = Loss.NONE
                    self.idle(one.span, f"{one.name} is for nginx's own workings")
                    within.update(id(each) for each in one.walk())
                elif one.name in _NEARLY:
                    loss = Loss.NEAR
                    self.near(one.span, f"{one.name}: {_NEARLY[one.name]}")
                else:
                    loss = Loss.LOST
                    self.lost(one.span, f"'{one.name}' has no counterpart: it was left out")
                    if one.name != "if":
                        within.update(id(each) for each in one.walk())
            self._counts[0 if loss is None else loss + 1] += 1

    def all(self) -> tuple[Note, ...]:
        """The notes, in the order of the lines."""
        return tuple(sorted(self._notes, key=lambda note: (note.span.file, note.span.line)))

    def counts(self) -> tuple[int, ...]:
        """Directives that went over without a word, then by loss."""
        return tuple(self._counts)


def _idle(directives: Sequence[Directive]) -> Iterator[Directive]:
    """Settings that nothing is left to take: of passing on where nothing passes on, of users where nobody is asked."""
    every = [one for top in directives for one in top.walk()]
    asks = any(one.name == "auth_basic" and one.args != ("off",) for one in every)
    for block in every:
        for one in block.block or ():
            passing = one.name.startswith("proxy_") and one.name != "proxy_pass"
            if (passing and not _takes(block, one.name)) or (one.name == "auth_basic_user_file" and not asks):
                yield one


def _takes(block: Directive, name: str) -> bool:
    """Whether something is passed on from within a block by a setting that stands in it."""
    if block.first("proxy_pass") is not None:
        return True
    for one in block.block or ():
        answers = one.name == "server" and one.first("return") is not None
        moved = any(each.name in ("break", "rewrite", "if") for each in one.block or ())
        own = one.first(name) is not None
        if one.block is not None and not own and not (answers and not moved) and _takes(one, name):
            return True
    return False
