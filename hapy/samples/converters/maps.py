"""The `map` converters: a file of keys and values, read once at start (configuration manual, 7.3.1)."""

from __future__ import annotations

from typing import Final

from hapy.acl.patterns import Lookup, make_lookup
from hapy.samples import regexes
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Converter, converter
from hapy.samples.types import Result, Value, clamp, parse_address

#: The ways to match, with the type of what comes in.
_INPUT: Final = {
    "str": "str",
    "beg": "str",
    "sub": "str",
    "dir": "str",
    "dom": "str",
    "end": "str",
    "reg": "str",
    "int": "sint",
    "ip": "addr",
}


def read_map(args: Args, env: CompileEnv) -> list[tuple[str, bytes]]:
    """The entries of the map file named by the first argument.

    Raises:
        CompileError: when it can't be read.
    """
    name = args.string(0)
    try:
        content = env.read_file(name)
    except OSError as error:
        raise args.error(f"can't open the map file {name!r}: {error.strerror}") from None
    return parse_map(content)


def parse_map(content: bytes) -> list[tuple[str, bytes]]:
    """Keys and values of a map file's lines; empty lines and those that begin with `#` are left out."""
    entries = []
    for line in content.split(b"\n"):
        if line[:1] == b"#":
            continue
        words = line.strip(b" \t\r").split(None, 1)
        if words:
            value = words[1] if len(words) > 1 else b""
            entries.append((words[0].decode("utf-8", "surrogateescape"), value))
    return entries


def _output(args: Args, kind: str, text: bytes) -> Value:
    """A value of the map in the type that the converter's name asks for."""
    if kind == "int":
        try:
            return clamp(int(text))
        except ValueError:
            raise args.error(f"value {text.decode('latin-1')!r} is not an integer") from None
    if kind == "ip":
        address = parse_address(text)
        if address is None:
            raise args.error(f"value {text.decode('latin-1')!r} is not an address")
        return address
    return text


def _register(match: str, output: str, *names: str) -> None:
    gives = {"str": "str", "int": "sint", "ip": "addr"}[output]

    def build(args: Args, env: CompileEnv) -> Converter:
        default = _output(args, output, args.data(1)) if len(args) > 1 else None
        entries = [(key, _output(args, output, value)) for key, value in read_map(args, env)]
        find: Lookup[Value] = make_lookup(match, entries)

        def look_up(value: Value) -> Result:
            found = find(value)
            return default if found is None else found

        return look_up

    converter(*names, takes=_INPUT[match], gives=gives)(build)


for _match in _INPUT:
    _register(_match, "str", f"map_{_match}", *(("map",) if _match == "str" else ()))
    _register(_match, "int", f"map_{_match}_int")
    _register(_match, "ip", f"map_{_match}_ip")


@converter("map_regm", takes="str", gives="str")
def _map_regm(args: Args, env: CompileEnv) -> Converter:
    default = args.data(1) if len(args) > 1 else None
    entries = [(regexes.compile_regex(key), regexes.compile_replacement(value)) for key, value in read_map(args, env)]

    def look_up(value: Value) -> Result:
        assert isinstance(value, bytes)
        for pattern, replace in entries:
            match = pattern.search(value)
            if match is not None:
                return replace(match)
        return default

    return look_up
