"""Answers as they come from the wire, hostile ones too."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.dns.messages import Answer, BadAnswer, BadName, Service, canonical, number_of, question, rank, read


def answer(
    *records: tuple[str, str, str], name: str = "a.test", kind: str = "A", extra: tuple[tuple[str, str, str], ...] = ()
):
    message = dns.message.make_response(dns.message.make_query(name, kind))
    message.answer += [dns.rrset.from_text(f"{owner}.", 1, "IN", of, data) for owner, of, data in records]
    message.additional += [dns.rrset.from_text(f"{owner}.", 1, "IN", of, data) for owner, of, data in extra]
    return message


def said(message: dns.message.Message, kind: str = "A") -> Answer:
    return read(message.to_wire(want_shuffle=False), "a.test", kind)


def test_addresses_in_order_each_once() -> None:
    found = said(answer(("a.test", "A", "192.0.2.2"), ("a.test", "A", "192.0.2.1"), ("a.test", "A", "192.0.2.2")))
    assert found == Answer("valid", addresses=("192.0.2.2", "192.0.2.1"))
    assert said(answer(("A.Test", "AAAA", "2001:DB8::1"), kind="AAAA"), "AAAA").addresses == ("2001:db8::1",)


def test_aliases_are_followed() -> None:
    chain = (("a.test", "CNAME", "b.test."), ("b.test", "CNAME", "c.test."), ("c.test", "A", "192.0.2.1"))
    assert said(answer(*chain)) == Answer("valid", addresses=("192.0.2.1",), aliased=True)
    assert said(answer(*chain[:2])).status == "cname"
    assert said(answer(("a.test", "CNAME", "b.test."), ("b.test", "CNAME", "a.test."))).status == "cname"


def test_records_of_other_names_and_types_do_not_count() -> None:
    assert said(answer(("b.test", "A", "192.0.2.1"))).status == "empty"
    assert said(answer(("a.test", "AAAA", "::1"))).status == "empty"
    assert said(answer()).status == "empty"


def test_services_and_what_comes_along() -> None:
    found = said(
        answer(
            ("a.test", "SRV", "1 20 80 H1.test."),
            ("a.test", "SRV", "1 0 81 h2.test."),
            kind="SRV",
            extra=(("h1.test", "A", "192.0.2.1"), ("h1.test", "AAAA", "::1"), ("h2.test", "TXT", "x")),
        ),
        "SRV",
    )
    assert found.services == (Service("h1.test", 80, 20), Service("h2.test", 81, 0))
    assert found.extra == {"h1.test": ("192.0.2.1", "::1")}


def test_a_service_that_is_not_to_be_had() -> None:
    nowhere = ("a.test", "SRV", "0 0 0 .")
    assert said(answer(nowhere, kind="SRV"), "SRV").status == "empty"
    found = said(answer(nowhere, ("a.test", "SRV", "0 1 80 h.test."), kind="SRV"), "SRV")
    assert found.services == (Service("h.test", 80, 1),)


@pytest.mark.parametrize(
    ("code", "status"), [("NXDOMAIN", "nx"), ("REFUSED", "refused"), ("SERVFAIL", "other"), ("FORMERR", "other")]
)
def test_codes(code: str, status: str) -> None:
    message = answer(("a.test", "A", "192.0.2.1"))
    message.set_rcode(dns.rcode.from_text(code))
    assert said(message).status == status


def test_a_cut_answer_is_none() -> None:
    message = answer(("a.test", "A", "192.0.2.1"))
    message.flags |= dns.flags.TC
    assert said(message).status == "truncated"


@pytest.mark.parametrize("message", [dns.message.make_query("a.test", "A"), answer(name="b.test"), answer(kind="AAAA")])
def test_what_is_no_answer_to_the_question(message: dns.message.Message) -> None:
    with pytest.raises(BadAnswer):
        said(message)


def test_questions() -> None:
    message = dns.message.from_wire(question("a.test", "SRV", 4711, 1232))
    assert (message.id, message.payload, message.edns, bool(message.flags & dns.flags.RD)) == (4711, 1232, 0, True)
    assert str(message.question[0]) == "a.test. IN SRV"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a..b",
        "x" * 64,
        ".".join(["abcdefgh"] * 40),
        "a\\",
        "\ud800",
        b"",
        b".",
        b"a..b",
        b".a",
        b"x" * 64,
        b"x..",
    ],
)
def test_impossible_names(name: str | bytes) -> None:
    with pytest.raises(BadName):
        canonical(name)


@pytest.mark.parametrize(
    ("records", "first"),
    [
        (["190.183.14.238", "199.127.26.80", "29.190.240.126", "98.52.127.6"], "199.127.26.80"),
        (["105.143.93.199", "41.36.71.227", "33.67.0.2"], "33.67.0.2"),
        (["8aa2::4628", "5a80::7858", "775e::e6e1", "3581::1cd1"], "5a80::7858"),
        (["e272::fd07", "9820::f5b7", "3dec::a081", "ffe8::7fd4", "ee28::56a7"], "3dec::a081"),
    ],
)
def test_the_first_of_several_is_the_one_that_haproxy_takes(records: list[str], first: str) -> None:
    assert min(records, key=rank) == first


def test_services_are_in_the_order_of_haproxys_servers() -> None:
    order = "hldekciagfjb"
    assert "".join(sorted("abcdefghijkl", key=lambda letter: rank(Service(f"{letter}.test", 80, 1)))) == order


@given(st.text() | st.binary())
def test_any_text_is_a_name_or_none(text: str | bytes) -> None:
    try:
        name = canonical(text)
    except BadName:
        return
    assert canonical(name) == name
    question(name, "A", 1, 512)


GOOD = answer(
    ("a.test", "CNAME", "b.test."), ("b.test", "A", "192.0.2.1"), extra=(("b.test", "AAAA", "::1"),)
).to_wire()


@given(st.data())
def test_no_bytes_break_it(data: st.DataObject) -> None:
    wire = bytearray(GOOD)
    if data.draw(st.booleans()):
        wire = bytearray(data.draw(st.binary(max_size=100)))
    for _ in range(data.draw(st.integers(0, 4))):
        if wire:
            wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(wire[: data.draw(st.integers(0, len(wire)))])
    for kind in ("A", "SRV"):
        try:
            number_of(cut)
            found = read(cut, "a.test", kind)
        except BadAnswer:
            continue
        assert found.status
