"""Conditions in the words of the access filter, which closes the door before any route is looked at."""

from __future__ import annotations

from collections.abc import Iterator

from hapy_config.translate.envoy.matching import Json, match_of
from hapy_config.translate.flow import TRUE, Every, Formula, Not, Some, Test, Untranslatable, alternatives, simplified


def policies(whole: Formula) -> Iterator[Json]:
    """The policies that together hold where a condition does.

    Raises:
        Untranslatable: the filter can't look at what it looks at.
    """
    for tests in alternatives(simplified(whole), 32):
        ports = [_port(one, wanted=wanted) for one, wanted in tests if one.subject.kind == "dst_port"]
        others = tuple(one if wanted else Not(one) for one, wanted in tests if one.subject.kind != "dst_port")
        yield {
            "permissions": [{"and_rules": {"rules": ports}} if ports else {"any": True}],
            "principals": [_principal(simplified(Every(others)))],
        }


def _port(one: Test, *, wanted: bool) -> Json:
    """A test of the port that a client came to, as a permission of the access filter."""
    rules: list[Json] = [{"destination_port": int(value)} for value in one.values]
    found: Json = rules[0] if len(rules) == 1 else {"or_rules": {"rules": rules}}
    return found if wanted else {"not_rule": found}


def _principal(whole: Formula) -> Json:
    """A condition in the words of the access filter."""
    if isinstance(whole, Not):
        return {"not_id": _principal(whole.part)}
    if isinstance(whole, Every | Some):
        if not whole.parts:
            return {"any": True} if whole == TRUE else {"not_id": {"any": True}}
        word = "and_ids" if isinstance(whole, Every) else "or_ids"
        return {word: {"ids": [_principal(one) for one in whole.parts]}}
    if whole.subject.kind == "src" and whole.how == "network":
        ids = []
        for value in whole.values:
            prefix, _, length = value.partition("/")
            width = int(length) if length.isdecimal() else 128 if ":" in prefix else 32
            ids.append({"direct_remote_ip": {"address_prefix": prefix, "prefix_len": width}})
        return ids[0] if len(ids) == 1 else {"or_ids": {"ids": ids}}
    if whole.subject.kind == "path" and whole.how != "present":
        texts = [{"prefix": value} if whole.how == "prefix" else {"exact": value} for value in whole.values]
        if whole.how in ("exact", "prefix") and not whole.ignore_case:
            ids = [{"url_path": {"path": one}} for one in texts]
            return ids[0] if len(ids) == 1 else {"or_ids": {"ids": ids}}
    headers = match_of([(whole, True)])
    if "headers" not in headers or len(headers["headers"]) != 1:
        if "safe_regex" in headers:
            return {"url_path": {"path": {"safe_regex": headers["safe_regex"]}}}
        raise Untranslatable("the access filter can't look at it")
    return {"header": headers["headers"][0]}
