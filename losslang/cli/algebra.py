"""Products and sums for people: cancelled, multiplied out or factored, whichever is shorter."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations

from losslang.ir import Graph, Node
from losslang.render.graphs import length
from losslang.rewrite.forms import Linear, Monomial, build_sum, linear, monomial, power_of, scaled

_MOST_TERMS = 12
_CARRIERS = ("to_real", "broadcast", "widen", "narrow")


def bare(node: Node) -> Node:
    """``node`` without what only carries it."""
    while node.op in _CARRIERS:
        node = node.args[0]
    return node


def number(node: Node) -> float | None:
    """The value of a constant."""
    node = bare(node)
    return float(node.attr) if node.op == "const" and not isinstance(node.attr, bool) else None


class Algebra:
    """Rewrites the products and sums of one graph. What it makes has the same meaning and is evaluated by nobody."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def one_choice(self, first: Node, weight: float, second: Node, other: float) -> Node | None:
        """``weight · first + other · second`` as one node, where both are choices; that is for others to know."""
        return None

    def product(self, node: Node) -> Node:
        """One quotient of two products, in which what stands on both sides has cancelled."""
        if node.op == "neg" and bare(node.args[0]).op == "add":
            return self.sum(node)
        form = monomial(self.graph.make("mul", node.args) if node.op == "silence" else node)
        if any(number(factor) == 0 for factor in form.factors):
            return self.graph.broadcast(self.graph.const(0.0), node.axes)
        return self.graph.broadcast(self._quotient(self._turned(self._one_way(form))), node.axes)

    def _one_way(self, form: Monomial) -> Monomial:
        """A difference and its opposite as one factor."""
        same = Monomial(form.coefficient)
        for factor, power in form.factors.items():
            inner = linear(factor) if factor.op == "add" and power == int(power) else Linear()
            if inner.terms and inner.terms[min(inner.terms, key=lambda t: t.id)] < 0:
                same.coefficient *= (-1) ** int(power)
                factor = build_sum(self.graph, Linear().plus(inner, -1.0))
            same.multiply(factor, power)
        return same

    def _turned(self, form: Monomial) -> Monomial:
        """−2·(a − b) is 2·(b − a)."""
        if form.coefficient > 0:
            return form
        for factor, power in form.factors.items():
            inner = linear(factor) if factor.op == "add" and power == 1 else Linear()
            if min([*inner.terms.values(), inner.constant, 0.0]) < 0:
                opposite = build_sum(self.graph, Linear().plus(inner, -1.0))
                rest = {f: p for f, p in form.factors.items() if f is not factor}
                return Monomial(-form.coefficient, {**rest, opposite: 1.0})
        return form

    def _quotient(self, form: Monomial) -> Node:
        g = self.graph
        whole = Monomial(form.coefficient)
        for f, p in form.factors.items():
            if f.op == "div" and f.args[0] is f.args[1]:
                continue
            length = self._length(f) if p < 0 or p != int(p) else None
            whole.multiply(f, p) if length is None else whole.multiply(length, 2 * p)
        ordered = sorted(whole.factors.items(), key=lambda item: (len(item[0].axes), item[0].id))
        above = [power_of(f, p) for f, p in ordered if p > 0]
        below = [power_of(f, -p) for f, p in ordered if p < 0]
        top, bottom = (
            side[0] if len(side) == 1 else g.make("mul", tuple(side)) if side else g.const(1.0)
            for side in (above, below)
        )
        if form.coefficient != 1 or not above:
            top = scaled(top, form.coefficient)
        return g.make("div", (top, bottom)) if below else top

    def _length(self, factor: Node) -> Node | None:
        """The root of a sum of squares, which is a length."""
        square = bare(factor.args[0]) if factor.op == "sum" else None
        known = square is not None and square.op == "pow" and number(square.args[1]) == 2
        return self.graph.make("sqrt", (factor,)) if known else None

    def total(self, node: Node) -> Node:
        """A sum of products, without the factors that are the same along it."""
        counted = self._counted(node.args[0], node.attr)
        if counted is not None:
            return self.graph.broadcast(counted, node.axes)
        form, along = monomial(node.args[0]), set(node.attr)
        outside = {f: p for f, p in form.factors.items() if not along & f.axes}
        inside = Monomial(1.0, {f: p for f, p in form.factors.items() if f not in outside})
        apart = self._share(inside, along)
        if apart is not None:
            before = self._quotient(Monomial(form.coefficient, dict(outside)))
            return self.graph.broadcast(self.product(self.graph.apply("mul", before, apart)), node.axes)
        if not inside.factors:
            return node
        inner = self.graph.broadcast(self._quotient(inside), frozenset(along) | self._quotient(inside).axes)
        total = self.graph.make("sum", (inner,), node.attr)
        whole = Monomial(form.coefficient, dict(outside))
        whole.multiply(total, 1.0)
        return self.graph.broadcast(self._quotient(whole), node.axes)

    def _counted(self, x: Node, along: Collection[str]) -> Node | None:
        """The sum along one axis c of what is the same along it, or stands where c = y alone."""
        if len(along) != 1:
            return None
        [axis], total = along, Linear()
        for term, weight in linear(x).terms.items():
            if axis not in term.axes:
                total.add(self.product(self.graph.apply("mul", term, self.graph.size(axis))), weight)
            elif self.is_one_place(term, axis):
                total.add(bare(term).args[1], weight)
            else:
                return None
        if linear(x).constant:
            total.add(self.graph.real(self.graph.size(axis)), linear(x).constant)
        return build_sum(self.graph, total)

    def is_one_place(self, term: Node, axis: str) -> bool:
        """Whether ``term`` is 0 but where ``axis`` is at a label; that is for others to know."""
        return False

    def _share(self, form: Monomial, along: set[str]) -> Node | None:
        """The sum of softmax · (x + k) is k plus the sum of softmax · x, where k is the same along it."""
        shares = [f for f in form.factors if f.op == "softmax" and set(f.attr) == along]
        sums = [f for f in form.factors if f.op == "add"]
        if (
            len(shares) != 1
            or len(sums) != 1
            or len(form.factors) != 2
            or set(form.factors.values()) != {1.0}
        ):
            return None
        inner = linear(sums[0])
        same = Linear({t: w for t, w in inner.terms.items() if not along & t.axes}, inner.constant)
        rest = Linear({t: w for t, w in inner.terms.items() if t not in same.terms})
        if not same.size or not rest.terms:
            return None
        product = self._quotient(Monomial(1.0, {shares[0]: 1.0, build_sum(self.graph, rest): 1.0}))
        total = self.total(self.graph.make("sum", (product,), tuple(sorted(along))))
        return self.graph.apply("add", build_sum(self.graph, same), total)

    def sum(self, node: Node) -> Node:
        """Like terms together, multiplied out where that is shorter; choices that exclude each other as one."""
        form = linear(node)
        wide = self._expanded(form)
        factored = self._factored(wide)
        other = build_sum(self.graph, wide) if factored is None else factored
        if length(other) < length(node):
            return self.graph.broadcast(other, node.axes)
        merged = True
        while merged:
            merged = False
            for first, second in combinations(form.terms, 2):
                one = self.one_choice(first, form.terms[first], second, form.terms[second])
                if one is not None:
                    del form.terms[first], form.terms[second]
                    form.add(one, 1.0)
                    merged = True
                    break
        return self.graph.broadcast(build_sum(self.graph, form), node.axes)

    def _expanded(self, form: Linear) -> Linear:
        """``form`` with its products multiplied out, unless that gives more terms than anybody reads."""
        wide = Linear({}, form.constant)
        for term, weight in form.terms.items():
            for product in self._opened(monomial(term)):
                weighed, product.coefficient = weight * product.coefficient, 1.0
                if product.factors:
                    wide.add(self._quotient(product), weighed)
                else:
                    wide.constant += weighed
            if wide.size > _MOST_TERMS:
                return form
        return wide

    def _opened(self, form: Monomial) -> list[Monomial]:
        """The products that a product with sums in it comes to."""
        total = next((f for f, power in form.factors.items() if f.op == "add" and power == 1), None)
        if total is None:
            return [form]
        inner, parts = linear(total), []
        for part, times in [*inner.terms.items(), (self.graph.const(1.0), inner.constant)]:
            if times:
                known = monomial(part)
                whole = Monomial(form.coefficient * times * known.coefficient)
                for factor, power in (*form.factors.items(), *known.factors.items()):
                    if factor is not total:
                        whole.multiply(factor, power)
                parts += self._opened(whole)
        return parts

    def _factored(self, form: Linear) -> Node | None:
        """What all terms of a sum share, times the rest."""
        products = [monomial(term) for term in form.terms]
        if len(products) < 2 or form.constant:
            return None
        shared = set(products[0].factors.items()).intersection(*(p.factors.items() for p in products))
        if not shared:
            return None
        rest = Linear()
        for product, weight in zip(products, form.terms.values(), strict=True):
            left = {f: p for f, p in product.factors.items() if (f, p) not in shared}
            if left:
                rest.add(self._quotient(Monomial(1.0, left)), weight * product.coefficient)
            else:
                rest.constant += weight * product.coefficient
        return self._quotient(Monomial(1.0, {**dict(shared), build_sum(self.graph, rest): 1.0}))

    def scaled(self, x: Node, factor: float) -> Node:
        return x if factor == 1 else self.product(self.graph.apply("mul", x, factor))
