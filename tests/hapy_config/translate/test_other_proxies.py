"""haproxy.cfg for nginx, Caddy and Envoy: every statement is accounted for, and the programs take what is written."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from compat.corpus_differences import corpus
from hapy_config.api import read_text
from hapy_config.translate.json_form import encode
from hapy_config.translate.report import Loss
from tests.hapy_config.translate.side_by_side import TARGETS, program, translated
from tests.hapy_config.translate.translation_cases import CASES, DEFAULTS, SITE

EXAMPLES = sorted((Path(__file__).parents[3] / "examples/haproxy_cfgs").glob("*.cfg"))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_statement_of_an_example_is_accounted_for(path: Path, target: str) -> None:
    outcome, document = translated(target, path.read_text())
    lines = {
        (one.source.name, one.line) for section in document.sections for one in (section.header, *section.statements)
    }
    assert sum(outcome.counts) == len(lines)
    assert {(note.span.file, note.span.line) for note in outcome.notes} <= lines
    again, _ = translated(target, path.read_text())
    assert again == outcome


@pytest.mark.parametrize("target", TARGETS)
def test_what_has_no_counterpart_is_named_with_its_line(target: str) -> None:
    text = (
        "frontend f\n mode http\n bind :80\n stick-table type ip size 1k store conn_cur\n http-request track-sc0 src\n"
        " http-request deny if { sc0_conn_cur gt 5 }\n use_backend b if { nbsrv(b) gt 1 }\n default_backend b\n"
        "backend b\n mode http\n server s 10.0.0.1:80\n"
    )
    outcome, _ = translated(target, text)
    lost = {note.span.line: note.text for note in outcome.notes if note.loss is Loss.LOST}
    assert {4, 5, 6, 7} <= lost.keys()
    assert lost[6].endswith("; what it keeps out is let in")


_FAMILIES = {
    "bind :80": ("listen *:80;", "bind tcp4/0.0.0.0", ("0.0.0.0", False)),
    "bind [::]:80": ("listen [::]:80 ipv6only=off;", "", ("::", True)),
    "bind [::]:80 v4v6": ("listen [::]:80 ipv6only=off;", "", ("::", True)),
    "bind [::]:80 v6only": ("listen [::]:80 ipv6only=on;", "bind tcp6/::", ("::", False)),
    "bind [::]:80\n bind :80": ("listen [::]:80;", "", ("::", False)),
    "bind [::1]:80": ("listen [::1]:80;", "bind ::1", ("::1", False)),
}


@pytest.mark.parametrize(("lines", "expected"), _FAMILIES.items(), ids=_FAMILIES)
def test_listeners_take_the_families_that_haproxys_take(
    lines: str, expected: tuple[str, str, tuple[str, bool]]
) -> None:
    text = f"frontend f\n mode http\n {lines}\n http-request return status 200\n"
    nginx, caddy, envoy = (dict(translated(target, text)[0].files) for target in ("nginx", "caddy", "envoy"))
    assert expected[0] in nginx["nginx.conf"]
    assert re.findall(r"\bbind .*", caddy["Caddyfile"]) == [expected[1]] * bool(expected[1])
    listener = yaml.safe_load(envoy["envoy.yaml"])["static_resources"]["listeners"][0]["address"]["socket_address"]
    assert (listener["address"], listener.get("ipv4_compat", False)) == expected[2]


@pytest.mark.parametrize(("option", "told"), [("", True), (" option http-restrict-req-hdr-names delete\n", False)])
def test_headers_that_nginx_takes_for_another_are_told(option: str, told: bool) -> None:
    text = f"frontend f\n mode http\n bind :80\n{option} http-request deny unless {{ hdr(x-token) abc }}\n"
    notes = translated("nginx", text)[0].notes
    assert any("'_' in its name" in note.text for note in notes) is told


def test_headers_of_answers_that_nginx_leaves_out_when_empty_are_told() -> None:
    text = DEFAULTS + "frontend f\n bind :80\n http-response set-header X-A %[res.hdr(x-b)]\n default_backend b\n"
    notes = translated("nginx", text + "backend b\n server s 10.0.0.1:80\n")[0].notes
    assert "the header 'X-A' is not sent where its value is empty" in [note.text for note in notes]


@pytest.mark.parametrize("mode", ["", "insert indirect", "prefix", "rewrite"])
@pytest.mark.parametrize("count", [1, 2])
def test_blanks_in_cookies_that_haproxy_takes_out_are_told(mode: str, count: int) -> None:
    servers = "".join(f" server s{number} 10.0.0.{number}:80 cookie s{number}\n" for number in range(count))
    outcome, _ = translated("nginx", f"{DEFAULTS}listen l\n bind :80\n cookie SRV {mode}\n{servers}")
    assert any("blanks around '=' stay in Cookie" in note.text for note in outcome.notes)


@pytest.mark.parametrize("section", ["frontend f", "backend b"])
def test_what_compression_leaves_out_is_told(section: str) -> None:
    text = f"{DEFAULTS}frontend f\n bind :80\n default_backend b\nbackend b\n server s 10.0.0.1:80\n"
    outcome, _ = translated("nginx", text.replace(section, f"{section}\n compression algo gzip", 1))
    assert any("ETag" in note.text and note.loss is Loss.NEAR for note in outcome.notes)


def test_a_rule_that_was_left_out_has_no_note_on_how_it_was_translated() -> None:
    rule = " use_backend %[hdr(host),lower] unless { cook_cnt(SID) 0 }\n"
    text = f"{DEFAULTS}frontend f\n bind :80\n{rule} default_backend b\nbackend b\n server s 10.0.0.1:80\n"
    outcome, _ = translated("nginx", text)
    assert [note.loss for note in outcome.notes if "use_backend" in note.text or "no backend" in note.text] == [
        Loss.LOST
    ]


def test_caddy_gets_no_text_that_it_would_take_for_a_placeholder() -> None:
    text = (
        "frontend f\n mode http\n bind :80\n http-request set-header X-A {http.request.method}\n"
        " http-request return status 200 content-type application/json string '{\"a\": {}}' if { path /json }\n"
        " default_backend b\nbackend b\n mode http\n server s 10.0.0.1:80\n"
    )
    outcome, _ = translated("caddy", text)
    assert outcome.worst is Loss.NONE
    assert r"X-A `\\{http.request.method\\}`" in outcome.files["Caddyfile"]  # `import` takes one of them away


def test_envoy_gets_routes_in_order_and_clusters_of_all_servers() -> None:
    text = (DEFAULTS + SITE).format(port=80, one=1, two=2, three=3)
    rewrite = next(line for line in text.splitlines() if "replace-path" in line)
    outcome, _ = translated("envoy", text.replace(rewrite, ""))
    whole = yaml.safe_load(outcome.files["envoy.yaml"])["static_resources"]
    assert [one["name"] for one in whole["clusters"]] == ["api", "b", "pages"]
    manager = whole["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    assert all("match" in one and {"route", "redirect", "direct_response"} & set(one) for one in routes)
    assert routes[-1]["match"]["prefix"] == "/"
    assert routes[-1]["route"]["cluster"] == "pages"
    assert [one["direct_response"]["status"] for one in routes if "direct_response" in one][:2] == [200, 405]


@pytest.mark.referee
def test_caddy_is_told_of_plain_sites_at_the_port_of_tls(tmp_path: Path) -> None:
    text = DEFAULTS + "frontend f\n bind :443\n default_backend b\nbackend b\n server s 10.0.0.1:80\n"
    file = tmp_path / "Caddyfile"
    file.write_text(translated("caddy", text)[0].files["Caddyfile"])
    command = [program("caddy"), "adapt", "--config", str(file), "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "tls_connection_policies" not in done.stdout


def configurations() -> Iterator[tuple[str, str]]:
    """The examples, the cases that are run, and real-world files where they are there."""
    for path in EXAMPLES:
        yield path.name, path.read_text()
    names = {name: 8000 + number for number, name in enumerate(_PLACES)}
    for case in CASES:
        yield case.name, (case.defaults + case.text).format(**names, folder="/etc", unix="/run/x.sock")
    folder = corpus()
    for path in sorted(folder.glob("*.cfg"))[::3] if folder is not None else ():
        yield path.name, path.read_text(encoding="utf-8", errors="surrogateescape")


_PLACES = ("one", "two", "three", "four", "secure", "proxied", "port", "other", "dead")
#: What the machine lacks, not the configuration.
_ENVIRONMENT = {
    "nginx": r"bind\(\) to|cannot load certificate|host not found in upstream|mkdir\(\)|open\(\) .* failed"
    r"|SSL_CTX|getpwnam",
    "caddy": r"no such file or directory|no CERTIFICATE pem block found",
    "envoy": r"[Ii]nvalid path|[Ff]ailed to load|unable to read file",
}


@pytest.mark.referee
@pytest.mark.timeout(600)
@pytest.mark.parametrize("target", TARGETS)
def test_the_program_takes_what_is_written(target: str, tmp_path: Path) -> None:
    path = program(target)
    refused = []
    for name, text in configurations():
        if read_text(text, assume_machine=True).config is None:
            continue
        files = translated(target, text)[0].files
        for file, content in files.items():
            (tmp_path / file).write_text(content, encoding="utf-8", errors="surrogateescape")
        command = {
            "nginx": [path, "-t", "-q", "-c", f"{tmp_path}/nginx.conf", "-g", f"error_log {tmp_path}/errors;"],
            "caddy": [path, "adapt", "--config", f"{tmp_path}/Caddyfile", "--adapter", "caddyfile"],
            "envoy": [path, "--mode", "validate", "-c", f"{tmp_path}/envoy.yaml", "-l", "error"],
        }[target]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode and not re.search(_ENVIRONMENT[target], done.stderr):
            refused.append(f"{name}: {done.stderr[-600:]}")
    assert refused == []


#: Names of statements whose effect is in others: rules name them, or paths and texts are made with them.
_DEFINITIONS = {
    "acl", "user", "group", "setenv", "presetenv", "ca-base", "crt-base", "default-path", "enabled", "dispatch", "id",
    "tcp-request content", "tcp-request session", "option http-keep-alive", "no", "default", "timeout tunnel",
    "option tcp-check", "option tcpka", "option clitcpka", "option srvtcpka", "hash-type", "compression offload",
}  # fmt: skip


@pytest.mark.timeout(600)
def test_nothing_is_dropped_in_silence() -> None:
    """A statement that goes over without a word does something there: without it something else would be written."""
    silent: dict[str, Counter[str]] = {target: Counter() for target in TARGETS}
    telling: dict[str, Counter[str]] = {target: Counter() for target in TARGETS}
    for _, text in configurations():
        lines = text.split("\n")
        model, document = (found := read_text(text, "haproxy.cfg", assume_machine=True)).config, found.document
        if model is None or len(lines) > 100:
            continue
        before = {target: write(model, document) for target, write in TARGETS.items()}
        noted = {target: {note.span.line for note in outcome.notes} for target, outcome in before.items()}
        for target, outcome in before.items():
            absent = {note.span.line for note in outcome.notes if "left out" in note.text}
            for section in document.sections:
                if section.header.line in absent:
                    noted[target].update(statement.line for statement in section.statements)
        form = encode(model)
        for section in document.sections:
            if section.kind not in ("global", "defaults", "frontend", "backend", "listen"):
                continue  # what becomes of the others is said of their first line
            for statement in section.statements:
                words = statement.words
                name = " ".join(words[: 2 if words[0] in _FAMILIES else 1])
                open_ = [one for one in TARGETS if statement.line not in noted[one] and not telling[one][name]]
                if name in _DEFINITIONS or not open_:
                    continue
                without = [*lines[: statement.line - 1], "", *lines[statement.line :]]
                again = read_text("\n".join(without), "haproxy.cfg", assume_machine=True)
                if again.config is None or encode(again.config) == form:
                    continue
                for target in open_:
                    same = TARGETS[target](again.config, again.document).files == before[target].files
                    (silent if same else telling)[target][name] += 1
    dropped = {target: sorted(set(silent[target]) - set(telling[target])) for target in TARGETS}
    assert dropped == {target: [] for target in TARGETS}


_FAMILIES = ("option", "timeout", "http-request", "http-response", "http-after-response", "tcp-request", "compression",
             "stats", "http-check", "tcp-check", "capture")  # fmt: skip


@pytest.mark.parametrize("case", [case for case in CASES if "caddy" in case.not_for], ids=lambda case: case.name)
def test_what_caddy_passes_on_as_http_only_is_said_of_every_line(case: object) -> None:
    names = {name: 8000 + number for number, name in enumerate(_PLACES)}
    text = (case.defaults + case.text).format(**names, folder="/etc", unix="/run/x.sock")  # type: ignore[attr-defined]
    outcome, document = translated("caddy", text)
    lost = {note.span.line: note.text for note in outcome.notes if note.loss is Loss.LOST}
    for section in document.sections:
        words = [statement.words for statement in section.statements]
        if ["mode", "tcp"] in words:
            assert "Caddy passes no plain TCP on" in lost[section.header.line]
            assert all(statement.line in lost for statement in section.statements)


@pytest.mark.parametrize("target", TARGETS)
def test_a_name_among_the_networks_that_are_not_told(target: str) -> None:
    text = DEFAULTS + "frontend f\n bind :80\n option forwardfor except a.example\n default_backend b\nbackend b\n"
    outcome, _ = translated(target, text + " server s 10.0.0.1:80\n")
    assert outcome.worst is not Loss.NONE


@pytest.mark.parametrize("target", TARGETS)
def test_a_name_for_tls_without_its_text_is_told(target: str) -> None:
    """HAProxy takes `sni str`, which gives nothing."""
    text = f"{DEFAULTS}listen l\n bind :8080\n server s 192.0.2.1:443 ssl verify none sni str\n"
    translation, _ = translated(target, text)
    assert any(note.loss is not Loss.NONE for note in translation.notes)


@pytest.mark.parametrize("target", ["nginx", "caddy", "envoy"])
@pytest.mark.parametrize(("pattern", "told"), [("-i get", True), ("-i GET", False), ("GET", False)])
def test_a_method_that_is_not_in_capitals_is_told(target: str, pattern: str, told: bool) -> None:
    """HAProxy takes `method -i get` for the method `get`, and behind `-m str` for GET, too."""
    text = f"{DEFAULTS}listen l\n bind :8080\n http-request deny if {{ method {pattern} }}\n server s 192.0.2.1:80\n"
    translation, _ = translated(target, text)
    assert any("only with '-m str'" in note.text for note in translation.notes) == told
