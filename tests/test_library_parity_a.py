"""Regression, classification, probability and regularizers beside their peers, on every backend.

Where conventions differ, a case says so by its own arithmetic, and docs/conventions.md in words.
"""

from __future__ import annotations

import pytest
from library_cases import classification, distributions, divergences, regression, regularizers
from library_cases.peers import XY
from parity import BACKENDS, Case, case, compare

CASES = [
    *regression.CASES, *classification.CASES, *distributions.CASES, *divergences.CASES, *regularizers.CASES,
]  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("test", CASES, ids=lambda test: test.id)
def test_parity(test: Case, backend: str) -> None:
    compare(test, backend, CASES)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_constant_would_be_seen(backend: str) -> None:
    """The comparison can fail: huber with another delta is not torch's huber."""
    peer = next(test.reference for test in CASES if test.id == "huber")
    wrong = case("huber_off", XY, "huber(x, y, 0.75)", peer)
    with pytest.raises(AssertionError):
        compare(wrong, backend, [wrong])
