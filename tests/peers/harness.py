"""Rows that compare the library with what other packages compute, on inputs drawn anew for each seed.

A row is a `parity.Case` without sizes: lengths of axes are drawn as well. The reference is the peer's own function or
class, called as its documentation says; what differs in convention stands in the row's expression or reference.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from parity import BACKENDS, TOLERANCE, Case, compare

#: Draws of each row; more of them look longer for a difference.
SEEDS = int(os.environ.get("LOSSLANG_PEER_SEEDS", "1"))
#: The shortest and the longest that an axis is drawn.
LENGTHS: dict[str, tuple[int, int]] = {
    "n": (3, 8), "m": (2, 6), "d": (2, 6), "c": (2, 6), "k": (2, 4), "i": (2, 8), "j": (2, 6), "g": (2, 5),
    "t": (3, 7), "h": (3, 7), "w": (3, 7), "b": (4, 4), "l": (2, 4), "s": (2, 3), "u": (2, 4), "one": (1, 1),
}  # fmt: skip

Draws = Callable[[np.random.Generator, Mapping[str, int]], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Row:
    """``lengths`` replaces the range of an axis; the other fields are those of a case."""

    id: str
    inputs: str
    expression: str
    reference: Callable[..., Any]
    rows: tuple[str, ...] = ()
    library: str = "torch"
    only: tuple[str, ...] = ()
    smooth: bool = True
    given: Draws | None = None
    lengths: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    tolerance: float = TOLERANCE

    def drawn(self, seed: int) -> Case:
        rng = np.random.default_rng([seed, zlib.crc32(self.id.encode())])
        sizes = {
            name: int(rng.integers(low, high + 1))
            for name, (low, high) in {**LENGTHS, **self.lengths}.items()
        }
        return Case(
            f"{self.id}-{seed}", self.inputs, self.expression, self.rows, self.reference, self.library,
            self.only, self.smooth, self.given, sizes, self.tolerance,
        )  # fmt: skip


def jax_row(
    id: str,
    inputs: str,
    expression: str,
    reference: Callable[..., Any],
    rows: tuple[str, ...] = ("n",),
    **more: Any,
) -> Row:
    return Row(id, inputs, expression, reference, rows, library="jax", **more)


def beside(rows: Sequence[Row]) -> Callable[..., None]:
    """The test of all rows, for every backend and seed."""
    cases = [row.drawn(seed) for row in rows for seed in range(SEEDS)]

    @pytest.mark.parametrize("backend", BACKENDS)
    @pytest.mark.parametrize("case", cases, ids=lambda case: case.id)
    def test(case: Case, backend: str) -> None:
        compare(case, backend, cases)

    return test
