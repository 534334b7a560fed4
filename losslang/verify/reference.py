"""What a case is truly worth, computed once and shared by all backends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslang.ir import Node
from losslang.kinds import DIFFERENTIABLE
from losslang.lowered import LoweredLoss
from losslang.truth import Truth, truth, truth_gradient
from losslang.verify.inputs import Array, Case

GradientKey = tuple[str, str | None]
#: How many more moves of the inputs are tried before a result is called wrong.
MORE_MOVES = 8
UNDECIDING = ("label", "mask", "binary", "sign", "count", "weight")


@dataclass(frozen=True)
class Expected:
    """True values in a given order of axes; ``radius`` is that of a set of subgradients."""

    values: NDArray[np.float64]
    decided: NDArray[np.bool_]
    radius: NDArray[np.float64]

    @staticmethod
    def of(found: Truth, axes: Sequence[str]) -> Expected:
        order = [found.array.axes.index(a) for a in axes]
        return Expected(
            found.floats(axes), np.transpose(found.decided, order), np.transpose(found.radius, order)
        )


def computing_type(lowered: LoweredLoss, dtype: str) -> str:
    """The type that a loss computes in when its floating inputs have type ``dtype``."""
    decides = any(each.kind.name not in UNDECIDING for each in lowered.inputs)
    return "float64" if dtype == "float64" and decides else "float32"


def value_nodes(lowered: LoweredLoss) -> dict[str, tuple[Node, tuple[str, ...]]]:
    """Everything a call returns, with the order of its axes."""
    graph = lowered.graph
    found: dict[str, tuple[Node, tuple[str, ...]]] = {"total": (lowered.total, ())}
    for term in lowered.terms:
        found[f"term {term.name}"] = (term.node, ())
        if term.weight is not None:
            found[f"weighted {term.name}"] = (graph.apply("mul", term.weight, term.node), ())
    if lowered.offset is not None:
        found["weighted offset"] = (lowered.offset, ())
    for report in lowered.reports:
        found[f"report {report.name}"] = (report.node, report.axes)
    return found


def gradient_leaves(lowered: LoweredLoss) -> dict[GradientKey, tuple[Node, tuple[str, ...]]]:
    """The inputs that are differentiated by default."""
    return {
        (each.name, leaf.key): (leaf.node, leaf.axes)
        for each in lowered.inputs
        for leaf in each.leaves
        if each.kind.name in DIFFERENTIABLE and leaf.node.elem == "real"
    }


class Reference:
    """The truth of one case, in parts that are computed when they are first asked for."""

    def __init__(self, lowered: LoweredLoss, case: Case, max_digits: int = 5500) -> None:
        self.lowered = lowered
        self.case = case
        self.computing = computing_type(lowered, case.dtype)
        self.max_digits = max_digits
        self._inputs: dict[str, Any] = dict(case.leaves(lowered))
        self._nodes = value_nodes(lowered)
        self._leaves = gradient_leaves(lowered)
        self._normalized = {e.name for e in lowered.inputs if e.kind.name == "logprob" and e.kind.over}

    @cached_property
    def values(self) -> dict[str, Expected]:
        return self._values(self._inputs)

    @cached_property
    def gradients(self) -> dict[GradientKey, Expected]:
        """Where the total is undefined (as 0 / 0) so is its gradient; where it is infinite, no number is wrong."""
        found = self._gradients(self._inputs)
        total = self.values["total"]
        if not total.decided or np.isfinite(total.values):
            return found
        if np.isnan(total.values):
            return {key: replace(e, values=np.full_like(e.values, np.nan)) for key, e in found.items()}
        return {key: replace(e, radius=np.full_like(e.radius, np.inf)) for key, e in found.items()}

    @cached_property
    def subgradients(self) -> dict[GradientKey, Expected]:
        """Balls that hold every subgradient."""
        return self._gradients(self._inputs, subgradients=True)

    def size_of(self, key: GradientKey) -> float:
        """The largest number of an input, at most 1: what its gradient is measured per."""
        array = np.abs(np.asarray(self._inputs[self._leaves[key][0].attr[0]], np.float64))
        return float(min(array.max(initial=0.0), 1.0)) or 1.0

    def _values(self, inputs: dict[str, Any]) -> dict[str, Expected]:
        nodes = [node for node, _ in self._nodes.values()]
        found = truth(nodes, inputs, self.case.sizes, computing=self.computing, max_digits=self.max_digits)
        return {
            name: Expected.of(t, axes)
            for (name, (_, axes)), t in zip(self._nodes.items(), found, strict=True)
        }

    def _gradients(self, inputs: dict[str, Any], subgradients: bool = False) -> dict[GradientKey, Expected]:
        if not self._leaves:
            return {}
        found = truth_gradient(
            self.lowered.total,
            [node for node, _ in self._leaves.values()],
            inputs,
            self.case.sizes,
            computing=self.computing,
            max_digits=2 * self.max_digits,
            subgradients=subgradients,
        )
        return {
            key: Expected.of(t, axes) for (key, (_, axes)), t in zip(self._leaves.items(), found, strict=True)
        }

    # -- how far one unit in the last place of the inputs moves the truth -----------------------------

    @cached_property
    def _moved_inputs(self) -> list[dict[str, Any]]:
        """The inputs with every real moved by one unit in the last place, signs at random (twice, and once
        each way together)."""
        rng = np.random.default_rng(0)
        ways = (rng.choice, rng.choice, lambda c, n: np.ones(n), lambda c, n: -np.ones(n))
        return [self._moved(directions) for directions in ways]

    @cached_property
    def _more_moved_inputs(self) -> list[dict[str, Any]]:
        """More of them, since two moves that cancel (of x - y) may have been drawn alike before."""
        rng = np.random.default_rng(1)
        return [self._moved(rng.choice) for _ in range(MORE_MOVES)]

    def _moved(self, directions: Callable[..., Any]) -> dict[str, Any]:
        return {
            name: _stepped(array, directions((-1.0, 1.0), array.shape), name in self._normalized)
            if array.dtype.kind == "f"
            else array
            for name, array in self._inputs.items()
        }

    def value_movements(self, name: str) -> Iterator[NDArray[np.float64]]:
        """How far the moves carry a value: at first few of them, then more, which cost more."""
        yield self.value_movement[name]
        yield np.maximum(self.value_movement[name], self._wide_value_movement[name])

    def gradient_movements(self, key: GradientKey) -> Iterator[NDArray[np.float64]]:
        """The same of a gradient."""
        yield self.gradient_movement[key]
        yield np.maximum(self.gradient_movement[key], self._wide_gradient_movement[key])

    @cached_property
    def value_movement(self) -> dict[str, NDArray[np.float64]]:
        found: dict[str, NDArray[np.float64]] = self._movement(
            self.values, [self._values(i) for i in self._moved_inputs]
        )
        return found

    @cached_property
    def gradient_movement(self) -> dict[GradientKey, NDArray[np.float64]]:
        found: dict[GradientKey, NDArray[np.float64]] = self._movement(
            self.gradients, [self._gradients(i) for i in self._moved_inputs]
        )
        return found

    @cached_property
    def _wide_value_movement(self) -> dict[str, NDArray[np.float64]]:
        found: dict[str, NDArray[np.float64]] = self._movement(
            self.values, [self._values(i) for i in self._more_moved_inputs]
        )
        return found

    @cached_property
    def _wide_gradient_movement(self) -> dict[GradientKey, NDArray[np.float64]]:
        found: dict[GradientKey, NDArray[np.float64]] = self._movement(
            self.gradients, [self._gradients(i) for i in self._more_moved_inputs]
        )
        return found

    def _movement(self, base: Any, moved: list[Any]) -> Any:
        found = {}
        with np.errstate(all="ignore"):
            for key, expected in base.items():
                largest = np.zeros(expected.values.shape)
                for other in moved:
                    gap = np.abs(other[key].values - expected.values)
                    same = other[key].values == expected.values
                    gap = np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap))
                    largest = np.maximum(largest, gap)
                found[key] = largest
        return found


def _stepped(array: Array, signs: Any, normalized: bool = False) -> Array:
    """Each number moved to its neighbour; 0 and 1 stay, being exact where they mean something.

    Logarithms of what adds up to 1 are moved by at least what their sum is rounded to.
    """
    limits = np.finfo(array.dtype)
    next_one = np.nextafter(
        array, np.where(np.asarray(signs) > 0, limits.max, limits.min).astype(array.dtype)
    )
    if normalized:
        far = array + np.asarray(signs, array.dtype) * limits.eps
        next_one = np.where(np.abs(array) < 1, np.minimum(far, 0), next_one)
    return np.where((array == 0) | (array == 1), array, next_one).astype(array.dtype)
