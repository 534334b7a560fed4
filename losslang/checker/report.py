"""Collecting diagnostics while a spec is elaborated.

A problem found inside an inlined definition is shown where the user can mend it: at the
innermost place that belongs to the file being checked, with the other place as related.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from losslang.diagnostics import Diagnostic, Fix, Related, Severity
from losslang.source import NOWHERE, Span


def severity_of(code: str) -> Severity:
    """The family LL3xx warns, all others refuse."""
    return "warning" if code.startswith("LL3") else "error"


class Failed(Exception):
    """A part has no meaning; why is already reported. Never leaves the checker."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A call being inlined: what is called, from where, and whether the caller's text is the user's."""

    callee: str
    call_span: Span
    call_path: str | None
    caller_is_user: bool
    callee_span: Span
    callee_path: str | None


@dataclass
class Reporter:
    """``quiet`` drops warnings, for code that the user cannot change."""

    path: str | None = None
    is_user: bool = True
    diagnostics: list[Diagnostic] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    _seen: set[tuple[str, str | None, Span, str]] = field(default_factory=set)

    def add(
        self,
        code: str,
        message: str,
        span: Span,
        help: str = "",
        related: tuple[Related, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        severity = severity_of(code)
        place, path = span, self.path
        if not self.is_user:
            if severity == "warning":
                return
            for frame in reversed(self.frames):
                if frame.caller_is_user:
                    place, path = frame.call_span, frame.call_path
                    related = (
                        *related,
                        Related(f"inside {frame.callee}, defined here", frame.callee_span, frame.callee_path),
                    )
                    message = f"in `{frame.callee}`: {message}"
                    break
        key = (code, path, place, message)
        if key not in self._seen:
            self._seen.add(key)
            self.diagnostics.append(Diagnostic(code, severity, message, place, help, path, related, fix))

    def fail(
        self, code: str, message: str, span: Span, help: str = "", related: tuple[Related, ...] = ()
    ) -> Failed:
        """Report and return the exception to raise."""
        self.add(code, message, span, help, related)
        return Failed()

    @property
    def has_errors(self) -> bool:
        return any(d.is_error for d in self.diagnostics)

    def enter(
        self, callee: str, call_span: Span, path: str | None, is_user: bool, callee_span: Span = NOWHERE
    ) -> None:
        """Diagnostics are about the text of ``callee`` until :meth:`leave`."""
        self.frames.append(Frame(callee, call_span, self.path, self.is_user, callee_span, path))
        self.path, self.is_user = path, is_user

    def leave(self) -> None:
        frame = self.frames.pop()
        self.path, self.is_user = frame.call_path, frame.caller_is_user


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Room for the recursion that a spec nested as deep as the language allows needs.

    A hundred levels of brackets with chains between them, inside definitions that call each
    other, pass Python's default limit long before anything is wrong.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 20_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
