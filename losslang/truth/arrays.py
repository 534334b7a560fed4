"""Arrays of exact or high-precision numbers with named axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslang.ir import Graph, Node, walk

Objects = NDArray[Any]


@dataclass(frozen=True)
class LabelledArray:
    """``values``: an object array, its dimensions in the order of ``axes``."""

    axes: tuple[str, ...]
    values: Objects

    def ordered(self, axes: Sequence[str]) -> Objects:
        """The values with their dimensions in the given order of the same axes."""
        return np.transpose(self.values, [self.axes.index(a) for a in axes])

    def floats(self, axes: Sequence[str] | None = None) -> NDArray[np.float64]:
        """Rounded to float64, infinite where they are beyond it."""
        values = self.values if axes is None else self.ordered(axes)
        with np.errstate(invalid="ignore"):
            return elementwise(_to_float, values).astype(np.float64)


def _to_float(x: Any) -> float:
    try:
        return float(x)
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def elementwise(function: Callable[..., Any], *arrays: Objects) -> Objects:
    """``function`` at every place, as an object array (0-dimensional ones included)."""
    with np.errstate(all="ignore"):
        result = np.frompyfunc(function, len(arrays), 1)(*arrays)
    return result if isinstance(result, np.ndarray) else boxed(result)


def boxed(value: Any) -> Objects:
    """One object as an array without axes."""
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def filled(shape: tuple[int, ...], value: Any) -> Objects:
    array = np.empty(shape, dtype=object)
    array.fill(value)
    return array


def ordered(axes: Iterable[str]) -> tuple[str, ...]:
    """The order in which the evaluator keeps the dimensions of a node."""
    return tuple(sorted(axes))


def aligned(x: Objects, axes: Iterable[str], to: Iterable[str]) -> Objects:
    """``x`` of ``axes`` with a dimension of length 1 for each axis of ``to`` that it lacks."""
    have = frozenset(axes)
    return x[tuple(slice(None) if a in have else None for a in ordered(to))]


def last(x: Objects, axes: Iterable[str], over: Iterable[str]) -> Objects:
    """``x`` with the axes ``over`` flattened into one last dimension (in their own order)."""
    names, taken = ordered(axes), ordered(over)
    kept = [i for i, a in enumerate(names) if a not in taken]
    moved = np.transpose(x, kept + [names.index(a) for a in taken])
    shape = moved.shape[: len(kept)]
    return moved.reshape(*shape, int(np.prod(moved.shape[len(kept) :], dtype=int)))


def unlast(x: Objects, axes: Iterable[str], over: Iterable[str], sizes: Mapping[str, int]) -> Objects:
    """The inverse of :func:`last`: back to ``axes`` in order."""
    names, taken = ordered(axes), ordered(over)
    kept = [a for a in names if a not in taken]
    now = kept + list(taken)
    return np.transpose(x.reshape([sizes[a] for a in now]), [now.index(a) for a in names])


def along_last(function: Callable[[list[Any]], Sequence[Any]], x: Objects) -> Objects:
    """Each row of the last dimension through ``function``, which keeps its length."""
    out = np.empty(x.shape, dtype=object)
    for place in np.ndindex(x.shape[:-1]):
        for i, value in enumerate(function(list(x[place]))):
            out[(*place, i)] = value
    return out


def reduce_last(function: Callable[[list[Any]], Any], x: Objects) -> Objects:
    """Each row of the last dimension through ``function`` to one value."""
    out = np.empty(x.shape[:-1], dtype=object)
    for place in np.ndindex(out.shape):
        out[place] = function(list(x[place]))
    return out


def axis_lengths(
    roots: Iterable[Node], inputs: Mapping[str, Any], given: Mapping[str, int] | None = None
) -> dict[str, int]:
    """The length of every axis: given, from the shapes of the inputs, or derived from those.

    Raises ValueError where an input is missing or two lengths of an axis disagree.
    """
    lengths = dict(given or {})
    graph: Graph | None = None
    for node in walk(roots):
        graph = node.graph
        if node.op == "input":
            name, axes, _ = node.attr
            if name not in inputs:
                raise ValueError(f"no value for input {name}")
            shape = np.shape(inputs[name])
            if len(shape) != len(axes):
                raise ValueError(f"{name} has {len(shape)} dimensions, {len(axes)} are declared")
            for axis, size in zip(axes, shape, strict=True):
                if lengths.setdefault(axis, size) != size:
                    raise ValueError(f"{name} has length {size} along {axis}, not {lengths[axis]}")
    if graph is not None:
        for axis in list(graph.axis_sizes):
            _derive(axis, graph, lengths)
    return lengths


def _derive(axis: str, graph: Graph, lengths: dict[str, int]) -> int | None:
    if axis in lengths:
        return lengths[axis]
    size = graph.axis_sizes.get(axis)
    if size is None or size.kind == "input":
        return None
    if size.kind == "fixed":
        lengths[axis] = size.size
    else:
        parts = [_derive(a, graph, lengths) for a in size.of]
        if None in parts:
            return None
        lengths[axis] = int(np.prod([p for p in parts if p is not None], dtype=int))
    return lengths[axis]
