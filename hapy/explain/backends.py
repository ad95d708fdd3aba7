"""What a backend does, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Final

from hapy.explain.conditions import condition
from hapy.explain.frontends import always_answers, told_headers, told_rules
from hapy.explain.values import address, count, duration, listed
from hapy_config.model.checks import CheckConnect, CheckExpect, CheckRequest

if TYPE_CHECKING:
    from hapy_config.model.config import Config
    from hapy_config.model.proxy import Proxy
    from hapy_config.model.server import Server

Paragraph = tuple[str, list[str]]

REUSE_IN_SHORT: Final = {
    "always": "Server connections are shared by all clients' requests",
    "aggressive": "Server connections are shared, first requests of clients taking proven ones",
    "safe": "Server connections are shared, but for the first request of each client connection",
    "never": "Each client connection has server connections of its own",
}
CLOSED_IN_SHORT: Final = "A server connection carries one request"

_ALGORITHMS: Final = {
    "roundrobin": "in turn",
    "static-rr": "in turn",
    "leastconn": "to the server that serves the fewest",
    "first": "to the first server that has a free slot",
    "source": "by the client's address: the same client, the same server",
    "uri": "by the URI: the same one, the same server",
    "url_param": "by the URL parameter {argument}: the same value, the same server; without it in turn",
    "hdr": "by the header {argument}: the same value, the same server; without it in turn",
    "random": "at random, to the less busy of {draws} drawn",
    "rdp-cookie": "by the RDP cookie {argument}: the same value, the same server; without it in turn",
    "hash": "by the value of {argument}: the same value, the same server; without one in turn",
    "sticky": "to the server that served last",
}

_HASHED: Final = frozenset({"source", "uri", "url_param", "hdr", "rdp-cookie", "hash"})

_REUSE: Final = {
    "always": "A request takes any idle connection to its server, whoever's request opened it, from the first one on.",
    "aggressive": (
        "A request takes any idle connection to its server, whoever's request opened it; the first request of a "
        "client connection only one that has carried several requests already."
    ),
    "safe": (
        "The first request of a client connection gets a new connection (or one that was opened ahead); its later "
        "requests take any idle one to their server, whoever's request opened it."
    ),
    "never": "Each client connection has server connections of its own, which end with it.",
}

#: `on-error`, after `10 errors in a row …`.
_REACTIONS: Final = {
    "fastinter": "make checks more frequent",
    "fail-check": "count as a failed check",
    "sudden-death": "leave it one failed check from being out",
    "mark-down": "take it out at once",
}

_EVENTS: Final = {
    "conn-failure": "the connection fails",
    "empty-response": "the server closes without an answer",
    "junk-response": "the answer is broken",
    "response-timeout": "the answer takes too long",
    "0rtt-rejected": "early data is rejected",
    "all-retryable-errors": "the server fails in any way that can be repeated",
}


def tell(proxy: Proxy, config: Config) -> Iterator[Paragraph]:
    """A backend (or a listen's back half)."""
    if not proxy.is_frontend:
        yield "rules", list(told_rules(proxy))
    yield "balances", list(_balances(proxy))
    yield "servers", list(_servers(proxy))
    if not proxy.is_frontend and (proxy.servers or kept_apart(proxy)):
        yield "headers", list(told_headers(proxy, config))
    yield "server connections", list(_shares(proxy, config))
    yield "if a server dies", list(_dies(proxy))
    yield "when all are busy", list(_busy(proxy))
    yield "who waits", list(_waits(proxy))


def _balances(proxy: Proxy) -> Iterator[str]:
    unit = "request" if proxy.mode == "http" else "connection"
    balance = proxy.balance
    main = [server for server in proxy.servers if not server.backup]
    argument = balance.argument or (balance.expression.text if balance.expression is not None else "")
    how = _ALGORITHMS.get(balance.algorithm, balance.algorithm).format(argument=argument, draws=balance.argument or 2)
    main = [server for server in main if server.weight] or main
    if len(main) > 1:
        weighted = len({server.weight for server in main}) > 1 and balance.algorithm != "first"
        weights = ", by weight" if weighted else ""
        yield f"Each {unit} over {count(len(main), 'server')}, {how}{weights} (balance {balance.algorithm})."
        if balance.hash_type == "consistent" and balance.algorithm in _HASHED:
            yield "When a server comes or goes, only its own share moves (hash-type consistent)."
    for use in proxy.use_servers:
        target = f"Server {use.target}" if isinstance(use.target, str) else f"The server that {use.target.text} names"
        when = condition(use.condition) if use.condition is not None else "always"
        yield f"{target} takes it {when}, as long as it is up (use-server)."
    if proxy.cookie is not None and proxy.mode == "http":
        named = proxy.cookie.name
        down = "even if that is down (cookie, option persist)"
        if "persist" not in proxy.options:
            down = "as long as that is up (cookie)"
        yield f"A client that brings the cookie {named} goes to the server that it names, {down}."
        if proxy.cookie.mode == "insert":
            yield f"One that brings none gets {named} with its answer, and is balanced."
        idle, life = proxy.cookie.max_idle, proxy.cookie.max_life
        ends = [f"{duration(idle * 1000)} without a visit (maxidle)"] if idle else []
        ends += [f"{duration(life * 1000)} from the first visit on (maxlife)"] if life else []
        if ends:
            yield f"It counts no more after {' or '.join(ends)}: its client is balanced anew."
    for words in proxy.settings:
        if words[:2] in (("stick", "on"), ("stick", "match")):
            table = f" of {words[words.index('table') + 1]}" if "table" in words[3:-1] else ""
            yield f"Whose {words[2]} the stick-table{table} knows goes to the server that it had before (stick)."
    for rule in proxy.persist_rules:
        if rule.force:
            yield f"Cookies count for servers that are down, too, {condition(rule.condition)} (force-persist)."
        else:
            yield f"Cookies and stick-tables are left aside {condition(rule.condition)} (ignore-persist)."
    if "prefer-last-server" in proxy.options:
        yield "A client connection's requests stay with its last server where possible (option prefer-last-server)."


def _servers(proxy: Proxy) -> Iterator[str]:
    if proxy.dispatch is not None and not proxy.servers:
        yield f"All go to {address(proxy.dispatch)} (dispatch)."
        return
    if kept_apart(proxy):
        yield "All go to the address that the client came to (option transparent)."
        return
    if not proxy.servers:
        if always_answers(proxy):
            yield "It has none: its rules answer every request."
            return
        rest = "other requests" if proxy.stats is not None else "requests"
        yield f"It has none: {rest} are answered 503." if proxy.mode == "http" else "It has none."
        if any(words[0] == "stick-table" for words in proxy.settings):
            yield "Others count in its table (stick-table)."
        return
    alike = [(text, [server.name for server in group]) for text, group in groupby(proxy.servers, _told_in(proxy))]
    if len(alike) > _SERVERS_SHOWN:
        shown = listed([server.name for server in proxy.servers[:_SERVERS_SHOWN]] + ["others"])
        yield f"{count(len(proxy.servers), 'server')}: {shown}."
        return
    for text, names in alike:
        many = len(names) > _NAMES_SHOWN
        yield (f"{names[0]} to {names[-1]} ({len(names)} servers)" if many else listed(names)) + text


_SERVERS_SHOWN: Final = 16
_NAMES_SHOWN: Final = 4


def _told_in(proxy: Proxy) -> Callable[[Server], str]:
    return lambda server: _server(server, proxy)


def _server(server: Server, proxy: Proxy) -> str:
    """What is told of a server, behind its name."""
    extras = []
    if server.tls is not None:
        verified = "verified" if server.tls.verify == "required" else "NOT verified"
        name = f", asked for {server.tls.sni.text}" if server.tls.sni is not None else ""
        extras.append(f"TLS, certificate {verified}{name}")
    if _speaks_h2(server):
        extras.append("HTTP/2" if server.tls is None else "HTTP/2 where it agrees to that (alpn)")
    if server.weight == 0:
        extras.append("weight 0, so it gets nothing by balancing")
    elif server.weight != 1:
        extras.append(f"weight {server.weight}")
    if server.maxconn:
        queue = f", and {server.maxqueue:,} in its queue" if server.maxqueue else ""
        least = f"{server.minconn:,} to " if server.minconn and server.minconn < server.maxconn else "at most "
        grows = f", more as the backend gets busier (minconn{_full(proxy)})" if least != "at most " else ""
        extras.append(f"{least}{server.maxconn:,} at once{grows}{queue}")
    if server.redir is not None:
        extras.append(f"GET and HEAD are redirected to {server.redir} instead (redir)")
    if server.resolvers and server.service:
        extras.append(f"address, port and weight follow the SRV records ({server.resolvers})")
    elif server.resolvers and server.fqdn is not None:
        extras.append(f"its addresses follow DNS ({server.resolvers})")
    elif server.address.family == "name":
        extras.append("its name is looked up at start only")
    if server.backup:
        extras.append("only when all others are down")
    if server.disabled:
        extras.append("in maintenance from the start")
    if server.send_proxy:
        extras.append(f"told of the client by a PROXY header, version {server.send_proxy}")
    source = server.source or proxy.source
    if source is not None and source.usesrc is not None:
        extras.append(f"its connections come from an address of the client's (usesrc {source.usesrc})")
    if "agent-check" in server.options:
        extras.append("an agent on it tells its state and weight")
    if server.slowstart:
        extras.append(f"after a failure its share grows for {duration(server.slowstart)} (slowstart)")
    return f" at {_place(server)}" + (f": {'; '.join(extras)}." if extras else ".")


def _full(proxy: Proxy) -> str:
    return f", all at {proxy.fullconn:,}: fullconn" if proxy.fullconn else ""


def _speaks_h2(server: Server) -> bool:
    if server.options.get("proto", ("",))[0] == "h2":
        return True
    return server.tls is not None and "h2" in server.tls.options.get("alpn", ("",))[0].split(",")


def _place(server: Server) -> str:
    if server.service:
        return server.service
    if server.address.family == "any" or server.address.host in ("0.0.0.0", "::"):
        port = server.address.port
        return "the address that the client came to" + (f", port {port}" if port else "")
    return address(server.address)


def kept_apart(proxy: Proxy) -> bool:
    """Whether it has an address to go to, but no server whose connections could be shared."""
    return not proxy.servers and (proxy.dispatch is not None or "transparent" in proxy.options)


def _shares(proxy: Proxy, config: Config) -> Iterator[str]:
    if not proxy.servers and not kept_apart(proxy):
        return
    if proxy.mode != "http":
        yield "One for each client connection, made for it and ended with it; both directions may end apart."
        return
    if proxy.http_mode != "keep-alive":
        option = "httpclose" if proxy.http_mode == "close" else "http-server-close"
        yield f"Each carries one request and is closed after its answer (option {option})."
        return
    if kept_apart(proxy):
        yield f"{_REUSE['never']} {'Dispatch' if proxy.dispatch else 'Option transparent'} knows no server to share."
        return
    yield f"{_REUSE[proxy.reuse]} That is http-reuse {proxy.reuse}."
    closing = [
        front.name for front in config.proxies if front.is_frontend and front.http_mode != "keep-alive" and front.binds
    ]
    if closing:
        yield f"But requests that come by {listed(closing)} close theirs after the answer (option of that frontend)."
    if any(server.tls is not None and server.tls.sni is not None for server in proxy.servers):
        yield "Connections with different TLS names (SNI) are kept apart; each name's are shared."
    if any(server.send_proxy for server in proxy.servers):
        yield "A PROXY header tells of one client, so those connections serve that client alone."
    if any(_speaks_h2(server) for server in proxy.servers):
        yield "One that speaks HTTP/2 carries several requests at once."
    for most in sorted({server.max_reuse for server in proxy.servers if server.max_reuse >= 0}):
        yield f"A connection is closed after {count(most + 1, 'request')} (max-reuse {most})."
    if any((source := server.source or proxy.source) is not None and source.usesrc for server in proxy.servers):
        yield "Connections that come from different addresses (usesrc) are kept apart."
    if proxy.reuse != "never":
        yield from _kept(proxy)
        yield "A server's `Connection: close` ends that connection and never reaches a client."


def _kept(proxy: Proxy) -> Iterator[str]:
    ready = {server.pool.min_conn for server in proxy.servers if server.pool.min_conn}
    for least in sorted(ready):
        verb = "is" if least == 1 else "are"
        yield f"{count(least, 'connection')} to a server {verb} opened ahead (pool-min-conn)."
    limits: dict[tuple[int, int], list[str]] = {}
    for server in proxy.servers:
        limits.setdefault((server.pool_max_conn, server.pool_purge_delay), []).append(server.name)
    for (most, delay), names in sorted(limits.items()):
        who = "A server keeps" if len(limits) == 1 else f"{listed(names)} {'keeps' if len(names) == 1 else 'keep'}"
        if most == 0 or delay == 0:
            yield f"{who} no idle connections (pool-max-conn 0 or pool-purge-delay 0)."
            continue
        number = f"at most {most:,} idle ones" if most > 0 else "idle ones"
        yield f"{who} {number}; every {duration(delay)} half of what was not needed goes (pool-purge-delay)."


def _dies(proxy: Proxy) -> Iterator[str]:
    if not proxy.servers and not kept_apart(proxy):
        return
    http = proxy.mode == "http"
    unit = "request" if http else "connection"
    checked = [server for server in proxy.servers if server.check]
    tracking = [server for server in proxy.servers if server.track is not None]
    yield from _told_checks(proxy, checked)
    for server in tracking:
        yield f"{server.name} is up or down with {server.track} (track)."
    if proxy.servers and all(server.disabled for server in proxy.servers):
        end = "requests get 503" if http else "connections are closed"
        yield f"All are in maintenance: {end} until one is enabled."
    elif proxy.servers and not checked and not tracking:
        yield "Nobody checks the servers: a dead one goes on getting its share."
    elif rest := [one.name for one in proxy.servers if one not in checked and one not in tracking]:
        goes = "it goes on getting its" if len(rest) == 1 else "they go on getting their"
        yield f"Nobody checks {listed(rest)}: dead, {goes} share."
    elif proxy.servers:
        out = "While it is out" if len(proxy.servers) == 1 else "While all are out"
        yield f"{out}, {'requests get 503' if http else 'connections are closed'} at once."
    yield from _observed(proxy)
    if proxy.retries and proxy.retry_on - {"none"}:
        again = f"A connection that fails is tried again up to {count(proxy.retries, 'time')} (retries)"
        again += _where(proxy)
        yield f"{again}; then {'the client gets 503' if http else 'the client is closed'}."
    else:
        why = "retry-on none" if proxy.retries else "retries 0"
        yield f"A connection that fails is not tried again ({why}): {'503' if http else 'the client is closed'}."
    backups = [server.name for server in proxy.servers if server.backup]
    if backups:
        together = "allbackups" in proxy.options and len(backups) > 1
        verb = "take" if together else "takes"
        yield f"When all others are down, {listed(backups if together else backups[:1])} {verb} over."
    cut = [one.name for one in proxy.servers if one.options.get("on-marked-down", ("",))[0] == "shutdown-sessions"]
    if cut:
        who = "" if len(cut) == len(proxy.servers) else f" on {listed(cut)}"
        yield f"What is under way{who} is cut as soon as a check has found the server down (on-marked-down)."
    if not http:
        yield "Connections to it break; their clients see that."
        return
    events = sorted(event for event in proxy.retry_on if event not in ("conn-failure", "none"))
    if events:
        named = [_EVENTS.get(event, f"the answer is {event}") for event in events]
        yield f"A {unit} is sent again when {listed(named, 'or')} (retry-on), as long as it fits the buffer."
    elif proxy.http_mode != "keep-alive":
        yield "A request that was sent and gets no answer ends with 502 (504 after timeout server)."
    else:
        yield (
            "A request that was sent and gets no answer ends with 502 (504 after timeout server), but for one that "
            "went out on a connection that had been closed meanwhile: that is sent again where this is safe."
        )


def _told_checks(proxy: Proxy, checked: list[Server]) -> Iterator[str]:
    """How often and how servers are checked, those that are checked alike together."""
    alike: dict[str, list[str]] = {}
    for server in checked:
        alike.setdefault(_checked(server, proxy), []).append(server.name)
    for how, names in alike.items():
        if len(names) < len(proxy.servers):
            who = f"{names[0]} is" if len(names) == 1 else f"{listed(names)} are each"
        else:
            who = "It is" if len(names) == 1 else "Each is"
        yield f"{who} {how}"


def _observed(proxy: Proxy) -> Iterator[str]:
    """What errors of real traffic do to servers."""
    alike: dict[str, list[str]] = {}
    for server in proxy.servers:
        layer = server.options.get("observe", ("none",))[0]
        if layer == "none" or not server.check:
            continue
        limit = server.options.get("error-limit", ("10",))[0]
        what = _REACTIONS[server.options.get("on-error", ("fail-check",))[0]]
        errors = "errors in a row of real traffic" if layer == "layer7" else "connections in a row that fail"
        alike.setdefault(f"{limit} {errors} (observe {layer}) {what}", []).append(server.name)
    for how, names in alike.items():
        yield f"On {listed(names)}, {how}."


def _where(proxy: Proxy) -> str:
    """On which server a connection is tried again."""
    interval = proxy.redispatch
    if interval is None or len(proxy.servers) < 2:
        return ", each time on the same server"
    if interval == 1 or not proxy.balance.by_request:
        times = "each time"
    elif interval == 0:
        return ", each time on the same server unless that goes down"
    elif interval > 0:
        times = f"every {interval}. time"
    else:
        times = _from_the_last(interval)
    sticky = ""
    if times == "each time" and interval < 0 and proxy.mode == "http" and proxy.cookie is not None:
        sticky = f", but {_from_the_last(interval)} only for a client whose cookie names the server"
    return f", {times} on another server (option redispatch){sticky}"


def _from_the_last(interval: int) -> str:
    return "the last time" if interval == -1 else f"the {-interval}. time from the last"


def _asked(proxy: Proxy) -> str:
    """How servers are asked whether they are well."""
    if proxy.checks.kind == "httpchk":
        for step in proxy.checks.steps:
            if isinstance(step, CheckRequest):
                return f"by {step.method or 'OPTIONS'} {step.uri or '/'} (option httpchk){_wanted(proxy)}"
        return f"by OPTIONS / (option httpchk){_wanted(proxy)}"
    if proxy.checks.kind:
        kind = f"by option {proxy.checks.kind}"
        return f"{kind}{_wanted(proxy)}" if proxy.checks.kind == "tcp-check" else kind
    return "by connecting to it"


def _wanted(proxy: Proxy) -> str:
    """What the answer to a check must be; by itself 2xx and 3xx are good."""
    wanted = [
        f"{'no ' if step.inverse else ''}{step.match} {step.pattern}"
        for step in proxy.checks.steps
        if isinstance(step, CheckExpect) and step.pattern
    ]
    return f", which must give {listed(wanted)}" if wanted else ""


def _checked(server: Server, proxy: Proxy) -> str:
    options = server.options
    every = duration(int(options.get("inter", ("2000",))[0]))
    fall = options.get("fall", ("3",))[0]
    rise = options.get("rise", ("2",))[0]
    others = [
        f"{duration(int(options[name][0]))} {when}"
        for name, when in (("fastinter", "while its state changes"), ("downinter", "while it is down"))
        if name in options
    ]
    pace = f" ({', '.join(others)})" if others else ""
    failures = "failure" if fall == "1" else "failures"
    successes = "success" if rise == "1" else "successes"
    return (
        f"checked every {every}{pace}{_reached(server, proxy)} {_asked(proxy)}: out after {fall} {failures}, "
        f"back after {rise} {successes}."
    )


def _reached(server: Server, proxy: Proxy) -> str:
    """Where a check connects to, and whether over TLS; its own `connect` steps say so where it has them."""
    options = server.options
    host, port = options.get("addr", ("",))[0], options.get("port", ("",))[0]
    by_itself = server.tls is not None and not host and not port and "no-check-ssl" not in options
    secured = by_itself or "check-ssl" in options
    connects = [step for step in proxy.checks.steps if isinstance(step, CheckConnect)]
    if not connects:
        return _way(host, port, secured=secured)
    ways = []
    for step in connects:
        there, on = host, port
        if step.address is not None:
            there, on = address(step.address), "" if step.address.port else port
        if step.port is not None:
            on = str(step.port) if isinstance(step.port, int) else f"{step.port.text} gives"
        ways.append(_way(there, on, secured=step.ssl or (step.default and secured)))
    if len(ways) == 1:
        return ways[0]
    return ", then".join(way or " on its own port" for way in ways) + ","


def _way(host: str, port: str, *, secured: bool) -> str:
    at, on = f" at {host}" if host else "", f" on port {port}" if port else ""
    return f"{at}{on}{' over TLS' if secured else ''}"


def _busy(proxy: Proxy) -> Iterator[str]:
    limited = [server for server in proxy.servers if server.maxconn]
    if not limited:
        return
    timeouts = proxy.timeouts
    queue = timeouts.queue if timeouts.queue is not None else timeouts.connect
    name = "queue" if timeouts.queue is not None else "connect"
    unit = "Requests" if proxy.mode == "http" else "Connections"
    end = "get 503" if proxy.mode == "http" else "are closed"
    for_how_long = f"up to {duration(queue)} (timeout {name}), then {end}" if queue else "for ever (no timeout queue)"
    yield f"{unit} beyond the servers' maxconn wait in a queue, {for_how_long}."


def _waits(proxy: Proxy) -> Iterator[str]:
    if not proxy.servers and not kept_apart(proxy):
        return
    timeouts = proxy.timeouts
    if timeouts.connect:
        yield f"A server may take {duration(timeouts.connect)} to accept (timeout connect)."
    else:
        yield "A server may take as long as the system lets it to accept: there is no timeout connect."
    if proxy.mode != "http" and timeouts.tunnel:
        yield (
            f"From then on both sides may be silent for {duration(timeouts.tunnel)} (timeout tunnel), whatever timeout "
            "client and timeout server say."
        )
        return
    what = "to answer, and between two pieces of it" if proxy.mode == "http" else "between two pieces"
    if timeouts.server:
        yield f"It may take {duration(timeouts.server)} {what} (timeout server)."
    else:
        yield f"It may take for ever {what}: there is no timeout server."
    if timeouts.server_fin:
        yield f"Once one side has closed, {duration(timeouts.server_fin)} (timeout server-fin)."
    if timeouts.tunnel:
        yield f"WebSockets and other tunnels may be silent for {duration(timeouts.tunnel)} (timeout tunnel)."
