"""`stream` servers as frontends in TCP mode."""

from __future__ import annotations

from hapy_config.translate.from_nginx.language import Directive
from hapy_config.translate.from_nginx.notes import Notes
from hapy_config.translate.from_nginx.upstreams import upstream_lines
from hapy_config.translate.from_nginx.values import NoCounterpartError, fetch, time, variables
from hapy_config.translate.lines import pattern, write


def stream_sections(stream: Directive, notes: Notes) -> list[str]:
    """The sections of a `stream` block."""
    upstreams = {one.args[0]: one for one in stream.all("upstream") if one.args}
    maps = {one.args[1].lstrip("$"): one for one in stream.all("map") if len(one.args) == 2}
    lines: list[str] = []
    needed: dict[str, list[str]] = {}
    for number, server in enumerate(stream.all("server"), 1):
        server.used = True
        settings = _settings(stream, server)
        head = [f"frontend tcp_{number}", "    mode tcp", "    option tcplog"]
        binds: list[str] = []
        for listen in server.all("listen"):
            listen.used = True
            if "udp" in listen.args or not listen.args:
                notes.lost(listen.span, "HAProxy passes no UDP on")
                continue
            binds.append(f"    {_bind(listen, server, notes)}")
        if not binds:
            server.take()
            notes.lost(server.span, "the server listens nowhere that HAProxy could: it was left out")
            continue
        lines += [*head, *binds, *_access(server)]
        lines += [f"    timeout client {settings['proxy_timeout']}"]
        passed = server.first("proxy_pass")
        if passed is None or not passed.args:
            notes.lost(server.span, "the server passes nothing on")
            lines += ["    tcp-request connection reject", ""]
            continue
        passed.used = True
        lines += [*_uses(passed, maps, upstreams, settings, server, needed, notes), ""]
    for section in needed.values():
        lines += [*section, ""]
    return lines


def _settings(stream: Directive, server: Directive) -> dict[str, str]:
    found = {"proxy_timeout": "10m", "proxy_connect_timeout": "60s"}
    for level in (stream, server):
        for one in level.block or ():
            if one.name in ("proxy_timeout", "proxy_connect_timeout", "proxy_protocol", "proxy_ssl") and one.args:
                one.used = True
                found[one.name] = one.args[0]
    for name in ("proxy_timeout", "proxy_connect_timeout"):
        try:
            found[name] = time(found[name])
        except NoCounterpartError:
            found[name] = "60s"
    return found


def _bind(listen: Directive, server: Directive, notes: Notes) -> str:
    from hapy_config.translate.from_nginx.translate import address_of

    words = [write(address_of(listen.args[0]))]
    if "ssl" in listen.args:
        certificate = server.first("ssl_certificate")
        key = server.first("ssl_certificate_key")
        for one in (certificate, key):
            if one is not None:
                one.used = True
        if certificate is None:
            notes.lost(listen.span, "TLS was left out: no certificate is named")
        else:
            notes.near(certificate.span, "HAProxy looks for the key in the same file or beside it, as .key")
            words += ["ssl", "crt", write(certificate.args[0])]
    if "proxy_protocol" in listen.args:
        words.append("accept-proxy")
    return f"bind {' '.join(words)}"


def _access(server: Directive) -> list[str]:
    lines: list[str] = []
    allowed: list[str] = []
    for one in server.block or ():
        if one.name not in ("allow", "deny") or not one.args:
            continue
        one.used = True
        if one.name == "allow":
            allowed.append(one.args[0])
            continue
        tests = [f"{{ src {one.args[0]} }}"] if one.args[0] != "all" else []
        tests += [f"!{{ src {' '.join(allowed)} }}"] if allowed and "all" not in allowed else []
        if "all" not in allowed:
            lines.append(f"    tcp-request connection reject{' if ' + ' '.join(tests) if tests else ''}")
    return lines


def _uses(
    passed: Directive,
    maps: dict[str, Directive],
    upstreams: dict[str, Directive],
    settings: dict[str, str],
    server: Directive,
    needed: dict[str, list[str]],
    notes: Notes,
) -> list[str]:
    """What leads to the backends."""
    target = passed.args[0]
    names = variables(target)
    if not names:
        return [f"    default_backend {_backend(target, upstreams, settings, needed, notes)}"]
    chosen = maps.get(names[0])
    if chosen is None:
        notes.lost(passed.span, f"proxy_pass {target}: where it leads is known at run time only")
        return ["    tcp-request connection reject"]
    chosen.used = True
    lines = []
    preread = server.first("ssl_preread")
    if preread is not None:
        preread.used = True
        lines += ["    tcp-request inspect-delay 5s", "    tcp-request content accept if { req.ssl_hello_type 1 }"]
    try:
        sample = fetch((variables(chosen.args[0]) or [chosen.args[0]])[0])
    except NoCounterpartError as reason:
        notes.lost(chosen.span, f"map was left out: {reason}")
        return [*lines, "    tcp-request connection reject"]
    default = ""
    for entry in chosen.block or ():
        entry.used = True
        if entry.name == "default":
            default = entry.args[0] if entry.args else ""
        elif entry.args:
            backend = _backend(entry.args[0], upstreams, settings, needed, notes)
            lines.append(f"    use_backend {backend} if {_test(sample, entry.name)}")
    if default:
        lines.append(f"    default_backend {_backend(default, upstreams, settings, needed, notes)}")
    return lines


def _test(sample: str, key: str) -> str:
    if key.startswith("~"):
        return f"{{ {sample} -m reg {'-i ' if key.startswith('~*') else ''}{pattern(key.lstrip('~*'))} }}"
    if key.startswith(("*.", ".")):
        return f"{{ {sample} -m end -i {pattern(key.lstrip('*'))} }}"
    return f"{{ {sample} -m str -i {pattern(key)} }}"


def _backend(
    target: str, upstreams: dict[str, Directive], settings: dict[str, str], needed: dict[str, list[str]], notes: Notes
) -> str:
    """The name of the backend for a target, made where it is not there yet."""
    base = name = "tcp_" + "".join(char if char.isalnum() or char in "_.-" else "_" for char in target)
    ending = " send-proxy" if settings.get("proxy_protocol") == "on" else ""
    ending += " ssl verify none" if settings.get("proxy_ssl") == "on" else ""
    lines = [f"backend {name}", "    mode tcp", f"    timeout connect {settings['proxy_connect_timeout']}"]
    lines += [f"    timeout server {settings['proxy_timeout']}", "    option redispatch 1"]
    upstream = upstreams.get(target)
    if upstream is None:
        lines.append(f"    server s1 {write(target.removeprefix('unix:'))}{ending}")
    else:
        lines += [f"    {line}" for line in upstream_lines(upstream, "tcp", ending, notes)]
    number = 1
    while name in needed and needed[name][1:] != lines[1:]:  # servers that pass to it in another way
        number += 1
        name = f"{base}_{number}"
    needed[name] = [f"backend {name}", *lines[1:]]
    return name
