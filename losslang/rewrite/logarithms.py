"""The logarithmic representation: what the logarithm of a nonnegative quantity is, by how it was made.

Exponentials store it, products add it, sums become log-sum-exp, quotients subtract it, powers scale
it, and whatever moves values about moves it too. ``log_of`` gives None only for what is not provably
nonnegative.
"""

from __future__ import annotations

import math

from losslang.ir import Node, peel
from losslang.rewrite.complements import log_complement_of
from losslang.rewrite.engine import Engine, handles, meaning
from losslang.rewrite.forms import (
    Linear,
    Monomial,
    bounded_below,
    build_product,
    build_sum,
    linear,
    monomial,
    nonnegative,
    number,
    positive,
    range_of,
)
from losslang.rewrite.rules import node_rules
from losslang.rewrite.swings import swing, wild

PASSES = ("rename", "merge", "unmerge", "broadcast", "gather", "stop")


@handles("log", "log_saturated")
def logarithm(engine: Engine, node: Node) -> Node | None:
    if node.attr is not None or node.args[0].elem != "real":
        return None
    inside = node.args[0]
    if node.op == "log_saturated":
        return saturated(engine, node)
    better = log_of(engine, inside) if nonnegative(inside) else log_of_signed(engine, inside)
    if better is None or better is node:
        return None
    return engine.fired(
        "logarithm", node, better, "carried as a logarithm, so that nothing over- or underflows"
    )


def saturated(engine: Engine, node: Node) -> Node | None:
    """log of a probability: through its logarithm, unless it is exactly 0, where it saturates."""
    inside = node.args[0]
    better = log_of(engine, inside)
    if better is None or better.op == "log":
        return None
    zero = exactly_zero(engine, inside)
    if zero is not None:
        kept = engine.graph.make("log_saturated", (inside,), "kept")
        better = engine.graph.select(zero, kept, better)
        engine.settled[better] = better
    return engine.fired(
        "log_probability", node, better, "a probability that underflows still has a logarithm"
    )


def exactly_zero(engine: Engine, node: Node) -> Node | None:
    """A condition for ``node`` being exactly 0, not merely tiny; None where it never is."""
    graph = engine.graph
    node = peel(node)
    if node.op in ("exp", "sigmoid", "normal_cdf", "softplus", "erfc") or positive(node):
        return None
    if node.op == "softmax":
        if bounded_below(node.args[0]):
            return None
        return graph.broadcast(graph.apply("eq", node.args[0], -math.inf), node.axes)
    if node.op in PASSES and node.op != "stop":
        inner = exactly_zero(engine, node.args[0])
        return (
            None
            if inner is None
            else graph.make(node.op, (graph.broadcast(inner, node.args[0].axes), *node.args[1:]), node.attr)
        )
    if node.op == "log_softmax" and len(node.attr) == 1:
        return _alone(node)
    if node.op == "log_normal_cdf" and bounded_below(node.args[0]):
        return None
    if node.op == "computed_as":
        return exactly_zero(engine, node.args[1])
    if node.op == "mul":
        parts = [z for z in (exactly_zero(engine, a) for a in node.args) if z is not None]
        return _combine(graph, "or", parts)
    if node.op in ("div", "pow", "sqrt", "stop", "neg", "expm1"):
        return exactly_zero(engine, node.args[0])
    if node.op == "const":
        return graph.const(True) if number(node) == 0 else None
    if node.op == "prod":
        inner = exactly_zero(engine, node.args[0])
        return (
            None
            if inner is None
            else graph.make("any", (graph.broadcast(inner, node.args[0].axes),), node.attr)
        )
    if node.op == "add" and (
        all(nonnegative(a) for a in node.args) or all(range_of(a).nonpositive for a in node.args)
    ):
        zeros = [z for z in (exactly_zero(engine, a) for a in node.args) if z is not None]
        return _combine(graph, "and", zeros) if len(zeros) == len(node.args) else None
    if node.op == "sum":
        inner = exactly_zero(engine, node.args[0])
        return (
            None
            if inner is None
            else graph.make("all", (graph.broadcast(inner, node.args[0].axes),), node.attr)
        )
    if node.op == "select":
        then, other = (exactly_zero(engine, a) for a in node.args[1:])
        if then is None and other is None:
            return None
        return graph.select(
            node.args[0], then if then is not None else False, other if other is not None else False
        )
    return graph.apply("eq", node, 0.0)


def _alone(node: Node) -> Node:
    """Where a softmax has one part, which is exactly 1 then."""
    graph, x = node.graph, node.args[0]
    (axis,) = node.attr
    if bounded_below(x):
        return graph.broadcast(graph.apply("eq", graph.size(axis), 1), node.axes)
    here = graph.apply("lt", -math.inf, x)
    parts = graph.reduce("count", graph.broadcast(here, x.axes), node.attr)
    return graph.broadcast(graph.apply("and", here, graph.apply("eq", parts, 1)), node.axes)


def _combine(graph: object, op: str, parts: list[Node]) -> Node | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else parts[0].graph.make(op, tuple(parts))


# -- the representation ---------------------------------------------------------------------------


def log_of(engine: Engine, node: Node) -> Node | None:
    """The logarithm of ``node``, -inf where it is 0; None where ``node`` may be negative."""
    if node not in engine.logs:
        plain = engine.graph.make("log", (engine.graph.real(node),)) if nonnegative(node) else None
        engine.logs[node] = plain  # whoever asks meanwhile
        found = _log_of(engine, node)
        if found is None and plain is not None:
            found = plain
            engine.settled.setdefault(found, found)
        engine.logs[node] = None if found is None else engine.graph.broadcast(found, node.axes)
    return engine.logs[node]


def _log_of(engine: Engine, node: Node) -> Node | None:
    if node.op in PASSES:
        inner = log_of(engine, node.args[0])
        return None if inner is None else engine.make(node.op, inner, *node.args[1:], attr=node.attr)
    rule = _RULES.get(node.op)
    found = rule(engine, node) if rule is not None else None
    return found if found is not None else _by_rule(engine, node)


def _by_rule(engine: Engine, node: Node) -> Node | None:
    """The logarithm of a sum by a rule about logarithms."""
    if node.op not in ("add", "computed_as"):
        return None
    return node_rules(engine, engine.graph.make("log", (node,)))


def _of_const(engine: Engine, node: Node) -> Node | None:
    value = number(node)
    if value is None or value < 0:
        return None
    return engine.const(math.log(value) if value > 0 else -math.inf)


def _of_exp(engine: Engine, node: Node) -> Node | None:
    return node.args[0]


def _of_product(engine: Engine, node: Node, signed: bool = False) -> Node | None:
    """``signed``: the logarithm is asked for by the formula, so that a rest of unknown sign has one too."""
    form = monomial(node)
    coefficient, factors = form.coefficient, dict(form.factors)
    parts = Linear()
    tame = Monomial()
    for factor, power in factors.items():
        if not nonnegative(factor) and range_of(factor).nonpositive and power == int(power):
            coefficient *= (-1.0) ** int(power)
            factor = engine.neg(factor)
        if nonnegative(factor):
            if _leaves(factor, power):
                inner = log_of(engine, factor)
                assert inner is not None
                parts = parts.plus(linear(inner), power)
            else:
                tame.multiply(factor, power)
        elif power % 2 == 0:
            parts = parts.plus(linear(engine.make("log", engine.make("abs", factor))), power)
        else:
            tame.multiply(factor, power)
    signs = [f for f in tame.factors if not nonnegative(f)]
    tame.coefficient = coefficient
    if signs:
        rest = engine.product_of(tame)
        if not nonnegative(rest):
            return _of_signed_rest(engine, node, parts, rest) if signed else None
        inner = log_of(engine, rest) if rest is not node else None
        return None if inner is None else engine.sum_of(parts.plus(linear(inner)))
    if coefficient <= 0:
        return None
    if not tame.factors:
        parts.constant += math.log(coefficient)
        return engine.sum_of(parts)
    return engine.sum_of(parts.plus(linear(_log_of_tame(engine, tame))))


def _of_signed_rest(engine: Engine, node: Node, parts: Linear, rest: Node) -> Node | None:
    if rest is node or not parts.terms:
        return None
    return engine.sum_of(parts.plus(linear(engine.make("log", rest))))


def _leaves(factor: Node, power: float) -> bool:
    """Whether a factor goes into the logarithm by itself."""
    variable_power = factor.op == "pow" and number(factor.args[1]) is None
    return wild(factor) or variable_power or factor.op in ("sqrt", "sum", "prod") or abs(power) != 1


def _log_of_tame(engine: Engine, form: Monomial) -> Node:
    """log of a product of plain factors: of the product, unless that may leave the range."""
    graph = engine.graph
    above = [f for f, p in form.factors.items() if p > 0]
    below = [f for f, p in form.factors.items() if p < 0]
    whole = graph.make("log", (build_product(graph, form),))
    if len(above) + len(below) == 1 and form.coefficient > 0:
        only = (above or below)[0]
        inner = log_of(engine, only)
        assert inner is not None
        if form.coefficient == 1 or inner.op != "log":
            total = linear(inner)
            return engine.sum_of(Linear({}, math.log(form.coefficient)).plus(total, 1.0 if above else -1.0))
        if above:
            engine.settled[whole] = whole
            return whole
        return engine.neg(_log_of_tame(engine, Monomial(1 / form.coefficient, {only: 1.0})))
    meaning = Linear({}, math.log(form.coefficient))
    for factor, power in form.factors.items():
        inner = log_of(engine, factor)
        assert inner is not None
        meaning = meaning.plus(linear(inner), power)
    said = build_sum(graph, meaning)
    if below and len(above) == 1 and len(below) == 1 and form.coefficient == 1:
        return engine.computed(said, log_ratio(engine, above[0], below[0], said))
    tiny, largest = graph.limit("tiny"), graph.limit("max")
    product = whole.args[0]
    top = build_product(graph, Monomial(form.coefficient, dict.fromkeys(above, 1.0)))
    bottom = build_product(graph, Monomial(1.0, dict.fromkeys(below, 1.0)))
    parts = [product] if not below else [product, top, bottom]
    inside = graph.make(
        "and",
        tuple(graph.apply("le", tiny, p) for p in parts)
        + tuple(graph.apply("le", p, largest) for p in parts),
    )
    return engine.computed(said, graph.select(inside, whole, said))


def log_ratio(engine: Engine, a: Node, b: Node, otherwise: Node) -> Node:
    """A formula for log(a) - log(b): through the relative difference where they are close."""
    graph = engine.graph
    gap = engine.sub(a, b)
    near = graph.apply("lt", graph.apply("abs", gap), 0.5 * b)
    return graph.select(near, graph.apply("log1p", gap / b), otherwise)


def _of_power(engine: Engine, node: Node) -> Node | None:
    base, exponent = node.args
    power = number(exponent)
    if power is not None:
        return _of_product(engine, node)
    if not nonnegative(base):
        return None
    inner = log_of(engine, base)
    assert inner is not None
    return engine.mul(exponent, inner) if bounded_below(inner) else engine.make("silence", exponent, inner)


def _of_sqrt(engine: Engine, node: Node) -> Node | None:
    inner = log_of(engine, node.args[0])
    return None if inner is None else engine.scale(inner, 0.5)


def _of_sum(engine: Engine, node: Node) -> Node | None:
    form = linear(node)
    items = dict(form.terms)
    alike = all(c > 0 and nonnegative(t) for t, c in items.items()) and form.constant >= 0
    if not alike:
        return _of_difference(engine, form)
    if not any(wild(t) for t in items):
        if form.constant == 1:
            rest = build_sum(engine.graph, Linear(items))
            return _log_of_one_and(engine, rest)
        return None
    logs: list[Node] = [engine.const(math.log(form.constant))] if form.constant else []
    for term, coefficient in sorted(items.items(), key=lambda item: item[0].id):
        inner = log_of(engine, term)
        assert inner is not None
        if coefficient != 1 and inner.op == "log":
            logs.append(_log_of_tame(engine, Monomial(coefficient, {term: 1.0})))
        else:
            logs.append(engine.sum_of(linear(inner).plus(Linear({}, math.log(coefficient)))))
    total = logs[0]
    for each in logs[1:]:
        total = engine.make("logaddexp", total, each)
    if total.op == "logaddexp" and (weights := _mixture(engine, form)) is not None:
        return _of_mixture(engine, form, total, weights)
    return total


def _mixture(engine: Engine, form: Linear) -> tuple[Node, Node, Node] | None:
    """(t, a, b) of t·a + (1 - t)·b, for a plain t between 0 and 1."""
    if len(form.terms) != 2 or form.constant or any(c != 1 for c in form.terms.values()):
        return None
    first, second = form.terms
    for one, other in ((first, second), (second, first)):
        for t, power in monomial(one).factors.items():
            if power != 1 or not range_of(t).is_probability:
                continue
            rest = peel(engine.sub(1.0, t))
            for factor, inner in monomial(other).factors.items():
                if inner == 1 and peel(factor) is rest:
                    return t, _without(one, t), _without(other, factor)
    return None


def _without(node: Node, factor: Node) -> Node:
    form = monomial(node)
    return build_product(
        node.graph, Monomial(form.coefficient, {f: p for f, p in form.factors.items() if f is not factor})
    )


def _of_mixture(engine: Engine, form: Linear, logs: Node, weights: tuple[Node, Node, Node]) -> Node:
    """Differentiated as the plain mixture, so that its two parts cancel as such; near 1 through what is missing to 1."""
    graph = engine.graph
    t, a, b = weights
    said = logs
    if not wild(t):
        said = graph.make("log", (build_sum(graph, form),))
        engine.settled[said] = said
    if not (range_of(a).is_probability and range_of(b).is_probability):
        return engine.computed(said, logs)
    missing = engine.add(
        engine.mul(t, engine.sub(1.0, a)), engine.mul(engine.sub(1.0, t), engine.sub(1.0, b))
    )
    near = graph.apply("lt", missing, 0.5)
    return engine.computed(said, graph.select(near, graph.apply("log1p", -missing), logs))


def _log_of_one_and(engine: Engine, rest: Node) -> Node:
    """log(1 + x)."""
    return engine.graph.make("log1p", (rest,))


def _of_difference(engine: Engine, form: Linear) -> Node | None:
    """log(c - c·p): through the complement; log(1 + x) of any sign as log1p."""
    if form.constant > 0 and len(form.terms) == 1:
        ((term, coefficient),) = form.terms.items()
        if coefficient == -form.constant:
            inner = log_complement_of(engine, term)
            if inner is not None:
                return engine.sum_of(linear(inner).plus(Linear({}, math.log(form.constant))))
    if form.constant == 1 and form.terms:
        return engine.graph.make("log1p", (build_sum(engine.graph, Linear(form.terms)),))
    return None


def _of_reduced_sum(engine: Engine, node: Node) -> Node | None:
    inner = node.args[0]
    if not nonnegative(inner) or not wild(inner):
        return None
    logs = log_of(engine, inner)
    assert logs is not None
    total = engine.make("logsumexp", engine.graph.broadcast(logs, inner.axes), attr=node.attr)
    return _near_whole(engine, node, total)


def _near_whole(engine: Engine, node: Node, total: Node) -> Node:
    """log of a softmax's average of probabilities: near 1 through the average of what is missing."""
    form = monomial(node.args[0])
    shares = [f for f, p in form.factors.items() if p == 1 and f.op == "softmax" and f.attr == node.attr]
    if form.coefficient != 1 or len(shares) != 1 or len(form.factors) < 2 or total.op != "logsumexp":
        return total
    graph = engine.graph
    chance = build_product(
        graph, Monomial(1.0, {f: p for f, p in form.factors.items() if f is not shares[0]})
    )
    if not range_of(chance).is_probability:
        return total
    lacking = engine.mul(shares[0], engine.sub(1.0, engine.settle(chance)))
    missing = engine.make("sum", graph.broadcast(lacking, node.args[0].axes), attr=node.attr)
    near = graph.apply("lt", missing, 0.5)
    return engine.computed(total, graph.select(near, graph.apply("log1p", -missing), total))


def _of_contraction(engine: Engine, node: Node) -> Node | None:
    a, b = node.args
    if not (nonnegative(a) and nonnegative(b)) or not (wild(a) or wild(b)):
        return None
    logs = log_of(engine, engine.mul(a, b))
    return (
        None
        if logs is None
        else engine.make("logsumexp", engine.graph.broadcast(logs, node.axes | node.attr), attr=node.attr)
    )


def _of_reduced_product(engine: Engine, node: Node) -> Node | None:
    inner = node.args[0]
    if not nonnegative(inner):
        return None
    logs = log_of(engine, inner)
    assert logs is not None
    return engine.make("sum", logs, attr=node.attr)


def _of_monotone(engine: Engine, node: Node) -> Node | None:
    if not all(nonnegative(a) for a in node.args) or not any(wild(a) for a in node.args):
        return None
    logs = [log_of(engine, a) for a in node.args]
    return engine.make(node.op, *[x for x in logs if x is not None], attr=node.attr)


def _of_clip(engine: Engine, node: Node) -> Node | None:
    """clip is monotone: the bounds become logarithms, exactly."""
    x, low, high = node.args
    bounds = [log_of(engine, b) for b in (low, high)]
    if not nonnegative(x) or not positive(low) or bounds[0] is None or bounds[1] is None:
        return None
    logs = log_of(engine, x)
    assert logs is not None
    return engine.make("clip", logs, bounds[0], bounds[1])


def _of_select(engine: Engine, node: Node) -> Node | None:
    condition, then, other = node.args
    if not (nonnegative(then) and nonnegative(other)):
        return None
    logs = [log_of(engine, engine.graph.real(x)) for x in (then, other)]
    assert logs[0] is not None and logs[1] is not None
    return engine.make("select", condition, logs[0], logs[1])


def _of_stack(engine: Engine, node: Node) -> Node | None:
    if not all(nonnegative(a) for a in node.args):
        return None
    logs = [log_of(engine, a) for a in node.args]
    return engine.make("stack", *[x for x in logs if x is not None], attr=node.attr)


def _of_sigmoid(engine: Engine, node: Node) -> Node:
    return engine.neg(engine.make("softplus", engine.neg(node.args[0])))


def _of_softmax(engine: Engine, node: Node) -> Node:
    return engine.make("log_softmax", node.args[0], attr=node.attr)


def _of_normal_cdf(engine: Engine, node: Node) -> Node:
    return engine.make("log_normal_cdf", node.args[0])


def _of_erfc(engine: Engine, node: Node) -> Node:
    """log erfc(x) = log 2 + log Φ(-√2 x), and near 0, where these cancel, log1p(-erf(x))."""
    graph = engine.graph
    x = node.args[0]
    said = engine.add(engine.make("log_normal_cdf", engine.scale(x, -math.sqrt(2.0))), math.log(2.0))
    near = graph.apply("log1p", -graph.apply("erf", x))
    return engine.computed(said, graph.select(graph.apply("lt", graph.apply("abs", x), 0.5), near, said))


def _of_sinh(engine: Engine, node: Node) -> Node | None:
    x = node.args[0]
    if not nonnegative(x):
        return None
    return engine.add(x, engine.make("log1mexp", engine.scale(x, -2.0)), -math.log(2.0))


def _of_cosh(engine: Engine, node: Node) -> Node:
    return log_cosh(engine, node.args[0])


def log_cosh(engine: Engine, x: Node) -> Node:
    """log(cosh(x)): about x²/2 near 0, about |x| - log 2 far away."""
    graph = engine.graph
    said = graph.apply("logaddexp", x, -x) - math.log(2.0)
    half = graph.apply("sinh", graph.apply("clip", 0.5 * x, -1.0, 1.0))
    size = graph.apply("abs", x)
    near = graph.apply("log1p", 2.0 * half * half)
    far = size + graph.apply("log1p", graph.apply("exp", -2.0 * size)) - math.log(2.0)
    return engine.computed(said, graph.select(graph.apply("lt", size, 1.0), near, far))


def _of_softplus(engine: Engine, node: Node) -> Node:
    """log(softplus(x)) is about x far to the left, where softplus underflows."""
    graph = engine.graph
    x = node.args[0]
    far = graph.apply("lt", x, -20.0)
    said = graph.make("log", (node,))
    engine.settled[said] = said
    return engine.computed(said, graph.select(far, x, said))


def _of_expm1(engine: Engine, node: Node) -> Node | None:
    x = node.args[0]
    if not nonnegative(node):
        return None
    return engine.add(x, engine.make("log1mexp", engine.neg(x)))


def _of_negative(engine: Engine, node: Node) -> Node | None:
    inner = node.args[0]
    if inner.op == "expm1" and nonnegative(node):
        return engine.make("log1mexp", inner.args[0])
    if inner.op in ("mul", "div", "neg"):
        return _of_product(engine, node)
    return None


def _of_meaning(engine: Engine, node: Node) -> Node | None:
    return _log_of(engine, node.args[0])


def _of_boolean(engine: Engine, node: Node) -> Node | None:
    if node.args[0].elem != "bool":
        return None
    return engine.make("select", node.args[0], 0.0, -math.inf)


def _of_log1mexp_friend(engine: Engine, node: Node) -> Node | None:
    """log(tanh(x)) for x >= 0."""
    if not nonnegative(node):
        return None
    double = engine.scale(node.args[0], -2.0)
    return engine.sub(engine.make("log1mexp", double), engine.make("softplus", double))


_RULES = {
    "const": _of_const,
    "exp": _of_exp,
    "mul": _of_product,
    "div": _of_product,
    "neg": _of_negative,
    "pow": _of_power,
    "sqrt": _of_sqrt,
    "add": _of_sum,
    "sum": _of_reduced_sum,
    "contract": _of_contraction,
    "prod": _of_reduced_product,
    "max": _of_monotone,
    "min": _of_monotone,
    "maximum": _of_monotone,
    "minimum": _of_monotone,
    "clip": _of_clip,
    "select": _of_select,
    "stack": _of_stack,
    "sigmoid": _of_sigmoid,
    "softmax": _of_softmax,
    "normal_cdf": _of_normal_cdf,
    "erfc": _of_erfc,
    "cosh": _of_cosh,
    "sinh": _of_sinh,
    "softplus": _of_softplus,
    "expm1": _of_expm1,
    "tanh": _of_log1mexp_friend,
    "computed_as": _of_meaning,
    "to_real": _of_boolean,
}


def log_of_signed(engine: Engine, node: Node) -> Node | None:
    """log of what is not provably nonnegative: exact identities that hold wherever it is positive."""
    if node.op in ("expm1", "sinh"):
        return _of_odd(engine, node)
    apart = _of_exponentials_apart(engine, node)
    if apart is not None:
        return apart
    form = linear(node)
    if node.op == "add" and form.constant == 1 and form.terms:
        return _log_of_one_and(engine, build_sum(engine.graph, Linear(form.terms)))
    if node.op == "div":
        near = _near_one(engine, node)
        if near is not None:
            return near
    if node.op in ("mul", "div", "pow"):
        return _of_product(engine, node, signed=True)
    return _by_rule(engine, node)


def _of_odd(engine: Engine, node: Node) -> Node:
    """log of expm1 or sinh, which overflow; where they are negative there is no logarithm either way."""
    graph = engine.graph
    x = node.args[0]
    kept = graph.make("log", (node,))
    engine.settled[kept] = kept
    if node.op == "expm1":
        far = engine.add(x, engine.make("log1mexp", engine.neg(x)))
    else:
        far = engine.add(x, engine.make("log1mexp", engine.scale(x, -2.0)), -math.log(2.0))
    return engine.computed(far, graph.select(graph.apply("lt", x, 20.0), kept, far))


def _of_exponentials_apart(engine: Engine, node: Node) -> Node | None:
    """log(e^a - e^b) = a + log(1 - e^(b - a)), where a part may overflow."""
    form = linear(meaning(node))
    parts = [*((t, c) for t, c in form.terms.items()), *([(None, form.constant)] if form.constant else [])]
    if len(parts) != 2 or parts[0][1] * parts[1][1] > 0 or not any(swing(t)[1] for t in form.terms):
        return None
    logs: list[Node] = []
    for term, coefficient in sorted(parts, key=lambda part: -part[1]):
        inner = engine.const(0.0) if term is None else log_of(engine, term) if nonnegative(term) else None
        if inner is None or not bounded_below(inner):
            return None
        logs.append(engine.sum_of(linear(inner).plus(Linear({}, math.log(abs(coefficient))))))
    return engine.add(logs[0], engine.make("log1mexp", engine.sub(logs[1], logs[0])))


def _near_one(engine: Engine, node: Node) -> Node | None:
    """log(a / b) whose a - b is simpler than either: through the relative difference where they are close."""
    a, b = node.args
    graph = engine.graph
    gap = linear(a).plus(linear(b), -1.0)
    if gap.size >= max(linear(a).size, linear(b).size):
        return None
    less = build_sum(graph, gap)
    said = graph.make("log", (node,))
    engine.settled[said] = said
    near = graph.apply("lt", graph.apply("abs", less), 0.5 * graph.apply("abs", b))
    return engine.computed(said, graph.select(near, graph.apply("log1p", less / b), said))
