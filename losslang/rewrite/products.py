"""Products and quotients: what may over- or underflow is multiplied as logarithms."""

from __future__ import annotations

import math

from losslang.ir import Node
from losslang.rewrite.engine import Engine, handles, meaning
from losslang.rewrite.forms import (
    Linear,
    Monomial,
    bounded_below,
    build_product,
    linear,
    monomial,
    nonnegative,
    number,
    peel,
    range_of,
)
from losslang.rewrite.logarithms import log_of
from losslang.rewrite.rules import node_rules, product_rules
from losslang.rewrite.swings import swing


@handles("*")
def by_rule(engine: Engine, node: Node) -> Node | None:
    return node_rules(engine, node)


@handles("silence")
def silence(engine: Engine, node: Node) -> Node | None:
    """Beside what is never infinite, silence is an ordinary product."""
    factor, logarithm = node.args
    if bounded_below(logarithm):
        return engine.mul(factor, logarithm)
    if logarithm.op == "neg":
        return engine.neg(engine.make("silence", factor, logarithm.args[0]))
    return None


@handles("mul", "div")
def normal_product(engine: Engine, node: Node) -> Node | None:
    if node.elem != "real" or any(number(peel(a)) == 0 or _infinite(a) for a in node.args):
        return None
    form = monomial(node)
    _pair_roots(form)
    before = Monomial(form.coefficient, dict(form.factors))
    better = product_rules(engine, form)
    if better is not None:
        return better
    if _merges(form):
        better = _through_logarithms(engine, form)
        if better is not None:
            return engine.fired("product_of_exponentials", build_product(engine.graph, before), better,
                                "factors that over- or underflow meet as logarithms")  # fmt: skip
    result = build_product(engine.graph, form)
    engine.settled.setdefault(result, result)
    return result


@handles("contract")
def square_sum(engine: Engine, node: Node) -> Node | None:
    """The contraction of a thing with itself is its sum of squares."""
    a, b = node.args
    if a is not b or a.elem != "real" or not node.attr <= a.axes:
        return None
    return engine.make("sum", engine.make("pow", a, 2.0), attr=node.attr)


def _infinite(node: Node) -> bool:
    value = number(peel(node))
    return value is not None and not math.isfinite(value)


def _pair_roots(form: Monomial) -> None:
    """sqrt(x)² is x."""
    for factor in [f for f in form.factors if f.op == "sqrt"]:
        power = form.factors[factor]
        if power % 2 == 0 and nonnegative(factor.args[0]):
            del form.factors[factor]
            form.multiply(factor.args[0], power / 2)


def _sides(factor: Node, power: float) -> tuple[bool, bool]:
    down, up = swing(factor)
    return (up, down) if power < 0 else (down, up)


def _merges(form: Monomial) -> bool:
    """Whether one factor may underflow where another overflows (or would round twice)."""
    sides = [_sides(f, p) for f, p in form.factors.items()]
    if sum(f.op == "exp" for f in form.factors) > 1 or any(f.op == "exp" and p != 1 for f, p in form.factors.items()):
        return True
    for i, (down, up) in enumerate(sides):
        for j, (other_down, other_up) in enumerate(sides):
            if i != j and (down and other_up or up and other_down):
                return True
    return False


def _through_logarithms(engine: Engine, form: Monomial) -> Node | None:
    exponent = Linear()
    plain = Monomial(form.coefficient)
    signed: list[tuple[Node, float]] = []
    merged = 0
    for factor, power in form.factors.items():
        if not any(swing(factor)):
            plain.multiply(factor, power)
            continue
        if not nonnegative(factor) and range_of(factor).nonpositive and power == int(power):
            plain.coefficient *= (-1.0) ** int(power)
            factor = engine.neg(factor)
        logs = log_of(engine, factor) if nonnegative(factor) else None
        if logs is None or (logs.op in ("log",) and factor.op not in ("prod",)):
            signed.append((factor, power))
            continue
        exponent = exponent.plus(linear(logs), power)
        merged += 1
    if not merged or (merged < 2 and not signed and form.factors and not _single(form)):
        return None
    if signed:
        return _distribute(engine, plain, exponent, signed)
    return _finish(engine, plain, exponential(engine, exponent))


def _single(form: Monomial) -> bool:
    return any(f.op == "exp" and p != 1 for f, p in form.factors.items())


def _finish(engine: Engine, plain: Monomial, factor: Node) -> Node:
    inner = monomial(factor)
    for each, power in inner.factors.items():
        plain.multiply(each, power)
    plain.coefficient *= inner.coefficient
    result = build_product(engine.graph, plain)
    engine.settled.setdefault(result, result)
    return result


def _distribute(engine: Engine, plain: Monomial, exponent: Linear, signed: list[tuple[Node, float]]) -> Node | None:
    """A sum of changing sign takes the exponential into each of its terms."""
    sums = [(f, p) for f, p in signed if p == 1 and (_terms(f) is not None)]
    if len(sums) != 1 or len(signed) != 1:
        return None
    form = _terms(sums[0][0])
    assert form is not None
    factor = exponential(engine, exponent)
    result = Linear()
    for term, coefficient in form.terms.items():
        result = result.plus(linear(engine.mul(term, factor)), coefficient)
    if form.constant:
        result = result.plus(linear(factor), form.constant)
    total = engine.sum_of(result)
    if not plain.factors:
        return engine.scale(total, plain.coefficient)
    return _finish(engine, plain, total)


def _terms(node: Node) -> Linear | None:
    """The terms of a sum, or of a difference that is computed as such."""
    node = meaning(node)
    if node.op == "expm1":
        inner = node.graph.apply("exp", node.args[0])
        return Linear({inner: 1.0}, -1.0)
    if node.op == "sinh":
        x = node.args[0]
        return Linear({node.graph.apply("exp", x): 0.5, node.graph.apply("exp", -x): -0.5})
    form = linear(node)
    return form if form.size > 1 else None


def exponential(engine: Engine, form: Linear) -> Node:
    """exp of a sum in normal form, as plain a value as possible."""
    return engine.make("exp", engine.sum_of(form))


@handles("pow")
def power(engine: Engine, node: Node) -> Node | None:
    base, exponent = node.args
    value = number(exponent)
    if value is not None:
        if value == 1:
            return base
        if value == 0:
            return None
        if value == 0.5:
            return engine.make("sqrt", base)
        if value == -1 or (value == int(value) and base.op in ("exp", "div", "mul", "neg", "pow", "abs", "sqrt")):
            return _constant_power(engine, node, value)
        if value == int(value) and abs(value) <= 4:
            return None if isinstance(exponent.attr, float) else engine.make("pow", base, float(value))
    if not nonnegative(base) or not any(swing(base)):
        return None
    logs = log_of(engine, base)
    if logs is None or logs.op == "log":
        return None
    better = engine.make("exp", engine.mul(exponent, logs))
    return engine.fired("power", node, better, "a power of what underflows is taken through its logarithm")


def _constant_power(engine: Engine, node: Node, value: float) -> Node | None:
    base = node.args[0]
    if base.op == "abs" and value % 2 == 0:
        return engine.make("pow", base.args[0], float(value))
    form = monomial(node)
    result = build_product(engine.graph, form)
    if result is node:
        return None
    return normal_product(engine, result) if result.op in ("mul", "div") else engine.settle(result)
