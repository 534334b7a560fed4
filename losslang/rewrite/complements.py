"""The complementary representation: 1 - p, and log(1 - p), by how p was made."""

from __future__ import annotations

from losslang.ir import Node, peel
from losslang.rewrite.engine import Engine
from losslang.rewrite.forms import (
    Linear,
    Monomial,
    build_sum,
    keeps_some,
    linear,
    monomial,
    nonnegative,
    nonzero,
    number,
    range_of,
)
from losslang.rewrite.swings import swing, wild

PASSES = ("rename", "merge", "unmerge", "broadcast", "gather", "stop")


def complement_of(engine: Engine, node: Node) -> Node | None:
    """1 - node, where there is a better way than subtracting; None otherwise."""
    if node not in engine.complements:
        engine.complements[node] = None
        found = _complement_of(engine, node)
        engine.complements[node] = None if found is None else engine.graph.broadcast(found, node.axes)
    return engine.complements[node]


def _complement_of(engine: Engine, node: Node) -> Node | None:
    if node.op in PASSES:
        inner = complement_of(engine, node.args[0])
        return None if inner is None else engine.make(node.op, inner, *node.args[1:], attr=node.attr)
    rule = _RULES.get(node.op)
    return rule(engine, node) if rule is not None else None


def _of_sigmoid(engine: Engine, node: Node) -> Node:
    return engine.make("sigmoid", engine.neg(node.args[0]))


def _of_exp(engine: Engine, node: Node) -> Node:
    return engine.neg(engine.make("expm1", node.args[0]))


def _of_softmax(engine: Engine, node: Node) -> Node:
    return engine.neg(engine.make("expm1", engine.make("log_softmax", node.args[0], attr=node.attr)))


def _of_running_share(engine: Engine, node: Node) -> Node | None:
    """1 less the first parts of a softmax is what comes after them."""
    parts = node.args[0]
    if peel(parts).op != "softmax" or peel(parts).attr != node.attr:
        return None
    (axis,) = node.attr
    graph = engine.graph
    place, last = graph.index(axis), graph.apply("add", graph.size(axis), -1)
    rest = engine.make("reverse_cumsum", parts, attr=node.attr)
    following = engine.settle(graph.along_itself(rest, graph.apply("minimum", place + 1, last), axis))
    return engine.make("select", graph.apply("eq", place, last), 0.0, following)


def _of_normal_cdf(engine: Engine, node: Node) -> Node:
    return engine.make("normal_cdf", engine.neg(node.args[0]))


def _of_erf(engine: Engine, node: Node) -> Node:
    return engine.make("erfc", node.args[0])


def _of_erfc(engine: Engine, node: Node) -> Node:
    return engine.make("erf", node.args[0])


def _of_tanh(engine: Engine, node: Node) -> Node:
    return engine.scale(engine.make("sigmoid", engine.scale(node.args[0], -2.0)), 2.0)


def _of_cos(engine: Engine, node: Node) -> Node:
    half = engine.make("sin", engine.scale(node.args[0], 0.5))
    return engine.mul(2.0, half, half)


def _of_cosh(engine: Engine, node: Node) -> Node:
    half = engine.make("sinh", engine.scale(node.args[0], 0.5))
    return engine.mul(-2.0, half, half)


def _of_select(engine: Engine, node: Node) -> Node | None:
    condition, then, other = node.args
    parts = [_plain_or_better(engine, x) for x in (then, other)]
    if all(p is None for p in parts):
        return None
    first, second = (
        p if p is not None else _less(engine, x) for p, x in zip(parts, (then, other), strict=True)
    )
    return engine.make("select", condition, first, second)


def _less(engine: Engine, node: Node) -> Node:
    value = number(node)
    return engine.sub(1.0, node) if value is None else engine.const(1.0 - value)


def _of_highest(engine: Engine, node: Node) -> Node | None:
    """1 - max(p) is min(1 - p)."""
    inner = complement_of(engine, node.args[0])
    if inner is None:
        return None
    other = "min" if node.op == "max" else "max"
    return engine.make(other, engine.graph.broadcast(inner, node.args[0].axes), attr=node.attr)


def _of_larger(engine: Engine, node: Node) -> Node | None:
    parts = [complement_of(engine, a) for a in node.args]
    if all(p is None for p in parts):
        return None
    items = [p if p is not None else engine.sub(1.0, a) for p, a in zip(parts, node.args, strict=True)]
    return engine.make("minimum" if node.op == "maximum" else "maximum", *items)


def _plain_or_better(engine: Engine, node: Node) -> Node | None:
    value = number(node)
    return None if value is not None else complement_of(engine, node)


def _of_stack(engine: Engine, node: Node) -> Node | None:
    parts = [complement_of(engine, a) for a in node.args]
    if any(p is None for p in parts):
        return None
    return engine.make("stack", *[p for p in parts if p is not None], attr=node.attr)


def _of_power(engine: Engine, node: Node) -> Node | None:
    base, exponent = node.args
    power = number(exponent)
    if power == 2 and base.op == "tanh":
        return engine.make("pow", engine.make("cosh", base.args[0]), -2.0)
    inner = complement_of(engine, base) if base.op in ("erf", "cos") else None
    if power == 2 and inner is not None:
        return engine.mul(inner, engine.add(1.0, base))
    if power == 2 and base.op == "sin":
        return engine.make("pow", engine.make("cos", base.args[0]), 2.0)
    if base.op == "add" and linear(base).constant == 1:
        return _of_power_near_one(engine, node)
    if power is None and nonnegative(base) and not wild(base):
        return _of_variable_power(engine, node)
    return _of_product(engine, node)


def _of_power_near_one(engine: Engine, node: Node) -> Node | None:
    """1 - (1 + u)^k = -expm1(k log1p(u))."""
    base, exponent = node.args
    graph = engine.graph
    u = build_sum(graph, Linear(linear(base).terms))
    said = graph.make("add", (graph.const(1.0), graph.make("neg", (node,))))
    if number(exponent) == 2:
        return engine.neg(engine.mul(engine.settle(u), engine.add(1.0, base)))
    if not nonnegative(base):
        return None
    if nonzero(base):
        return engine.neg(engine.make("expm1", engine.mul(exponent, engine.make("log1p", engine.settle(u)))))
    return engine.computed(said, -graph.apply("expm1", exponent * graph.apply("log1p", u)))


def _of_variable_power(engine: Engine, node: Node) -> Node:
    """1 - x^k = -expm1(k log(x)), whichever of them makes it near 0; 0^k is 0."""
    base, exponent = node.args
    inner = engine.mul(exponent, engine.make("log", base))
    better = engine.neg(engine.make("expm1", inner))
    if nonzero(base):
        return better
    graph = engine.graph
    return engine.make(
        "select", graph.apply("eq", base, 0.0), engine.sub(1.0, graph.apply("pow", base, exponent)), better
    )


def _of_product(engine: Engine, node: Node) -> Node | None:
    """Products of what is carried as logarithms: -expm1 of the sum of these."""
    from losslang.rewrite.logarithms import log_of

    form = monomial(node)
    if form.coefficient == 1 and form.factors and all(nonnegative(f) and wild(f) for f in form.factors):
        logs = log_of(engine, node)
        if logs is not None and logs.op != "log":
            return engine.neg(engine.make("expm1", logs))
    return _of_complements(engine, form)


def _of_complements(engine: Engine, form: Monomial) -> Node | None:
    """1 - (1 - p)(1 - q) = p + (1 - p) q."""
    if form.coefficient != 1 or len(form.factors) != 2 or set(form.factors.values()) != {1.0}:
        return None
    a, b = form.factors
    if not (range_of(a).is_probability and range_of(b).is_probability):
        return None
    if linear(a).constant != 1 and linear(b).constant != 1:
        return None
    if linear(a).constant != 1:
        a, b = b, a
    return engine.add(engine.sub(1.0, a), engine.mul(a, engine.sub(1.0, b)))


def _of_clip(engine: Engine, node: Node) -> Node | None:
    x, low, high = node.args
    if number(low) is None or number(high) is None:
        return None
    return engine.make("clip", engine.sub(1.0, x), engine.sub(1.0, high), engine.sub(1.0, low))


def _of_quotient(engine: Engine, node: Node) -> Node | None:
    """1 - a / b = (b - a) / b, where the difference is simpler than its parts."""
    a, b = node.args
    above, below = linear(a), linear(b)
    gap = below.plus(above, -1.0)
    before = engine.firings
    better = engine.sum_of(gap)
    if gap.size < max(below.size, above.size):
        return engine.div(better, b)
    if engine.firings > before and peel(better.args[0] if better.op == "neg" else better).op != "computed_as":
        return engine.div(better, b)
    if engine.firings > before:
        said = engine.graph.make("add", (engine.graph.const(1.0), engine.graph.make("neg", (node,))))
        return engine.computed(said, engine.div(better, b))
    return _of_product(engine, node)


def _of_sqrt(engine: Engine, node: Node) -> Node | None:
    inner = node.args[0]
    form = linear(inner)
    if form.constant != 1:
        return None
    gap = Linear({t: -c for t, c in form.terms.items()})
    said = engine.graph.make("add", (engine.graph.const(1.0), engine.graph.make("neg", (node,))))
    return engine.computed(said, build_sum(engine.graph, gap) / (1.0 + node))


def _of_hypotenuse(engine: Engine, node: Node) -> Node | None:
    from losslang.rewrite.differences import difference

    found = difference(engine, node, engine.const(1.0))
    return None if found is None else engine.neg(found)


def _of_sum(engine: Engine, node: Node) -> Node | None:
    """1 - (1 - p) is p; 1 minus the kept part of a softmax is the part that was left out."""
    inner = peel(node.args[0])
    if node.op == "sum" and inner.op == "select" and number(inner.args[2]) == 0:
        kept = peel(inner.args[1])
        if kept.op == "softmax" and kept.attr == node.attr:
            dropped = engine.make("select", inner.args[0], 0.0, engine.graph.broadcast(kept, inner.axes))
            some = keeps_some(inner.args[0], kept.args[0], node.attr)
            return engine.make("select", some, engine.make("sum", dropped, attr=node.attr), 1.0)
    return None


def _of_reduced_product(engine: Engine, node: Node) -> Node | None:
    from losslang.rewrite.logarithms import log_of

    inner = node.args[0]
    if not range_of(inner).is_probability:
        return None
    logs = log_of(engine, node)
    if logs is None:
        return None
    said = engine.graph.make("add", (engine.graph.const(1.0), engine.graph.make("neg", (node,))))
    return engine.computed(said, -engine.graph.apply("expm1", logs))


def _of_meaning(engine: Engine, node: Node) -> Node | None:
    return _complement_of(engine, node.args[0])


_RULES = {
    "sigmoid": _of_sigmoid,
    "exp": _of_exp,
    "softmax": _of_softmax,
    "cumsum": _of_running_share,
    "normal_cdf": _of_normal_cdf,
    "erf": _of_erf,
    "erfc": _of_erfc,
    "tanh": _of_tanh,
    "cos": _of_cos,
    "cosh": _of_cosh,
    "clip": _of_clip,
    "select": _of_select,
    "max": _of_highest,
    "min": _of_highest,
    "maximum": _of_larger,
    "minimum": _of_larger,
    "stack": _of_stack,
    "pow": _of_power,
    "mul": _of_product,
    "div": _of_quotient,
    "sqrt": _of_sqrt,
    "hypot": _of_hypotenuse,
    "sum": _of_sum,
    "prod": _of_reduced_product,
    "computed_as": _of_meaning,
}


# -- log(1 - p) -----------------------------------------------------------------------------------


def log_complement_of(engine: Engine, node: Node) -> Node | None:
    """log(1 - node) for node at most 1."""
    from losslang.rewrite.logarithms import log_of

    if range_of(node).high > 1:
        return None
    if node.op == "gather" and swing(node)[0]:
        logs = log_of(engine, node)
        if logs is not None and logs.op == "gather":
            return engine.make("log1mexp", logs)
    if node.op in PASSES:
        inner = log_complement_of(engine, node.args[0])
        return None if inner is None else engine.make(node.op, inner, *node.args[1:], attr=node.attr)
    if node.op == "exp":
        return engine.make("log1mexp", node.args[0])
    if node.op == "softmax" or (
        node.op in ("mul", "pow", "div", "prod") and nonnegative(node) and wild(node)
    ):
        logs = log_of(engine, node)
        if logs is not None and logs.op != "log" and range_of(logs).nonpositive:
            return engine.make("log1mexp", logs)
    better = complement_of(engine, node)
    if better is not None and nonnegative(better):
        return log_of(engine, better)
    form = linear(node)
    if form.constant == 1:
        rest = build_sum(engine.graph, Linear({t: -c for t, c in form.terms.items()}))
        if nonnegative(rest):
            return log_of(engine, engine.settle(rest))
    return _of_plain(engine, node)


def _of_plain(engine: Engine, node: Node) -> Node:
    """log(1 - p) of a plain number: log1p(-p), which is exact however small p is."""
    return engine.graph.apply("log1p", engine.graph.make("neg", (node,)))
