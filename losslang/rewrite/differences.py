"""Small differences as such: a - b for two values of one function, without subtracting what was rounded."""

from __future__ import annotations

from collections.abc import Callable

from losslang.ir import Node, peel
from losslang.rewrite.complements import complement_of
from losslang.rewrite.engine import Engine
from losslang.rewrite.forms import (
    Linear,
    bounded_below,
    build_sum,
    linear,
    nonnegative,
    number,
    range_of,
)
from losslang.rewrite.swings import wild

Rule = Callable[[Engine, Node, Node], "Node | None"]


def difference(engine: Engine, a: Node | None, b: Node | None) -> Node | None:
    """a - b, None standing for 1; None where subtracting is as good as anything."""
    if a is None:
        return None if b is None else complement_of(engine, b)
    if b is None:
        inner = complement_of(engine, a)
        return None if inner is None else engine.neg(inner)
    from_event = _less_event(engine, a, b) or _event_less(engine, a, b)
    if from_event is not None:
        return from_event
    from_top = _below_top(engine, a, b)
    if from_top is not None:
        return from_top
    from_top = _below_top(engine, b, a)
    if from_top is not None:
        return engine.neg(from_top)
    if a.op == b.op and (rule := _ALIKE.get(a.op)) is not None:
        found = rule(engine, a, b)
        if found is not None:
            return found
    if a.op in ("sqrt", "hypot"):
        return _root_less(engine, a, b)
    if b.op in ("sqrt", "hypot"):
        found = _root_less(engine, b, a)
        return None if found is None else engine.neg(found)
    return _through_logarithms(engine, a, b)


def _below_top(engine: Engine, part: Node, top: Node) -> Node | None:
    """A part of a softmax less the largest, or so of their logarithms: by how far the logits lie apart."""
    if part.op not in ("softmax", "log_softmax") or top.op != "gather" or peel(top.args[0]) is not part:
        return None
    z, at = part.args[0], top.args[1]
    if part.attr != {top.attr} or at.op != "argmax" or peel(at.args[0]) is not peel(z):
        return None
    gap = engine.sub(z, engine.make("gather", z, at, attr=top.attr))
    if part.op == "log_softmax":
        return gap
    return engine.computed(said(part, top), top * part.graph.apply("expm1", gap))


def _event_less(engine: Engine, a: Node, b: Node) -> Node | None:
    found = _less_event(engine, b, a)
    return None if found is None else engine.neg(found)


def _less_event(engine: Engine, p: Node, y: Node) -> Node | None:
    """p - y for a probability that is carried with its complement, and whether the event came: 0 or 1."""
    if p.op not in ("sigmoid", "softmax", "normal_cdf"):
        return None
    if y.op == "to_real" and y.args[0].op == "select":
        y = y.args[0]
    if y.op == "to_real" and y.args[0].elem == "bool":
        condition, then, other = y.args[0], 1.0, 0.0
    elif y.op == "select" and {number(y.args[1]), number(y.args[2])} == {0.0, 1.0}:
        condition, then, other = y.args[0], number(y.args[1]) or 0.0, number(y.args[2]) or 0.0
    elif y.op == "input" and range_of(y).is_probability:
        missing = complement_of(engine, p)
        if missing is None:
            return None
        return engine.computed(said(p, y), p * (1.0 - y) - y * missing)
    else:
        return None
    return engine.make("select", condition, engine.sub(p, then), engine.sub(p, other))


def _through_logarithms(engine: Engine, a: Node, b: Node) -> Node | None:
    """a - b of what is carried as logarithms that differ by something simple: b·expm1(log a - log b)."""
    from losslang.rewrite.logarithms import log_of

    if not (wild(a) and wild(b) and nonnegative(a) and nonnegative(b)):
        return None
    first, second = log_of(engine, a), log_of(engine, b)
    if first is None or second is None or first.op == "log" or second.op == "log":
        return None
    form = linear(engine.sub(first, second))
    if form.size > 1 or form.size >= linear(first).size + linear(second).size:
        return None
    if form.size == 0 and bounded_below(first):
        return engine.const(0.0)
    graph = engine.graph
    gap = build_sum(graph, form)
    if not bounded_below(gap):
        return None
    above = -(a * graph.apply("expm1", -gap))
    below = b * graph.apply("expm1", gap)
    return engine.computed(said(a, b), graph.select(graph.apply("lt", 0.0, gap), above, below))


def _softpluses(engine: Engine, a: Node, b: Node) -> Node:
    """softplus(x) - softplus(y) = log1p(sigmoid(y)·expm1(x - y)), for x near y."""
    graph = engine.graph
    x, y = a.args[0], b.args[0]
    if linear(x).plus(linear(y)).size == 0:
        return x
    gap = engine.sub(x, y)
    near = graph.apply("lt", graph.apply("abs", gap), 1.0)
    close = graph.apply("log1p", graph.apply("sigmoid", b.args[0]) * graph.apply("expm1", gap))
    return engine.computed(said(a, b), graph.select(near, close, said(a, b)))


def _log_softmaxes(engine: Engine, a: Node, b: Node) -> Node | None:
    """Of close logits, the gap of the logits less log1p of its mean exponential."""
    graph = engine.graph
    x, y = a.args[0], b.args[0]
    if a.attr != b.attr or x.axes != y.axes:
        return None
    if a.id > b.id:
        return engine.neg(engine.sub(b, a))
    gap = graph.broadcast(engine.sub(x, y), x.axes)
    largest = graph.reduce("max", graph.apply("abs", gap), a.attr)
    near = graph.apply("lt", largest, 0.5)
    drift = graph.reduce("sum", graph.apply("exp", b) * graph.apply("expm1", gap), a.attr)
    return engine.computed(said(a, b), graph.select(near, gap - graph.apply("log1p", drift), said(a, b)))


def _squared(engine: Engine, root: Node) -> Linear:
    """The square of a root, as a sum."""
    if root.op == "sqrt":
        return linear(root.args[0])
    squares = [engine.make("pow", x, 2.0) for x in root.args]
    return linear(squares[0]).plus(linear(squares[1]))


def said(a: Node, b: Node) -> Node:
    return a.graph.make("add", (a, b.graph.make("neg", (b,))))


def _exponentials(engine: Engine, a: Node, b: Node) -> Node | None:
    """exp(a) - exp(b): the larger times expm1 of the gap."""
    graph = engine.graph
    x, y = a.args[0], b.args[0]
    if linear(x).plus(linear(y)).size == 0:
        return engine.scale(engine.make("sinh", x), 2.0)
    gap = engine.sub(y, x)
    above = graph.apply("exp", x) * graph.apply("expm1", gap)
    below = graph.apply("exp", y) * graph.apply("expm1", engine.neg(gap))
    return engine.computed(said(a, b), graph.select(graph.apply("lt", y, x), -above, below))


def _sigmoids(engine: Engine, a: Node, b: Node) -> Node | None:
    """sigmoid(a) - sigmoid(b): a product where they are close, on the side where both are small elsewhere."""
    graph = engine.graph
    x, y = a.args[0], b.args[0]
    if linear(x).plus(linear(y)).size == 0:
        return engine.make("tanh", engine.scale(x, 0.5))
    gap = engine.sub(y, x)
    near = graph.apply("sigmoid", x) * graph.apply("sigmoid", -y) * graph.apply("expm1", gap)
    mirrored = graph.apply("sigmoid", -y) - graph.apply("sigmoid", -x)
    right = graph.apply("lt", 0.0, engine.add(x, y))
    far = graph.select(right, mirrored, said(a, b))
    close = graph.apply("lt", graph.apply("abs", gap), 1.0)
    return engine.computed(said(a, b), graph.select(close, -near, far))


def _tanhs(engine: Engine, a: Node, b: Node) -> Node | None:
    first = engine.make("sigmoid", engine.scale(a.args[0], 2.0))
    second = engine.make("sigmoid", engine.scale(b.args[0], 2.0))
    return engine.scale(engine.sub(first, second), 2.0)


def _roots(engine: Engine, a: Node, b: Node) -> Node | None:
    """sqrt(a) - sqrt(b) = (a - b) / (sqrt(a) + sqrt(b))."""
    graph = engine.graph
    gap = engine.sub(a.args[0], b.args[0])
    total = a + b
    return engine.computed(said(a, b), graph.select(graph.apply("eq", total, 0.0), 0.0, gap / total))


def _root_less(engine: Engine, a: Node, b: Node) -> Node | None:
    """sqrt(x) - b = (x - b²) / (sqrt(x) + b), where x - b² is simple and b is positive."""
    graph = engine.graph
    inside = _squared(engine, a)
    gap = inside.plus(linear(engine.make("pow", b, 2.0)), -1.0)
    if gap.size >= inside.size or gap.size == 0:
        return None
    total = a + b
    formula = _over(engine, gap, total)
    if not nonnegative(b):
        formula = graph.select(graph.apply("le", 0.0, b), formula, said(a, b))
    return engine.computed(said(a, b), formula)


def _over(engine: Engine, numerator: Linear, total: Node) -> Node:
    """A sum over ``total``; a square is divided before it is squared."""
    if numerator.size == 1 and numerator.terms:
        ((term, coefficient),) = numerator.terms.items()
        if term.op == "pow" and number(term.args[1]) == 2:
            return coefficient * (term.args[0] * (term.args[0] / total))
    return engine.sum_of(numerator) / total


def _cosines(engine: Engine, a: Node, b: Node) -> Node:
    x, y = a.args[0], b.args[0]
    half_sum = engine.scale(engine.add(x, y), 0.5)
    half_gap = engine.scale(engine.sub(x, y), 0.5)
    return engine.mul(-2.0, engine.make("sin", half_sum), engine.make("sin", half_gap))


def _sines(engine: Engine, a: Node, b: Node) -> Node:
    x, y = a.args[0], b.args[0]
    half_sum = engine.scale(engine.add(x, y), 0.5)
    half_gap = engine.scale(engine.sub(x, y), 0.5)
    return engine.mul(2.0, engine.make("cos", half_sum), engine.make("sin", half_gap))


def _expm1s(engine: Engine, a: Node, b: Node) -> Node | None:
    return engine.sub(engine.make("exp", a.args[0]), engine.make("exp", b.args[0]))


def _squares(engine: Engine, a: Node, b: Node) -> Node | None:
    """a² - b² = (a - b)(a + b)."""
    if number(a.args[1]) != 2 or number(b.args[1]) != 2:
        return None
    x, y = a.args[0], b.args[0]
    return engine.mul(engine.sub(x, y), engine.add(x, y))


def _quotients(engine: Engine, a: Node, b: Node) -> Node | None:
    """1/a - 1/b = (b - a) / (a b), of numbers that cannot overflow together."""
    if number(a.args[0]) is None or number(a.args[0]) != number(b.args[0]):
        return None
    x, y = a.args[1], b.args[1]
    gap = linear(y).plus(linear(x), -1.0)
    return engine.mul(a.args[0], engine.div(engine.div(engine.sum_of(gap), x), y))


def _normal_cdfs(engine: Engine, a: Node, b: Node) -> Node:
    """Φ(a) - Φ(b): on the side where both are small."""
    graph = engine.graph
    x, y = a.args[0], b.args[0]
    mirrored = graph.apply("normal_cdf", -y) - graph.apply("normal_cdf", -x)
    return engine.computed(said(a, b), graph.select(graph.apply("lt", 0.0, x + y), mirrored, said(a, b)))


def _through_structure(engine: Engine, a: Node, b: Node) -> Node | None:
    """The same picking or renaming of two values: of their difference."""
    if a.attr != b.attr or a.args[1:] != b.args[1:] or a.args[0].axes != b.args[0].axes:
        return None
    inner = difference(engine, a.args[0], b.args[0])
    return (
        None
        if inner is None
        else engine.make(a.op, engine.graph.broadcast(inner, a.args[0].axes), *a.args[1:], attr=a.attr)
    )


def _reduced(engine: Engine, a: Node, b: Node) -> Node | None:
    """Sums over the same axes: the sum of the differences, where these are better than subtracting."""
    x, y = a.args[0], b.args[0]
    if a.attr != b.attr or x.axes != y.axes:
        return None
    from losslang.rewrite.sums import factored_difference

    inner = factored_difference(engine, x, y)
    return None if inner is None else engine.make("sum", engine.graph.broadcast(inner, x.axes), attr=a.attr)


def _choices(engine: Engine, a: Node, b: Node) -> Node | None:
    """Of choices by one condition, branch by branch."""
    if a.args[0] is not b.args[0]:
        return None
    return engine.make(
        "select", a.args[0], *(engine.sub(*pair) for pair in zip(a.args[1:], b.args[1:], strict=True))
    )


_ALIKE: dict[str, Rule] = {
    "select": _choices,
    "exp": _exponentials,
    "sigmoid": _sigmoids,
    "tanh": _tanhs,
    "sqrt": _roots,
    "cos": _cosines,
    "sin": _sines,
    "expm1": _expm1s,
    "pow": _squares,
    "div": _quotients,
    "normal_cdf": _normal_cdfs,
    "rename": _through_structure,
    "gather": _through_structure,
    "sum": _reduced,
    "softplus": _softpluses,
    "log_softmax": _log_softmaxes,
}
