"""The model is frozen all the way down: nothing that can be written is reachable from it."""

from __future__ import annotations

import dataclasses
import enum
import re
from pathlib import Path
from types import MappingProxyType

import pytest

from hapy_config import read_config, read_text
from hapy_config.model.config import Config

_EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "haproxy_cfgs").glob("*.cfg"))
_VALUES = (str, bytes, int, float, type(None), enum.Enum, re.Pattern)
_RICH = """\
global
 h1-case-adjust content-type Content-Type
 tune.bufsize 20000
 stats socket /run/admin.sock level admin
 set-var proc.a int(1)
defaults d
 mode http
 timeout client 1s
 timeout server 1s
 timeout connect 1s
 http-request set-var-fmt(txn.a) %[src] if { path /a }
userlist u
 group g users a
 user a insecure-password x
http-errors e
 errorfile 503 /dev/null
resolvers r
 nameserver n 127.0.0.1:53
 hold nx 5s
frontend f from d
 bind 127.0.0.1:1 name a ssl crt missing.pem alpn http/1.1
 errorfiles e
 http-request return status 200 content-type text/plain lf-string %[path] hdr a b
 use_backend %[hdr(host)] if { http_auth(u) }
 stats enable
 stats http-request auth realm x
 default_backend b
defaults e
 mode http
 timeout server 1s
 timeout connect 1s
backend b from e
 balance uri depth 3 whole
 option httpchk
 http-check send meth GET hdr a b
 http-check expect status 200
 default-server check inter 1s
 server s1 127.0.0.1:1 ssl verify none sni str(a) cookie a weight 7
 server-template t 3 a.test:80 resolvers r init-addr none
"""


def writable(part: object, place: str, seen: set[int]) -> list[str]:
    """The places below `part` that hold something other than values, tuples, sets and read-only mappings."""
    if isinstance(part, _VALUES) or id(part) in seen:
        return []
    seen.add(id(part))
    inside: list[tuple[str, object]]
    if dataclasses.is_dataclass(part):
        if not type(part).__dataclass_params__.frozen:  # type: ignore[attr-defined]
            return [f"{place}: {type(part).__name__} is not frozen"]
        inside = [(f".{field.name}", getattr(part, field.name)) for field in dataclasses.fields(part)]
    elif isinstance(part, tuple | frozenset):
        inside = [(f"[{index}]", item) for index, item in enumerate(part)]
    elif isinstance(part, MappingProxyType):
        inside = [(f"[{key!r}]", value) for key, value in part.items()]
    else:
        return [f"{place}: {type(part).__name__}"]
    return [found for name, value in inside for found in writable(value, place + name, seen)]


def test_the_walk_finds_what_can_be_written() -> None:
    assert writable(((1, [2]), {}), "x", set()) == ["x[0][1]: list", "x[1]: dict"]


@pytest.mark.parametrize("path", _EXAMPLES, ids=lambda path: path.name)
def test_examples(path: Path) -> None:
    config = read_config([str(path)], env={}, assume_machine=True).config
    assert config is not None
    assert writable(config, "config", set()) == []


def test_a_bit_of_everything() -> None:
    result = read_text(_RICH, env={}, assume_machine=True)
    assert isinstance(result.config, Config), list(result.diagnostics)
    assert writable(result.config, "config", set()) == []


def test_what_is_named_is_found() -> None:
    config = read_text(_RICH, env={}, assume_machine=True).config
    assert config is not None
    frontend = config.frontend("f")
    assert frontend is not None
    assert frontend.default_backend == "b"
    assert config.backend("b") is not None
    with pytest.raises(TypeError):
        frontend.rules["http-request"] = ()  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        frontend.name = "g"  # type: ignore[misc]
