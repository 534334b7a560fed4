"""How numbers of any precision are computed now, and when to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Context:
    """How to compute now (the evaluator is not reentrant).

    ``assume``: what is zero to half its digits is zero, and what cannot be told apart is a tie.
    ``assumed`` counts such decisions. ``reach`` is the largest exponent met, a measure of the digits
    that a cancellation may cost. ``hull``: a derivative at a kink is the set of its subgradients.
    ``wary``: 0 times a number of which nothing is known is not 0.
    """

    prec: int = 128
    assume: bool = False
    hull: bool = False
    wary: bool = False
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
def precision(
    bits: int, *, assume: bool = False, hull: bool = False, wary: bool = False
) -> Iterator[Context]:
    """Compute with ``bits`` bits inside the block."""
    before = (CONTEXT.prec, CONTEXT.assume, CONTEXT.hull, CONTEXT.wary)
    CONTEXT.prec, CONTEXT.assume, CONTEXT.hull, CONTEXT.wary = bits, assume, hull, wary
    CONTEXT.reach, CONTEXT.assumed = 0.0, 0
    try:
        yield CONTEXT
    finally:
        CONTEXT.prec, CONTEXT.assume, CONTEXT.hull, CONTEXT.wary = before
