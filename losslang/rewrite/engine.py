"""The rewriter: settles every node of a graph, arguments first, until nothing fires.

A handler sees one node whose arguments are settled and gives a better node of the same meaning.
What it builds, it builds with :meth:`Engine.make`, so new nodes are settled in turn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from losslang.ir import Graph, Node, peel, rebuild, walk
from losslang.rewrite.forms import Linear, Monomial, build_product, build_sum, linear
from losslang.rewrite.trace import Trace

Handler = Callable[["Engine", Node], "Node | None"]

HANDLERS: dict[str, list[Handler]] = {}
_DEPTH = 60


def handles(*ops: str) -> Callable[[Handler], Handler]:
    """Register a function as a handler of nodes of these ops; the first that answers wins."""

    def register(function: Handler) -> Handler:
        for op in ops:
            HANDLERS.setdefault(op, []).append(function)
        return function

    return register


class Engine:
    """Rewrites one graph. ``settled`` maps each node met so far to its final form."""

    def __init__(
        self, graph: Graph, trace: Trace | None = None, rules: bool = True, settled: dict[Node, Node] | None = None
    ) -> None:  # fmt: skip
        self.graph = graph
        self.rules = rules
        self.trace = trace
        self.settled: dict[Node, Node] = {} if settled is None else settled
        self.logs: dict[Node, Node | None] = {}
        self.complements: dict[Node, Node | None] = {}
        self.depth = 0
        self.firings = 0

    def run(self, roots: Sequence[Node]) -> list[Node]:
        rewritten: dict[Node, Node] = {}
        for node in _order(roots):
            if node.op == "computed_as":
                rewritten[node] = node
                continue
            args = tuple(rewritten[a] for a in node.args)
            near_one = self._log_of_numbers(node, rewritten) if node.op == "log" else None
            rewritten[node] = near_one or self.settle(rebuild(node, args), origin=node)
        return [rewritten[root] for root in roots]

    def _log_of_numbers(self, node: Node, rewritten: dict[Node, Node]) -> Node | None:
        """log of a sum of numbers, before their sum is rounded beside a 1."""
        total = node.args[0]
        if total.op != "add" or not all(rewritten[a].op == "const" for a in total.args):
            return None
        beside = math.fsum([*(float(rewritten[a].attr) for a in total.args), -1.0])
        return self.const(math.log1p(beside)) if abs(beside) < 0.5 else None

    def settle(self, node: Node, origin: Node | None = None) -> Node:
        """The final form of a node whose arguments are settled."""
        known = self.settled.get(node)
        if known is not None:
            return known
        if self.depth > _DEPTH:
            return node
        self.depth += 1
        try:
            result = self._apply(node, origin or node)
        finally:
            self.depth -= 1
        self.settled[node] = result
        self.settled.setdefault(result, result)
        return result

    def _apply(self, node: Node, origin: Node) -> Node:
        self.settled[node] = node  # whoever asks meanwhile gets the node as it stands
        stripped = self._strip(node)
        for handler in (*HANDLERS.get(stripped.op, ()), *HANDLERS.get("*", ())):
            better = handler(self, stripped)
            if better is not None and better is not stripped:
                self._keep_origins(origin, better)
                return self.shaped(better, node)
        return self.shaped(stripped, node)

    def _strip(self, node: Node) -> Node:
        """An elementwise node without broadcasts of its arguments: the result is repeated instead."""
        from losslang.ops import OPS

        if OPS[node.op].family != "elementwise" or all(a.op != "broadcast" for a in node.args):
            return node
        return self.graph.make(node.op, tuple(peel(a) for a in node.args), node.attr)

    def shaped(self, node: Node, like: Node) -> Node:
        """``node`` with the axes and element class of ``like``."""
        if like.elem == "real":
            node = self.graph.real(node)
        return self.graph.broadcast(node, like.axes)

    def _keep_origins(self, old: Node, new: Node) -> None:
        places = self.graph.origins.get(old)
        if places and new not in self.graph.origins:
            self.graph.origins[new] = list(places)

    # -- making settled nodes -------------------------------------------------------------------

    def make(self, op: str, *args: Node | float | bool, attr: object = None) -> Node:
        return self.settle(self.graph.make(op, tuple(self.graph.lift(a) for a in args), attr))

    def const(self, value: float) -> Node:
        return self.graph.const(float(value))

    def add(self, *args: Node | float) -> Node:
        return self.make("add", *args)

    def sub(self, a: Node | float, b: Node | float) -> Node:
        return self.make("add", self.graph.lift(a), self.neg(self.graph.lift(b)))

    def neg(self, x: Node) -> Node:
        form = linear(x).plus(Linear(), 0.0)
        return self.sum_of(Linear({t: -c for t, c in form.terms.items()}, -form.constant), x)

    def mul(self, *args: Node | float) -> Node:
        return self.make("mul", *args)

    def div(self, a: Node | float, b: Node | float) -> Node:
        return self.make("div", a, b)

    def scale(self, x: Node, factor: float) -> Node:
        form = linear(x)
        return self.sum_of(Linear({t: factor * c for t, c in form.terms.items()}, factor * form.constant), x)

    def sum_of(self, form: Linear, like: Node | None = None) -> Node:
        node = self.settle(build_sum(self.graph, form))
        return node if like is None else self.graph.broadcast(node, like.axes)

    def product_of(self, form: Monomial) -> Node:
        return self.settle(build_product(self.graph, form))

    def computed(self, meaning: Node, formula: Node, like: Node | None = None) -> Node:
        """``formula`` for the value, ``meaning`` for the derivative."""
        axes = meaning.axes | formula.axes | (like.axes if like is not None else frozenset())
        node = self.graph.make("computed_as", (meaning, formula))
        self.settled[node] = node
        return self.graph.broadcast(node, axes)

    def fired(self, rule: str, before: Node, after: Node, reason: str = "") -> Node:
        self.firings += 1
        if self.trace is not None and before is not after:
            self.trace.record(rule, before, after, reason)
        return after


def _order(roots: Sequence[Node]) -> Iterator[Node]:
    """Arguments before users; what is computed by a formula of its own is final."""
    return walk(roots, frozenset(("computed_as",)))


def meaning(node: Node) -> Node:
    """What a node says, beneath the formula it is computed by."""
    node = peel(node)
    while node.op == "computed_as":
        node = peel(node.args[0])
    return node


def any_of(nodes: Iterable[Node | None]) -> bool:
    return any(n is not None for n in nodes)
