"""Sums whose terms share an exponential that may be infinite: what the exponential multiplies is added up first.

Two infinite terms of opposite signs are NaN; one exponential times the sum of what stands beside it is
infinite with the sign of that sum. Only gradients are made of such sums.
"""

from __future__ import annotations

from collections.abc import Sequence

from losslang.ir import Graph, Node, rebuild, walk
from losslang.rewrite.forms import Linear, Monomial, build_product, build_sum, linear, monomial, range_of

#: Exponentials of more than this leave float32.
MOST_EXPONENT = 88.0


def gathered(roots: Sequence[Node]) -> list[Node]:
    """``roots`` with what shares an exponential added up before it is multiplied."""
    made: dict[Node, Node] = {}
    for node in walk(roots):
        better = rebuild(node, tuple(made[a] for a in node.args))
        made[node] = _gathered(better) if better.op == "add" and better.elem == "real" else better
    return [made[root] for root in roots]


def _gathered(node: Node) -> Node:
    form = _expanded(linear(node))
    parts = {term: monomial(term) for term in form.terms}
    for large in dict.fromkeys(f for part in parts.values() for f in part.factors if _may_overflow(f)):
        if sum(_place(part, large) is not None for part in parts.values()) > 1:
            return node.graph.broadcast(_around(node.graph, form, large), node.axes)
    return node


def _expanded(form: Linear) -> Linear:
    """``form`` with products of sums that hold such exponentials multiplied out."""
    result = Linear({}, form.constant)
    for term, coefficient in form.terms.items():
        part = monomial(term)
        inner = next(
            (f for f, p in part.factors.items() if p == 1 and f.op == "add" and _large_within(f)), None
        )
        if inner is None:
            result.add(term, coefficient)
            continue
        rest = Monomial(part.coefficient, {f: p for f, p in part.factors.items() if f is not inner})
        for each, scale in linear(inner).terms.items():
            result = result.plus(linear(_times(rest, each)), coefficient * scale)
        if linear(inner).constant:
            whole = linear(build_product(term.graph, rest))
            result = result.plus(whole, coefficient * linear(inner).constant)
    return result


def _times(rest: Monomial, term: Node) -> Node:
    product = Monomial(rest.coefficient, dict(rest.factors))
    held = monomial(term)
    product.coefficient *= held.coefficient
    for factor, power in held.factors.items():
        product.multiply(factor, power)
    return build_product(term.graph, product)


def _large_within(node: Node) -> bool:
    return any(_may_overflow(f) for term in linear(node).terms for f in monomial(term).factors)


def _may_overflow(node: Node) -> bool:
    return node.op == "exp" and range_of(node.args[0]).high > MOST_EXPONENT


def _place(part: Monomial, large: Node) -> Node | None:
    less = large.graph.make("expm1", large.args)
    return next((f for f in (large, less) if part.factors.get(f) == 1), None)


def _around(graph: Graph, form: Linear, large: Node) -> Node:
    inside, outside = Linear(), Linear({}, form.constant)
    for term, coefficient in form.terms.items():
        part = monomial(term)
        place = _place(part, large)
        if place is None:
            outside.add(term, coefficient)
            continue
        others = {f: p for f, p in part.factors.items() if f is not place}
        rest = linear(build_product(graph, Monomial(part.coefficient, others)))
        inside = inside.plus(rest, coefficient)
        if place is not large:
            outside = outside.plus(rest, -coefficient)
    outside.add(graph.make("mul", (build_sum(graph, inside), large)), 1.0)
    return build_sum(graph, outside)
