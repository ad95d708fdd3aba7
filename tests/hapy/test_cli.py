"""Command lines that end by themselves, side by side with the real haproxy: exit status and shape of the output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hapy.cli import COMMANDS, main
from hapy.commands.run import Program

ROOT = Path(__file__).parents[2]
HAPY = [sys.executable, "-m", "hapy"]

VALID = """
defaults
    mode http
    timeout client 5s
    timeout connect 5s
    timeout server 5s
frontend f
    bind 127.0.0.1:1
    http-request return status 200
"""

FILES = {
    "OK": VALID,
    "NONE": "global\n    maxconn 100\n",
    "BAD": VALID + "    no-such-keyword\n",
    "WARNS": "frontend f\n    mode http\n    bind 127.0.0.1:1\n",
    "SILENT": "frontend f\n    mode http\n",
    "TRUNCATED": VALID.rstrip("\n"),
    "ORPHAN": "server s 127.0.0.1:80\n",
    "EMPTY": "",
    "DISABLED": VALID + "    disabled\n",
    "QUIET": "global\n    quiet\n" + VALID,
    "PIDFILE": "global\n    pidfile one\n" + VALID,
    "ZERO": "global\n    zero-warning\nfrontend f\n    mode http\n    bind 127.0.0.1:1\n",
    "dir/a.cfg": VALID,
    "dir/.hidden.cfg": "nonsense\n",
    "dir/other.txt": "nonsense\n",
    "none/other.txt": "nonsense\n",
}

Run = Callable[[list[str], str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program with a command line in a directory that has the files above."""
    folder = tmp_path_factory.mktemp("cli")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}

    def runner(program: list[str], line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program, *line.split()],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return runner


def shape(result: subprocess.CompletedProcess[str]) -> tuple[str, list[str]]:
    """What both programs must agree on: standard output but for versions and lists, the labels on standard error."""
    output = result.stdout
    for begin in ("HAProxy version 2.6.12", "-dM", "# List of", "List of loaded object files"):
        if output.startswith(begin):
            output = begin
    labels = []
    for line in result.stderr.splitlines():
        found = re.match(r"\[(NOTICE|WARNING|ALERT)\] +\(\d+\) : ", line)
        if found:
            assert line.index("(") == 11, line
            labels.append(found[1])
        elif line.lower().startswith("usage"):
            return output, ["usage"]
    if "ALERT" in labels:
        # How many there are may differ: hapy goes on after the first fault, and says more.
        labels = ["NOTICE", "NOTICE", "ALERT"] if labels[:2] == ["NOTICE", "NOTICE"] else ["no introduction"]
    return output, labels


LINES = [
    # files and verdicts
    "-c -f OK", "-c -q -f OK", "-c -V -f OK", "-q -V -c -f OK", "-qc -c -f OK", "-cx -f OK", "-c -- OK", "-c -f OK --",
    "-c -f NONE", "-c -q -f NONE", "-f NONE", "-c -W -f NONE", "-Wx -c -f OK", "-Ws -c -q -f OK",
    "-c -f missing", "-f missing -f OK", "-q -c -f missing", "-c -f OK -- -c", "-c", "-c OK", "-Z", "-c -f OK -Z",
    "-", "- -c", "--", "-V", "-D", "-q", "-h -Z",
    "-c -f OK -n 10", "-c -f OK -n abc", "-c -f OK -n -1", "-c -f OK -N 0", "-c -f OK -N -5", "-c -f OK -m 0", "-c -f OK -L x",
    "-c -f OK -n", "-c -f OK -L", "-c -f OK -p", "-c -f OK -C", "-c -f OK -x", "-c -f OK -S", "-c -f OK -f",
    "-c -f BAD", "-f BAD", "-q -c -f BAD", "-c -f WARNS", "-c -q -f WARNS", "-c -dW -f WARNS", "-dW -f WARNS", "-c -f TRUNCATED",
    "-c -f ORPHAN", "-c -f SILENT", "-c -q -f SILENT", "-f SILENT", "-c -f EMPTY", "-f EMPTY", "-c -f DISABLED", "-f DISABLED", "-c -f QUIET", "-c -V -f QUIET", "-c -f ZERO",
    "-c -f dir", "-c -f dir -f NONE", "-c -f none", "-c -f none -f OK", "-C dir -c -f a.cfg", "-c -f /dev/null", "-c -f OK -f OK",
    "-C nowhere -c -f OK", "-c -f OK -p -q",
    "-c -f OK -sf", "-c -f OK -sf 1 2", "-c -f OK -sf a", "-c -f OK -sf 12x", "-c -f OK -sf 0", "-c -f OK -s", "-c -f OK -sx 1",
    "-c -f OK -sf -5", "-st 99999999 -c -f OK", "-sf1 -c -f OK",
    "-c -f OK -d", "-c -f OK -db", "-c -f OK -dZ", "-c -f OK -dM", "-c -f OK -dM0", "-c -f OK -dMfoo", "-c -f OK -dM0x50,fail",
    "-c -f OK -d -q", "-c -f OK -d -V -q",
    "-c -f PIDFILE", "-c -f PIDFILE -p other", "-c -f OK -p other", "-c -f OK -dMfail,foo", "-c -f OK -dM0foo", "-c -f OK -dMtag,,poison", "-c -f OK -dMno-tag", "-dMhelp", "-c -f OK -d -D -q",
    "-c -f OK -dR -dG -dS -dV -dW -dD -dr -de -dp -dk", "-dKhelp -c -f OK", "-c -f OK -dKfoo", "-c -f OK -x /a -x /b",
    "-c -f OK -S /tmp/x", "-c -f OK -W -S /tmp/x", "-dW -c -f OK",
    "-cc", "-cc 1", "-cc 0", "-cc foo", "-cc foo(1)", "-cc version_atleast(2.5)", "-cc version_atleast(9.0)", "-ccx 1",
    "-cc streq(a,b)", "-cc streq(a,a)&&!0", "-cc 1 extra", "-cc 1 -Z", "-cc 0 -c -f OK", "-c -cc 1",
    "-v", "-vv", "-vvv", "-vx", "-v -Z", "-Z -v", "-cc 1 -v", "-v -c -f missing",
]  # fmt: skip


@pytest.mark.referee
@pytest.mark.parametrize("line", LINES)
def test_status_and_output_are_the_referees(line: str, haproxy: str, run: Run) -> None:
    theirs, ours = run([haproxy], line), run(HAPY, line)
    assert ours.returncode == theirs.returncode, (ours, theirs)
    assert shape(ours) == shape(theirs), (ours, theirs)


MASTER_SOCKETS = [
    "/tmp/x", "/tmp/x,level,admin", "/tmp/x,,mode,600,", ",", "m", "a/b", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:0",
    "127.0.0.1:9-8", "udp@127.0.0.1:1", "fd@99", "m,bad", "/tmp/x,bad", "/tmp/x,usr,a", "/tmp/x,level", "/tmp/x,level,x",
    "/tmp/x,mode,600,level", "/tmp/x,user,no-such-user", "/tmp/it's,severity-output", ",expose-fd", ",expose-fd,x",
]  # fmt: skip


@pytest.mark.referee
@pytest.mark.parametrize("argument", MASTER_SOCKETS)
def test_a_wrong_address_of_a_master_socket_is_refused(argument: str, haproxy: str, run: Run) -> None:
    theirs, ours = ((run(who, f"-c -W -f OK -S {argument}")) for who in ([haproxy], HAPY))
    alerts = [
        [re.sub(r"\(\d+\)", "", line) for line in one.stderr.splitlines() if line.startswith("[ALERT]")]
        for one in (theirs, ours)
    ]
    assert (ours.returncode, alerts[1]) == (theirs.returncode, alerts[0])


def test_too_little_memory_is_no_traceback(run: Run) -> None:
    result = run(HAPY, "-db -m 1 -f OK")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith("[haproxy.main()] There is not enough memory to start.")


@pytest.mark.referee
def test_what_a_file_says_while_it_is_read(haproxy: str, tmp_path: Path) -> None:
    lines = (
        b"global\n .notice caf\xc3\xa9\n .notice \xff\n .warning 'a b'\n .diag x\n setenv A a b c d\n"
        b' .notice "<$A>"\n'
    )
    (tmp_path / "t.cfg").write_bytes(lines)
    said = []
    for program in ([haproxy], HAPY):
        env = {name: value for name, value in os.environ.items() if name != "A"} | {"PYTHONPATH": str(ROOT)}
        result = subprocess.run(
            [*program, "-c", "-dD", "-f", "t.cfg"], cwd=tmp_path, capture_output=True, check=False, env=env
        )
        found = [re.sub(rb"\(\d+\)", b"", line) for line in result.stderr.splitlines()]
        said.append([line for line in found if b"version is" not in line and b"path to" not in line])
    assert said[0] == said[1]


def test_alone_it_shows_what_it_can_do_within_80_columns(run: Run) -> None:
    result = run(HAPY, "")
    assert result.returncode == 1
    assert "hapy <command>" in result.stderr
    assert "check" in result.stderr
    assert max(map(len, result.stderr.splitlines())) <= 80


def test_help_is_no_failure(run: Run) -> None:
    result = run(HAPY, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("usage: hapy")


def test_a_file_without_a_flag_gets_a_hint(run: Run) -> None:
    result = run(HAPY, "dir/a.cfg")
    assert result.returncode == 1
    assert "hapy -f dir/a.cfg" in result.stderr


def test_long_version_has_the_lines_that_scripts_read(run: Run) -> None:
    lines = run(HAPY, "-vv").stdout.splitlines()
    assert re.fullmatch(r"HAProxy version 2\.6\.12 \(hapy \d+\.\d+\.\d+\)", lines[0])
    assert "  TARGET  = linux-glibc" in lines
    features = next(line for line in lines if line.startswith("Feature list : ")).split()[3:]
    assert all(word[0] in "+-" for word in features)
    assert "+EPOLL" in features
    assert "Available services : prometheus-exporter" in lines


@pytest.mark.referee
def test_the_feature_list_has_the_referees_names_in_its_order(haproxy: str, run: Run) -> None:
    def names(program: list[str]) -> list[str]:
        lines = run(program, "-vv").stdout.splitlines()
        return [word[1:] for word in next(x for x in lines if x.startswith("Feature list : ")).split()[3:]]

    assert names(HAPY) == names([haproxy])


def test_conditions_see_the_features_of_the_list(run: Run) -> None:
    assert run(HAPY, "-cc feature(EPOLL)").returncode == 0
    assert run(HAPY, "-cc feature(QUIC)").returncode == 1


@pytest.mark.referee
@pytest.mark.parametrize("name", ["acl", "cnv", "smp", "svc", "flt", "cli"])
def test_keyword_lists_hold_what_the_referees_hold(name: str, haproxy: str, run: Run) -> None:
    theirs = run([haproxy], f"-dK{name} -q -c -f EMPTY").stdout.splitlines()
    ours = run(HAPY, f"-dK{name} -q -c -f EMPTY").stdout.splitlines()
    assert ours[0] == theirs[0]
    assert [line for line in ours if line not in theirs] == []
    assert [line for line in theirs if line in ours] == ours


def test_keyword_lists_leave_out_what_is_not_run(run: Run) -> None:
    listed = run(HAPY, "-dKall -q -c -f EMPTY").stdout
    assert "\ttimeout connect\n" in listed
    assert "\tbind <addr> maxconn +1\n" in listed
    assert "\thttp-request set-header\n" in listed
    assert "\tlua-load" not in listed
    assert "# List of registered service names:\n" in listed


def test_keyword_classes_can_be_listed(run: Run) -> None:
    assert "smp: sample fetch functions\n" in run(HAPY, "-dKhelp -q -c -f EMPTY").stdout


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("tset", "hapy: there is no command 'tset'; did you mean 'test'?\n"),
        ("haproxy.cfg", "hapy: to run a configuration file, write: hapy -f haproxy.cfg\n"),
        ("nothing", "hapy: there is no command 'nothing'\n"),
    ],
)
def test_a_stray_word(word: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.endswith(told)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("-f none", "no *.cfg file in none"),
        ("--nope", "'--nope' is not understood here"),
        ("-sf 0", "'0' is not understood"),
    ],
)
def test_the_reason_stands_below_the_overview(run: Run, line: str, told: str) -> None:
    assert run(HAPY, line).stderr.rpartition("\n\nhapy: ")[2].startswith(told)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    try:
        status = main([command, "--help"] if command else ["--help"])
    except SystemExit as end:  # argparse's way
        status = end.code if isinstance(end.code, int) else 1
    shown = capsys.readouterr()
    lines = (shown.out + shown.err).splitlines()
    assert status in (0, 1)  # HAProxy's help ends with 1
    assert lines
    assert [line for line in lines if len(line) > 80] == []


def test_a_library_that_finds_no_memory_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(program: Program) -> int:
        raise ImportError("_ctypes.so: failed to map segment from shared object")

    monkeypatch.setattr(Program, "run", start)
    assert main(["-f", "x"]) == 1
    assert capsys.readouterr().err.endswith("[haproxy.main()] There is not enough memory to start.\n")


def test_another_import_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(program: Program) -> int:
        raise ImportError("no such module")

    monkeypatch.setattr(Program, "run", start)
    with pytest.raises(ImportError, match="no such module"):
        main(["-f", "x"])
