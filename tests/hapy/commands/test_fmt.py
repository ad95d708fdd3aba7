"""`hapy fmt` from the command line."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from hapy.commands.fmt import main

UNTIDY = "global\n maxconn   10\n\n\n# é\nfrontend f\n bind :80\n"
TIDY = "global\n    maxconn 10\n\n# é\nfrontend f\n    bind :80\n"


@pytest.fixture
def untidy(tmp_path: Path) -> Path:
    path = tmp_path / "a.cfg"
    path.write_text(UNTIDY)
    return path


def test_in_place(untidy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(untidy)]) == 0
    assert untidy.read_text() == TIDY
    assert "a.cfg laid out" in capsys.readouterr().out
    assert main([str(untidy.parent)]) == 0
    assert capsys.readouterr().out == ""


def test_check(untidy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", str(untidy)]) == 1
    assert untidy.read_text() == UNTIDY
    assert "1 of 1 file would change" in capsys.readouterr().err
    main([str(untidy)])
    assert main(["--check", str(untidy)]) == 0


def test_diff(untidy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--diff", str(untidy)]) == 0
    assert untidy.read_text() == UNTIDY
    out = capsys.readouterr().out
    assert "\n- maxconn   10\n" in out
    assert "\n+    maxconn 10\n" in out


def test_diff_of_odd_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.cfg"
    path.write_bytes(b"global\n  description \xff\xfe\n")
    assert main(["--diff", str(path)]) == 0
    assert main([str(path)]) == 0
    assert path.read_bytes() == b"global\n    description \xff\xfe\n"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr("hapy.commands.fmt.read_file", lambda _path: UNTIDY.encode())
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["--tabs", "-"]) == 0
    assert out.buffer.getvalue().decode() == TIDY.replace("    ", "\t")  # type: ignore[attr-defined]


def test_what_cannot_be_read(tmp_path: Path, untidy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.cfg"), str(untidy)]) == 2
    assert untidy.read_text() == TIDY
    assert "cannot read" in capsys.readouterr().err


def test_bad_indent(untidy: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--indent", "x", str(untidy)])
    assert ended.value.code == 2
