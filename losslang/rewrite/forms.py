"""Normal forms: sums as coefficients of terms, products as powers of factors.

Both see through association, commutation, signs, moved constants and divisions, so that what is
said about them holds for every way of writing the same expression.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from losslang.cotangent import both, undropped
from losslang.interval import Interval
from losslang.ir import Graph, Node, peel
from losslang.ranges import interval_of


@dataclass
class Linear:
    """constant + the sum of coefficient · term."""

    terms: dict[Node, float] = field(default_factory=dict)
    constant: float = 0.0

    def add(self, term: Node, coefficient: float) -> None:
        total = self.terms.get(term, 0.0) + coefficient
        if total == 0:
            self.terms.pop(term, None)
        else:
            self.terms[term] = total

    def plus(self, other: Linear, scale: float = 1.0) -> Linear:
        result = Linear(dict(self.terms), self.constant + scale * other.constant)
        for term, coefficient in other.terms.items():
            result.add(term, scale * coefficient)
        return result

    @property
    def size(self) -> int:
        return len(self.terms) + (self.constant != 0)


@dataclass
class Monomial:
    """coefficient times the product of factor ^ power."""

    coefficient: float = 1.0
    factors: dict[Node, float] = field(default_factory=dict)

    def multiply(self, factor: Node, power: float) -> None:
        total = self.factors.get(factor, 0.0) + power
        if total == 0 and nonzero(factor):
            self.factors.pop(factor, None)
        elif total == 0:
            # x / x is 1 only where x is not 0: keep both, as a ratio that stays undefined at 0.
            ratio = factor.graph.make("div", (factor, factor))
            self.factors.pop(factor, None)
            self.factors[ratio] = self.factors.get(ratio, 0.0) + 1.0
        else:
            self.factors[factor] = total
            if total < 0:  # x / x says no more about 0 than 1 / x does
                self.factors.pop(factor.graph.make("div", (factor, factor)), None)


def number(node: Node) -> float | None:
    """The value of a numeric constant."""
    if node.op == "const" and not isinstance(node.attr, bool):
        return float(node.attr)
    return None


def linear(node: Node) -> Linear:
    """The normal form of ``node`` as a sum; the caller's own."""
    known = shared_linear(node)
    return Linear(dict(known.terms), known.constant)


def shared_linear(node: Node) -> Linear:
    """The same, for those who change nothing in it."""
    known: Linear | None = node.graph.linears.get(node)
    if known is None:
        known = Linear()
        _collect(node, 1.0, known)
        node.graph.linears[node] = known
    return known


def _collect(node: Node, scale: float, into: Linear) -> None:
    node = peel(node)
    value = number(node)
    if value is not None:
        into.constant += scale * value
    elif node.elem != "real":
        into.add(node, scale)
    elif node.op == "add":
        for arg in node.args:
            _collect(arg, scale, into)
    elif node.op == "neg":
        _collect(node.args[0], -scale, into)
    elif node.op in ("mul", "div"):
        coefficient, rest = split_coefficient(node)
        if rest is node:
            into.add(node, scale)
        else:
            _collect(rest, scale * coefficient, into)
    else:
        into.add(node, scale)


def split_coefficient(node: Node) -> tuple[float, Node]:
    """``node`` as a number times the rest."""
    node = peel(node)
    if node.op == "neg":
        coefficient, rest = split_coefficient(node.args[0])
        return -coefficient, rest
    if node.op == "mul":
        coefficient, others = 1.0, []
        for arg in node.args:
            value = number(peel(arg))
            if value is None or not math.isfinite(value) or value == 0:
                inner, arg = split_coefficient(arg) if peel(arg).op in ("neg", "mul", "div") else (1.0, arg)
                coefficient *= inner
                others.append(arg)
            else:
                coefficient *= value
        if coefficient == 1 or not others:
            return 1.0, node
        return coefficient, node.graph.make("mul", tuple(others)) if len(others) > 1 else real(others[0])
    if node.op == "div":
        above, top = split_coefficient(node.args[0])
        below, bottom = split_coefficient(node.args[1])
        value = number(bottom)
        if value is not None and value != 0 and math.isfinite(value):
            return above / below / value, real(top)
        over = number(top)
        if over not in (None, 0.0, 1.0) and math.isfinite(over or 0.0):
            above, top = above * (over or 0.0), node.graph.const(1.0)
        if above == 1 and below == 1:
            return 1.0, node
        return above / below, node.graph.make("div", (top, bottom))
    return 1.0, node


def real(node: Node) -> Node:
    return node.graph.real(node)


def monomial(node: Node) -> Monomial:
    """The normal form of ``node`` as a product; the caller's own."""
    known = shared_monomial(node)
    return Monomial(known.coefficient, dict(known.factors))


def shared_monomial(node: Node) -> Monomial:
    """The same, for those who change nothing in it."""
    known: Monomial | None = node.graph.monomials.get(node)
    if known is None:
        known = Monomial()
        _multiply(node, 1.0, known)
        node.graph.monomials[node] = known
    return known


def _multiply(node: Node, power: float, into: Monomial) -> None:
    node = peel(node)
    value = number(node)
    if value is not None and value != 0 and math.isfinite(value) and (value > 0 or power == int(power)):
        into.coefficient *= value**power
    elif node.op == "mul":
        for arg in node.args:
            _multiply(arg, power, into)
    elif node.op == "neg" and power == int(power):
        into.coefficient *= (-1.0) ** int(power)
        _multiply(node.args[0], power, into)
    elif node.op == "div":
        _multiply(node.args[0], power, into)
        _multiply(node.args[1], -power, into)
    elif (
        node.op == "pow"
        and (exponent := number(node.args[1])) is not None
        and _splits(node.args[0], exponent, power)
    ):
        _multiply(node.args[0], power * exponent, into)
    elif node.op == "add" and (content := _content(node)) is not None and power == int(power):
        into.coefficient *= content[0] ** power
        into.multiply(content[1], power)
    else:
        into.multiply(real(node), power)


def _content(node: Node) -> tuple[float, Node] | None:
    """A sum whose coefficients are all alike in size, as that number times a sum."""
    form = linear(node)
    values = [*form.terms.values(), *([form.constant] if form.constant else [])]
    size = abs(values[0]) if values else 1.0
    if not all(abs(v) == size for v in values):
        return None
    factor = -size if all(v < 0 for v in values) else size
    if factor == 1 or not form.terms:
        return None
    inverse = Linear({t: v / factor for t, v in form.terms.items()}, form.constant / factor)
    return factor, build_sum(node.graph, inverse)


def _splits(base: Node, exponent: float, power: float) -> bool:
    """Whether (base^exponent)^power is base^(exponent·power)."""
    if exponent == 0 or not math.isfinite(exponent):
        return False
    return (exponent == int(exponent) and power == int(power)) or interval_of(base).nonnegative


def build_sum(graph: Graph, form: Linear) -> Node:
    """A node for ``form``: terms with few axes first, then by age; the constant last."""
    items: list[Node] = []
    for term in sorted(form.terms, key=lambda t: (len(t.axes), t.id)):
        items.append(scaled(term, form.terms[term]))
    if form.constant != 0 or not items:
        items.append(graph.const(form.constant))
    return items[0] if len(items) == 1 else graph.make("add", tuple(items))


def scaled(term: Node, coefficient: float) -> Node:
    """coefficient · term, in the shape that :func:`split_coefficient` reads back."""
    graph = term.graph
    term = real(term)
    if coefficient == 1:
        return term
    if coefficient == -1:
        return graph.make("neg", (term,))
    value = number(term)
    if value is not None:
        return graph.const(coefficient * value)
    if term.op == "mul":
        return graph.make("mul", (graph.const(coefficient), *term.args))
    if term.op == "div":
        return graph.make("div", (scaled(term.args[0], coefficient), term.args[1]))
    return graph.make("mul", (graph.const(coefficient), term))


def power_of(factor: Node, power: float) -> Node:
    graph = factor.graph
    if power == 1:
        return real(factor)
    if power == 0.5:
        return graph.make("sqrt", (real(factor),))
    return graph.make("pow", (real(factor), graph.const(float(power))))


def build_product(graph: Graph, form: Monomial) -> Node:
    """A node for ``form``: one quotient of two products; equal powers above and below are taken outside."""
    if len(form.factors) > 1 and any(vast(f) for f in form.factors):
        return _careful_product(graph, form)
    above = {f: p for f, p in form.factors.items() if p > 0}
    below = {f: -p for f, p in form.factors.items() if p < 0}
    powers = set(above.values()) | set(below.values())
    if above and below and len(powers) == 1 and (power := powers.pop()) >= 2:
        inner = graph.make(
            "div", (_product(graph, dict.fromkeys(above, 1.0)), _product(graph, dict.fromkeys(below, 1.0)))
        )
        return scaled(power_of(inner, power), form.coefficient)
    top = _product(graph, above)
    if not below:
        return scaled(top, form.coefficient) if above else graph.const(form.coefficient)
    return graph.make("div", (scaled(top, form.coefficient), _product(graph, below)))


def _careful_product(graph: Graph, form: Monomial) -> Node:
    """Of numbers of any size: quotients before squares, so that no part leaves the range of floats first."""
    left = dict(form.factors)
    result: Node | None = None
    while left:
        whole = {f: p for f, p in left.items() if abs(p) >= 1} or dict(left)
        step = min(abs(p) for p in whole.values())
        above = [f for f, p in _ordered(whole) if p > 0]
        below = sorted(
            (f for f, p in _ordered(whole) if p < 0),
            key=lambda f: f.op not in ("add", "hypot", "sqrt", "sum"),
        )
        part = power_of(_interleaved(graph, above, below), step)
        result = part if result is None else graph.make("mul", (result, part))
        for f in whole:
            left[f] -= math.copysign(step, left[f])
            if left[f] == 0:
                del left[f]
    assert result is not None
    return scaled(result, form.coefficient)


def _ordered(factors: dict[Node, float]) -> list[tuple[Node, float]]:
    return sorted(factors.items(), key=lambda item: (len(item[0].axes), item[0].id))


def _interleaved(graph: Graph, above: list[Node], below: list[Node]) -> Node:
    """Quotients of pairs, then what is left over."""
    parts = [graph.make("div", (real(a), real(b))) for a, b in zip(above, below, strict=False)]
    parts += [real(a) for a in above[len(below) :]]
    rest = [real(b) for b in below[len(above) :]]
    top = graph.const(1.0) if not parts else parts[0] if len(parts) == 1 else graph.make("mul", tuple(parts))
    if not rest:
        return top
    return graph.make("div", (top, rest[0] if len(rest) == 1 else graph.make("mul", tuple(rest))))


def vast(node: Node) -> bool:
    """Whether ``node`` is made of positive inputs that may be of any size."""
    memo = node.graph.vast
    if node not in memo:
        memo[node] = False
        memo[node] = _vast(node)
    return memo[node]


def _vast(node: Node) -> bool:
    if node.op == "input":
        inside = interval_of(node)
        return (
            inside.nonnegative
            and (math.isinf(inside.high) or inside.low == 0)
            and node in node.graph.declared
        )
    if node.op in ("add", "mul", "div", "neg", "pow", "sqrt", "hypot", "sum", "max", "abs", *_PASSES):
        return any(vast(a) for a in node.args)
    return node.op == "computed_as" and vast(node.args[0])


def _product(graph: Graph, factors: dict[Node, float]) -> Node:
    ordered = sorted(factors, key=lambda f: (len(f.axes), f.id))
    items = [power_of(f, factors[f]) for f in ordered]
    if not items:
        return graph.const(1.0)
    return items[0] if len(items) == 1 else graph.make("mul", tuple(items))


def opened(form: Linear) -> Linear:
    """``form`` with differences that are computed as such taken apart again, for patterns to look at."""
    result = Linear({}, form.constant)
    for term, coefficient in form.terms.items():
        parts = _parts(term)
        if parts is None:
            result.add(term, coefficient)
        else:
            result = result.plus(parts, coefficient)
    return result


def _parts(term: Node) -> Linear | None:
    inner = _sum_within(term)
    if inner is not None:
        return inner
    if term.op not in ("mul", "div"):
        return None
    held = monomial(term)
    sums = [(f, s) for f, p in held.factors.items() if p == 1 and (s := _sum_within(f)) is not None]
    if len(sums) != 1:
        return None
    factor, inner = sums[0]
    rest = Monomial(held.coefficient, {f: p for f, p in held.factors.items() if f is not factor})
    result = Linear()
    for each, coefficient in inner.terms.items():
        product = Monomial(rest.coefficient, dict(rest.factors))
        for f, p in monomial(each).factors.items():
            product.multiply(f, p)
        product.coefficient *= monomial(each).coefficient
        result = result.plus(linear(build_product(term.graph, product)), coefficient)
    if inner.constant:
        result = result.plus(linear(build_product(term.graph, rest)), inner.constant)
    return result


def _sum_within(node: Node) -> Linear | None:
    if node.op == "expm1":
        return Linear({node.graph.apply("exp", node.args[0]): 1.0}, -1.0)
    if node.op == "computed_as" and peel(node.args[0]).op in ("add", "neg"):
        return opened(linear(node.args[0]))
    return None


# -- what is provable ---------------------------------------------------------------------------


def range_of(node: Node) -> Interval:
    return interval_of(node)


def nonnegative(node: Node) -> bool:
    if interval_of(node).nonnegative:
        return True
    if peel(node).op == "add":
        sum_form = shared_linear(node)
        return sum_form.constant >= 0 and all(c > 0 and nonnegative(t) for t, c in sum_form.terms.items())
    if peel(node).op not in ("mul", "div"):
        return False
    # r/s · r/(s f) is a square over f, however it is spread.
    form = monomial(node)
    return form.coefficient > 0 and all(
        p % 2 == 0 or interval_of(f).nonnegative for f, p in form.factors.items()
    )


def positive(node: Node) -> bool:
    return interval_of(node).positive


_PASSES = ("rename", "merge", "unmerge", "broadcast", "gather", "stop", "to_real")


def nonzero(node: Node) -> bool:
    """Whether no element can be exactly 0 in exact arithmetic."""
    interval = interval_of(node)
    if interval.positive or interval.negative:
        return True
    if node.op in ("sigmoid", "exp", "softplus", "normal_cdf", "erfc", "cosh"):
        return True
    if node.op == "softmax":
        return bounded_below(node.args[0])
    if node.op == "hypot":
        return any(nonzero(a) for a in node.args)
    if node.op in _PASSES:
        return nonzero(node.args[0])
    if node.op == "select":
        condition, then, other = node.args
        kept_off = (
            condition.op == "eq" and any(number(a) == 0 for a in condition.args) and other in condition.args
        )
        return nonzero(then) and (kept_off or nonzero(other))
    if node.op in ("mul", "neg"):
        return all(nonzero(a) for a in node.args)
    if node.op == "div":
        return nonzero(node.args[0])
    if node.op == "pow":
        return nonzero(node.args[0])
    return False


def bounded_below(node: Node) -> bool:
    """Whether no element can be -inf in exact arithmetic, finite inputs given."""
    if node.op == "const":
        return not (isinstance(node.attr, float) and node.attr == -math.inf)
    if node.op in ("log", "log1p"):
        inside = interval_of(node.args[0])
        least = 0.0 if node.op == "log" else -1.0
        return (
            inside.low > least
            or (inside.low == least and inside.low_open)
            or (node.op == "log" and nonzero(node.args[0]))
        )
    if node.op in ("log_saturated", "sigmoid", "softplus", "exp", "abs", "softmax", "tanh"):
        return True
    if node.op == "log1mexp":
        return interval_of(node.args[0]).negative
    if node.op == "select":
        return bounded_below(node.args[1]) and bounded_below(node.args[2])
    if node.op == "computed_as":
        return bounded_below(node.args[0])
    if node.op == "max":
        return bounded_below(node.args[0])
    return all(bounded_below(a) for a in node.args if a.elem == "real")


def all_nonnegative(nodes: Iterable[Node]) -> bool:
    return all(nonnegative(n) for n in nodes)


def keeps_some(condition: Node, x: Node, axes: frozenset[str]) -> Node:
    """Where ``condition`` holds along ``axes`` for some of what a mask left in ``x``."""
    kept = both(condition, undropped(x))
    assert kept is not None
    return kept.graph.reduce("any", kept, axes & kept.axes)
