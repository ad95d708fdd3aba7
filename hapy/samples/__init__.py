"""Sample expressions and log formats compiled to plain callables of a transaction.

One decorated builder per fetch and per converter; all arguments are read at start. Nothing here touches a socket, and
nothing here decides anything: that is what rules and ACLs do with the values.
"""

from __future__ import annotations

from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.expression import compile_expression, compile_values, output_type, registered
from hapy.samples.types import Binary, Result, Value

__all__ = [
    "Binary",
    "CompileEnv",
    "CompileError",
    "Result",
    "Value",
    "compile_expression",
    "compile_values",
    "output_type",
    "registered",
]
