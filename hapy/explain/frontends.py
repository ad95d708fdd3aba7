"""What a frontend does, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from hapy.explain.conditions import condition
from hapy.explain.values import address, count, duration, listed

if TYPE_CHECKING:
    from hapy_config.model.config import Config
    from hapy_config.model.proxy import LogTarget, Proxy
    from hapy_config.model.rules import Rule
    from hapy_config.model.server import Bind

Paragraph = tuple[str, list[str]]

#: What actions do, for a count of rules; others go by their names.
_DEEDS: Final = {
    "deny": "deny",
    "reject": "reject",
    "tarpit": "hold clients (tarpit)",
    "redirect": "redirect",
    "return": "answer at once",
    "auth": "ask for a password",
    "silent-drop": "drop clients in silence",
    "allow": "let requests pass",
    "accept": "let connections pass",
}


def tell(proxy: Proxy, config: Config) -> Iterator[Paragraph]:
    """A frontend (or a listen's front half)."""
    yield "listens", list(_listens(proxy, config))
    yield "looks at", list(_looks(proxy, config))
    yield "rules", list(told_rules(proxy))
    yield "headers", list(told_headers(proxy, config))
    yield "sends", list(_sends(proxy))
    yield "client connections", list(_connections(proxy))
    yield "who waits", list(_waits(proxy, config))
    yield "log", list(_log(proxy))


def _listens(proxy: Proxy, config: Config) -> Iterator[str]:
    if not proxy.binds:
        yield "Nowhere: it has no bind line."
        return
    yield f"On {listed([_bind(bind) for bind in proxy.binds])}."
    limit = proxy.maxconn or config.global_.maxconn
    if proxy.maxconn:
        yield f"At most {limit:,} connections at once (maxconn); more wait in the kernel until one ends."
    if proxy.rate_limit_sessions:
        yield f"At most {proxy.rate_limit_sessions:,} new connections a second (rate-limit sessions)."


def _bind(bind: Bind) -> str:
    extras = []
    if bind.tls is not None:
        certificates = [name for option in ("crt", "crt-list") for name in bind.tls.get(option, ())]
        extras.append(f"TLS, {listed(certificates)}" if certificates else "TLS")
        asks = bind.tls.get("verify", ("none",))[0]
        if asks != "none":
            who = "clients must show a certificate" if asks == "required" else "clients may show a certificate"
            extras.append(f"{who}: verify {asks}")
    if bind.v4v6 is not None:
        extras.append("IPv4, too" if bind.v4v6 else "IPv6 only")
    if bind.maxconn:
        extras.append(f"at most {bind.maxconn:,} connections at once")
    if bind.accept_proxy:
        extras.append("behind a PROXY header")
    if "h2" in bind.options.get("proto", ()):
        extras.append("HTTP/2")
    elif bind.tls is not None and "h2" in bind.tls.get("alpn", ("",))[0].split(","):
        extras.append("HTTP/2 where the client asks for it (alpn)")
    return address(bind.address) + (f" ({'; '.join(extras)})" if extras else "")


def _looks(proxy: Proxy, config: Config) -> Iterator[str]:
    if proxy.mode == "http":
        yield (
            "Every request on its own (mode http): rules, the choice of backend and server, and the log line are "
            "for each request, however many come on one client connection."
        )
    else:
        ended = ", out of its TLS" if any(bind.tls is not None for bind in proxy.binds) else ""
        yield (
            "Connections (mode tcp): each is given to a server once, when it opens; what travels in it is passed on "
            f"as it is{ended}."
        )
        if web := [one.name for one in _targets(proxy, config) if one.mode == "http"]:
            yield f"What goes to {listed(web)} is HTTP from there on (mode http): the requests, one by one."


def _targets(proxy: Proxy, config: Config) -> list[Proxy]:
    """The backends that it names."""
    names = [use.target for use in proxy.use_backends if isinstance(use.target, str)]
    names += [proxy.default_backend] if proxy.default_backend is not None else []
    names += [proxy.name] if proxy.is_backend else []
    return [one for name in dict.fromkeys(names) if (one := config.backend(name)) is not None]


def told_rules(proxy: Proxy) -> Iterator[str]:
    """How many rules there are, and what they do."""
    for ruleset, rules in proxy.rules.items():
        if rules and ruleset.startswith("http-") and proxy.mode != "http":
            yield f"{count(len(rules), 'rule')} of {ruleset}: left aside in mode tcp."
        elif rules:
            yield f"{count(len(rules), 'rule')} of {ruleset}: {_deeds(rules)}."
    if proxy.redirects and proxy.mode == "http":
        yield f"{count(len(proxy.redirects), 'redirect')}, behind the rules of http-request."
    if proxy.monitor_uri and proxy.mode == "http":
        yield f"{proxy.monitor_uri} is answered 200 before any rule (monitor-uri){_monitor_fails(proxy)}."
    if proxy.mode == "http":
        pages = [(str(status), page.raw == b"") for status, page in sorted(proxy.error_pages.items()) if status != 200]
        if shown := [status for status, empty in pages if not empty]:
            yield f"What the proxy itself answers with {listed(shown)} has a page of its own."
        if silent := [status for status, empty in pages if empty]:
            yield f"Where it would answer {listed(silent)} it closes without a word (errorfile, an empty one)."
    if proxy.stats is not None and proxy.mode == "http":
        guarded = " to those who know a password" if proxy.stats.accounts or _guarded(proxy) else ""
        yield f"The statistics page is shown{guarded} where the URI begins with {proxy.stats.uri} (stats)."
        for allowed in proxy.stats.admin:
            yield f"Its forms change the servers' states {condition(allowed)} (stats admin)."


def told_headers(proxy: Proxy, config: Config) -> Iterator[str]:
    """The headers that options add to requests, and how names are written."""
    if proxy.mode != "http":
        return
    for told, option, what in (
        (proxy.forwardfor, "forwardfor", "client's address"),
        (proxy.originalto, "originalto", "address that the client came to"),
    ):
        if told is not None:
            but = f", but not for those of {listed(list(told.excepted))}" if told.excepted else ""
            but += ", where the request has none" if told.if_none else ""
            yield f"Servers are told the {what} in {told.header} (option {option}{but})."
    if proxy.unique_id_header and proxy.is_frontend:
        yield f"Each request gets an id of its own in {proxy.unique_id_header} (unique-id-header)."
    if proxy.http_send_name_header and proxy.is_backend:
        yield f"A server is told its own name in {proxy.http_send_name_header} (http-send-name-header)."
    for option, whom in (("h1-case-adjust-bogus-client", "clients"), ("h1-case-adjust-bogus-server", "servers")):
        if option in proxy.options and config.global_.h1_case_adjust:
            yield f"Header names that {whom} get are written as h1-case-adjust says (option {option})."


def _monitor_fails(proxy: Proxy) -> str:
    if not proxy.monitor_fail:
        return ""
    first, *others = (condition(one) for one in proxy.monitor_fail)
    return f", or 503 {', or '.join([first, *(one.removeprefix('if ') for one in others)])} (monitor fail)"


def _guarded(proxy: Proxy) -> bool:
    return proxy.stats is not None and any(rule.action == "auth" for rule in proxy.stats.rules)


def _deeds(rules: tuple[Rule, ...]) -> str:
    counted = Counter(_DEEDS.get(rule.action, rule.word.partition("(")[0]) for rule in rules)
    return listed([deed if number == 1 else f"{number} {deed}" for deed, number in counted.items()])


def _named(proxy: Proxy, text: str) -> str:
    """The backend that a log format names; where it names none, no other `use_backend` is asked."""
    if proxy.default_backend:
        return f"whatever {text} names (where there is no such backend, to {proxy.default_backend})"
    if proxy.is_backend and proxy.servers:
        return f"whatever {text} names (where there is no such backend, to its own servers)"
    return f"whatever {text} names"


def _sends(proxy: Proxy) -> Iterator[str]:
    what = "Requests" if proxy.mode == "http" else "Connections"
    page = proxy.stats is not None and proxy.mode == "http"
    for use in proxy.use_backends:
        target = use.target if isinstance(use.target, str) else _named(proxy, use.target.text)
        if use.condition is None:
            all_ = "All" if use is proxy.use_backends[0] and not page else "Other"
            yield f"{all_} {what.lower()} go to {target}."
            return
        yield f"{what} go to {target} {condition(use.condition)}."
    rest = "Other" if proxy.use_backends or page else "All"
    if proxy.default_backend:
        yield f"{rest} {what.lower()} go to {proxy.default_backend}."
    elif proxy.is_backend and proxy.servers:
        yield f"{rest} {what.lower()} go to its own servers."
    elif proxy.is_backend and proxy.dispatch is not None:
        yield f"{rest} {what.lower()} go to {address(proxy.dispatch)} (dispatch)."
    elif proxy.is_backend and "transparent" in proxy.options:
        yield f"{rest} {what.lower()} go to where the client wanted to go (option transparent)."
    elif not always_answers(proxy):
        end = "are answered 503" if proxy.mode == "http" else "are closed"
        yield f"{rest} {what.lower()} {end}: there is no default_backend."


def always_answers(proxy: Proxy) -> bool:
    """Whether its rules leave no request to be sent on."""
    return any(
        rule.condition is None and rule.action in ("return", "deny", "redirect", "tarpit", "auth", "use-service")
        for rule in proxy.rules.get("http-request", ())
    ) or any(redirect.condition is None for redirect in proxy.redirects)


def _connections(proxy: Proxy) -> Iterator[str]:
    if proxy.mode != "http":
        return
    if proxy.http_mode == "close":
        yield "Each is closed after one answer (option httpclose)."
        return
    timeouts = proxy.timeouts
    idle = timeouts.http_keep_alive if timeouts.http_keep_alive is not None else timeouts.http_request
    source = "http-keep-alive" if timeouts.http_keep_alive is not None else "http-request"
    if idle is None or (timeouts.client is not None and timeouts.client < idle):
        idle, source = timeouts.client, "client"
    stays = f"stays open for {duration(idle)} (timeout {source})" if idle else "stays open for as long as it likes"
    yield f"After an answer a connection {stays}, waiting for its next request."
    yield "A client's `Connection: close` ends that client's connection and no server's."


def _waits(proxy: Proxy, config: Config) -> Iterator[str]:
    timeouts = proxy.timeouts
    if proxy.mode == "http":
        if timeouts.http_request:
            body = " and what of its body fits the buffer" if "http-buffer-request" in proxy.options else ""
            took = duration(timeouts.http_request)
            yield f"A client may take {took} for a request's head{body} (timeout http-request)."
        else:
            yield "A client may send a request's head as slowly as timeout client lets it (no timeout http-request)."
    who = "It" if proxy.mode == "http" else "A client"
    tunnels = proxy.mode != "http" and any(one.timeouts.tunnel for one in _targets(proxy, config))
    until = ", until its connection has a server with a timeout tunnel" if tunnels else ""
    if timeouts.client:
        yield f"{who} may be silent for {duration(timeouts.client)} (timeout client){until}."
    else:
        yield f"{who} may be silent for ever: there is no timeout client."
    if timeouts.client_fin:
        yield f"Once one side has closed, {duration(timeouts.client_fin)} (timeout client-fin)."
    waits = any(rules for ruleset, rules in proxy.rules.items() if ruleset == "tcp-request content")
    if proxy.inspect_delay and waits:
        yield f"Rules may wait {duration(proxy.inspect_delay)} for its first bytes (tcp-request inspect-delay)."
    holds = any(rule.action == "tarpit" for rules in proxy.rules.values() for rule in rules)
    if timeouts.tarpit and holds:
        yield f"One that a rule holds waits {duration(timeouts.tarpit)} (timeout tarpit)."


def _log(proxy: Proxy) -> Iterator[str]:
    if not proxy.log:
        yield "Nothing is logged."
        return
    what = "request" if proxy.mode == "http" else "connection"
    where = listed(list(dict.fromkeys(_target(target) for target in proxy.log)))
    if "dontlog-normal" in proxy.options:
        failed = "that fails, is tried again or redispatched" + (", or gets 5xx," if proxy.mode == "http" else "")
        yield f"Each {what} {failed} leaves a line, sent to {where} (option dontlog-normal)."
    else:
        yield f"Each {what} leaves a line, sent to {where}."
    if "dontlognull" in proxy.options:
        yield "Connections that send nothing leave none (option dontlognull)."


def _target(target: LogTarget) -> str:
    if target.stream == "ring":
        return "a ring"
    return target.stream or (address(target.address) if target.address is not None else "the log")
