"""ACL keywords, which join a fetch and a way of matching (`path_beg`), and the predefined ACLs.

Sections 7.1, 7.3 and 7.4 of the configuration manual.
"""

from __future__ import annotations

from typing import Final

_SUFFIXES: Final = ("beg", "dir", "dom", "end", "len", "reg", "sub")

#: Keywords that exist bare (matching str) and with every suffix, and the fetch they stand for.
_FAMILIES: Final = {
    "base": "base",
    "cook": "req.cook",
    "hdr": "req.hdr",
    "path": "path",
    "scook": "res.cook",
    "shdr": "res.hdr",
    "url": "url",
    "urlp": "urlp",
}

_SINGLE: Final = {
    "http_auth_group": ("http_auth_group", "str"),
    "method": ("method", "str"),
    "payload": ("req.payload", "bin"),
    "payload_lv": ("req.payload_lv", "bin"),
    "req.ssl_ver": ("req.ssl_ver", "int"),
    "req_rdp_cookie": ("req.rdp_cookie", "str"),
    "req_rdp_cookie_cnt": ("req.rdp_cookie_cnt", "int"),
    "req_ssl_sni": ("req.ssl_sni", "str"),
    "req_ssl_ver": ("req.ssl_ver", "int"),
    "req_ver": ("req.ver", "str"),
    "resp_ver": ("res.ver", "str"),
    "ssl_fc_sni_end": ("ssl_fc_sni", "end"),
    "ssl_fc_sni_reg": ("ssl_fc_sni", "reg"),
}

#: From ACL keyword to fetch and match method.
ACL_KEYWORDS: Final[dict[str, tuple[str, str]]] = {
    **{name: (fetch, "str") for name, fetch in _FAMILIES.items()},
    **{f"{name}_{suffix}": (fetch, suffix) for name, fetch in _FAMILIES.items() for suffix in _SUFFIXES},
    **_SINGLE,
}

#: From type to the way of matching that it implies; the others need `-m`.
DEFAULT_MATCH: Final = {"bool": "bool", "sint": "int", "addr": "ip", "ipv4": "ip", "ipv6": "ip", "str": "str"}

#: All ways of matching, and the type that the sample is turned into for each.
MATCH_TYPES: Final = {
    "found": "any",
    "bool": "sint",
    "int": "sint",
    "ip": "addr",
    "bin": "bin",
    "len": "str",
    "str": "str",
    "beg": "str",
    "sub": "str",
    "dir": "str",
    "dom": "str",
    "end": "str",
    "reg": "str",
}

#: ACLs that exist without being declared, as the words of an `acl` line.
PREDEFINED: Final[dict[str, str]] = {
    "TRUE": "always_true",
    "FALSE": "always_false",
    "LOCALHOST": "src 127.0.0.1/8 ::1",
    "HTTP": "req.proto_http",
    "HTTP_1.0": "req.ver 1.0",
    "HTTP_1.1": "req.ver 1.1",
    "HTTP_2.0": "req.ver 2.0",
    "HTTP_CONTENT": "req.hdr_val(content-length) gt 0",
    "HTTP_URL_ABS": "url_reg ^[^/:]*://",
    "HTTP_URL_SLASH": "url_beg /",
    "HTTP_URL_STAR": "url *",
    "METH_CONNECT": "method CONNECT",
    "METH_DELETE": "method DELETE",
    "METH_GET": "method GET HEAD",
    "METH_HEAD": "method HEAD",
    "METH_OPTIONS": "method OPTIONS",
    "METH_POST": "method POST",
    "METH_PUT": "method PUT",
    "METH_TRACE": "method TRACE",
    "RDP_COOKIE": "req.rdp_cookie_cnt gt 0",
    "REQ_CONTENT": "req.len gt 0",
    "WAIT_END": "wait_end",
}
