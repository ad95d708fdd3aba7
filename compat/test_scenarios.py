"""Every scenario against both programs."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

from compat import scenarios
from compat.deviations import DEVIATIONS
from compat.harness import compare
from compat.harness.world import Scenario


def all_scenarios() -> Iterator[tuple[str, Scenario]]:
    """Each public function of the scenario modules that takes a world, and what their `FAMILY` tables add."""
    for module_info in pkgutil.iter_modules(scenarios.__path__):
        module = importlib.import_module(f"compat.scenarios.{module_info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            takes = list(inspect.signature(function).parameters)
            if takes == ["world"] and function.__module__ == module.__name__ and not name.startswith("_"):
                yield f"{module_info.name}:{name}", function
        for name, function in getattr(module, "FAMILY", {}).items():
            yield f"{module_info.name}:{name}", function


SCENARIOS = dict(all_scenarios())


@pytest.mark.referee
@pytest.mark.timeout(180)  # a race that went the other way is run again
@pytest.mark.parametrize("name", SCENARIOS)
def test_hapy_does_as_haproxy(name: str, haproxy: str) -> None:  # noqa: ARG001  (the fixture skips)
    if name not in DEVIATIONS:
        compare(SCENARIOS[name])
        return
    with pytest.raises(AssertionError):
        compare(SCENARIOS[name], attempts=1)


def test_deviations_name_scenarios() -> None:
    assert set(DEVIATIONS) <= set(SCENARIOS)
