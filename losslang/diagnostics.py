"""What the compiler says about a spec: data first, text made last (by ``losslang.render``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from losslang.source import NOWHERE, Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that a diagnostic speaks of, with its label."""

    label: str
    span: Span
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text at ``span``; an empty span inserts."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that remove the problem. Safe means: same values, same gradients."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem of a spec.

    ``code`` is stable (see ``losslang.codes``); ``message`` is one plain sentence; ``help`` says
    what to write instead; ``path`` is None for a spec given as text.
    """

    code: str
    severity: Severity
    message: str
    span: Span = NOWHERE
    help: str = ""
    path: str | None = None
    related: tuple[Related, ...] = field(default=())
    fix: Fix | None = None

    @property
    def line(self) -> int:
        return self.span.line

    @property
    def column(self) -> int:
        return self.span.column

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def __str__(self) -> str:
        where = f"{self.path or '<text>'}:{self.line}:{self.column}"
        text = f"{where}: {self.severity}[{self.code}]: {self.message}"
        return f"{text}\n  help: {self.help}" if self.help else text

    def sort_key(self) -> tuple[str, Span, str, str]:
        return (self.path or "", self.span, self.code, self.message)
