"""Intervals of real numbers, open or closed at each end: what the compiler can prove of a value."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

INF = math.inf
LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers between ``low`` and ``high``; an infinite end is never reached when open."""

    low: float = -INF
    high: float = INF
    low_open: bool = False
    high_open: bool = False

    @property
    def positive(self) -> bool:
        return self.low > 0 or (self.low == 0 and self.low_open)

    @property
    def nonnegative(self) -> bool:
        return self.low >= 0

    @property
    def negative(self) -> bool:
        return self.high < 0 or (self.high == 0 and self.high_open)

    @property
    def nonpositive(self) -> bool:
        return self.high <= 0

    @property
    def is_probability(self) -> bool:
        return self.low >= 0 and self.high <= 1

    def contains(self, value: float) -> bool:
        above = value > self.low if self.low_open else value >= self.low
        below = value < self.high if self.high_open else value <= self.high
        return above and below

    def within(self, other: Interval) -> bool:
        """Whether every number of this interval lies in ``other``."""
        low = self.low > other.low or (self.low == other.low and (self.low_open or not other.low_open))
        high = self.high < other.high or (self.high == other.high and (self.high_open or not other.high_open))
        return low and high

    def union(self, other: Interval) -> Interval:
        low, low_open = min((self.low, self.low_open), (other.low, other.low_open))
        high, high_closed = max((self.high, not self.high_open), (other.high, not other.high_open))
        return Interval(low, high, low_open, not high_closed)

    def intersect(self, other: Interval) -> Interval:
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        if low > high:
            return self
        return Interval(low, high, low_open, not high_closed)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low, self.high_open, self.low_open)

    def __add__(self, other: Interval) -> Interval:
        low, high = self.low + other.low, self.high + other.high
        return Interval(
            -INF if math.isnan(low) else low,
            INF if math.isnan(high) else high,
            self.low_open or other.low_open,
            self.high_open or other.high_open,
        )

    def __mul__(self, other: Interval) -> Interval:
        corners = [
            (_times(a, b), (a_open and (b != 0 or b_open)) or (b_open and a != 0))
            for a, a_open in ((self.low, self.low_open), (self.high, self.high_open))
            for b, b_open in ((other.low, other.low_open), (other.high, other.high_open))
        ]
        # A corner that a closed end reaches counts as reached, even where an open one gives the same value.
        low = min(value for value, _ in corners)
        high = max(value for value, _ in corners)
        product = Interval(
            low,
            high,
            all(is_open for value, is_open in corners if value == low),
            all(is_open for value, is_open in corners if value == high),
        )
        if product.low == 0 and product.low_open and not _excludes_zero(self, other):
            product = Interval(0.0, product.high, False, product.high_open)
        return product

    def reciprocal(self) -> Interval:
        if self.positive or self.negative:
            high = INF if self.low == 0 else 1 / self.low
            low = -INF if self.high == 0 else 1 / self.high
            return Interval(
                low, high, self.high_open or math.isinf(self.high), self.low_open or self.low == 0
            )
        if self.nonnegative and self.high > 0:  # of [0, 0] alone nothing can be said
            return Interval(0.0 if math.isinf(self.high) else 1 / self.high, INF)
        return EVERYTHING

    def monotone(self, function: Callable[[float], float]) -> Interval:
        """The image under an increasing function. An upper end that overflows is infinite, a lower one large."""
        return Interval(
            _image(function, self.low, LARGEST),
            _image(function, self.high, INF),
            self.low_open,
            self.high_open,
        )


def _excludes_zero(a: Interval, b: Interval) -> bool:
    return not a.contains(0.0) and not b.contains(0.0)


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


def _image(function: Callable[[float], float], at: float, overflow: float) -> float:
    try:
        return function(at)
    except OverflowError:
        return overflow if at > 0 else -INF
    except ValueError:
        return INF if overflow == INF else -INF


EVERYTHING = Interval()
UNIT = Interval(0.0, 1.0)
POSITIVE = Interval(0.0, INF, low_open=True)
NONNEGATIVE = Interval(0.0, INF)
NONPOSITIVE = Interval(-INF, 0.0)
SIGNED_UNIT = Interval(-1.0, 1.0)


def point(value: float) -> Interval:
    return Interval(value, value)
