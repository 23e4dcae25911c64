"""Marks of what ``make test-long`` repeats, read from the tests' source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.house.rules import Definition, Module

HOME = "tests/deep.py"
"""Module with the functions that mark: ``long`` is told what shows the rule for less, the others leave the
first cases of their test unmarked."""


@dataclass(frozen=True)
class LongMark:
    """A call of ``long``: where it stands, and which shorter test it names."""

    where: str
    shown: str | None


def marks(house: list[Module]) -> Iterator[LongMark]:
    """Every mark of the tests; without a name where the argument is no plain text."""
    for module in house:
        if module.is_test and module.path != HOME and "long(" in module.source:
            for node in module.nodes:
                if isinstance(node, ast.Call) and _is_mark(node):
                    yield LongMark(f"{module.path}:{node.lineno}", _shown(node))


def _shown(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def marked_by_hand(house: list[Module]) -> Iterator[str]:
    """Modules that write the mark themselves, past the function that asks for a reason."""
    for module in house:
        if module.is_test and module.path != HOME and "mark.long" in module.source:
            for node in module.nodes:
                if isinstance(node, ast.Attribute) and ast.unparse(node) == "pytest.mark.long":
                    yield f"{module.path}:{node.lineno}"


def short_tests(house: list[Module]) -> set[str]:
    """Tests of which at least one case is in ``make test``."""
    return {
        f"{module.path}::{name.replace('.', '::')}"
        for module in house
        if module.is_test and not _is_long(module.tree)
        for name, node in module.definitions
        if isinstance(node, Definition) and name.rpartition(".")[2].startswith("test_")
        if not _is_decorated(node)
    }


def _is_long(tree: ast.Module) -> bool:
    """Whether the whole module is marked."""
    return any(
        isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "pytestmark"
        and any(_is_mark(part) for part in ast.walk(node.value))
        for node in tree.body
    )


def _is_decorated(node: ast.AST) -> bool:
    return any(_is_mark(decorator) for decorator in getattr(node, "decorator_list", []))


def _is_mark(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "long"
