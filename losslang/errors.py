"""The exceptions a user can meet. Everything else that escapes is a bug of ours."""

from __future__ import annotations

from collections.abc import Sequence

from losslang.diagnostics import Diagnostic


class LosslangError(Exception):
    """The base of every error that losslang raises on purpose."""


class SpecError(LosslangError):
    """A spec does not make sense. ``diagnostics`` holds every problem found, not only the first."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(d) for d in self.diagnostics))

    def __reduce__(self) -> tuple[type[SpecError], tuple[tuple[Diagnostic, ...]]]:
        return type(self), (self.diagnostics,)


class InputError(LosslangError, ValueError):
    """A compiled loss was called with something that its spec does not allow.

    ``input`` and ``axis`` name the offender where there is one.
    """

    def __init__(self, message: str, input: str | None = None, axis: str | None = None) -> None:
        self.input = input
        self.axis = axis
        super().__init__(message)


class MissingBackend(LosslangError, ImportError):
    """The array library of a backend is not installed."""
