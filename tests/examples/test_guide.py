from __future__ import annotations

import pytest

from examples.guide import FOLDER, ORDER, README, header, with_guide
from hapy.commands.check import main as check
from hapy.commands.fmt import main as fmt

EXAMPLES = sorted(FOLDER.glob("*.cfg"))


def test_the_readme_shows_the_examples_as_they_are() -> None:
    readme = README.read_text()
    assert with_guide(readme) == readme, "run `python -m examples.guide`"


def test_every_example_stands_in_the_guide() -> None:
    assert {path.stem for path in EXAMPLES} - {"quickstart"} == set(ORDER)


def test_examples_are_laid_out_as_fmt_does() -> None:
    assert fmt(["--check", *map(str, EXAMPLES)]) == 0


def test_examples_are_free_of_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    for path in EXAMPLES:
        assert check(["--strict", str(path)]) == 0, capsys.readouterr().out


def test_what_an_example_needs_is_made_first() -> None:
    told = header(FOLDER / "tls_termination.cfg")
    assert told.first.startswith("mkdir -p /tmp/certs;")
    assert told.first.count("\\\n") == 2
    assert [command.partition(" ")[0] for command in told.commands] == ["curl", "curl", "curl"]
    assert told.remark.startswith("Each name")
    assert header(FOLDER / "per_request.cfg").first == ""
