"""Headers that options add, and the answers that hapy makes itself."""

from __future__ import annotations

from compat.harness import World
from compat.harness.world import Scenario

CONFIG = """
frontend fe
    bind "fd@${fe}"
    option httplog
    {front}
    default_backend be
backend be
    {back}
    server s1 {s1}
"""


def _options(
    *,
    front: str = "",
    back: str = "",
    headers: tuple[str, ...] = (),
    global_: str = "",
    target: str = "/",
    tail: str = "",
) -> Scenario:
    def scenario(world: World) -> None:
        """One GET under some options."""
        world.origin("s1")
        (world.dir / "error.http").write_bytes(
            b"HTTP/1.0 503 Gone Fishing\r\nCache-Control: no-cache\r\nContent-Type: text/plain\r\n\r\nback soon\n",
        )
        world.start(CONFIG.replace("{front}", front).replace("{back}", back) + tail, global_=global_)
        client = world.client()
        client.get(target, *headers)
        client.ending()
        world.logs(1)

    return scenario


FAMILY: dict[str, Scenario] = {
    "forwardfor": _options(front="option forwardfor"),
    "forwardfor_adds_another": _options(front="option forwardfor", headers=("X-Forwarded-For: 1.2.3.4",)),
    "forwardfor_if_none": _options(front="option forwardfor if-none", headers=("X-Forwarded-For: 1.2.3.4",)),
    "forwardfor_except": _options(front="option forwardfor except 127.0.0.0/8"),
    "forwardfor_header": _options(back="option forwardfor header X-Client"),
    "forwardfor_both": _options(front="option forwardfor header X-F", back="option forwardfor header X-B"),
    "originalto": _options(front="option originalto"),
    "originalto_header": _options(back="option originalto header X-Dst except 10.0.0.0/8"),
    "send_name_header": _options(back="http-send-name-header X-Server"),
    "send_name_header_replaces": _options(back="http-send-name-header X-Server", headers=("X-Server: mine",)),
    "unique_id": _options(front="unique-id-format %[src]-%[method]-x\n    unique-id-header X-Id"),
    "case_adjust_server": _options(
        back="option h1-case-adjust-bogus-server",
        global_="    h1-case-adjust host Host\n    h1-case-adjust x-odd X-oDD",
        headers=("x-odd: 1",),
    ),
    "case_adjust_client": _options(
        front="option h1-case-adjust-bogus-client", global_="    h1-case-adjust content-length Content-Length"
    ),
    "invalid_request_accepted": _options(
        front="option accept-invalid-http-request", target="/caf\xe9<>", headers=("X(y: 1",)
    ),
    "invalid_request_refused": _options(target="/ok", headers=("X(y: 1",)),
    **{
        f"field_names_{policy}_{side}": _options(
            **{
                side: f"option http-restrict-req-hdr-names {policy}\n    http-request add-header X-Seen %[req.hdr_names(;)]"
            },
            headers=("X_Under: 1", "X.Dot: 2", "X-Plain: 3"),
        )
        for policy in ("delete", "reject", "preserve")
        for side in ("front", "back")
    },
    "field_names_before_the_statistics": _options(
        front="option http-restrict-req-hdr-names reject\n    stats uri /stats",
        target="/stats",
        headers=("X_Under: 1",),
    ),
    "field_names_before_a_redirect": _options(
        front="option http-restrict-req-hdr-names reject\n    http-request allow\n    redirect location /x",
        headers=("X_Under: 1",),
    ),
    "errorfile_503": _options(front="http-request deny deny_status 503\n    errorfile 503 {dir}/error.http"),
    "errorfile_503_backend": _options(back="errorfile 503 {dir}/error.http\n    http-request deny deny_status 503"),
    "errorloc": _options(front="http-request deny deny_status 403\n    errorloc 403 http://sorry.test/"),
    "errorloc303": _options(front="http-request deny deny_status 403\n    errorloc303 403 http://sorry.test/"),
    "errorfile_null": _options(front="http-request deny deny_status 503\n    errorfile 503 /dev/null"),
    "http_error_string": _options(
        front='http-request deny deny_status 403\n    http-error status 403 content-type text/plain string "no entry" hdr X-Why "%[path]"'
    ),
    "http_error_lf_string": _options(
        front='http-request deny deny_status 403\n    http-error status 403 content-type text/plain lf-string "no %[path]"'
    ),
    "http_errors_section": _options(
        front="errorfiles pages\n    http-request deny deny_status 404",
        tail="http-errors pages\n    errorfile 404 {dir}/error.http\n",
    ),
    "deny_with_errorfile": _options(front="http-request deny deny_status 403 errorfile {dir}/error.http"),
    "return_errorfile": _options(front="http-request return status 503 default-errorfiles"),
}
for _status in (200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 425, 429, 500, 501, 502, 503, 504):
    FAMILY[f"builtin_{_status}"] = _options(front=f"http-request deny deny_status {_status}")
FAMILY["request_log_format"] = _options(
    front='log-format "%ci %f %b %s %ST %B %U %ts %ac %fc %bc %sc %rc %sq %bq %HM %HP %HQ %HU %HV %{+Q}r %{+Q,+E}[capture.req.hdr(0)]"\n    capture request header X len 20',
    headers=('X: a"b]',),
    target="/p?q=1",
)
FAMILY["captures"] = _options(
    front="capture request header X-Key len 4\n    capture request header Host len 20\n    capture response header Content-Length len 9",
    headers=("X-Key: abcdefgh",),
)
FAMILY["clf"] = _options(front="option httplog clf", headers=("User-Agent: x",))
FAMILY["error_log_format"] = _options(front='error-log-format "ERR %ST"\n    http-request deny')
FAMILY["dontlog_normal_error"] = _options(front="option dontlog-normal\n    http-request deny")
FAMILY["log_separate_errors"] = _options(front="option log-separate-errors\n    http-request deny")
FAMILY["logasap"] = _options(front="option logasap")
FAMILY["log_tag"] = _options(front="log-tag mytag")
FAMILY["server_maxconn_header"] = _options(back="fullconn 10\n    default-server maxconn 10 minconn 2")


def dontlognull(world: World) -> None:
    """A connection without a byte leaves no line under `option dontlognull`, and one without it."""
    world.start(
        'frontend fe\n    bind "fd@${fe}"\n    option httplog\nfrontend quiet\n    bind "fd@${quiet}"\n    option httplog\n    option dontlognull\n'
    )
    world.client("fe").close()
    world.logs(1)
    world.client("quiet").close()
    world.once("/")  # by its answer the program has dealt with what came before
    world.once("/", listener="quiet")
    world.logs(3)
