from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.formats import parse_format
from hapy_config.keywords.samples import Place
from hapy_config.model.expressions import FormatAlias, FormatExpression, FormatText


def attempt(parse: Callable[[], object]) -> GrammarError | None:
    """What a parser raises, if anything."""
    try:
        parse()
    except GrammarError as error:
        return error
    return None


def show(text: str, **options: bool) -> list[str]:
    shown = []
    for item in parse_format(text, **options).items:
        if isinstance(item, FormatText):
            shown.append(repr(item.text))
        elif isinstance(item, FormatAlias):
            shown.append(f"{''.join(sorted(item.flags))}%{item.name}")
        else:
            assert isinstance(item, FormatExpression)
            shown.append(f"{''.join(sorted(item.flags))}[{item.expression.text}]")
    return shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", ["'plain'"]),
        ("%ci:%cp", ["%ci", "':'", "%cp"]),
        ("100%%", ["'100%'"]),
        ("%{+Q}r %r", ["Q%r", "' '", "%r"]),
        ("%{+Q}o%r%{-Q}s%b", ["Q%r", "%s", "Q%b"]),
        ("%{+Q,+X}ci", ["QX%ci"]),
        ("%{+Q+X}ci", ["QX%ci"]),
        ("%{+QX}ci", ["%ci"]),
        ("%{-Q+Q}ci", ["Q%ci"]),
        ("%{Q}ci", ["%ci"]),
        ("%[src,lower]x", ["[src,lower]", "'x'"]),
        ("%[str(])]", ["[str(])]"]),
        ('%[str("]")]', ['[str("]")]']),
        ("%{+E}[src]", ["E[src]"]),
        ("%[path]]", ["[path]", "']'"]),
        ("%(a)ci", ["'(a)ci'"]),
        ("%-ci", ["'-ci'"]),
        ("%ci_x", ["%ci", "'_x'"]),
        ("", []),
    ],
)
def test_items(text: str, expected: list[str]) -> None:
    assert show(text) == expected


def test_spaces_merge_where_asked() -> None:
    assert show("  a   b %{+Q}o  %ci", merge_spaces=True) == ["'a b '", "Q%ci"]
    assert show("  a  %{+Q}o  %ci") == ["'  a    '", "Q%ci"]


def test_constants() -> None:
    assert parse_format("100%% pure").constant == "100% pure"
    assert parse_format("%ci").constant is None
    assert parse_format("").constant == ""


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        (
            "%zz",
            "no such format variable 'zz'. If you wanted to emit the '%' character verbatim, you need to use '%%'",
            1,
        ),
        (
            "%OG",
            "no such format variable 'OG'. If you wanted to emit the '%' character verbatim, you need to use '%%'",
            1,
        ),
        ("a%", "truncated line after '%'", 1),
        ("%{+Q", "truncated line after '+Q'", 0),
        ("%{+Q} ci", "parse argument modifier without variable name near '%{+Q}'", 0),
        (
            "50% of",
            "unexpected variable name near ' ' at position 3 line : '50% of'. Maybe you want to write a single '%', use the syntax '%%'",
            3,
        ),
        ("%[src", "missing ']' after 'src'", 5),
        ("%[src lower]", "expected ']' after 'src', but found ' '", 5),
        ("x%[src,zork]", "failed to parse sample expression <src,zork]> : unknown converter 'zork'", 7),
        ("%[]", "failed to parse sample expression <]> : missing fetch method", 2),
    ],
)
def test_errors(text: str, message: str, offset: int) -> None:
    with pytest.raises(GrammarError) as caught:
        parse_format(text)
    assert (caught.value.message, caught.value.offset) == (message, offset)


def test_what_does_not_exist_there_is_refused() -> None:
    parse_format("%[res.hdr(a)]", context=Place.FRONTEND_HTTP_RESPONSE)
    with pytest.raises(GrammarError, match="needs 'HTTP response headers' which is not available here"):
        parse_format("%[res.hdr(a)]", context=Place.FRONTEND_HTTP_REQUEST)
    # A listen's rules run in two places at once, either of which is enough.
    parse_format("%[srv_name]", context=Place.FRONTEND_HTTP_RESPONSE | Place.BACKEND_HTTP_RESPONSE)


@given(st.text(alphabet=st.sampled_from('%{}[]+-QXEor cistp()",\\\udcff'), max_size=25))
def test_nothing_but_grammar_errors(text: str) -> None:
    error = attempt(lambda: parse_format(text))
    assert error is None or 0 <= error.offset <= len(text)


@given(st.text(max_size=30))
def test_doubled_percent_signs_are_text(text: str) -> None:
    assert parse_format(text.replace("%", "%%")).constant == text


@pytest.mark.referee
def test_haproxy_agrees_on_log_formats(haproxy, tmp_path) -> None:
    import re
    import subprocess

    pieces = [
        "%ci",
        "%%",
        "%",
        "%{+Q}r",
        "%{+Q}",
        "%{",
        "%[src]",
        "%[src,lower]",
        "%[src",
        "%[path]",
        "%[zork]",
        "%[str(a]b)]",
        " ",
        "a",
        "]",
    ]
    pieces += [
        "%-x",
        "%1",
        "%{+Q,-X}o",
        "%zz",
        "%[",
        "%[]",
        "%[src]]",
        "%tsc",
        "%.",
        "%[src,]",
        "%[date(0,ms)]",
        "%[src ,lower]",
        "%{}r",
        "%o",
    ]
    chance = random.Random(3)
    texts = ["".join(chance.choices(pieces, k=chance.randint(1, 4))) for _ in range(800)]
    # Formats are read when all lines were, so that one refusal does not hide the next.
    head = "global\n log 127.0.0.1 local0\ndefaults\n mode http\n log global\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
    sections = [f'frontend f{i}\n bind 127.0.0.1:{10000 + i}\n log-format "{text}"\n' for i, text in enumerate(texts)]
    path = tmp_path / "formats.cfg"
    path.write_text(head + "".join(sections))
    process = subprocess.run([haproxy, "-c", "-f", path], capture_output=True, text=True, check=False)
    refused = re.findall(r"formats\.cfg:(\d+)\]: failed to parse log-format : (.*)", process.stderr)
    verdicts = {(int(line) - head.count("\n") - 3) // 3: message for line, message in refused}
    assert 100 < len(verdicts) < 700
    for index, text in enumerate(texts):
        try:
            parse_format(text, context=Place.LOG)
            ours = None
        except GrammarError as error:
            ours = error.message
        theirs = verdicts.get(index)
        assert (ours and ours.rstrip(".")) == (theirs and theirs.rstrip(".")), f"log-format {text!r}"
