"""Products and quotients: what may over- or underflow is multiplied as logarithms."""

from __future__ import annotations

import math

from losslang.ir import Node, peel, rebuild, walk
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
    nonzero,
    number,
    opened,
    positive,
    range_of,
    split_coefficient,
)
from losslang.rewrite.logarithms import exactly_zero, log_of
from losslang.rewrite.rules import node_rules, product_rules
from losslang.rewrite.swings import swing


@handles("*")
def by_rule(engine: Engine, node: Node) -> Node | None:
    return node_rules(engine, node)


@handles("silence")
def silence(engine: Engine, node: Node) -> Node | None:
    """Beside what is never infinite, silence is an ordinary product."""
    factor, logarithm = node.args
    if number(peel(factor)) == 0:
        return engine.const(0.0)
    if bounded_below(logarithm):
        return engine.mul(factor, logarithm)
    if peel(factor).op in ("mul", "div", "pow") and (zero := exactly_zero(engine, factor)) is not None:
        # What merely underflows silences nothing.
        return engine.make("select", zero, 0.0, engine.mul(factor, logarithm))
    if logarithm.op == "neg":
        return engine.neg(engine.make("silence", factor, logarithm.args[0]))
    return None


@handles("select")
def choice(engine: Engine, node: Node) -> Node | None:
    """A choice that is already made, or makes no difference."""
    condition, then, other = node.args
    if condition.op == "const":
        return (
            engine.graph.real(then if condition.attr else other)
            if node.elem == "real"
            else (then if condition.attr else other)
        )
    if then is other:
        return then
    chosen = engine.graph.select(condition, _given(then, condition, 1), _given(other, condition, 2))
    if chosen is not node:
        return engine.settle(chosen) if chosen.elem == node.elem else None
    if condition.op == "eq" and node.elem == "real":
        for x, y in (condition.args, condition.args[::-1]):
            if number(y) == 0 and x.elem == "real" and nonzero(x):
                return engine.graph.real(other)
    return None


def _given(node: Node, condition: Node, branch: int, depth: int = 5) -> Node:
    """``node`` where ``condition`` is known to hold (branch 1) or not (branch 2)."""
    if node.op == "select" and node.args[0] is condition:
        chosen = node.args[branch]
        return node.graph.broadcast(node.graph.real(chosen), node.axes) if node.elem == "real" else node
    if depth == 0 or node.op not in ("mul", "div", "neg", "add", "exp", "broadcast", "pow", "abs"):
        return node
    return rebuild(node, tuple(_given(a, condition, branch, depth - 1) for a in node.args))


@handles("mul", "div")
def normal_product(engine: Engine, node: Node) -> Node | None:
    if node.elem != "real" or any(number(peel(a)) == 0 or _infinite(a) for a in node.args):
        return None
    form = monomial(node)
    _pair_roots(form)
    before = Monomial(form.coefficient, dict(form.factors))
    better = product_rules(engine, form) or _over_weight(engine, form)
    if better is not None:
        return better
    if _merges(engine, form):
        inside = _into_choice(engine, form)
        if inside is not None:
            return inside
        better = _through_logarithms(engine, form)
        if better is not None:
            return engine.fired("product_of_exponentials", build_product(engine.graph, before), better,
                                "factors that over- or underflow meet as logarithms")  # fmt: skip
    result = build_product(engine.graph, form)
    engine.settled.setdefault(result, result)
    return result


@handles("gather")
def picked_multiple(engine: Engine, node: Node) -> Node | None:
    """A pick out of a multiple is a multiple of the pick."""
    if node.elem != "real" or peel(node.args[0]).op not in ("neg", "mul", "div"):
        return None
    coefficient, rest = split_coefficient(node.args[0])
    if coefficient == 1:
        return None
    rest = engine.graph.broadcast(engine.settle(rest), node.args[0].axes)
    return engine.scale(engine.make("gather", rest, node.args[1], attr=node.attr), coefficient)


@handles("contract")
def square_sum(engine: Engine, node: Node) -> Node | None:
    """The contraction of a thing with itself is its sum of squares."""
    a, b = node.args
    if a is not b or a.elem != "real" or not node.attr <= a.axes:
        return None
    return engine.make("sum", engine.make("pow", a, 2.0), attr=node.attr)


def _into_choice(engine: Engine, form: Monomial) -> Node | None:
    """A product with a choice whose other branch is 0: the choice of the product."""
    for factor, power in form.factors.items():
        if (
            power == 1
            and factor.op == "select"
            and number(factor.args[2]) == 0
            and any(swing(factor.args[1]))
        ):
            condition, then, _ = factor.args
            rest = Monomial(form.coefficient, {f: p for f, p in form.factors.items() if f is not factor})
            inner = engine.mul(then, build_product(engine.graph, rest))
            return engine.make("select", condition, inner, 0.0)
    return None


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


def _merges(engine: Engine, form: Monomial) -> bool:
    """Whether one factor may underflow where another overflows (or would round twice)."""
    sides = [_sides(f, p) for f, p in form.factors.items()]
    if sum(f.op == "exp" for f in form.factors) > 1 or any(
        f.op == "exp" and p != 1 for f, p in form.factors.items()
    ):
        return True
    if any(f.op in ("sigmoid", "softmax") for f in form.factors) and _mentioned(engine, form):
        return True
    if any(f.op == "add" and p < 0 and any(swing(f)) for f, p in form.factors.items()):
        return True
    for i, (down, up) in enumerate(sides):
        for j, (other_down, other_up) in enumerate(sides):
            if i != j and ((down and other_up) or (up and other_down)):
                return True
    return False


def _through_logarithms(engine: Engine, form: Monomial) -> Node | None:
    form = _opened_products(engine, form)
    exponent = Linear()
    plain = Monomial(form.coefficient)
    logarithms = _mentioned(engine, form)
    signed: list[tuple[Node, float]] = []
    averages: list[tuple[Node, Node]] = []
    merged = 0
    for factor, power in form.factors.items():
        if factor in logarithms:
            exponent = exponent.plus(linear(log_of(engine, factor) or factor), power)
            merged += 1
            continue
        if not any(swing(factor)):
            plain.multiply(factor, power)
            continue
        if not nonnegative(factor) and range_of(factor).nonpositive and power == int(power):
            plain.coefficient *= (-1.0) ** int(power)
            factor = engine.neg(factor)
        logs = log_of(engine, factor) if nonnegative(factor) else None
        if logs is not None and factor.op == "pow" and _log_sums(logs) > _MOST_LOG_SUMS:
            plain.multiply(factor, power)
            continue
        if logs is None or (logs.op in ("log",) and factor.op not in ("prod",)):
            signed.append((factor, power))
            continue
        if power == 1 and factor.op in ("sum", "contract"):
            averages.append((factor, logs))
            continue
        exponent = exponent.plus(linear(logs), power)
        merged += 1
    for factor, logs in averages:
        apart = not any(t.axes & factor.attr for t in exponent.terms)
        if len(averages) == 1 and not signed and apart and _is_average(engine, exponent, logs):
            signed.append((factor, 1.0))
        else:
            exponent = exponent.plus(linear(logs))
            merged += 1
    if not merged:
        return None
    if signed:
        return _distribute(engine, plain, exponent, signed)
    factor = exponential(engine, exponent)
    if merged < 2 and not _single(form) and factor.op == "exp":
        return None
    return _finish(engine, plain, factor)


def _opened_products(engine: Engine, form: Monomial) -> Monomial:
    """Renamed and picked products as products of renamed and picked factors.

    So a plain factor beside one that swings stays a factor: as a logarithm it may be -inf, where its
    derivative has none.
    """
    result = Monomial(form.coefficient)
    for factor, power in form.factors.items():
        inner = monomial(factor.args[0]) if factor.op in ("rename", "gather") else Monomial()
        if len(inner.factors) < 2 or power != int(power):
            result.multiply(factor, power)
            continue
        result.coefficient *= inner.coefficient ** int(power)
        whole = factor.args[0].axes
        for part, own in inner.factors.items():
            moved = engine.graph.broadcast(part, whole)
            made = engine.make(factor.op, moved, *factor.args[1:], attr=factor.attr)
            result.multiply(made, own * power)
    return result


def _is_average(engine: Engine, exponent: Linear, logs: Node) -> bool:
    """Whether a sum over a sum of exponentials is best taken as a weighted sum of a softmax."""
    if not any(t.op == "logsumexp" and c < 0 for t, c in exponent.terms.items()):
        return False
    return engine.sum_of(exponent.plus(linear(logs))).op not in ("neg", "softplus", "mul", "const")


def _over_weight(engine: Engine, form: Monomial) -> Node | None:
    """softmax(z + log w) / w and sigmoid(x + log w) / w, also where w is exactly 0."""
    graph = engine.graph
    for part in [f for f, p in form.factors.items() if f.op in ("softmax", "sigmoid") and p == 1]:
        inside = linear(part.args[0])
        for weight in [f for f, p in form.factors.items() if p == -1 and not positive(f) and nonnegative(f)]:
            logs = [t for t, c in inside.terms.items() if c == 1 and t.op == "log" and t.args[0] is weight]
            if not logs:
                continue
            rest = build_sum(
                graph, Linear({t: c for t, c in inside.terms.items() if t is not logs[0]}, inside.constant)
            )
            if part.op == "softmax":
                direct = graph.apply("exp", rest - graph.make("logsumexp", part.args, part.attr))
            else:
                direct = graph.apply("exp", rest) * graph.apply("sigmoid", -part.args[0])
            said = part / weight
            usual = (
                graph.apply("lt", 1e-30, weight)
                if part.op == "softmax"
                else graph.apply("lt", 0.0, part.args[0])
            )
            better = engine.computed(said, graph.select(usual, said, direct))
            left = Monomial(
                form.coefficient, {f: p for f, p in form.factors.items() if f not in (part, weight)}
            )
            left.multiply(peel(better), 1.0)
            return engine.fired(
                "over_weight", said, engine.product_of(left), "a weight of 0 still has a derivative"
            )
    return None


def _mentioned(engine: Engine, form: Monomial) -> set[Node]:
    """Plain factors whose logarithms stand in the exponents that other factors are carried by."""
    plain = {f for f in form.factors if positive(f) and not any(swing(f))}
    if not plain:
        return set()
    found: set[Node] = set()
    for factor in form.factors:
        if factor in plain or factor.op not in ("sigmoid", "softmax", "exp"):
            continue
        inside = opened(linear(factor.args[0]))
        found |= {f for t in inside.terms if t.op == "log" for f in plain if t.args[0] is f}
    return found


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


def _distribute(
    engine: Engine, plain: Monomial, exponent: Linear, signed: list[tuple[Node, float]]
) -> Node | None:
    """A sum of changing sign takes the exponential into each of its terms."""
    if len(signed) == 1 and signed[0][1] == 1 and signed[0][0].op in ("sum", "contract"):
        if any(t.axes & signed[0][0].attr for t in exponent.terms):
            return None  # the factor's own axis of that name is another one
        return _into_sum(engine, plain, exponent, signed[0][0])
    sums = [(f, p) for f, p in signed if p == 1 and (_terms(f) is not None)]
    if len(sums) != 1 or len(signed) != 1:
        return None
    form = _terms(sums[0][0])
    assert form is not None
    factor = exponential(engine, exponent)
    result = Linear()
    met = False
    for term, coefficient in form.terms.items():
        product = engine.mul(term, factor)
        met = met or factor not in monomial(product).factors
        result = result.plus(linear(product), coefficient)
    if not met:
        return None  # apart, the terms may cancel
    if form.constant:
        result = result.plus(linear(factor), form.constant)
    total = engine.sum_of(result)
    if not plain.factors:
        return engine.scale(total, plain.coefficient)
    return _finish(engine, plain, total)


def _into_sum(engine: Engine, plain: Monomial, exponent: Linear, total: Node) -> Node:
    """A sum along axes takes the exponential in front of it into every entry."""
    graph = engine.graph
    inner = engine.mul(*total.args) if total.op == "contract" else total.args[0]
    held = monomial(inner)
    kept = Monomial(held.coefficient)
    rest = exponent
    for factor, power in held.factors.items():
        logs = log_of(engine, factor) if any(swing(factor)) and nonnegative(factor) else None
        if logs is None:
            kept.multiply(factor, power)
        else:
            rest = rest.plus(linear(logs), power)
    if rest is exponent and inner.op == "select":
        condition, then, other = inner.args
        factor = exponential(engine, exponent)
        entries = engine.make(
            "select",
            condition,
            engine.mul(then, factor),
            engine.mul(other, factor) if number(other) != 0 else 0.0,
        )
    else:
        entries = _finish(engine, kept, exponential(engine, rest))
    summed = engine.make("sum", graph.broadcast(entries, inner.axes | total.attr), attr=total.attr)
    return _finish(engine, plain, summed)


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


#: A power of quotients of more sums than this is taken as it stands, in double precision where it is in doubt: its
#: logarithm would be a forest in which parts that are infinite meet.
_MOST_LOG_SUMS = 4


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
        if value == -1 or (
            value == int(value) and base.op in ("exp", "div", "mul", "neg", "pow", "abs", "sqrt")
        ):
            return _constant_power(engine, node, value)
        if value == int(value) and abs(value) <= 4:
            return None if isinstance(exponent.attr, float) else engine.make("pow", base, float(value))
    if not nonnegative(base) or not any(swing(base)):
        return None
    logs = log_of(engine, base)
    if logs is None or logs.op == "log" or _log_sums(logs) > _MOST_LOG_SUMS:
        return None
    better = engine.make("exp", engine.mul(exponent, logs))
    return engine.fired("power", node, better, "a power of what underflows is taken through its logarithm")


def _log_sums(node: Node) -> int:
    """How many sums of exponentials stand below: one for every sum in a quotient."""
    return sum(n.op in ("logsumexp", "logaddexp") for n in walk([node]))


def _constant_power(engine: Engine, node: Node, value: float) -> Node | None:
    base = node.args[0]
    if base.op == "abs" and value % 2 == 0:
        return engine.make("pow", base.args[0], float(value))
    form = monomial(node)
    result = build_product(engine.graph, form)
    if result is node:
        return None
    return normal_product(engine, result) if result.op in ("mul", "div") else engine.settle(result)
