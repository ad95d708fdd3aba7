"""Comments that silence findings."""

from __future__ import annotations

from hapy_config import Diagnostic, Severity, read_text
from hapy_config.codes.spec import BASE, Kind
from hapy_config.source import Source, Span
from hapy_config.suppress import without_ignored

FOUND = [
    Diagnostic(code, Severity.WARNING, Span("t", line, 1, 2), "m")
    for line, code in ((1, "bad-acl"), (1, "bad-name"), (3, "bad-acl"), (6, "bad-acl"))
]


def split(text: str) -> tuple[list[tuple[int, str]], int]:
    result = without_ignored(FOUND, [Source.from_text("t", text)])
    return [(found.span.line, found.code) for found in result.kept], len(result.silenced)


def test_at_the_end_of_a_line() -> None:
    assert split("a # hapy: ignore bad-acl\nb\nc\n") == ([(1, "bad-name"), (3, "bad-acl"), (6, "bad-acl")], 1)
    assert split("a # hapy: ignore bad-acl,bad-name\n") == ([(3, "bad-acl"), (6, "bad-acl")], 2)
    assert split("a # hapy: ignore bad\n") == ([(3, "bad-acl"), (6, "bad-acl")], 2)
    assert split("a '# hapy: ignore bad'\n")[1] == 0


def test_on_a_line_of_its_own() -> None:
    text = "a\n # hapy: ignore bad-acl\nc\n # hapy: ignore bad-acl, bad-name\n\n# more\nd\n"
    kept, silenced = split(text)
    assert silenced == 1
    assert (4, "unused-ignore") in kept
    assert split("a\nb\nc\n# hapy: ignore bad-acl\n\nd\n")[1] == 1


def test_a_reason_behind_the_codes() -> None:
    for reason in ("on the same host", "-- known", "(see ticket 5)", "because bad"):
        assert split(f"a # hapy: ignore bad-acl {reason}\n")[0][:1] == [(1, "bad-name")]
    assert (1, "unknown-code") in split("a # hapy: ignore bad-acl, reason\n")[0]
    assert (1, "unknown-code") in split("a # hapy: ignore bad-acl bad-nme\n")[0]


def test_mistakes_in_comments() -> None:
    assert (2, "unknown-code") in split("a\nb # hapy: ignore bad-alc\n")[0]
    assert (2, "unknown-code") in split("a\nb # hapy: ignore\n")[0]


def test_they_are_no_settings_for_a_start() -> None:
    text = BASE + "listen l\n bind :80 # hapy: ignore bad-acl\n server s 10.0.0.1:80 # hapy: ignore x\n"
    assert not list(read_text(text, env={}).diagnostics)


def test_what_was_not_looked_for_is_not_missed() -> None:
    source = [Source.from_text("t", "a # hapy: ignore unused-acl\nb # hapy: ignore bad-alc\n")]
    assert [found.code for found in without_ignored((), source).kept] == ["unused-ignore", "unknown-code"]
    assert [found.code for found in without_ignored((), source, {Kind.ERROR}).kept] == ["unknown-code"]
