"""Every diagnostic that losslang can give: one row a code.

The families: LL0 syntax and files, LL1 names and imports, LL2 kinds and axes, LL3 numerics and
lints (warnings), LL4 backends and compiling, LL9 mistakes of ours. A code keeps its meaning for
good; one that is no longer given leaves a gap. ``losslang explain CODE`` and the documentation
print these rows, and a test runs every bad example (it must give its code) and good one (it
must not).
"""

from __future__ import annotations

from dataclasses import dataclass

from losslang.diagnostics import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """A row. ``what`` says what it reports, ``why`` why that is a problem; ``bad`` and ``good`` are
    texts of specs, empty where no text can show it."""

    code: str
    name: str
    severity: Severity
    what: str
    why: str
    bad: str = ""
    good: str = ""


CODES: dict[str, Code] = {}


def code(
    id: str, name: str, severity: Severity, *, what: str, why: str, bad: str = "", good: str = ""
) -> None:
    """Add a row."""
    if id in CODES:
        raise ValueError(f"{id} has two rows")
    CODES[id] = Code(id, name, severity, what, why, bad, good)


def titles() -> dict[str, str]:
    """One sentence for each code."""
    return {row.code: row.what for row in CODES.values()}


def explain(code: str) -> str:
    """The row of a code as text.

    Raises:
        KeyError: there is no such code.
    """
    row = CODES[code.upper()]
    parts = [f"{row.code} {row.name} ({row.severity})", row.what, row.why]
    parts += [
        f"{label}:\n\n{_indented(text)}" for label, text in (("Bad", row.bad), ("Good", row.good)) if text
    ]
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())
