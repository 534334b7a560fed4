"""What to say about a mistake: rows of ``grammar/mistakes.json`` filled in."""

from __future__ import annotations

import functools
import json
from typing import Any

from losslang.diagnostics import Diagnostic
from losslang.parse.build import Problem
from losslang.parse.tables import GRAMMAR

MISTAKES = GRAMMAR.with_name("mistakes.json")


@functools.cache
def table() -> dict[str, dict[str, Any]]:
    """The rows by id."""
    rows = json.loads(MISTAKES.read_text("utf-8"))
    return {row["id"]: row for row in rows}


def diagnostic(problem: Problem, path: str | None) -> Diagnostic:
    """A problem as a diagnostic, in words."""
    row_id, span, data = problem
    row = table()[row_id]
    return Diagnostic(
        code=row["code"],
        severity="error",
        message=row["message"].format_map(data),
        span=span,
        help=data.get("help") or row["help"].format_map(data),
        path=path,
    )
