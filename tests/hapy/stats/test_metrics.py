"""The exporter's query, and that its table of metrics names fields that there are."""

from __future__ import annotations

import re

import pytest

from hapy.runtime_api import process_fields, stat_fields
from hapy.stats.metric_names import METRICS, PROCESS
from hapy.stats.metrics import Asked, asked

_ALL = frozenset({"global", "frontend", "listener", "backend", "server"})


@pytest.mark.parametrize(
    ("query", "scopes", "no_maintenance"),
    [
        (b"", _ALL, False),
        (b"?x=y", _ALL, False),
        (b"?no-maint", _ALL, True),
        (b"?scope=", frozenset(), False),
        (b"?scope=*", _ALL, False),
        (b"?scope=server&scope=global&no-maint=1", frozenset({"server", "global"}), True),
        (b"?scope=server&scope=&scope=%66rontend", frozenset({"frontend"}), False),
        (b"?scope=sticktable", frozenset(), False),
    ],
)
def test_what_a_query_asks_for(query: bytes, scopes: frozenset[str], no_maintenance: bool) -> None:
    assert asked(b"/metrics" + query) == Asked(scopes, no_maintenance)


@pytest.mark.parametrize("query", [b"?scope=nope", b"?scope=server&scope=x", b"?scope=Server"])
def test_a_query_that_is_not_understood(query: bytes) -> None:
    assert asked(b"/metrics" + query) is None


def test_every_metric_has_a_field() -> None:
    known = {field.name for field in stat_fields.FIELDS}
    assert {metric.field for metric in METRICS} - known == {"hrsp"}
    told = {field.name for field in process_fields.FIELDS}
    assert {metric.field for metric in PROCESS} - told == {"ZlibMemUsage", "MaxZlibMemUsage"}


def test_names_are_names() -> None:
    for metrics in (METRICS, PROCESS):
        assert len({metric.name for metric in metrics}) == len(metrics)
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", metric.name) for metric in metrics)
        assert all(metric.help and "\\" not in metric.help for metric in metrics)
