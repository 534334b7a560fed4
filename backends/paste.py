"""Cuts helper functions out of a backend's file of helpers, with everything that they use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path


@cache
def _pieces(files: tuple[str, ...]) -> dict[str, tuple[str, frozenset[str]]]:
    """Every top-level ``_name`` of the files: its text, and the other such names that it mentions."""
    pieces: dict[str, str] = {}
    for file in files:
        text = Path(__file__).with_name(file).read_text(encoding="utf-8")
        lines = text.splitlines()
        for statement in ast.parse(text).body:
            name = _defined(statement)
            if name is not None:
                decorators = getattr(statement, "decorator_list", [])
                first = min([statement.lineno, *(d.lineno for d in decorators)])
                pieces[name] = "\n".join(lines[first - 1 : statement.end_lineno])
    return {name: (piece, _mentions(piece) & pieces.keys() - {name}) for name, piece in pieces.items()}


def _defined(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.FunctionDef):
        return statement.name
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def _mentions(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"(?<![\w.])_\w+", text))


def helpers_for(text: str, files: tuple[str, ...]) -> list[str]:
    """The pieces of ``files`` that ``text`` needs, in their order."""
    pieces = _pieces(files)
    needed: set[str] = set()
    todo: Iterable[str] = _mentions(text) & pieces.keys()
    while todo:
        needed.update(todo)
        todo = frozenset().union(*(pieces[name][1] for name in todo)) - needed
    return [piece for name, (piece, _) in pieces.items() if name in needed]
