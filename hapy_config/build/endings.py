"""The checks at the end that concern names and servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from hapy_config.build.checkports import check_port
from hapy_config.build.expressions import check_regex
from hapy_config.build.initaddr import unresolved
from hapy_config.build.refused import Refused
from hapy_config.build.resolvconf import PATH, system_has_name_servers
from hapy_config.build.tls import advise_parameters, advise_server, check_bind, server_certificate_fault, server_fault
from hapy_config.grammar.addresses import is_host_name
from hapy_config.keywords.spec import TARGET

if TYPE_CHECKING:
    from hapy_config.build.context import Build
    from hapy_config.build.draft import Draft
    from hapy_config.build.references import Needed
    from hapy_config.grammar.expressions import Reference
    from hapy_config.model.expressions import SampleExpression
    from hapy_config.model.server import Server
    from hapy_config.source import Span
    from hapy_config.syntax import Statement


def check_arguments_of_expressions(build: Build) -> None:
    """Look up what expressions name: tables, backends, frontends, servers, userlists."""
    for draft, statement, index, expression, references, acl in build.expression_references:
        if not draft.active:
            continue
        for reference in references:
            message = _reference_fault(build, draft, reference)
            if message:
                what = _argument_title(reference, expression, acl)
                before, _, behind = message.rpartition("{}")
                place = f"referenced in arg {reference.argument + 1} of {what} in proxy '{draft.name}'"
                build.error("unknown-reference", statement.span(index), f"{before}{place}{behind}")


def check_regexes(build: Build) -> None:
    """Compile the regular expressions among the arguments of converters."""
    for draft, statement, index, text in build.regexes:
        if draft.active:
            if not text:
                message = "missing regex in arg 1 of conversion keyword 'regsub'"
                build.fault(Refused(message, index, code="missing-argument"), statement)
                continue
            prefix = f"error in regex '{text}' in arg 1 of conversion keyword 'regsub' : "
            with build.noting(statement):
                check_regex(build, statement, text, index, prefix)


def _argument_title(reference: Reference, expression: SampleExpression, acl: bool) -> str:
    name = reference.call.name
    if reference.call is not expression.fetch:
        return f"conversion keyword '{name}' for sample fetch keyword '{expression.fetch.name}'"
    return f"ACL keyword '{name}'" if acl else f"sample fetch keyword '{name}'"


def _reference_fault(build: Build, draft: Draft, reference: Reference) -> str:
    """Why a name means nothing, with `{}` for where it is named; empty when all is well."""
    kind, name = reference.kind, reference.name
    if kind == "table":
        if not name and draft.kind == "defaults":
            return "table name must be set {}."
        wanted = name or draft.name
        return "" if wanted in build.tables else f"unable to find table '{wanted}' {{}}."
    if kind == "user list":
        return "" if ("userlist", name) in build.sections else f"unable to find userlist '{name}' {{}}."
    if kind == "server":
        return _server_fault(build, draft, name)
    known = build.backends if kind == "backend" else build.frontends
    if not name:
        if known.get(draft.name) is draft:
            return ""
        return f"proxy '{draft.name}', {{}}, has not {kind} capability."
    return "" if name in known else f"unable to find {kind} '{name}' {{}}."


def _server_fault(build: Build, draft: Draft, name: str) -> str:
    proxy_name, slash, server = name.rpartition("/")
    target: Draft | None = draft
    if slash:
        target = build.backends.get(proxy_name)
        if target is None:
            return f"unable to find proxy '{proxy_name}' {{}}."
    assert target is not None
    if server in target.server_names and server not in target.twin_names:
        return ""
    return f"unable to find server '{server}' in proxy '{target.name}', {{}}."


#: The first version that no longer warns of servers that begin without an address.
_RESOLVED_LATER: Final = (2, 8)
#: The first versions that warn of two servers of one name whatever their ids, and that refuse them.
_TWINS_WARNED: Final = (3, 2)
_ALL_NAMES_DIFFER: Final = (3, 3)
_FAST_OPEN_RETRIES: Final = frozenset({"conn-failure", "empty-response", "response-timeout"})
#: From each sample type, the table types whose key it can become.
_KEYS: Final = {
    "bool": ("integer", "string", "binary"),
    "addr": (),
    "ipv6": ("ip", "ipv6", "string", "binary"),
    "bin": ("string", "binary"),
    "meth": ("string", "binary"),
}


def check_needed(build: Build) -> None:
    """Look up what rules and filters name."""
    for needed in build.needed:
        if needed.draft.active:
            _CHECKS[needed.kind](build, needed)


def _table(build: Build, needed: Needed) -> None:
    name = needed.draft.name if needed.name is None else needed.name
    rule, expression = needed.extra
    found = build.tables.get(name)
    if found is None:
        build.error(
            "unknown-table",
            needed.statement.span(),
            f"Proxy '{needed.draft.name}': unable to find table '{name}' referenced by {rule}.",
            build.nearest(name, build.tables) or "declare one with 'stick-table'",
        )
    elif not _fits(expression, found.kind):
        build.error(
            "bad-key",
            needed.statement.span(),
            f"Proxy '{needed.draft.name}': stick-table '{name}' uses a type incompatible with the '{rule}' rule.",
        )


def _fits(expression: object, kind: str) -> bool:
    kinds = _KEYS.get(getattr(expression, "type", "any"))
    return kinds is None or kind in kinds


def _stick_table(build: Build, needed: Needed) -> None:
    name = needed.draft.name if needed.name is None else needed.name
    stores, expression = needed.extra
    found = build.tables.get(name)
    if found is None:
        what = "store table" if stores else "stick-table"
        build.error(
            "unknown-table",
            needed.statement.span(),
            f"Proxy '{needed.draft.name}': unable to find {what} '{name}'.",
            build.nearest(name, build.tables) or "declare one with 'stick-table'",
        )
    elif not _fits(expression, found.kind):
        build.error(
            "bad-key",
            needed.statement.span(),
            f"Proxy '{needed.draft.name}': type of fetch not usable with type of stick-table '{name}'.",
        )


#: Filters beside which HAProxy finds the place of each other one by itself.
_UNORDERED: Final = frozenset({"cache", "compression", "fcgi-app"})


def _needs_order(draft: Draft) -> bool:
    """Whether a proxy has filters among which HAProxy does not place another one by itself."""
    return any(words[0] not in _UNORDERED for words in draft.filters)


def check_filters(build: Build, draft: Draft) -> None:
    """Compression beside other filters must say where it runs; HAProxy 2.6 takes no FastCGI beside them at all."""
    if draft.fcgi_app is not None:
        name, statement = draft.fcgi_app
        if any(words[0] == "fcgi-app" and words[1] != name for words in draft.filters):
            message = f"proxy '{draft.name}' : only one fcgi-app supported per backend."
            build.error("duplicate", statement.span(1), message, "remove one of the lines")
        elif _needs_order(draft):
            build.error(
                "implicit-filter",
                statement.span(1),
                f"config: proxy '{draft.name}': require an explicit filter declaration to use the fcgi-app '{name}'.",
                "HAProxy 2.6 refuses it with one, too: take the other filters out",
            )
    if not _needs_order(draft):
        return
    if ("compression",) not in draft.filters and any(words[0] == "compression" for words in draft.settings):
        build.error(
            "implicit-filter",
            draft.header.span(),
            f"config: {draft.title} '{draft.name}': require an explicit filter declaration to use HTTP compression",
            "add 'filter compression' where it shall run among the other filters",
        )


def _cache(build: Build, needed: Needed) -> None:
    if ("cache", needed.name) not in build.sections and needed.draft.kind != "defaults":
        title, name = needed.draft.title, needed.draft.name
        build.error(
            "unknown-section",
            needed.statement.span(),
            f"config: {title} '{name}': unable to find the cache '{needed.name}' referenced by the filter 'cache'.",
        )
    elif _needs_order(needed.draft) and ("cache", needed.name) not in needed.draft.filters:
        if needed.draft.kind != "defaults":
            build.error(
                "implicit-filter",
                needed.statement.span(),
                f"config: {needed.draft.title} '{needed.draft.name}': require an explicit filter declaration to use the"
                f" cache '{needed.name}'.",
                f"add 'filter cache {needed.name}' where it shall run among the other filters",
            )
    elif needed.extra:
        build.error(
            "filter-order",
            needed.statement.span(),
            f"config: {needed.draft.title} '{needed.draft.name}': unable to enable the compression filter before the"
            f" cache '{needed.name}'.",
            "put 'filter compression' behind the lines that name the cache",
        )


def _resolvers(build: Build, needed: Needed) -> None:
    if ("resolvers", needed.name) not in build.sections:
        message = f"Proxy '{needed.draft.name}': Can't find resolvers section '{needed.name}' for do-resolve action."
        _no_resolvers(build, needed.name, needed.statement.span(), message)


def _http_errors(build: Build, needed: Needed) -> None:
    section = build.sections.get(("http-errors", needed.name or ""))
    if section is None:
        build.error(
            "unknown-section",
            needed.statement.span(),
            f"Proxy '{needed.draft.name}': unknown http-errors section '{needed.name}' referenced by an http reply .",
        )
        return
    (status,) = needed.extra
    if status not in section.pages:
        build.warning(
            "unknown-error-page",
            needed.statement.span(),
            f"Proxy '{needed.draft.name}': status '{status}' referenced by an http reply not declared in http-errors"
            f" section '{needed.name}'.",
        )


def _peers(build: Build, needed: Needed) -> None:
    if ("peers", needed.name) not in build.sections:
        build.error(
            "unknown-section",
            needed.statement.span(),
            f"Proxy '{needed.draft.name}': unable to find sync peers '{needed.name}'.",
        )


def _engine(build: Build, needed: Needed) -> None:
    engines = needed.draft.engines
    (group,) = needed.extra
    if needed.name in engines:
        groups = engines[needed.name]
        if groups is not None and group not in groups:
            build.error(
                "unknown-engine",
                needed.statement.span(),
                f"Proxy '{needed.draft.name}': unable to find SPOE group '{group}' into SPOE engine '{needed.name}'"
                " configuration.",
                build.nearest(str(group), groups) or "the agent's line 'groups' names those that it sends",
            )
    else:
        build.error(
            "unknown-engine",
            needed.statement.span(),
            f"Proxy '{needed.draft.name}': unable to find SPOE engine '{needed.name}' used by the send-spoe-group"
            f" '{group}'.",
        )


_CHECKS: Final = {
    "table": _table,
    "stick-table": _stick_table,
    "cache": _cache,
    "resolvers": _resolvers,
    "http-errors": _http_errors,
    "peers": _peers,
    "engine": _engine,
}


def check_groups(build: Build) -> None:
    """The groups that `http_auth_group` compares with must be in its userlist."""
    for draft, statement, name, parsed in build.group_acls:
        if not draft.active:
            continue
        section = build.sections.get(
            ("userlist", parsed.criterion.fetch.args[0] if parsed.criterion.fetch.args else "")
        )
        if section is None:
            continue
        prefix = f"proxy {draft.name}: acl {name} http_auth_group():"
        if parsed.criterion.converters or not parsed.patterns:
            build.error("unknown-member", statement.span(), f"{prefix} no groups specified.")
            continue
        for group in parsed.patterns:
            if group not in section.groups:
                build.error(
                    "unknown-member",
                    statement.span(),
                    f"{prefix} invalid group '{group}'.",
                    build.nearest(group, section.groups),
                )


def _no_resolvers(build: Build, name: str | None, where: Span, message: str) -> None:
    """Nobody wrote this section; `default` is made of /etc/resolv.conf."""
    if name != "default":
        build.error("unknown-section", where, message)
    elif not system_has_name_servers(build):
        hint = f"{PATH}, which the section 'default' is made of, names no name servers here"
        build.environment("missing-name-servers", where, message, hint)


def check_servers(build: Build) -> None:
    """Ports to check, resolvers, protocols, and host names that must resolve."""
    for draft in build.proxies:
        if draft.disabled or not draft.servers:
            continue
        for server in draft.servers:
            if server.resolvers is not None and ("resolvers", server.resolvers) not in build.sections:
                message = f"server '{server.name}': unable to find required resolvers '{server.resolvers}'"
                _no_resolvers(build, server.resolvers, server.span, f"{draft.title} '{draft.name}', {message}")
            if server.check:
                check_port(build, draft, server)
            if "tfo" in server.options and not (draft.retry_on or frozenset()) >= _FAST_OPEN_RETRIES:
                build.warning(
                    "tfo-without-retry",
                    server.span,
                    f"'server {draft.name}/{server.name}' : server has tfo activated, the backend should be configured"
                    " with at least 'conn-failure', 'empty-response' and 'response-timeout' or we wouldn't be able"
                    " to retry the"
                    " connection on failure.",
                )
            protocol = server.options.get("proto")
            if protocol is not None:
                _protocol(build, draft, server, protocol[0])
            protocol = server.options.get("check-proto")
            if protocol is not None and server.check and (draft.check == "httpchk") == (protocol[0] == "none"):
                build.error(
                    "incompatible-protocol",
                    server.span,
                    f"config: {draft.title} '{draft.name}': server '{server.name}' uses an incompatible MUX protocol"
                    " for"
                    " the selected check type",
                )
            if "crt" in server.options and server.name in draft.tls_servers:
                fault = server_certificate_fault(build, server.options["crt"][0])
                if fault:
                    build.environment("bad-certificate", server.span, f"'server {draft.name}/{server.name}' : {fault}")
            if server.redir is not None and draft.mode == "tcp":
                build.error(
                    "needs-http",
                    server.span,
                    f"{draft.title} '{draft.name}' : server cannot have cookie or redirect prefix in non-HTTP mode.",
                )
        _distinct(build, draft)
    for draft, server, statement in build.named_servers:
        if not draft.disabled:
            _resolve(build, draft, server, statement)


def twins_hint(draft: Draft | None, name: str) -> str:
    """What to do about a name that two servers have, so that it names neither; empty for others."""
    if draft is None or name not in draft.twin_names:
        return ""
    return f"two servers are named '{name}': give each its own name"


def _distinct(build: Build, draft: Draft) -> None:
    """No two servers of a proxy share a name.

    Up to 3.2 HAProxy compares only servers that it gives their `id` itself; nothing can name the others then.
    """
    if not draft.twin_names:
        return
    target = build.target or TARGET
    seen: dict[str, Server] = {}
    counted: dict[str, Server] = {}
    lines: set[Span] = set()
    for server in draft.servers:
        numbered = server.numbered and server.span not in lines and target < _ALL_NAMES_DIFFER
        lines.add(server.span)
        if server.name not in draft.twin_names:
            continue
        first = None if numbered else counted.setdefault(server.name, server)
        title = f"{draft.title} '{draft.name}', another server named '{server.name}' was already defined at line"
        if first is not None and first is not server:
            build.error(
                "duplicate-name",
                server.span,
                f"{title} {first.span.line}, please use distinct names.",
                "give it a name of its own",
            )
        elif target >= _TWINS_WARNED and server.name in seen:
            build.warning(
                "duplicate-name",
                server.span,
                f"{title} {seen[server.name].span.line}. This is dangerous and will not be supported anymore in"
                " version 3.3. Please use distinct names.",
                "give it a name of its own",
            )
        seen[server.name] = server


def _protocol(build: Build, draft: Draft, server: Server, protocol: str) -> None:
    usable = protocol == "none" if draft.mode == "tcp" else protocol != "none"
    if not usable:
        where = f"{server.span.file}:{server.span.line}"
        build.error(
            "incompatible-protocol",
            server.span,
            f"{draft.title} '{draft.name}' : MUX protocol '{protocol}' is not usable for server '{server.name}' at"
            f" [{where}].",
        )


def _resolve(build: Build, draft: Draft, server: Server, statement: Statement) -> None:
    """A host name must have an address, unless `init-addr` can do without.

    What `last` comes to is not known before the start; `hapy.names` has the last word on such servers.
    """
    if "last" in server.init_addr and draft.load_server_state is not None:
        return
    possible = is_host_name(server.address.host)
    found = unresolved(server, lambda host: possible and build.host_exists(host, server.address.protocol))
    if found is not None:
        fatal, message = found[0], f"'server {draft.name}/{server.name}' : {found[1]}"
        if not fatal and build.version >= _RESOLVED_LATER:
            build.out.notice("unresolved-host", statement.span(2), message)
        elif not fatal:
            build.warning("unresolved-host", statement.span(2), message)
        elif possible:
            hint = "add 'init-addr none' to start without it"
            build.environment("unresolved-host", statement.span(2), message, hint)
        else:
            build.error("bad-address", statement.span(2), message)


def check_tracks(build: Build) -> None:
    """`track` must name a server that is checked, in a proxy that exists."""
    for draft in build.proxies:
        if draft.disabled:
            continue
        for server in draft.servers:
            if server.track is None:
                continue
            fault = _track_fault(build, draft, server)
            if fault:
                proxy, _, name = _target(build, draft, server.track)
                hint = twins_hint(proxy, name)
                build.error("bad-track", server.span, f"'server {draft.name}/{server.name}' : {fault}", hint)


def _target(build: Build, draft: Draft, track: str) -> tuple[Draft | None, Server | None, str]:
    proxy_name, slash, name = track.partition("/")
    if not slash:
        return draft, draft.server_names.get(track), track
    proxy = build.backends.get(proxy_name)
    return proxy, None if proxy is None else proxy.server_names.get(name), name


def _track_fault(build: Build, draft: Draft, server: Server) -> str:
    assert server.track is not None
    proxy, target, name = _target(build, draft, server.track)
    if proxy is None:
        proxy_name = server.track.partition("/")[0]
        return f"unable to find required proxy '{proxy_name}' for tracking."
    if target is None or name in proxy.twin_names:
        return f"unable to find required server '{name}' for tracking."
    if target is server or _loops(build, draft, server):
        return (
            f"unable to track {proxy.name}/{name} as it belongs to a tracking chain looping back to"
            f" {proxy.name}/{name}."
        )
    if not (target.check or target.track is not None or "agent-check" in target.options):
        return f"unable to use {proxy.name}/{name} for tracking as it does not have any check nor agent enabled."
    if server.check:
        return "unable to enable checks and tracking at the same time!"
    return ""


def _loops(build: Build, draft: Draft, server: Server) -> bool:
    """Whether following `track` from a server comes back to one that was passed."""
    passed: set[int] = set()
    proxy: Draft | None = draft
    current: Server | None = server
    while current is not None and current.track is not None and proxy is not None:
        if id(current) in build.straight:
            break
        if id(current) in passed:
            return True
        passed.add(id(current))
        proxy, current, _ = _target(build, proxy, current.track)
    build.straight |= passed
    return False


def check_tls(build: Build) -> None:
    """TLS lines that are in use: versions, and lists of ciphers and groups that the TLS library must know."""
    for draft in build.proxies:
        if draft.disabled:
            continue
        for server in draft.servers:
            if server.name in draft.tls_servers:
                advise_server(build, draft.name, server, draft.kind)
                fault = server_fault(build, draft.name, server.name, server.options, draft.kind)
                if fault:
                    text = f"'server {draft.name}/{server.name}' : {fault}"
                    if fault.endswith("."):
                        build.error("tls-versions", server.span, text)
                    else:
                        build.environment("bad-ciphers", server.span, f"{text}.")
        for statement, reading in draft.tls_binds:
            where = f"bind '{statement.words[1]}' at [{statement.source.name}:{statement.line}]"
            check_bind(build, draft.name, reading, statement.span(), where)
            place = f"'bind {statement.words[1]}' in section '{draft.kind}'"
            advise_parameters(build, reading, statement.span(), place)


def check_tls_servers(build: Build) -> None:
    """A server's certificate is verified by default, which needs something to verify it by."""
    if build.global_.get("ssl-server-verify") == "none":
        return
    for draft in build.proxies:
        if draft.disabled or not (draft.tls_servers or draft.tls_checks):
            continue
        for server in draft.servers:
            if draft.tls_checks or server.name in draft.tls_servers:
                check_verified(build, draft.name, server.span, server.name, server.options)


def check_verified(build: Build, backend: str, span: Span, name: str, options: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse a TLS server that is to be verified and has nothing to verify it by."""
    usual = "none" if build.global_.get("ssl-server-verify") == "none" else "required"
    if options.get("verify", (usual,))[0] == "none" or "ca-file" in options:
        return
    build.error(
        "missing-authority",
        span,
        f"'server {backend}/{name}' : verify is enabled by default but no CA file specified. If you're running on"
        " a LAN where you're certain to trust the server's certificate, please set an explicit 'verify none'"
        " statement on the"
        " 'server' line, or use 'ssl-server-verify none' in the global section to disable server-side verifications by"
        " default.",
        "add 'verify none', or 'ca-file <file>'",
    )
