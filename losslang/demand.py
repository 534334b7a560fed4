"""Which places of a node the results depend on: values that a mask or a branch sets aside are not asked for.

The reverse of evaluation, with "needed" in place of a derivative. It lets validation ignore garbage in
padded places, and report an index out of range only where something would be picked with it.
Structural ops are taken to need every place of their arguments; externs, those along the axes that ride along.
"""

from __future__ import annotations

from collections.abc import Sequence

from losslang.ir import Graph, Node, walk
from losslang.ops import OPS


def demanded(roots: Sequence[Node], leaves: Sequence[Node]) -> tuple[list[Node], list[tuple[Node, Node]]]:
    """For each leaf a boolean node with its axes, and for each ``gather`` the places of its index that count."""
    graph = roots[0].graph
    order = list(walk(roots))
    needed: dict[Node, Node] = {}
    for root in roots:
        _join(graph, needed, root, graph.const(True))
    for node in reversed(order):
        for arg, where in zip(node.args, _arguments(graph, node, needed[node]), strict=True):
            _join(graph, needed, arg, where)
    masks = [graph.broadcast(needed.get(leaf, graph.const(False)), leaf.axes) for leaf in leaves]
    picks = [
        (node, graph.broadcast(_any(graph, needed[node], node.args[1]), node.args[1].axes))
        for node in order
        if node.op == "gather"
    ]
    return masks, picks


def _join(graph: Graph, needed: dict[Node, Node], node: Node, where: Node) -> None:
    where = _any(graph, where, node)
    known = needed.get(node)
    if known is None or _is(known, False):
        needed[node] = where
    elif not _is(known, True) and known is not where:
        needed[node] = where if _is(where, True) else graph.apply("or", known, where)


def _arguments(graph: Graph, node: Node, needed: Node) -> list[Node]:
    """Where each argument is needed, given where the node is."""
    if node.op == "select":
        condition = node.args[0]
        return [needed, _and(graph, needed, condition), _and(graph, needed, graph.apply("not", condition))]
    if node.op == "silence":
        zero = graph.apply("eq", node.args[0], 0.0)
        return [needed, _and(graph, needed, graph.apply("not", zero))]
    if node.op == "rename":
        old, new = node.attr
        return [graph.rename(needed, new, old) if new in needed.axes else needed]
    if node.op == "extern":
        leading = frozenset(node.attr[2][: node.attr[4]])
        return [graph.reduce("any", needed, needed.axes - leading)] * len(node.args)
    if OPS[node.op].family in ("elementwise", "reduce") or node.op in ("contract", "broadcast"):
        return [needed] * len(node.args)
    everything = graph.const(True)
    return [everything] * len(node.args)


def _any(graph: Graph, where: Node, node: Node) -> Node:
    """``where`` without the axes that the node lacks: a place is needed if any of its uses is."""
    return graph.reduce("any", where, where.axes - node.axes)


def _and(graph: Graph, a: Node, b: Node) -> Node:
    return b if _is(a, True) else graph.apply("and", a, b)


def _is(node: Node, value: bool) -> bool:
    return node.op == "const" and node.attr is value
