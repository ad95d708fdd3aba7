"""What a route does: answer, redirect, pass on; the policies of the last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from hapy_config.model.expressions import LogFormat
from hapy_config.model.proxy import Cookie, Proxy
from hapy_config.model.rules import Redirect
from hapy_config.translate.answers import Answer, redirect_answer
from hapy_config.translate.envoy.matching import Json, string
from hapy_config.translate.flow import TRUE, Formula, Lookup, Subject, Test, Untranslatable, constant, pieces

_CODES: Final = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
#: The filter that ties clients to servers.
SESSIONS: Final = "envoy.filters.http.stateful_session"
_TYPES: Final = "type.googleapis.com/envoy.extensions"
#: Entries of a map that become routes.
_MOST_ENTRIES: Final = 500
#: Of a retry policy: another server each time.
_OTHER_HOST: Final[Json] = {
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 3,
}


def header_to_add(name: str, value: str, *, append: bool) -> Json:
    """A header that is set or added, with an empty value, too: Envoy would leave what the client says there."""
    action = "APPEND_IF_EXISTS_OR_ADD" if append else "OVERWRITE_IF_EXISTS_OR_ADD"
    may_lack = {"keep_empty_value": True} if "%" in value.replace("%%", "") else {}
    return {"header": {"key": name, "value": value}, "append_action": action, **may_lack}


def direct(answer: Answer) -> Json:
    """An answer of the proxy's own.

    Raises:
        Untranslatable: it depends on the request.
    """
    if answer.location is not None:
        raise Untranslatable("a page that redirects is no answer there")
    body = "".join(one if isinstance(one, str) else "\0" for one in answer.body)
    if "\0" in body:
        raise Untranslatable("the body depends on the request")
    action: Json = {"direct_response": {"status": answer.status}}
    if body:
        action["direct_response"]["body"] = {"inline_string": body}
    headers = [header_to_add("content-type", answer.content_type, append=False)] if answer.content_type else []
    headers += [header_to_add(name, string(value), append=name.lower() != "location") for name, value in answer.told]
    return {**action, "response_headers_to_add": headers} if headers else action


def redirects_to(redirect: Redirect) -> Iterator[tuple[Formula, Json]]:
    """A redirect, or one for each entry of the map that its address depends on, each with the condition for it.

    Raises:
        Untranslatable: its address is made of what Envoy can't put together.
    """
    answer = redirect_answer(redirect)
    target = answer.location or ()
    found = [part for part in target if isinstance(part, Lookup)]
    if not found:
        yield TRUE, redirect_to(answer)
        return
    if len(found) > 1 or found[0].how == "rewrite" or len(found[0].entries) > _MOST_ENTRIES:
        raise Untranslatable("the address depends on too much")
    cases: list[tuple[Formula, str]] = [
        (Test(found[0].subject, found[0].how, (key,), found[0].ignore_case), value) for key, value in found[0].entries
    ]
    cases += [(TRUE, found[0].default or "")]
    for whole, value in cases:  # the first that fits
        parts = tuple(value if part is found[0] else part for part in target)
        yield whole, redirect_to(replace(answer, location=parts))


def redirect_to(answer: Answer) -> Json:
    """A redirect.

    Raises:
        Untranslatable: its address is made of what Envoy can't put together.
    """
    target = answer.location or ()
    found: Json = {"response_code": _CODES[answer.status]}
    whole = "".join(one if isinstance(one, str) else f"\0{_kind(one)}\0" for one in target)
    if not whole:
        raise Untranslatable("Envoy has no redirects to nowhere")
    match = re.fullmatch(r"(?:(https?)://([^/\0]+|\0(?:host|hostname)\0)?)?([^\0]*)(\0(?:url|path)\0)?", whole)
    scheme, host, path, rest = match.groups() if match is not None else ("", "", "", "")
    if "\0hostname\0" in whole:
        raise Untranslatable("Envoy has no host without its port")
    if not scheme or (rest and "?" in path):  # Envoy's redirects tell a whole URL, and keep its end or replace it
        added = [header_to_add(name, string(value), append=True) for name, value in answer.told]
        added.insert(0, header_to_add("location", string(target), append=False))
        return {"direct_response": {"status": answer.status}, "response_headers_to_add": added}
    found["scheme_redirect"] = scheme
    if host and not host.startswith("\0"):
        found["host_redirect"] = host
    if rest is None:
        found["path_redirect"] = path or "/"
        found["strip_query"] = True
    else:
        if path:
            found["regex_rewrite"] = {"pattern": {"regex": "^/"}, "substitution": f"{path}/"}
        if rest == "\0path\0":
            found["strip_query"] = True
    action: Json = {"redirect": found}
    if answer.told:
        action["response_headers_to_add"] = [
            header_to_add(name, string(value), append=True) for name, value in answer.told
        ]
    return action


def _kind(part: Subject | Lookup) -> str:
    return part.kind if isinstance(part, Subject) else "map"


def with_groups(format_: LogFormat) -> str:
    """The new text of a rewrite, which may name groups."""
    return constant(format_) if format_.constant is not None else string(pieces(format_))


def retry_policy(backend: Proxy) -> Json | None:
    """When a request is sent again, None for never."""
    kinds = {
        "conn-failure": "connect-failure",
        "empty-response": "reset",
        "response-timeout": "reset",
        "503": "gateway-error",
    }
    found = dict.fromkeys(kinds.get(one, "5xx") for one in sorted(backend.retry_on) if one != "none")
    if not backend.retries or not found:
        return None
    policy: Json = {"retry_on": ",".join(found), "num_retries": backend.retries}
    return policy | _OTHER_HOST if backend.redispatch and len(backend.servers) > 1 else policy


def session(cookie: Cookie) -> Json:
    """What ties the clients of a route to servers by a cookie."""
    kept = {"name": cookie.name, "path": "/", "ttl": "0s"}
    kind = f"{_TYPES}.http.stateful_session.cookie.v3.CookieBasedSessionState"
    state = {"name": "envoy.http.stateful_session.cookie", "typed_config": {"@type": kind, "cookie": kept}}
    return {
        "@type": f"{_TYPES}.filters.http.stateful_session.v3.StatefulSessionPerRoute",
        "stateful_session": {"session_state": state},
    }


def hash_policy(backend: Proxy) -> Json | None:
    """What decides on the server, None where it is not the request."""
    balance = backend.balance
    if balance.algorithm == "source":
        return {"connection_properties": {"source_ip": True}}
    if balance.algorithm == "uri":
        return {"header": {"header_name": ":path"}}
    if balance.algorithm == "hdr":
        return {"header": {"header_name": ":authority" if balance.argument.lower() == "host" else balance.argument}}
    if balance.algorithm == "url_param":
        return {"query_parameter": {"name": balance.argument}}
    return None
