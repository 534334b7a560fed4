"""The expressions of rules as nodes: the part of the language that rules are written in.

Rules are shipped with the compiler and have no kinds to resolve, so that a direct walk over the
syntax is enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from losslang import model as m
from losslang.ir import Graph, Node
from losslang.ops import OPS

Make = Callable[..., Node]

_RENAMED = {"min": "minimum", "max": "maximum"}
_BINARY = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le"}
_NUMBERS = {"pi": math.pi, "inf": math.inf}


class Adapter:
    """Builds expressions. ``make(op, *args, attr=)`` makes nodes; ``names`` binds variables, ``axes`` axes."""

    def __init__(
        self, graph: Graph, make: Make, names: Mapping[str, Node], axes: Mapping[str, frozenset[str]]
    ) -> None:
        self.graph = graph
        self.make = make
        self.names = dict(names)
        self.axes = dict(axes)

    def build(self, e: m.Expression) -> Node:
        method = getattr(self, f"_{e.type}")
        node: Node = method(e)
        return node

    def _number(self, e: m.Number) -> Node:
        return self.graph.const(float(e.value))

    def _name(self, e: m.Name) -> Node:
        if e.id in self.names:
            return self.names[e.id]
        return self.graph.const(_NUMBERS[e.id])

    def _negative(self, e: m.Unary) -> Node:
        return self.make("neg", self.build(e.operand))

    def _power(self, e: m.Power) -> Node:
        return self.make("pow", self.build(e.base), self.build(e.exponent))

    def _chain(self, e: m.Chain) -> Node:
        total = self.build(e.first)
        for link in e.rest:
            right = self.build(link.operand)
            if link.op == "-":
                total = self.make("add", total, self.make("neg", right))
            else:
                total = self.make({"+": "add", "*": "mul", "/": "div"}[link.op], total, right)
        return total

    def _compare(self, e: m.Compare) -> Node:
        left, right = self.build(e.left), self.build(e.right)
        if e.op in (">", ">="):
            left, right = right, left
        return self.make(_BINARY[{">": "<", ">=": "<="}.get(e.op, e.op)], left, right)

    def _and(self, e: m.And) -> Node:
        return self.make("and", *[self.build(x) for x in e.operands])

    def _or(self, e: m.Or) -> Node:
        return self.make("or", *[self.build(x) for x in e.operands])

    def _if(self, e: m.If) -> Node:
        return self.make("select", self.build(e.condition), self.build(e.then), self.build(e.otherwise))

    def _let(self, e: m.Let) -> Node:
        kept = dict(self.names)
        for binding in e.bindings:
            self.names[binding.name] = self.build(binding.value)
        body = self.build(e.body)
        self.names = kept
        return body

    def _call(self, e: m.Call) -> Node:
        args = [self.build(a) for a in e.args]
        if e.function == "trigamma":
            return self.make("polygamma", *args, attr=1)
        if e.along is None:
            return self.make(_RENAMED.get(e.function, e.function), *args)
        over = frozenset[str]().union(*(self.axes[a.name] for a in e.along.axes))
        args = [self.graph.broadcast(a, over) for a in args]
        if e.function == "mean":
            sizes = [self.make("to_real", self.graph.size(a)) for a in sorted(over)]
            count = sizes[0] if len(sizes) == 1 else self.make("mul", *sizes)
            return self.make("div", self.make("sum", *args, attr=over), count)
        return self.make(e.function, *args, attr=over)


def plain_make(graph: Graph) -> Make:
    """Makes nodes as they stand."""

    def make(op: str, *args: Node, attr: object = None) -> Node:
        if OPS[op].family == "elementwise" and any(a.elem != "real" for a in args) and op == "neg":
            args = tuple(graph.real(a) for a in args)
        return graph.make(op, tuple(args), attr)

    return make
