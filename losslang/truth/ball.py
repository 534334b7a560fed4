"""Numbers of any precision that know how wrong they may be.

A :class:`Ball` is a midpoint and a bound on its error, so that a result can say whether its digits
mean something. Comparing two precisions cannot: ``log(1 - sigmoid(1e4))`` is the logarithm of an
exact zero at 30 digits and at 60 alike. Sums, products, quotients and roots that come out exact are
known to be exact, which decides ties and zeros at once.

The bounds are first-order, kept as base-2 logarithms (they may be far outside what a float holds).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mpmath import libmp  # type: ignore[import-untyped]

Raw = tuple[int, int, int, int]
NEAREST = "n"
EXACT = -math.inf
UNKNOWN = math.inf
#: Exact results may be this many bits longer than the working precision before they are rounded.
EXACT_BITS = 1200

F_ZERO: Raw = libmp.fzero
F_ONE: Raw = libmp.fone
F_INF: Raw = libmp.finf
F_NINF: Raw = libmp.fninf
F_NAN: Raw = libmp.fnan


@dataclass
class Context:
    """How to compute now (the evaluator is not reentrant).

    ``assume``: what is zero to half its digits is zero, and what cannot be told apart is a tie.
    ``assumed`` counts such decisions. ``reach`` is the largest exponent met, a measure of the digits
    that a cancellation may cost. ``hull``: a derivative at a kink is the set of its subgradients.
    """

    prec: int = 128
    assume: bool = False
    hull: bool = False
    reach: float = 0.0
    assumed: int = 0
    tiny: float = 2.0**-126
    largest: float = float.fromhex("0x1.fffffep+127")
    eps: float = 2.0**-23
    deadline: float = math.inf


CONTEXT = Context()


class Overdue(Exception):
    """The time is up before the precision sufficed."""


def in_time(deadline: float) -> None:
    """Raise :class:`Overdue` past ``deadline``, a time of the monotonic clock."""
    if time.monotonic() > deadline:
        raise Overdue


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Inside the block, precision is not raised any more once the monotonic clock passes ``deadline``."""
    before = CONTEXT.deadline
    CONTEXT.deadline = deadline
    try:
        yield
    finally:
        CONTEXT.deadline = before


@contextmanager
def precision(bits: int, *, assume: bool = False, hull: bool = False) -> Iterator[Context]:
    """Compute with ``bits`` bits inside the block."""
    before = (CONTEXT.prec, CONTEXT.assume, CONTEXT.hull)
    CONTEXT.prec, CONTEXT.assume, CONTEXT.hull = bits, assume, hull
    CONTEXT.reach, CONTEXT.assumed = 0.0, 0
    try:
        yield CONTEXT
    finally:
        CONTEXT.prec, CONTEXT.assume, CONTEXT.hull = before


def magnitude(v: Raw) -> float:
    """The least m with abs(v) < 2**m: -inf for 0, inf for what is not finite."""
    if v[1]:
        return v[2] + v[3]
    return -math.inf if v == F_ZERO else math.inf


def log2(v: Raw) -> float:
    """The base-2 logarithm of abs(v), to the precision of a float and a little above."""
    if not v[1]:
        return magnitude(v)
    shift = max(v[3] - 60, 0)
    return v[2] + shift + math.log2((v[1] >> shift) + (shift > 0))


def log_add(*bounds: float) -> float:
    """The base-2 logarithm of the sum of 2**b."""
    top = max(bounds)
    if top in (EXACT, UNKNOWN):
        return top
    total = sum(2.0 ** (b - top) for b in bounds if b - top > -60)
    return top + math.log2(total) if total != 1.0 else top


class Ball:
    """``v`` give or take 2**``e``. An infinity or NaN is exact, or (``e`` = inf) nothing is known."""

    __slots__ = ("e", "v")

    def __init__(self, v: Raw, e: float = EXACT) -> None:
        self.v = v
        self.e = e

    @property
    def is_zero(self) -> bool:
        """Whether it is known to be exactly 0."""
        return self.v == F_ZERO and self.e == EXACT

    @property
    def finite(self) -> bool:
        return self.v[1] != 0 or self.v == F_ZERO

    @property
    def sure(self) -> bool:
        """Whether it is known not to be 0."""
        return self.e == EXACT or magnitude(self.v) - 1 > self.e

    def __repr__(self) -> str:
        error = "" if self.e == EXACT else f" ± 2^{self.e:.4g}"
        return f"Ball({libmp.to_str(self.v, 15)}{error})"

    def __float__(self) -> float:
        return float(libmp.to_float(self.v))

    def __add__(self, other: Ball) -> Ball:
        a, b = self.v, other.v
        if a[1] and b[1] and abs(a[2] - b[2]) > 4 * EXACT_BITS + a[3] + b[3]:
            v = libmp.mpf_add(a, b, CONTEXT.prec, NEAREST)
            return Ball(v, log_add(self.e, other.e, magnitude(v) - CONTEXT.prec))
        scale = max(magnitude(a), magnitude(b))
        return settle(libmp.mpf_add(a, b), self.e, other.e, scale=scale)

    def __neg__(self) -> Ball:
        return Ball(libmp.mpf_neg(self.v), self.e)

    def __sub__(self, other: Ball) -> Ball:
        return self + Ball(libmp.mpf_neg(other.v), other.e)

    def __mul__(self, other: Ball) -> Ball:
        if (self.is_zero and (other.finite or other.e == UNKNOWN)) or (
            other.is_zero and (self.finite or self.e == UNKNOWN)
        ):
            return ZERO
        v = libmp.mpf_mul(self.v, other.v)
        if self.e == EXACT and other.e == EXACT:
            return settle(v)
        if not v[1] and v != F_ZERO:
            known = self.sure and other.sure and v != F_NAN
            return Ball(v, EXACT if known else UNKNOWN)
        e = log_add(log2(self.v) + other.e, log2(other.v) + self.e, self.e + other.e)
        return settle(v, e)

    def __truediv__(self, other: Ball) -> Ball:
        a, b = self.v, other.v
        if not other.sure or b == F_NAN or a == F_NAN:
            unknown = UNKNOWN in (self.e, other.e) or not other.sure
            return Ball(F_NAN, UNKNOWN if unknown else EXACT)
        if b == F_ZERO:
            return Ball(_times_infinity(a), EXACT if self.sure else UNKNOWN)
        if not (self.finite and other.finite):
            return self * Ball(F_ZERO if not other.finite else libmp.mpf_div(F_ONE, b, 10, NEAREST), EXACT)
        if self.is_zero:
            return ZERO
        v = libmp.mpf_div(a, b, CONTEXT.prec, NEAREST)
        if self.e == EXACT and other.e == EXACT:
            exact = v == F_ZERO or libmp.mpf_mul(v, b) == a
            return Ball(v, EXACT if exact else magnitude(v) - CONTEXT.prec)
        lost = log_add(self.e, magnitude(v) + other.e) - (magnitude(b) - 1)
        near = other.e - (magnitude(b) - 1)  # how much of the divisor is error
        lost += -math.log2(1 - 2.0**near) if near > -50 else 0.0
        return Ball(v, log_add(lost, magnitude(v) - CONTEXT.prec))

    def __abs__(self) -> Ball:
        return Ball(libmp.mpf_abs(self.v), self.e)


def settle(v: Raw, *errors: float, scale: float | None = None) -> Ball:
    """``v``, computed without rounding from operands with these errors, as a ball of the working precision.

    Given ``scale`` it came from a sum of numbers of that magnitude, and when assuming, a sum that
    cancels to nothing is nothing.
    """
    e = log_add(*errors) if errors else EXACT
    if not v[1] and v != F_ZERO:
        return Ball(v, UNKNOWN if e == UNKNOWN else EXACT)
    room = CONTEXT.prec + (EXACT_BITS if e == EXACT else 0)
    if v[3] > room:
        v = libmp.mpf_pos(v, CONTEXT.prec, NEAREST)
        e = log_add(e, v[2] + v[3] - CONTEXT.prec)
    judged = CONTEXT.assume and scale is not None and EXACT < e < UNKNOWN
    if judged and scale is not None and magnitude(v) <= e < scale - CONTEXT.prec / 2:
        CONTEXT.assumed += 1
        return ZERO
    return Ball(v, e)


def _times_infinity(v: Raw) -> Raw:
    if v in (F_ZERO, F_NAN):
        return F_NAN
    return F_NINF if libmp.mpf_sign(v) < 0 else F_INF


def total(terms: Iterable[Ball]) -> Ball:
    """Their sum, rounded once."""
    items = [t for t in terms if not t.is_zero]
    if not items:
        return ZERO
    if len(items) == 1:
        return items[0]
    if len(items) == 2 or not all(t.finite for t in items):
        result = items[0]
        for t in items[1:]:
            result = result + t
        return result
    places = [t.v[2] for t in items if t.v[1]]
    if not places or max(places) - min(places) > 8 * EXACT_BITS + CONTEXT.prec:
        v = libmp.mpf_sum([t.v for t in items], CONTEXT.prec, NEAREST)
        return Ball(v, log_add(*(t.e for t in items), max(magnitude(t.v) for t in items) - CONTEXT.prec))
    v = libmp.mpf_sum([t.v for t in items])
    return settle(v, *(t.e for t in items), scale=max(magnitude(t.v) for t in items))


def compare(a: Ball, b: Ball) -> int | None:
    """-1, 0 or 1 as ``a`` is below, equal to or above ``b``; None where that cannot be told."""
    if a.e == EXACT and b.e == EXACT:
        return int(libmp.mpf_cmp(a.v, b.v))
    if UNKNOWN in (a.e, b.e):
        return None
    if not (a.finite and b.finite):
        return int(libmp.mpf_cmp(a.v, b.v))
    d = a - b
    if d.is_zero:
        return 0
    if magnitude(d.v) - 1 > d.e:
        return int(libmp.mpf_sign(d.v))
    return None


def ball(x: Any) -> Ball:
    """An exact number (float, int, bool, mpf or a ball) as a ball."""
    if isinstance(x, Ball):
        return x
    if isinstance(x, Doubt):
        return Ball(libmp.from_int(int(x.guess)), UNKNOWN)
    if isinstance(x, (bool, int)):
        return _SMALL[x] if 0 <= x < 3 else Ball(libmp.from_int(int(x)))
    raw = getattr(x, "_mpf_", None)
    if raw is not None:
        return Ball(raw)
    return Ball(libmp.from_float(float(x)))


@dataclass(frozen=True, slots=True)
class Doubt:
    """A boolean or integer that this precision cannot decide, with the best guess."""

    guess: int | bool


ZERO = Ball(F_ZERO)
ONE = Ball(F_ONE)
TWO = Ball(libmp.from_int(2))
HALF = Ball(libmp.from_float(0.5))
INFINITY = Ball(F_INF)
MINUS_INFINITY = Ball(F_NINF)
NAN = Ball(F_NAN)
_SMALL = (ZERO, ONE, TWO)
