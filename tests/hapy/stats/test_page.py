"""The statistics page itself, served: what it shows, to whom, and that nothing in names becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy.net.accepting import Gate
from hapy.observe.startup import Messages
from hapy.proxy.runtime import build
from hapy.runtime_api.control import Control
from hapy.stats.forms import OFFERED, apply
from hapy.stats.html import duration, report, size
from hapy.stats.page import Page, View
from hapy.worker import Job
from hapy_config.api import read_text
from hapy_config.model.statistics import StatsPage

_CONFIG = """
global
    description words of <all>
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend fe
    description the <b>bold</b> one
    bind 127.0.0.1:80
    stats uri /s?a=b&c
    stats refresh 5s
    stats show-legends
    stats show-modules
    stats show-desc say "<i>" & more
    stats show-node here
    stats admin if TRUE
    default_backend be
backend be
    cookie SRV insert
    server a 127.0.0.1:8000 weight 10 cookie a<b
    server b 127.0.0.1:8001 backup disabled
    server c 127.0.0.1:8002 check
listen other
    bind 127.0.0.1:81
    stats hide-version
    stats scope .
    mode http
"""


_VOID = {"meta", "link", "input"}


class Outline(HTMLParser):
    """Checks that all that is opened is closed, in order; keeps texts and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.attributes if name == tag]


def _page(name: str = "fe") -> Page:
    config = read_text(_CONFIG).config
    assert config is not None
    runtime = build(config, descriptors=1000)
    runtime.control = Control(Job(config, runtime, (), 100, Messages()), Gate(100), [], None)  # type: ignore[arg-type]
    model = runtime.frontends[name].model
    assert model.stats is not None
    return Page(model, model.stats, runtime)


def _read(text: str) -> Outline:
    outline = Outline()
    outline.feed(text)
    outline.close()
    assert outline.open == []
    return outline


def test_what_stands_behind_the_address() -> None:
    assert View.of("") == View()
    assert View.of(";csv;up;norefresh") == View(form="csv", only_up=True, no_refresh=True)
    assert View.of(";json-schema").form == "json-schema"
    assert View.of(";json;no-maint") == View(form="json", no_maintenance=True)
    assert View.of(";st=DONE;up?scope=ab") == View(done="DONE", only_up=True, scope="ab")
    assert View.of("?scope=a%3Cb").scope == ""
    assert View.of("&csv").form == ""
    assert View.of("?scope=" + "x" * 30).scope == "x" * 20


@given(st.text(max_size=60))
def test_a_view_is_asked_for_again_by_its_own_address(rest: str) -> None:
    view = View.of(rest)
    page = StatsPage(uri="/s", refresh=3)
    again = View.of(view.address(page)[len(page.uri) :])
    assert (again.only_up, again.no_maintenance, again.no_refresh, again.scope) == (
        view.only_up,
        view.no_maintenance,
        view.no_refresh,
        view.scope,
    )


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0s"), (61, "1m1s"), (7200, "2h0m"), (90000, "1d1h")])
def test_durations(seconds: int, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(("count", "shown"), [(0, "0"), (999, "999"), (1500, "1.5k"), (2 * 10**12, "2.0T")])
def test_sizes(count: int, shown: str) -> None:
    assert size(count) == shown


def test_the_page_is_whole_and_nothing_in_it_is_markup() -> None:
    page = _page()
    text = report(page, View(done="DONE"), admin=True)
    outline = _read(text)
    assert "say <i> & more" in outline.text
    assert "the <b>bold</b> one" in outline.text
    assert not outline.of("b")
    assert not outline.of("i")
    for proxy in ("fe", "be", "other"):
        assert {"id": proxy} in outline.of("section")
    rows = {row["id"]: row["class"] for row in outline.of("tr") if "id" in row}
    assert rows["be/a"] == "server unchecked"
    assert rows["be/b"] == "server backup maint"
    assert rows["be/BACKEND"] == "backend up"
    assert rows["fe/FRONTEND"] == "frontend open"
    boxes = [one["value"] for one in outline.of("input") if one.get("type") == "checkbox"]
    assert boxes == ["a", "b", "c"]
    assert [one["value"] for one in outline.of("option")] == ["", *OFFERED]
    assert "The action was carried out." in outline.text
    hidden = {one["name"]: one["value"] for one in outline.of("input") if one.get("type") == "hidden"}
    assert {"a": "b", "c": ""}.items() <= hidden.items()  # so that the form for names keeps the page's address


def test_who_may_not_change_servers_is_offered_nothing() -> None:
    text = report(_page(), View(), admin=False)
    assert "checkbox" not in text
    assert "<select" not in text


def test_a_scope_of_the_sections_own() -> None:
    text = report(_page("other"), View(), admin=False)
    assert 'id="other"' in text
    assert 'id="be"' not in text
    assert "<h1>hapy statistics" in text


def test_a_view_hides_servers() -> None:
    page = _page()
    shown = [str(row.values["svname"]) for row in page.shown(View(only_up=True)) if row.kind == "S"]
    assert "b" not in shown
    assert next(row.proxy.name for row in page.shown(View(scope="E"))) == "fe"
    assert not list(page.shown(View(scope="none")))


@pytest.mark.parametrize(
    ("body", "done"),
    [
        (b"", "NONE"),
        (b"b=be&action=", "NONE"),
        (b"b=be&action=maint", "NONE"),
        (b"b=be&action=nothing&s=a", "ERRP"),
        (b"b=none&action=maint&s=a", "ERRP"),
        (b"b=be&action=maint&s=x", "ERRP"),
        (b"b=be&action=maint&s=x&s=a", "PART"),
        (b"s=a&s=b&action=m%61int&b=be", "DONE"),
        (b"s=a&action=dhlth&b=be", "NONE"),
        (b"s=a&action=adown&b=be", "NONE"),
        (b"&&&=&s&b&action=%zz\xff", "ERRP"),
    ],
)
def test_forms(body: bytes, done: str) -> None:
    page = _page()
    assert apply(body, page.control) == done
    server = page.runtime.backends["be"].by_name["a"]
    assert server.maintenance is (b"s=a" in body and b"int" in body and done in ("DONE", "PART"))


@given(st.binary(max_size=80))
def test_no_form_breaks_anything(body: bytes) -> None:
    assert apply(body, _SHARED.control) in ("NONE", "ERRP")


_SHARED = _page()
