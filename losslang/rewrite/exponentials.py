"""Exponentials and their kin, read back from sums of logarithms."""

from __future__ import annotations

import math

from losslang.ir import Node, peel
from losslang.rewrite.complements import complement_of, log_complement_of
from losslang.rewrite.engine import Engine, handles
from losslang.rewrite.forms import (
    Linear,
    Monomial,
    bounded_below,
    build_product,
    build_sum,
    keeps_some,
    linear,
    monomial,
    nonnegative,
    number,
    opened,
    power_of,
    split_coefficient,
    vast,
)
from losslang.rewrite.logarithms import exactly_zero, log_of
from losslang.rewrite.rules import exponent_rules
from losslang.rewrite.swings import swing, wild


@handles("exp")
def exponential(engine: Engine, node: Node) -> Node | None:
    """exp of a sum of logarithms: the product of what they are logarithms of."""
    form = linear(node.args[0])
    if form.size > 1:
        better = exponent_rules(engine, form)
        if better is not None:
            return better
    values: list[tuple[Node, float]] = []
    rest = Linear({}, form.constant)
    for term, coefficient in form.terms.items():
        value = _value(engine, term, coefficient)
        if value is None:
            rest.add(term, coefficient)
        else:
            values.append(value)
    if not values:
        return None
    if rest.terms and any(wild(v) for v, _ in values):
        plain = [(v, p) for v, p in values if not wild(v)]
        if not plain:
            return None
        for term, coefficient in form.terms.items():
            found = _value(engine, term, coefficient)
            if found is not None and wild(found[0]):
                rest.add(term, coefficient)
        values = plain
    product = Monomial()
    for each, power in values:
        product.multiply(each, power)
    if rest.terms or rest.constant:
        product.multiply(engine.graph.make("exp", (build_sum(engine.graph, rest),)), 1.0)
        inner = next(f for f in product.factors if f.op == "exp")
        engine.settled.setdefault(inner, inner)
    result = build_product(engine.graph, product)
    engine.settled.setdefault(result, result)
    return engine.fired("exp_of_log", node, result, "the exponential of a logarithm is the number itself")


def _value(engine: Engine, term: Node, coefficient: float) -> tuple[Node, float] | None:
    """exp(coefficient · term) as (value, power), if it has a plain form."""
    if coefficient not in (1.0, 2.0, -1.0):
        return None
    if term.op == "softplus" and coefficient < 0:
        return engine.make("sigmoid", engine.neg(term.args[0])), -coefficient
    if coefficient < 0:
        return None
    if term.op == "log":
        return term.args[0], coefficient
    if term.op == "log_softmax":
        return engine.make("softmax", term.args[0], attr=term.attr), coefficient
    if term.op == "log_normal_cdf":
        return engine.make("normal_cdf", term.args[0]), coefficient
    if term.op in ("gather", "rename"):
        inner = _value(engine, term.args[0], coefficient)
        if inner is None or term.args[0].op not in ("log_softmax", "gather", "rename"):
            return None
        return engine.make(term.op, inner[0], *term.args[1:], attr=term.attr), coefficient
    return None


@handles("tanh", "sinh", "asinh", "atanh", "erf", "sin", "atan", "cosh", "cos", "abs")
def symmetric(engine: Engine, node: Node) -> Node | None:
    """Odd and even functions of what is written with minus signs only."""
    form = linear(node.args[0])
    if node.op == "abs" and nonnegative(node.args[0]):
        return node.args[0]
    if form.size == 0 or any(c > 0 for c in form.terms.values()) or form.constant > 0:
        return None
    mirrored = engine.make(node.op, engine.neg(node.args[0]))
    return mirrored if node.op in ("cosh", "cos", "abs") else engine.neg(mirrored)


@handles("acos", "acosh")
def angle(engine: Engine, node: Node) -> Node | None:
    """The angle of a cosine that is carried by what it lacks to 1: 2 asin(sqrt((1 - u) / 2)), and acosh alike."""
    graph = engine.graph
    missing = complement_of(engine, node.args[0])
    if missing is None:
        missing = engine.sub(1.0, node.args[0])
        if linear(missing).size >= linear(node.args[0]).size:
            return None
    if node.op == "acosh":
        half = engine.make("sqrt", engine.scale(missing, -0.5))
        return engine.computed(node, 2.0 * graph.apply("asinh", half))
    half = engine.make("sqrt", engine.scale(missing, 0.5))
    near = graph.apply("lt", missing, 0.5)
    return engine.computed(node, graph.select(near, 2.0 * graph.apply("asin", half), node))


@handles("expm1")
def less_one(engine: Engine, node: Node) -> Node | None:
    inner = node.args[0]
    if inner.op == "log1p":
        return inner.args[0]
    return None


@handles("log1p")
def log_one_plus(engine: Engine, node: Node) -> Node | None:
    """log(1 + x), where x is carried as a logarithm or is minus a probability."""
    inside = linear(node.args[0])
    if inside.constant == 0 and len(inside.terms) == 1:
        ((term, coefficient),) = inside.terms.items()
        if coefficient == -1:
            better = log_complement_of(engine, term)
            return None if better is node else better
    total = Linear(dict(inside.terms), inside.constant + 1.0)
    if total.constant == 0 or any(wild(t) for t in total.terms):
        whole = engine.sum_of(total)
        better = log_of(engine, whole) if nonnegative(whole) else None
        if better is not None and better is not node and (better.op != "log" or total.constant == 0):
            return engine.fired("log_one_plus", node, better, "carried as a logarithm")
    return None


@handles("softplus")
def softplus(engine: Engine, node: Node) -> Node | None:
    form = linear(node.args[0])
    if form.constant == 0 and len(form.terms) == 1:
        ((term, coefficient),) = form.terms.items()
        if coefficient == 1 and term.op == "log":
            return engine.make("log1p", term.args[0])
    return None


@handles("logaddexp")
def log_add(engine: Engine, node: Node) -> Node | None:
    a, b = node.args
    first, second = linear(a), linear(b)
    if first.size == 0:
        return engine.make("softplus", b)
    if second.size == 0:
        return engine.make("softplus", a)
    if (a.op == "const" and a.attr == float("-inf")) or (b.op == "const" and b.attr == float("-inf")):
        return b if a.op == "const" else a
    if first.constant == second.constant != 0 and first.terms and second.terms:
        inner = engine.make(
            "logaddexp", engine.sum_of(Linear(first.terms)), engine.sum_of(Linear(second.terms))
        )
        return engine.add(inner, first.constant)
    gap = second.plus(first, -1.0)
    if first.terms and gap.size < second.size and second.size > 1:
        return engine.add(a, engine.make("softplus", engine.sum_of(gap)))
    if second.terms and gap.size < first.size and first.size > 1:
        return engine.add(
            b,
            engine.make(
                "softplus", engine.sum_of(Linear({t: -c for t, c in gap.terms.items()}, -gap.constant))
            ),
        )
    return None


@handles("sigmoid")
def sigmoid(engine: Engine, node: Node) -> Node | None:
    """sigmoid of a logit that was made of a probability is the probability; of a logarithm, a quotient."""
    form = opened(linear(node.args[0]))
    odds = Monomial()
    for term, coefficient in form.terms.items():
        if term.op != "log" or coefficient not in (1.0, -1.0):
            if term.op == "log1p" and coefficient in (1.0, -1.0):
                odds.multiply(engine.add(1.0, term.args[0]), coefficient)
                continue
            return None
        odds.multiply(term.args[0], coefficient)
    if form.constant or not odds.factors:
        return None
    above = build_product(engine.graph, Monomial(1.0, {f: p for f, p in odds.factors.items() if p > 0}))
    below = build_product(engine.graph, Monomial(1.0, {f: -p for f, p in odds.factors.items() if p < 0}))
    total = linear(above).plus(linear(below))
    if total.size >= linear(above).size + linear(below).size:
        return None
    return engine.div(above, engine.sum_of(total))


@handles("logsumexp")
def kept_part(engine: Engine, node: Node) -> Node | None:
    """The log of the kept part of a softmax: of the kept exponentials, less that of all."""
    inside = peel(node.args[0])
    if inside.op != "select" or number(inside.args[2]) != float("-inf"):
        return None
    logs = peel(inside.args[1])
    if logs.op != "log_softmax" or logs.attr != node.attr:
        return None
    z, condition = logs.args[0], inside.args[0]
    kept = engine.make("select", condition, z, float("-inf"))
    total = engine.make("logsumexp", z, attr=node.attr)
    part = engine.sub(
        engine.make("logsumexp", engine.graph.broadcast(kept, node.args[0].axes), attr=node.attr), total
    )
    # Of nothing, the sum does not look at the others.
    return engine.make("select", keeps_some(condition, z, node.attr), part, float("-inf"))


@handles("softmax", "log_softmax", "logsumexp")
def shifted(engine: Engine, node: Node) -> Node | None:
    """What lacks the axis shifts all entries alike: it leaves log-sum-exp, and softmax does not see it."""
    form = linear(node.args[0])
    apart = Linear({t: c for t, c in form.terms.items() if not (t.axes & node.attr)}, form.constant)
    if apart.size == 0 or len(apart.terms) == len(form.terms):
        return None
    if not all(bounded_below(t) and bounded_below(engine.neg(t)) for t in apart.terms):
        return None
    rest = engine.sum_of(Linear({t: c for t, c in form.terms.items() if t.axes & node.attr}))
    if not node.attr <= rest.axes:
        return None
    inner = engine.make(node.op, rest, attr=node.attr)
    if node.op != "logsumexp":
        return inner
    return engine.sum_of(linear(inner).plus(apart))


@handles("sqrt")
def root(engine: Engine, node: Node) -> Node | None:
    inside = peel(node.args[0])
    if inside.op == "pow" and number(inside.args[1]) == 2:
        return engine.fired(
            "root_of_square", node, engine.make("abs", inside.args[0]), "no square that overflows"
        )
    if inside.op == "exp":
        return engine.make("exp", engine.scale(inside.args[0], 0.5))
    if inside.op == "add":
        return _hypotenuse(engine, node, inside)
    if inside.op == "sum":
        return _norm(engine, node, inside)
    if inside.op in ("mul", "div", "pow") and nonnegative(inside):
        better = _root_of_product(engine, node, inside)
        if better is not None:
            return better
    if swing(inside)[0] and nonnegative(inside):
        logs = log_of(engine, inside)
        if logs is not None and logs.op != "log":
            better = engine.make("exp", engine.scale(logs, 0.5))
            if exactly_zero(engine, inside) is not None:
                # There the derivative is 0, although that of the logarithm is infinite.
                better = engine.make("select", engine.graph.apply("eq", logs, -math.inf), 0.0, better)
            return engine.fired("root", node, better, "the root of what underflows need not underflow")
    return None


@handles("sum")
def whole(engine: Engine, node: Node) -> Node | None:
    """The parts of a softmax add up to 1."""
    coefficient, rest = split_coefficient(node.args[0])
    if coefficient != 1 and rest.elem == "real":
        inner = engine.make("sum", engine.graph.broadcast(rest, node.args[0].axes), attr=node.attr)
        return engine.scale(inner, coefficient)
    inside = peel(node.args[0])
    while inside.op == "stop":
        inside = peel(inside.args[0])
    if inside.op == "softmax" and inside.attr == node.attr and bounded_below(inside.args[0]):
        return engine.fired("whole", node, engine.const(1.0), "the parts of a softmax add up to 1")
    return None


def _root_of_product(engine: Engine, node: Node, inside: Node) -> Node | None:
    """The roots of factors that may be of any size, and of sums of squares, apart."""
    held = monomial(inside)
    if held.coefficient <= 0 or not all(nonnegative(f) for f in held.factors):
        return None
    if not any(vast(f) or _is_square_sum(f) for f in held.factors) or (
        len(held.factors) == 1 and held.coefficient == 1
    ):
        return None
    roots = [
        power_of(power_of(f, 0.5) if p % 2 else f, p if p % 2 else p / 2) for f, p in held.factors.items()
    ]
    result: Node = engine.const(held.coefficient**0.5)
    for each in roots:
        result = engine.mul(result, engine.settle(each))
    return engine.fired("root_of_product", node, result, "a product that overflows has factors that do not")


def _is_square_sum(node: Node) -> bool:
    return node.op == "sum" and peel(node.args[0]).op == "pow" and number(peel(node.args[0]).args[1]) == 2


def _hypotenuse(engine: Engine, node: Node, inside: Node) -> Node | None:
    """sqrt(a² + b²) without squares that overflow or vanish."""
    form = linear(inside)
    if form.size != 2 or any(c <= 0 for c in form.terms.values()) or form.constant < 0:
        return None
    sides: list[Node] = []
    for term, coefficient in form.terms.items():
        if term.op != "pow" or number(term.args[1]) != 2:
            return None
        sides.append(engine.scale(term.args[0], coefficient**0.5))
    if form.constant:
        sides.append(engine.const(form.constant**0.5))
    return engine.fired(
        "hypotenuse", node, engine.make("hypot", *sides), "no square that overflows or vanishes"
    )


def _norm(engine: Engine, node: Node, inside: Node) -> Node | None:
    """The root of a sum of squares, scaled by the largest."""
    graph = engine.graph
    square = peel(inside.args[0])
    if square.op != "pow" or number(square.args[1]) != 2 or not inside.attr <= square.axes:
        return None
    x = square.args[0]
    largest = graph.reduce("max", graph.apply("abs", x), inside.attr)
    usual = graph.apply("and", graph.apply("lt", 1e-12, largest), graph.apply("lt", largest, 1e12))
    unit = graph.select(graph.apply("eq", largest, 0.0), 1.0, largest)
    scale = graph.select(usual, 1.0, unit)
    total = graph.reduce("sum", graph.apply("pow", x / scale, 2.0), inside.attr)
    said = graph.make("sqrt", node.args)
    engine.settled[said] = said
    better = engine.computed(said, scale * graph.apply("sqrt", total))
    return engine.fired("norm", node, better, "squares are taken of numbers near 1")
