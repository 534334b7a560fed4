"""The interval of every node, from the intervals that kinds promise and the ops table."""

from __future__ import annotations

from losslang.interval import EVERYTHING, NONNEGATIVE, Interval, point
from losslang.ir import Node, walk
from losslang.ops import OPS


def interval_of(node: Node) -> Interval:
    """What is provable of every element of ``node``; cached on the graph."""
    known = node.graph.intervals
    found = known.get(node)
    if found is not None:
        return found
    if not all(a in known for a in node.args):
        for each in walk([node]):
            if each not in known:
                known[each] = _interval(each, known)
        return known[node]
    found = known[node] = _interval(node, known)
    return found


def _interval(node: Node, known: dict[Node, Interval]) -> Interval:
    if node.op == "const":
        return point(float(node.attr))
    if node in node.graph.declared:
        return node.graph.declared[node]
    if node.elem == "bool":
        return Interval(0.0, 1.0)
    if node.op in ("index", "size", "limit"):
        return NONNEGATIVE
    if node.op == "mul" and len(node.args) == 2 and node.args[0] is node.args[1]:
        return OPS["pow"].interval(known[node.args[0]], point(2.0))  # type: ignore[misc]
    rule = OPS[node.op].interval
    return rule(*(known[a] for a in node.args)) if rule else EVERYTHING
