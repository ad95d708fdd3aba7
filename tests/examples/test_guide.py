from __future__ import annotations

from examples.guide import FOLDER, ORDER, README, with_guide


def test_the_readme_shows_the_examples_as_they_are() -> None:
    readme = README.read_text()
    assert with_guide(readme) == readme, "run `python -m examples.guide`"


def test_every_example_stands_in_the_guide() -> None:
    assert {path.stem for path in FOLDER.glob("*.cfg")} - {"quickstart"} == set(ORDER)
