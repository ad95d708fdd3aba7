"""Sections userlist: users, their passwords and groups (configuration manual, section 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hapy_config.build.arguments import BAD_NAME
from hapy_config.build.refused import Refused
from hapy_config.model.config import User

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.sectiondraft import SectionDraft
    from hapy_config.syntax import Statement


def user(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """A user with password and groups."""
    if len(words) < 2:
        raise Refused("'user' expects <name> as arguments.", 1, code="missing-argument")
    name = words[1]
    password, encrypted, groups = "", False, ""
    index = 2
    while index < len(words):
        word = words[index]
        value = words[index + 1] if index + 1 < len(words) else ""
        if word in ("password", "insecure-password"):
            password, encrypted = value, word == "password"
        elif word == "groups":
            groups = value
        else:
            message = "'user' only supports 'password', 'insecure-password' and 'groups' options."
            build.fault(Refused(message, index))
        index += 2
    if name in draft.users:
        build.warning(
            "duplicate-name", statement.span(1), f"ignoring duplicated user '{name}' in userlist '{draft.name}'."
        )
        return
    members = frozenset(group for group in groups.split(",") if group)
    draft.users[name] = User(name, password, encrypted, members)
    draft.names[f"user {name}"] = statement


def group(build: Build, draft: SectionDraft, statement: Statement, words: list[str]) -> None:
    """A group, perhaps with its members."""
    if len(words) < 2:
        raise Refused("'group' expects <name> as arguments.", 1, code="missing-argument")
    name = words[1]
    bad = BAD_NAME.search(name)
    if bad is not None:
        build.fault(Refused(f"character '{bad[0]}' is not permitted in 'group' name '{name}'.", 1, code="bad-name"))
    users = ""
    index = 2
    while index < len(words):
        if words[index] != "users":
            build.fault(Refused("'group' only supports 'users' option.", index))
        users = words[index + 1] if index + 1 < len(words) else ""
        index += 2
    if name in draft.groups:
        build.warning(
            "duplicate-name", statement.span(1), f"ignoring duplicated group '{name}' in userlist '{draft.name}'."
        )
        return
    draft.groups[name] = (tuple(user for user in users.split(",") if user), statement)


def _resolve(build: Build, draft: SectionDraft) -> None:
    """Groups name users and users name groups; all of them must exist."""
    for user in draft.users.values():
        for group in sorted(user.groups):
            if group not in draft.groups:
                statement = draft.names[f"user {user.name}"]
                build.error(
                    "unknown-member",
                    statement.span(),
                    f"userlist '{draft.name}': no such group '{group}' specified in user '{user.name}'",
                    build.nearest(group, draft.groups),
                )
    for name, (members, statement) in draft.groups.items():
        for member in members:
            user_found = draft.users.get(member)
            if user_found is None:
                build.error(
                    "unknown-member",
                    statement.span(),
                    f"userlist '{draft.name}': no such user '{member}' specified in group '{name}'",
                    build.nearest(member, draft.users),
                )
            else:
                draft.users[member] = User(
                    member, user_found.password, user_found.encrypted, user_found.groups | {name}
                )


def finish(build: Build, draft: SectionDraft) -> None:
    """Its members are looked up when all sections are read: two of a name count as one."""
    build.later.append(lambda: _resolve(build, draft))
