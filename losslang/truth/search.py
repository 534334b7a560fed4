"""Raising the precision until the digits that are wanted are certain."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np
from mpmath import libmp
from numpy.typing import NDArray

from losslang.ir import Node, walk
from losslang.truth.arrays import LabelledArray, Objects, axis_lengths, elementwise, ordered
from losslang.truth.ball import EXACT, NEAREST, UNKNOWN, Ball, Doubt, magnitude, plus
from losslang.truth.context import CONTEXT, Overdue, precision
from losslang.truth.gradients import backward
from losslang.truth.values import Evaluation

BITS_PER_DIGIT = 3.3219280948873626

#: Enough for what cancels among exponentials of numbers up to ten thousand.
MODERATE_BITS = 16_000

#: (smallest normal, largest, spacing at 1, and the exponent below which nothing is representable)
LIMITS = {
    "float16": (2.0**-14, 65504.0, 2.0**-10, -26),
    "float32": (2.0**-126, float.fromhex("0x1.fffffep+127"), 2.0**-23, -151),
    "float64": (2.0**-1022, float.fromhex("0x1.fffffffffffffp+1023"), 2.0**-52, -1076),
}


@dataclass(frozen=True)
class Truth:
    """What a node is worth. ``decided`` is False where even the highest precision could not tell.

    ``array`` holds mpf, int or bool, with dimensions in the order of ``array.axes``; ``radius`` is a
    bound on its error, larger than rounding only where a set was asked for (the subgradients at a
    kink); ``assumed`` tells that numbers which no precision could tell apart were taken as equal.
    """

    array: LabelledArray
    decided: NDArray[np.bool_]
    radius: NDArray[np.float64]
    digits: int
    assumed: bool

    @property
    def certain(self) -> bool:
        return bool(self.decided.all())

    def floats(self, axes: Sequence[str] | None = None) -> NDArray[np.float64]:
        return self.array.floats(axes)


def evaluate(
    nodes: Sequence[Node],
    inputs: Mapping[str, Any],
    sizes: Mapping[str, int] | None = None,
    digits: int = 30,
    *,
    computing: str = "float32",
    wary: bool = False,
) -> list[LabelledArray]:
    """Every node at one precision: object arrays of mpf (or int, or bool) with the names of their axes.

    ``inputs``: by the input nodes' names, arrays whose dimensions are in the declared order; floats
    are taken exactly. ``sizes``: lengths of axes that no input has. ``computing``: the type whose
    limits ``limit`` and ``log_saturated`` mean. Digits lost to cancellation are lost: see :func:`truth`.
    With ``wary``, what depends on ``ANYTHING`` or ``ANY_INDEX`` among the inputs is NaN, even if 0 times it.
    """
    lengths = axis_lengths(nodes, inputs, sizes)
    _limits(computing)
    shown = _if_known if wary else _public
    with precision(int(digits * BITS_PER_DIGIT) + 8, wary=wary):
        run = Evaluation(inputs, lengths)
        run.run(nodes)
        return [LabelledArray(ordered(n.axes), elementwise(shown, run.full(n))) for n in nodes]


def truth(
    nodes: Sequence[Node],
    inputs: Mapping[str, Any],
    sizes: Mapping[str, int] | None = None,
    *,
    computing: str = "float32",
    relative: float = 1e-9,
    max_digits: int = 5500,
) -> list[Truth]:
    """Every node to the relative accuracy asked for, or undecided where ``max_digits`` do not suffice.

    Numbers below what ``computing`` can represent need only be known to be so.
    """
    lengths = axis_lengths(nodes, inputs, sizes)

    def attempt(deadline: float) -> list[Objects]:
        run = Evaluation(inputs, lengths, deadline)
        run.run(nodes)
        return [run.full(n) for n in nodes]

    return _raise_precision(attempt, nodes, computing, relative, max_digits, hull=False)


def truth_gradient(
    output: Node,
    wrt: Sequence[Node],
    inputs: Mapping[str, Any],
    sizes: Mapping[str, int] | None = None,
    *,
    computing: str = "float32",
    relative: float = 1e-8,
    max_digits: int = 14000,
    subgradients: bool = False,
) -> list[Truth]:
    """The derivative of the sum of ``output`` with respect to each node of ``wrt``, with its axes.

    At kinks the language's conventions; with ``subgradients`` a ball that holds every subgradient
    (midpoint and ``radius``), whose centre need not follow them.
    """
    lengths = axis_lengths([output, *wrt], inputs, sizes)

    def attempt(deadline: float) -> list[Objects]:
        run = Evaluation(inputs, lengths, deadline)
        run.run([output, *wrt])
        return backward(run, output, wrt)

    return _raise_precision(attempt, wrt, computing, relative, max_digits, hull=subgradients)


def _raise_precision(
    attempt: Callable[[float], list[Objects]],
    nodes: Sequence[Node],
    computing: str,
    relative: float,
    max_digits: int,
    *,
    hull: bool,
) -> list[Truth]:
    negligible = _limits(computing)
    most = int(max_digits * BITS_PER_DIGIT)
    tolerance = float(np.log2(relative))
    start = 192 if negligible > -200 else 128
    bits, assume = min(start, most), False
    deadline, reached = math.inf, 0  # the first attempt is made at any rate
    while True:
        try:
            with precision(bits, assume=assume, hull=hull):
                arrays = attempt(deadline)
                reach, assumed, reached = CONTEXT.reach, CONTEXT.assumed, bits
        except Overdue:
            break
        deadline = CONTEXT.deadline
        decided = [_decided(a, tolerance, negligible) for a in arrays]
        done = all(d.all() for d in decided)
        if done or hull:
            break
        # A cancellation among numbers of these exponents costs no more digits than this. Where that is
        # out of reach, nothing may be assumed, and only what moderate numbers cancel to can be found.
        within = 1.05 * reach + 256 <= most
        enough = min(most, int(4 * reach) + 1024) if within else min(most, MODERATE_BITS)
        if assume or (bits >= enough and not within):
            break
        if bits >= enough:
            assume = True
            continue
        bits = min(enough, max(2 * bits, int(1.05 * min(reach, most)) + 256))
        assume = bits >= enough and within
    return [
        Truth(
            LabelledArray(ordered(n.axes), elementwise(_rounded, a)),
            np.asarray(d),
            elementwise(_radius, a).astype(np.float64),
            int(reached / BITS_PER_DIGIT),
            assumed > 0,
        )
        for n, a, d in zip(nodes, arrays, decided, strict=True)
    ]


def _limits(computing: str) -> float:
    CONTEXT.tiny, CONTEXT.largest, CONTEXT.eps, negligible = LIMITS[computing]
    return negligible


def _decided(values: Objects, tolerance: float, negligible: float) -> NDArray[np.bool_]:
    def one(x: Any) -> bool:
        if isinstance(x, Doubt):
            return False
        if not isinstance(x, Ball) or x.e == EXACT:
            return True
        return x.e < UNKNOWN and x.e <= max(plus(magnitude(x.v), tolerance), negligible - 4)

    return elementwise(one, values).astype(np.bool_)


def _public(x: Any) -> Any:
    if isinstance(x, Ball):
        return mpmath.mp.make_mpf(x.v)
    return x.guess if isinstance(x, Doubt) else x


def _if_known(x: Any) -> Any:
    unknown = isinstance(x, Doubt) or (isinstance(x, Ball) and x.e == UNKNOWN)
    return mpmath.mp.nan if unknown else _public(x)


def _rounded(x: Any) -> Any:
    """Without the digits that served only to get there."""
    return mpmath.mp.make_mpf(libmp.mpf_pos(x.v, 256, NEAREST)) if isinstance(x, Ball) else _public(x)


def _radius(x: Any) -> float:
    if isinstance(x, Doubt):
        return 1.0
    if not isinstance(x, Ball) or x.e == EXACT:
        return 0.0
    return float(2.0**x.e) if x.e < 1000 else float("inf")


def inputs_of(nodes: Iterable[Node]) -> list[Node]:
    """The input nodes that the nodes depend on."""
    return [n for n in walk(nodes) if n.op == "input"]
