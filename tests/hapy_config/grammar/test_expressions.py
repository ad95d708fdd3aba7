from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hapy_config.grammar import expressions
from hapy_config.grammar.errors import GrammarError
from hapy_config.grammar.expressions import parse_expression, parse_expression_words, references
from hapy_config.keywords.samples import Place
from hapy_config.model.expressions import Call


def attempt(parse: Callable[[], object]) -> GrammarError | None:
    """What a parser raises, if anything."""
    try:
        parse()
    except GrammarError as error:
        return error
    return None


def fault(text: str) -> GrammarError:
    with pytest.raises(GrammarError) as caught:
        parse_expression(text)
    return caught.value


def test_a_fetch_and_its_converters() -> None:
    found = parse_expression("req.hdr(host,1),lower,field(1,:)")
    assert found.fetch == Call("req.hdr", ("host", "1"))
    assert found.converters == (Call("lower"), Call("field", ("1", ":")))
    assert found.type == "str"
    assert found.text == "req.hdr(host,1),lower,field(1,:)"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("path", "str"),
        ("src", "ipv4"),
        ("src,ipmask(24)", "ipv4"),
        ("path,length", "sint"),
        ("path,sha1", "bin"),
        ("method", "meth"),
        ("var(txn.x)", "any"),
        ("ssl_fc", "bool"),
    ],
)
def test_the_type_is_that_of_the_last_converter(text: str, kind: str) -> None:
    assert parse_expression(text).type == kind


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ('str("a,b")', ("a,b",)),
        ("str('a)b')", ("a)b",)),
        (r"str(a\ b)", ("a b",)),
        (r"str(a\"b)", ('a"b',)),
        (r'str("a\"b")', ('a"b',)),
        (r'str("a\nb")', ("a\nb",)),
        (r"str(a\nb)", ("a\nb",)),
        (r"str(a\x41b)", (r"a\x41b",)),
        (r"str(a\\b)", (r"a\b",)),
        (r'str("a\$b")', (r"a\$b",)),
        (r"str(a\#b)", (r"a\#b",)),
        ("str( a )", (" a ",)),
        ("str(foo\\)", ("foo\\",)),
        ("str(])", ("]",)),
        ("str()", ("",)),
        ("hdr(,1)", ("", "1")),
        ("path()", ()),
        ("path", ()),
    ],
)
def test_arguments_have_quotes_of_their_own(text: str, args: tuple[str, ...]) -> None:
    # The values were read from a running HAProxy 2.6 through %[…].
    assert parse_expression(text).fetch.args == args


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("zork", "unknown fetch method 'zork'", 0),
        ("HDR(a)", "unknown fetch method 'HDR'", 0),
        ("src,zork", "unknown converter 'zork'", 4),
        ("path(foo)", "fetch method 'path' : expected ')' before 'foo)'", 5),
        ("hdr(a", "fetch method 'hdr' : expected ')'", 5),
        ("hdr(a,b)", "fetch method 'hdr' : failed to parse 'b' as type 'integer' at position 2", 6),
        ("hdr(a)x", "missing comma after fetch keyword 'hdr'", 6),
        ("src,lower)x", "missing comma after converter 'lower'", 9),
        ("int()", "fetch method 'int' : expected type 'integer' at position 1, but got nothing", 4),
        ("int(0x10)", "fetch method 'int' : failed to parse '0x10' as type 'integer' at position 1", 4),
        (
            "path,regsub((a),b)",
            "invalid arg 2 in converter 'regsub' : missing arguments (got 1/2), type 'string' expected",
            15,
        ),
        ("src,not,ipmask(8)", "converter 'ipmask' cannot be applied", 8),
        (
            "path,regsub(a,b,z)",
            "invalid args in converter 'regsub' : invalid regex flag 'z', only 'i' and 'g' are supported",
            11,
        ),
        ("bool(x)", "invalid args in fetch method 'bool' : Expects 'true', 'false', '0' or '1'", 4),
        ("var(txn.a-b)", "invalid args in fetch method 'var' : invalid syntax at char '-b'", 3),
        ("", "missing fetch method", 0),
        (",src", "missing fetch method", 0),
    ],
)
def test_errors_name_the_place(text: str, message: str, offset: int) -> None:
    error = fault(text)
    assert (error.message, error.offset) == (message, offset)


def test_a_word_of_converters_goes_on_with_the_expression() -> None:
    found, index = parse_expression_words(["set", "hdr(a),", "lower", "upper,base64", "if", "TRUE"], 1)
    assert [call.name for call in found.converters] == ["lower", "upper", "base64"]
    assert index == 4


def test_errors_in_later_words_name_the_word() -> None:
    with pytest.raises(GrammarError) as caught:
        parse_expression_words(["src", "not", "ipmask(8)"])
    assert (caught.value.word, caught.value.message) == (2, "converter 'ipmask' cannot be applied")


def test_versions_count() -> None:
    assert fault("txn.status").message == "unknown fetch method 'txn.status'"
    assert fault("path,reverse").message == "unknown converter 'reverse'"
    assert fault("51d.all(a)").message == "unknown fetch method '51d.all'"


def test_names_of_lua_scripts() -> None:
    found = parse_expression("lua.mine(a,b),lua.other")
    assert (found.fetch, found.type) == (Call("lua.mine", ("a", "b")), "str")


def test_references_are_named_or_left_out() -> None:
    found = list(references(parse_expression("src_conn_rate(st),table_gpc0(other)")))
    assert [(ref.kind, ref.name) for ref in found] == [("table", "st"), ("table", "other")]
    assert [(ref.kind, ref.name) for ref in references(parse_expression("nbsrv"))] == [("backend", "")]
    assert [ref.kind for ref in references(parse_expression("srv_is_up(be/s1)"))] == ["server"]
    assert list(references(parse_expression("sc_get_gpc0(0)"))) == []


def test_places() -> None:
    assert expressions.places(parse_expression("path")) & Place.FRONTEND_HTTP_REQUEST
    assert not expressions.places(parse_expression("path")) & Place.LOG
    assert expressions.needs(parse_expression("res.hdr(a)")) == "HTTP response headers"


def test_acl_keywords_become_their_fetch() -> None:
    expression, match = expressions.parse_acl_keyword("hdr_beg(host)")
    assert (expression.fetch, match) == (Call("req.hdr", ("host",)), "beg")
    expression, match = expressions.parse_acl_keyword("path_beg,lower")
    assert (expression.fetch.name, match) == ("path", "")  # converters take the implied match away


_PIECES = st.sampled_from(
    [
        "path",
        "hdr",
        "src",
        "str",
        "(",
        ")",
        ",",
        "lower",
        "add",
        "txn.x",
        '"',
        "'",
        "\\",
        " ",
        "1",
        "a",
        "map",
        "-",
        "\0",
        "é",
        "\udcff",
    ]
)


@given(st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=30))
def test_nothing_but_grammar_errors(text: str) -> None:
    error = attempt(lambda: parse_expression(text))
    assert error is None or (error.message and 0 <= error.offset <= len(text))
    assert error is not None or parse_expression(text).text == text


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_any_text_can_be_quoted(text: str) -> None:
    quoted = "".join("\\" + c if c in '\\"' else c for c in text)
    assert parse_expression(f'str("{quoted}"),lower').fetch.args == (text,)


@pytest.mark.referee
def test_haproxy_agrees_on_expressions(judge) -> None:
    fetches = [
        "path",
        "path(a)",
        "hdr(a",
        "hdr(a,b)",
        "hdr(a,-11)",
        "int(5)",
        "int(x)",
        "int( 5)",
        "src",
        "src(",
        "str(a,b)",
        "str(a)",
    ]
    fetches += [
        "ipv4(1.2.3)",
        "ipv6(::1)",
        "bin(41)",
        "bin(4)",
        "bin",
        "bool(1)",
        "meth(GET)",
        "var(txn.x)",
        "var(x)",
        "var()",
        "rand(5)",
    ]
    fetches += [
        "uuid(3)",
        "date(1,ms)",
        "date(1,m)",
        "fc_rtt(us)",
        "fc_rtt()",
        "payload_lv(0,0)",
        "nbsrv(be)",
        "sc_get_gpc0",
        "env",
    ]
    converters = [
        "",
        ",",
        ",,lower",
        ",lower()",
        ",lower(1)",
        ",zork",
        ",add(1)",
        ",add",
        ",add(x)",
        ",ipmask(24)",
        ",ipmask(33)",
        ",not",
    ]
    converters += [
        ",field(0,a)",
        ",field(1,)",
        ",word(1,a,x)",
        ",regsub(a,b,g)",
        ",regsub(a)",
        ",json(x)",
        ",sha2(7)",
        ",concat(a,b)",
    ]
    converters += [
        ",iif(a,b)",
        ",hmac(sha256,a)",
        ",url_enc(x)",
        ",strcmp(a)",
        ",bytes",
        ",bytes(1)",
        ",http_date(,x)",
        ",be2dec(:,9)",
    ]
    texts = [
        f + c
        for f in fetches
        for c in (converters if f in ("path", "src", "bool(1)", "int(5)", "bin(41)") else ["", ",lower", ",zork"])
    ]
    verdicts = judge([f"acl x {text} -m found" for text in texts])
    for text, verdict in zip(texts, verdicts, strict=True):
        try:
            expressions.parse_acl_keyword(text)
            ours = None
        except GrammarError as error:
            ours = error.message
        assert (ours is None) == (verdict is None), f"{text}: HAProxy says {verdict}, we say {ours}"
