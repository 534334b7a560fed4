"""Running the worked examples of a file: every ``check`` on a backend, in double precision.

An example is a closed graph. It takes the way of a loss (rewriting, emission, loading), so that it
proves what a user of the definition gets, and not only the formula.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from losslang import model as m
from losslang.backends import emit, load
from losslang.checker import LoweredCheck, lower_checks
from losslang.diagnostics import Diagnostic
from losslang.differentiate import gradient
from losslang.program import Function, Result
from losslang.rewrite import rewrite
from losslang.rewrite.trace import Trace

_COMPARE = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of an example. ``problem`` says why it has no value; then ``found`` is None."""

    statement: m.Check
    path: str | None
    passed: bool
    found: float | None = None
    expected: float | None = None
    within: float = 0.0
    problem: str = ""


def run_checks(file: m.File, path: str | None, backend: str) -> Iterator[Outcome]:
    """Every ``check`` of ``file`` in its order. ``backend``'s library must be installed."""
    for statement, lowered, problems in lower_checks(file, path, gradient):
        yield _outcome(statement, path, lowered, problems, backend)


def _outcome(
    statement: m.Check, path: str | None, lowered: LoweredCheck | None, problems: list[Diagnostic], backend: str
) -> Outcome:  # fmt: skip
    if lowered is None:
        return Outcome(statement, path, False, problem="; ".join(d.message for d in problems))
    found, expected = _evaluate(lowered, backend)
    passed = _holds(lowered, found, expected)
    return Outcome(statement, path, passed, found, expected, lowered.within)


def _evaluate(lowered: LoweredCheck, backend: str) -> tuple[float, float]:
    graph = lowered.graph
    roots = rewrite([graph.real(lowered.value), graph.real(lowered.expected)], trace=Trace())
    function = Function("example", (), tuple(Result(root, ()) for root in roots))
    run = load(emit([function], backend), backend)["example"]
    real, precise = _double(backend)
    with precise:
        found, expected = run(real)
    return float(found), float(expected)


def _double(backend: str) -> tuple[Any, AbstractContextManager[Any]]:
    """The backend's double type, and what must surround its use."""
    if backend == "torch":
        import torch

        return torch.float64, nullcontext()
    if backend == "jax":
        import jax

        return jax.numpy.float64, jax.enable_x64(True)
    import numpy

    return numpy.float64, nullcontext()


def _holds(lowered: LoweredCheck, found: float, expected: float) -> bool:
    if lowered.op == "==":
        return found == expected or abs(found - expected) <= lowered.within
    return bool(_COMPARE[lowered.op](found, expected))
