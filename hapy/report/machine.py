"""The report for programs: JSON, SARIF 2.1.0, GitHub's workflow commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from hapy.report.message import one_line
from hapy.report.text import printable
from hapy.version import __version__
from hapy_config import Severity
from hapy_config.codes import catalogue
from hapy_config.codes.spec import Kind

if TYPE_CHECKING:
    from hapy.report.findings import Entry, Report

_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_VERDICTS: Final = {0: "valid", 1: "refused", 2: "nothing listens"}


def as_json(report: Report) -> str:
    """One JSON object: the verdict, the findings, the numbers."""
    data = {
        "version": 1,
        "target": report.target,
        "verdict": _VERDICTS[report.status],
        "status": report.status,
        "files": [printable(name) for name in report.sources],
        "findings": [_finding(entry, report) for entry in report.entries],
        "summary": {
            **{kind.value.replace(" ", "_"): report.count(kind) for kind in Kind},
            "ignored": report.silenced,
            "ignored_errors": report.refusals,
            "listens": report.has_listener,
        },
    }
    return json.dumps(data, indent=2) + "\n"


def _finding(entry: Entry, report: Report) -> dict[str, Any]:
    found = entry.found
    span = found.span
    source = report.sources.get(span.file)
    line = source.lines[span.line - 1] if source is not None and 1 <= span.line <= len(source.lines) else None
    data: dict[str, Any] = {
        "code": found.code,
        "kind": entry.kind.value,
        "severity": _level(entry),
        "file": printable(span.file) or None,
        "line": span.line or None,
        "column": span.column if span.line else None,
        "end_column": span.end if span.line else None,
        "message": printable(one_line(found.message)),
        "hint": printable(found.hint) or None,
        "source": printable(line) if line is not None else None,
        "fix": None,
    }
    if entry.fix is not None:
        place = entry.fix.span
        data["fix"] = {
            "line": place.line,
            "column": place.column,
            "end_column": place.end,
            "text": printable(entry.fix.text),
        }
    return data


def _level(entry: Entry) -> str:
    """`error`, `warning` or `note`."""
    if entry.kind is Kind.ERROR:
        return "error"
    if entry.kind is Kind.WARNING or (entry.kind is Kind.ADVICE and entry.found.severity is Severity.WARNING):
        return "warning"
    return "note"


def as_sarif(report: Report) -> str:
    """A SARIF 2.1.0 log with one run."""
    codes = sorted({entry.found.code for entry in report.entries})
    known = catalogue()
    rules = []
    for name in codes:
        rule: dict[str, Any] = {"id": name}
        if name in known:
            rule["shortDescription"] = {"text": known[name].about.partition(". ")[0].rstrip(".") + "."}
            rule["fullDescription"] = {"text": known[name].about}
            rule["help"] = {"text": f"hapy check --explain {name}"}
        rules.append(rule)
    driver = {"name": "hapy check", "version": __version__, "semanticVersion": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(name)}} for name in report.sources],
        "results": [_result(entry, codes) for entry in report.entries],
        "invocations": [{"executionSuccessful": True, "exitCode": report.status}],
    }
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(entry: Entry, codes: list[str]) -> dict[str, Any]:
    found = entry.found
    span = found.span
    text = printable(one_line(found.message))
    hint = f" ({printable(found.hint)})" if found.hint else ""
    data: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": codes.index(found.code),
        "level": _level(entry),
        "message": {"text": f"{text}{hint}"},
        "properties": {"kind": entry.kind.value},
    }
    if span.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(span.file)}}
        if span.line:
            place["region"] = _region(span.line, span.column, span.end)
        data["locations"] = [{"physicalLocation": place}]
    if entry.fix is not None:
        fix = entry.fix.span
        replacement = {
            "deletedRegion": _region(fix.line, fix.column, fix.end),
            "insertedContent": {"text": printable(entry.fix.text)},
        }
        change = {"artifactLocation": {"uri": _uri(fix.file)}, "replacements": [replacement]}
        data["fixes"] = [{"description": {"text": printable(found.hint) or "mend it"}, "artifactChanges": [change]}]
    return data


def _region(line: int, column: int, end: int) -> dict[str, int]:
    return {"startLine": line, "startColumn": column, "endLine": line, "endColumn": max(end, column)}


def _uri(name: str) -> str:
    """A path as a URI reference; relative ones stay relative."""
    if name == "-":
        return "stdin"
    path = quote(name.encode("utf-8", "surrogateescape"))
    return f"file://{path}" if name.startswith("/") else path


_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def as_github(report: Report) -> str:
    """Workflow commands, one line a finding: GitHub shows them beside the lines they speak of."""
    return "".join(f"{_command(entry)}\n" for entry in report.entries)


def _command(entry: Entry) -> str:
    found = entry.found
    span = found.span
    properties = {"title": f"{found.code}"}
    if span.file:
        properties["file"] = span.file
    if span.line:
        properties |= {"line": str(span.line), "endLine": str(span.line), "col": str(span.column)}
        properties["endColumn"] = str(max(span.end, span.column))
    listed = ",".join(f"{name}={_property(printable(value))}" for name, value in properties.items())
    hint = f" ({found.hint})" if found.hint else ""
    text = _data(printable(f"{one_line(found.message)}{hint}"))
    return f"::{_COMMANDS[_level(entry)]} {listed}::{text}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
