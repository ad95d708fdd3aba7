from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy_config.grammar.conditions import check_acl_name, negate, parse_acl, parse_condition, predefined, unavailable
from hapy_config.grammar.errors import GrammarError
from hapy_config.keywords.acls import PREDEFINED
from hapy_config.keywords.samples import Place
from hapy_config.model.expressions import Condition
from hapy_config.words import split


def attempt(parse: Callable[[], object]) -> GrammarError | None:
    """What a parser raises, if anything."""
    try:
        parse()
    except GrammarError as error:
        return error
    return None


def acl(text: str):
    return parse_acl(words(text))


def words(text: str) -> list[str]:
    return split(text, lambda _: None)[0]


ACLS = {"a": [acl("path /a")], "b": [acl("path /b"), acl("path_beg /bb")]}


def condition(text: str) -> Condition:
    return parse_condition(words(text), ACLS)


def shape(found: Condition) -> list[list[str]]:
    return [[("!" if term.negated else "") + (term.name or "{}") for term in suite] for suite in found.alternatives]


@pytest.mark.parametrize(
    ("text", "match", "patterns"),
    [
        ("path /x", "str", ("/x",)),
        ("path_beg -i /x /y", "beg", ("/x", "/y")),
        ("hdr_dom(host) -m beg www.", "beg", ("www.",)),
        ("src 10.0.0.0/8", "ip", ("10.0.0.0/8",)),
        ("src_port gt 5", "int", ("gt", "5")),
        ("ssl_fc", "bool", ()),
        ("path_beg,lower /x", "str", ("/x",)),
        ("path_beg,length 4", "int", ("4",)),
        ("var(txn.x) -m str a", "str", ("a",)),
        ("path -- -i", "str", ("-i",)),
        ("src lower 127.0.0.1", "str", ("lower", "127.0.0.1")),
        ("method GET", "str", ("GET",)),
        ("path /a '' /b", "str", ("/a",)),
    ],
)
def test_matching(text: str, match: str, patterns: tuple[str, ...]) -> None:
    found = acl(text)
    assert (found.match, found.patterns) == (match, patterns)


def test_flags() -> None:
    found = acl("path -i -n -M -u 7 -f one -f two x")
    assert (found.ignore_case, found.numeric_only, found.as_map, found.unique_id) == (True, True, True, 7)
    assert (found.files, found.patterns) == (("one", "two"), ("x",))


@pytest.mark.parametrize(
    ("text", "message", "word"),
    [
        ("zork /x", "unknown fetch method 'zork' in ACL expression 'zork'", 0),
        ("path,zork /x", "ACL keyword 'path' : unknown converter 'zork'", 0),
        (
            "req.body",
            "matching method must be specified first (using '-m') when using a sample fetch of this type ('req.body')",
            0,
        ),
        ("path -m zz x", "unknown matching method 'zz' when parsing ACL expression", 2),
        ("path -f a -m beg x", "'-m' must only be specified before patterns and files in parsing ACL expression", 3),
        ("path -z", "'-z' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'", 1),
        ("path -u x", "the argument of -u must be an integer", 2),
        ("path -f", "failed to open pattern file <>", 1),
        ("bool(1) -m ip 1.2.3.4", "matching method 'ip' cannot be used with fetch keyword 'bool'", 0),
        ("src_port 5 x", "'x' is not a number", 2),
        ("src_port gt x", "'x' is neither a number nor a supported operator", 2),
        ("src_port 9:5", "'9:5' is not a valid number range", 1),
        ("src 1.2.3.4/33", "'1.2.3.4/33' is not a valid IPv4 or IPv6 address", 1),
        ("src -n host.example", "'host.example' is not a valid IPv4 or IPv6 address", 2),
        ("path_reg (a", "regex '(a' is invalid (error=missing closing parenthesis, erroffset=2)", 1),
        ("path -m bin 4g", "an hex digit is expected (found 'g')", 3),
        ("req.ssl_ver 3.", "'3.' is not a dotted number", 1),
        ("", "missing fetch method in ACL expression ''", 0),
    ],
)
def test_acl_errors(text: str, message: str, word: int) -> None:
    with pytest.raises(GrammarError) as caught:
        acl(text)
    assert (caught.value.message, caught.value.word) == (message, word)


def test_host_names_are_the_callers_business() -> None:
    assert acl("src web.example").patterns == ("web.example",)
    with pytest.raises(GrammarError):
        parse_acl(["src", "web.example"], resolve=lambda _: False)


def test_an_acl_without_a_pattern_warns() -> None:
    said: list[tuple[str, int]] = []
    parse_acl(["acl", "x", "path"], 2, warn=lambda message, word: said.append((message, word)))
    assert len(said) == 1
    assert said[0][1] == 2
    assert "no pattern to match against" in said[0][0]
    for quiet in ("path --", "path -m found", "ssl_fc", "path -f x"):
        parse_acl(quiet.split(), warn=lambda message, _: pytest.fail(message))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a", [["a"]]),
        ("if a b", [["a", "b"]]),
        ("if a or b", [["a"], ["b"]]),
        ("if a || !b a", [["a"], ["!b", "a"]]),
        ("if ! a", [["!a"]]),
        ("if !!a", [["a"]]),
        ("if ! !a", [["a"]]),
        ("if { path /x } !{ path /y }", [["{}", "!{}"]]),
        ("if or a or", [["a"]]),
        ("if", []),
        ("if ''", []),
        ("if a '' b", [["a"]]),
    ],
)
def test_shapes(text: str, expected: list[list[str]]) -> None:
    assert shape(condition(text)) == expected


def test_terms_hold_all_lines_of_a_name() -> None:
    (suite,) = condition("if b").alternatives
    assert [expression.match for expression in suite[0].expressions] == ["str", "beg"]


def test_unless_and_negate() -> None:
    found = condition("unless a")
    assert found.unless
    assert not negate(found).unless


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("if zz", ["no such ACL : 'zz'"]),
        ("if a and b", ["no such ACL : 'and'"]),
        ("if a && b", ["no such ACL : '&&'"]),
        ("if { path /x", ["missing closing '}' in condition"]),
        ("if {path /x}", ["no such ACL : '{path'", "no such ACL : '/x}'"]),
        ("if { }", ["missing fetch method in ACL expression ''"]),
        (
            "if y { zork } z",
            ["no such ACL : 'y'", "unknown fetch method 'zork' in ACL expression 'zork'", "no such ACL : 'z'"],
        ),
        ("when a", ["expects either 'if' or 'unless' followed by a condition but found 'when'"]),
    ],
)
def test_all_errors_of_a_condition(text: str, messages: list[str]) -> None:
    with pytest.raises(GrammarError) as caught:
        condition(text)
    assert [caught.value.message, *(error.message for error in caught.value.others)] == messages


def test_predefined_acls_parse_and_give_way() -> None:
    for name in PREDEFINED:
        assert predefined(name)
    assert predefined("METH_PATCH") == ()
    mine = acl("path /mine")
    (suite,) = parse_condition(["if", "TRUE"], {"TRUE": [mine]}).alternatives
    assert suite[0].expressions == (mine,)


def test_names() -> None:
    assert check_acl_name("My-acl_1.x:y") == ""
    assert check_acl_name("a$b") == "character '$' is not permitted in acl name 'a$b'"


def test_tests_without_data_are_found() -> None:
    found = condition("if { path /x } { src 10/8 }")
    assert [expression.criterion.fetch.name for _, expression in unavailable(found, Place.LOG)] == ["path"]
    assert unavailable(found, Place.FRONTEND_HTTP_REQUEST) == []


_WORDS = st.sampled_from(
    [
        "a",
        "!a",
        "!",
        "or",
        "||",
        "{",
        "}",
        "!{",
        "path",
        "path_beg",
        "src",
        "-m",
        "-i",
        "--",
        "beg",
        "int",
        "5",
        "5:x",
        "gt",
        "(",
        "",
        "zz",
        "TRUE",
    ]
)


@given(st.lists(_WORDS, max_size=14))
def test_nothing_but_grammar_errors(rest: list[str]) -> None:
    error = attempt(lambda: parse_condition(["if", *rest], ACLS))
    assert error is None or 0 <= error.word <= len(rest) + 1


@given(
    st.lists(
        st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "{ path /x }"])), min_size=1, max_size=4),
        max_size=4,
    )
)
def test_what_is_written_is_read(suites: list[list[tuple[bool, str]]]) -> None:
    text = " or ".join(" ".join(("!" if negated else "") + term for negated, term in suite) for suite in suites)
    expected = [
        [("!" if negated else "") + ("{}" if "{" in term else term) for negated, term in suite] for suite in suites
    ]
    assert shape(condition(f"if {text}")) == expected


@pytest.mark.referee
def test_haproxy_agrees_on_conditions(judge) -> None:
    pieces = [
        "a",
        "!a",
        "! a",
        "!!a",
        "zz",
        "or",
        "||",
        "and",
        "{ path /x }",
        "!{ path_beg /x }",
        "{ path",
        "}",
        "{ }",
        "{",
        "TRUE",
        "''",
    ]
    pieces += [
        "{ src 10/8 }",
        "{ dst_port gt 5 }",
        "!",
        "!{",
        "{ path '' }",
        "{ hdr(a),lower() x }",
        "METH_GET",
        "{ path,zork x }",
    ]
    chance = random.Random(7)
    texts = ["unless", "foo", *(" ".join(["if", *chance.choices(pieces, k=chance.randint(0, 4))]) for _ in range(300))]
    verdicts = judge([f"monitor fail {text}" for text in texts], "listen f\n bind 127.0.0.1:18080\n acl a path /a")
    for text, verdict in zip(texts, verdicts, strict=True):
        try:
            condition(text)
            ours = None
        except GrammarError as error:
            ours = error.message
        assert (ours is None) == (verdict is None), f"{text}: HAProxy says {verdict}, we say {ours}"
        if ours is not None and verdict is not None and not text.startswith("foo"):
            assert ours in verdict


@pytest.mark.referee
def test_haproxy_agrees_on_acls(judge) -> None:
    criteria = [
        "path",
        "path_beg",
        "path_len",
        "src",
        "src_port",
        "bool(1)",
        "ipv6(::1)",
        "req.body",
        "var(txn.x)",
        "method",
        "req.ssl_ver",
    ]
    criteria += ["path,length", "path_beg,lower", "path,sha1", "hdr_reg(a)", "hdr(a),lower", "src lower", "date"]
    flags = [
        "",
        "-i",
        "-m found",
        "-m bool",
        "-m int",
        "-m ip",
        "-m bin",
        "-m len",
        "-m str",
        "-m reg",
        "-m dom",
        "-m zz",
        "-n",
        "-z",
        "--",
    ]
    values = [
        "",
        "5",
        "5:7",
        "7:5",
        "gt 5",
        "gt 1.2",
        "1.2",
        "1.2.3.4",
        "10/8",
        "::1/64",
        "414g",
        "4142",
        "(",
        "a{2,1}",
        "-x",
        "010.1.1.1",
        ":5",
        "gt x",
    ]
    lines = [f"{criterion} {flag} {value}" for criterion in criteria for flag in flags for value in values]
    lines = random.Random(11).sample(lines, 700)
    verdicts = judge([f"acl x {line}" for line in lines])
    for line, verdict in zip(lines, verdicts, strict=True):
        try:
            parse_acl(words(line), resolve=lambda _: False)
            ours = None
        except GrammarError as error:
            ours = error.message
        assert (ours is None) == (verdict is None), f"acl x {line}: HAProxy says {verdict}, we say {ours}"
