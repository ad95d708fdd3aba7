"""The catalogue of codes: complete, and its examples are right."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import hapy_config
from hapy_config import read_text
from hapy_config.codes import catalogue, matching, nearest
from hapy_config.codes.spec import Code
from hapy_config.lint import lint

#: Made by a function of the check command's or by a reader of other versions, out of no text alone.
WITHOUT_EXAMPLE = frozenset(
    {
        "bad-authority",  # needs a file
        "bad-state-file",  # needs a file
        "bad-case-file",  # needs a file
        "bad-ciphers",  # speaks of the TLS library
        "bad-error-file",  # needs a file
        "bad-name-server",  # needs a file
        "bad-ticket-keys",  # needs a file
        "bad-quoting",  # the other faults of quoting have codes of their own
        "bad-spoe",  # needs a file
        "ignored-message",  # needs a file
        "missing-name-servers",  # speaks of a file that is usually there
        "small-buffer",
        "unknown-code",  # of the ignore comments
        "unreadable-file",  # needs a file
        "unused-ignore",
        "zero-warning",  # made by the report
    }
)


def found(text: str) -> set[str]:
    result = read_text(text, env={}, lookup=lambda name, family: "." not in name, assume_machine=True)
    return {one.code for one in (*result.diagnostics, *result.not_run, *lint(result))}


@pytest.mark.parametrize("code", [code for code in catalogue().values() if code.bad], ids=lambda code: code.name)
def test_examples(code: Code) -> None:
    assert code.name in found(code.example(code.bad))
    assert not code.good or code.name not in found(code.example(code.good))


def test_who_has_no_example() -> None:
    assert {name for name, code in catalogue().items() if not code.bad} <= WITHOUT_EXAMPLE


def written_codes() -> set[str]:
    """Every code that the sources of `hapy_config` write as a literal."""
    makers = {"error", "warning", "alert", "environment", "notice", "diag", "Diagnostic", "_error", "lacking"}
    codes: set[str] = set()
    for path in Path(hapy_config.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            values = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            if name in makers and node.args:
                values.append(node.args[0])
            codes |= {one.value for one in values if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return codes


def test_every_code_is_documented() -> None:
    assert written_codes() - set(catalogue()) == set()


def test_texts_are_sentences() -> None:
    for code in catalogue().values():
        assert code.about.endswith("."), code.name
        assert "\n" not in code.about


def test_prefixes_and_near_misses() -> None:
    assert matching("bad-acl") == ["bad-acl"]
    assert {"unknown-backend", "unknown-server"} <= set(matching("unknown"))
    assert matching("unk") == []
    assert nearest("unknown-backnd") == "unknown-backend"
