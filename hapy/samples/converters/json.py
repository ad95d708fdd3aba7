"""`json_query`: one value of a JSON text, named by a path (configuration manual, 7.3.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, cast as typed

from hapy.samples.environment import CompileEnv, CompileError
from hapy.samples.registry import Args, Converter, converter
from hapy.samples.types import INT_MAX, INT_MIN, Result

_STEP: Final = re.compile(r"\.((?:\\.|[^.\[\]\\])+)|\[(\d+)\]")


class _Number(str):
    """A number as the text writes it."""

    __slots__ = ()


def parse_path(path: str) -> tuple[str | int, ...]:
    r"""The steps of `$.name.other[0]`; `\.` is a dot in a name.

    Raises:
        CompileError: when it isn't such a path.
    """
    if not path.startswith("$"):
        raise CompileError(f"json path {path!r} must begin with '$'")
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise CompileError(f"json path {path!r} is not understood at character {position + 1}")
        steps.append(re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else int(match[2]))
        position = match.end()
    return tuple(steps)


def query(path: str, output: str) -> Callable[[bytes], Result]:
    """The callable that finds the path's value in a JSON text; None where there is none.

    Args:
        path: as `parse_path` takes it.
        output: empty, or `int` to have an integer.

    Raises:
        CompileError: for a bad path or an unknown output type.
    """
    if output not in ("", "int"):
        raise CompileError(f"json_query: output type {output!r} is not 'int'")
    steps = parse_path(path)
    decoder = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number)

    def find(text: bytes) -> Result:
        try:
            value = decoder.decode(text.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            return None
        for step in steps:
            if isinstance(step, int):
                if not isinstance(value, list) or step >= len(value):
                    return None
                value = value[step]
            else:
                if not isinstance(value, dict) or step not in value:
                    return None
                value = value[step]
        return _result(value, as_int=output == "int")

    return find


def _result(value: object, *, as_int: bool) -> Result:
    """A JSON value as a sample: numbers that aren't whole stay text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, _Number):
        try:
            number = int(value) if not as_int else int(float(value))
        except (ValueError, OverflowError):
            return value.encode()
        return max(INT_MIN, min(INT_MAX, number))
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogateescape")
    return None


@converter("json_query", takes="str", gives="any")
def _json_query(args: Args, env: CompileEnv) -> Converter:
    return typed(Converter, query(args.string(0), args.string(1, "")))
