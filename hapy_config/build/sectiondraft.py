"""A section beside global and the proxies while it is being read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from hapy_config.build.draft import Draft
from hapy_config.model.config import User
from hapy_config.syntax import Statement

if TYPE_CHECKING:
    from hapy_config.build.context import Build

#: Reads one line of a section: its words, cut at an empty one.
Handler: TypeAlias = "Callable[[Build, SectionDraft, Statement, list[str]], None]"


class SectionDraft:
    """One such section.

    Attributes:
        statements: its lines as words, for the issues that run them.
        names: where named things in it are declared.
        doubles: of a peers section: the names of peers that are given again later, and the lines before.
        numbers: plain numeric settings.
        has_server: whether a ring has a server.
        users, groups: of a userlist.
        pages: of an http-errors section.
        listens: whether it has a listener of its own.
        streams: of a resolvers section: values and options of the name servers that are asked over TCP.
        acls: of a fcgi-app section: stands for the proxy that its conditions are read in.
        system_names: of a resolvers section: the name servers of /etc/resolv.conf, and their lines there.
        written: of a peers section: whether it has `peer` lines, `bind` lines.
        backing_file: of a ring: where it is kept; empty for memory alone.
    """

    def __init__(self, kind: str, name: str, header: Statement) -> None:
        self.kind = kind
        self.name = name
        self.header = header
        self.statements: list[tuple[str, ...]] = []
        self.names: dict[str, Statement] = {}
        self.doubles: list[tuple[str, Statement]] = []
        self.numbers: dict[str, int] = {}
        self.has_server = False
        self.users: dict[str, User] = {}
        self.groups: dict[str, tuple[tuple[str, ...], Statement]] = {}
        self.pages: dict[int, bytes] = {}
        self.listens = False
        self.acls: Draft | None = None
        self.written: set[str] = set()
        self.backing_file = ""
        self.has_bind = False
        self.streams: dict[str, tuple[dict[str, Any], dict[str, tuple[str, ...]]]] = {}
        self.system_names: dict[str, int] = {}
        self.default_values: dict[str, object] = {}
        self.default_options: dict[str, tuple[str, ...]] = {}
