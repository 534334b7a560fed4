"""The interval of every node, from the intervals that kinds promise and the ops table."""

from __future__ import annotations

from losslang.interval import EVERYTHING, NONNEGATIVE, Interval, point
from losslang.ir import Node
from losslang.ops import OPS


def interval_of(node: Node) -> Interval:
    """What is provable of every element of ``node``; cached on the graph."""
    known = node.graph.intervals
    found = known.get(node)
    if found is not None:
        return found
    stack = [node]
    while stack:
        unknown = [arg for arg in stack[-1].args if arg not in known]
        if unknown:
            stack.extend(unknown)
        else:
            last = stack.pop()
            known[last] = _interval(last, known)
    return known[node]


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
