"""Lengths of axes that fit together: equal ones, fixed ones, products of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product

import numpy as np

from losslang.lowered import LoweredLoss

#: The parts of a merged axis of a fixed length are looked for up to this.
LONGEST_PART = 64


class Unsatisfiable(Exception):
    """No lengths fit: the message says which axes ask for what."""


def lengths(lowered: LoweredLoss, rng: np.random.Generator, single: bool) -> dict[str, int]:
    """A length for every axis of the inputs, short enough for arithmetic of thousands of digits.

    Raises:
        Unsatisfiable: there are none.
    """
    graph = lowered.graph
    names = {a: None for each in lowered.inputs for leaf in each.leaves for a in leaf.axes}
    names |= {a: None for h in lowered.hypers for a in h.axes}
    names |= {each.kind.of: None for each in lowered.inputs if each.kind.of is not None}
    rank = max((len(leaf.axes) for each in lowered.inputs for leaf in each.leaves), default=0)
    top = 4 if rank <= 2 else 3
    group = _equal(names, lowered.equal_sizes, graph.size_root)
    held = _held(lowered, group)
    drawn: dict[str, int] = {}
    for axis in names:
        key = group[axis]
        if key not in drawn:
            drawn[key] = 1 if single else int(rng.integers(2, top + 1))
        drawn[key] = held.get(key, max(drawn[key], _least(lowered, axis)))
    _fit_products(lowered, group, held, drawn, rng)
    return {axis: drawn[group[axis]] for axis in names}


def _equal(
    names: Iterable[str], pairs: Sequence[tuple[str, str]], root: Callable[[str], object]
) -> dict[str, str]:
    """A key for each axis, the same for those that are equally long."""
    group = {a: str(root(a)) for a in names}
    for a, b in pairs:
        old, new = group.get(a, str(root(a))), group.get(b, str(root(b)))
        group = {k: new if v == old else v for k, v in group.items()}
    return group


def _held(lowered: LoweredLoss, group: dict[str, str]) -> dict[str, int]:
    """What a file or a default array fixes, by key."""
    told: dict[str, tuple[str, int]] = {}
    fixed = [(axis, size) for axis, size in lowered.fixed.items() if axis in group]
    for hyper in lowered.hypers:
        shape = np.shape(hyper.default) if isinstance(hyper.default, tuple) else ()
        fixed += zip(hyper.axes, shape, strict=False)
    for axis, size in fixed:
        other, before = told.setdefault(group[axis], (axis, size))
        if before != size:
            raise Unsatisfiable(
                f"`{other}` has {before} places and `{axis}` {size}, but they are equally long"
            )
    return {key: size for key, (_, size) in told.items()}


def _least(lowered: LoweredLoss, axis: str) -> int:
    """What constant picks ask for."""
    root = lowered.graph.size_root(axis)
    picked = [i for a, i in lowered.constant_picks if a == axis or lowered.graph.size_root(a) == root]
    return max((i + 1 if i >= 0 else -i for i in picked), default=1)


def _fit_products(
    lowered: LoweredLoss, group: dict[str, str], held: dict[str, int], drawn: dict[str, int], rng: np.random.Generator
) -> None:  # fmt: skip
    """Where an axis of the inputs is as long as others merged: from its parts, or its parts from it."""
    sizes = lowered.graph.axis_sizes
    for pair in lowered.equal_sizes:
        for axis, merged in (pair, pair[::-1]):
            size = sizes.get(merged)
            if axis not in group or size is None or size.kind != "merged" or not set(size.of) <= set(group):
                continue
            parts = [group[part] for part in size.of]
            if group[axis] not in held:
                drawn[group[axis]] = int(np.prod([drawn[part] for part in parts]))
                continue
            wanted = drawn[group[axis]]
            found = _factored(wanted, parts, held)
            if not found:
                told = " times ".join(f"`{part}`" for part in size.of)
                raise Unsatisfiable(f"`{axis}` has {wanted} places, and {told} can never be as many")
            drawn.update(found[int(rng.integers(len(found)))])


def _factored(wanted: int, parts: Sequence[str], held: dict[str, int]) -> list[dict[str, int]]:
    """Every way to give the parts lengths with this product."""
    free = list(dict.fromkeys(part for part in parts if part not in held))
    choices = [n for n in range(1, min(wanted, LONGEST_PART) + 1) if wanted % n == 0]
    ways = [dict(zip(free, way, strict=True)) for way in product(choices, repeat=len(free))]
    return [way for way in ways if int(np.prod([{**held, **way}[part] for part in parts])) == wanted]
