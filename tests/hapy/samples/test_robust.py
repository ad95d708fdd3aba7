"""No value that a client can send makes a compiled expression, condition or log line raise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hapy.acl import compile_condition
from hapy.proxy.transaction import Entry
from hapy.samples import registered
from hapy.samples.formats import compile_format, compile_log_format
from hapy.samples.formats.aliases import unique_id
from hapy.samples.registry import CONVERTERS, Args
from hapy.samples.types import Binary
from hapy_config.grammar.conditions import parse_condition
from hapy_config.grammar.formats import parse_format
from tests.hapy.rules_world import environment, transaction
from tests.hapy.samples.test_expressions_referee import CONVERTERS as CONVERTED
from tests.hapy.samples.test_expressions_referee import FETCHES

ENV = environment()
registered()
#: Every converter of the table, fed from a header that the client chooses.
FROM_CLIENT = sorted(
    {
        "req.fhdr(v)," + text.partition("),")[2]
        for text in CONVERTED
        if text.startswith(("str(", "bin(", "int(")) and text.partition("),")[2]
    }
)


def parsable(text: str) -> bool:
    try:
        parse_format(f"%[{text}]")
    except ValueError:
        return False
    return True


RENDERERS = [compile_format(parse_format(f"%[{text}]"), ENV) for text in (*FETCHES, *FROM_CLIENT) if parsable(text)]
LINES = [
    compile_log_format(parse_format(text, merge_spaces=True), ENV)
    for text in ("%{+Q}o %r %HU %HP %HPO %HQ %HM", "%{+E}o %r %[capture.req.uri]", "%{+X}o %ci %cp %r")
]
CONDITIONS = [
    compile_condition(parse_condition(f"if {text}".split(), {}), ENV)
    for text in (
        "{ hdr(v) -m int 5 }",
        "{ hdr(v) -m ip 10.0.0.0/8 }",
        "{ hdr_ip(v) ::1 }",
        "{ hdr_val(v) gt 3 }",
        "{ hdr(v) -m len 3 }",
        "{ hdr(v) -m bool }",
        "{ hdr(v) -i -m dom a }",
        "{ hdr(v) -m reg ^a+$ }",
        "{ hdr(v) -m bin 00 }",
        "{ url_dom a }",
        "{ cook(v) a }",
        "{ urlp(v) a }",
        "{ http_auth_group(u) g }",
    )
]
value = st.binary(max_size=60).map(lambda data: data.replace(b"\r", b"").replace(b"\n", b""))
target = st.binary(min_size=1, max_size=40).map(lambda data: data.translate(None, b"\r\n \t"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    value=value, target=target, interesting=st.sampled_from([b"", b"0", b"-", b"%", b"\\", b'"', b"{", b"a.b.c", b"="])
)
def test_nothing_raises(value, target, interesting):
    raw = (
        b"GET " + (target or b"/") + b" HTTP/1.1\r\nhost: " + value + b"\r\nv: " + interesting + value + b"\r\ncookie: "
        + value + b"\r\nauthorization: Basic " + value + b"\r\n\r\n" + value
    )  # fmt: skip
    txn = transaction(raw, ENV)
    for render in (*RENDERERS, *LINES):
        assert isinstance(render(txn), bytes)
    for holds in CONDITIONS:
        assert holds(txn) in (True, False)


@pytest.mark.parametrize("name", sorted(CONVERTERS))
def test_bad_arguments_are_errors_with_a_name(name):
    """Arguments that make no sense are refused at start, never when a request runs."""
    entry = CONVERTERS[name]
    for words in ((), ("",), ("\udcff", "\udcff", "\udcff"), ("-99999999999999999999999",), ("zz", "zz", "zz", "zz")):
        try:
            convert = entry.build(Args(name, words), ENV)
        except ValueError as error:
            assert str(error)  # noqa: PT017
            continue
        sample = {"sint": 5, "bool": True, "bin": Binary(b"ab")}.get(entry.input, b"ab")
        txn = transaction(b"GET / HTTP/1.1\r\n\r\n", ENV)
        convert(sample, txn) if entry.needs_transaction else convert(sample)


def test_an_id_that_asks_for_itself_ends() -> None:
    """`unique-id-format id-%[unique-id]`."""
    txn = transaction(b"GET / HTTP/1.1\r\n\r\n", environment())
    txn.frontend = cast("Entry", SimpleNamespace(unique_id=lambda txn: b"id-" + (unique_id(txn) or b"")))
    assert unique_id(txn) == b"id-"
    assert unique_id(txn) == b"id-"
