"""`filter …` and use-fcgi-app (configuration manual, section 9): checked, kept for their issue."""

from __future__ import annotations

from typing import Final

from hapy_config.build.context import Build
from hapy_config.build.draft import Draft
from hapy_config.build.refused import Refused
from hapy_config.build.registry import Handler
from hapy_config.build.spoe import Agent, Engine, read_engine
from hapy_config.source import Span
from hapy_config.syntax import Statement

_REGISTERED: Final = ("cache", "compression", "fcgi-app", "opentracing", "spoe", "trace")


def _filter(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if draft.kind == "defaults":
        raise Refused("filter is not allowed in a 'default' section.", 0, code="wrong-section")
    name = words[1] if len(words) > 1 else ""
    if not name:
        raise Refused(f"missing argument for 'filter' in {draft.title} '{draft.name}'.", 1, code="missing-argument")
    reader = _READERS.get(name.partition("(")[0])  # HAProxy looks no further for a keyword
    if reader is None:
        registered = ", ".join(_REGISTERED)
        raise Refused(
            f"'filter' : unknown keyword '{name}'. Registered keywords : {registered}",
            1,
            code="unknown-filter",
            hint=build.nearest(name, _REGISTERED),
        )
    reader(build, draft, statement, words)
    draft.filters.append(tuple(words[1:]))
    draft.settings.append(tuple(words))


_TRACED: Final = ("random-forwarding", "random-parsing", "hexdump", "quiet")


def _trace(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    index = 2
    while index < len(words):
        word = words[index]
        if word == "name":
            if index + 1 >= len(words):
                raise Refused("'filter trace' : 'name' option without argument.", index + 1)
            index += 2
        elif word in _TRACED:
            index += 1
        else:
            hint = build.nearest(word, ("name", *_TRACED))
            raise Refused(f"'filter trace' : unknown keyword '{word}'.", index, hint=hint)


def _compression(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) > 2:
        raise Refused(f"'filter compression' : unknown keyword '{words[2]}'.", 2)
    if ("compression",) in draft.filters:
        message = f"'filter' : '{draft.name}: Proxy supports only one compression filter"
        raise Refused(message, 1, code="duplicate", hint="remove one of the lines")


def _cache(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused("'filter' : 'cache : expects a <name> argument'", 2, code="missing-argument")
    if len(words) > 3:
        raise Refused(f"'filter' : 'cache : unexpected argument '{words[3]}''", 3)
    if ("cache", words[2]) in draft.filters:
        raise Refused(
            f"'filter' : '{draft.name}: multiple explicit declarations of the cache filter '{words[2]}''",
            2,
            code="duplicate",
            hint="remove one of the lines",
        )
    build.needs_cache(draft, statement, words[2])


def _fcgi(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused("'filter' : 'fcgi-app' : a name is expected", 2, code="missing-argument")
    draft.fcgi_app = draft.fcgi_app or (words[2], statement)


def _configured(kind: str) -> Handler:
    """A handler for the filters that have a configuration file of their own."""

    def handle(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
        options: dict[str, str] = {}
        index = 2
        names = ("engine", "config") if kind == "spoe" else ("id", "config")
        while index < len(words):
            word = words[index]
            if word not in names:
                message = f"'filter' : ''{kind}' : unknown keyword '{word}''"
                raise Refused(message, index, hint=build.nearest(word, names))
            if index + 1 >= len(words):
                raise Refused(f"'filter' : ''{kind}' : '{word}' option without value'", index + 1)
            options[word] = words[index + 1]
            index += 2
        if "config" not in options:
            raise Refused(f"'filter' : ''{kind}' : missing config file'", min(len(words), 2), code="missing-argument")
        file = options["config"]
        place = words.index("config") + 1
        content = None
        try:
            content = build.files.read(file)
        except OSError as error:
            message = f"'filter' : 'Could not open configuration file {file} : {error.strerror}'"
            build.lacking(Refused(message, place, code="missing-file"))
        if kind == "spoe":
            engine = options.get("engine", "")
            if content is None:
                draft.engines[engine] = None
            else:
                found = read_engine(content, engine)
                _agent(build, draft, statement, place, found)
                _add_engine(build, draft, statement, engine or found.agents[0].name, found)

    return handle


def _agent(build: Build, draft: Draft, statement: Statement, place: int, found: Engine) -> None:
    """An engine has one agent, and that a backend."""
    file = statement.words[place]
    if found.fault:
        message = f"'filter' : 'Error(s) found in configuration file {file}'"
        raise Refused(message, place, code="bad-spoe", hint=found.fault)
    if not found.agents:
        raise Refused(
            f"'filter' : 'No SPOE agent found in file {file}'",
            place,
            code="bad-spoe",
            hint="the file must have an 'spoe-agent' section beneath '[ENGINE]', the name behind 'engine'",
        )
    agent = found.agents[0]
    where = f"{file}:{agent.line}"
    if len(found.agents) > 1:
        raise Refused(f"'filter' : 'Error(s) found in configuration file {file}'", place, code="bad-spoe")
    if not agent.backend:
        message = f"'filter' : 'No backend declared for SPOE agent '{agent.name}' declared at {where}'"
        raise Refused(message, place, code="bad-spoe", hint="add 'use-backend <name>' to the agent")
    if undefined := found.undefined():
        raise Refused(f"'filter' : '{undefined} at {file}'", place, code="bad-spoe")
    span = statement.span(place)
    for name in agent.messages:
        if name in found.silent and draft.active:
            line = found.messages[name]
            message = f"Proxy '{draft.name}': Ignore SPOE message '{name}' without event at {file}:{line}."
            build.warning("ignored-message", span, message)
    build.later.append(lambda: _agents_backend(build, draft, span, agent, where))


def _add_engine(build: Build, draft: Draft, statement: Statement, name: str, found: Engine) -> None:
    """Engines of a proxy differ in their names; one without a name has that of its agent."""
    if draft.engines.get(name) is not None and draft.active:
        message = f"Proxy {draft.name} : duplicated name for SPOE engine '{name}'."
        build.error("duplicate-name", statement.span(), message, "one filter for each engine is enough")
    draft.engines[name] = frozenset(found.agents[0].groups)


def _agents_backend(build: Build, draft: Draft, span: Span, agent: Agent, where: str) -> None:
    if not draft.active:
        return
    backend = build.backends.get(agent.backend)
    if backend is not None and backend.mode == "http":
        build.error(
            "bad-spoe",
            span,
            f"Proxy {draft.name} : backend '{agent.backend}' used by SPOE agent '{agent.name}' declared at {where} does"
            " not support HTTP mode.",
            f"write 'mode tcp' in backend '{agent.backend}': agents speak SPOP",
        )
    elif backend is None:
        build.error(
            "bad-spoe",
            span,
            f"Proxy {draft.name} : unknown backend '{agent.backend}' used by SPOE agent '{agent.name}' declared at"
            f" {where}.",
            build.nearest(agent.backend, build.backends),
        )


def _use_fcgi_app(build: Build, draft: Draft, statement: Statement, words: list[str]) -> None:
    if not draft.is_backend:
        raise Refused("'use-fcgi-app' only available in backend or listen section", 0, code="wrong-section")
    if len(words) < 2 or not words[1]:
        raise Refused("'use-fcgi-app' expects <name> as argument", 1, code="missing-argument")
    draft.fcgi_app = (words[1], statement)
    draft.settings.append(tuple(words))


_READERS: Final[dict[str, Handler]] = {
    "cache": _cache,
    "compression": _compression,
    "fcgi-app": _fcgi,
    "opentracing": _configured("opentracing"),
    "spoe": _configured("spoe"),
    "trace": _trace,
}
HANDLERS: Final[dict[str, Handler]] = {"filter": _filter, "use-fcgi-app": _use_fcgi_app}
