"""Whether a result is as close to the truth as the guarantees ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslang.verify.reference import Expected, Reference
from losslang.verify.subject import Results

VALUE_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 1e-4
#: Numbers below this need only be as right as numbers of this size.
SMALL = 2.0**-10
#: So near the largest number of a type, a step on the way may overflow.
HEADROOM = 64.0
#: How many roundings a result may carry.
ROUNDINGS = 4.0
#: What parts that cancel to exactly 0 may leave in float64, per unit of their size: functions are approximated to
#: more digits than the guarantees ask for, not to the last, and of a truth of 0 no share can be allowed.
LEFT_OF_ZERO = 1e-10


@dataclass(frozen=True)
class Mark:
    """How one array fared. ``excess`` is the worst error over what is allowed (more than 1 is wrong);
    ``finite`` is False where that is a NaN or an infinity that should not be."""

    place: str
    got: float
    expected: float
    error: float
    allowed: float
    excess: float
    finite: bool
    undecided: int

    @property
    def good(self) -> bool:
        return self.excess <= 1.0


def marks(reference: Reference, results: Results) -> Iterator[Mark]:
    """One mark for every array of a result.

    What one unit in the last place of the inputs moves, and the subgradients at kinks, are only
    looked into where the plain tolerance is not met: they cost several evaluations.
    """
    for name, expected in reference.values.items():
        mark = compare(name, results.values[name], expected, VALUE_TOLERANCE, None)
        if not mark.good:
            for moved in reference.value_movements(name):
                mark = compare(name, results.values[name], expected, VALUE_TOLERANCE, moved)
                if mark.good:
                    break
        yield mark
    steepest = _steepest(reference)
    for key, expected in reference.gradients.items():
        place = f"gradient of {key[0]}" + (f"[{key[1]!r}]" if key[1] is not None else "")
        got = results.gradients[key]
        floor = float(np.finfo(np.float32).eps) * _largest(expected)
        scale = max(steepest, 1.0 / reference.size_of(key))
        mark = compare(place, got, expected, GRADIENT_TOLERANCE, None, scale, floor)
        if not mark.good:
            for moved in reference.gradient_movements(key):
                mark = compare(place, got, expected, GRADIENT_TOLERANCE, moved, scale, floor)
                if mark.good:
                    break
        if not mark.good:
            mark = _at_kinks(mark, got, reference.subgradients[key], moved)
        yield mark


def _steepest(reference: Reference) -> float:
    """The largest finite element of any gradient."""
    return max((_largest(e) for e in reference.gradients.values()), default=0.0)


def _largest(expected: Expected) -> float:
    return float(np.abs(expected.values[np.isfinite(expected.values)]).max(initial=0.0))


def _at_kinks(mark: Mark, got: Any, balls: Expected, moved: NDArray[np.float64]) -> Mark:
    """The mark against the subgradients, where there are any to choose among."""
    wide = balls.radius > 1e-6 * np.abs(balls.values)
    if not wide.any():
        return mark
    again = compare(
        mark.place, got, replace(balls, decided=np.ones_like(balls.decided)), GRADIENT_TOLERANCE, moved
    )
    return again if again.good else mark


def compare(
    place: str,
    got: Any,
    expected: Expected,
    relative: float,
    moved: NDArray[np.float64] | None,
    scale: float = 1.0,
    floor: float = 0.0,
) -> Mark:
    """The worst element of ``got``.

    Beyond the largest number of its type a result may be infinite, and below the smallest normal one it
    may be 0. Where the truth is undefined (NaN) nothing is asked; ``undecided`` counts what no
    precision could tell. A truth of exactly 0 has no relative error: there a few roundings of numbers
    as large as ``scale`` are allowed. ``floor`` is allowed everywhere.
    """
    value = np.asarray(got)
    kind = value.dtype if value.dtype.kind == "f" else np.dtype(np.float64)
    limits = np.finfo(kind)
    largest, tiny, eps = float(limits.max), float(limits.tiny), float(limits.eps)
    g = value.astype(np.float64)
    e = np.broadcast_to(expected.values, g.shape)
    with np.errstate(all="ignore"):
        size = np.abs(e)
        rounding = ROUNDINGS * min(eps, float(np.finfo(np.float32).eps))
        allowed = (relative + eps) * np.where(np.isfinite(size), size, 0.0) + tiny + rounding * SMALL
        # What cancels to 0 were shares and weights, numbers of about 1 for an input of about 1.
        left = max(rounding, LEFT_OF_ZERO)
        allowed = allowed + np.where(size <= tiny, left * max(scale, 1.0), 0.0) + floor
        allowed = allowed + np.where(np.isnan(expected.radius), np.inf, expected.radius)
        if moved is not None:
            allowed = allowed + 2.0 * moved
        error = np.abs(g - e)
        beyond = size + np.where(np.isfinite(allowed), allowed, 0.0) >= largest * (1 - 1e-3)
        excess = np.where(np.isinf(allowed), 0.0, error / allowed)
        infinite_right = beyond & (np.isinf(g) | (np.abs(g) >= largest * 0.99) | (error <= allowed))
        excess = np.where(infinite_right, 0.0, excess)
        excess = np.where(beyond & ~infinite_right, np.inf, excess)
        near = beyond | (size * HEADROOM >= largest)
        excess = np.where(np.isinf(g) & near, 0.0, excess)
        excess = np.where(np.isinf(g) & ~near & np.isfinite(allowed), np.inf, excess)
        excess = np.where(np.isnan(g), np.inf, excess)
        skip = np.isnan(e) | ~expected.decided
    excess = np.where(skip, 0.0, excess)
    undecided = int(np.sum(~expected.decided))
    if not g.size:
        return Mark(place, 0.0, 0.0, 0.0, 0.0, 0.0, True, undecided)
    at = np.unravel_index(int(np.argmax(np.where(np.isinf(excess), 1e300, excess))), g.shape)
    unbounded = near[at] or np.isinf(allowed[at])
    finite = not (np.isnan(g[at]) or (np.isinf(g[at]) and not unbounded)) or bool(skip[at])
    shown = place + (f"[{', '.join(map(str, map(int, at)))}]" if g.ndim else "")
    return Mark(
        shown,
        float(g[at]),
        float(e[at]),
        float(error[at]),
        float(allowed[at]),
        float(excess[at]),
        finite,
        undecided,
    )
