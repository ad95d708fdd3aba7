"""Files to a document: sections, statements, findings; and the same findings as the real haproxy."""

from __future__ import annotations

import gc
import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hapy_config.diagnostics import Diagnostics, Severity
from hapy_config.loader import MAX_WORDS, expand_paths, load, load_text
from hapy_config.syntax import Document


def findings(found: Diagnostics) -> list[tuple[str, int, str]]:
    return [(finding.severity.name, finding.span.line, finding.message) for finding in found]


def words(document: Document) -> list[tuple[str, str, list[list[str]]]]:
    return [
        (section.kind, section.name, [statement.words for statement in section.statements])
        for section in document.sections
    ]


def test_sections_and_statements() -> None:
    document, found = load_text(
        "# top\nglobal\n  maxconn 5 # five\n\ndefaults\n\tmode http\r\nfrontend f\n bind :80\nbackend \"b c\"\n server s 'a b'\n"
    )
    assert len(found) == 0
    assert words(document) == [
        ("global", "", [["maxconn", "5"]]),
        ("defaults", "", [["mode", "http"]]),
        ("frontend", "f", [["bind", ":80"]]),
        ("backend", "b c", [["server", "s", "a b"]]),
    ]
    server = document.sections[-1].statements[0]
    assert str(server.span(2)) == "-:10:11"
    assert server.raw == " server s 'a b'"
    assert document.sections[1].statements[0].span(1).column == 7


def test_all_section_names_open_sections() -> None:
    names = ["resolvers", "userlist", "peers", "mailers", "cache", "http-errors", "ring", "log-forward", "program"]
    names += ["fcgi-app", "crt-store", "traces", "log-profile", "acme", "healthcheck", "listen"]
    document, found = load_text("".join(f"{name} x\n y\n" for name in names))
    assert [section.kind for section in document.sections] == names
    assert all(section.statements[0].words == ["y"] for section in document.sections)
    assert len(found) == 0


def test_lines_outside_sections_are_all_reported() -> None:
    document, found = load_text("foo bar\n# x\n'baz'\nglobal\n maxconn 5\n")
    assert findings(found) == [
        ("ERROR", 1, "unknown keyword 'foo' out of section"),
        ("ERROR", 3, "unknown keyword 'baz' out of section"),
    ]
    assert len(document.sections) == 1


def test_the_end_of_a_file_ends_its_section(tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text("global\n maxconn 5\n")
    (tmp_path / "b.cfg").write_text(" maxconn 6\nglobal\n maxconn 7\n")
    document, found = load([str(tmp_path / "a.cfg"), str(tmp_path / "b.cfg")], env={})
    assert [finding.span.file for finding in found] == [str(tmp_path / "b.cfg")]
    assert [statement.words[1] for section in document.sections for statement in section.statements] == ["5", "7"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("global\n\tdaemon", [("ERROR", 2, "Missing LF on last line, file might have been truncated")]),
        ("global\n foo\0bar\n daemon\n", [("ERROR", 2, "Stray NUL character at position 5")]),
        ('global\n a "b\n \\x\n', [("ERROR", 2, "unmatched quote"), ("ERROR", 3, None)]),
        (".if 1\nglobal\n", [("ERROR", 2, "non-terminated '.if' block")]),
        (".endif\n.else\n", [("ERROR", 1, None), ("ERROR", 2, None)]),
        (".if 1\n.else\n.else\n.endif\n", [("ERROR", 3, "'.else' after '.else' is not permitted")]),
        (".if foo\nx\n.else\ny\n.endif\nz\n", [("ERROR", 1, None), ("ERROR", 2, None), ("ERROR", 6, None)]),
        (".if a(1) || !b(2) && streq(3)\n.endif\n", [("ERROR", 1, None)] * 3),
        (".if 0\n a 'b\n.endif\n", [("ERROR", 2, "unmatched quote")]),
        (
            ".if 0\n.elif foo(\nx\n.endif\n",
            [("ERROR", 2, "unparsable conditional expression 'foo(' in '.elif'"), ("ERROR", 3, None)],
        ),
        (".if 1\n.elif foo(\n.endif\n", []),
        (".if 1\n.else x\n.endif y\n", [("ERROR", 2, None), ("ERROR", 3, "Unexpected argument 'y' for '.endif'")]),
        ('.notice "a b"\n', [("NOTICE", 1, "'a b'")]),
        (".warning x\n.alert y\n.diag z\n", [("WARNING", 1, "'x'"), ("ERROR", 2, "'y'"), ("DIAG", 3, "'z'")]),
        (".notice a b\n", [("ERROR", 1, None)]),
        (".foo\n", [("ERROR", 1, "unknown directive '.foo'")]),
        ("global\n setenv A=B c\n", [("ERROR", 2, "'setenv' failed on variable 'A=B': Invalid argument")]),
        ("global\n x" + " y" * MAX_WORDS + "\n", [("ERROR", 2, "too many words, truncating after word 64")]),
        ("global\n x" + " y" * (MAX_WORDS - 1) + "\n", []),
        ('global\n "" x\n ""\n', []),
        ("global" + " y" * MAX_WORDS + "\n", [("ERROR", 1, None)]),
        (".if 0\n x" + " y" * MAX_WORDS + "\n.endif\n", [("ERROR", 2, None)]),
        (".if 1" + " 1" * MAX_WORDS + "\nglobal\n", [("ERROR", 1, None)]),
        (".else x\n", [("ERROR", 1, "Unexpected argument 'x' for '.else'")]),
    ],
)
def test_findings(text: str, expected: list[tuple[str, int, str | None]]) -> None:
    _, found = load_text(text)
    got = findings(found)
    assert [(severity, line) for severity, line, _ in got] == [(severity, line) for severity, line, _ in expected]
    for (_, _, message), (_, _, wanted) in zip(got, expected, strict=True):
        assert wanted is None or message == wanted


def test_blocks_choose_lines() -> None:
    document, found = load_text(
        ".if defined(A)\nfrontend yes\n.elif defined(B)\nfrontend maybe\n.else\nfrontend no\n.endif\nfrontend end\n",
        env={"B": ""},
    )
    assert len(found) == 0
    assert [section.name for section in document.sections] == ["maybe", "end"]


def test_skipped_plain_lines_do_not_count_and_long_blocks_work() -> None:
    document, found = load_text("global\n.if 0\n" + " a b\n" * 50 + ".else\n" + " c d\n" * 50 + ".endif\n e\n")
    assert len(found) == 0
    assert len(document.sections[0].statements) == 51


def test_the_environment_changes_while_reading() -> None:
    env = {"KEEP": "k", "DROP": "d"}
    document, found = load_text(
        'global\n setenv A one\n x "$A"\n presetenv A two\n x "$A"\n unsetenv A\n presetenv A three\n x "$A"\n'
        ' resetenv KEEP\n x "$A$KEEP$DROP"\n setenv B\ndefaults\n setenv A four\n x "$A"\n',
        env=env,
    )
    values = [
        statement.words[1]
        for section in document.sections
        for statement in section.statements
        if statement.words[0] == "x"
    ]
    assert values == ["one", "one", "three", "k", ""]
    assert env == {"KEEP": "k"}
    assert len(found) == 0


def test_pseudo_variables() -> None:
    document, _ = load_text('defaults d\n x "$.FILE:$.LINE:${.SECTION}"\nglobal\n x "$.SECTION"\n', name="f.cfg")
    assert [section.statements[0].words[1] for section in document.sections] == ["f.cfg:2:d", "global"]


def test_features_and_versions_reach_the_conditions(tmp_path: Path) -> None:
    file = tmp_path / "a.cfg"
    file.write_text(".if feature(X) && version_atleast(3.0) && ssllib_name_startswith(Wolf)\nglobal\n.endif\n")
    document, _ = load([str(file)], env={}, features=frozenset({"X"}), version="3.1", ssl_library="WolfSSL 5")
    assert len(document.sections) == 1
    document, _ = load([str(file)], env={})
    assert document.sections == []


def test_directories_give_their_files_in_order(tmp_path: Path) -> None:
    for name in ("b.cfg", "Z.cfg", "é.cfg", ".hidden.cfg", "x.conf", "10.cfg", "9.cfg"):
        (tmp_path / name).write_text("global\n")
    (tmp_path / "sub.cfg").mkdir()
    found = Diagnostics()
    names = [Path(path).name for path in expand_paths([f"{tmp_path}/"], found)]
    assert names == ["10.cfg", "9.cfg", "Z.cfg", "b.cfg", "é.cfg"]
    assert len(found) == 0
    document, _ = load([str(tmp_path)], env={})
    assert len(document.sources) == 5


def test_unreadable_files_are_findings_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text("global\n")
    document, found = load([str(tmp_path / "none.cfg"), str(tmp_path / "a.cfg")], env={})
    assert len(document.sections) == 1
    assert [(finding.code, finding.environment) for finding in found] == [("unreadable-file", True)]
    assert "No such file or directory" in found.found[0].message


def test_content_comes_from_the_caller() -> None:
    document, found = load(["-", "x"], env={}, read={"-": b"global\n d \xff\n", "x": b""}.__getitem__)
    assert [source.name for source in document.sources] == ["-", "x"]
    assert document.sections[0].statements[0].words == ["d", "\udcff"]
    assert document.sources[0].text.encode("utf-8", "surrogateescape") == b"global\n d \xff\n"
    assert len(found) == 0


@pytest.mark.parametrize("collecting", [True, False])
def test_the_garbage_collector_is_left_as_it_was(collecting: bool) -> None:
    (gc.enable if collecting else gc.disable)()
    try:
        load_text("global\n")
        assert gc.isenabled() is collecting
    finally:
        gc.enable()


LINES = st.sampled_from(
    [
        "global", "defaults", "frontend f", " daemon", " maxconn 5", "# note", "", " \t", ".if 1", ".if 0", ".elif 1", ".elif 0",
        ".else", ".endif", ".if foo", ".notice x", ".alert x y", ".nothing", ' x "', " x 'y'", ' "$A"', " setenv A b",
        " .if defined(A)", "\r", " a\rb", " a \rb", " x\u00a0y", " \x0bdaemon", "\0", " x\0y", "foo",
    ]
)  # fmt: skip


@given(st.lists(LINES, max_size=14), st.booleans())
@settings(max_examples=300)
def test_any_file_is_read_to_its_end(lines: list[str], complete: bool) -> None:
    text = "\n".join(lines) + ("\n" if complete else "")
    document, found = load_text(text)
    assert document.sources[0].text == text
    for section in document.sections:
        for statement in (section.header, *section.statements):
            assert statement.words
            assert 1 <= statement.span().column <= statement.span().end <= len(statement.raw) + 1
    for finding in found:
        assert 1 <= finding.span.line <= max(1, len(lines))
        assert not finding.message.endswith(".")


SPECIAL_AND_PLAIN = st.lists(
    st.sampled_from(
        ["global", " a b", " c d e", " 'q' r", "# c", " x # y", ".if 0", ".endif", "frontend f", ' "w"', ""]
    ),
    max_size=20,
)


@given(SPECIAL_AND_PLAIN)
@settings(max_examples=200)
def test_plain_lines_are_read_like_special_ones(lines: list[str]) -> None:
    """An empty comment makes any line a special one and changes nothing."""
    usual, found = load_text("".join(f"{line}\n" for line in lines))
    slow, also_found = load_text("".join(f"{line} #\n" for line in lines))
    assert words(usual) == words(slow)
    assert findings(found) == findings(also_found)


# The referee

CASES = [
    b"x\n",
    b"global\n\tdaemon",
    b"global\n foo\0bar\n\n",
    b"foo bar\nbaz\nglobal\n",
    b'global\nfoo "a\nfoo \'a\nfoo \\xz1\nfoo "$1a"\nfoo "${a"\nfoo "${a-b"\n foo "${}"\n foo "$"\n',
    b'global\n "${.LINE}"\n foo "${.FOO}"\n',
    b".if 1\nglobal\n",
    b".endif\n",
    b".else\n",
    b".elif 1\n",
    b".if 1\n.else\n.else\n.endif\n",
    b".if 1\n.else\n.elif 1\n.endif\n",
    b".if\nglobal\n foo\n.endif\n",
    b".if foo\n.endif\n",
    b'.if 0\n foo "unterminated\n foo\n.elif 1\nglobal\n.else\nbar\n.endif\n',
    b".if 0\n.if foo\n.endif\n.if 1\nx\n.else\ny\n.endif\n.endif\n",
    b".if 1\n.elif foo\n.endif\n",
    b".if 1 1\n.endif\n",
    b'.notice "hi there"\n.warning a\n.diag x\n.notice\n',
    b"global\n.notice x y\n",
    b'global\n.notice "in ${.SECTION} ${.LINE}"\n',
    b".if 0\n.notice x\n.foo\n\t.endif\n",
    b".foo\n",
    b'"global"\n "da"emon\n',
    b'.if 0\n.elif 1 "\nglobal\n.endif\n',
    b'".if" 0\nfoo\n.endif\n',
    b".if 0\n.endif#x\nfoo\n",
    b".if streq( a, a)\nfoo\n.endif\n",
    b".if streq(a,  a)\nfoo\n.else\nbar\n.endif\n",
    b'.if streq(\\"a,b\\",\\"a,b\\")\nfoo\n.endif\n',
    b'.if "" 1\nfoo\n.endif\n',
    b'.if "1 && 1"\nfoo\n.endif\n',
    b'global\n setenv B b\n.notice "$B"\n presetenv B c\n.notice "$B"\n unsetenv B\n.notice "$B"\n',
    b'global\n setenv B b\n resetenv PATH\n.notice "[$B]"\n setenv A=B c\n unsetenv A=B\n',
    b'defaults d\n.notice "[${.SECTION}]"\nfrontend f\n.notice "[${.SECTION}]"\nglobal\n.notice "[$.SECTION]"\n',
    b"global\n description" + b" x" * 62 + b"\n description" + b" x" * 63 + b"\n description" + b" x" * 64 + b"\n",
    b".if 1\n" * 100 + b".endif\n" * 100,
    b"global\n\r daemon\n daemon \r\n\x0bfoo\x0c\n",
]  # fmt: skip
_SAID = re.compile(r"^\[(ALERT|WARNING|NOTICE)\]\s+\(\d+\) : config : parsing \[[^]]*:(\d+)\]\s?: (.*)$", re.MULTILINE)


def comparable(severity: str, line: int, message: str) -> tuple[str, int, str]:
    message = re.sub(r" at position .*|, position .*|\. Use quotes .*|\.$", "", message)
    return severity, line, re.sub(r"\s*:\s*", ":", message)


@pytest.mark.referee
@pytest.mark.parametrize("content", CASES)
def test_haproxy_says_the_same(content: bytes, haproxy: str, tmp_path: Path) -> None:
    file = tmp_path / "a.cfg"
    file.write_bytes(content)
    env = {"A": "x", "PATH": os.environ["PATH"]}
    result = subprocess.run([haproxy, "-c", "-f", str(file)], capture_output=True, env=env, check=False, timeout=30)
    theirs = [
        comparable(severity, int(line), message)
        for severity, line, message in _SAID.findall(result.stderr.decode())
        if not ("unknown keyword" in message and "' section" in message)  # what statements mean is not read here
    ]
    document, found = load([str(file)], env=dict(env))
    names = {Severity.ERROR: "ALERT", Severity.WARNING: "WARNING", Severity.NOTICE: "NOTICE"}
    ours = [
        comparable(names[finding.severity], finding.span.line, finding.message)
        for finding in found
        if finding.severity in names
    ]
    assert sorted(ours) == sorted(theirs)
    assert document.sources[0].name == str(file)


FUZZ = st.sampled_from(
    [
        "global", "defaults", "frontend f", "listen l", " daemon", "# note", "", " \t", ".if 1", ".if 0", ".elif 1",
        ".elif 0", ".else", ".endif", ".if foo", ".elif foo", ".notice x", ".alert x", '.warning "a $A b"', ".nothing", ' x "',
        " x 'y'", ' "$A"', " setenv A b", '.notice "$A"', " presetenv B c", " .if defined(A)", "\r", " a\rb", " a \rb", "foo",
        " x\u00a0y", " \x0bdaemon", ".endif x", ".else y", '.if "', "'.if' 1", ".IF 1", ". if 1", "..", "\t.endif", " unsetenv A",
        '.notice "[${.SECTION}] $.LINE"', '"" x', " resetenv", "\\.if 1", ".if 1 # c", ".if !defined(A) || 0", " x" * 70,
    ]
)  # fmt: skip
#: After these HAProxy reads no further, and hapy does.
_LAST_WORDS = re.compile(
    r"non-terminated|lone '|after '\.else'|conditional|predicate|Unexpected argument '.*' for '\.(?:else|endif)"
    r"|unknown directive|^'x'$"
)


@pytest.mark.referee
@given(lines=st.lists(FUZZ, min_size=1, max_size=14))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_haproxy_finds_the_same_in_any_file(lines: list[str], haproxy: str, tmp_path: Path) -> None:
    file = tmp_path / "a.cfg"
    file.write_bytes(("\n".join(lines) + "\n").encode())
    env = {"A": "x", "PATH": os.environ["PATH"]}
    result = subprocess.run([haproxy, "-c", "-f", str(file)], capture_output=True, env=env, check=False, timeout=30)
    theirs = {
        comparable(severity, int(line), message)
        for severity, line, message in _SAID.findall(result.stderr.decode("utf-8", "surrogateescape"))
        if not ("unknown keyword" in message and "' section" in message) and "cannot handle" not in message
    }
    _, found = load([str(file)], env=dict(env))
    names = {Severity.ERROR: "ALERT", Severity.WARNING: "WARNING", Severity.NOTICE: "NOTICE"}
    ours = {
        comparable(names[finding.severity], finding.span.line, finding.message)
        for finding in found
        if finding.severity in names
    }
    ends = [line for severity, line, message in theirs if severity == "ALERT" and _LAST_WORDS.search(message)]
    if ends:
        theirs = {said for said in theirs if said[1] <= min(ends) and "non-terminated" not in said[2]}
        ours = {said for said in ours if said[1] <= min(ends) and "non-terminated" not in said[2]}
    assert ours == theirs


def test_whatever_a_comment_holds_but_a_nul_is_nothing() -> None:
    long = " ".join(["#", *["x"] * MAX_WORDS * 2])
    text = f"# 'open\nglobal\n \t# \"also ${{X \\\r\n{long}\n.if defined(NOTHING)\n{long}\n.endif\n maxconn 5\n#\n # a\0b\n"
    document, found = load_text(text)
    assert findings(found) == [("ERROR", 10, "Stray NUL character at position 5")]
    assert words(document) == [("global", "", [["maxconn", "5"]])]
