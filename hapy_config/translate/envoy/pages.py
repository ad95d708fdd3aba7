"""Pages of one's own where servers fail: Envoy's local replies, told apart by status, flags and cluster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hapy_config.model.proxy import Proxy
from hapy_config.translate.answers import Answer, own_page, page_answer
from hapy_config.translate.envoy.matching import Json, string
from hapy_config.translate.flow import Untranslatable
from hapy_config.translate.ledger import Ledger

#: What Envoy says of itself when no server answers, by the status that it gives: its flags.
_FAILURES: Final = {503: ["UH", "UF", "UC", "UO", "URX"], 504: ["UT", "SI", "DT"]}
_CEL: Final = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"


def local_replies(ledger: Ledger, proxy: Proxy, backends: Iterable[Proxy]) -> Json:
    """The part of a connection manager that gives a frontend's requests their pages; empty without any."""
    mappers: list[Json] = []
    for one in dict.fromkeys((proxy, *backends)):
        ledger.note_pages(one)
    for status, flags in _FAILURES.items():
        for backend in backends:
            own = {**proxy.error_pages, **backend.error_pages}.get(status)
            try:
                answer = page_answer(own, backend) if own is not None else own_page(status)
                mappers.append(_mapper(status, flags, backend.name, answer))
            except Untranslatable as reason:
                ledger.lost(backend.span, f"the page for {status} was left out: {reason}")
    return {"local_reply_config": {"mappers": mappers}} if mappers else {}


def _mapper(status: int, flags: list[str], cluster: str, answer: Answer) -> Json:
    comparison = {"op": "EQ", "value": {"default_value": status, "runtime_key": f"hapy.status_{status}"}}
    filters: list[Json] = [
        {"status_code_filter": {"comparison": comparison}},
        {"response_flag_filter": {"flags": flags}},
        {
            "extension_filter": {
                "name": "envoy.access_loggers.extension_filters.cel",
                "typed_config": {"@type": _CEL, "expression": f"xds.cluster_name == '{cluster}'"},
            }
        },
    ]
    if not all(isinstance(one, str) for one in answer.body):
        raise Untranslatable("its body depends on the request")
    headers = list(answer.told)
    if answer.location is not None:
        headers.append(("Location", answer.location))
    found: Json = {
        "filter": {"and_filter": {"filters": filters}},
        "status_code": answer.status,
        "body": {"inline_string": "".join(map(str, answer.body))},
        "body_format_override": {
            "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
            "content_type": answer.content_type or "text/html",
        },
    }
    if headers:
        found["headers_to_add"] = [
            {"header": {"key": name, "value": string(value)}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for name, value in headers
        ]
    return found
