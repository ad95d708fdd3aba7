"""The keyword tables say truthfully what runs."""

from __future__ import annotations

import pkgutil

import pytest

from hapy import rules, samples
from hapy.samples import converters, expression, fetches
from hapy_config.keywords import table
from hapy_config.keywords.actions import ACTIONS
from hapy_config.keywords.spec import TARGET, Runs


@pytest.mark.parametrize(
    ("package", "listed"), [(fetches, expression._FETCH_MODULES), (converters, expression._CONVERTER_MODULES)]
)
def test_every_module_is_looked_into(package, listed):
    assert {module.name for module in pkgutil.iter_modules(package.__path__)} == set(listed)


@pytest.mark.parametrize("family", ["fetches", "converters"])
def test_samples_that_the_table_runs_are_registered(family):
    promised = {entry.name for entry in table(family) if entry.runs is Runs.YES and entry.known_in(TARGET)}
    assert promised - samples.registered()[family] == set()


@pytest.mark.parametrize("family", ["fetches", "converters"])
def test_registered_samples_are_known_to_run(family):
    running = {entry.name for entry in table(family) if entry.runs is Runs.YES}
    assert samples.registered()[family] - running == set()


@pytest.mark.parametrize("ruleset", rules.registered())
def test_actions(ruleset):
    promised = {name for name, entry in ACTIONS.items() if entry.runs is Runs.YES and entry.in_ruleset(ruleset, TARGET)}
    if ruleset == "tcp-request content":
        promised.discard("use-service")  # all services that hapy has are for HTTP
    assert promised == rules.registered()[ruleset]
