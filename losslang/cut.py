"""Cutting a graph at its externs: what lies between them is fused, what they return is an input of the rest.

An extern stands for a function of the host, of which the graph knows the arguments and what axes the
result has. In place of each stands an ``input`` node, so that neither rewriting nor differentiation
nor emission ever meets one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from losslang.demand import demanded
from losslang.ir import Graph, Node, rebuild, walk


@dataclass(frozen=True)
class Call:
    """One extern: ``result`` is the input node in its place; ``layouts`` and ``layout`` are the orders of
    dimensions of its arguments and of its result. Arguments refer to the results of earlier calls."""

    name: str
    arguments: tuple[Node, ...]
    layouts: tuple[tuple[str, ...], ...]
    result: Node
    layout: tuple[str, ...]


class Cut:
    """The roots of a graph cut at its externs; ``calls`` are in an order in which they can be made."""

    def __init__(self, roots: Sequence[Node]) -> None:
        self._places: dict[Node, Node] = {}
        self.calls: tuple[Call, ...] = ()
        order = list(walk(roots))
        externs = [node for node in order if node.op == "extern"]
        given = {axis for node in order if node.op == "input" for axis in node.axes}
        self._untold = {axis for node in externs for axis in node.axes - given}
        if externs:
            needed = dict(zip(externs, demanded(roots, externs)[0], strict=True))
            self.calls = tuple(self._call(node, at, needed[node]) for at, node in enumerate(externs))
        self.roots = self.apply(roots)

    def apply(self, nodes: Iterable[Node]) -> list[Node]:
        """The same nodes with the results of calls in place of externs."""
        nodes = list(nodes)
        if self.calls:
            for node in walk(nodes):
                self._placed(node)
        return [self._places.get(node, node) for node in nodes]

    def knowable(self, node: Node) -> bool:
        """Whether an uncut node can be known without calling the host."""
        return all(self._told(each) and each.op != "extern" for each in walk([node]))

    def _told(self, node: Node) -> bool:
        """Whether something other than the host's results says how long an axis is whose length counts."""
        return node.op not in ("index", "size") or node.graph.size_root(node.attr) not in self._untold

    def _placed(self, node: Node) -> Node:
        if node not in self._places:
            graph = node.graph
            placed = rebuild(node, tuple(self._places[arg] for arg in node.args))
            if placed is not node:
                if node in graph.declared:
                    graph.declared.setdefault(placed, graph.declared[node])
                if node in graph.origins:
                    graph.origins.setdefault(placed, graph.origins[node])
            self._places[node] = placed
        return self._places[node]

    def _call(self, node: Node, at: int, needed: Node) -> Call:
        graph = node.graph
        name, layouts, layout, elem, leading = node.attr
        for each in walk(node.args):
            self._placed(each)
        arguments = [self._places[arg] for arg in node.args]
        kept = needed.args[0] if needed.op == "broadcast" else needed
        kept = graph.reduce("any", kept, kept.axes - set(layout[:leading]))
        before = set(walk(node.args))
        if all(self._told(each) and (each.op != "extern" or each in before) for each in walk([kept])):
            (kept,) = self.apply([kept]) if self._places else [kept]
            arguments = [_cleared(graph, argument, kept) for argument in arguments]
        result = graph.input(f"{name}~{at + 1}", layout, elem, graph.declared.get(node))
        self._places[node] = result
        return Call(name, tuple(arguments), layouts, result, layout)


def _cleared(graph: Graph, argument: Node, kept: Node) -> Node:
    """An argument without NaN and infinities where nothing depends on what the host makes of them.

    The axes that ride along are independent of each other, so what a mask leaves out later need not be seen
    by the host, whose own derivatives would multiply it by 0. Finite values stay as they are: the host may not
    like a 0 any better.
    """
    where = graph.reduce("any", kept, kept.axes - argument.axes)
    if argument.elem != "real" or (where.op == "const" and where.attr is True):
        return argument
    finite = graph.apply("lt", graph.apply("abs", argument), inf)
    return graph.select(graph.apply("or", where, finite), argument, 0.0)


def reached(roots: Iterable[Node]) -> set[Node]:
    """The real nodes with respect to which the roots may have a derivative."""
    todo = [root for root in roots if root.elem == "real"]
    seen = set(todo)
    while todo:
        node = todo.pop()
        if node.op != "stop":
            for arg in node.args:
                if arg.elem == "real" and arg not in seen:
                    seen.add(arg)
                    todo.append(arg)
    return seen
