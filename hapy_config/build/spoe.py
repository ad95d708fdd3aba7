"""The configuration file of `filter spoe`: the agents of an engine, and what HAProxy would refuse the file for.

hapy does not run SPOE. The file is read for its verdict: statements of the agent, events and arguments of messages, and
the names by which agents, groups and messages refer to each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hapy_config.build.arguments import TimeError, milliseconds
from hapy_config.grammar.conditions import parse_acl, parse_condition
from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.expressions import parse_expression_words
from hapy_config.grammar.units import leading_integer
from hapy_config.model.expressions import AclExpression
from hapy_config.words import WordError, split

_EVENTS: Final = frozenset(
    {
        *("on-client-session", "on-server-session", "on-frontend-tcp-request", "on-backend-tcp-request"),
        *("on-tcp-response", "on-frontend-http-request", "on-backend-http-request", "on-http-response"),
    }
)
#: Statements of an agent that are not looked into.
_FREE: Final = frozenset(
    {"messages", "groups", "maxconnrate", "maxerrrate", "max-waiting-frames", "register-var-names"},
)
#: Options of an agent: whether each takes a name of a variable, and whether `no` may stand before it.
_OPTIONS: Final = {
    "async": (False, True),
    "continue-on-error": (False, False),
    "dontlog-normal": (False, True),
    "force-set-var": (False, False),
    "pipelining": (False, True),
    "send-frag-payload": (False, True),
    "set-on-error": (True, False),
    "set-process-time": (True, False),
    "set-total-time": (True, False),
    "var-prefix": (True, False),
}
_VARIABLE: Final = re.compile(r"[a-zA-Z0-9_.]+")
_FRAME_SIZES: Final = range(256, 16381)


@dataclass(slots=True)
class Agent:
    """An `spoe-agent` section.

    Attributes:
        name: its name.
        line: where it is declared.
        backend: what `use-backend` names, or empty.
        messages, groups: what it names.
    """

    name: str
    line: int
    backend: str = ""
    messages: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Engine:
    """What a file has in an engine's scope.

    Attributes:
        agents: its agents.
        messages: its messages: the line of each.
        silent: those of them that no event sends.
        acls: those of the message that is read, by name.
        groups: its groups, and the messages of each.
        fault: the first mistake in it, with its line, or empty.
    """

    agents: list[Agent] = field(default_factory=list)
    messages: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    acls: dict[str, list[AclExpression]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    fault: str = ""

    def undefined(self) -> str:
        """Which name of a message or group means nothing, in HAProxy's words, or empty."""
        agent = self.agents[0]
        for name in agent.messages:
            if name not in self.messages:
                return f"SPOE agent '{agent.name}' try to use undefined SPOE message '{name}'"
        for name in agent.groups:
            if name not in self.groups:
                return f"SPOE agent '{agent.name}' try to use undefined SPOE group '{name}'"
            for message in self.groups[name]:
                if message not in self.messages:
                    return f"SPOE group '{name}' try to use undefined SPOE message '{message}'"
        return ""


def read_engine(content: bytes, engine: str) -> Engine:
    """What a file declares in the scope of an engine; the scope `[engine]` goes to the next one."""
    scope, section = "", ""
    found = Engine()
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").splitlines(), 1):
        try:
            words, _ = split(line, lambda _name: "")
        except WordError:
            continue
        if not words:
            continue
        if words[0].startswith("[") and words[0].endswith("]"):
            scope, section = words[0][1:-1], ""
        elif scope != engine:
            continue
        elif words[0].startswith("spoe-"):
            section = words[0]
            fault = _open(found, section, words[1] if len(words) > 1 else "", number)
        else:
            fault = _statement(found, section, words)
        if scope == engine and section and fault and not found.fault:
            found.fault = f"line {number}: {fault}"
    return found


def _open(engine: Engine, section: str, name: str, number: int) -> str:
    """Note a section's header; gives what is wrong with it."""
    if section == "spoe-agent" and name:
        engine.agents.append(Agent(name, number))
    elif section == "spoe-message":
        if name in engine.messages:
            return f"spoe-message section '{name}' has the same name as another one"
        engine.messages[name] = number
        engine.silent.add(name)
        engine.acls = {}
    elif section == "spoe-group":
        if name in engine.groups:
            return f"spoe-group section '{name}' has the same name as another one"
        engine.groups[name] = []
    return ""


def _statement(engine: Engine, section: str, words: Sequence[str]) -> str:
    """Note a statement; gives what is wrong with it."""
    if section == "spoe-agent" and engine.agents:
        return _of_agent(engine.agents[-1], words)
    if section == "spoe-message" and engine.messages:
        if words[0] == "event":
            engine.silent.discard(next(reversed(engine.messages)))
        return _of_message(engine, words)
    if section == "spoe-group" and words[0] == "messages":
        next(reversed(engine.groups.values())).extend(words[1:])
    return ""


def _of_agent(agent: Agent, words: Sequence[str]) -> str:
    first, second = words[0], words[1] if len(words) > 1 else ""
    match first:
        case "use-backend":
            agent.backend = second
            if not second:
                return "'use-backend' expects a backend name"
            return f"'use-backend' cannot handle unexpected argument '{words[2]}'" if len(words) > 2 else ""
        case "messages":
            double = next((name for name in words[1:] if name in agent.messages), None)
            agent.messages += words[1:]
            return "" if double is None else f"spoe-message '{double}' already used"
        case "groups":
            agent.groups += words[1:]
            return ""
        case "timeout":
            return _timeout(words)
        case "option":
            return _option(words[1:], negated=False)
        case "no" | "default":
            if second == "log":
                return ""
            if second != "option":
                return f"'{first} {second}': only options can be negated"
            return _option(words[2:], negated=first == "no")
        case "max-frame-size":
            size = leading_integer(second) if second else 0
            return "" if size in _FRAME_SIZES else "'max-frame-size' expects a number from 256 to 16380"
        case "log":
            return "" if second == "global" or len(words) > 2 else "'log' expects an address and a facility, or global"
    return "" if first in _FREE else f"unknown keyword '{first}' in spoe-agent section"


def _timeout(words: Sequence[str]) -> str:
    name = words[1] if len(words) > 1 else ""
    if name not in ("hello", "idle", "processing"):
        return f"'timeout' supports 'hello', 'idle' or 'processing' (got '{name}')"
    if len(words) < 3:
        return f"'timeout {name}' expects a time"
    try:
        milliseconds(words[2])
    except TimeError:
        return f"'timeout {name}' expects a time"
    return ""


def _option(words: Sequence[str], *, negated: bool) -> str:
    name = words[0] if words else ""
    if name not in _OPTIONS:
        return f"option '{name}' is not supported"
    named, negatable = _OPTIONS[name]
    if negated:
        return "" if negatable else f"negation is not supported for option '{name}'"
    if named:
        good = len(words) > 1 and _VARIABLE.fullmatch(words[1])
        return "" if good else f"'option {name}' expects a name of letters, digits, '_' and '.'"
    return f"'option {name}' cannot handle unexpected argument '{words[1]}'" if len(words) > 1 else ""


def _of_message(engine: Engine, words: Sequence[str]) -> str:
    if words[0] == "acl":
        return _acl(engine, words)
    if words[0] == "event":
        event = words[1] if len(words) > 1 else ""
        if event not in _EVENTS:
            return f"unknown event '{event}'"
        return _condition(engine, words) if len(words) > 2 else ""
    if words[0] == "args":
        for word in words[1:]:
            name, equals, expression = word.partition("=")
            text = expression if equals and not set(name) & set("(,") else word
            try:
                parse_expression_words([text], 0)
            except GrammarError as error:
                return f"'args': {error.message}"
    return ""


def _acl(engine: Engine, words: Sequence[str]) -> str:
    """An ACL of a message; its names are known to the events beneath it."""
    name = words[1] if len(words) > 1 else ""
    try:
        parsed = parse_acl(words, 2)
    except GrammarError as error:
        return f"'acl {name}': {error.message}"
    engine.acls.setdefault(name, []).append(parsed)
    return ""


def _condition(engine: Engine, words: Sequence[str]) -> str:
    """The condition behind an event."""
    try:
        parse_condition(words, engine.acls, 2)
    except GrammarError as error:
        return f"'event {words[1]}': {error.message}"
    return ""
