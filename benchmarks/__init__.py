"""Ratios against haproxy in one run. Never tests: absolute figures depend on the machine, ratios within a run hold."""
