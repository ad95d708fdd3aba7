"""What the compiled modules (`setup.py`) need of the code around them, and when their sources are used instead."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hapy import compiled

ROOT = Path(__file__).parents[2]
COMPILED = re.findall(r'^    "(hapy[^"]*)",$', (ROOT / "setup.py").read_text(), re.MULTILINE)
FILES = {
    file
    for name in COMPILED
    for file in ([ROOT / name] if name.endswith(".py") else (ROOT / name).glob("*.py"))
    if file.name != "__init__.py"
}


def _classes(files: set[Path]) -> Iterator[tuple[Path, ast.ClassDef]]:
    for file in sorted(files):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                yield file, node


def test_all_of_them_exist() -> None:
    assert len(FILES) > 40
    assert all(file.exists() for file in FILES)


def test_classes_that_sources_inherit_from_say_so() -> None:
    closed = {
        node.name
        for _, node in _classes(FILES)
        if not any("allow_interpreted_subclasses" in ast.unparse(each) for each in node.decorator_list)
    }
    others = {*(ROOT / "hapy").rglob("*.py")} - FILES
    found = [
        f"{file.relative_to(ROOT)}: {node.name}({base.id})"
        for file, node in _classes(others)
        for base in node.bases
        if isinstance(base, ast.Name) and base.id in closed
    ]
    assert not found, found


def test_floats_are_compared_by_value() -> None:
    """In compiled modules a float is no object: `is` says nothing."""
    found = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in sorted((ROOT / "hapy").rglob("*.py"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if re.search(r"\bis (not )?NEVER\b", line)
    ]
    assert not found, found


@pytest.mark.parametrize("word", ["", "no"])
def test_sources_when_asked_for(word: str) -> None:
    if not compiled._LIBRARY.exists():
        pytest.skip("nothing is compiled here")
    code = (
        "import sys; from hapy import compiled; import hapy.proxy.path as path, hapy.net.stream as stream;"
        "assert compiled.is_used() == (not path.__file__.endswith('.py')) == (not stream.__file__.endswith('.py'));"
        "print(compiled.is_used(), compiled._outdated())"
    )
    environment = {**os.environ, "HAPY_COMPILE": word}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    used, outdated = run.stdout.split()
    assert used == str(word != "no" and outdated == "False")


@pytest.mark.parametrize("word", ["", "no"])
def test_everything_can_be_loaded_ahead(word: str) -> None:
    """Before `chroot` all modules are, and the compiled ones' shared library is among them."""
    command = [sys.executable, "-c", "import hapy.processes; hapy.processes.load_everything()"]
    environment = {**os.environ, "HAPY_COMPILE": word}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
