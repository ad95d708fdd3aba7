"""The actions, one module per kind of effect. Importing the package registers all."""

from hapy.rules.actions import (
    addresses,
    answers,
    flow,
    headers,
    normalizing,
    packets,
    prefaces,
    resolving,
    services,
    targets,
    variables,
)

__all__ = [
    "addresses",
    "answers",
    "flow",
    "headers",
    "normalizing",
    "packets",
    "prefaces",
    "resolving",
    "services",
    "targets",
    "variables",
]
