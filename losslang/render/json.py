"""Diagnostics for programs: a list of flat objects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from losslang.diagnostics import Diagnostic, Fix, Related
from losslang.source import Span


def render(diagnostics: Sequence[Diagnostic]) -> str:
    """A JSON array; ``path`` is null for a text, positions are 0 where there is none."""
    return json.dumps([as_object(d) for d in diagnostics], indent=2, ensure_ascii=False) + "\n"


def as_object(diagnostic: Diagnostic) -> dict[str, Any]:
    """One diagnostic as plain data."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "path": diagnostic.path,
        **_position(diagnostic.span),
        "help": diagnostic.help,
        "related": [_related(r, diagnostic.path) for r in diagnostic.related],
        "fix": _fix(diagnostic.fix),
    }


def _position(span: Span) -> dict[str, int]:
    return {
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _related(related: Related, home: str | None) -> dict[str, Any]:
    return {"label": related.label, "path": related.path or home, **_position(related.span)}


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    edits = [{**_position(edit.span), "replacement": edit.replacement} for edit in fix.edits]
    return {"title": fix.title, "safe": fix.safe, "edits": edits}
