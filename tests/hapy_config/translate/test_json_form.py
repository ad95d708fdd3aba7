"""The model as JSON, its schema, and the text written from it."""

from __future__ import annotations

import contextlib
import json
from contextlib import chdir
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.corpus_differences import corpus
from hapy_config.api import read_config, read_text
from hapy_config.source import Source
from hapy_config.translate.compare import differences
from hapy_config.translate.json_form import BadFormError, decode, encode, from_json, schema, to_json

EXAMPLES = sorted((Path(__file__).parents[3] / "examples/haproxy_cfgs").glob("*.cfg"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_comes_back_the_same(path: Path) -> None:
    config = read_text(path.read_text(), assume_machine=True).config
    assert config is not None
    text = to_json(config).files["config.json"]
    assert encode(decode(text)) == encode(config)
    outcome = from_json([Source.from_text("config.json", text)])
    assert outcome.notes == ()


def test_rules_of_a_statistics_page_come_back() -> None:
    text = (
        "listen l\n mode http\n bind :80\n stats http-request set-header X-A %[src]\n stats http-request auth realm x\n"
    )
    config = read_text(text, assume_machine=True).config
    assert config is not None
    assert list(differences(config)) == []


def test_users_without_a_password_come_back() -> None:
    text = "userlist l\n group g users a\n user a insecure-password\n user b\n user c password $5$x\n"
    config = read_text(text).config
    assert config is not None
    assert list(differences(config)) == []


def test_the_schema_describes_what_is_written() -> None:
    whole = schema()
    jsonschema.Draft202012Validator.check_schema(whole)
    validator = jsonschema.Draft202012Validator(whole)
    for path in EXAMPLES:
        config = read_text(path.read_text(), assume_machine=True).config
        assert config is not None
        validator.validate(json.loads(to_json(config).files["config.json"]))
    assert not validator.is_valid({"hapy_config": 1, "config": {"$": "Config", "bogus": 1}})
    assert not validator.is_valid({"hapy_config": 1, "config": {"$": "Config", "proxies": [{"$": "Proxy"}]}})


def test_real_files_come_back_the_same() -> None:
    folder = corpus()
    if folder is None:
        pytest.skip("no corpus of real configurations (HAPY_CORPUS or ../shared/corpus)")
    validator = jsonschema.Draft202012Validator(schema())
    count, different = 0, []
    with chdir(folder):
        for path in sorted(folder.glob("*.cfg")):
            config = read_config([path.name], assume_machine=True).config
            if config is None:
                continue
            text = to_json(config).files["config.json"]
            model = decode(text)
            same = encode(model) == encode(config) and not list(differences(model))
            if not same or not validator.is_valid(json.loads(text)):
                different.append(path.name)
            count += 1
    assert different == []
    assert count > 200


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("[]", "expects an object"),
        ('{"hapy_config": 1, "config": {"$": "Config", "bogus": 1}}', "has no 'bogus'"),
        ('{"hapy_config": 1, "config": {"$": "Config", "proxies": [{"$": "Proxy"}]}}', "missing"),
        ('{"hapy_config": 1, "config": {"$": "Config", "global": {"$": "Global", "maxconn": "x"}}}', "maxconn"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(BadFormError, match=reason):
        decode(text)


@pytest.mark.parametrize(
    ("arguments", "reason"), [({}, "lacks its 'name'"), ({"reply": 5, "name": "x"}, "not its own|no whole")]
)
def test_actions_without_their_arguments(arguments: dict[str, object], reason: str) -> None:
    rule = {
        "$": "Rule",
        "ruleset": "http-request",
        "action": "del-header",
        "word": "del-header",
        "arguments": arguments,
    }
    proxy = {
        "$": "Proxy",
        "name": "f",
        "kind": "frontend",
        "number": 1,
        "mode": "http",
        "rules": {"http-request": [rule]},
    }
    text = json.dumps({"hapy_config": 1, "config": {"$": "Config", "proxies": [proxy]}})
    with pytest.raises(BadFormError, match=reason):
        from_json([Source.from_text("config.json", text)])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["Proxy", "Config", "bytes"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$", "proxies", "global", "name", "kind", "rules"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(_JSON)
def test_other_json_is_refused_or_read(value: object) -> None:
    with contextlib.suppress(BadFormError):
        decode(json.dumps({"hapy_config": 1, "config": value}))
