"""Diagnostics as the workflow commands that GitHub shows beside the changed lines."""

from __future__ import annotations

from collections.abc import Sequence

from losslang.diagnostics import Diagnostic


def render(diagnostics: Sequence[Diagnostic]) -> str:
    """One ``::error …`` or ``::warning …`` line for each diagnostic."""
    return "".join(f"{_command(d)}\n" for d in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    properties = {"title": diagnostic.code}
    if diagnostic.path is not None:
        properties = {"file": diagnostic.path, **properties}
    if span.line:
        properties |= {"line": str(span.line), "col": str(span.column)}
        properties |= {"endLine": str(span.end_line), "endColumn": str(span.end_column)}
    text = diagnostic.message + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")
    listed = ",".join(f"{name}={_escape(value, property=True)}" for name, value in properties.items())
    return f"::{diagnostic.severity} {listed}::{_escape(text)}"


def _escape(text: str, property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property else text
