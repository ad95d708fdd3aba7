"""`hapy migrate` from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hapy.commands.migrate import main

OLD = """\
listen web :80   # the site
    mode http
    contimeout 5000
    clitimeout 5000
    srvtimeout 5000
    server s1 192.0.2.1:80
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.cfg"
    path.write_text(OLD)
    return path


def test_shown(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(old)]) == 0
    out = capsys.readouterr().out
    assert "+    timeout connect 5000" in out
    assert "+    bind :80" in out
    assert "Changed (4):" in out
    assert old.read_text() == OLD


def test_written(old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = tmp_path / "new.cfg"
    assert main([str(old), "-o", str(new)]) == 0
    assert "timeout client 5000" in new.read_text()
    assert main([str(new)]) == 0
    assert "Nothing changes" in capsys.readouterr().out
    assert main([str(old), "--to", "haproxy-3.2", "-o", "-"]) == 0
    assert "# the site" in capsys.readouterr().out


def test_line_ends_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "haproxy.cfg"
    file.write_bytes(b"defaults\r\n  mode http\r\n  contimeout 5000\r\nlisten a 127.0.0.1:80\r\n")
    main([str(file), "--to", "haproxy-2.6", "-o", str(tmp_path / "new")])
    new = (tmp_path / "new").read_bytes()
    assert b"timeout connect 5000\r\n" in new
    assert new.count(b"\n") == new.count(b"\r\n") == 5
    capsys.readouterr()
    main([str(file), "--to", "haproxy-2.6"])
    shown = capsys.readouterr().out
    assert "\n   mode http\n" in shown
    assert "\r" not in shown


def test_several_files(old: Path, tmp_path: Path) -> None:
    (tmp_path / "b.cfg").write_text("backend b\n mode http\n timeout connect 1s\n timeout server 1s\n reqrep x y\n")
    assert main([str(tmp_path), "-o", str(tmp_path / "out")]) == 1  # b.cfg leaves something to decide
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.cfg", "old.cfg"]


def test_bad_usage(old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.cfg")]) == 2
    assert main([str(old), "--to", "haproxy-9.9"]) == 2
    assert main([str(old), "--to", "apache"]) == 2
    assert main([str(old), "-o", str(tmp_path / "no" / "such" / "place")]) == 2
    assert "cannot write" in capsys.readouterr().err
    (tmp_path / "b.cfg").write_text("backend b\n")
    assert main([str(old), str(tmp_path / "b.cfg"), "-o", str(tmp_path / "b.cfg")]) == 2
    assert "several files need a folder" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["nginx", "caddy", "envoy", "json"])
def test_variables_that_are_not_set_are_told(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "a.cfg"
    config.write_text(
        "defaults\n mode http\nfrontend f\n bind :80\n errorfile 503 /no/such/file\n"
        ' default_backend b\nbackend b\n server s "${HAPY_TEST_UNSET}:80"\n'
    )
    assert main([str(config), "--to", target]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "'HAPY_TEST_UNSET' is not set" in said
    assert "a.cfg:8" in said
    assert "a.cfg:5" in said


def test_files_of_one_name_are_not_written_over_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "h.cfg").write_text(f"global\n contimeout {folder}\n")
    files = [str(tmp_path / folder / "h.cfg") for folder in ("a", "b")]
    assert main([*files, "-o", str(tmp_path / "out")]) == 2
    assert "several files are called h.cfg" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
