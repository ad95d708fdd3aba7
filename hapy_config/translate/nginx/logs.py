"""Where and how requests are logged."""

from __future__ import annotations

from typing import Final

from hapy_config.model.expressions import FormatAlias, FormatText, LogFormat
from hapy_config.model.proxy import LogTarget, Proxy
from hapy_config.translate.flow import Untranslatable, subject
from hapy_config.translate.ledger import Ledger
from hapy_config.translate.nginx.servers import place
from hapy_config.translate.nginx.text import always_quoted, identifier, literal
from hapy_config.translate.nginx.variables import Variables

_ALIASES: Final = {
    "ci": "$remote_addr", "cp": "$remote_port", "fi": "$server_addr", "fp": "$server_port", "tr": "$time_local",
    "t": "$time_local", "T": "$time_iso8601", "ST": "$status", "B": "$bytes_sent", "U": "$request_length",
    "s": "$upstream_addr", "si": "$upstream_addr", "HM": "$request_method", "HU": "$request_uri", "HP": "$uri",
    "HQ": "$is_args$args", "HV": "$server_protocol", "r": "$request", "Tc": "$upstream_connect_time",
    "Tr": "$upstream_header_time", "Ta": "$request_time", "Tt": "$request_time", "pid": "$pid", "H": "$hostname",
    "sslv": "$ssl_protocol", "sslc": "$ssl_cipher", "ts": "-", "tsc": "----", "ID": "$request_id",
}  # fmt: skip
_HTTP: Final = (
    "$remote_addr:$remote_port [$time_local] {} $upstream_addr "
    "$upstream_connect_time/$upstream_header_time/$request_time "
    '$status $bytes_sent "$request"'
)


_STREAM: Final = "$remote_addr:$remote_port [$time_local] {} $upstream_addr $session_time $bytes_sent $status"


def stream_log(ledger: Ledger, proxy: Proxy) -> tuple[str, str]:
    """The same for a `stream` block; both are empty where nothing is logged."""
    targets = [line for target in proxy.log if (line := _target(ledger, target, proxy))]
    if not targets:
        return "", ""
    for option in ("tcplog", "httplog"):
        if option in proxy.options:
            ledger.near(ledger.line(proxy, "option", option), "the log line holds what nginx has, in its own units")
    if proxy.log_format is not None:
        ledger.near(ledger.line(proxy, "log-format"), "connections are logged in nginx's own form")
    name = f"hapy_{identifier(proxy.name)}"
    log_format = f"log_format {name} {always_quoted(_STREAM.format(literal(proxy.name)))};"
    return "\n".join(f"access_log {target} {name};" for target in targets), log_format


def access_log(ledger: Ledger, proxy: Proxy) -> tuple[str, list[str]]:
    """The `access_log` directive, and the `log_format` it needs."""
    targets = [line for target in proxy.log if (line := _target(ledger, target, proxy))]
    wanted = proxy.log_format is not None or any(name.startswith(("httplog", "httpslog")) for name in proxy.options)
    if not targets or not (wanted or proxy.log):
        return "access_log off;", []
    name = f"hapy_{identifier(proxy.name)}"
    text = _HTTP.format(literal(proxy.name))
    if proxy.log_format is not None:
        text = _format(ledger, proxy, proxy.log_format)
    for statement in ledger.proxy_statements(proxy):
        if statement.words[0] == "option" and statement.words[1:2] in (["httplog"], ["httpslog"]):
            ledger.near(statement.span(), "the log line holds the same where nginx has it, in its own units")
    lines = [f"access_log {target} {name};" for target in targets]
    return "\n".join(lines), [f"log_format {name} {always_quoted(text)};"]


def _target(ledger: Ledger, target: LogTarget, proxy: Proxy) -> str:
    if target.stream in ("stdout", "stderr"):
        return f"/dev/{target.stream}"
    if target.address is None:
        return ""
    try:
        address = place(target.address, 514)
    except Untranslatable as reason:
        ledger.lost(target.span, f"log was left out: {reason}")
        return ""
    tag = identifier(proxy.log_tag or "haproxy")
    return f"syslog:server={address},facility={target.facility},tag={tag},severity=info"


def _format(ledger: Ledger, proxy: Proxy, format_: LogFormat) -> str:
    variables, found, missing = Variables(), [], []
    for item in format_.items:
        if isinstance(item, FormatText):
            found.append(literal(item.text))
        elif isinstance(item, FormatAlias):
            own = {"f": proxy.name, "ft": proxy.name, "b": "$proxy_host"}
            text = own.get(item.name) or _ALIASES.get(item.name)
            missing += [] if text else [f"%{item.name}"]
            found.append(text or "-")
        else:
            try:
                found.append(variables.value(subject(item.expression)).replace("$hapy", "$uri_hapy"))
                if "$uri_hapy" in found[-1]:
                    found[-1] = "$uri"
            except Untranslatable:
                missing.append(f"%[{item.expression.text}]")
                found.append("-")
    span = ledger.line(proxy, "log-format")
    if missing:
        ledger.lost(span, f"log-format: nginx has nothing for {', '.join(missing)}; a dash stands there")
    else:
        ledger.near(span, "the log line holds the same, in nginx's units")
    return "".join(found)
