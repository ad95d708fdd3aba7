"""The scenarios, by area. Each is a function of a `World`; `compat/test_scenarios.py` runs them all."""
