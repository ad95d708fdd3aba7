"""What certain fetches and converters ask of their arguments beyond the type, in the words of HAProxy 2.6."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Final

from hapy_config.grammar.arguments import integer
from hapy_config.grammar.units import is_number

Args = tuple[str, ...]
Check = Callable[[Args], str]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SCOPES: Final = ("proc", "sess", "txn", "req", "res", "check")
_VARIABLE_CHARACTERS: Final = re.compile(r"[A-Za-z0-9_.]*")
_JWT_ALGORITHMS: Final = frozenset(
    {f"{family}{bits}" for family in ("HS", "RS", "ES", "PS") for bits in (256, 384, 512)} | {"none"},
)
_DIGESTS: Final = _words(
    "blake2b512 blake2s256 md4 md5 md5-sha1 mdc2 ripemd ripemd160 rmd160 sha1 sha224 sha256 sha3-224 sha3-256 sha3-384"
    " sha3-512 sha384 sha512 sha512-224 sha512-256 sha512/224 sha512/256 sha-1 sha2-224 sha2-256 sha2-384 sha2-512"
    " shake128 shake256 sm3 ssl3-md5 ssl3-sha1 whirlpool",
)
_PROTOBUF_TYPES: Final = _words(
    "double float int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string bytes enum",
)
#: What may stand behind the name in `set-var(…)`.
_SET_VAR_CONDITIONS: Final = _words(
    "ifexists ifnotexists ifempty ifnotempty ifset ifnotset ifgt iflt",
)


def variable(name: str) -> str:
    """What is wrong with a variable name (`txn.x`), or an empty string."""
    if not name:
        return "Empty variable name cannot be accepted"
    scope, dot, rest = name.partition(".")
    if not dot or not rest or scope not in SCOPES:
        return (
            f"invalid variable name '{name}'. A variable name must be start by its scope. "
            "The scope can be 'proc', 'sess', 'txn', 'req', 'res' or 'check'"
        )
    good = _VARIABLE_CHARACTERS.match(rest)
    assert good is not None
    if good.end() < len(rest):
        return f"invalid syntax at char '{rest[good.end() :]}'"
    return ""


#: The names of the types of values in a PROXY header.
PROXY_VALUES: Final = {
    "ALPN": 0x01,
    "AUTHORITY": 0x02,
    "CRC32": 0x03,
    "CRC32C": 0x03,
    "NOOP": 0x04,
    "UNIQUE_ID": 0x05,
    "SSL": 0x20,
    "SSL_VERSION": 0x21,
    "SSL_CN": 0x22,
    "SSL_CIPHER": 0x23,
    "SSL_SIG_ALG": 0x24,
    "SSL_KEY_ALG": 0x25,
    "NETNS": 0x30,
}
_BYTE: Final = re.compile(r"0[xX][0-9A-Fa-f]{1,2}|[0-9]{1,3}")


def proxy_value_type(text: str) -> int | None:
    """The type of a PROXY header's value, given by number or name; None for anything else."""
    if text in PROXY_VALUES:
        return PROXY_VALUES[text]
    if _BYTE.fullmatch(text) is None:
        return None
    number = int(text, 16 if text[:2] in ("0x", "0X") else 10)
    return number if number <= 0xFF else None


def _value_type(args: Args) -> str:
    if args and proxy_value_type(args[0]) is not None:
        return ""
    return f"'{args[0] if args else ''}' is neither a number between 0 and 255 nor the name of a type"


def _argument(args: Args, index: int) -> str:
    return args[index] if index < len(args) else ""


def _variable_argument(index: int) -> Check:
    """A check that the argument at `index`, where it is given, is a variable's name."""

    def check(args: Args) -> str:
        name = _argument(args, index)
        return f"failed to register variable name '{name}'" if name and variable(name) else ""

    return check


def _must_be_variable(args: Args) -> str:
    name = _argument(args, 0)
    if not name:
        return "missing variable name"
    return f"failed to register variable name '{name}'" if variable(name) else ""


def _var(args: Args) -> str:
    return variable(_argument(args, 0))


def variable_conditions(word: str, conditions: Sequence[str]) -> str:
    """What is wrong with the words behind a variable's name in `set-var(…)` and its kin, or an empty string."""
    if word == "unset-var" and conditions:
        return (
            'unset-var does not expect parameters after the variable name. Only "set-var" and "set-var-fmt"'
            " manage conditions."
        )
    unknown = next((one for one in conditions if one and one not in _SET_VAR_CONDITIONS), None)
    return "" if unknown is None else f'unknown condition "{unknown}"'


def _set_var(args: Args) -> str:
    return variable(_argument(args, 0)) or variable_conditions("set-var", args[1:])


def _operand(args: Args) -> str:
    """An integer, or a variable that will hold one. Nothing at all counts as 0."""
    value = _argument(args, 0)
    if not value or not variable(value):
        return ""
    try:
        integer(value)
    except ValueError:
        return "expects an integer or a variable name"
    return ""


def _bool(args: Args) -> str:
    return "" if _argument(args, 0).lower() in ("true", "false", "0", "1") else "Expects 'true', 'false', '0' or '1'"


def hexadecimal(text: str) -> str:
    """What is wrong with a string of hexadecimal digits, or an empty string."""
    if len(text) % 2:
        return "an even number of hex digit is expected"
    bad = re.search(r"[^0-9a-fA-F]", text)
    return f"an hex digit is expected (found '{bad[0]}')" if bad else ""


def _bin(args: Args) -> str:
    text = _argument(args, 0)
    return hexadecimal(text) if text else "expects hexadecimal digits"


def _uuid(args: Args) -> str:
    version = _argument(args, 0)
    return "" if not version or integer(version) == 4 else f"Unsupported UUID version: '{version}'"


def _unit(index: int, *, micro_only: bool = False) -> Check:
    """A check that the argument at `index`, where it is given, is a unit of time."""

    def check(args: Args) -> str:
        if index >= len(args):
            return ""
        unit = args[index]
        if micro_only:
            return "" if unit in ("us", "ms") else f"expects 'us' or 'ms', got '{unit}'"
        return "" if unit in ("s", "ms", "us") else f"expects 's', 'ms' or 'us', got '{unit}'"

    return check


def _occurrence(args: Args) -> str:
    number = _argument(args, 1)
    return "header occurrence must be >= -10" if number and integer(number) < -10 else ""


def _payload_lv(args: Args) -> str:
    offset, length, second = _argument(args, 0), _argument(args, 1), _argument(args, 2)
    if integer(offset) < 0:
        return "payload offset1 must be positive"
    if integer(length) <= 0:
        return "payload length must be > 0"
    if second:
        try:
            value = integer(second)
        except ValueError:
            return "payload offset2 is not a number"
        if second[0] in "+-" and integer(offset) + integer(length) + value < 0:
            return "payload offset2 too negative"
    return ""


def _distinguished_name(args: Args) -> str:
    form = _argument(args, 2)
    return (
        ""
        if form in ("", "rfc2253")
        else "only rfc2253 or a blank value are currently supported as the format argument"
    )


def _block_position(args: Args) -> str:
    text = _argument(args, 0)
    return "" if text in ("head", "tail", "first") or is_number(text) else "invalid block position"


_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _method(args: Args) -> str:
    method = _argument(args, 0)
    return "" if not method or _TOKEN.fullmatch(method) else "expects valid method."


def _add_item(args: Args) -> str:
    fault = _variable_argument(1)(args)
    if fault:
        return fault
    return "" if _argument(args, 1) or _argument(args, 2) else "one of the optional arguments has to be nonempty"


def _json(args: Args) -> str:
    if _argument(args, 0) in ("", "ascii", "utf8", "utf8s", "utf8p", "utf8ps"):
        return ""
    return "Unexpected input code type. Allowed value are 'ascii', 'utf8', 'utf8s', 'utf8p' and 'utf8ps'"


def _list_item(args: Args) -> str:
    if integer(_argument(args, 0)) == 0:
        return "Unexpected value 0 for index"
    return "" if _argument(args, 1) else "Empty separators list"


def _jwt_verify(args: Args) -> str:
    algorithm = _argument(args, 0)
    if not variable(algorithm):
        return ""
    if algorithm not in _JWT_ALGORITHMS:
        return f"unknown JWT algorithm: {algorithm}"
    return "RSASSA-PSS JWS signing not managed yet" if algorithm.startswith("PS") else ""


def _query(*, path_needed: bool) -> Check:
    """A check of `(path[,type])`."""

    def check(args: Args) -> str:
        if path_needed and not _argument(args, 0):
            return "json_path must not be empty"
        return "" if _argument(args, 1) in ("", "int") else 'output_type only supports "int" as argument'

    return check


def _digest(args: Args) -> str:
    return "" if _argument(args, 0).lower() in _DIGESTS else "algorithm must be a valid OpenSSL message digest name."


def _secret(what: str, value: str) -> str:
    """A key, nonce or tag: base64, or a variable's name."""
    if not variable(value):
        return ""
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return f"failed to parse {what} : argument needs to be base64 encoded, and can either be a string or a variable"
    return ""


def _hmac(args: Args) -> str:
    return _digest(args) or _secret("key", _argument(args, 1))


def _aes_gcm(args: Args) -> str:
    if integer(_argument(args, 0)) not in (128, 192, 256):
        return "key size must be 128, 192 or 256 (bits)."
    return (
        _secret("nonce", _argument(args, 1))
        or _secret("key", _argument(args, 2))
        or _secret("aead_tag", _argument(args, 3))
    )


def _sha2(args: Args) -> str:
    bits = _argument(args, 0)
    return "" if not bits or integer(bits) in (224, 256, 384, 512) else f"Unsupported number of bits: '{bits}'"


def _truncate(args: Args) -> str:
    value = integer(_argument(args, 2) or "0")
    return "" if value in (0, 1) else f"Unsupported truncate value ({value})"


def _be2dec(args: Args) -> str:
    size = integer(_argument(args, 1) or "0")
    return _truncate(args) if 1 <= size <= 8 else f"chunk_size out of [1..8] range ({size})"


def _be2hex(args: Args) -> str:
    if not any(args):
        return ""
    size = integer(_argument(args, 1) or "0")
    if size <= 0:
        return f"chunk_size needs to be positive ({size})"
    return _truncate(args)


def _url_enc(args: Args) -> str:
    return "" if _argument(args, 0) in ("", "query") else "Unexpected encode type. Allowed value is 'query'"


def _protobuf(args: Args) -> str:
    kind = _argument(args, 1)
    return "" if len(args) < 2 or kind in _PROTOBUF_TYPES else f"Wrong protocol buffer type '{kind}'"


def _regsub(args: Args) -> str:
    bad = next((flag for flag in _argument(args, 2) if flag not in "gi"), None)
    return "" if bad is None else f"invalid regex flag '{bad}', only 'i' and 'g' are supported"


_CONNECT: Final = _words(
    "flags protocol_name protocol_version client_identifier will_topic will_payload username password keepalive"
    " 17 33 34 39 25 23 21 22 24 1 2 3 8 9 38",
)
_CONNACK: Final = _words(
    "flags protocol_version reason_code 17 33 36 37 39 18 34 31 38 40 41 42 19 26 28 21 22",
)


def _mqtt(args: Args) -> str:
    packet, name = _argument(args, 0), _argument(args, 1)
    fields = {"connect": _CONNECT, "1": _CONNECT, "connack": _CONNACK, "2": _CONNACK}.get(packet.lower())
    if fields is None:
        return f"Unknown MQTT type '{packet}'"
    return "" if name in fields else f"Unknown MQTT field name '{name}' for packet type '{packet}'"


_FIX_TAGS: Final = frozenset(
    {"MsgType", "CheckSum", "BodyLength", "TargetCompID", "SenderCompID", "BeginString"},
)


def _fix(args: Args) -> str:
    tag = _argument(args, 0)
    return "" if tag in _FIX_TAGS or (is_number(tag) and int(tag) > 0) else f"Unknown FIX tag name '{tag}'"


def _distcc(args: Args) -> str:
    return "" if len(_argument(args, 0)) == 4 else "token name must be exactly 4 characters"


_FETCHES: Final[dict[str, Check]] = {
    "meth": _method,
    **dict.fromkeys(("distcc_body", "distcc_param"), _distcc),
    "bool": _bool,
    "bin": _bin,
    "uuid": _uuid,
    "date": _unit(1),
    "var": _var,
    "payload_lv": _payload_lv,
    "req.payload_lv": _payload_lv,
    "res.payload_lv": _payload_lv,
    **dict.fromkeys(("fc_rtt", "fc_rttvar"), _unit(0, micro_only=True)),
    "fc_pp_tlv": _value_type,
    **dict.fromkeys(
        (
            *("hdr", "hdr_ip", "hdr_val", "shdr", "shdr_ip", "shdr_val"),
            *(f"{side}.{name}" for side in ("req", "res") for name in ("hdr", "fhdr", "hdr_ip", "hdr_val")),
        ),
        _occurrence,
    ),
    **dict.fromkeys(
        ("ssl_c_s_dn", "ssl_c_i_dn", "ssl_f_s_dn", "ssl_f_i_dn", "ssl_s_s_dn", "ssl_s_i_dn"),
        _distinguished_name,
    ),
    **dict.fromkeys(
        tuple(f"internal.htx_blk.{name}" for name in ("data", "hdrname", "hdrval", "size", "start_line", "type")),
        _block_position,
    ),
}

_CONVERTERS: Final[dict[str, Check]] = {
    **dict.fromkeys(("add", "sub", "mul", "div", "mod", "and", "or", "xor"), _operand),
    **dict.fromkeys(("strcmp", "secure_memcmp"), _must_be_variable),
    **dict.fromkeys(("field", "word"), _list_item),
    **dict.fromkeys(("protobuf", "ungrpc"), _protobuf),
    **dict.fromkeys(("jwt_header_query", "jwt_payload_query"), _query(path_needed=False)),
    "json_query": _query(path_needed=True),
    "concat": _variable_argument(1),
    "add_item": _add_item,
    "json": _json,
    "http_date": _unit(1),
    "jwt_verify": _jwt_verify,
    "digest": _digest,
    "hmac": _hmac,
    "aes_gcm_dec": _aes_gcm,
    "sha2": _sha2,
    "be2dec": _be2dec,
    "be2hex": _be2hex,
    "url_enc": _url_enc,
    "set-var": _set_var,
    "unset-var": _var,
    "regsub": _regsub,
    "mqtt_field_value": _mqtt,
    "fix_tag_value": _fix,
}


def fetch(name: str, args: Args) -> str:
    """What a fetch finds wrong with arguments of the right types, or an empty string."""
    check = _FETCHES.get(name)
    return check(args) if check is not None else ""


def converter(name: str, args: Args) -> str:
    """What a converter finds wrong with arguments of the right types, or an empty string."""
    check = _CONVERTERS.get(name)
    return check(args) if check is not None else ""
