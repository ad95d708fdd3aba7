"""The servers that requests go to: `upstream` blocks, their TLS, and what happens when one fails."""

from __future__ import annotations

import re
from typing import Final

from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.from_nginx.notes import Notes
from hapy_config.translate.from_nginx.values import time, variables
from hapy_config.translate.lines import write

#: What `proxy_next_upstream` names, by what `retry-on` calls it.
_NEXT: Final = {
    "error": "conn-failure empty-response", "timeout": "response-timeout", "invalid_header": "junk-response",
    "http_500": "500", "http_502": "502", "http_503": "503", "http_504": "504", "http_403": "403", "http_404": "404",
    "http_429": "", "non_idempotent": "", "updating": "",
}  # fmt: skip


def retries(settings: dict[str, Directive], upstream: Directive | None, notes: Notes) -> list[str]:
    """When a failed request is tried again, and where (`proxy_next_upstream` and its kin).

    nginx tries each server once, and what may not be repeated not at all when it has been sent.
    """
    given = settings.get("proxy_next_upstream")
    asked = given.args if given is not None else ("error", "timeout")
    servers = [one.args for one in upstream.all("server")] if upstream is not None else []
    most = sum("down" not in one for one in servers) - 1
    if any("backup" in one for one in servers):  # takes part when the others are known to be down
        most = max(most, 3)
    tries = settings.get("proxy_next_upstream_tries")
    if tries is not None and tries.args[0].isdecimal() and int(tries.args[0]):
        most = min(most, int(tries.args[0]) - 1)
    if most < 1 or asked == ("off",):
        return ["retries 0"]
    if given is not None and "http_429" in asked:
        notes.near(given.span, "proxy_next_upstream http_429: HAProxy 2.6 does not try again after 429")
    words = dict.fromkeys(word for one in asked for word in _NEXT.get(one, "").split())
    lines = ["option redispatch 1", f"retries {most}", f"retry-on {' '.join(words) or 'none'}"]
    if "non_idempotent" not in asked:
        lines.append("http-request disable-l7-retry if { method POST LOCK PATCH }")
    return lines


def server_words(scheme: str, host: str, settings: dict[str, Directive], notes: Notes) -> str:
    """The TLS options of a server line, each with a blank before it; nothing without TLS."""
    if scheme != "https":
        return ""
    words = ["ssl"]
    verify = settings.get("proxy_ssl_verify")
    if verify is not None and verify.args == ("on",):
        file = settings.get("proxy_ssl_trusted_certificate")
        words += ["verify", "required", "ca-file", file.args[0] if file is not None else "@system-ca"]
    else:
        words += ["verify", "none"]
    name = settings["proxy_ssl_name"].args[0] if "proxy_ssl_name" in settings else host.partition(":")[0]
    if "proxy_ssl_server_name" in settings and settings["proxy_ssl_server_name"].args == ("on",):
        if name in ("$host", "$http_host", "$ssl_server_name"):
            words += ["sni", "req.hdr(host),field(1,:)" if name != "$ssl_server_name" else "ssl_fc_sni"]
        elif not variables(name):
            words += ["sni", f"str({name})"]
        else:
            notes.lost(settings["proxy_ssl_name"].span, "the name depends on a variable without a counterpart")
    if "proxy_ssl_ciphers" in settings:
        words += ["ciphers", settings["proxy_ssl_ciphers"].args[0]]
    if "proxy_ssl_session_reuse" in settings and settings["proxy_ssl_session_reuse"].args == ("off",):
        words.append("no-ssl-reuse")
    for left_out in ("proxy_ssl_protocols", "proxy_ssl_verify_depth"):
        if left_out in settings:
            notes.near(settings[left_out].span, f"{left_out} was left out: HAProxy has its own default")
    if "proxy_ssl_certificate" in settings:
        words += ["crt", settings["proxy_ssl_certificate"].args[0]]
    return "".join(f" {write(word)}" for word in words)


def upstream_lines(upstream: Directive, scheme: str, ending: str, notes: Notes) -> list[str]:
    """The servers of an `upstream`, and how they are chosen; `ending` follows each server's own words."""
    upstream.used = True
    lines: list[str] = []
    count = 0
    spared = any("backup" in one.args for one in upstream.all("server"))
    for one in upstream.block or ():
        one.used = True
        if one.name == "server" and one.args:
            count += 1
            lines.append(
                f"server s{count} {server_address(one.args[0], scheme)}{_weights(one, notes, spared=spared)}{ending}"
            )
        elif one.name == "least_conn":
            lines.insert(0, "balance leastconn")
        elif one.name == "ip_hash":
            lines.insert(0, "balance source")
        elif one.name == "random":
            lines.insert(0, "balance random")
        elif one.name == "hash" and one.args:
            lines[:0] = _hash(one, notes)
        elif one.name in ("keepalive", "zone", "keepalive_timeout", "keepalive_requests", "keepalive_time"):
            one.used = False
        else:
            notes.lost(one.span, f"'{one.name}' has no counterpart: it was left out")
    return lines


def _hash(one: Directive, notes: Notes) -> list[str]:
    key = one.args[0]
    plain = {"$remote_addr": "source", "$binary_remote_addr": "source", "$request_uri": "uri whole", "$uri": "uri"}
    names = variables(key)
    if key in plain:
        found = plain[key]
    elif len(names) == 1 and key.strip("${}") == names[0] and names[0].startswith("arg_"):
        found = f"url_param {names[0].removeprefix('arg_')}"
    elif len(names) == 1 and key.strip("${}") == names[0] and names[0].startswith("http_"):
        found = f"hdr({names[0].removeprefix('http_').replace('_', '-')})"
    else:
        notes.lost(one.span, f"hash {key}: HAProxy 2.6 can't take it as a key; servers take turns")
        return []
    notes.near(one.span, "the same key goes to the same server, but not to the one that nginx would pick")
    return [f"balance {found}", *(["hash-type consistent"] if "consistent" in one.args else [])]


def _weights(one: Directive, notes: Notes, *, spared: bool) -> str:
    """The options of a server; those of which a backup takes the place must be known to be down."""
    words = []
    fails = {}
    for word in one.args[1:]:
        name, _, value = word.partition("=")
        if name == "weight" and value.isdecimal():
            words.append(f"weight {min(int(value), 256)}")
        elif name == "max_conns" and value.isdecimal():
            words.append(f"maxconn {value}")
            notes.near(one.span, "above max_conns requests wait in HAProxy's queue")
        elif name in ("backup", "down"):
            words.append("backup" if name == "backup" else "disabled")
        elif name in ("max_fails", "fail_timeout"):
            fails[name] = value
        elif name == "slow_start":
            words.append(f"slowstart {value}")
        elif name != "resolve":
            notes.lost(one.span, f"'{word}' has no counterpart")
    if (
        fails.get("max_fails", "1") != "0"
        and not re.fullmatch("0[a-z]*", fails.get("fail_timeout", ""))
        and (fails or spared)
    ):
        try:
            wait, count = time(fails.get("fail_timeout", "10s")), max(int(fails.get("max_fails", "1")), 1)
            words.append(f"check inter {wait} fall {count} observe layer4 error-limit {count} on-error mark-down")
        except ValueError:
            notes.lost(one.span, "max_fails and fail_timeout were left out")
        else:
            notes.near(one.span, "HAProxy asks the server's health by connecting, too, besides counting failures")
    return "".join(f" {word}" for word in words)


def server_address(text: str, scheme: str) -> str:
    """An address with the port that nginx takes where none is given."""
    if text.startswith("unix:"):
        return write(text.removeprefix("unix:").rstrip(":"))
    if re.search(r":\d+$", text):
        return write(text)
    return write(f"{text}:{443 if scheme == 'https' else 80}")
