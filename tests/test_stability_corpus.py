"""A part of the corpus of naive formulas at extreme float32 points, against the truth."""

from __future__ import annotations

from functools import cache

import pytest
from corpus.everything import ENTRIES
from corpus.measure import Reference, judge, reference

PART = [e for e in ENTRIES[5::20] if len(e.sizes) == 0 or len(e.inputs) == 1]


@cache
def known(at: int) -> Reference:
    return reference(PART[at])


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_naive_formulas_are_right_at_extreme_points(backend: str) -> None:
    judged = [judge(entry, backend, True, known(at)) for at, entry in enumerate(PART)]
    points = [p for j in judged for p in j.points]
    assert sum(points) / len(points) >= 0.97
    assert sum(j.points.all() for j in judged) / len(judged) >= 0.9


def test_the_same_formulas_fail_as_they_are_written() -> None:
    judged = [judge(entry, "numpy", False, known(at)) for at, entry in enumerate(PART)]
    assert sum(j.points.all() for j in judged) / len(judged) < 0.7
