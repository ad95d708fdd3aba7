"""Safe edits: which there are, and what they make of a file."""

from __future__ import annotations

import pytest

from hapy_config import Diagnostic, Result, read_config, read_text
from hapy_config.codes import catalogue
from hapy_config.codes.spec import BASE, Code, Kind
from hapy_config.fixes import mend
from hapy_config.hints import Hints
from hapy_config.lint import lint
from hapy_config.source import Source


def hinted(result: Result) -> list[Diagnostic]:
    hints = Hints(result.document)
    return [*(hints.hinted(found) for found in result.diagnostics), *lint(result)]


def mended(text: str) -> str:
    """The text with all safe edits made."""

    def read(sources: list[Source]) -> Result:
        texts = {source.name: source.text.encode("utf-8", "surrogateescape") for source in sources}
        return read_config(list(texts), env={}, read=texts.__getitem__, target=(2, 6), assume_machine=True)

    source = Source.from_text("t.cfg", text)
    result = read([source])
    return mend(result, hinted, read).get("t.cfg", source).text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (" clitimeout 5s", " timeout client 5s"),
        ("\tcontimeout   5s # soon", "\ttimeout connect   5s # soon"),
        (" redispatch", " option redispatch"),
        (" block if TRUE", " http-request deny if TRUE"),
        (" option forceclose", " option httpclose"),
        (" timeout queue 5sec", " timeout queue 5s"),
        (" http-request denny if TRUE", " http-request deny if TRUE"),
        (" http-request set-header a %[hdr(a),lowr]", " http-request set-header a %[hdr(a),lower]"),
        (" balance leastcon", " balance leastconn"),
        (" server s 10.0.0.1:80 chek", " server s 10.0.0.1:80 check"),
        (" option http-tunnel # old", " # old"),
    ],
)
def test_one_line(before: str, after: str) -> None:
    text = BASE + "listen l\n bind :80\n{}\n"
    assert mended(text.format(before)) == text.format(after)


def test_lines_that_go() -> None:
    text = "global\n nbproc 2\n maxconn 5\n maxconn 6\n" + BASE + "frontend l\n bind :80\n timeout server 1s\n"
    assert mended(text) == "global\n maxconn 5\n" + BASE + "frontend l\n bind :80\n"


def test_acls_that_nothing_uses_go() -> None:
    acls = " acl a path /a # first\n acl b path /b\n acl b path /b\n acl c path /c\n"
    text = BASE + "frontend f\n bind :80\n{} http-request deny if b\n"
    assert mended(text.format(acls)) == text.format(" # first\n acl b path /b\n")
    kept = acls + " .if 0\n http-request deny if a or c\n .endif\n"  # which of them are used depends
    assert mended(text.format(kept)) == text.format(kept)


def test_an_address_in_a_header() -> None:
    assert mended(BASE + "listen l :80\n") == BASE + "listen l\n    bind :80\n"


def test_the_last_line() -> None:
    assert mended(BASE + "listen l\n bind :80") == BASE + "listen l\n bind :80\n"


@pytest.mark.parametrize(
    "line",
    [
        " use_backend lx if TRUE",  # a name of the author's own
        " http-request deny if locl",
        " http-request dny(x)y",
        " xyzzy",
        " reqrep a b",  # has no exact counterpart
    ],
)
def test_what_is_left_alone(line: str) -> None:
    text = BASE + f"listen l\n bind :80\n acl local src 10.0.0.1\n{line}\n"
    assert mended(text) == text


def test_an_edit_that_would_break_more_is_not_made() -> None:
    # As a header the line would take the servers with it, and a frontend has none.
    text = BASE + "backend b\nfrontnd x\n server s 10.0.0.1:80\n server t 10.0.0.1:80\n"
    assert mended(text) == text


def test_edits_that_help_are_made_beside_those_that_do_not() -> None:
    text = BASE + "listen l\n bind :80\n http-request dny(x)y\n http-request denny if TRUE\n option httplgo\n"
    assert mended(text) == text.replace("denny", "deny").replace("httplgo", "httplog")


def test_bytes_stay_as_they_are() -> None:
    text = BASE + "listen l\r\n bind :80\r\n # \udcff\r\n clitimeout 5s\r\n"
    assert mended(text) == text.replace("clitimeout", "timeout client")


@pytest.mark.parametrize(
    "text",
    [
        "listen l\n bind :8080\n default_backend b\n server s 192.0.2.1:80\nbackend b\n server s 192.0.2.2:80\n",
        "listen l\n bind :8080\n dispatch 192.0.2.1:80\n balance roundrobin\n",
        "backend b\n server s 192.0.2.1:80\nbackend c\n external-check command /bin/true\n server s 192.0.2.1:80\n",
        "defaults\n mode http\n option httpchk\n http-check disable-on-404\nfrontend f\n bind :80\n",
    ],
)
def test_what_makes_something_else_have_no_effect_stays(text: str) -> None:
    assert mended(text) == text


@pytest.mark.parametrize("code", [one for one in catalogue().values() if one.kind is Kind.WARNING and one.bad])
def test_what_haproxy_only_warns_of_means_the_same_behind_edits(code: Code) -> None:
    text = code.example(code.bad)
    before = read_text(text, env={}, assume_machine=True)
    if before.config is not None and code.name != "old-listen-address":  # its section is not opened before
        assert read_text(mended(text), env={}, assume_machine=True).config == before.config
