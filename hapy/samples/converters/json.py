"""`json_query`: one value of a JSON text, named by a path (configuration manual, 7.3.1)."""

from __future__ import annotations

from typing import cast as typed

from hapy.samples.environment import CompileEnv
from hapy.samples.json_path import query
from hapy.samples.registry import Args, Converter, converter


@converter("json_query", takes="str", gives="any")
def _json_query(args: Args, env: CompileEnv) -> Converter:
    return typed(Converter, query(args.string(0), args.string(1, "")))
