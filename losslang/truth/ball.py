"""Numbers of any precision that know how wrong they may be.

A :class:`Ball` is a midpoint and a bound on its error, so that a result can say whether its digits
mean something. Comparing two precisions cannot: ``log(1 - sigmoid(1e4))`` is the logarithm of an
exact zero at 30 digits and at 60 alike. Sums, products, quotients and roots that come out exact are
known to be exact, which decides ties and zeros at once.

The bounds are first-order, kept as base-2 logarithms (they may be far outside what a float holds).

A number next to 1 or -1 also knows how far it is from there (``near``): a probability of 1 - exp(-10000)
is told from 1 by few digits then, and not by thousands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mpmath import libmp  # type: ignore[import-untyped]

from losslang.truth.context import CONTEXT

Raw = tuple[int, int, int, int]
NEAREST = "n"
EXACT = -math.inf
UNKNOWN = math.inf
#: Exact results may be this many bits longer than the working precision before they are rounded.
EXACT_BITS = 1200

#: Exponents beyond this are counted in whole numbers.
_WIDE = 2.0**48
#: Numbers within 2**NEXT of 1 or -1 remember the difference.
NEXT = -12

F_ZERO: Raw = libmp.fzero
F_ONE: Raw = libmp.fone
F_INF: Raw = libmp.finf
F_NINF: Raw = libmp.fninf
F_NAN: Raw = libmp.fnan
_RAW: dict[int, Raw] = {1: F_ONE, -1: libmp.fnone}


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
    return plus(v[2] + shift, math.log2((v[1] >> shift) + (shift > 0)))


def plus(a: float, b: float) -> float:
    """The sum of two exponents; whole where they are so large (e**1e30 has such) that a float would drop one."""
    if (-_WIDE < a < _WIDE and -_WIDE < b < _WIDE) or not (math.isfinite(a) and math.isfinite(b)):
        return a + b
    return math.ceil(a) + math.ceil(b)


def log_add(*bounds: float) -> float:
    """The base-2 logarithm of the sum of 2**b."""
    top = max(bounds)
    if top in (EXACT, UNKNOWN):
        return top
    total = sum(2.0 ** plus(b, -top) for b in bounds if b > EXACT and plus(b, -top) > -60)
    return plus(top, math.log2(total)) if total != 1.0 else top


class Ball:
    """``v`` give or take 2**``e``. An infinity or NaN is exact, or (``e`` = inf) nothing is known.

    ``near``: 1 or -1 and the difference from it, which holds more digits than ``v`` has.
    """

    __slots__ = ("e", "near", "v")

    def __init__(self, v: Raw, e: float = EXACT, near: tuple[int, Ball] | None = None) -> None:
        self.v = v
        self.e = e
        self.near = near

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
        if _split(self)[0] or _split(other)[0]:
            found = _apart((self, other))
            if found is not None:
                return found
        if a[1] and b[1] and abs(a[2] - b[2]) > 4 * EXACT_BITS + a[3] + b[3]:
            v = libmp.mpf_add(a, b, CONTEXT.prec, NEAREST)
            return Ball(v, log_add(self.e, other.e, magnitude(v) - CONTEXT.prec))
        scale = max(magnitude(a), magnitude(b))
        return settle(libmp.mpf_add(a, b), self.e, other.e, scale=scale)

    def __neg__(self) -> Ball:
        near = None if self.near is None else (-self.near[0], -self.near[1])
        return Ball(libmp.mpf_neg(self.v), self.e, near)

    def __sub__(self, other: Ball) -> Ball:
        return self + -other

    def __mul__(self, other: Ball) -> Ball:
        if (self.is_zero and _vanishing(other)) or (other.is_zero and _vanishing(self)):
            return ZERO
        if UNKNOWN in (self.e, other.e):
            return Ball(F_NAN, UNKNOWN)
        if self.near is not None or other.near is not None:
            (p, x), (q, y) = _split(self), _split(other)
            if p and q:
                return close(p * q, _times(y, p) + _times(x, q) + x * y)
        v = libmp.mpf_mul(self.v, other.v)
        if self.e == EXACT and other.e == EXACT:
            return settle(v)
        if not v[1] and v != F_ZERO:
            known = self.sure and other.sure and v != F_NAN
            return Ball(v, EXACT if known else UNKNOWN)
        e = log_add(plus(log2(self.v), other.e), plus(log2(other.v), self.e), plus(self.e, other.e))
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
        if self.near is not None or other.near is not None:
            (p, x), (q, y) = _split(self), _split(other)
            if p and q:
                return close(p * q, (_times(x, p) - _times(y, q)) * Ball(_RAW[p]) / Ball(b, other.e))
        v = libmp.mpf_div(a, b, CONTEXT.prec, NEAREST)
        if self.e == EXACT and other.e == EXACT:
            exact = v == F_ZERO or libmp.mpf_mul(v, b) == a
            return Ball(v, EXACT if exact else magnitude(v) - CONTEXT.prec)
        size = magnitude(b) - 1
        lost = plus(log_add(self.e, plus(magnitude(v), other.e)), -size)
        near = plus(other.e, -size)  # how much of the divisor is error
        lost = plus(lost, -math.log2(max(1 - 2.0**near, 2.0**-53)) if near > -50 else 0.0)
        return Ball(v, log_add(lost, magnitude(v) - CONTEXT.prec))

    def __abs__(self) -> Ball:
        return (
            -self
            if libmp.mpf_sign(self.v) < 0 and self.v[1]
            else Ball(libmp.mpf_abs(self.v), self.e, self.near)
        )


def _vanishing(x: Ball) -> bool:
    """Whether 0 times ``x`` is 0."""
    return not CONTEXT.wary if x.e == UNKNOWN else x.finite


def _split(x: Ball) -> tuple[int, Ball]:
    """1 or -1 and the difference from it; 0 and the number itself where it is not next to them."""
    if x.near is not None:
        return x.near
    if x.v[1] == 1 and x.v[2] == 0 and x.e == EXACT:
        return (-1 if x.v[0] else 1), ZERO
    return 0, x


def _times(x: Ball, sign: int) -> Ball:
    return x if sign > 0 else -x


def close(whole: int, rest: Ball) -> Ball:
    """1 or -1 and something small, which is remembered."""
    if rest.is_zero:
        return Ball(_RAW[whole])
    if magnitude(rest.v) < -EXACT_BITS:
        result = Ball(libmp.mpf_add(_RAW[whole], rest.v, CONTEXT.prec, NEAREST), 1 - CONTEXT.prec)
        result.e = log_add(rest.e, result.e)
    else:
        result = settle(libmp.mpf_add(_RAW[whole], rest.v), rest.e)
    if rest.finite and max(magnitude(rest.v), rest.e) <= NEXT:
        result.near = (whole, rest)
    return result


def _apart(terms: Iterable[Ball]) -> Ball | None:
    """A sum in which numbers next to 1 and -1 cancel, or only one of them is left beside small ones."""
    wholes, rests = 0, []
    for term in terms:
        whole, rest = _split(term)
        wholes += whole
        if not rest.is_zero:
            rests.append(rest)
    if wholes == 0:
        return total(rests)
    if abs(wholes) != 1 or not rests:
        return None
    rest = total(rests)
    return close(wholes, rest) if max(magnitude(rest.v), rest.e) <= NEXT else None


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
    if judged and scale is not None and magnitude(v) <= e < scale - CONTEXT.prec // 2:
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
    if len(items) > 2 and any(_split(t)[0] for t in items):
        found = _apart(items)
        if found is not None:
            return found
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


#: Inputs of which nothing is known.
ANYTHING = Ball(F_ZERO, UNKNOWN)
ANY_INDEX = Doubt(0)
ZERO = Ball(F_ZERO)
ONE = Ball(F_ONE)
TWO = Ball(libmp.from_int(2))
HALF = Ball(libmp.from_float(0.5))
INFINITY = Ball(F_INF)
MINUS_INFINITY = Ball(F_NINF)
NAN = Ball(F_NAN)
_SMALL = (ZERO, ONE, TWO)
