"""Making a failing case small: shorter axes, then simpler numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from losslang.lowered import LoweredLoss
from losslang.verify.inputs import Case

Fails = Callable[[Case], bool]


def shrink(lowered: LoweredLoss, case: Case, fails: Fails, seconds: float) -> Case:
    """The smallest case that was found to fail still, within a time."""
    end = time.monotonic() + seconds
    changed = True
    while changed and time.monotonic() < end:
        changed = False
        for smaller in _smaller(lowered, case):
            if time.monotonic() > end:
                break
            if _fails(fails, smaller):
                case, changed = smaller, True
                break
    return case


def _fails(fails: Fails, case: Case) -> bool:
    """A smaller case that is not even legal does not fail."""
    try:
        return fails(case)
    except ValueError:
        return False


def _smaller(lowered: LoweredLoss, case: Case) -> Iterator[Case]:
    for axis, size in case.sizes.items():
        if size > 1 and axis not in lowered.fixed:
            for keep in (slice(0, 1), slice(0, size - 1), slice(1, size)):
                shorter = _sliced(lowered, case, axis, keep)
                if shorter is not None:
                    yield shorter
    arrays = case.leaves(lowered)
    for each in lowered.inputs:
        for leaf in each.leaves:
            name = leaf.node.attr[0]
            yield from _simpler(lowered, case, name, arrays[name], each.kind.name)


def _sliced(lowered: LoweredLoss, case: Case, axis: str, keep: slice) -> Case | None:
    """The case with fewer places along an axis (and whatever must be as long)."""
    root = str(lowered.graph.size_root(axis))
    alike = {a for a in case.sizes if str(lowered.graph.size_root(a)) == root}
    for a, b in lowered.equal_sizes:
        if a in alike or b in alike:
            alike |= {a, b}
    length = len(range(*keep.indices(case.sizes[axis])))
    sizes = {a: length if a in alike else n for a, n in case.sizes.items()}
    if any(picked in alike and index >= length for picked, index in lowered.constant_picks):
        return None
    smaller = replace(case, sizes=sizes)
    arrays = case.leaves(lowered)
    for each in lowered.inputs:
        for leaf in each.leaves:
            name = leaf.node.attr[0]
            array = arrays[name][tuple(keep if a in alike else slice(None) for a in leaf.axes)]
            if each.kind.of in alike:
                low = keep.indices(case.sizes[axis])[0]
                moved = np.clip(array - low, 0, length - 1)
                array = (
                    np.where(array == each.kind.ignoring, array, moved)
                    if each.kind.ignoring is not None
                    else moved
                )
            if array.shape != arrays[name].shape or not np.array_equal(array, arrays[name]):
                smaller = smaller.with_leaf(lowered, name, array)
    return smaller


def _simpler(lowered: LoweredLoss, case: Case, name: str, array: Any, kind: str) -> Iterator[Case]:
    simple = {"real": (0.0, 1.0), "positive": (1.0,), "weight": (1.0, 0.0), "mask": (True,), "label": ()}
    plain = simple.get(kind, (0.0, 1.0) if kind in ("logit", "score", "embedding", "parameter") else ())
    for value in plain:
        whole = np.full_like(array, value)
        if not np.array_equal(whole, array):
            yield case.with_leaf(lowered, name, whole)
    if array.size > 12:
        return
    for value in plain:
        for place in np.ndindex(array.shape):
            if array[place] != value and array[place] not in plain:
                one = array.copy()
                one[place] = value
                yield case.with_leaf(lowered, name, one)
    if array.dtype.kind == "f" and kind not in ("prob", "logprob"):
        rounded = np.round(array)
        if not np.array_equal(rounded, array) and (kind != "positive" or rounded.all()):
            yield case.with_leaf(lowered, name, rounded)
