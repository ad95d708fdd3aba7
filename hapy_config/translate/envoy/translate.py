"""The whole configuration: listeners with their filters, clusters, and what becomes of every other statement."""

from __future__ import annotations

import json
import re
from typing import Final

from hapy_config.model.config import Config
from hapy_config.model.proxy import Proxy
from hapy_config.model.server import Bind
from hapy_config.syntax import Document
from hapy_config.translate.doubles import count_doubles, note_doubles
from hapy_config.translate.envoy.access import policies
from hapy_config.translate.envoy.actions import SESSIONS, header_to_add
from hapy_config.translate.envoy.always import ALWAYS, NO_HOST
from hapy_config.translate.envoy.clusters import certificate, cluster, seconds, socket_address, tls_parameters
from hapy_config.translate.envoy.matching import PROTO, PROTO_COPY, TOLD, Json
from hapy_config.translate.envoy.pages import local_replies
from hapy_config.translate.envoy.routes import Routes
from hapy_config.translate.envoy.script import ScriptedRoutes
from hapy_config.translate.fates import FATES, SECTIONS
from hapy_config.translate.field_names import policy, tell, whole_policy
from hapy_config.translate.flow import FALSE, TRUE, Formula, Some, Test, Untranslatable, formula
from hapy_config.translate.guards import doors
from hapy_config.translate.ledger import CARRIED, Fate, Ledger, lost, near, same
from hapy_config.translate.options import note_silence, takes_ipv4, tell_bind
from hapy_config.translate.plain import in_plain_words
from hapy_config.translate.report import Loss, Translation

_TYPE: Final = "type.googleapis.com/envoy.extensions"
_CARRIED: Final = frozenset(
    {
        "alpn",
        "backlog",
        "ssl-min-ver",
        "ssl-max-ver",
        "ciphers",
        "verify",
        "ca-file",
        "no-tls-tickets",
        "v4v6",
        "v6only",
    }
)
_FATES: Final[dict[str, Fate]] = {
    **FATES,
    "global maxconn": same("Envoy limits connections in its overload manager"),
    "maxconn": near("Envoy limits connections in its overload manager, for the whole process"),
    "fullconn": lost("Envoy has no limits that grow with the load"),
    "compression": lost("Envoy compresses with a filter of its own: envoy.filters.http.compressor"),
    "monitor-uri": CARRIED,
    "monitor fail": lost("what a monitor sees can't depend on servers"),
    "cookie": lost("clients are not tied to servers by a cookie"),
    "option httpchk": CARRIED,
    "option tcp-check": CARRIED,
    "tcp-check": lost("Envoy's checks of plain connections have no such steps"),
    "http-check": CARRIED,
    "stats": lost("Envoy has an admin interface of its own"),
    "http-reuse": near("Envoy keeps idle connections for all clients"),
    "option http-server-close": near("Envoy keeps server connections"),
    "timeout tunnel": same("an upgraded connection has the idle timeout of its route"),
    "timeout client-fin": same("Envoy has no such time"),
    "log": near("requests are logged to the standard output"),
    "log-format": near("requests are logged in Envoy's own format"),
    "rate-limit": lost("Envoy limits rates with a filter of its own"),
    **dict.fromkeys(
        ("option tcpka", "option clitcpka"), near("whether clients' connections are kept alive is left to the system")
    ),
    "source": lost("Envoy binds to the address that a cluster's upstream_bind_config names"),
}
_LONGEST_PATTERN: Final = 100_000


def to_envoy(config: Config, document: Document) -> Translation:
    """Write an Envoy bootstrap configuration.

    Args:
        config: the model.
        document: its statements: each is accounted for.

    Returns:
        `envoy.yaml`; notes about every statement that did not go over as it was.
    """
    ledger = Ledger(config, document, "Envoy")
    config = in_plain_words(ledger)
    listeners: list[Json] = []
    used: dict[str, Proxy] = {}
    for proxy in config.proxies:
        if not proxy.is_frontend or proxy.disabled:
            continue
        chains = _http(ledger, config, proxy, used) if proxy.mode == "http" else _tcp(ledger, config, proxy, used)
        if chains:
            ledger.wrote(proxy)
        for bind in proxy.binds if chains else ():
            listeners += _listeners(ledger, proxy, bind, chains)
    clusters = []
    for backend in used.values():
        ledger.wrote(backend)
        found = None if backend.disabled else cluster(ledger, backend)
        clusters.append(
            found or {"name": backend.name, "type": "STATIC", "load_assignment": {"cluster_name": backend.name}}
        )
    note_doubles(ledger, config)
    ledger.settle(_FATES, SECTIONS)
    whole: Json = {"static_resources": {"listeners": listeners, "clusters": clusters}}
    if "safe_regex" in repr(whole) or "'regex'" in repr(whole):
        # Without it Envoy refuses patterns that a list of a dozen words makes.
        limit = {
            "re2.max_program_size.error_level": _LONGEST_PATTERN,
            "re2.max_program_size.warn_level": _LONGEST_PATTERN,
        }
        whole["layered_runtime"] = {"layers": [{"name": "patterns", "static_layer": limit}]}
    http = any(proxy.is_frontend and proxy.mode == "http" and not proxy.disabled for proxy in config.proxies)
    return ledger.translation("envoy.yaml", _written(whole), ALWAYS if http else ())


def _written(whole: Json) -> str:
    """YAML in which letters stand between quotes that Envoy's reader would take for true and false."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if value.count("\n") > 1 and not re.search(r"[ \t]\n|[\x00-\x09\x0b-\x1f\x7f]", value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^[yYnN]$"), list("yYnN"))
    # Parts that are the same would be written as references; people read the whole more easily.
    return str(yaml.dump(json.loads(json.dumps(whole)), None, Dumper, sort_keys=False, allow_unicode=True, width=110))


def _listeners(ledger: Ledger, proxy: Proxy, bind: Bind, chains: list[Json]) -> list[Json]:
    found = []
    try:
        for port in bind.address.ports if bind.address.port is not None else (None,):
            name = f"{proxy.name}_{bind.number}" + (f"_{port}" if len(bind.address.ports) > 1 else "")
            listener: Json = {"name": name, "address": socket_address(bind.address, port, dialled=False)}
            filters = []
            if bind.accept_proxy:
                filters.append(_typed("proxy_protocol", "filters.listener.proxy_protocol.v3.ProxyProtocol"))
            if bind.tls is not None or any("filter_chain_match" in chain for chain in chains):
                filters.append(_typed("tls_inspector", "filters.listener.tls_inspector.v3.TlsInspector"))
            if filters:
                listener["listener_filters"] = filters
            transport = _downstream(ledger, bind)
            listener["filter_chains"] = [{**chain, **transport} for chain in chains]
            if bind.backlog:
                listener["tcp_backlog_size"] = bind.backlog
            if takes_ipv4(ledger, bind):
                listener["address"]["socket_address"]["ipv4_compat"] = True
            found.append(listener)
        tell_bind(ledger, bind, _CARRIED)
        ledger.done(bind.span)
    except Untranslatable as reason:
        ledger.lost(bind.span, f"bind was left out: {reason}")
    return found


def _typed(name: str, kind: str, **values: object) -> Json:
    return {"name": name, "typed_config": {"@type": f"{_TYPE}.{kind}", **values}}


_LOG: Final = _typed("envoy.access_loggers.stdout", "access_loggers.stream.v3.StdoutAccessLog")


def _downstream(ledger: Ledger, bind: Bind) -> Json:
    """TLS of a listener."""
    tls = bind.tls
    if tls is None:
        return {}
    files = [entry.files.path for entry in bind.certificates] or list(tls.get("crt", ()))
    if not files:
        raise Untranslatable("it names no certificate that Envoy could use")
    if len(files) > 1:
        ledger.near(bind.span, "bind: Envoy picks among certificates by the names in them")
    common: Json = {"tls_certificates": [certificate(file) for file in files]}
    parameters = tls_parameters(dict(tls))
    if parameters:
        common["tls_params"] = parameters
    if "alpn" in tls:
        common["alpn_protocols"] = tls["alpn"][0].split(",")
    context: Json = {"common_tls_context": common}
    if "no-tls-tickets" in tls:
        context["disable_stateless_session_resumption"] = True
    if tls.get("verify", ("none",))[0] != "none" and "ca-file" in tls:
        common["validation_context"] = {"trusted_ca": {"filename": tls["ca-file"][0]}}
        context["require_client_certificate"] = tls["verify"][0] == "required"
    return {
        "transport_socket": _typed(
            "envoy.transport_sockets.tls", "transport_sockets.tls.v3.DownstreamTlsContext", **context
        )
    }


def _http(ledger: Ledger, config: Config, proxy: Proxy, used: dict[str, Proxy]) -> list[Json]:
    """The filter chain of a frontend in HTTP mode."""
    routes, host = _routes(ledger, config, proxy)
    used.update(routes.backends)
    ledger.wrote_exactly((proxy, *routes.backends.values()), exactly=bool(routes.script))
    host["request_headers_to_remove"] = [PROTO_COPY]  # behind what routes do
    filters = []
    if routes.denied:
        rules = {"action": "DENY", "policies": routes.denied}
        filters.append(_typed("envoy.filters.http.rbac", "filters.http.rbac.v3.RBAC", rules=rules))
    if routes.script:
        text = f"'{proxy.name}': its rules became a Lua script, since routes can't say all of them"
        ledger.note(proxy.span, Loss.NONE, text)
        code = {"inline_string": routes.script}
        filters.append(_typed("envoy.filters.http.lua", "filters.http.lua.v3.Lua", default_source_code=code))
    if routes.tied:
        filters.append(_typed(SESSIONS, "filters.http.stateful_session.v3.StatefulSession"))
    filters.append(_typed("envoy.filters.http.router", "filters.http.router.v3.Router", suppress_envoy_headers=True))
    timeouts = proxy.timeouts
    names = whole_policy(ledger, proxy, list(routes.backends.values()))
    manager: Json = {
        "stat_prefix": proxy.name,
        "codec_type": "AUTO",
        "use_remote_address": True,
        "skip_xff_append": True,  # routes tell the address as HAProxy does
        "generate_request_id": routes.numbered,
        "server_header_transformation": "PASS_THROUGH",
        "proxy_100_continue": True,
        "http_protocol_options": {
            "accept_http_10": True,
            "default_host_for_http_10": NO_HOST,
            "allow_custom_methods": True,
        },
        "stream_idle_timeout": seconds(timeouts.client or 0),
        "request_headers_timeout": seconds(timeouts.http_request or timeouts.client or 0),
        "common_http_protocol_options": {
            "idle_timeout": seconds(timeouts.http_keep_alive or timeouts.http_request or timeouts.client or 0),
            **_header_names(ledger, [proxy, *routes.backends.values()], names),
        },
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {"name": proxy.name, "virtual_hosts": [host]},
        "http_filters": filters,
        **local_replies(ledger, proxy, list(routes.backends.values())),
    }
    copy = {"key": PROTO_COPY, "value": f"%REQ({PROTO})%"}
    mutations: list[Json] = [{"remove": PROTO_COPY}, {"append": {"header": copy}}]
    if routes.script and routes.numbered:
        id_copy = {"key": "x-hapy-request-id", "value": "%REQ(X-REQUEST-ID)%"}
        mutations += [{"remove": id_copy["key"]}, {"append": {"header": id_copy}}]
    mutations += [
        {"append": header_to_add(name, operator, append=False)}
        for name, operator in (TOLD[subject] for subject in routes.told)
    ]
    kind = "http.early_header_mutation.header_mutation.v3.HeaderMutation"
    manager["early_header_mutation_extensions"] = [
        _typed("envoy.http.early_header_mutation.header_mutation", kind, mutations=mutations)
    ]
    if proxy.log:
        manager["access_log"] = [_LOG]
    kind = "filters.network.http_connection_manager.v3.HttpConnectionManager"
    return [{"filters": [_typed("envoy.filters.network.http_connection_manager", kind, **manager)]}]


def _routes(ledger: Ledger, config: Config, proxy: Proxy) -> tuple[Routes, Json]:
    """The routes of a frontend and its virtual host: a script stands in front of them where that loses less."""
    found: list[tuple[tuple[int, int], Ledger, Routes, Json]] = []
    for kind in (Routes, ScriptedRoutes):
        trial = ledger.trial()
        routes = kind(trial, config, proxy)
        host: Json = {"name": proxy.name, "domains": ["*"], "routes": routes.write(), **routes.after_responses()}
        lost = trial.told(Loss.LOST) - ledger.told(Loss.LOST)
        doubles = 0 if routes.script else count_doubles(trial, (proxy, *routes.backends.values())) + routes.numbered
        found.append(((lost, doubles), trial, routes, host))
        if not (lost or doubles):
            break
    _, trial, routes, host = min(found, key=lambda one: one[0])
    ledger.take(trial)
    return routes, host


def _header_names(ledger: Ledger, proxies: list[Proxy], wanted: str) -> Json:
    """What becomes of headers for their names: Envoy looks for `_` only."""
    if wanted == "preserve":
        return {}
    for proxy in proxies:
        if policy(proxy) != "preserve":
            refused = ", and requests with it are refused with 400" if wanted == "reject" else ""
            tell(ledger, proxy, f"Envoy looks for '_' in names only{refused}: other signs go on")
    return {"headers_with_underscores_action": {"delete": "DROP_HEADER", "reject": "REJECT_REQUEST"}[wanted]}


def _tcp(ledger: Ledger, config: Config, proxy: Proxy, used: dict[str, Proxy]) -> list[Json]:
    """The filter chains of a frontend in TCP mode: one for each name that a backend is chosen by, and the rest."""
    found = doors(ledger, proxy, _by_address)
    before = _access(proxy, found.denied)
    chains: list[Json] = []
    taken: set[str] = set()
    for use in proxy.use_backends:
        try:
            backend = config.backend(use.target) if isinstance(use.target, str) else None
            if backend is None:
                raise Untranslatable("which one it is depends on the connection")
            whole = formula(use.condition)
            used[backend.name] = backend
            chain: Json = {"filters": [*before, _proxied(ledger, proxy, backend)]}
            if whole != TRUE:
                names = [name for name in dict.fromkeys(_names(whole)) if name not in taken]  # the first line wins
                taken.update(names)
                if names:
                    chains.append({"filter_chain_match": {"server_names": names}, **chain})
            elif "" not in taken:
                taken.add("")
                chains.append(chain)
            ledger.done(use.span)
        except Untranslatable as reason:
            ledger.lost(use.span, f"use_backend was left out: {reason}")
    default = config.backend(proxy.default_backend) if proxy.default_backend else (proxy if proxy.is_backend else None)
    if default is not None and "" not in taken:
        used[default.name] = default
        chains.append({"filters": [*before, _proxied(ledger, proxy, default)]})
    if not chains:
        ledger.lost(proxy.span, f"'{proxy.name}' leads nowhere: it was left out")
    if (rule := found.plain) is not None and any(bind.tls is not None for bind in proxy.binds):
        ledger.lost(rule.span, f"{rule.ruleset} {rule.word} was left out: what is no TLS is let in")
    elif rule is not None:
        for chain in chains:  # who fits none is refused; names are those of TLS clients
            if "filter_chain_match" not in chain:
                chain["filter_chain_match"] = {"transport_protocol": "tls"}
        if found.guarded:
            ledger.near(rule.span, "whoever speaks no TLS is refused")
    return chains


def _access(proxy: Proxy, denied: Formula) -> list[Json]:
    """The access filter for the rules about connections; none where all are let in."""
    if denied == FALSE:
        return []
    named = {f"refused_{number + 1}": policy for number, policy in enumerate(policies(denied))}
    rules = {"action": "DENY", "policies": named}
    kind = "filters.network.rbac.v3.RBAC"
    return [_typed("envoy.filters.network.rbac", kind, stat_prefix=proxy.name, rules=rules)]


def _by_address(one: Test) -> None:
    """See that a test is one of addresses, all that is known before anything was read."""
    if one.how != "network" or one.subject.kind != "src":
        raise Untranslatable("Envoy refuses connections by address only")


def _names(whole: object) -> list[str]:
    tests = whole.parts if isinstance(whole, Some) else (whole,)
    found: list[str] = []
    for one in tests:
        if not isinstance(one, Test) or one.subject.kind != "sni":
            raise Untranslatable("Envoy chooses by the name that TLS clients ask for only")
        if one.how == "exact":
            found += one.values
        elif one.how == "suffix" and all(value.startswith(".") for value in one.values):
            found += [f"*{value}" for value in one.values]
        else:
            raise Untranslatable("Envoy compares whole names, or all below a domain")
    return found


def _proxied(ledger: Ledger, proxy: Proxy, backend: Proxy) -> Json:
    note_silence(ledger, proxy, backend)
    idle = [time for time in (proxy.timeouts.client, backend.timeouts.server) if time]
    values: dict[str, object] = {
        "stat_prefix": proxy.name,
        "cluster": backend.name,
        "idle_timeout": seconds(min(idle) if idle else 0),
    }
    if backend.retries:
        values["max_connect_attempts"] = backend.retries + 1
    if proxy.log:
        values["access_log"] = [_LOG]
    if backend.balance.algorithm == "source":
        values["hash_policy"] = [{"source_ip": {}}]
    return _typed("envoy.filters.network.tcp_proxy", "filters.network.tcp_proxy.v3.TcpProxy", **values)
