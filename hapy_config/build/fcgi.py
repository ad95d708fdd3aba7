"""Sections fcgi-app (configuration manual, section 10.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy_config.build.arguments import at_most
from hapy_config.build.conditional import acl, rest_condition
from hapy_config.build.cursor import Words
from hapy_config.build.draft import Draft
from hapy_config.build.expressions import check_regex
from hapy_config.build.refused import Refused
from hapy_config.grammar.units import leading_integer
from hapy_config.keywords.samples import Place

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.sectiondraft import SectionDraft
    from hapy_config.syntax import Statement


def _condition(build: Build, draft: SectionDraft, statement: Statement, words: list[str], index: int) -> None:
    """The condition of a FastCGI parameter, over the ACLs of its section."""
    if len(words) <= index:
        return
    if words[index] not in ("if", "unless"):
        message = f"'{words[0]}' expects 'if' or 'unless' followed by a condition, not '{words[index]}'."
        build.fault(Refused(message, index))
    place = Place.FRONTEND_HTTP_REQUEST | Place.BACKEND_HTTP_REQUEST
    rest_condition(build, _acls_of(build, draft), statement, words, index, place, f"'{words[1]}' : ")


def _acls_of(build: Build, draft: SectionDraft) -> Draft:
    """What stands for the proxy in a FastCGI application: its own ACLs, and nothing else."""
    if draft.acls is None:
        draft.acls = Draft("listen", "", build.nameless.header)
        draft.acls.mode = "http"
    return draft.acls


def option(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """`option keep-conn`, `get-values`, `mpxs-conns` and `max-reqs`."""
    name = words[1] if len(words) > 1 else ""
    if name not in ("keep-conn", "get-values", "mpxs-conns", "max-reqs"):
        raise Refused(f"unknown option '{name}'.", 1, code="unknown-option")
    if name == "max-reqs" and (len(words) < 3 or leading_integer(words[2]) < 1):
        raise Refused("option 'max-reqs' expects a strictly positive integer argument.", 2)
    if name == "max-reqs":
        draft.numbers["max-reqs"] = leading_integer(words[2])
    at_most(words, 2 if name == "max-reqs" else 1, f"option {name}")


def pass_header(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """A field of the answer that the client gets."""
    if len(words) < 2:
        raise Refused("'pass-header' expects <name> as arguments.", 1, code="missing-argument")
    _condition(build, draft, statement, words, 2)


def path_info(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """Where a path is divided into script and the rest."""
    if len(words) < 2:
        raise Refused("'path-info' expects <regex> as argument.", 1, code="missing-argument")
    check_regex(build, statement, words[1], 1, f"'{words[1]}' : ")
    at_most(words, 1, f"path-info {words[1]}")


def docroot(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """Where the scripts lie."""
    if len(words) < 2:
        raise Refused("'docroot' expects <path> as argument.", 1, code="missing-argument")
    if len(words) > 2:
        raise Refused(f"'docroot {words[1]}' cannot handle unexpected argument '{words[2]}'.", 2)
    draft.names["docroot"] = statement


def set_param(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """A parameter of requests to the application."""
    if len(words) < 3:
        raise Refused("'set-param' expects <name> and <value> as arguments.", len(words), code="missing-argument")
    build.later.append(lambda: _check_value(build, draft, statement, words))
    _condition(build, draft, statement, words, 3)


def _check_value(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """The value of `set-param`, which HAProxy reads for the proxies that use the application."""
    if any(proxy.fcgi_app is not None and proxy.fcgi_app[0] == draft.name for proxy in build.proxies):
        cursor = Words(build, _acls_of(build, draft), statement, words, 1, "", Place.BACKEND_HTTP_REQUEST)
        with build.noting(statement):
            cursor.format(words[2], 2)


def add_acl(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """An ACL of the section's own."""
    acl(build, _acls_of(build, draft), statement, words)


def finish(build: Build, draft: SectionDraft) -> None:
    """It must have a docroot, and several requests at once only where connections carry them."""
    name, where = draft.name, draft.header.span()
    if "docroot" not in draft.names:
        build.error("missing-docroot", where, f"fcgi-app '{name}': no docroot configured.", "add 'docroot <path>'")
    multiplexes = "mpxs-conns" in draft.numbers or "get-values" in draft.numbers  # or the application is asked
    if draft.numbers.get("max-reqs", 1) > 1 and not multiplexes:
        build.error(
            "bad-argument",
            where,
            f"fcgi-app '{name}': multiplexing not supported, ignore the option 'max-reqs'.",
            "add 'option mpxs-conns', or remove 'option max-reqs'",
        )
