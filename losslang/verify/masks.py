"""Which places of the inputs a case masks out, and garbage to put there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslang.ir import Node, rebuild, walk
from losslang.lowered import LoweredLoss
from losslang.truth import evaluate
from losslang.verify.inputs import Array, Case
from losslang.verify.reference import computing_type, value_nodes

#: So many that nothing that a float can hold is lost beside anything that one can hold.
PROBE_DIGITS = 90
LARGEST = 1e38
GARBAGE: tuple[float, ...] = (float("nan"), float("inf"), float("-inf"), 3e38)
WRONG_LABELS = (1_000_000, -7)
#: Kinds that hold whole numbers, which a call insists on everywhere.
WHOLE = ("binary", "sign", "count")


def masked_places(lowered: LoweredLoss, case: Case) -> dict[str, NDArray[np.bool_]]:
    """For each input node the places where the formula as written does not care what stands there.

    Found by trying: a place where NaN and infinities (or, for labels, indices out of range) leave every result
    unchanged is not looked at. Values that merely happen not to matter, such as those below a maximum, do not
    pass: a NaN among them shows.
    """
    arrays = case.leaves(lowered)
    nodes = _without_silence([node for node, _ in value_nodes(lowered).values()])
    computing = computing_type(lowered, case.dtype)

    def results(inputs: dict[str, Any]) -> list[Any]:
        found = evaluate(nodes, inputs, case.sizes, PROBE_DIGITS, computing=computing)
        return [_comparable(v) for each in found for v in each.values.flat]

    before = results(dict(arrays))
    if any(v == "nan" or abs(v) > LARGEST for v in before):
        return {}
    masked: dict[str, NDArray[np.bool_]] = {}
    for each in lowered.inputs:
        for leaf in each.leaves:
            name = leaf.node.attr[0]
            if leaf.node.elem == "bool" or not arrays[name].size:
                continue
            probes = _probes(leaf.node.elem, each.kind.name)
            where = np.zeros(arrays[name].size, dtype=bool)

            def ignored(places: Array, name: str = name, probes: Any = probes) -> bool:
                for probe in probes:
                    spoiled = arrays[name].copy()
                    spoiled.reshape(-1)[places] = probe
                    if results({**arrays, name: spoiled}) != before:
                        return False
                return True

            _search(ignored, np.arange(where.size), where)
            if where.any() and not ignored(np.flatnonzero(where)):
                continue  # they matter to each other, though not one by one
            if each.kind.ignoring is not None:
                where &= arrays[name].reshape(-1) != each.kind.ignoring
            if where.any():
                masked[name] = where.reshape(arrays[name].shape)
    return masked


def _without_silence(nodes: list[Node]) -> list[Node]:
    """The nodes with NaN where a factor of 0 silences a NaN: it is no mask, and NaN no logarithm."""
    done: dict[Node, Node] = {}
    for node in walk(nodes):
        new = rebuild(node, tuple(done[a] for a in node.args))
        if node.op == "silence":
            graph, beside = node.graph, new.args[1]
            new = graph.select(graph.apply("eq", beside, beside), new, float("nan"))
        done[node] = new
    return [done[node] for node in nodes]


def _probes(elem: str, kind: str) -> tuple[float, ...]:
    """Several, since a comparison may come out the same for one of them."""
    if elem == "int":
        return WRONG_LABELS
    nan, inf = float("nan"), float("inf")
    return (nan, 1.0, -1.0) if kind in WHOLE else (nan, inf, -inf)


def _search(ignored: Any, places: Array, where: NDArray[np.bool_]) -> None:
    """Halve the places until each part is ignored as a whole or a single place that is not."""
    if ignored(places):
        where[places] = True
    elif len(places) > 1:
        middle = len(places) // 2
        _search(ignored, places[:middle], where)
        _search(ignored, places[middle:], where)


def _comparable(value: Any) -> Any:
    return "nan" if value != value else value


def spoiled(lowered: LoweredLoss, case: Case, masked: dict[str, NDArray[np.bool_]], turn: int) -> Case:
    """The case with garbage in its masked-out places."""
    arrays = case.leaves(lowered)
    whole = {leaf.node.attr[0] for each in lowered.inputs if each.kind.name in WHOLE for leaf in each.leaves}
    for name, where in masked.items():
        array = arrays[name].copy()
        garbage: float = 1.0 if name in whole else GARBAGE[turn % len(GARBAGE)]
        if array.dtype.kind in "iu":
            array[where] = WRONG_LABELS[turn % 2]
        else:
            with np.errstate(over="ignore"):
                array[where] = np.asarray(garbage).astype(array.dtype)
        case = case.with_leaf(lowered, name, array)
    return case
