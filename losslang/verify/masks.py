"""Which places of the inputs a case masks out, and garbage to put there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from losslang.ir import Node, rebuild, walk
from losslang.lowered import LoweredLoss
from losslang.truth import ANY_INDEX, ANYTHING, evaluate
from losslang.verify.inputs import Array, Case
from losslang.verify.reference import computing_type, value_nodes

#: So many that nothing that a float can hold is lost beside anything that one can hold.
PROBE_DIGITS = 90
LARGEST = 1e38
GARBAGE: tuple[float, ...] = (float("nan"), float("inf"), float("-inf"), 3e38)
WRONG_LABELS = (1_000_000, -7)
#: Kinds that hold whole numbers, which a call insists on everywhere.
WHOLE = ("binary", "sign", "count")
_COMPARISONS = ("eq", "ne", "lt", "le")


def masked_places(lowered: LoweredLoss, case: Case) -> dict[str, NDArray[np.bool_]]:
    """For each input node the places where the formula as written does not care what stands there.

    Found by trying: a place that may hold anything at all, NaN and infinities (for labels, indices out of
    range) included, while every result stays what it is, is not looked at. What merely happens not to matter,
    as the numbers below a maximum or the rows of a table that no label picks, does not pass.
    """
    arrays = case.leaves(lowered)
    nodes = _attentive([node for node, _ in value_nodes(lowered).values()])
    computing = computing_type(lowered, case.dtype)

    def results(inputs: dict[str, Any]) -> list[Any]:
        found = evaluate(nodes, inputs, case.sizes, PROBE_DIGITS, computing=computing, wary=True)
        return [_comparable(v) for each in found for v in each.values.flat]

    before = results(dict(arrays))
    if any(v == "nan" or abs(v) > LARGEST for v in before):
        return {}
    masked: dict[str, NDArray[np.bool_]] = {}
    known: dict[str, Any] = dict(arrays)  # with anything in the places that are known to be masked
    for name, kind, elem in _in_order(lowered):
        if elem == "bool" or not arrays[name].size:
            continue
        where = np.zeros(arrays[name].size, dtype=bool)
        probes = _probes(elem, kind)

        def ignored(places: Array, name: str = name, probes: tuple[Any, ...] = probes) -> bool:
            return all(
                results({**known, name: _exchanged(known[name], places, probe)}) == before for probe in probes
            )

        _search(ignored, np.arange(where.size), where)
        if where.any() and not ignored(np.flatnonzero(where)):
            continue  # they matter to each other, though not one by one
        if elem == "int":
            where &= ~_sentinels(lowered, name, arrays[name])
        if where.any():
            masked[name] = where.reshape(arrays[name].shape)
            known[name] = _exchanged(known[name], np.flatnonzero(where), probes[0])
    return masked


def _in_order(lowered: LoweredLoss) -> list[tuple[str, str, str]]:
    """The input nodes with their kinds: numbers first, since labels and counts may decide which of them matter."""
    found = [
        (leaf.node.attr[0], each.kind.name, leaf.node.elem) for each in lowered.inputs for leaf in each.leaves
    ]
    return sorted(found, key=lambda each: each[2] == "int" or each[1] in WHOLE)


def _sentinels(lowered: LoweredLoss, name: str, array: Array) -> NDArray[np.bool_]:
    """Where labels are ignored ones: they say so themselves, and stay."""
    for each in lowered.inputs:
        if each.kind.ignoring is not None and any(leaf.node.attr[0] == name for leaf in each.leaves):
            return np.asarray(array.reshape(-1) == each.kind.ignoring)
    return np.zeros(array.size, dtype=bool)


def _exchanged(array: Any, places: Array, probe: Any) -> Any:
    changed = array.astype(object)
    for place in places:
        changed.reshape(-1)[place] = probe
    return changed


def _attentive(nodes: list[Node]) -> list[Node]:
    """The nodes, looking at what only chance keeps them from seeing.

    NaN where a factor of 0 silences a NaN: it is no mask, and NaN no logarithm. NaN where a choice compares with
    NaN: that both branches are worth the same, as for a logit of 0, is chance. A pick whose index comes from data
    sees the whole row: that nobody picks a place is chance. (Sorting picks every place.)
    """
    done: dict[Node, Node] = {}
    by_data: dict[Node, bool] = {}
    for node in walk(nodes):
        by_data[node] = node.op == "input" or (node.op != "argsort" and any(by_data[a] for a in node.args))
        new = rebuild(node, tuple(done[a] for a in node.args))
        graph = node.graph
        if node.op == "silence":
            new = graph.select(graph.apply("eq", new.args[1], new.args[1]), new, float("nan"))
        elif node.op == "gather" and node.elem == "real" and by_data[node.args[1]]:
            row = new.args[0]
            real = graph.reduce("all", graph.apply("eq", row, row), [node.attr])
            new = graph.select(real, new, float("nan"))
        elif node.op == "select" and node.elem == "real" and node.args[0].op in _COMPARISONS:
            for each in new.args[0].args:
                if each.elem == "real" and by_data[node.args[0]]:
                    new = graph.select(graph.apply("eq", each, each), new, float("nan"))
        done[node] = new
    return [done[node] for node in nodes]


def _probes(elem: str, kind: str) -> tuple[Any, ...]:
    """Several, since a comparison may come out the same for one of them."""
    if elem == "int":
        return (ANY_INDEX, *WRONG_LABELS)
    nan, inf = float("nan"), float("inf")
    return (ANYTHING, nan, 1.0, -1.0) if kind in WHOLE else (ANYTHING, nan, inf, -inf)


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
