"""`hapy check`: what it prints and how it ends."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from hapy.commands.check import main

GOOD = """\
defaults
 mode http
 timeout client 1s
 timeout server 1s
 timeout connect 1s
listen l
 bind 127.0.0.1:8080
 server s 127.0.0.1:80
"""


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def run(text: str, *flags: str) -> tuple[int, str]:
        Path("t.cfg").write_text(text, encoding="utf-8")
        status = main(["t.cfg", *flags])
        return status, capsys.readouterr().out

    return run


def test_a_good_file(check) -> None:
    assert check(GOOD) == (0, "valid\n")


def test_every_mistake_with_its_place_and_a_fix(check) -> None:
    status, out = check(GOOD.replace("server s", "server s:").replace("mode http", "mode htp") + " bindd x\n")
    assert status == 1
    assert "t.cfg:2:7: error: unknown proxy mode 'htp' [bad-argument]\n    2 |  mode htp\n      |       ^^^\n" in out
    assert "t.cfg:9:2: error: unknown keyword 'bindd' in 'listen' section [unknown-keyword]" in out
    assert out.endswith("refused: 2 errors\n")


def test_warnings_do_not_fail_unless_strict(check) -> None:
    text = GOOD.replace(" timeout client 1s\n", "")
    status, out = check(text)
    assert (status, "warning: missing timeouts" in out) == (0, True)
    assert check(text, "--strict")[0] == 1
    assert check(text, "--quiet") == (0, "")


def test_what_is_not_run_is_told_apart(check) -> None:
    Path("x.lua").write_text("", encoding="utf-8")
    text = "global\n lua-load x.lua\n" + GOOD
    status, out = check(text)
    assert status == 0
    assert "not run: " in out
    assert "not run by hapy (starts with --lenient)" in out
    assert check(text, "--haproxy") == (0, "valid\n")


def test_advice_can_be_left_out(check) -> None:
    text = GOOD + " acl unused path /\n"
    assert "[unused-acl]" in check(text)[1]
    assert check(text, "--no-lint") == (0, "valid\n")


def test_nothing_listens(check) -> None:
    assert check(GOOD.replace(" bind 127.0.0.1:8080\n", "").replace("listen", "backend"), "--no-lint") == (
        2,
        "valid; nothing listens\n",
    )


def test_a_long_line_is_cut_around_the_place(check) -> None:
    words = " ".join(["10.0.0.0/8"] * 30)
    _, out = check(GOOD + f" acl a src {words} 300.0.0.0/8 {words}\n")
    shown = next(line for line in out.split("\n") if "300.0.0.0/8" in line and "|" in line)
    assert len(shown) <= 80
    mark = out.split("\n")[out.split("\n").index(shown) + 1]
    assert shown[mark.index("^") : mark.index("^") + len("300.0.0.0/8")] == "300.0.0.0/8"


@pytest.mark.parametrize("name", ["日本語テスト", "e\u0301\u0301combining", "🎉🎉", "plain", "日" * 80])
@pytest.mark.parametrize("columns", ["40", "80"])
def test_the_mark_stands_below_the_word_on_a_terminal(
    check, monkeypatch: pytest.MonkeyPatch, name: str, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    _, out = check(f'{GOOD} http-request set-header X "{name}" iff {{ path /x }}\n')
    lines = out.split("\n")
    place = next(index for index, line in enumerate(lines) if " iff " in line and "|" in line)
    begin = cell_len(lines[place][: lines[place].index("iff ")])
    assert lines[place + 1].index("^") == begin
    assert lines[place + 1].count("^") == 3
    assert max(map(cell_len, lines)) <= int(columns)


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_letters_that_the_output_has_not(tmp_path: Path, form: str) -> None:
    file = tmp_path / "t.cfg"
    file.write_text(f"{GOOD} description 日本\n bindd é\n", encoding="utf-8")
    command = [sys.executable, "-m", "hapy", "check", "--format", form, str(file)]
    done = subprocess.run(
        command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=False, text=True
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "unknown-keyword" in done.stdout


def test_a_missing_file(check, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.cfg"]) == 1
    assert "cannot open the configuration file 'nowhere.cfg'" in capsys.readouterr().out


def test_names_are_looked_up_only_on_request(check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hapy.commands.check._resolves", lambda name, family: False)
    text = GOOD.replace("127.0.0.1:80\n", "nowhere.example:80\n")
    assert check(text, "--no-lint") == (0, "valid\n")
    status, out = check(text, "--names")
    assert (status, "environment: " in out) == (0, True)
    status, out = check(text, "--environment")
    assert (status, "error: " in out) == (1, True)


def test_what_the_machine_lacks_fails_on_request(check) -> None:
    text = GOOD + ' errorfile 503 /nowhere/x\n bind ":${NOT_SET_PORT}"\n'
    status, out = check(text)
    assert status == 0
    assert "environment: errorfile: error opening file" in out
    assert "= the variable NOT_SET_PORT is not set" in out
    assert out.endswith("valid: 3 things missing here\n")
    status, out = check(text, "--environment")
    assert (status, out.splitlines()[-1]) == (1, "refused: 2 errors, 1 thing missing here")


def test_lines_are_no_longer_than_80_columns(check) -> None:
    _, out = check(GOOD + " http-request denny\n http-request set-var(txn.x) path,lowr\n bind :1 crt /nowhere/a.pem\n")
    assert max(map(len, out.splitlines())) <= 80
    assert "expects one of" in out


def test_selecting_and_ignoring(check) -> None:
    text = GOOD + " bindd x\n mode htp\n"
    assert check(text, "--ignore", "bad-argument")[1].endswith("refused: 1 error; 1 ignored\n")
    assert check(text, "--ignore", "bad,unknown") == (0, "valid; 2 ignored, 2 of them errors to HAProxy\n")
    assert check(text, "--select", "bad")[1].endswith("refused: 1 error; 1 ignored\n")


def test_comments_that_ignore(check) -> None:
    text = GOOD + " bindd x # hapy: ignore unknown-keyword\n # hapy: ignore bad\n\n mode htp\n"
    assert check(text) == (0, "valid; 2 ignored, 2 of them errors to HAProxy\n")
    status, out = check(GOOD + " maxconn 5 # hapy: ignore bad-acl, bad-alc\n")
    assert status == 0
    assert "advice: nothing on line 9 has the code 'bad-acl' [unused-ignore]" in out
    assert "warning: there is no code 'bad-alc' [unknown-code]" in out
    assert "did you mean 'bad-acl'?" in out


def test_bad_usage(check, capsys: pytest.CaptureFixture[str]) -> None:
    for flags in (["--ignore", "bad-alc"], ["--target", "7.1"], ["--format", "xml"]):
        with pytest.raises(SystemExit) as ended:
            check(GOOD, *flags)
        assert ended.value.code == 3
    assert "did you mean 'bad-acl'?" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 3


BROKEN = GOOD.replace("timeout client 1s", "clitimeout 1s").replace("server s", "sever s") + " timeout tunnel 5sec"
MENDED = GOOD.replace("server s", "server s").replace("timeout client 1s", "timeout client 1s") + " timeout tunnel 5s\n"


def test_fixing(check) -> None:
    status, out = check(BROKEN)
    assert (status, out.count("--fix")) == (1, 4)
    assert check(BROKEN, "--fix") == (0, "valid\n")
    assert Path("t.cfg").read_text(encoding="utf-8") == MENDED


def test_showing_what_would_be_fixed(check) -> None:
    status, out = check(BROKEN, "--diff")
    assert status == 1
    assert "- clitimeout 1s\n+ timeout client 1s\n" in out
    assert "\\ No newline at end of file\n" in out
    assert Path("t.cfg").read_text(encoding="utf-8") == BROKEN


def test_standard_input(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    read, write = os.pipe()
    os.write(write, BROKEN.encode())
    os.close(write)
    saved = os.dup(0)
    os.dup2(read, 0)
    try:
        assert main(["-", "--fix"]) == 0
    finally:
        os.dup2(saved, 0)
    captured = capfdbinary.readouterr()
    assert (captured.out.decode(), captured.err) == (MENDED, b"valid\n")


def test_versions(check) -> None:
    text = GOOD + " clitimeout 1s\n"
    assert check(text, "--target", "2.0", "--select", "removed")[0] == 0
    assert check(text, "--target", "2.2", "--select", "removed")[0] == 1
    text = GOOD + " http-request wait-for-body time 1s\n"
    assert check(text)[0] == 0
    assert "is not known to HAProxy 2.2" in check(text, "--target", "2.2")[1]


def test_explaining(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--explain", "missing-newline"]) == 0
    assert "missing-newline (error)\n\nThe last line has no line feed." in capsys.readouterr().out
    assert main(["--explain", "missing-newlin"]) == 3
    assert "did you mean 'missing-newline'?" in capsys.readouterr().err
    assert main(["--codes"]) == 0
    out = capsys.readouterr().out
    assert "missing-newline (error)\n" in out
    assert "unused-acl (advice)\n" in out


def on_a_terminal(file: Path, **settings: str) -> bytes:
    """What the command prints on a terminal."""
    master, slave = pty.openpty()
    dropped = ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    command = [sys.executable, "-m", "hapy", "check", str(file)]
    done = subprocess.run(command, stdout=slave, env={**environment, **settings}, check=False)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert done.returncode == 1
    assert b"unknown-keyword" in shown
    return shown


def test_colours_on_a_terminal_only(tmp_path: Path) -> None:
    file = tmp_path / "t.cfg"
    file.write_text(GOOD + " bindd x\n", encoding="utf-8")
    assert b"\x1b[" in on_a_terminal(file, TERM="xterm-256color")
    assert b"\x1b[" in on_a_terminal(file, TERM="xterm", NO_COLOR="")
    assert b"\x1b[" not in on_a_terminal(file, TERM="xterm", NO_COLOR="1")
    assert b"\x1b[" not in on_a_terminal(file, TERM="dumb")


@pytest.mark.parametrize(
    ("settings", "coloured"),
    [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({}, False)],
)
def test_colours_in_a_pipe(tmp_path: Path, settings: dict[str, str], coloured: bool) -> None:
    file = tmp_path / "t.cfg"
    file.write_text(GOOD + " bindd x\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    environment |= {"TERM": "xterm", **settings}
    command = [sys.executable, "-m", "hapy", "check", str(file)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert (b"\x1b[" in done.stdout) == coloured


def test_what_is_missing_here_counts_as_haproxy_counts_it(
    check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --environment: an empty directory of certificates, a name in a file of addresses, an alert that is no end."""
    monkeypatch.setattr("hapy.commands.check._resolves", lambda name, family: False)
    (tmp_path / "pem").mkdir()
    (tmp_path / "names").write_text("no-such-host.invalid\n", encoding="utf-8")
    head = "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nfrontend f\n bind :8099"
    for text, status in (
        (f"{head} ssl crt {tmp_path}/pem/\n", 1),
        (f"{head}\n http-request deny if {{ src -f {tmp_path}/names }}\n", 1),
        (f'global\n maxconn 5\n maxconn "${{NO_SUCH_VARIABLE}}"\n{head}\n', 0),
    ):
        assert check(text)[0] == 0
        assert check(text, "--environment")[0] == status


def test_the_verdict_fits_the_columns(check) -> None:
    lines = [f" acl a{number} path_beg /{number}" for number in range(1, 4)]
    text = GOOD.replace(
        " server s", "\n".join([*lines, " errorfile 503 /nowhere/e.http", " email-alert to a@b", " server s"])
    )
    _, out = check(text)
    assert max(map(len, out.splitlines())) <= 80


def test_a_directory_without_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"hapy check: no *.cfg file in {tmp_path}\n"


def test_states_of_servers_that_nobody_left(check) -> None:
    text = GOOD.replace(" server s", " load-server-state-from-file {}\n server s")
    status, out = check("global\n server-state-file /nowhere/all\n" + text.format("global"), "--environment")
    assert status == 0
    assert "t.cfg:2:2: environment: Can't open global server state file '/nowhere/all'" in out.replace("\n    ", " ")
    status, out = check("global\n server-state-file /nowhere/all\n" + GOOD)  # read, though nobody takes from it
    assert status == 0
    assert "t.cfg:2:2: environment: Can't open global server state file '/nowhere/all'" in out.replace("\n    ", " ")
    status, out = check("global\n server-state-base /nowhere\n" + text.format("local"))
    assert status == 0
    assert "environment: Proxy 'l': Can't open server state file '/nowhere/l'" in out.replace("\n    ", " ")
    status, out = check(
        "global\n server-state-base /nowhere\n" + text.format("local").replace("listen l", "listen l:m")
    )
    assert "t.cfg:8:1: environment: Proxy 'l:m': Can't open" in out.replace("\n    ", " ")
