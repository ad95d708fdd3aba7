"""What Lua files register, and how HAProxy judges what uses it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hapy_config import read_config
from hapy_config.build.luafiles import LuaAction, LuaNames

PROGRAM = """\
-- core.register_action("commented", { "http-req" }, function(txn) end)
core.register_action("zero", { "http-req" }, function(txn) end, 0)
core.register_action('none', {'http-req', 'tcp-req'}, function(txn)
  if txn then return "core.register_action(" end
end)
core.register_action("two", {"http-req"}, function(txn, a, b) end, 2)
local function named(txn, a) end
core.register_action("named", {"http-res"}, named, 1)
--[[ core.register_service("long", "http", named) ]]
core.register_service("web", "http", named)
core.register_service("raw", "tcp", named)
core.register_fetches("far", function(txn, a) return "far" end)
core.register_converters("turn", function(value) return value end)
"""

HEAD = """\
global
 lua-load {lua}
defaults
 mode http
 timeout client 1s
 timeout server 1s
 timeout connect 1s
frontend f
 bind 127.0.0.1:7999
 {line}
"""

LINES = (
    "http-request lua.zero",
    "http-request lua.zero a",
    "http-request lua.zero if TRUE",
    "http-request lua.none",
    "http-request lua.none a",
    "http-request lua.two a",
    "http-request lua.two a b",
    "http-request lua.two a b c",
    "http-request lua.two a b if TRUE",
    "http-request lua.two if TRUE",
    "http-request lua.named a",
    "http-response lua.named a",
    "http-response lua.named",
    "http-response lua.zero",
    "http-request lua.commented",
    "http-request lua.nothing",
    "tcp-request content lua.none",
    "tcp-request content lua.none x",
    "tcp-request content lua.zero",
    "http-request set-header X %[lua.far]",
    "http-request set-header X %[lua.far(a,b),lua.turn(c)]",
    "http-request set-header X %[lua.far(a,b,c,d,e,f)]",
    "http-request set-header X %[lua.near]",
    "http-request set-header X %[path,lua.far]",
    "http-request set-header X %[src,lua.turn]",
    "http-request set-header X %[path,lua.other]",
    "http-request deny if { lua.far a }",
    "http-request deny if { lua.turn a }",
    "acl x lua.far -m found",
    "acl x lua.near -m found",
    "acl x path,lua.turn a",
    "use_backend %[lua.near]",
    "log-format %[lua.near]",
    "http-request use-service lua.web",
    "http-request use-service lua.web if TRUE",
    "http-request use-service lua.raw",
    "http-request use-service lua.long",
    "tcp-request content use-service lua.web",
)


@pytest.mark.referee
@pytest.mark.parametrize("line", LINES)
def test_verdicts(haproxy: str, line: str, tmp_path: Path) -> None:
    program, file = tmp_path / "a.lua", tmp_path / "t.cfg"
    program.write_text(PROGRAM, encoding="utf-8")
    file.write_text(HEAD.format(lua=program, line=line), encoding="utf-8")
    done = subprocess.run([haproxy, "-c", "-f", file], capture_output=True, check=False)
    assert (read_config([str(file)], env={}).config is None) == (done.returncode == 1)


def names(program: str) -> LuaNames:
    found = LuaNames()
    found.add(program)
    return found


def test_what_a_file_registers() -> None:
    found = names(PROGRAM)
    assert found.complete
    assert found.actions == {
        "zero": LuaAction(frozenset({"http-request"}), 0),
        "none": LuaAction(frozenset({"http-request", "tcp-request content"}), 0),
        "two": LuaAction(frozenset({"http-request"}), 2),
        "named": LuaAction(frozenset({"http-response"}), 1),
    }
    assert found.fetches == {"far"}
    assert found.converters == {"turn"}
    assert found.services == {"web": "http", "raw": "tcp"}


@pytest.mark.parametrize(
    "program",
    [
        "require 'more'",
        "local c = core\nc.register_action('a', {}, f)",
        "core.register_action(name, {'http-req'}, f)",
        "core.register_fetches(name, f)",
        "core['register_action']('a', {'http-req'}, f)",
        "for _, n in ipairs(t) do core.register_service(n, 'http', f) end",
        "\x1bLua",
    ],
)
def test_what_may_register_more(program: str) -> None:
    found = names(program)
    assert found.knows_action("anything", "http-request")
    assert found.knows_service("anything")
    assert found.knows_sample("fetches", "anything")
    assert found.knows_sample("converters", "anything")


def test_arguments_that_the_text_does_not_tell() -> None:
    found = names("core.register_action('a', kinds, f, 1)\ncore.register_action('b', {'http-req'}, make(1), 2)")
    assert found.actions == {
        "a": LuaAction(None, None),
        "b": LuaAction(frozenset({"http-request"}), None),
    }


def test_the_word_too_many_is_named(tmp_path: Path) -> None:
    lua = tmp_path / "a.lua"
    lua.write_text(PROGRAM, encoding="utf-8")
    file = tmp_path / "a.cfg"
    file.write_text(HEAD.format(lua=lua, line="http-request lua.two a b c"), encoding="utf-8")
    (found,) = (one for one in read_config([str(file)], env={}).diagnostics if "but found" in one.message)
    assert found.message.endswith("found 'c'.")
    assert found.span.column == len(" http-request lua.two a b ") + 1
