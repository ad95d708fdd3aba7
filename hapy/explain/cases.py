"""Test suites for configurations: requests, each with what is expected to become of it (`hapy test`).

A file of cases is YAML: a list, or a mapping with `cases` (the list), `frontend` and `down` (for all of them). A case:

    - name: the cart goes to the shop            # optional
      request: GET https://shop.example/cart     # as for `hapy explain --request`
      headers: {Cookie: a=b}                     # or a list of 'Name: value'
      data: text                                 # the body
      src: 198.51.100.7
      frontend: web
      down: [shop/s1]
      expect:
        backend: shop                            # the backend that the request reaches
        server: s2                               # or a list, any of which will do
        status: 403                              # an answer that hapy gives itself
        outcome: closed                          # server, answer or closed
        path: /v2/cart                           # of the request as the server gets it; also pathq, query, url
        method: GET
        headers: {X-Forwarded-For: 198.51.100.7, X-Debug: null}    # null: the field is absent
        answer-headers: {Location: https://shop.example/}
        body: maintenance                        # is contained in the answer's body
        variables: {txn.tenant: a}
        shares: true                             # whether it may use connections that others' requests opened
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from hapy.explain.asked import Asked, RequestError, asked
from hapy.explain.stage import NoWayInError
from hapy.explain.values import text

if TYPE_CHECKING:
    from hapy.explain.findings import Walk
    from hapy.explain.walk import Walker

_OUTCOMES: Final = ("server", "answer", "closed")
_CASE_KEYS: Final = {"name", "request", "headers", "data", "src", "frontend", "down", "expect"}


class CasesError(ValueError):
    """A file of cases that can't be understood.

    Attributes:
        line: where, counted from 1.
    """

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        name: what it is called. asked: the request. frontend, down: as for a walk.
        expected: by what is looked at. line: where it stands in its file.
    """

    name: str
    line: int
    asked: Asked
    frontend: str | None
    down: tuple[str, ...]
    expected: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case; `failures` are sentences, none where it is as expected."""

    case: Case
    failures: tuple[str, ...]


def read_cases(content: str) -> list[Case]:
    """The cases of a file.

    Raises:
        CasesError: it is no YAML, or no list of cases.
    """
    try:
        root = yaml.compose(content, yaml.SafeLoader)
        if root is not None:
            _refuse_doubles(root, set())
        found = yaml.safe_load(content)
    except CasesError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise CasesError(f"not YAML: {error.problem or error.context}", mark.line + 1 if mark else 1) from None
    except yaml.YAMLError as error:
        raise CasesError(f"not YAML: {' '.join(str(error).split())}") from None
    except (ValueError, RecursionError) as error:  # a date that no calendar has, brackets without end
        raise CasesError(f"not YAML: {error}") from None
    common: Mapping[str, Any] = {}
    if isinstance(found, Mapping):
        if unknown := found.keys() - {"cases", "frontend", "down"}:
            raise CasesError(f"unknown key '{min(map(str, unknown))}'; cases, frontend and down are known")
        common, found = found, found.get("cases")
    if not isinstance(found, list) or not found:
        raise CasesError("a list of cases is needed")
    cases = []
    for number, (entry, line) in enumerate(zip(found, _lines(root), strict=True), 1):
        try:
            cases.append(_case(entry, number, line, common))
        except CasesError as error:
            raise CasesError(str(error), line) from None
    return cases


def _lines(root: yaml.Node | None) -> list[int]:
    """The lines on which the cases begin."""
    if isinstance(root, yaml.MappingNode):
        root = next(value for key, value in root.value if key.value == "cases")
    assert isinstance(root, yaml.SequenceNode)
    return [node.start_mark.line + 1 for node in root.value]


def _refuse_doubles(node: yaml.Node, seen: set[int]) -> None:
    """A key that is written twice counts once: surely not what was meant."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            _refuse_doubles(one, seen)
    elif isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in keys:
                raise CasesError(f"the key '{name}' is written twice", key.start_mark.line + 1)
            keys.add(name)
            _refuse_doubles(value, seen)


def _case(entry: object, number: int, line: int, common: Mapping[str, Any]) -> Case:
    if not isinstance(entry, Mapping):
        raise CasesError(f"case {number}: 'request' and 'expect' are needed")
    name = str(entry.get("name", entry.get("request", "")))
    where = f"case {number} ({name})" if name else f"case {number}"
    if unknown := entry.keys() - _CASE_KEYS:
        raise CasesError(f"{where}: unknown key '{min(map(str, unknown))}'; known are {', '.join(sorted(_CASE_KEYS))}")
    if "request" not in entry or "expect" not in entry:
        raise CasesError(f"{where}: 'request' and 'expect' are needed")
    expected = entry["expect"]
    if not isinstance(expected, Mapping) or not expected:
        raise CasesError(f"{where}: 'expect' must say what to look at: {', '.join(_LOOKS)}")
    if unknown := expected.keys() - _LOOKS.keys():
        raise CasesError(f"{where}: nothing called '{min(map(str, unknown))}' can be expected; {', '.join(_LOOKS)} can")
    for key in ("headers", "answer-headers", "variables"):
        if key in expected and not isinstance(expected[key], Mapping):
            raise CasesError(f"{where}: '{key}' must be a mapping of names to values")
    for key, good in (("outcome", _OUTCOMES), ("shares", (True, False, None))):
        given = expected.get(key, good[0])
        if any(one not in good for one in (given if isinstance(given, list) else [given])):
            raise CasesError(f"{where}: '{key}' must be {' or '.join(map(str, good)).lower()}")
    statuses = expected.get("status")
    for status in statuses if isinstance(statuses, list) else [statuses]:
        if status is not None and not str(status).isdecimal():
            raise CasesError(f"{where}: the status '{status}' is no number")
    down = entry.get("down", common.get("down", []))
    if not isinstance(down, list):
        raise CasesError(f"{where}: 'down' must be a list of BACKEND/SERVER")
    source = entry.get("src")
    frontend = entry.get("frontend", common.get("frontend"))
    try:
        request = asked(
            str(entry["request"]),
            headers=_fields(entry.get("headers", {}), where),
            source=None if source is None else str(source),
            body=str(entry.get("data", "")),
        )
    except RequestError as error:
        raise CasesError(f"{where}: {error}") from None
    return Case(name, line, request, None if frontend is None else str(frontend), tuple(map(str, down)), expected)


def _fields(given: object, where: str) -> list[str]:
    if isinstance(given, Mapping):
        return [f"{name}: {value}" for name, value in given.items()]
    if isinstance(given, list):
        return [str(line) for line in given]
    raise CasesError(f"{where}: 'headers' must be a mapping or a list")


def judge(case: Case, walker: Walker) -> Verdict:
    """Walk a case's request and compare."""
    try:
        walk = walker.walk(case.asked, frontend=case.frontend, down=case.down)
    except NoWayInError as error:
        return Verdict(case, (str(error).replace("--frontend", "'frontend'"),))
    failures = [
        failure for what, wanted in case.expected.items() for failure in _LOOKS[str(what)](str(what), wanted, walk)
    ]
    return Verdict(case, tuple(failures))


_Look = Callable[[str, Any, "Walk"], Iterator[str]]


def _plain(seen: Callable[[Walk], object]) -> _Look:
    """Compares one value with what is wanted, or with any of a list."""

    def look(what: str, wanted: Any, walk: Walk) -> Iterator[str]:
        found = seen(walk)
        choices = wanted if isinstance(wanted, list) else [wanted]
        if not any(found == choice or (choice is not None and str(found) == str(choice)) for choice in choices):
            shown = "nothing" if found is None else found
            reason = f" ({walk.reason})" if walk.reason and what in ("backend", "server", "status", "outcome") else ""
            yield f"{what} is {shown}{reason}, expected {' or '.join(map(str, choices))}"

    return look


def _head(walk: Walk) -> list[str]:
    return text(walk.request).split("\r\n")[0].split(" ")


def _url(walk: Walk) -> str | None:
    words = _head(walk)
    return words[1] if len(words) > 1 else None


def _pathq(walk: Walk) -> str | None:
    """The path with what follows it; of `http://a/b?c` that is `/b?c`."""
    url = _url(walk)
    if url is None or "://" not in url.partition("?")[0]:
        return url
    authority, slash, rest = url.partition("://")[2].partition("/")
    return f"/{rest}" if slash else f"/{''.join(authority.partition('?')[1:])}"


def _path(walk: Walk) -> str | None:
    pathq = _pathq(walk)
    return None if pathq is None else pathq.partition("?")[0]


def _query(walk: Walk) -> str | None:
    _, mark, query = (_url(walk) or "").partition("?")
    return query if mark else None


def _body(what: str, wanted: Any, walk: Walk) -> Iterator[str]:
    body = text(walk.answer.body) if walk.answer is not None else ""
    if str(wanted) not in body:
        yield f"{what} lacks '{wanted}'" if body else f"there is no answer with a body, expected '{wanted}' in it"


def _headers(seen: Callable[[Walk], bytes]) -> _Look:
    """Compares fields of a head; a field that comes several times must have the value once."""

    def look(what: str, wanted: Any, walk: Walk) -> Iterator[str]:
        fields: dict[str, list[str]] = {}
        for line in text(seen(walk)).split("\r\n")[1:]:
            name, colon, value = line.partition(":")
            if colon:
                fields.setdefault(name.lower(), []).append(value.strip())
        for name, value in wanted.items():
            found = fields.get(str(name).lower(), [])
            if value is None and found:
                yield f"{what}: {name} is {', '.join(found)}, expected to be absent"
            elif value is not None and str(value) not in found:
                yield f"{what}: {name} is {', '.join(found) or 'absent'}, expected {value}"

    return look


def _variables(what: str, wanted: Any, walk: Walk) -> Iterator[str]:
    for name, value in wanted.items():
        found = walk.variables.get(str(name))
        if value is None and found is not None:
            yield f"{what}: {name} is {found}, expected to be unset"
        elif value is not None and (found is None or found.strip('"') != str(value).strip('"')):
            yield f"{what}: {name} is {found or 'unset'}, expected {value}"


#: What can be expected, and how it is compared.
_LOOKS: Final[dict[str, _Look]] = {
    "backend": _plain(lambda walk: walk.backend),
    "server": _plain(lambda walk: walk.server),
    "frontend": _plain(lambda walk: walk.frontend),
    "status": _plain(lambda walk: walk.answer.status if walk.answer is not None else None),
    "outcome": _plain(lambda walk: walk.outcome),
    "path": _plain(_path),
    "pathq": _plain(_pathq),
    "query": _plain(_query),
    "url": _plain(_url),
    "method": _plain(lambda walk: _head(walk)[0] or None),
    "headers": _headers(lambda walk: walk.request),
    "answer-headers": _headers(lambda walk: walk.answer.head if walk.answer is not None else b""),
    "body": _body,
    "variables": _variables,
    "shares": _plain(lambda walk: walk.shares),
}
