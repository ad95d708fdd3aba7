"""log-format and its kin (configuration manual, section 8.2): kept as text until the proxy's mode is known."""

from __future__ import annotations

from typing import Final

from hapy_config.build.context import Build
from hapy_config.build.draft import Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.syntax import Statement

_OLD_NAMES: Final = {
    "httplog": "option httplog",
    "httplog-clf": "option httplog",
    "httpslog": "option httpslog",
    "tcplog": "option tcplog",
    "log-format": "log-format",
}


def _one_argument(words: list[str]) -> str:
    if len(words) < 2 or not words[1]:
        raise Refused(f"{words[0]} expects an argument.", 1, code="missing-argument")
    if len(words) > 2 and words[2]:
        raise Refused(
            f"{words[0]} expects only one argument, don't forget to escape spaces!",
            2,
            hint="put the format between quotes",
        )
    return words[1]


def _ignored_in_backends(build: Build, draft: Draft, statement: Statement, word: str) -> None:
    if draft.kind == "backend":
        build.warning(
            "ignored-here",
            statement.span(),
            f"backend '{draft.name}' : '{word}' directive is ignored in backends.",
        )


def _log_format(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    text = _one_argument(words)
    if draft.log_format_kind and draft.kind == "defaults":
        old = _OLD_NAMES[draft.log_format_kind]
        build.warning("overridden", statement.span(), f"'log-format' overrides previous '{old}' in 'defaults' section.")
    _ignored_in_backends(build, draft, statement, "log-format")
    draft.log_format = (text, statement)
    draft.log_format_kind = "log-format"


def _log_format_sd(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    draft.log_format_sd = (_one_argument(words), statement)
    _ignored_in_backends(build, draft, statement, words[0])


def _error_log_format(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    draft.error_log_format = (_one_argument(words), statement)
    _ignored_in_backends(build, draft, statement, words[0])


def _unique_id_format(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    draft.unique_id_format = (_one_argument(words), statement)


HANDLERS: Final[dict[str, Handler]] = {
    "log-format": _log_format,
    "log-format-sd": _log_format_sd,
    "error-log-format": _error_log_format,
    "unique-id-format": _unique_id_format,
}
