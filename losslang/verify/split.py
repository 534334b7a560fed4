"""Splitting a batch along an axis: which sums a total is made of, and whether the pieces make the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from losslang.ir import Node, rebuild, walk
from losslang.kinds import REAL, Kind
from losslang.lowered import Leaf, LoweredInput, LoweredLoss, LoweredReport
from losslang.truth import axis_lengths, evaluate, truth_gradient
from losslang.verify.inputs import Array, Case
from losslang.verify.judge import Mark, compare
from losslang.verify.reference import Expected, GradientKey, computing_type, gradient_leaves
from losslang.verify.subject import Results, Subject

ADDITIVE = ("sum", "count", "contract", "scatter_add")
_WHY = {
    "softmax": "softmax normalizes along it",
    "log_softmax": "log_softmax normalizes along it",
    "cumsum": "running sums go along it",
    "reverse_cumsum": "running sums go along it",
    "cumlogsumexp": "running sums go along it",
    "decay_scan": "a recurrence goes along it",
    "log_chain": "a recurrence goes along it",
    "chain_sum": "a recurrence goes along it",
    "argsort": "it is sorted along it",
    "index": "positions along it are used",
    "rename": "its places are compared with each other",
    "gather": "places along it are picked by index",
}


@dataclass(frozen=True)
class Cut:
    """A total as a function of ``sums``, each additive along the axis. ``places`` are inputs of the
    graph that stand for the sums in ``outer``."""

    sums: tuple[Node, ...]
    places: tuple[Node, ...]
    outer: Node


def cut(lowered: LoweredLoss, axis: str) -> Cut | str | None:
    """How the total splits along ``axis``; the reason why it does not; None where it does not depend on it."""
    sums: list[Node] = []
    below: dict[Node, bool] = {}  # whether a node lies under a sum, or is one
    for node in walk([lowered.total]):
        below[node] = any(below[a] for a in node.args)
        reason = _reason(node, axis)
        if reason is not None:
            return reason
        closes = axis not in node.axes and any(axis in a.axes for a in node.args)
        if not closes and not (node.op == "size" and node.attr == axis):
            if axis in node.axes and below[node]:
                return "sums along it are used along it again"
            continue
        if closes and any(below[a] for a in node.args):
            return "sums along it are used along it again"
        sums.append(node)
        below[node] = True
    if not any(axis in a.axes for s in sums for a in s.args):
        return None
    graph = lowered.graph
    places = [graph.input(f"sum~{axis}~{i}", sorted(s.axes), s.elem) for i, s in enumerate(sums)]
    swapped: dict[Node, Node] = dict(zip(sums, places, strict=True))
    for node in walk([lowered.total]):
        if node not in swapped:
            swapped[node] = rebuild(node, tuple(swapped[a] for a in node.args))
    return Cut(tuple(sums), tuple(places), swapped[lowered.total])


def _reason(node: Node, axis: str) -> str | None:
    """Why an op keeps places along the axis from being treated one by one."""
    attr = node.attr
    if node.op == "index" and attr == axis:
        return _WHY["index"]
    if node.op == "rename" and axis in attr:
        return _WHY["rename"]
    if node.op in ("merge", "unmerge") and (axis in attr[0] or axis == attr[1]):
        return "it is merged with other axes" if axis in attr[0] else "it is made of other axes"
    if node.op in ("log_chain", "chain_sum"):
        return _WHY[node.op] if axis in attr else None
    if node.op == "gather":
        return _WHY["gather"] if attr == axis else None
    if node.op == "scatter_add":
        return "sums are put into places along it" if attr[0] == axis else None
    if isinstance(attr, frozenset) and axis in attr and node.op not in ADDITIVE and node.op != "broadcast":
        return _WHY.get(node.op, f"{node.op} goes over it")
    return None


def pieces_loss(lowered: LoweredLoss, parts: Cut) -> LoweredLoss:
    """The loss that reports the sums, and whose total is their product with given cotangents."""
    graph = lowered.graph
    extra, weighted, reports = [], [graph.const(0.0)], []
    for i, node in enumerate(parts.sums):
        axes = tuple(sorted(node.axes))
        reports.append(LoweredReport(f"sum_{i}", node, REAL, axes))
        if node.elem != "real":
            continue
        leaf = graph.input(f"cotangent_{i}", axes, "real")
        extra.append(LoweredInput(f"cotangent_{i}", Kind("weight"), axes, (Leaf(None, leaf, axes),)))
        weighted.append(graph.reduce("sum", graph.apply("mul", leaf, node), axes))
    total = graph.apply("add", *weighted)
    return replace(
        lowered, inputs=(*lowered.inputs, *extra), terms=(), offset=total, total=total, reports=tuple(reports),
        needs_signature=False,
    )  # fmt: skip


def check_split(
    lowered: LoweredLoss,
    parts: Cut,
    axis: str,
    case: Case,
    whole: Subject,
    compile_pieces: Callable[[LoweredLoss], Subject],
) -> list[Mark]:
    """Marks of the whole against what two pieces combine to."""
    pieces = compile_pieces(pieces_loss(lowered, parts))
    halves = [_piece(lowered, case, axis, k) for k in (0, 1)]
    lengths = axis_lengths([lowered.total], case.leaves(lowered), case.sizes)  # renamed axes included
    zeros = {p.attr[0]: np.zeros([lengths[a] for a in p.attr[1]], case.dtype) for p in parts.places}
    cotangents = {f"cotangent_{i}": zeros[p.attr[0]] for i, p in enumerate(parts.places) if p.elem == "real"}

    def run(half: Case, given: dict[str, Array]) -> Results:
        return pieces.run(replace(half, arrays={**half.arrays, **given}))

    found = [run(half, cotangents) for half in halves]
    sums = {
        p.attr[0]: np.asarray(found[0].values[f"report sum_{i}"] + found[1].values[f"report sum_{i}"])
        for i, p in enumerate(parts.places)
    }
    inputs: dict[str, Any] = {**case.leaves(lowered), **sums}
    computing = computing_type(lowered, case.dtype)
    (total,) = evaluate([parts.outer], inputs, case.sizes, 30, computing=computing)
    leaves = gradient_leaves(lowered)
    targets = [*parts.places, *(node for node, _ in leaves.values())]
    slopes = truth_gradient(parts.outer, targets, inputs, case.sizes, computing=computing)
    given = {
        f"cotangent_{i}": slopes[i].floats(p.attr[1]).astype(case.dtype)
        for i, p in enumerate(parts.places)
        if p.elem == "real"
    }
    pulled = [run(half, given) for half in halves]
    gradients: dict[GradientKey, Array] = {}
    for (key, (_, axes)), direct in zip(leaves.items(), slopes[len(parts.places) :], strict=True):
        g = [p.gradients[key].astype(np.float64) for p in pulled]
        if axis in axes:
            gradients[key] = np.concatenate(g, axes.index(axis)) + direct.floats(axes)
        else:
            gradients[key] = g[0] + g[1] + direct.floats(axes)
    got = whole.run(case)
    tolerance = 1e-8 if got.values["total"].dtype == np.float64 else 1e-4
    marks = [compare("total", got.values["total"], _expected(total.floats()), tolerance, None)]
    for key, value in gradients.items():
        place = f"gradient of {key[0]}" + (f"[{key[1]!r}]" if key[1] is not None else "")
        scale = np.full(value.shape, tolerance * float(np.max(np.abs(value), initial=0.0)))
        marks.append(compare(place, got.gradients[key], _expected(value), tolerance, scale))
    return marks


def _expected(values: Any) -> Expected:
    array = np.asarray(values, dtype=np.float64)
    return Expected(array, np.ones(array.shape, dtype=bool), np.zeros(array.shape))


def _piece(lowered: LoweredLoss, case: Case, axis: str, half: int) -> Case:
    """One of two pieces along the axis, of different lengths where they can be."""
    size = case.sizes[axis]
    keep = slice(0, (size + 1) // 2) if half == 0 else slice((size + 1) // 2, size)
    piece = replace(case, sizes={**case.sizes, axis: len(range(*keep.indices(size)))})
    arrays = case.leaves(lowered)
    for each in lowered.inputs:
        for leaf in each.leaves:
            if axis in leaf.axes:
                index = tuple(keep if a == axis else slice(None) for a in leaf.axes)
                piece = piece.with_leaf(lowered, leaf.node.attr[0], arrays[leaf.node.attr[0]][index])
    return piece
