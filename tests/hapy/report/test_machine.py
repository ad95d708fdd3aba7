"""The reports for programs."""

from __future__ import annotations

import json

import pytest

from hapy.report.findings import Report, Wanted, report
from hapy.report.machine import as_github, as_json, as_sarif
from hapy_config import read_text
from hapy_config.codes.spec import BASE

TEXT = BASE + " errorfile 503 /nowhere/503\nlisten l\n bind :8080\n acl unused path /\n option httplgo\n mode %,\n x: y"


@pytest.fixture
def found() -> Report:
    result = read_text(TEXT, "dir/a b.cfg", env={}, assume_machine=True)
    return report(result, Wanted(), "2.6")


def test_json(found: Report) -> None:
    data = json.loads(as_json(found))
    assert (data["version"], data["target"], data["verdict"], data["status"]) == (1, "2.6", "refused", 1)
    assert data["files"] == ["dir/a b.cfg"]
    by_code = {one["code"]: one for one in data["findings"]}
    option = by_code["unknown-option"]
    assert (option["line"], option["column"], option["end_column"]) == (10, 9, 16)
    assert option["source"] == " option httplgo"
    assert option["hint"] == "did you mean 'httplog'?"
    assert option["fix"] == {"line": 10, "column": 9, "end_column": 16, "text": "httplog"}
    assert (by_code["missing-file"]["kind"], by_code["missing-file"]["severity"]) == ("environment", "note")
    assert data["summary"]["error"] == 4
    assert data["summary"]["environment"] == 1


def test_sarif(found: Report) -> None:
    log = json.loads(as_sarif(found))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    assert run["results"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        for location in result["locations"]:
            place = location["physicalLocation"]
            assert place["artifactLocation"]["uri"] == "dir/a%20b.cfg"
            assert place["region"]["startLine"] >= 1
            assert place["region"]["endColumn"] >= place["region"]["startColumn"] >= 1
        for fix in result.get("fixes", ()):
            for change in fix["artifactChanges"]:
                assert change["artifactLocation"]["uri"]
                assert all("deletedRegion" in one for one in change["replacements"])
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])


def test_github(found: Report) -> None:
    lines = as_github(found).splitlines()
    assert len(lines) == len(found.entries)
    option = next(line for line in lines if "unknown-option" in line)
    assert option == (
        "::error title=unknown-option,file=dir/a b.cfg,line=10,endLine=10,col=9,endColumn=16"
        "::unknown option 'httplgo' (did you mean 'httplog'?)"
    )
    assert any("%25," in line for line in lines if "proxy mode" in line)
    assert any(line.startswith("::notice ") for line in lines)


def test_uris_of_paths() -> None:
    for name, uri in (("/a b/ü.cfg", "file:///a%20b/%C3%BC.cfg"), ("ü/a:b.cfg", "%C3%BC/a%3Ab.cfg"), ("-", "stdin")):
        log = json.loads(as_sarif(report(read_text("x\n", name, env={}), Wanted(), "2.6")))
        assert log["runs"][0]["artifacts"][0]["location"]["uri"] == uri
