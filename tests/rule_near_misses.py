"""Expressions that are nearly the pattern of a rule, made from the pattern by one small change each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from losslang.interval import EVERYTHING
from losslang.ir import Graph, Node, rebuild, walk
from losslang.ops import OPS


@dataclass(frozen=True)
class NearMiss:
    """``change`` says what was done to the pattern."""

    change: str
    root: Node


def near_misses(pattern: Node, inputs: dict[str, Node]) -> list[NearMiss]:
    """One constant or function changed, one of several uses of a variable swapped for a fresh one, one term dropped, one
    reduction along another axis, one kind weakened; each place in turn."""
    found = {n.root: n for n in _changes(pattern, _uses(pattern))}
    names = [each.change for each in found.values()]
    result = [
        NearMiss(f"{n.change} ({names[:at].count(n.change) + 1})", n.root.graph.broadcast(n.root, {"i"}))
        for at, n in enumerate(found.values())
    ]
    return result + [_weakened(pattern, node) for node in inputs.values() if node in pattern.graph.declared
                     and pattern.graph.declared[node] != EVERYTHING]  # fmt: skip


def _uses(node: Node) -> dict[Node, int]:
    """How often each input stands in the expression as a tree."""
    counts: dict[Node, int] = {node: 1} if node.op == "input" else {}
    for arg in node.args:
        for each, count in _uses(arg).items():
            counts[each] = counts.get(each, 0) + count
    return counts


def _changes(node: Node, uses: dict[Node, int]) -> Iterator[NearMiss]:
    graph = node.graph
    if node.op == "const" and node.elem == "real" and isinstance(node.attr, float):
        yield NearMiss(f"{node.attr:g} is {1.25 * node.attr + 0.25:g}", graph.const(1.25 * node.attr + 0.25))
    if node.op == "input" and uses[node] > 1:
        name, axes, elem = node.attr
        yield NearMiss(f"another {name}", graph.input(f"other_{name}", axes, elem, graph.declared.get(node)))
    if node.op == "add":
        for at in range(len(node.args)):
            rest = [graph.broadcast(a, node.axes) for a in node.args[:at] + node.args[at + 1 :]]
            yield NearMiss(
                f"without term {at}", rest[0] if len(rest) == 1 else graph.make("add", tuple(rest))
            )
    if isinstance(node.attr, frozenset) and node.op != "broadcast" and all("i" in a.axes for a in node.args):
        yield NearMiss(f"{node.op} along i", graph.make(node.op, node.args, frozenset(("i",))))
    if OPS[node.op].family == "elementwise" and len(node.args) == 1 and node.op not in ("neg", "to_real"):
        yield NearMiss(f"atan for {node.op}" if node.op != "atan" else "tanh for atan", _other_function(node))
    for at, arg in enumerate(node.args):
        for inner in _changes(arg, uses):
            yield NearMiss(inner.change, rebuild(node, (*node.args[:at], inner.root, *node.args[at + 1 :])))


def _other_function(node: Node) -> Node:
    return node.graph.make("tanh" if node.op == "atan" else "atan", node.args)


def _weakened(pattern: Node, declared: Node) -> NearMiss:
    """The pattern with a variable of which nothing is known."""
    graph: Graph = pattern.graph
    name, axes, elem = declared.attr
    made: dict[Node, Node] = {declared: graph.input(f"any_{name}", axes, elem)}
    for node in walk([pattern]):
        made.setdefault(node, rebuild(node, tuple(made[a] for a in node.args)))
    return NearMiss(f"any {name}", made[pattern])
