"""The tables of words inside statements: complete against HAProxy's own lists, their examples judged by the real haproxy."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hapy_config.grammar.conditions import parse_acl
from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.expressions import parse_expression
from hapy_config.grammar.formats import parse_format
from hapy_config.keywords import table
from hapy_config.keywords.acls import ACL_KEYWORDS, DEFAULT_MATCH, MATCH_TYPES
from hapy_config.keywords.actions import ACTIONS, of_ruleset
from hapy_config.keywords.actions_spec import RULESETS
from hapy_config.keywords.converters import CONVERTERS
from hapy_config.keywords.fetches import FETCHES
from hapy_config.keywords.samples import CASTS, PARAMETER_TYPES, PLACE_NAMES, TYPES, places
from hapy_config.keywords.spec import NEWEST, OLDEST, TARGET, Runs

HERE = Path(__file__).parent
FAMILIES = [
    "binds",
    "servers",
    "actions",
    "fetches",
    "converters",
    "log-aliases",
    "filters",
    "services",
    "runtime-api",
    "crt-list",
]


def lines(file: str) -> list[str]:
    return [line for line in (HERE / file).read_text().splitlines() if line and not line.startswith("#")]


def registered(family: str) -> list[str]:
    found = [line.partition(" ")[2] for line in lines("haproxy-2.6-words.txt") if line.startswith(family + " ")]
    assert found
    return found


def known(family: str) -> set[str]:
    """What the table says the 2.6 of Debian knows."""
    return {entry.name for entry in table(family) if entry.known_in(TARGET) and not entry.needs}


def test_fetches_are_those_of_haproxy() -> None:
    seen = set()
    for line in registered("fetch"):
        matrix, _, rest = line.partition(" ")
        match = re.match(r"([\w.+-]+)(?:\((.*)\))?: (\w+)$", rest)
        assert match is not None, line
        entry = FETCHES[match[1]]
        assert (entry.signature, entry.type, entry.places) == (match[2] or "", match[3], places(matrix)), line
        seen.add(match[1])
    assert known("fetches") == seen | {"lua.*"}


def test_converters_are_those_of_haproxy() -> None:
    seen = set()
    for line in registered("converter"):
        match = re.match(r"([\w-]+)(?:\((.*)\))?: (\w+) => (\w+)$", line)
        assert match is not None, line
        entry = CONVERTERS[match[1]]
        assert (entry.signature, entry.type, entry.takes) == (match[2] or "", match[3], match[4]), line
        seen.add(match[1])
    assert known("converters") == seen | {"lua.*"}


def test_acl_keywords_are_those_of_haproxy() -> None:
    expected = {}
    for line in registered("acl"):
        name, _, meaning = line.partition(" = ")
        fetch, _, match = meaning.partition(" -m ")
        expected[name] = (fetch, match)
    assert expected == ACL_KEYWORDS


@pytest.mark.parametrize(
    ("family", "name", "beside"),
    [
        ("bind", "binds", {"ssl"}),
        ("server", "servers", set()),
        ("filter", "filters", set()),
        ("cli", "runtime-api", set()),
        ("crt-list", "crt-list", set()),
    ],
)
def test_words_are_those_of_haproxy(family: str, name: str, beside: set[str]) -> None:
    assert known(name) == set(registered(family)) | beside


def test_actions_are_those_of_haproxy() -> None:
    # What HAProxy has built in it does not list.
    built_in = {
        "tcp-request connection": {"accept", "expect-netscaler-cip", "expect-proxy", "reject", "track-sc*"},
        "tcp-request session": {"accept", "reject", "track-sc*"},
        "tcp-request content": {"accept", "capture", "reject", "track-sc*"},
        "tcp-response content": {"accept", "close", "reject"},
    }
    for ruleset in RULESETS.values():
        words = {line.removeprefix(ruleset + " ") for line in registered("action") if line.startswith(ruleset + " ")}
        assert of_ruleset(ruleset) == words | built_in.get(ruleset, set()), ruleset


@pytest.mark.parametrize("version", ["2.6", "3.4"])
def test_every_word_of_the_manual_has_an_entry(version: str) -> None:
    number = (int(version[0]), int(version[2]))
    missing = []
    for line in lines("haproxy-manual-words.txt"):
        of, family, *rest = line.split()
        if of != version:
            continue
        if family == "action":
            names = {name.rstrip("*") for name in of_ruleset(" ".join(rest[:-1]), number)}
            if rest[-1] not in names:
                missing.append(line)
            continue
        entry = table(
            {"bind": "binds", "server": "servers", "fetch": "fetches", "converter": "converters"}[family]
        ).get(rest[0])
        if entry is None or not entry.known_in(number):
            missing.append(line)
    # The manuals describe these before (or without) the program knowing them.
    assert missing == (
        ["2.6 fetch set-cookie", "2.6 server no-verifyhost"] if version == "2.6" else ["3.4 fetch set-cookie"]
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_entries_are_consistent(family: str) -> None:
    assert len(table(family)) > 0
    for entry in table(family):
        where = f"{family}: {entry.name}"
        assert OLDEST <= entry.since <= NEWEST, where
        assert entry.deprecated is None or entry.since <= entry.deprecated <= NEWEST, where
        assert entry.deprecated is None or entry.instead, where
        assert entry.removed is None or entry.since < entry.removed <= NEWEST, where
        assert entry.loss if entry.runs is Runs.NO else entry.runs is Runs.HARMLESS or not entry.loss, where
        assert not entry.loss.endswith("."), where
        assert entry.manual, where
        assert not (entry.since > TARGET and (entry.ok or entry.bad)), where
        optional = False
        for argument in entry.args:
            assert argument.optional or not optional, where
            optional = argument.optional


def test_samples_are_consistent() -> None:
    for entry in [*FETCHES.values(), *CONVERTERS.values()]:
        types, required = entry.parameters
        assert set(types) <= PARAMETER_TYPES, entry.name
        assert required <= len(types), entry.name
        assert entry.type in TYPES, entry.name
    assert all(entry.takes in TYPES for entry in CONVERTERS.values())
    assert all(entry.places for entry in FETCHES.values())
    assert set(CASTS) == TYPES
    assert set(DEFAULT_MATCH) < TYPES
    assert set(MATCH_TYPES.values()) < TYPES
    assert len(PLACE_NAMES) == 22


def test_actions_name_their_rulesets() -> None:
    for entry in ACTIONS.values():
        assert entry.rulesets, entry.name
        assert min(entry.rulesets.values()) == entry.since, entry.name
        assert set(entry.rulesets) <= set(RULESETS.values()), entry.name


def test_the_grammar_takes_the_examples_of_fetches_and_converters() -> None:
    for entry in [*FETCHES.values(), *CONVERTERS.values()]:
        for line in entry.ok:
            parse_acl(line.split(), 2)
        for line in entry.bad:
            with pytest.raises(GrammarError):
                parse_acl(line.split(), 2)
        if entry.known_in(TARGET) and not entry.needs and entry.name != "lua.*":
            assert entry.ok, entry.name
    for name, (fetch, match) in ACL_KEYWORDS.items():
        assert fetch in FETCHES, name
        assert match in MATCH_TYPES, name


def test_the_grammar_takes_the_examples_of_log_variables() -> None:
    for entry in table("log-aliases"):
        for line in entry.ok:
            parse_format(line.split()[1])
        for line in entry.bad:
            with pytest.raises(GrammarError):
                parse_format(line.split()[1])


def test_newer_words_are_told_from_unknown_ones() -> None:
    assert table("actions").get("pause") is not None
    assert table("actions").get("set-var(txn.x)") is table("actions").get("set-var*")
    assert table("actions").get("nonesuch") is None
    with pytest.raises(GrammarError):
        parse_expression("fs.aborted")
    assert parse_expression("fc_pp_tlv(1)").fetch.args == ("1",)  # newer, too, but hapy runs it


@pytest.mark.referee
@pytest.mark.parametrize("family", ["actions", "fetches", "converters", "filters", "services"])
def test_haproxy_judges_the_examples(judge, family: str) -> None:
    _judge(judge, family)


@pytest.mark.referee
@pytest.mark.parametrize(("family", "section"), [("binds", "frontend f"), ("servers", "backend b")])
def test_haproxy_judges_the_examples_of_options(judge, tmp_path, family: str, section: str) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing: no certificate for the examples of TLS options")
    key, certificate = tmp_path / "key.pem", tmp_path / "ca.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=a.example -days 30"
    made = subprocess.run(
        ["openssl", *request.split(), "-keyout", key, "-out", certificate], capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr
    (tmp_path / "site.pem").write_bytes(key.read_bytes() + certificate.read_bytes())
    (tmp_path / "crt.list").write_text("site.pem\n")
    _judge(judge, family, section)


def _judge(judge, family: str, section: str | None = None) -> None:
    examples = [
        (line, good)
        for entry in table(family)
        for good, group in ((True, entry.ok), (False, entry.bad))
        for line in group
    ]
    assert examples
    numbered = [line.replace("server s1 ", f"server s{index} ") for index, (line, _) in enumerate(examples)]
    verdicts = judge(numbered, section) if section else judge(numbered)
    wrong = [
        f"{line}: {'refused: ' + verdict if verdict else 'accepted'}"
        for (line, good), verdict in zip(examples, verdicts, strict=True)
        if good == (verdict is not None)
    ]
    assert wrong == []
