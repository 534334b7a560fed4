"""Sums whose terms share an exponential that may be infinite: what the exponential multiplies is added up first.

Two infinite terms of opposite signs are NaN; one exponential times the sum of what stands beside it is
infinite with the sign of that sum. Only gradients are made of such sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from losslang.ir import Graph, Node, rebuild, walk
from losslang.rewrite.forms import Linear, Monomial, build_product, build_sum, linear, monomial, range_of

#: Products of sums in one sum, and terms of each, that are tried to be multiplied out.
_MOST_PRODUCTS = 6
_MOST_TERMS = 6
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
    form = linear(node)
    cancelled = _cancelled(form)
    if cancelled is not None:
        node = node.graph.broadcast(build_sum(node.graph, cancelled), node.axes)
    form = _expanded(cancelled or form)
    parts = {term: monomial(term) for term in form.terms}
    for large in dict.fromkeys(f for part in parts.values() for f in part.factors if _may_overflow(f)):
        if sum(_place(part, large) is not None for part in parts.values()) > 1:
            return node.graph.broadcast(_around(node.graph, form, large), node.axes)
    return node


def _cancelled(form: Linear) -> Linear | None:
    """``form`` with one or two products of sums multiplied out, if something is then left that cancels exactly."""
    products = [(t, inner) for t in form.terms for inner in _sums_within(monomial(t))][:_MOST_PRODUCTS]
    for chosen in (*((each,) for each in products), *combinations(products, 2)):
        terms = {t for t, _ in chosen}
        if len(terms) < len(chosen):
            continue
        result = Linear({t: c for t, c in form.terms.items() if t not in terms}, form.constant)
        vanished = False
        for product, inner in chosen:
            pieces, scale = _multiplied_out(monomial(product), inner), form.terms[product]
            vanished = vanished or any(result.terms.get(t) == -scale * c for t, c in pieces.terms.items())
            result = result.plus(pieces, scale)
        if vanished:
            return result
    return None


def _sums_within(part: Monomial) -> list[Node]:
    """The sums of few terms that are factors of a product."""
    sums = [f for f, p in part.factors.items() if p == 1 and f.op == "add"]
    return [f for f in sums if linear(f).size <= _MOST_TERMS]


def _multiplied_out(part: Monomial, inner: Node) -> Linear:
    """A product with the sum ``inner`` as a sum of products."""
    rest = Monomial(part.coefficient, {f: p for f, p in part.factors.items() if f is not inner})
    form = linear(inner)
    result = Linear()
    for each, scale in form.terms.items():
        result = result.plus(linear(_times(rest, each)), scale)
    if form.constant:
        result = result.plus(linear(build_product(inner.graph, rest)), form.constant)
    return result


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
        result = result.plus(_multiplied_out(part, inner), coefficient)
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
