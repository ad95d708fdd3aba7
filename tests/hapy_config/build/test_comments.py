"""hapy's own settings in comments."""

from __future__ import annotations

import pytest

from hapy_config import Severity, read_text
from tests.hapy_config.build.conftest import Errors, Read


def test_on_the_line_and_above_it(read: Read) -> None:
    (proxy,) = read(
        "backend b\n"
        " server a 10.0.0.1:80 # hapy: pool-min-conn 4\n"
        " # hapy: pool-min-conn 0\n"
        " server b 10.0.0.1:80\n"
        " server c 10.0.0.1:80 # hapy: pool-min-conn auto\n"
    ).proxies
    assert [server.pool.min_conn for server in proxy.servers] == [4, 0, None]


def test_default_server_passes_it_on(read: Read) -> None:
    (proxy,) = read(
        "backend b\n default-server maxconn 9 # hapy: pool-min-conn 2\n server a 10.0.0.1:80\n"
        " server b 10.0.0.1:80 # hapy: pool-min-conn 5\n"
    ).proxies
    assert [server.pool.min_conn for server in proxy.servers] == [2, 5]


def test_a_backend_passes_it_on(read: Read) -> None:
    config = read(
        "# hapy: pool-min-conn 3\nbackend b\n server a 10.0.0.1:80\n server b 10.0.0.1:80 # hapy: pool-min-conn 1\n"
        "listen l # hapy: pool-min-conn 7\n bind :1\n server a 10.0.0.1:80\nbackend c\n server a 10.0.0.1:80\n"
    )
    assert [[server.pool.min_conn for server in proxy.servers] for proxy in config.proxies] == [[3, 1], [7], [None]]


@pytest.mark.parametrize(
    ("comment", "part"),
    [
        ("hapy: pool-min-con 4", "unknown setting 'pool-min-con'"),
        ("hapy: pool-min-conn", "expects a value"),
        ("hapy: pool-min-conn many", "expects a number"),
        ("hapy: pool-min-conn -1", "expects a number"),
        ("hapy:", "without a setting"),
    ],
)
def test_refused_with_its_place(comment: str, part: str) -> None:
    result = read_text(f"backend b\n server a 10.0.0.1:80 # {comment}\n", env={})
    (found,) = [found for found in result.diagnostics if found.severity is Severity.ERROR]
    assert part in found.message
    assert (found.span.line, found.span.column > 20) == (2, True)
    assert result.config is None


def test_one_that_belongs_to_nothing(errors: Errors) -> None:
    assert any(
        "belongs to no server" in message for message in errors("# hapy: pool-min-conn 4\nfrontend f\n bind :1\n")
    )


def test_quoted_text_is_no_comment(errors: Errors) -> None:
    assert not errors('frontend f\n bind :1\n http-request set-header a "# hapy: x"\n')
