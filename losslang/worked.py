"""Running the worked examples of a file: every ``check`` on a backend, in double precision.

An example is a closed graph. It takes the way of a loss (rewriting, emission, loading), so that it
proves what a user of the definition gets, and not only the formula.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from losslang import model as m
from losslang.backends import emit, load
from losslang.checker import LoweredCheck, lower_checks
from losslang.devices import surroundings
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


#: How many examples are compiled at once: a compiler's start costs more than an example.
_TOGETHER = 20

Runner = Callable[[], Sequence[tuple[Any, Any]]]


class Worked:
    """Every ``check`` of a file, lowered and rewritten once, to be run on any backend that is installed."""

    def __init__(self, file: m.File, path: str | None) -> None:
        self._path = path
        self._examples = list(lower_checks(file, path, gradient))
        self._functions = [
            _function(at, lowered) for at, (_, lowered, _) in enumerate(self._examples) if lowered is not None
        ]

    def run(self, backend: str, device: str | None = None) -> Iterator[Outcome]:
        """What became of each, in their order, computed on a device (by default where the framework would)."""
        numbers = self._numbers(backend, device)
        for statement, lowered, problems in self._examples:
            if lowered is None:
                problem = "; ".join(d.message for d in problems)
                yield Outcome(statement, self._path, False, problem=problem)
                continue
            found, expected = next(numbers)
            passed = _holds(lowered, found, expected)
            yield Outcome(statement, self._path, passed, found, expected, lowered.within)

    def _numbers(self, backend: str, device: str | None) -> Iterator[tuple[float, float]]:
        real, precise = _double(backend)
        there = surroundings(backend, device)
        for at in range(0, len(self._functions), _TOGETHER):
            functions = self._functions[at : at + _TOGETHER]
            loaded = load(emit(functions, backend), backend)
            calls = [loaded[function.name] for function in functions]
            with there(), precise():
                run = _compiled(backend, calls, real)
                numbers = [(float(found), float(expected)) for found, expected in run()]
            yield from numbers


def _function(at: int, lowered: LoweredCheck) -> Function:
    graph = lowered.graph
    roots = rewrite([graph.real(lowered.value), graph.real(lowered.expected)], trace=Trace())
    return Function(f"example_{at}", (), tuple(Result(root, ()) for root in roots))


def _compiled(backend: str, calls: Sequence[Callable[[Any], tuple[Any, Any]]], real: Any) -> Runner:
    """All calls as one. JAX runs losses under ``jit``, and compiles each operation by itself without it."""

    def run() -> list[tuple[Any, Any]]:
        return [call(real) for call in calls]

    if backend != "jax":
        return run
    import jax

    compiled: Runner = jax.jit(run)
    return compiled


def _double(backend: str) -> tuple[Any, Callable[[], AbstractContextManager[Any]]]:
    """The backend's double type, and what makes the surroundings of its use."""
    if backend == "torch":
        import torch

        return torch.float64, nullcontext
    if backend == "jax":
        import jax

        return jax.numpy.float64, lambda: jax.enable_x64(True)
    import numpy

    return numpy.float64, nullcontext


def _holds(lowered: LoweredCheck, found: float, expected: float) -> bool:
    if lowered.op == "==":
        return found == expected or abs(found - expected) <= lowered.within
    return bool(_COMPARE[lowered.op](found, expected))
