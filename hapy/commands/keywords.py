"""`-dK`: the keywords that hapy runs, by class, in the format of `haproxy -dK`.

A keyword that hapy only knows is not in the list, so a difference between both programs' lists is what hapy lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from hapy_config.keywords import table
from hapy_config.keywords.acls import ACL_KEYWORDS
from hapy_config.keywords.actions_spec import RULESETS, Action
from hapy_config.keywords.binds import BindOption
from hapy_config.keywords.samples import PLACE_NAMES, Converter, Fetch
from hapy_config.keywords.spec import TARGET, Keyword, Runs

_HELP = """\
# List of supported keyword classes:
all: list all keywords
acl: ACL keywords
cfg: configuration keywords
cli: CLI keywords
cnv: sample converter keywords
flt: filter names
smp: sample fetch functions
svc: service names
"""


def dump(classes: str) -> str:
    """The lists of the classes named, joined by commas; `help` lists the classes, unknown ones are passed over."""
    names = classes.split(",")
    if "help" in names:
        return _HELP
    return "".join(text() for name, text in _CLASSES.items() if name in names or "all" in names)


def _run(entries: Iterable[Keyword]) -> list[Keyword]:
    return sorted(
        (entry for entry in entries if entry.runs is not Runs.NO and entry.known_in(TARGET)), key=lambda e: e.name
    )


def _section(title: str, lines: Iterable[str]) -> str:
    return f"# List of registered {title}:\n" + "".join(f"{line}\n" for line in lines)


def _acls() -> str:
    run = {entry.name for entry in _run(table("fetches"))}
    return _section(
        "ACL keywords",
        (f"{name} = {fetch} -m {match}" for name, (fetch, match) in sorted(ACL_KEYWORDS.items()) if fetch in run),
    )


def _configuration() -> str:
    lines = ["global", *(f"\t{entry.name}" for entry in _run(table("globals"))), "listen"]
    lines += [f"\t{entry.name}" for entry in _run(table("proxies"))]
    lines += [f"\toption {entry.name}" for entry in _run(table("options"))]
    for option in _run(table("binds")):
        tls = "ssl " if isinstance(option, BindOption) and option.tls else ""
        lines.append(f"\tbind <addr> {tls}{option.name}{_count(option)}")
    lines += [f"\tserver <name> <addr> {option.name}{_count(option)}" for option in _run(table("servers"))]
    actions = [action for action in _run(table("actions")) if isinstance(action, Action)]
    for ruleset in RULESETS.values():
        lines += [f"\t{ruleset} {action.name}" for action in actions if action.in_ruleset(ruleset)]
    for family in ("userlist", "peers", "crt-list"):
        lines += [family, *(f"\t{entry.name}{_count(entry)}" for entry in _run(table(family)))]
    return _section("configuration keywords", lines)


def _count(entry: Keyword) -> str:
    """How many words must follow the keyword, as `+1`."""
    needed = sum(not argument.optional for argument in entry.args)
    return f" +{needed}" if needed else ""


#: Commands that sessions themselves know, whichever process they talk to.
_OF_SESSIONS: Final = frozenset(
    {
        "expert-mode",
        "experimental-mode",
        "help",
        "operator",
        "prompt",
        "quit",
        "show cli level",
        "show cli sockets",
        "show version",
        "user",
    }
)


def _commands() -> str:
    return _section(
        "CLI keywords",
        (
            f"{entry.name} {'[MASTER] ' if entry.name in _OF_SESSIONS else ''}[WORKER] "
            for entry in _run(table("runtime-api"))
        ),
    )


def _converters() -> str:
    found = [entry for entry in _run(table("converters")) if isinstance(entry, Converter)]
    return _section(
        "sample converter functions",
        (f"{entry.name}{_arguments(entry.signature)}: {entry.type} => {entry.takes}" for entry in found),
    )


def _fetches() -> str:
    columns = list(PLACE_NAMES.items())
    header = []
    for index, (_place, name) in enumerate(columns):
        rest = len(columns) - index
        dashes = "_." + "-" * rest + " "
        header.append(f"# {' ' * rest}{'/ ' * index}{dashes}{name}")
    header += ["# " + "/ " * len(columns) + " ", "# " + "| " * len(columns)]
    lines = []
    for entry in _run(table("fetches")):
        if isinstance(entry, Fetch):
            matrix = " ".join("Y" if place in entry.places else "." for place, _name in columns)
            lines.append(f"[ {matrix} ] {entry.name}{_arguments(entry.signature)}: {entry.type}")
    return _section("sample fetch functions", [*header, *lines])


def _arguments(signature: str) -> str:
    return f"({signature})" if signature else ""


def _filters() -> str:
    return _section("filter names", (entry.name for entry in _run(table("filters"))))


def _services() -> str:
    return _section("service names", (entry.name for entry in _run(table("services"))))


_CLASSES: dict[str, Callable[[], str]] = {
    "acl": _acls,
    "cfg": _configuration,
    "cli": _commands,
    "cnv": _converters,
    "flt": _filters,
    "smp": _fetches,
    "svc": _services,
}
