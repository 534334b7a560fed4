"""What verification found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["passed", "failed", "undecided", "not_applicable"]

GUARANTEES: dict[int, tuple[str, str]] = {
    1: (
        "finite",
        "Finite inputs of the declared kinds never give NaN, nor infinity where the truth is finite.",
    ),
    2: ("accurate", "Value and gradients match a high-precision evaluation of the formula as written."),
    3: ("masked", "Garbage in masked-out places changes nothing, gradients included."),
    4: ("splittable", "The batch in pieces, combined, gives the value and gradients of the whole."),
    5: ("same", "NumPy, PyTorch and JAX agree."),
    6: ("accounted", "The weighted terms add up to the total."),
}


@dataclass(frozen=True)
class Worst:
    """The case that came closest to breaking a guarantee, or broke it.

    ``place``: what was compared (``total``, ``term nll``, ``gradient of logits[0, 2]``); ``error`` is
    the difference, ``allowed`` the tolerance there. ``inputs`` are keyword arguments for the compiled
    loss as nested lists, in the type ``dtype`` for what is floating.
    """

    case: str
    place: str
    got: float
    expected: float
    error: float
    allowed: float
    dtype: str
    inputs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One guarantee on one backend. ``backend`` is empty where no single one is meant; ``axis`` names
    the axis that a split was tried along."""

    guarantee: int
    backend: str
    status: Status
    reason: str
    worst: Worst | None = None
    axis: str | None = None
    cases: int = 0
    undecided: int = 0

    @property
    def name(self) -> str:
        return GUARANTEES[self.guarantee][0]


@dataclass(frozen=True)
class Report:
    """Everything found about one loss."""

    loss: str
    seed: int
    backends: tuple[str, ...]
    findings: tuple[Finding, ...]
    cases: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether nothing failed (what could not be decided does not count as a failure)."""
        return not any(f.status == "failed" for f in self.findings)

    def failures(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.status == "failed")

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists, with infinities and NaN as strings."""
        return {
            "loss": self.loss,
            "passed": self.passed,
            "seed": self.seed,
            "backends": list(self.backends),
            "cases": self.cases,
            "seconds": round(self.seconds, 3),
            "findings": [_finding_json(f) for f in self.findings],
        }


def _finding_json(finding: Finding) -> dict[str, Any]:
    worst = finding.worst
    return {
        "guarantee": finding.guarantee,
        "name": finding.name,
        "backend": finding.backend or None,
        "axis": finding.axis,
        "status": finding.status,
        "reason": finding.reason,
        "cases": finding.cases,
        "undecided": finding.undecided,
        "worst": None
        if worst is None
        else {
            "case": worst.case,
            "place": worst.place,
            "got": plain(worst.got),
            "expected": plain(worst.expected),
            "error": plain(worst.error),
            "allowed": plain(worst.allowed),
            "dtype": worst.dtype,
            "inputs": plain(worst.inputs),
        },
    }


def plain(value: Any) -> Any:
    """``value`` as JSON can hold it."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value
