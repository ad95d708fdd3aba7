"""The converters, one module per kind of value. Importing the package registers all."""

from hapy.samples.converters import (
    binary,
    dates,
    digests,
    escapes,
    integers,
    json,
    lookups,
    maps,
    text,
    tokens,
    variables,
)

__all__ = [
    "binary",
    "dates",
    "digests",
    "escapes",
    "integers",
    "json",
    "lookups",
    "maps",
    "text",
    "tokens",
    "variables",
]
