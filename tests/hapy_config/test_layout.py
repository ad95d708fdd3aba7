"""The formatter: what it gives means the same, and formatting it again changes nothing."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compat.corpus_differences import corpus
from hapy.commands.fmt import same_words
from hapy_config import read_text
from hapy_config.layout import format_text
from hapy_config.source import Source, Span

UNTIDY = """\


# about everything
global
\tmaxconn   100   # enough
   # logs
\tlog 127.0.0.1  local0


\tuser  "a b"   # quoted
# under the last line

# apart, at the margin

# the site
.if defined(X)
frontend   fe
bind :80

\tacl  a  path  -m beg  /x\\ y
.else
   .endif
backend be
   server s1   ${HOST}:80
"""

TIDY = """\
# about everything
global
    maxconn 100  # enough
    # logs
    log 127.0.0.1 local0

    user "a b"  # quoted
    # under the last line

# apart, at the margin

# the site
.if defined(X)
frontend fe
    bind :80

    acl a path -m beg /x\\ y
.else
.endif

backend be
    server s1 ${HOST}:80
"""


def plain(value: Any) -> Any:
    """A model without the places in files."""
    if isinstance(value, Span | Source):
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return type(value).__name__, tuple((field.name, plain(getattr(value, field.name))) for field in fields)
    if isinstance(value, list | tuple):
        return tuple(map(plain, value))
    if hasattr(value, "items"):
        return tuple((plain(key), plain(item)) for key, item in value.items())
    return value if isinstance(value, str | bytes | int | float | frozenset | None) else repr(value)


def test_one_way() -> None:
    assert format_text(UNTIDY) == TIDY
    assert format_text(TIDY) == TIDY


def test_indent() -> None:
    assert format_text("global\nmaxconn 1\n", "\t") == "global\n\tmaxconn 1\n"


def test_line_feeds() -> None:
    assert format_text("global\r\n daemon\r\n") == "global\n    daemon\n"
    assert format_text("global") == "global\n"
    assert format_text("") == ""
    assert format_text("\n\n") == ""


def test_what_cannot_be_cut_stays() -> None:
    text = 'global\n   log  "x\n  a\rb   c\n'
    assert format_text(text) == text
    text = "global\n   x \\\v#comment\n"
    assert format_text(text) == text


def test_line_numbers_that_are_asked_for_stay() -> None:
    text = 'global\n\n\n  setenv A "${.LINE}"\n'
    assert format_text(text) == 'global\n\n\n    setenv A "${.LINE}"\n'


def test_models_are_compared() -> None:
    one, other = (read_text(f"frontend f\n mode http\n bind :{port}\n", env={}).config for port in (80, 81))
    assert one is not None
    assert plain(one) == plain(one)
    assert plain(one) != plain(other)


LINES = st.lists(
    st.one_of(
        st.sampled_from(["global", "  backend b", "\tlisten  l ", "# c", "  # d", "", " ", ".if x", ".endif"]),
        st.text(alphabet=" \tab\"'\\#${}[]*-x0\r\v.\0é\xa0", max_size=20),
    )
)


@given(LINES)
@example(["global", "", "# c", ".", "# c"])
def test_any_text(lines: list[str]) -> None:
    before = "\n".join(lines)
    after = format_text(before)
    assert same_words(before, after)
    assert format_text(after) == after
    assert before.count("#") == after.count("#")


def _cases() -> list[Path]:
    folder = corpus()
    own = Path(__file__).parents[2] / "examples" / "haproxy_cfgs"
    return [*sorted(own.glob("*.cfg")), *(sorted(folder.glob("*.cfg")) if folder is not None else [])]


@pytest.mark.parametrize("part", range(8))
def test_same_model(part: int) -> None:
    """Every example, and every real configuration that is at hand."""
    for path in _cases()[part::8]:
        before = path.read_bytes().decode("utf-8", "surrogateescape")
        after = format_text(before)
        assert same_words(before, after), path
        assert format_text(after) == after, path
        assert len(re.findall("#.*", before)) == len(re.findall("#.*", after)), path
        if not before.endswith("\n"):
            before += "\n"
        one, other = read_text(before, env={}), read_text(after, env={})
        assert plain(one.config) == plain(other.config), path
        assert len(one.diagnostics) == len(other.diagnostics), path
