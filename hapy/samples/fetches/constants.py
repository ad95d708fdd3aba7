"""Constants, variables, dates and other values that no request carries (configuration manual, 7.3.2)."""

from __future__ import annotations

import os
import random
from time import time_ns
from typing import TYPE_CHECKING, Final

from hapy.samples import variables
from hapy.samples.environment import CompileEnv
from hapy.samples.registry import Args, Fetch, Getter, fetch
from hapy.samples.types import Binary, Result, Value, parse_address
from hapy_config.words import to_bytes

if TYPE_CHECKING:
    from hapy.proxy.transaction import Transaction


def _constant(value: Value) -> Fetch:
    return Fetch(lambda txn: value, constant=True)


@fetch("always_true", type="bool")
def _always_true(args: Args, env: CompileEnv) -> Fetch:
    return _constant(True)


@fetch("always_false", type="bool")
def _always_false(args: Args, env: CompileEnv) -> Fetch:
    return _constant(False)


@fetch("str", type="str")
def _str(args: Args, env: CompileEnv) -> Fetch:
    return _constant(args.data(0, ""))


@fetch("int", type="sint")
def _int(args: Args, env: CompileEnv) -> Fetch:
    return _constant(args.integer(0))


@fetch("bool", type="bool")
def _bool(args: Args, env: CompileEnv) -> Fetch:
    text = args.string(0)
    if text not in ("true", "false", "0", "1"):
        raise args.error("expects 'true', 'false', '0' or '1'")
    return _constant(text in ("true", "1"))


@fetch("bin", type="bin")
def _bin(args: Args, env: CompileEnv) -> Fetch:
    try:
        return _constant(Binary(bytes.fromhex(args.string(0, ""))))
    except ValueError:
        raise args.error("expects an even number of hexadecimal digits") from None


@fetch("ipv4", "ipv6", type="addr")
def _ip(args: Args, env: CompileEnv) -> Fetch:
    address = parse_address(args.data(0))
    if address is None or address.version != int(args.name[-1]):
        raise args.error(f"{args.string(0)!r} is not an address")
    return _constant(address)


@fetch("meth", type="meth")
def _meth(args: Args, env: CompileEnv) -> Fetch:
    return _constant(args.data(0))


@fetch("env", type="str")
def _env(args: Args, env: CompileEnv) -> Fetch:
    value = os.environ.get(args.string(0))
    return Fetch(lambda txn: None, constant=True) if value is None else _constant(to_bytes(value))


@fetch("hostname", type="str")
def _hostname(args: Args, env: CompileEnv) -> Fetch:
    return _constant(to_bytes(env.process.hostname))


@fetch("nbproc", "proc", type="sint")
def _proc(args: Args, env: CompileEnv) -> Fetch:
    return _constant(1)


@fetch("thread", type="sint")
def _thread(args: Args, env: CompileEnv) -> Fetch:
    return _constant(0)


@fetch("stopping", type="bool")
def _stopping(args: Args, env: CompileEnv) -> Getter:
    process = env.process
    return lambda txn: process.stopping


_UNITS: Final = {"": 10**9, "s": 10**9, "ms": 10**6, "us": 10**3}


@fetch("date", type="sint")
def _date(args: Args, env: CompileEnv) -> Getter:
    offset, unit = args.integer(0, 0), args.string(1, "")
    if unit not in _UNITS:
        raise args.error(f"unknown unit {unit!r}; expects s, ms or us")
    nanoseconds = _UNITS[unit]
    return lambda txn: time_ns() // nanoseconds + offset


@fetch("date_us", type="sint")
def _date_us(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: time_ns() // 1000 % 1_000_000


@fetch("rand", type="sint")
def _rand(args: Args, env: CompileEnv) -> Getter:
    limit = args.integer(0, 2**32)
    if limit <= 0:
        raise args.error("expects a positive range")
    return lambda txn: int(random.random() * limit)  # noqa: S311 - the manual says: not for security


@fetch("uuid", type="str")
def _uuid(args: Args, env: CompileEnv) -> Getter:
    if args.integer(0, 4) != 4:
        raise args.error("only version 4 is supported")
    import uuid  # it looks around in the system when it is imported

    return lambda txn: str(uuid.uuid4()).encode()


@fetch("var", type="any")
def _var(args: Args, env: CompileEnv) -> Getter:
    name = args.string(0)
    read = variables.reader(name, env)
    if len(args) < 2:
        return read
    default = args.data(1)

    def with_default(txn: Transaction) -> Result:
        value = read(txn)
        return default if value is None else value

    return with_default


@fetch("last_rule_file", type="str")
def _last_rule_file(args: Args, env: CompileEnv) -> Getter:
    def file(txn: Transaction) -> Result:
        overrides = txn.overrides
        return None if overrides is None or overrides.last_rule is None else to_bytes(overrides.last_rule[0])

    return file


@fetch("last_rule_line", type="sint")
def _last_rule_line(args: Args, env: CompileEnv) -> Getter:
    def line(txn: Transaction) -> Result:
        overrides = txn.overrides
        return None if overrides is None or overrides.last_rule is None else overrides.last_rule[1]

    return line


@fetch("prio_class", type="sint")
def _prio_class(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: 0 if txn.overrides is None else txn.overrides.priority_class


@fetch("prio_offset", type="sint")
def _prio_offset(args: Args, env: CompileEnv) -> Getter:
    return lambda txn: 0 if txn.overrides is None else txn.overrides.priority_offset
