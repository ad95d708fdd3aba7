"""Who may come in: `allow` and `deny`, passwords, `satisfy`, `limit_except`, `internal`, and what asks others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hapy_config.loader import read_file
from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.from_nginx.notes import Notes
from hapy_config.translate.lines import write

ACCESS: Final = ("allow", "deny")
#: What asks somebody else whether a client may come in.
_OTHERS: Final = ("auth_request", "auth_jwt", "auth_pam", "auth_ldap", "auth_digest", "auth_gss")
#: How hashes begin that crypt(3) doesn't know.
_FOREIGN: Final = ("$apr1$", "{SHA}", "{SSHA}", "{MD5}", "{SMD5}")


class Doors:
    """Makes the rules of locations, and the lists of users that they name.

    Args:
        http: the block.
        notes: takes what is to be said.
    """

    def __init__(self, http: Directive, notes: Notes) -> None:
        self._http = http
        self._notes = notes
        self.lists: list[list[str]] = []
        self._by_file: dict[str, str] = {}

    def rules(self, server: Directive, location: Directive) -> list[str]:
        """The rules about who may come in to a location."""
        levels = (location, server, self._http)
        internal = location.first("internal")
        if internal is not None:
            internal.used = True
            return ["http-request deny deny_status 404"]
        lines = self._others(levels)
        denied = self._denied(levels)
        users, realm = self._users(levels)
        satisfy = self._setting("satisfy", levels)
        if users and denied and satisfy is not None and satisfy.args == ("any",):
            lines += [_ask(users, realm, tests) for tests in denied]
        else:
            lines += [_refuse(tests) for tests in denied]
            lines += [_ask(users, realm, [])] if users else []
        for limits in location.all("limit_except"):
            lines += self._limited(limits, levels)
        return lines

    def _limited(self, limits: Directive, levels: Sequence[Directive]) -> list[str]:
        """`limit_except`: what more is asked of other methods."""
        limits.used = True
        methods = [*limits.args, *(["HEAD"] if "GET" in limits.args else [])]
        other = f"!{{ method {' '.join(write(one) for one in methods)} }}"
        lines = [_refuse([other, *tests]) for tests in self._denied((limits,))]
        if limits.first("auth_basic") is not None:
            users, realm = self._users((limits, *levels))
            lines += [_ask(users, realm, [other])] if users else []
        return lines

    def _others(self, levels: Sequence[Directive]) -> list[str]:
        """Doors whose key is elsewhere stay shut."""
        for name in _OTHERS:
            one = self._setting(name, levels)
            if one is not None and one.args[:1] != ("off",):
                self._notes.lost(one.span, f"{name}: HAProxy asks nobody else whom to let in: all are refused with 403")
                return ["http-request deny"]
        return []

    @staticmethod
    def _setting(name: str, levels: Sequence[Directive]) -> Directive | None:
        """The innermost directive of a name."""
        found = None
        for level in reversed(levels):
            for one in level.all(name):
                one.used = True
                found = one
        return found

    @staticmethod
    def _denied(levels: Sequence[Directive]) -> list[list[str]]:
        """The tests on which a client is refused, of `allow` and `deny`, of which the first that fits decides."""
        lists = ([one for one in level.block or () if one.name in ACCESS and one.args] for level in levels)
        found: list[list[str]] = []
        allowed: list[str] = []
        for one in next((each for each in lists if each), []):
            one.used = True
            value = one.args[0]
            if one.name == "allow" and value == "all":
                break
            if one.name == "allow":
                allowed.append(value)
                continue
            tests = [f"{{ src {write(value)} }}"] if value != "all" else []
            found.append([*tests, *([f"!{{ src {' '.join(map(write, allowed))} }}"] if allowed else [])])
        return found

    def _users(self, levels: Sequence[Directive]) -> tuple[str, str]:
        """The list of users that may come in, and the realm; empty where no password is asked for."""
        basic = self._setting("auth_basic", levels)
        given = self._setting("auth_basic_user_file", levels)
        if basic is None or basic.args[0] == "off":
            return "", ""
        realm = re.sub(r"[^\x20-\x7e]", "", basic.args[0])
        file = given.args[0] if given is not None and given.args else ""
        if file not in self._by_file:
            self._by_file[file] = f"users_{len(self.lists) + 1}"
            self.lists.append([f"userlist {self._by_file[file]}", *self._read(file, given or basic)])
        return self._by_file[file], realm

    def _read(self, file: str, where: Directive) -> list[str]:
        """The users of a password file."""
        name = f"users_{len(self.lists) + 1}"
        try:
            text = read_file(file).decode("utf-8", "surrogateescape") if file else ""
        except OSError:
            text = ""
        entries = [line.strip().split(":")[:2] for line in text.splitlines() if ":" in line and line[:1] != "#"]
        if not entries:
            shown = file or "the file"
            self._notes.lost(
                where.span, f"put the users of {shown} into 'userlist {name}'; until then nobody is let in"
            )
        lines = []
        for user, password in entries:
            if password.startswith("{PLAIN}"):
                lines.append(f"    user {write(user)} insecure-password {write(password.removeprefix('{PLAIN}'))}")
            elif password.startswith(_FOREIGN):
                kind = next(one for one in _FOREIGN if password.startswith(one)).strip("${}")
                self._notes.lost(where.span, f"the user '{user}' is kept out: HAProxy knows no hashes of kind {kind}")
            else:
                lines.append(f"    user {write(user)} password {write(password)}")
        return lines


def _refuse(tests: Sequence[str]) -> str:
    return f"http-request deny{' if ' + ' '.join(tests) if tests else ''}"


def _ask(users: str, realm: str, tests: Sequence[str]) -> str:
    if not tests:
        return f"http-request auth realm {write(realm)} unless {{ http_auth({users}) }}"
    return f"http-request auth realm {write(realm)} if {' '.join(tests)} !{{ http_auth({users}) }}"
