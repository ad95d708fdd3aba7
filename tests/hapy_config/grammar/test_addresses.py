from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy_config.grammar.addresses import BIND, LOG, SERVER, SERVER_SOURCE, SOURCE, parse_address, parse_addresses
from hapy_config.grammar.errors import GrammarError
from hapy_config.model.addresses import Address

_FORMS = """
127.0.0.1:80 :80 *:80 80 127.0.0.1 127.0.0.1: *: * : :80-85 :85-80 :0 :65535 :65536 :1-70000 :abc :80abc :+80 :-80 :80- :- 127.0.0.1:+80
[::1]:80 ::1:80 :::80 [::]:80 :: [::] [::1] ::1 [::1 [::1]80 ipv6@:80 ipv6@*:80 ipv6@[::1]:80 ipv6@::1:80 ipv6@127.0.0.1:80
ipv4@127.0.0.1:80 ipv4@:80 ipv4@*:80 ipv4@[::1]:80 ipv4@localhost:80 localhost:80 /tmp/a.sock unix@/tmp/a.sock unix@a.sock unix@
abns@foo abns@ fd@ fd@x fd@-1 fd@3:80 sockpair@x udp@:80 udp4@:80 udp6@:80 tcp@:80 tcp4@:80 tcp6@:80 quic4@:80 quic6@:80 mptcp@:80
rhttp@be/s1 rev@be uxst@/tmp/a uxdg@/tmp/a uxdg@foo uxst@foo stream+ipv4@:80 dgram+udp4@:80 dgram+ipv4@:80 stream+unix@/tmp/a
stream+abns@a 0.0.0.0:80 0.0.0.0 256.0.0.1:80 1.2.3:80 @1 foo@bar 127.0.0.1:80:90 1.2.3.4:080 1.2.3.4:80,2.3.4.5:81 1.2.3.4:80,81
1.2.3.4:80,:81, ,1.2.3.4:80
"""
FORMS = _FORMS.split()


def attempt(parse: Callable[[], object]) -> GrammarError | None:
    """What a parser raises, if anything."""
    try:
        parse()
    except GrammarError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:80", Address("ipv4", "127.0.0.1", 80, 80)),
        (":80", Address("any", "", 80, 80)),
        ("*:80-85", Address("any", "", 80, 85)),
        ("::1:80", Address("ipv6", "::1", 80, 80)),
        ("[::1]:80", Address("ipv6", "::1", 80, 80)),
        ("ipv6@:80", Address("ipv6", "::", 80, 80)),
        ("ipv4@*:80", Address("ipv4", "0.0.0.0", 80, 80)),
        ("web.example:80", Address("name", "web.example", 80, 80)),
        ("1.2.3:80", Address("ipv4", "1.2.0.3", 80, 80)),
        ("/run/a.sock", Address("unix", "/run/a.sock")),
        ("unix@a", Address("unix", "a")),
        ("abns@a", Address("abns", "a")),
        ("fd@3", Address("fd", "3")),
    ],
)
def test_bind_addresses(text: str, expected: Address) -> None:
    assert parse_address(text, BIND) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:80", Address("ipv4", "127.0.0.1", 80, 80)),
        ("127.0.0.1", Address("ipv4", "127.0.0.1", port_offset=True)),
        ("127.0.0.1:0", Address("ipv4", "127.0.0.1", port_offset=True)),
        ("127.0.0.1:+100", Address("ipv4", "127.0.0.1", 100, port_offset=True)),
        ("127.0.0.1:-100", Address("ipv4", "127.0.0.1", -100, port_offset=True)),
        ("[::1]", Address("ipv6", "::1", port_offset=True)),
        ("ipv4@web.example:80", Address("name", "web.example", 80, 80, protocol="ipv4")),
    ],
)
def test_server_addresses(text: str, expected: Address) -> None:
    assert parse_address(text, SERVER) == expected


def test_lists() -> None:
    assert [address.port for address in parse_addresses("1.2.3.4:80,:81,")] == [80, 81]
    with pytest.raises(GrammarError) as caught:
        parse_addresses("1.2.3.4:80,:x")
    assert caught.value.offset == 12


def test_what_a_use_allows() -> None:
    assert parse_address("udp@127.0.0.1:514", LOG).datagram
    assert parse_address("127.0.0.1", LOG) == Address("ipv4", "127.0.0.1")
    assert parse_address("127.0.0.1:1024-2000", SERVER_SOURCE).port_end == 2000
    assert parse_address("a,b:80", SERVER) == Address("name", "a,b", 80, 80)  # looked up later, and never found
    for text, use, message in (
        ("127.0.0.1:1024-2000", SOURCE, "port range not permitted here in '127.0.0.1:1024-2000'"),
        ("fd@3", SERVER, "a file descriptor is not acceptable here in 'fd@3'"),
        ("udp@:80", BIND, "dgram-type address not acceptable in 'udp@:80'"),
        ("a,b:80", LOG, "invalid address: 'a,b' in 'a,b:80'"),
        ("", BIND, "'' resolves to an empty address (environment variable missing?)"),
        ("/" + "a" * 97, BIND, f"socket path '/{'a' * 97}' too long (max 97)"),
    ):
        with pytest.raises(GrammarError) as caught:
            parse_address(text, use)
        assert caught.value.message == message


@given(
    st.text(alphabet=st.sampled_from("0123456789.:[]*+-@/,abipv4unxfds\udcff"), max_size=20),
    st.sampled_from([BIND, SERVER, LOG, SOURCE]),
)
def test_nothing_but_grammar_errors(text: str, use) -> None:
    error = attempt(lambda: parse_address(text, use))
    assert error is None or 0 <= error.offset <= len(text)


@given(st.ip_addresses(), st.integers(1, 65535))
def test_what_is_written_is_read(host, port: int) -> None:
    found = parse_address(f"[{host}]:{port}" if host.version == 6 else f"{host}:{port}", BIND)
    assert (found.family, found.host, found.port) == (f"ipv{host.version}", str(host), port)


@pytest.mark.referee
@pytest.mark.parametrize("keyword", ["bind", "server", "log"])
def test_haproxy_agrees_on_addresses(judge, keyword: str) -> None:
    forms = (
        FORMS
        if keyword != "log"
        else [form for form in FORMS if "@" not in form or form.startswith(("ip", "udp", "tcp", "fd"))]
    )
    lines = {
        "bind": [f"bind {form}" for form in forms],
        "server": [f"server s{index} {form}" for index, form in enumerate(forms)],
        "log": [f"log {form} local0" for form in forms],
    }[keyword]
    # What no resolver can know is refused with the rest of the configuration.
    use = {"bind": BIND, "server": dataclasses.replace(SERVER, any_name=False), "log": LOG}[keyword]
    verdicts = judge(lines, "frontend f" if keyword == "bind" else "backend b")
    for form, verdict in zip(forms, verdicts, strict=True):
        try:
            parse_addresses(form, use) if keyword == "bind" else parse_address(form, use)
            ours = None
        except GrammarError as error:
            ours = error.message
        assert (ours is None) == (verdict is None), f"{keyword} {form}: HAProxy says {verdict}, we say {ours}"
