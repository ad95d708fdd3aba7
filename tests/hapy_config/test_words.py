"""Lines to words: our rules, columns, and a comparison with what the real haproxy makes of the same lines."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hapy_config.words import WordError, is_plain, plain_columns, split, to_bytes

ENVIRONMENT = {
    "A": "x",
    "EMPTY": "",
    "LIST": "a b  c",
    "EDGES": " s ",
    "TABS": "p\tq r",
    "BLANK": " ",
    "QUOTES": "a\"b c'",
}


def cut(line: str) -> list[str]:
    return split(line, ENVIRONMENT.get)[0]


def attempt(line: str, lookup=ENVIRONMENT.get) -> tuple[list[str], list[tuple[int, int]]] | WordError:
    try:
        return split(line, lookup)
    except WordError as error:
        return error


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  \t ", []),
        ("# nothing", []),
        ("a b", ["a", "b"]),
        ("\ta   b\t", ["a", "b"]),
        ("a b\r", ["a", "b"]),
        ("a\rb", ["a"]),
        ("a \rb", ["a", "b"]),
        ("\r a", ["a"]),
        ("a\vb\fc", ["a", "b", "c"]),
        ("a#b", ["a"]),
        ("a #b", ["a"]),
        (r"a\#b", ["a#b"]),
        (r"a\ b", ["a b"]),
        (r"a\zb", [r"a\zb"]),
        (r"a\$A", [r"a\$A"]),
        ("a\\\tb", ["a\\", "b"]),
        ("a\\", ["a\\"]),
        (r"\x41\n\r\t", ["A\n\r\t"]),
        (r"a\x00b c", ["a", "c"]),
        ('a"b c"d', ["ab cd"]),
        ('""', [""]),
        ('a "" b', ["a", "", "b"]),
        ("'a\"b\\n$A'", ['a"b\\n$A']),
        (r'"a\"b\$A\\"', ['a"b$A\\']),
        ('"#"', ["#"]),
        ("$A ${A}", ["$A", "${A}"]),
        ('"$A" "${A}b" "$A-b"', ["x", "xb", "x-b"]),
        ('"${NO}" "${NO-d e}" "${EMPTY-d}"', ["", "d e", ""]),
        ('"${NO-b"c}"', ['b"c']),
        ('x"${LIST[*]}"y', ["xa", "b", "cy"]),
        ('"${EDGES[*]}"', ["", "s", ""]),
        ('"${TABS[*]}"', ["p", "q", "r"]),
        ('"${NO[*]}" "${NO[*]-d e}"', ["", "d", "e"]),
        ("a\u00a0b é", ["a\u00a0b", "é"]),
        ("a\x1fb", ["a\x1fb"]),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    assert cut(line) == words


@pytest.mark.parametrize(
    ("line", "message", "column"),
    [
        ('foo "a', "unmatched quote", 5),
        ("foo 'a", "unmatched quote", 5),
        ('"a\rb"', "unmatched quote", 1),
        (r"foo \xz1", "truncated or invalid hexadecimal sequence", 5),
        (r"foo \x4", "truncated or invalid hexadecimal sequence", 5),
        ('foo "$1a"', "forbidden first char in environment variable name", 7),
        ('foo "$"', "forbidden first char in environment variable name", 7),
        ('"${.FOO}"', "forbidden first char in environment variable name", 4),
        ('foo "${a"', "unmatched brace in environment variable name", 7),
        ('foo "${a-b"', "unmatched brace in environment variable name", 7),
        ('"${A[*]x}"', "unmatched brace in environment variable name", 3),
        ('"${A[x]}"', "truncated or invalid word expansion sequence", 5),
    ],
)
def test_faults(line: str, message: str, column: int) -> None:
    with pytest.raises(WordError) as caught:
        cut(line)
    assert (caught.value.message, caught.value.column) == (message, column)


def test_pseudo_variables_reach_the_lookup() -> None:
    asked = []

    def lookup(name: str) -> str:
        asked.append(name)
        return "v"

    assert split('"$.LINE ${.FILE}${.SECTION}"', lookup)[0] == ["v vv"]
    assert asked == [".LINE", ".FILE", ".SECTION"]


def test_columns_point_at_the_source() -> None:
    line = '  bind "a b"c  x\\ y # z'
    words, columns = split(line, ENVIRONMENT.get)
    assert words == ["bind", "a bc", "x y"]
    assert [line[start - 1 : end - 1] for start, end in columns] == ["bind", '"a b"c', "x\\ y"]


def test_bytes_come_out_as_they_went_in() -> None:
    raw = b"caf\xe9 \xff\xc3\xa9"
    words = cut(raw.decode("utf-8", "surrogateescape"))
    assert [to_bytes(word) for word in words] == [b"caf\xe9", b"\xff\xc3\xa9"]
    assert to_bytes(cut(r"\xe9\xc3")[0]) == b"\xe9\xc3"


lines = st.text(st.characters(exclude_characters="\n\0"), max_size=60)
PIECES = [
    "a", "b", " ", "\t", '"', "'", "\\", "\\\\", "#", "$", "{", "}", "-", "[*]", "$A", "${A}", "${EMPTY}", "${EMPTY-d}",
    "${NO-d e}", "${NO}", "${LIST}", "${NO[*]}", "${EDGES[*]}", "${QUOTES}", "${QUOTES[*]}", '\\"', "\\n", "\\x41", "\\x",
    "\\ ", "\\$", "é", "${.LINE}", ".", "$1", "\r", "\v", "\f", "\u00a0", "\x1f", "\\x00", "${TABS[*]}", "${BLANK[*]}",
    '"${EDGES[*]}"', '"${BLANK[*]}', '"${LIST[*]}"', '"$A"', "\\#", "\\'", '${TABS[*]-"x y"}',
]  # fmt: skip
fragments = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)


@given(lines | fragments)
@settings(max_examples=500)
def test_never_crashes_and_columns_are_sane(line: str) -> None:
    result = attempt(line)
    if isinstance(result, WordError):
        assert 1 <= result.column <= len(line) + 1
        return
    words, columns = result
    assert len(words) == len(columns)
    previous = 1
    for start, end in columns:
        assert previous <= start < end <= len(line) + 1
        previous = start


@given(lines)
@settings(max_examples=500)
def test_both_ways_agree_on_plain_lines(line: str) -> None:
    if is_plain(line):
        # An escape that stands for nothing forces the slow way; what follows the blank is the same words.
        assert split(line, ENVIRONMENT.get) == (line.split(), plain_columns(line))
        slow, columns = split("'' " + line, ENVIRONMENT.get)
        assert slow[1:] == line.split()
        assert [(start - 3, end - 3) for start, end in columns[1:]] == plain_columns(line)


@given(st.lists(st.text(st.characters(exclude_characters="\n\r\0'"), min_size=1), max_size=5))
def test_single_quotes_keep_everything(words: list[str]) -> None:
    assert cut(" ".join(f"'{word}'" for word in words)) == words


#: Lines by which haproxy tells one of their words: an unknown first word, or the first that is too many.
PROBES = {"zz": 0, "daemon y": 1, "ca-base y": 2, "h1-case-adjust y": 3}
_ALERT = re.compile(r"\[ALERT\]\s+\(\d+\) : config : parsing \[[^]]*:(\d+)\]\s?: (.*?)(?=\n\[|\Z)", re.DOTALL)


@pytest.mark.referee
@given(batch=st.lists(st.tuples(st.sampled_from(list(PROBES)), fragments), min_size=40, max_size=45))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_haproxy_sees_the_same_words(batch: list[tuple[str, str]], haproxy: str, tmp_path: Path) -> None:
    file = tmp_path / "a.cfg"
    text = "global\n" + "".join(f"{probe}{fragment}\n" for probe, fragment in batch)
    file.write_bytes(text.encode())
    result = subprocess.run(
        [haproxy, "-c", "-f", str(file)], capture_output=True, env=ENVIRONMENT, check=False, timeout=30
    )
    said = {int(line): message for line, message in _ALERT.findall(result.stderr.decode("utf-8", "surrogateescape"))}
    for number, (probe, fragment) in enumerate(batch, 2):
        line = probe + fragment
        alert = said.get(number, "")
        fault = re.match(r"(.*?) at position (\d+):", alert)
        ours = attempt(line, {**ENVIRONMENT, ".LINE": str(number)}.get)
        if isinstance(ours, WordError):
            place = len(line[: ours.column - 1].encode()) + 1
            assert fault is not None, line
            assert (ours.message, place) == (fault[1], int(fault[2])), line
            continue
        words = ours[0]
        index = PROBES[probe]
        expected = words[index] if index < len(words) else ""
        if "\n" in expected:
            continue
        found = re.search(
            r"(?:unknown keyword|unexpected argument) '(.*?)'(?: in 'global' section.*|\.)$", alert, re.DOTALL
        )
        assert (found[1] if found else "") == expected, line
