"""Statements of the global section about files, paths, TLS defaults and the case of headers (manual, section 3.1)."""

from __future__ import annotations

import grp
import os
import pwd
import re
from typing import Final

from hapy_config.build import tls
from hapy_config.build.arguments import at_most
from hapy_config.build.context import Build
from hapy_config.build.generic import check_arguments
from hapy_config.build.refused import Refused
from hapy_config.build.registry import GlobalHandler as Handler
from hapy_config.keywords import table
from hapy_config.keywords.spec import Version
from hapy_config.syntax import Statement

#: The first version that looks for the HTTP client's authorities when it needs them.
_CLIENT_AUTHORITY_LATER: Final[Version] = (2, 8)

_BIND_OPTIONS: Final = (
    "force-sslv3", "force-tlsv10", "force-tlsv11", "force-tlsv12", "force-tlsv13", "no-sslv3",
    "no-tls-tickets", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13", "prefer-client-ciphers", "ssl-max-ver",
    "ssl-min-ver", "no-ca-names",
)  # fmt: skip


_SERVER_OPTIONS: Final = (
    "force-sslv3", "force-tlsv10", "force-tlsv11", "force-tlsv12", "force-tlsv13", "no-ssl-reuse", "no-sslv3",
    "no-tls-tickets", "no-tlsv10", "no-tlsv11", "no-tlsv12", "no-tlsv13", "ssl-max-ver", "ssl-min-ver",
)  # fmt: skip


def _base(build: Build, statement: Statement, words: list[str]) -> None:
    """ca-base, crt-base and, for what a crt-store loads, key-base, once each."""
    name = words[0]
    if len(words) < 2:
        raise Refused(f"global statement '{name}' expects a directory path as an argument.", 1, code="missing-argument")
    at_most(words, 1)
    if name in build.global_:
        raise Refused(f"'{name}' already specified.", 0)
    build.global_[name] = words[1]


def _default_path(build: Build, statement: Statement, words: list[str]) -> None:
    mode = words[1] if len(words) > 1 else ""
    supported = "for 'default-path', supported modes include 'current', 'config', 'parent', and 'origin'."
    if not mode:
        raise Refused(f"missing default-path mode '' {supported}", 1, code="missing-argument")
    if mode not in ("current", "config", "parent", "origin"):
        raise Refused(f"unsupported default-path mode '{mode}' {supported}", 1)
    source = build.files.path(statement.source.name)
    if mode == "config":
        build.files.base = source.parent
    elif mode == "parent":
        build.files.base = source.parent.parent
    elif mode == "origin":
        path = words[2] if len(words) > 2 else ""
        if not path:
            raise Refused("'default-path origin' expects a directory as an argument.", 2, code="missing-argument")
        if not build.files.is_directory(path):
            message = f"couldn't set 'default-path' to origin '{path}': Impossible to get to directory '{path}':"
            build.lacking(Refused(f"{message} No such file or directory.", 2, code="missing-file"))
        build.files.base = build.files.path(path)


def _tls_options(known: tuple[str, ...]) -> Handler:
    def handle(build: Build, statement: Statement, words: list[str]) -> None:
        name = words[0]
        if len(words) < 2:
            raise Refused(f"global statement '{name}' expects an option as an argument.", 1, code="missing-argument")
        index = 1
        while index < len(words):
            word = words[index]
            if word not in known:
                message = f"unknown option '{word}' on global statement '{name}'."
                build.fault(Refused(message, index, hint=build.nearest(word, known)))
            index += 1
            if word in ("ssl-min-ver", "ssl-max-ver"):
                text = words[index] if index < len(words) else ""
                if not text:
                    raise Refused(f"'{word}' : missing the ssl/tls version on global statement '{name}'.", index)
                if text not in tls.VERSIONS:
                    message = f"'{text}' : unknown ssl/tls version on global statement '{name}'."
                    build.fault(Refused(message, index, hint=build.nearest(text, tls.VERSIONS)))
                index += 1

    return handle


def _server_verify(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'ssl-server-verify' expects an integer argument.", 1, code="missing-argument")
    if words[1] not in ("none", "required"):
        raise Refused("'ssl-server-verify' expects 'none' or 'required' as argument.", 1)
    at_most(words, 1)
    build.global_["ssl-server-verify"] = words[1]


def _case_adjust(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 3:
        raise Refused("'h1-case-adjust' expects <from> and <to> as argument.", len(words), code="missing-argument")
    at_most(words, 2)
    source, target = words[1], words[2]
    if source.lower() != target.lower() or source == target:
        raise Refused("<from> and <to> must not differ execpt the case", 2)
    if source in build.case_adjust:
        raise Refused(f"duplicate entry '{source}'", 1)
    build.case_adjust[source] = target


def _case_adjust_file(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'h1-case-adjust-file' expects <file> as argument.", 1, code="missing-argument")
    at_most(words, 1)
    try:
        lines = build.files.read(words[1]).decode("latin-1").splitlines()
    except OSError:
        message = f"h1-headers-case-adjust-file '{words[1]}': failed to open file."
        build.lacking(Refused(message, 1, code="missing-file"))
        return
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if not parts or parts[0].startswith("#"):
            continue
        fault = ""
        if len(parts) < 2:
            fault = "expect <to>"
        elif len(parts) > 2:
            fault = f"unexpected word '{parts[2]}'"
        elif parts[0].lower() != parts[1].lower() or parts[0] == parts[1]:
            fault = "<from> and <to> must not differ execpt the case"
        if fault:
            message = f"h1-headers-case-adjust-file '{words[1]}' : {fault} at line {number}."
            build.lacking(Refused(message, 1, code="bad-case-file"))
            return
        build.case_adjust.setdefault(parts[0], parts[1])


def _unix_bind(build: Build, statement: Statement, words: list[str]) -> None:
    index = 1
    while index < len(words):
        word = words[index]
        value = words[index + 1] if index + 1 < len(words) else ""
        if word not in ("prefix", "mode", "uid", "gid", "user", "group"):
            message = "'unix-bind' only supports the 'prefix', 'mode', 'uid', 'gid', 'user' and 'group' options."
            build.fault(Refused(message, index))
        if word == "prefix" and not value:
            raise Refused("unix_bind 'prefix' expects a path as an argument.", index + 1)
        try:
            if word == "user":
                pwd.getpwnam(value)
            elif word == "group":
                grp.getgrnam(value)
        except KeyError:
            build.lacking(Refused(f"'unix-bind' : '{value}' unknown {word}.", index + 1, code=f"unknown-{word}"))
        build.unix_bind[word] = value
        index += 2


def _client_authority(build: Build, statement: Statement, words: list[str]) -> None:
    """httpclient.ssl.ca-file."""
    if build.version >= _CLIENT_AUTHORITY_LATER:
        at_most(words, 1)
        return
    if len(words) < 2:
        raise Refused(f"'{words[0]}' expects a file name as an argument.", 1, code="missing-argument")
    fault = tls.authority_fault(build, words[1])
    if fault:
        build.lacking(Refused(fault, 1, code="missing-file"))


def _client_resolvers(build: Build, statement: Statement, words: list[str]) -> None:
    """httpclient.resolvers.id, which must name a resolvers section."""
    if len(words) < 2:
        raise Refused(f"'{words[0]}' expects a name as an argument.", 1, code="missing-argument")
    at_most(words, 1)
    build.needs_resolvers(build.http_client, statement, words[1])


def _parameters(build: Build, statement: Statement, words: list[str]) -> None:
    """ssl-dh-param-file."""
    if len(words) < 2:
        raise Refused("'ssl-dh-param-file' expects a file path as an argument.", 1, code="missing-argument")
    at_most(words, 1)
    from hapy_config.tls.pem import sound_parameters

    try:
        sound = sound_parameters(build.files.read(words[1]))
    except OSError:
        sound = False
    if not sound:
        text = f"'ssl-dh-param-file': unable to load DH parameters from file <{words[1]}>."
        build.lacking(Refused(text, 1, code="missing-file"))


def _provider(build: Build, statement: Statement, words: list[str]) -> None:
    """ssl-provider: what OpenSSL brings along is known, the rest depends on the machine."""
    if len(words) < 2:
        raise Refused("'ssl-provider' expects a name as an argument.", 1, code="missing-argument")
    if words[1] not in ("default", "legacy", "base", "null"):
        build.lacking(Refused(f"ssl-provider {words[1]}: unknown provider", 1, code="unknown-provider"))


def _extra_files(build: Build, statement: Statement, words: list[str]) -> None:
    found = table("globals").find(words)
    assert found is not None
    check_arguments(build, found[0], statement, found[1], words)
    if len(words) > 2:
        for index, word in enumerate(words[1:], 1):
            if word in ("none", "all"):
                raise Refused("'ssl-load-extra-files' 'none' and 'all' can be only used alone", index)


#: A property query of OpenSSL: clauses such as `provider=default`, `?fips=yes` or `-legacy`.
_PROPERTY: Final = re.compile(
    r"\s*(?P<lax>[?-]?)\s*(?P<name>[A-Za-z]\w*(\.[A-Za-z]\w*)*)\s*"
    r"((?P<operator>!?=)\s*(?P<value>[^\s,]+|'[^']*'|\"[^\"]*\")\s*)?"
)


def _property_query(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused("'ssl-propquery' expects a property query as an argument.", 1, code="missing-argument")
    clauses = [_PROPERTY.fullmatch(clause) for clause in words[1].split(",")]
    found = [clause for clause in clauses if clause is not None]
    names = {clause["name"].lower() for clause in found}
    if len(found) < len(clauses) or len(names) < len(found):
        raise Refused(f"'ssl-propquery' : '{words[1]}' is not a property query.", 1)
    build.global_["ssl_propquery"] = statement
    missed = [clause[0] for clause in found if not clause["lax"] and not _has_property(clause)]
    if missed:
        build.later.append(lambda: _unfulfilled(build, statement, missed[0]))


def _has_property(clause: re.Match[str]) -> bool:
    """Whether the algorithms of OpenSSL's default provider fulfil a clause; a property they don't have is `no`."""
    own = "default" if clause["name"].lower() == "provider" else "no"
    wanted = (clause["value"] or "yes").strip("'\"").lower()
    return (own != wanted) if clause["operator"] == "!=" else (own == wanted)


def _unfulfilled(build: Build, statement: Statement, clause: str) -> None:
    if build.global_["ssl_propquery"] is statement:  # the last one counts
        message = f"'ssl-propquery' : no algorithm of the TLS library has '{clause}', unable to allocate ssl context."
        build.lacking(Refused(message, 1, code="unknown-provider"), statement)


def _lua(build: Build, statement: Statement, words: list[str]) -> None:
    if len(words) < 2:
        raise Refused(f"'{words[0]}' expects a file name as parameter.", 1, code="missing-argument")
    try:
        build.lua_names.add(build.files.read(words[1]).decode("utf-8", "replace"))
    except OSError as error:
        build.lua_names.complete = False
        message = f"error in Lua file '{words[1]}': cannot open {words[1]}: {error.strerror}"
        build.lacking(Refused(message, 1, code="missing-file"))
    build.lua = True


def _issuers(build: Build, statement: Statement, words: list[str]) -> None:
    """`issuers-chain-path`: a directory that can be looked into."""
    found = table("globals").find(words)
    assert found is not None
    check_arguments(build, found[0], statement, found[1], words)
    said = "global statement 'issuers-chain-path'"
    if not build.files.exists(words[1]):
        build.lacking(Refused(f"{said} expects a directory path as an argument.", 1, code="missing-file"))
    elif not build.files.is_directory(words[1]):
        build.lacking(Refused(f"{said}: {words[1]} is not a directory.", 1, code="missing-file"))
    else:
        try:
            os.scandir(build.files.path(words[1])).close()
        except OSError as error:
            message = f"{said}: unable to scan directory '{words[1]}' : {error.strerror}."
            build.lacking(Refused(message, 1, code="missing-file"))


HANDLERS: Final[dict[str, Handler]] = {
    "ca-base": _base,
    "crt-base": _base,
    "default-path": _default_path,
    "h1-case-adjust": _case_adjust,
    "h1-case-adjust-file": _case_adjust_file,
    "httpclient.resolvers.id": _client_resolvers,
    "httpclient.ssl.ca-file": _client_authority,
    "issuers-chain-path": _issuers,
    "key-base": _base,
    "lua-load": _lua,
    "lua-load-per-thread": _lua,
    "ssl-default-bind-options": _tls_options(_BIND_OPTIONS),
    "ssl-default-server-options": _tls_options(_SERVER_OPTIONS),
    "ssl-dh-param-file": _parameters,
    "ssl-load-extra-files": _extra_files,
    "ssl-propquery": _property_query,
    "ssl-provider": _provider,
    "ssl-server-verify": _server_verify,
    "unix-bind": _unix_bind,
}
