"""ACLs and conditions compiled to predicates of a transaction.

Each test becomes the cheapest callable that decides it; no pattern is parsed while a request is served.
"""

from __future__ import annotations

from hapy.acl.conditions import compile_condition

__all__ = ["compile_condition"]
