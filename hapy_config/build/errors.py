"""errorfile, errorloc*, errorfiles, http-error of proxies (configuration manual, section 4.2)."""

from __future__ import annotations

from typing import Final

from hapy_config.build.context import Build
from hapy_config.build.cursor import Words
from hapy_config.build.draft import Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.build.replies import HANDLED, read_error_file, read_reply
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords.samples import Place
from hapy_config.keywords.spec import Version
from hapy_config.model.proxy import ErrorPage
from hapy_config.syntax import Statement

#: The first version whose `errorfile` and `errorloc` refuse words after the file or URL; not in http-errors sections.
_NO_SURPLUS: Final[Version] = (2, 8)


def _status(build: Build, words: list[str], index: int) -> int:
    """The status at `index`; one that HAProxy has no page for is noted."""
    status = leading_integer(words[index])
    if status not in HANDLED:
        shown = status if not words[index].isdecimal() else words[index]
        build.fault(Refused(f"{words[0]} : status code '{shown}' not handled.", index))
    return status


def error_file(build: Build, draft: Draft, statement: Statement, words: list[str]) -> ErrorPage:
    """The page of an `errorfile STATUS FILE` line."""
    if len(words) < 3 or not words[1] or not words[2]:
        raise Refused("errorfile : expects <status_code> and <file> as arguments.", 1, code="missing-argument")
    status = _status(build, words, 1)
    cursor = Words(build, draft, statement, words, 2, "errorfile : ", Place(0))
    return ErrorPage(status, raw=read_error_file(cursor, words[2], 2))


def _no_surplus(build: Build, words: list[str]) -> None:
    if len(words) > 3 and build.version >= _NO_SURPLUS:
        raise Refused(f"{words[0]} : expects exactly two arguments.", 3)


def _errorfile(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    page = error_file(build, draft, statement, words)
    _no_surplus(build, words)
    draft.error_pages[page.status] = page


def _errorloc(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) < 3 or not words[1] or not words[2]:
        raise Refused(f"{words[0]} : expects <status_code> and <url> as arguments.", 1, code="missing-argument")
    status = _status(build, words, 1)
    _no_surplus(build, words)
    code = 303 if words[0] == "errorloc303" else 302
    draft.error_pages[status] = ErrorPage(status, location=words[2], location_code=code)


def _errorfiles(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) < 2 or not words[1]:
        raise Refused("errorfiles : expects <name> as argument.", 1, code="missing-argument")
    statuses = tuple(_status(build, words, index) for index in range(2, len(words)))
    draft.error_files.append((words[1], statuses, statement))


def _http_error(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    cursor = Words(build, draft, statement, words, 1, "http-error : ", Place(0))
    if "status" not in words[1:]:
        raise Refused("http-error : expects at least a <status> as arguments.", 1, code="missing-argument")
    reply = read_reply(cursor, 200, http_error=True)
    if reply.status is None:
        raise Refused("http-error : expects at least a <status> as arguments.", 1, code="missing-argument")
    if reply.status not in HANDLED and 200 <= reply.status <= 599:
        build.fault(Refused(f"http-error : status code '{reply.status}' not handled.", words.index("status") + 1))
    draft.error_pages[reply.status] = ErrorPage(reply.status, reply=reply)
    if reply.errorfiles is not None:
        draft.error_files.append((reply.errorfiles, (reply.status,), statement))


HANDLERS: Final[dict[str, Handler]] = {
    "errorfile": _errorfile,
    "errorloc": _errorloc,
    "errorloc302": _errorloc,
    "errorloc303": _errorloc,
    "errorfiles": _errorfiles,
    "http-error": _http_error,
}
