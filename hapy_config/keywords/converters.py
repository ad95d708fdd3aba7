"""Converters: section 7.3.1 of the configuration manual, in the notation of `haproxy -dKcnv`.

A row reads `name(parameters): out => in [since]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hapy_config.keywords.samples import Converter, example
from hapy_config.keywords.spec import OLDEST, TARGET, Runs, Table, Version

_ROWS: Final = """
51d.single(string[,string,string,string,string]): str => str [1.8]
add(string): sint => sint [1.8]
add_item(string,string[,string]): str => str [2.6]
aes_cbc_dec(integer,string,string[,string]): bin => bin [3.4]
aes_cbc_enc(integer,string,string[,string]): bin => bin [3.4]
aes_gcm_dec(integer,string,string,string): bin => bin [2.0]
aes_gcm_enc(integer,string,string,string[,string]): bin => bin [3.0]
and(string): sint => sint [1.8]
b64dec: bin => str [1.8]
base2: str => bin [3.2]
base64: str => bin
be2dec(string[,integer,integer]): str => bin [2.6]
be2hex(string[,integer,integer]): str => bin [2.6]
bool: bool => sint [1.8]
bytes(integer[,integer]): bin => bin [1.8]
capture-req(integer): str => str [1.8]
capture-res(integer): str => str [1.8]
concat(string[,string,string]): str => str [2.0]
cpl: sint => sint [1.8]
crc32([integer]): sint => bin [1.8]
crc32c([integer]): sint => bin [2.0]
cut_crlf: str => str [2.2]
da-csv-conv(string[,string,string,string,string]): str => str [1.8]
date: sint => str [3.2]
debug([string,string]): any => any [1.8]
digest(string): bin => bin [2.2]
div(string): sint => sint [1.8]
djb2([integer]): sint => bin [1.8]
eth.data: bin => bin [3.4]
eth.dst: bin => bin [3.4]
eth.hdr: bin => bin [3.4]
eth.proto: sint => bin [3.4]
eth.src: bin => bin [3.4]
eth.vlan: sint => bin [3.4]
even: bool => sint [1.8]
fe_exists: bool => str [3.4]
field(integer,string[,integer]): str => str [1.8]
fix_is_valid: bool => bin [2.4]
fix_tag_value(string): bin => bin [2.4]
hex: str => bin
hex2i: sint => str [1.8]
hmac(string,string): bin => bin [2.2]
host_only: str => str [2.6]
htonl: bin => sint [2.2]
http_date([integer,string]): str => sint
iif(string,string): str => bool [2.4]
in_table(table): bool => any [1.8]
ip.data: bin => bin [3.4]
ip.df: sint => bin [3.4]
ip.dst: addr => bin [3.4]
ip.fp: bin => bin [3.4]
ip.hdr: bin => bin [3.4]
ip.proto: sint => bin [3.4]
ip.src: addr => bin [3.4]
ip.tos: sint => bin [3.4]
ip.ttl: sint => bin [3.4]
ip.ver: sint => bin [3.4]
ipmask(IPv4 mask[,IPv6 mask]): ipv4 => addr
json(string): str => str [1.8]
json_query(string[,string]): any => str [2.4]
jwt_decrypt_cert(string): bin => str [3.4]
jwt_decrypt_jwk(string): bin => str [3.4]
jwt_decrypt_secret(string): bin => str [3.4]
jwt_header_query([string,string]): any => bin [2.6]
jwt_payload_query([string,string]): any => bin [2.6]
jwt_verify(string,string): sint => bin [2.6]
jwt_verify_cert(string,string): sint => str [3.4]
language(string[,string]): str => str
has_ctl([string]): bool => bin [3.2]
le2dec(string[,integer,integer]): str => bin [3.2]
length: sint => str [2.0]
lower: str => str
ltime(string[,integer]): str => sint [1.8]
ltrim(string): str => str [2.2]
map(string[,string]): str => str
map_beg(string[,string]): str => str
map_beg_int(string[,integer]): sint => str
map_beg_ip(string[,string]): addr => str
map_dir(string[,string]): str => str
map_dir_int(string[,integer]): sint => str
map_dir_ip(string[,string]): addr => str
map_dom(string[,string]): str => str
map_dom_int(string[,integer]): sint => str
map_dom_ip(string[,string]): addr => str
map_end(string[,string]): str => str
map_end_int(string[,integer]): sint => str
map_end_ip(string[,string]): addr => str
map_int(string[,string]): str => sint
map_int_int(string[,integer]): sint => sint
map_int_ip(string[,string]): addr => sint
map_ip(string[,string]): str => addr
map_ip_int(string[,integer]): sint => addr
map_ip_ip(string[,string]): addr => addr
map_reg(string[,string]): str => str
map_reg_int(string[,integer]): sint => str
map_reg_ip(string[,string]): addr => str
map_regm(string[,string]): str => str [1.8]
map_str(string[,string]): str => str
map_str_int(string[,integer]): sint => str
map_str_ip(string[,string]): addr => str
map_sub(string[,string]): str => str
map_sub_int(string[,integer]): sint => str
map_sub_ip(string[,string]): addr => str
map_beg_key(string): str => str [3.0]
map_dir_key(string): str => str [3.0]
map_dom_key(string): str => str [3.0]
map_end_key(string): str => str [3.0]
map_int_key(string): str => str [3.0]
map_ip_key(string): str => str [3.0]
map_reg_key(string): str => str [3.0]
map_str_key(string): str => str [3.0]
map_sub_key(string): str => str [3.0]
mod(string): sint => sint [1.8]
mqtt_field_value(string,string): str => bin [2.4]
mqtt_is_valid: bool => bin [2.4]
ms_ltime(string[,integer]): str => sint [3.0]
ms_utime(string[,integer]): str => sint [3.0]
mul(string): sint => sint [1.8]
nbsrv: sint => str [1.8]
neg: sint => sint [1.8]
not: bool => sint [1.8]
odd: bool => sint [1.8]
or(string): sint => sint [1.8]
param(string[,string]): str => str [2.8]
port_only: sint => str [2.6]
protobuf(Protocol buffers field number[,string]): bin => bin [2.0]
regsub(regex,string[,string]): str => str [1.8]
reverse: str => str [3.4]
reverse_dom: str => str [3.4]
rfc7239_field(string): str => str [2.8]
rfc7239_is_valid: bool => str [2.8]
rfc7239_n2nn: any => str [2.8]
rfc7239_n2np: any => str [2.8]
rfc7239_nn: str => any [3.2]
rfc7239_np: str => any [3.2]
rtrim(string): str => str [2.2]
sdbm([integer]): sint => bin [1.8]
secure_memcmp(string): bool => bin [2.2]
set-var(string[,string,string,string,string]): any => any [1.8]
sha1: bin => bin [1.8]
sha2([integer]): bin => bin [2.2]
srv_is_up: bool => str [3.2]
srv_queue: sint => str [2.2]
strcmp(string): sint => str [2.0]
sub(string): sint => sint [1.8]
table_bytes_in_rate(table): sint => any [1.8]
table_bytes_out_rate(table): sint => any [1.8]
table_clr_gpc(integer,table): sint => any [3.2]
table_clr_gpc0(table): sint => any [3.2]
table_clr_gpc1(table): sint => any [3.2]
table_conn_cnt(table): sint => any [1.8]
table_conn_cur(table): sint => any [1.8]
table_conn_rate(table): sint => any [1.8]
table_expire(table[,integer]): sint => any [2.6]
table_glitch_cnt(table): sint => any [3.0]
table_glitch_rate(table): sint => any [3.0]
table_gpc(integer,table): sint => any [2.6]
table_gpc0(table): sint => any [1.8]
table_gpc0_rate(table): sint => any [1.8]
table_gpc1(table): sint => any [2.0]
table_gpc1_rate(table): sint => any [2.0]
table_gpc_rate(integer,table): sint => any [2.6]
table_gpt(integer,table): sint => any [2.6]
table_gpt0(table): sint => any [1.8]
table_http_err_cnt(table): sint => any [1.8]
table_http_err_rate(table): sint => any [1.8]
table_http_fail_cnt(table): sint => any [2.4]
table_http_fail_rate(table): sint => any [2.4]
table_http_req_cnt(table): sint => any [1.8]
table_http_req_rate(table): sint => any [1.8]
table_idle(table[,integer]): sint => any [2.6]
table_inc_gpc(integer,table): sint => any [3.2]
table_inc_gpc0(table): sint => any [3.2]
table_inc_gpc1(table): sint => any [3.2]
table_kbytes_in(table): sint => any [1.8]
table_kbytes_out(table): sint => any [1.8]
table_server_id(table): sint => any [1.8]
table_sess_cnt(table): sint => any [1.8]
table_sess_rate(table): sint => any [1.8]
table_trackers(table): sint => any [1.8]
tcp.dst: sint => bin [3.4]
tcp.flags: sint => bin [3.4]
tcp.options.mss: sint => bin [3.4]
tcp.options.sack: sint => bin [3.4]
tcp.options.tsopt: sint => bin [3.4]
tcp.options.tsval: sint => bin [3.4]
tcp.options.wscale: sint => bin [3.4]
tcp.options.wsopt: sint => bin [3.4]
tcp.options_list: bin => bin [3.4]
tcp.seq: sint => bin [3.4]
tcp.src: sint => bin [3.4]
tcp.win: sint => bin [3.4]
ub64dec: bin => str [2.4]
ub64enc: str => bin [2.4]
ungrpc(Protocol buffers field number[,string]): bin => bin [2.0]
unset-var(string): any => any [1.8]
upper: str => str
url_dec([integer]): str => str [1.8]
url_enc(string): str => str [2.2]
us_ltime(string[,integer]): str => sint [3.0]
us_utime(string[,integer]): str => sint [3.0]
utime(string[,integer]): str => sint [1.8]
when(string): any => any [3.0]
word(integer,string[,integer]): str => str [1.8]
wt6([integer]): sint => bin [1.8]
x509_v_err_str: str => sint [2.8]
xor(string): sint => sint [1.8]
xxh3([integer]): sint => bin [2.4]
xxh32([integer]): sint => bin [1.8]
xxh64([integer]): sint => bin [1.8]
"""

#: What the examples of converters that ask more of their arguments than the type are given.
_EXAMPLE_ARGUMENTS: Final = {
    **dict.fromkeys(("add", "sub", "mul", "div", "mod", "and", "or", "xor"), "1"),
    **dict.fromkeys(("strcmp", "secure_memcmp", "set-var", "unset-var"), "txn.x"),
    "add_item": "a,txn.x",
    "aes_gcm_dec": "128,txn.x,txn.y,txn.z",
    "be2dec": "a,2",
    "be2hex": "a,2",
    "digest": "sha256",
    "fix_tag_value": "MsgType",
    "hmac": "sha256,txn.x",
    "json": "utf8",
    "jwt_verify": "HS256,a",
    "mqtt_field_value": "connect,protocol_name",
    "url_enc": "query",
}

#: Where each type comes from in the examples.
_SAMPLES: Final = {
    "str": "str(a)",
    "bin": "bin(41)",
    "sint": "int(1)",
    "bool": "bool(true)",
    "addr": "src",
    "any": "str(a)",
}

#: Converters that hapy does not run: a pattern of names, and what differs.
_NOT_RUN: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"(table_|in_table$)"), "there are no stick tables: the sample is absent"),
    (re.compile(r"(51d\.|da-|aes_|fix_|mqtt_|protobuf$|ungrpc$)"), "the sample is absent"),
)


def _runs(name: str, since: Version) -> tuple[Runs, str]:
    """What hapy does with a converter, and what differs."""
    for pattern, loss in _NOT_RUN:
        if pattern.match(name):
            return Runs.NO, loss
    return (Runs.NO, "the sample is absent") if since > TARGET else (Runs.YES, "")


_ROW: Final = re.compile(
    r"(?P<name>[\w.-]+)(?:\((?P<signature>.*)\))?: (?P<type>\w+) => (?P<takes>\w+)(?: \[(?P<since>\d\.\d)\])?$",
)


def _entries() -> Iterator[Converter]:
    for row in _ROWS.strip().split("\n"):
        match = _ROW.match(row)
        assert match is not None, row
        name, signature, takes = match["name"], match["signature"] or "", match["takes"]
        since = (int(match["since"][0]), int(match["since"][2])) if match["since"] else OLDEST
        needs = {"51d.single": "USE_51DEGREES", "da-csv-conv": "USE_DEVICEATLAS"}.get(name, "")
        runs, loss = _runs(name, since)
        known = since <= TARGET and not needs
        before = _SAMPLES[takes]
        call = example(name, signature, _EXAMPLE_ARGUMENTS.get(name))
        if name.startswith("map"):
            source = "from-addresses" if takes == "addr" else "map"
            file = ("addresses" if takes == "addr" else "to-addresses") if match["type"] == "addr" else source
            call = f"{name}({file}.lst)"
        yield Converter(
            name=name,
            signature=signature,
            type=match["type"],
            takes=takes,
            since=since,
            needs=needs,
            runs=runs,
            loss=loss,
            manual="7.3.1",
            ok=(f"acl x {before},{call} -m found",) if known else (),
            bad=(f"acl x {before},{name}(", f"acl x {before},{call}x -m found") if known else (),
        )


#: What Lua scripts register.
_LUA: Final = Converter(
    name="lua.*",
    signature="[string,string,string,string,string,string,string,string,string,string,string,string]",
    type="str",
    takes="str",
    since=(1, 8),
    runs=Runs.NO,
    loss="Lua scripts are not run: the sample is absent",
    manual="7.3.1",
)

CONVERTERS: Final[dict[str, Converter]] = {**{entry.name: entry for entry in _entries()}, _LUA.name: _LUA}
TABLE: Final = Table("converters", CONVERTERS.values())


def find_converter(name: str) -> Converter | None:
    """The entry that a name in an expression means, of any version."""
    return CONVERTERS.get(name) or (_LUA if name.startswith("lua.") else None)
