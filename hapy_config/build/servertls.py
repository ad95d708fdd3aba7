"""Server options of layers 5 and 6: TLS, and the PROXY headers sent before it (configuration manual, section 5.2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, cast

from hapy_config.build import tls
from hapy_config.build.expressions import expression_words, log_format
from hapy_config.build.refused import Refused
from hapy_config.grammar.checks import proxy_value_type
from hapy_config.keywords.samples import Place
from hapy_config.tls.protocols import protocols_fault
from hapy_config.tls.versions import put

if TYPE_CHECKING:
    from hapy_config.model.expressions import LogFormat
from hapy_config.build.serverwords import Reader, ServerWords, drop, instead, keep


def _send_proxy(*flags: str, add: bool = True) -> Reader:
    """HAProxy keeps one set of flags for all these words; a header is sent while any of them is left."""

    def read(words: ServerWords, name: str) -> None:
        _set_proxy_flags(words, flags, add=add)

    return read


def _set_proxy_flags(words: ServerWords, flags: Iterable[str], *, add: bool) -> None:
    kept = dict.fromkeys(words.options.get("proxy-v2-options", ()))
    for flag in flags:
        if add:
            kept[flag] = None
        else:
            kept.pop(flag, None)
    words.options["proxy-v2-options"] = tuple(kept)
    words.values["send_proxy"] = 2 if "v2" in kept else int(bool(kept))


#: What each of `proxy-v2-options` switches on.
_PROXY_OPTIONS: Final = {
    "authority": ("authority",),
    "cert-cn": ("ssl", "cert-cn"),
    "cert-key": ("ssl", "cert-key"),
    "cert-sig": ("ssl", "cert-sig"),
    "crc32c": ("crc32c",),
    "ssl": ("ssl",),
    "ssl-cipher": ("ssl", "ssl-cipher"),
    "unique-id": ("unique-id",),
}


def _proxy_options(words: ServerWords, name: str) -> None:
    for part in words.lax().split(","):
        flags = _PROXY_OPTIONS.get(part)
        if flags is None:
            raise words.refuse(f"'{part}' : proxy v2 option not implemented", words.position - 1)
        _set_proxy_flags(words, flags, add=True)


def _proxy_value(words: ServerWords, name: str) -> None:
    """`set-proxy-v2-tlv-fmt(<id>) <fmt>` of HAProxy 3.0 and later."""
    kind = proxy_value_type(name.partition("(")[2].removesuffix(")"))
    if kind is None or not name.endswith(")"):
        raise words.refuse(
            f"'{name}' : expects a type between 0 and 255 in parentheses, like set-proxy-v2-tlv-fmt(0xE0)",
            words.position - 1,
        )
    text = words.take(f"'{name}' : missing a format string for the value")
    written = log_format(
        words.build,
        words.draft,
        words.statement,
        text,
        words.position - 1,
        Place.BACKEND_SOURCE,
        f"{words.prefix}'{name}' : ",
    )
    earlier = cast("tuple[tuple[int, LogFormat], ...]", words.values.get("proxy_values", ()))
    words.values["proxy_values"] = (*earlier, (kind, written))


def _ssl(words: ServerWords, name: str) -> None:
    words.values["ssl"] = True
    if words.default:
        words.values["default_ssl"] = True


def _no_ssl(words: ServerWords, name: str) -> None:
    words.values["ssl"] = False
    if words.default:
        words.values["default_ssl"] = False


def _verify(words: ServerWords, name: str) -> None:
    text = words.take("'verify' : missing verify method")
    if text not in ("none", "required"):
        raise words.refuse(
            f"'verify' : unknown verify method '{text}', only 'none' and 'required' are supported",
            words.position - 1,
            hint=words.build.nearest(text, ("none", "required")),
        )
    words.options[name] = (text,)


def _sni(words: ServerWords, name: str) -> None:
    if not words.peek():
        raise words.refuse("'sni' : missing sni expression", code="missing-argument")
    text = words.lax()
    found, _ = expression_words(
        words.build,
        words.draft,
        words.statement,
        [text],
        0,
        Place.BACKEND_SOURCE,
        f"{words.prefix}error detected while parsing sni expression : ",
        place=words.position - 1,
    )
    words.values["sni"] = found


def _tls_version(words: ServerWords, name: str) -> None:
    put(words.options, name, (tls.version_word(words, name),))


def _alpn(words: ServerWords, name: str) -> None:
    text = words.take(f"'{name}' : missing the comma-delimited {name.upper()} protocol suite")
    if fault := protocols_fault(name, text):
        raise words.refuse(fault, words.position - 1)
    if name != "npn" and "h2" in text.split(","):
        words.build.note_http2(words.draft, words.statement, words.position - 1, "servers")
    words.options[name] = (text,)


def _authority_file(words: ServerWords, name: str) -> None:
    text = words.take(
        f"'{name}' : missing {name.replace('-', ' ').replace('ca', 'CAfile').replace('crl', 'CRLfile')} path"
    )
    fault = tls.authority_fault(words.build, text)
    if fault:
        words.build.lacking(Refused(f"{words.prefix}{fault}", words.position - 1, code="missing-file"))
    words.options[name] = (tls.located(words.build, text, "ca-base"),)


def _certificate(words: ServerWords, name: str) -> None:
    text = words.take("'crt' : missing certificate location")
    words.options[name] = (text,)


READERS: Final[dict[str, Reader]] = {
    "allow-0rtt": keep(0),
    "alpn": _alpn,
    "ca-file": _authority_file,
    "check-alpn": _alpn,
    "check-sni": keep(1, "'check-sni' : missing SNI"),
    "check-ssl": instead("no-check-ssl"),
    "ciphers": keep(1, "'ciphers' : missing cipher suite"),
    "ciphersuites": keep(1, "'ciphersuites' : missing cipher suite"),
    "crl-file": _authority_file,
    "crt": _certificate,
    "force-sslv3": keep(0),
    "force-tlsv10": keep(0),
    "force-tlsv11": keep(0),
    "force-tlsv12": keep(0),
    "force-tlsv13": keep(0),
    "no-check-ssl": instead("check-ssl"),
    "no-send-proxy": _send_proxy("v1", add=False),
    "no-send-proxy-v2": _send_proxy("v2", add=False),
    "no-send-proxy-v2-ssl": _send_proxy("v2", "ssl", add=False),
    "no-send-proxy-v2-ssl-cn": _send_proxy("v2", "ssl", "cert-cn", add=False),
    "no-ssl": _no_ssl,
    "no-ssl-reuse": keep(0),
    "no-sslv3": keep(0),
    "no-tls-tickets": keep(0),
    "no-tlsv10": keep(0),
    "no-tlsv11": keep(0),
    "no-tlsv12": keep(0),
    "no-tlsv13": keep(0),
    "npn": _alpn,
    "proxy-v2-options": _proxy_options,
    "set-proxy-v2-tlv-fmt*": _proxy_value,
    "send-proxy": _send_proxy("v1"),
    "send-proxy-v2": _send_proxy("v2"),
    "send-proxy-v2-ssl": _send_proxy("v2", "ssl"),
    "send-proxy-v2-ssl-cn": _send_proxy("v2", "ssl", "cert-cn"),
    "sni": _sni,
    "ssl": _ssl,
    "ssl-max-ver": _tls_version,
    "ssl-min-ver": _tls_version,
    "ssl-reuse": drop("no-ssl-reuse"),
    "tls-tickets": drop("no-tls-tickets"),
    "verify": _verify,
    "verifyhost": keep(1, "'verifyhost' : missing hostname to verify against"),
}
