"""The model as JSON, its schema, and the text written from it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy_config.api import read_text
from hapy_config.source import Source
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


def fits(value: object, shape: dict[str, Any], root: dict[str, Any]) -> bool:
    """The part of JSON schema that the form's own schema uses."""
    if "$ref" in shape:
        shape = root["$defs"][str(shape["$ref"]).rpartition("/")[2]]
    if "anyOf" in shape:
        return any(fits(value, one, root) for one in shape["anyOf"])
    if "const" in shape and value != shape["const"]:
        return False
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    if "type" in shape and not isinstance(value, kinds[str(shape["type"])]):
        return False
    if isinstance(value, list):
        return all(fits(one, shape.get("items", {}), root) for one in value)
    if isinstance(value, dict):
        known = shape.get("properties", {})
        more = shape.get("additionalProperties", {})
        if not set(shape.get("required", ())) <= set(value):
            return False
        return all(
            fits(one, known[key], root) if key in known else more is not False and fits(one, more, root)
            for key, one in value.items()
        )
    return True


def test_the_schema_describes_what_is_written() -> None:
    whole = schema()
    for path in EXAMPLES:
        config = read_text(path.read_text(), assume_machine=True).config
        assert config is not None
        assert fits(json.loads(to_json(config).files["config.json"]), whole, whole)
    assert not fits({"hapy_config": 1, "config": {"$": "Config", "bogus": 1}}, whole, whole)
    assert not fits({"hapy_config": 1, "config": {"$": "Config", "proxies": [{"$": "Proxy"}]}}, whole, whole)


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
