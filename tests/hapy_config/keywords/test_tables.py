"""The statement tables: complete against HAProxy's own lists, and their examples judged by the real haproxy."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from hapy_config.keywords import FAMILIES, table
from hapy_config.keywords.sections import CONTEXTS
from hapy_config.keywords.spec import NEWEST, OLDEST, TARGET, Context, Keyword, Kind, Runs, Table

HERE = Path(__file__).parent
STATEMENTS = [family for family in FAMILIES if FAMILIES[family] in {"globals_", "proxies", "options", "others"}]

#: The section in which a family's examples are tried.
HEADERS = {
    "globals": "global",
    "userlist": "userlist a",
    "peers": "peers a",
    "mailers": "mailers a",
    "cache": "cache a",
    "http-errors": "http-errors a",
    "ring": "ring a",
    "log-forward": "log-forward a",
    "program": "program a",
    "fcgi-app": "fcgi-app a",
    "resolvers": "resolvers a",
}
#: HAProxy stops at the 50th fatal error.
BATCH = 40
_REPORT = re.compile(r"^\[(ALERT|WARNING)\]\s+\(\d+\) : (?:config : )?(?:parsing )?.*?\.cfg:(\d+)\]?.*$", re.MULTILINE)


def names(file: str) -> list[list[str]]:
    lines = (HERE / file).read_text().splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("family", ["globals", "proxies", "options"])
def test_every_registered_name_has_an_entry(family: str) -> None:
    wanted = [name for of, name in names("haproxy-2.6-keywords.txt") if of == family]
    assert len(wanted) > 20
    first_words = {entry.name.split()[0] for entry in table(family)}
    assert [name for name in wanted if name not in first_words] == []


@pytest.mark.parametrize("version", ["1.8", "2.6", "2.8", "3.0", "3.2", "3.4"])
def test_every_name_of_the_manual_has_an_entry(version: str) -> None:
    missing = []
    for of, family, *words in names("haproxy-manual-keywords.txt"):
        if of != version:
            continue
        found = table(family).find([word.replace("*", "(x)") for word in words])
        number = tuple(map(int, version.split(".")))
        if found is None:
            missing.append((family, words))
        elif not found[0].known_in((number[0], number[1])) and (family, words[0]) != ("peers", "shards"):
            missing.append((family, words, "not known in that version"))
    assert missing == []


def test_every_section_has_a_context_and_a_table() -> None:
    assert {entry.name for entry in table("sections")} == set(CONTEXTS)
    for name in CONTEXTS:
        family = {"global": "globals", "defaults": "proxies", "frontend": "proxies"}.get(name, name)
        assert family in FAMILIES or family in {"listen", "backend"}


@pytest.mark.parametrize("family", ["sections", *STATEMENTS])
def test_entries_are_consistent(family: str) -> None:
    for entry in table(family):
        where = f"{family}: {entry.name}"
        assert OLDEST <= entry.since <= NEWEST, where
        if entry.deprecated is not None:
            assert entry.since <= entry.deprecated <= NEWEST, where
            assert entry.instead, where
        if entry.removed is not None:
            assert entry.since < entry.removed <= NEWEST, where
            assert entry.instead, where
        assert bool(entry.loss) == (entry.runs is not Runs.YES), where
        assert entry.manual, where
        assert not entry.where & entry.ignored, where
        for argument in entry.args:
            assert bool(argument.choices) == (argument.kind is Kind.CHOICE), where
        optional = [argument.optional for argument in entry.args]
        assert optional == sorted(optional), where
        if entry.args and entry.known_in(TARGET) and not entry.needs and not entry.experimental:
            assert entry.ok or entry.bad, where
        for line in (*entry.ok, *entry.bad):
            assert line.split() == line.split(" "), where


def test_lookup_prefers_the_longest_name() -> None:
    proxies = table("proxies")
    found = proxies.find(["capture", "request", "header", "x", "len", "5"])
    assert found is not None
    assert (found[0].name, found[1]) == ("capture request header", 3)
    found = proxies.find(["http-check", "set-var-fmt(check.a)", "x"])
    assert found is not None
    assert found[0].name == "http-check set-var-fmt*"
    assert proxies.find(["nothing"]) is None


def test_a_family_cannot_hold_a_name_twice() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        Table("t", [Keyword(name="a"), Keyword(name="a")])


def test_unknown_family() -> None:
    with pytest.raises(KeyError):
        table("nothing")


# The referee


def section_of(family: str, entry: Keyword) -> str:
    if family in HEADERS:
        return HEADERS[family]
    for context, header in (
        (Context.LISTEN, "listen a"),
        (Context.BACKEND, "backend a"),
        (Context.FRONTEND, "frontend a"),
        (Context.DEFAULTS, "defaults a"),
    ):
        if entry.where & context:
            return header
    raise AssertionError(entry.name)


def reports(haproxy: str, tmp_path: Path, header: str, lines: list[str]) -> list[tuple[str, int]]:
    """What haproxy says of the lines: severity and index."""
    file = tmp_path / "a.cfg"
    file.write_text("\n".join([header, *lines]) + "\n")
    result = subprocess.run(
        [haproxy, "-c", "-f", str(file)], capture_output=True, text=True, errors="replace", check=False, timeout=30
    )
    return [(severity, int(line) - 2) for severity, line in _REPORT.findall(result.stderr)]


def alerts(haproxy: str, tmp_path: Path, header: str, lines: list[str]) -> set[int]:
    """The indices of the lines that haproxy refuses."""
    return {index for severity, index in reports(haproxy, tmp_path, header, lines) if severity == "ALERT"}


def examples(family: str, kind: str) -> dict[str, list[str]]:
    """Example lines by section header."""
    found: dict[str, list[str]] = defaultdict(list)
    for entry in table(family):
        lines = entry.ok if kind == "ok" else entry.bad
        found[section_of(family, entry)].extend(lines)
    return found


TRIED = [family for family in STATEMENTS if family not in {"log-profile", "crt-store", "traces", "acme", "healthcheck"}]


@pytest.mark.referee
@pytest.mark.parametrize("family", TRIED)
def test_haproxy_accepts_the_good_examples(family: str, haproxy: str, tmp_path: Path) -> None:
    for header, lines in examples(family, "ok").items():
        for begin in range(0, len(lines), BATCH):
            batch = lines[begin : begin + BATCH]
            refused = [batch[index] for index in alerts(haproxy, tmp_path, header, batch) if 0 <= index < len(batch)]
            # Some lines contradict each other; each must be right on its own.
            assert [line for line in refused if alerts(haproxy, tmp_path, header, [line])] == [], header


@pytest.mark.referee
@pytest.mark.parametrize("family", TRIED)
def test_haproxy_refuses_the_bad_examples(family: str, haproxy: str, tmp_path: Path) -> None:
    for header, lines in examples(family, "bad").items():
        for begin in range(0, len(lines), BATCH):
            batch = lines[begin : begin + BATCH]
            refused = alerts(haproxy, tmp_path, header, batch)
            accepted = [line for index, line in enumerate(batch) if index not in refused]
            # An error may end the reading, so the lines after it are tried alone.
            assert [line for line in accepted if not alerts(haproxy, tmp_path, header, [line])] == [], header


@pytest.mark.referee
def test_haproxy_judges_section_headers_alike(haproxy: str, tmp_path: Path) -> None:
    for entry in table("sections"):
        for line in entry.ok:
            assert not alerts(haproxy, tmp_path, line, []), line
        for line in entry.bad:
            assert alerts(haproxy, tmp_path, line, []), line


@pytest.mark.referee
@pytest.mark.parametrize("family", ["proxies", "options"])
def test_haproxy_agrees_on_sections(family: str, haproxy: str, tmp_path: Path) -> None:
    """Where a keyword may stand, is ignored with a warning, or is refused."""
    wrong = []
    for context, header in (
        (Context.DEFAULTS, "defaults a"),
        (Context.FRONTEND, "frontend a"),
        (Context.LISTEN, "listen a"),
        (Context.BACKEND, "backend a"),
    ):
        entries = [entry for entry in table(family) if entry.ok and entry.known_in(TARGET)]
        for begin in range(0, len(entries), BATCH):
            batch = entries[begin : begin + BATCH]
            lines = [entry.ok[0] for entry in batch]
            together = reports(haproxy, tmp_path, header, lines)
            for index, entry in enumerate(batch):
                allowed = bool((entry.where | entry.ignored) & context)
                if (("ALERT", index) in together) == allowed and bool(
                    alerts(haproxy, tmp_path, header, [lines[index]])
                ) == allowed:
                    wrong.append((header, lines[index], "refused" if allowed else "accepted"))
                if entry.ignored & context and ("WARNING", index) not in together:
                    wrong.append((header, lines[index], "taken without a warning"))
    assert wrong == []


@pytest.mark.referee
def test_the_checked_in_list_is_what_haproxy_registers(haproxy: str) -> None:
    printed = subprocess.run(
        [haproxy, "-dKcfg", "-q", "-c", "-f", "/dev/null"], capture_output=True, text=True, check=False, timeout=30
    ).stdout
    if (
        "HAProxy version 2.6."
        not in subprocess.run([haproxy, "-v"], capture_output=True, text=True, check=False).stdout
    ):
        pytest.skip("the installed haproxy is not a 2.6")
    registered = set()
    section = ""
    for line in printed.splitlines():
        if not line.startswith("\t"):
            section = line.strip()
        elif section == "global":
            registered.add(("globals", line.split()[0]))
        elif section == "listen" and line.startswith("\toption "):
            registered.add(("options", line.split()[1]))
    listed = {(of, name) for of, name in names("haproxy-2.6-keywords.txt") if of in {"globals", "options"}}
    assert listed == registered
