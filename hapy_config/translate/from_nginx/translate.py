"""The whole configuration: listeners as frontends, locations as backends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hapy_config.api import read_text
from hapy_config.loader import read_file
from hapy_config.source import Source, Span
from hapy_config.translate.from_nginx.always import ALWAYS
from hapy_config.translate.from_nginx.backends import LISTENERS, Backends
from hapy_config.translate.from_nginx.language import Directive, NginxError, parse, with_includes
from hapy_config.translate.from_nginx.locations import (
    PATH,
    REFUSED,
    UNSEEN,
    found_again,
    host_acls,
    kind_of,
    path_rules,
    site_rules,
    with_original,
)
from hapy_config.translate.from_nginx.nested import Locations
from hapy_config.translate.from_nginx.notes import Notes
from hapy_config.translate.from_nginx.streams import stream_sections
from hapy_config.translate.from_nginx.values import NoCounterpartError, time
from hapy_config.translate.lines import write
from hapy_config.translate.report import Translation

_MINIMUM: Final = {
    "TLSv1": "TLSv1.0",
    "TLSv1.1": "TLSv1.1",
    "TLSv1.2": "TLSv1.2",
    "TLSv1.3": "TLSv1.3",
    "SSLv3": "SSLv3",
}


def from_nginx(sources: Sequence[Source]) -> Translation:
    """Write a haproxy.cfg.

    Args:
        sources: nginx's main file; files that it includes are read.

    Raises:
        ValueError: the text is no nginx configuration.
    """
    notes = Notes()
    directives: list[Directive] = []
    for source in sources:

        def read(name: str) -> Source:
            return Source.from_text(name, read_file(name).decode("utf-8", "surrogateescape"))

        folder = str(Path(source.name).parent) if source.name != "-" else "."
        directives += with_includes(parse(source), read, notes.lost, folder)
    if any(one.name in ("server", "upstream", "location") for one in directives):  # a file of sites-enabled
        directives = [Directive("http", (), directives, Span(sources[0].name, 1))]
    lines = ["global", "    log stdout format raw local0", *_process(directives), ""]
    lines += [
        "defaults",
        "    log global",
        "    timeout connect 60s",
        "    timeout client 60s",
        "    timeout server 60s",
        "",
    ]
    for one in directives:
        if one.name in ("http", "stream"):
            one.used = True
            try:
                lines += _http(one, notes) if one.name == "http" else stream_sections(one, notes)
            except RecursionError:
                raise NginxError("blocks are nested too deeply") from None
    notes.settle(directives)
    text = "".join(f"{line}\n" for line in lines)
    served = any(one.name == "http" for one in directives)
    for finding in read_text(text, "haproxy.cfg", assume_machine=True).diagnostics:
        if finding.refuses and not finding.environment:
            notes.lost(
                Span(sources[0].name, 0), f"line {finding.span.line} of the result is refused: {finding.message}"
            )
    return Translation({"haproxy.cfg": text}, notes.all(), notes.counts(), ALWAYS if served else ())


def _process(directives: Sequence[Directive]) -> list[str]:
    lines = []
    for one in directives:
        if one.name == "events":
            one.used = True
            limit = one.first("worker_connections")
            if limit is not None and limit.args and limit.args[0].isdecimal():
                limit.used = True
                lines.append(f"    maxconn {limit.args[0]}")
    return lines


def address_of(text: str) -> str:
    """A `listen` address as HAProxy writes it."""
    if text.startswith("unix:"):
        return text.removeprefix("unix:")
    if text.isdecimal():
        return f":{text}"
    if re.fullmatch(r"\[.*\]|[^:]+", text):
        return f"{text.replace('*', '')}:80"
    return text.replace("*", "")


def _http(http: Directive, notes: Notes) -> list[str]:
    backends = Backends(http, notes)
    listeners: dict[str, list[tuple[Directive, Directive]]] = {}
    for server in http.all("server"):
        server.used = True
        listens = list(server.all("listen"))
        for listen in listens or [Directive("listen", ("80",), None, server.span)]:
            listen.used = True
            if not listen.args:
                notes.lost(listen.span, "listen names no address")
                continue
            listeners.setdefault(address_of(listen.args[0]), []).append((server, listen))
    lines: list[str] = []
    for number, (address, pairs) in enumerate(listeners.items(), 1):
        lines += [*_frontend(f"http_{number}", address, pairs, backends, notes), ""]
    return with_original([*lines, *backends.sections()])


def _frontend(
    name: str, address: str, pairs: list[tuple[Directive, Directive]], backends: Backends, notes: Notes
) -> list[str]:
    first = next((pair for pair in pairs if {"default_server", "default"} & set(pair[1].args)), pairs[0])
    body = [f"bind {write(address)}{_bind_words(pairs, backends, notes)}"]
    settings = backends.settings(first[0])
    for word, directive, usual in (("client", "client_body_timeout", "60s"),
                                   ("http-request", "client_header_timeout", "60s"),
                                   ("http-keep-alive", "keepalive_timeout", "75s")):  # fmt: skip
        try:
            body.append(f"timeout {word} {time(settings[directive].args[0]) if directive in settings else usual}")
        except NoCounterpartError as reason:
            notes.lost(settings[directive].span, str(reason))
    body += ["option httplog", *backends.compression(settings), *_header_names(settings, notes)]
    rules: list[str] = []
    uses: list[str] = []
    ordered = [*(pair for pair in pairs if pair is not first), first]
    numbered = [(ordered.index(pair) + 1, _names(pair[0])) for pair in pairs]
    sites, acls = site_rules(name, numbered) if len(pairs) > 1 else ([], [])
    body += acls
    for index, (server, _) in enumerate(ordered, 1):
        named = _names(server)
        for given in server.all("server_name"):
            given.used = True
        is_first = server is first[0]
        for one in server.block or ():
            if one.name in LISTENERS and not is_first and settings.get(one.name, one).args != one.args:
                notes.near(one.span, f"{one.name} is the first server's for the whole listener")
        acl = f"{name}_site_{index}"
        where: list[str] = []
        if not is_first:
            if not named:
                notes.lost(server.span, "a second server without a name on the same address is never reached")
                continue
            body += host_acls(acl, named) if not acls else ()
            where = [acl]
        elif len(ordered) > 1:
            where = [
                f"!{name}_site_{other}" for other in range(1, index) if f"acl {name}_site_{other} " in "\n".join(body)
            ]
        rules += backends.server_rules(server, where)
        if any(one.name == "return" for one in server.block or ()) and not backends.falls_through():
            for location in server.all("location"):
                location.take()
                notes.idle(location.span, "location is never reached: the server has answered before")
            continue
        uses += _locations(server, where if not is_first else [], backends, notes)
        rules += backends.late_rules(server)
    if any(PATH in line for line in (*rules, *uses, *backends.sections())):
        merged = settings.get("merge_slashes", first[1]).args != ("off",)
        notes.near(
            first[0].span, "paths are compared decoded, and go on as they came; those with '/../' are refused with 400"
        )
        both = found_again([*path_rules(merged=merged), *rules, *uses], merged=merged)
        rules, uses = both, []
    body += [*REFUSED, *UNSEEN, *sites]
    return [f"frontend {name}", "    mode http", *(f"    {line}" for line in (*body, *rules, *uses))]


def _names(server: Directive) -> list[str]:
    """The names of a server that may be asked for."""
    return [one for each in server.all("server_name") for one in each.args if one not in ("_", '""', "")]


def _locations(server: Directive, where: list[str], backends: Backends, notes: Notes) -> list[str]:
    """The `use_backend` lines of a server."""
    lines: list[str] = []
    found = Locations(server, backends)
    locations = found.beside
    owners = found.owners
    plain = any(kind_of(one) in (("", "/"), ("^~", "/")) for one in locations)
    exact = {text for modifier, text in map(kind_of, locations) if modifier == "="}
    for location in locations:
        modifier, text = kind_of(location)
        bare = text.rstrip("/")
        if (
            modifier in ("", "^~")
            and text.endswith("/")
            and bare
            and bare not in exact
            and location.first("proxy_pass")
        ):
            tests = [*where, f"{{ {PATH} -m str {write(bare)} }}"]
            held = " ".join(tests)
            there = f"{backends.base_of(server, location)}{text}"
            lines += [
                f"http-request redirect location {write(f'{there}?%[query]')} code 301 if {held} {{ query -m found }}",
                f"http-request redirect location {write(there)} code 301 if {held}",
            ]
            if backends.many(server, location, "add_header"):
                notes.near(location.span, f"the answer that leads from {bare} on has none of the headers of add_header")
    for location, tests in found.in_order():
        for name, more in backends.of_location(owners[id(location)], location):
            conditions = " ".join((*where, *tests, *more))
            if not conditions:
                lines.append(f"default_backend {name}")
            else:
                lines.append(f"use_backend {name} if {conditions}")
    if not plain:
        name = backends.of_server(server)
        lines.append(f"use_backend {name} if {' '.join(where)}" if where else f"default_backend {name}")
    return lines


def _header_names(settings: dict[str, Directive], notes: Notes) -> list[str]:
    """Which headers are dropped for their names: those with other signs than letters, digits and `-` by default."""
    for name, value in (("ignore_invalid_headers", "off"), ("underscores_in_headers", "on")):
        given = settings.get(name)
        if given is not None and given.args == (value,):
            if name == "underscores_in_headers":
                notes.near(given.span, "headers with other signs in their names go on, too")
            return []
    return ["option http-restrict-req-hdr-names delete"]


def _bind_words(pairs: list[tuple[Directive, Directive]], backends: Backends, notes: Notes) -> str:
    words: list[str] = []
    options = {word for _, listen in pairs for word in listen.args[1:]}
    certificates: list[str] = []
    for server, listen in pairs:
        settings = backends.settings(server)
        encrypted = "ssl" in options or settings.get("ssl", listen).args == ("on",)
        if not encrypted:
            continue
        for one in backends.many(server, "ssl_certificate"):
            certificates += one.args[:1]
            notes.near(
                one.span, f"HAProxy looks for the key in {one.args[0] if one.args else ''} or beside it, as .key"
            )
        for one in backends.many(server, "ssl_certificate_key"):
            one.used = True
        if not words:
            words += ["ssl", *_tls_words(settings, options, notes)]
    for file in dict.fromkeys(certificates):
        words += ["crt", file]
    if "ssl" in words and not certificates:
        notes.lost(pairs[0][1].span, "TLS was left out: no certificate is named")
        words = []
    if "proxy_protocol" in options:
        words.append("accept-proxy")
    for option in options:
        known = ("ssl", "http2", "proxy_protocol", "default_server", "default", "reuseport", "deferred", "bind", "quic")
        if option not in known and not option.startswith(("backlog=", "ipv6only=", "so_keepalive=", "fastopen=")):
            notes.lost(pairs[0][1].span, f"listen: '{option}' has no counterpart")
        if option.startswith("backlog="):
            words += ["backlog", option.removeprefix("backlog=")]
    if pairs[0][1].args[0].startswith("[::]"):
        words.append("v4v6" if "ipv6only=off" in options else "v6only")
    return "".join(f" {write(word)}" for word in words)


def _tls_words(settings: dict[str, Directive], options: set[str], notes: Notes) -> list[str]:
    http2 = "http2" in options or ("http2" in settings and settings["http2"].args == ("on",))
    words = ["alpn", "h2,http/1.1" if http2 else "http/1.1"]
    if "ssl_protocols" in settings:
        chosen = [one for one in _MINIMUM if one in settings["ssl_protocols"].args]
        if chosen:
            order = ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
            chosen.sort(key=order.index)
            words += ["ssl-min-ver", _MINIMUM[chosen[0]], "ssl-max-ver", _MINIMUM[chosen[-1]]]
    if "ssl_ciphers" in settings:
        words += ["ciphers", settings["ssl_ciphers"].args[0]]
    verify = settings.get("ssl_verify_client")
    if verify is not None and verify.args[:1] != ("off",):
        file = settings.get("ssl_client_certificate")
        if file is None:
            notes.lost(verify.span, "ssl_verify_client was left out: no ssl_client_certificate is named")
        else:
            words += ["ca-file", file.args[0], "verify", "required" if verify.args == ("on",) else "optional"]
    return words
