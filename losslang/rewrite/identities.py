"""Exact identities among logarithm-like terms of a sum, whatever else the sum holds.

Each looks at a sum in normal form, changes it in place and says whether it did.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from losslang.ir import Graph, Node, peel
from losslang.ranges import interval_of
from losslang.rewrite.engine import Engine
from losslang.rewrite.forms import (
    Linear,
    Monomial,
    build_product,
    build_sum,
    linear,
    monomial,
    nonnegative,
    number,
)
from losslang.rewrite.logarithms import log_ratio


def _replace(form: Linear, new: Linear) -> bool:
    form.terms, form.constant = new.terms, new.constant
    return True


def _holds(form: Linear, part: Linear, scale: float) -> bool:
    """Whether ``form`` contains ``scale`` times every term of ``part``."""
    if not part.terms and not part.constant:
        return False
    if part.constant and not part.terms:
        return False
    terms = all(form.terms.get(t) == scale * c for t, c in part.terms.items())
    return terms and (not part.constant or form.constant == scale * part.constant)


def softplus_pair(engine: Engine, form: Linear) -> bool:
    """softplus(x) - softplus(-x) is x; softplus(x) - x is softplus(-x), also beside another constant."""
    pluses = [t for t in form.terms if t.op == "softplus"]
    for term in pluses:
        coefficient = form.terms[term]
        inside = linear(term.args[0])
        mirrored = engine.make("softplus", engine.neg(term.args[0]))
        if form.terms.get(mirrored) == -coefficient and mirrored is not term:
            rest = Linear(dict(form.terms), form.constant)
            rest.terms.pop(term)
            rest.terms.pop(mirrored)
            engine.fired("softplus_pair", term - mirrored, term.args[0], "the difference of the two is exact")
            return _replace(form, rest.plus(inside, coefficient))
        if _holds(form, Linear(inside.terms), -coefficient):
            rest = form.plus(inside, coefficient)
            rest.terms.pop(term)
            engine.fired(
                "softplus_reflection", term - term.args[0], mirrored, "softplus(x) - x cancels for large x"
            )
            return _replace(form, rest.plus(linear(mirrored), coefficient))
    return False


def softplus_share(engine: Engine, form: Linear) -> bool:
    """softplus(x) - y x for y in [0, 1] is (1 - y) softplus(x) + y softplus(-x)."""
    for term in [t for t in form.terms if t.op == "softplus"]:
        inside = linear(term.args[0])
        if len(inside.terms) != 1 or inside.constant:
            continue
        ((x, inner),) = inside.terms.items()
        for other, coefficient in form.terms.items():
            if other is term:
                continue
            factors = monomial(other)
            if factors.factors.get(x) != 1:
                continue
            rest = dict(factors.factors)
            del rest[x]
            share_form = Linear()
            share = build_product(engine.graph, Monomial(1.0, rest))
            weight = -coefficient / form.terms[term] / inner
            share_form.add(share, weight)
            portion = build_sum(engine.graph, share_form)
            if not rest or not interval_of(portion).is_probability:
                continue
            scale = form.terms[term]
            new = Linear(dict(form.terms), form.constant)
            new.terms.pop(term)
            new.terms.pop(other)
            mirrored = engine.make("softplus", engine.neg(term.args[0]))
            kept = engine.mul(engine.sub(1.0, portion), term)
            moved = engine.mul(portion, mirrored)
            engine.fired("softplus_share", term - portion * term.args[0], kept + moved,
                         "both parts are positive: nothing cancels")  # fmt: skip
            return _replace(form, new.plus(linear(kept), scale).plus(linear(moved), scale))
    return False


def logaddexp_reflection(engine: Engine, form: Linear) -> bool:
    """logaddexp(a, b) - a is softplus(b - a)."""
    for term in [t for t in form.terms if t.op == "logaddexp"]:
        coefficient = form.terms[term]
        for first, second in (term.args, term.args[::-1]):
            inside = linear(first)
            if _holds(form, inside, -coefficient):
                rest = form.plus(inside, coefficient)
                rest.terms.pop(term)
                better = engine.make("softplus", engine.sub(second, first))
                engine.fired(
                    "logaddexp_reflection", term - first, better, "the larger part is taken out exactly"
                )
                return _replace(form, rest.plus(linear(better), coefficient))
            if _shift(engine, form, term, first, second):
                return True
        if _reflect_nested(engine, form, term):
            return True
    return False


def _reflect_nested(engine: Engine, form: Linear, term: Node) -> bool:
    """log(e^a + e^b + e^c) - a is softplus(log(e^b + e^c) - a)."""
    leaves = _leaves(engine.graph, term)
    coefficient = form.terms[term]
    for leaf in leaves if len(leaves) > 2 else ():
        inside = linear(leaf)
        if not _holds(form, inside, -coefficient):
            continue
        others = [x for x in leaves if x is not leaf]
        total = others[0]
        for each in others[1:]:
            total = engine.make("logaddexp", total, each)
        better = engine.make("softplus", engine.sub(total, leaf))
        rest = form.plus(inside, coefficient)
        rest.terms.pop(term)
        engine.fired("logaddexp_reflection", term - leaf, better, "the larger part is taken out exactly")
        return _replace(form, rest.plus(linear(better), coefficient))
    return False


def _leaves(graph: Graph, node: Node) -> list[Node]:
    if node.op not in ("logaddexp", "softplus"):
        return [node]
    return [leaf for arg in _addends(graph, node) for leaf in _leaves(graph, peel(arg))]


def _shift(engine: Engine, form: Linear, term: Node, first: Node, second: Node) -> bool:
    """logaddexp(log p + a, b) - a is logaddexp(log p, b - a), whatever p is."""
    coefficient = form.terms[term]
    inside = linear(first)
    shared = {t: c for t, c in inside.terms.items() if form.terms.get(t) == -coefficient * c}
    left = [t for t in inside.terms if t not in shared]
    if not shared or not left or any(t.op not in ("log", "log1p") for t in left):
        return False
    shift = Linear(shared)
    better = engine.make(
        "logaddexp", engine.sum_of(inside.plus(shift, -1.0)), engine.sum_of(linear(second).plus(shift, -1.0))
    )
    rest = form.plus(shift, coefficient)
    rest.terms.pop(term)
    return _replace(form, rest.plus(linear(better), coefficient))


def log_softmax_of_difference(engine: Engine, form: Linear) -> bool:
    """z - logsumexp(z) is log_softmax(z), also at a place picked along the axis."""
    for term in [t for t in form.terms if t.op == "logsumexp"]:
        coefficient = form.terms[term]
        inside = peel(term.args[0])
        whole = linear(inside)
        if _kept_logit(engine, form, term, inside):
            return True
        for other in list(form.terms):
            moved = _moved(engine, other, inside, term)
            if moved is not None and form.terms[other] == -coefficient:
                rest = Linear(dict(form.terms), form.constant)
                rest.terms.pop(term)
                rest.terms.pop(other)
                engine.fired("log_softmax", other - term, moved, "the largest term is set aside exactly")
                return _replace(form, rest.plus(linear(moved), -coefficient))
        if term.axes < inside.axes and whole.size > 1 and _holds(form, whole, -coefficient):
            rest = form.plus(whole, coefficient)
            rest.terms.pop(term)
            better = engine.make(
                "log_softmax", engine.graph.broadcast(inside, term.args[0].axes), attr=term.attr
            )
            engine.fired("log_softmax", inside - term, better, "the largest term is set aside exactly")
            return _replace(form, rest.plus(linear(better), -coefficient))
    return False


def _kept_logit(engine: Engine, form: Linear, term: Node, inside: Node) -> bool:
    """z - logsumexp of those that a mask keeps: the log_softmax of these, where z itself is kept."""
    if inside.op != "select" or number(inside.args[2]) != -math.inf:
        return False
    graph = engine.graph
    condition, z = graph.broadcast(inside.args[0], term.args[0].axes), peel(inside.args[1])
    coefficient = form.terms[term]
    for other in [t for t, c in form.terms.items() if c == -coefficient and t.op in ("gather", "rename")]:
        if _source(other) is not z:
            continue
        moved = _carried(engine, other, z, term, engine.make("log_softmax", term.args[0], attr=term.attr))
        kept = _carried(engine, other, z, term, condition)
        if moved is None or kept is None:
            continue
        said = graph.make("add", (other, graph.make("neg", (term,))))
        engine.settled[said] = said
        better = engine.make("select", kept, moved, said)
        engine.fired("log_softmax", said, better, "the largest of the kept is set aside exactly")
        rest = Linear(dict(form.terms), form.constant)
        del rest.terms[term], rest.terms[other]
        return _replace(form, rest.plus(linear(better), -coefficient))
    return False


def _moved(engine: Engine, other: Node, inside: Node, term: Node) -> Node | None:
    """log_softmax where ``other`` is ``inside``, or picked or renamed from it."""
    if _source(other) is not inside:
        return None
    source = engine.graph.broadcast(inside, term.args[0].axes)
    return _carried(engine, other, inside, term, engine.make("log_softmax", source, attr=term.attr))


def _source(node: Node) -> Node:
    """What ``node`` is picked or renamed from."""
    while node.op in ("gather", "rename", "broadcast"):
        node = node.args[0]
    return node


def _carried(engine: Engine, other: Node, inside: Node, term: Node, value: Node) -> Node | None:
    """``value`` picked and renamed as ``other`` is from ``inside``."""
    if other is inside:
        return value
    if other.op == "rename" and other.attr[0] in term.attr:
        inner = _carried(engine, peel(other.args[0]), inside, term, value)
        return None if inner is None else engine.make("rename", inner, attr=other.attr)
    if other.op == "gather" and other.attr in {*term.attr, *_renamed(other.args[0], term.attr)}:
        inner = _carried(engine, peel(other.args[0]), inside, term, value)
        if inner is None or term.attr & other.args[1].axes:
            return None
        return engine.make(
            "gather", engine.graph.broadcast(inner, other.args[0].axes), other.args[1], attr=other.attr
        )
    return None


def _renamed(node: Node, axes: frozenset[str]) -> set[str]:
    node = peel(node)
    return {node.attr[1]} if node.op == "rename" and node.attr[0] in axes else set()


def log_mean_exp(engine: Engine, form: Linear) -> bool:
    """logsumexp(z) - log(n) is carried about the largest term, so that a mean near 1 keeps its logarithm."""
    graph = engine.graph
    for term in [t for t in form.terms if t.op == "logsumexp"]:
        coefficient = form.terms[term]
        sizes = [graph.size(a) for a in sorted(term.attr)]
        count = graph.real(sizes[0] if len(sizes) == 1 else graph.apply("mul", *sizes))
        for other in [t for t in form.terms if t.op == "log" and form.terms[t] == -coefficient]:
            if peel(other.args[0]) not in (count, *sizes):
                continue
            z = term.args[0]
            top = graph.reduce("max", z, term.attr)
            finite = graph.select(graph.apply("lt", -math.inf, top), top, 0.0)
            less = (
                graph.reduce("sum", graph.broadcast(graph.apply("expm1", z - finite), z.axes), term.attr)
                / count
            )
            said = graph.make("add", (term, graph.make("neg", (other,))))
            formula = graph.select(graph.apply("lt", -0.5, less), finite + graph.apply("log1p", less), said)
            rest = Linear(dict(form.terms), form.constant)
            rest.terms.pop(term)
            rest.terms.pop(other)
            better = engine.computed(said, formula)
            engine.fired("log_mean_exp", said, better, "the mean of numbers near 1 keeps its logarithm")
            return _replace(form, rest.plus(Linear({peel(better): 1.0}), coefficient))
    return False


def logaddexp_halves(engine: Engine, form: Linear) -> bool:
    """logaddexp(a, b) - log 2 is the mean of a and b plus log cosh of half their difference."""
    for term in [t for t in form.terms if t.op == "logaddexp"]:
        coefficient = form.terms[term]
        if abs(form.constant + coefficient * math.log(2.0)) > 1e-12 * abs(coefficient):
            continue
        a, b = term.args
        rest = Linear(dict(form.terms), 0.0)
        rest.terms.pop(term)
        middle = engine.scale(engine.add(a, b), 0.5)
        half = engine.scale(engine.sub(a, b), 0.5)
        better = engine.make("log", engine.make("cosh", half))
        said = term - math.log(2.0)
        if linear(middle).size:
            near = engine.graph.apply("lt", engine.graph.apply("abs", half), 0.5)
            better = peel(engine.computed(said, engine.graph.select(near, middle + better, said)))
        engine.fired("log_cosh", said, better, "the constant is taken out exactly")
        return _replace(form, rest.plus(linear(better), coefficient))
    return False


def log_sum_share(engine: Engine, form: Linear) -> bool:
    """log of a whole sum of exponentials less log of its kept part: softplus(log of what is left out - log of the kept)."""
    items = [t for t in form.terms if t.op == "logsumexp"]
    for kept in items:
        inside = peel(kept.args[0])
        if inside.op != "select" or number(inside.args[2]) != -math.inf:
            continue
        for total in items:
            if total.attr != kept.attr or peel(total.args[0]) is not peel(inside.args[1]):
                continue
            coefficient = form.terms[total]
            if form.terms[kept] != -coefficient:
                continue
            condition, z, _ = inside.args
            left_out = engine.graph.broadcast(
                engine.make("select", condition, -math.inf, z), total.args[0].axes
            )
            others = engine.make("logsumexp", left_out, attr=kept.attr)
            better = engine.make("softplus", engine.sub(others, kept))
            engine.fired(
                "log_sum_share", total - kept, better, "the part that is left out is summed by itself"
            )
            rest = Linear(dict(form.terms), form.constant)
            del rest.terms[kept], rest.terms[total]
            return _replace(form, rest.plus(linear(better), coefficient))
    return False


def softplus_halves(engine: Engine, form: Linear) -> bool:
    """softplus(x) - x/2 - log 2 is log cosh(x/2)."""
    for term in [t for t in form.terms if t.op == "softplus"]:
        coefficient = form.terms[term]
        inside = linear(term.args[0])
        if abs(form.constant + coefficient * math.log(2.0)) > 1e-12 * abs(coefficient) or not _holds(
            form, inside, -0.5 * coefficient
        ):
            continue
        rest = Linear(dict(form.terms), 0.0)
        rest.terms.pop(term)
        better = engine.make("log", engine.make("cosh", engine.scale(term.args[0], 0.5)))
        return _replace(form, rest.plus(inside, 0.5 * coefficient).plus(linear(better), coefficient))
    return False


def logarithm_pair(engine: Engine, form: Linear) -> bool:
    """log(a) - log(b) of plain positive numbers: through their relative difference where they are close."""
    logs = [t for t in form.terms if t.op in ("log", "log1p") and t.attr is None]
    for i, first in enumerate(logs):
        for second in logs[i + 1 :]:
            coefficient = form.terms[first]
            if form.terms[second] != -coefficient:
                continue
            a, b = _argument(engine, first), _argument(engine, second)
            if number(a) is not None or number(b) is not None or not (nonnegative(a) and nonnegative(b)):
                continue
            said = engine.graph.make("add", (first, engine.graph.make("neg", (second,))))
            engine.settled[said] = said
            better = engine.computed(said, log_ratio(engine, a, b, said))
            engine.fired("log_ratio", said, better, "the logarithms of close numbers cancel")
            rest = Linear(dict(form.terms), form.constant)
            rest.terms.pop(first)
            rest.terms.pop(second)
            return _replace(form, rest.plus(Linear({peel(better): 1.0}), coefficient))
    return False


def _argument(engine: Engine, node: Node) -> Node:
    return node.args[0] if node.op == "log" else engine.add(1.0, node.args[0])


def exponential_whole(engine: Engine, form: Linear) -> bool:
    """expm1(x) + 1 is exp(x)."""
    for term in [t for t in form.terms if t.op == "expm1" and form.terms[t] == form.constant]:
        rest = Linear({t: c for t, c in form.terms.items() if t is not term}, 0.0)
        return _replace(form, rest.plus(linear(engine.make("exp", term.args[0])), form.constant))
    return False


def hyperbolic_cosine(engine: Engine, form: Linear) -> bool:
    """exp(x) + exp(-x) is 2 cosh(x)."""
    items = [t for t in form.terms if t.op == "exp"]
    for i, first in enumerate(items):
        for second in items[i + 1 :]:
            if form.terms[first] != form.terms[second]:
                continue
            if linear(first.args[0]).plus(linear(second.args[0])).size:
                continue
            coefficient = form.terms[first]
            rest = Linear(dict(form.terms), form.constant)
            del rest.terms[first], rest.terms[second]
            return _replace(
                form, rest.plus(Linear({engine.make("cosh", first.args[0]): 1.0}), 2 * coefficient)
            )
    return False


def logaddexp_pair(engine: Engine, form: Linear) -> bool:
    """log(e^a + e^b) - log(e^a + e^c), of which the common part is the larger: log1p of a small difference."""
    graph = engine.graph
    items = [t for t in form.terms if t.op in ("logaddexp", "softplus")]
    for i, first in enumerate(items):
        for second in items[i + 1 :]:
            if form.terms[first] != -form.terms[second]:
                continue
            for b, c in _apart(graph, first, second):
                coefficient = form.terms[first]
                said = graph.make("add", (first, graph.make("neg", (second,))))
                engine.settled[said] = said
                gap = engine.sub(b, c)
                less = graph.apply("exp", c - second) * graph.apply("expm1", gap)
                near = graph.apply("lt", graph.apply("abs", said), 0.5)
                better = engine.computed(said, graph.select(near, graph.apply("log1p", less), said))
                engine.fired("logaddexp_pair", said, better, "two close logarithms of sums that share a part")
                rest = Linear(dict(form.terms), form.constant)
                del rest.terms[first], rest.terms[second]
                return _replace(form, rest.plus(Linear({peel(better): 1.0}), coefficient))
    return False


def _apart(graph: Graph, first: Node, second: Node) -> Iterator[tuple[Node, Node]]:
    """The arguments in which two logarithms of sums differ, where they share the other."""
    ours, theirs = (_addends(graph, t) for t in (first, second))
    for i in (0, 1):
        for j in (0, 1):
            if ours[i] is theirs[j] and not (first.op == second.op == "softplus"):
                yield ours[1 - i], theirs[1 - j]
                return


def _addends(graph: Graph, node: Node) -> tuple[Node, Node]:
    return (graph.const(0.0), node.args[0]) if node.op == "softplus" else (node.args[0], node.args[1])


def leave_one_out(engine: Engine, form: Linear) -> bool:
    """sum(t) - t: where t is the largest, the others are summed by themselves."""
    graph = engine.graph
    for total in [t for t in form.terms if t.op == "sum" and len(t.attr) == 1]:
        inside = linear(total.args[0])
        if len(inside.terms) != 1 or inside.constant:
            continue
        ((item, scale),) = inside.terms.items()
        coefficient = form.terms[total]
        if form.terms.get(item) != -coefficient * scale or not total.attr <= item.axes:
            continue
        (axis,) = total.attr
        largest = graph.make("argmax", (graph.apply("abs", item),), total.attr)
        here = graph.apply("eq", graph.index(axis), largest)
        others = graph.reduce("sum", graph.select(here, 0.0, item), total.attr)
        said = graph.make("add", (graph.reduce("sum", item, total.attr), graph.make("neg", (item,))))
        better = engine.computed(said, graph.select(here, others, said))
        rest = Linear(dict(form.terms), form.constant)
        del rest.terms[total], rest.terms[item]
        return _replace(form, rest.plus(Linear({peel(better): scale}), coefficient))
    return False


def common_sum(engine: Engine, form: Linear) -> bool:
    """f·x + f·(y - x) is f·y: sums that are multiplied by the same are added up if that makes them simpler."""
    for second in list(form.terms):
        held = monomial(second)
        for inner in [f for f, p in held.factors.items() if p == 1 and f.op == "add" and linear(f).size <= 6]:
            common = {f: p for f, p in held.factors.items() if f is not inner}
            if not common:
                continue
            factor = build_product(engine.graph, Monomial(1.0, common))
            for first in list(form.terms):
                if first is second:
                    continue
                other = monomial(first)
                if any(other.factors.get(f) != p for f, p in common.items()):
                    continue
                rest_of = build_product(
                    engine.graph,
                    Monomial(other.coefficient, {f: p for f, p in other.factors.items() if f not in common}),
                )
                gap = linear(rest_of)
                gap = (
                    Linear()
                    .plus(gap, form.terms[first])
                    .plus(linear(inner), form.terms[second] * held.coefficient)
                )
                if gap.size >= linear(inner).size:
                    continue
                rest = Linear(dict(form.terms), form.constant)
                del rest.terms[first], rest.terms[second]
                if gap.size:
                    rest = rest.plus(linear(engine.mul(engine.sum_of(gap), factor)))
                return _replace(form, rest)
    return False


def common_denominator(engine: Engine, form: Linear) -> bool:
    """x - y / d, over the denominator d, where the numerator x·d - y is simpler than d."""
    for second in list(form.terms):
        held = monomial(second)
        for below in [
            f for f, p in held.factors.items() if p < 0 and f.op in ("add", "expm1") and linear(f).size <= 4
        ]:
            for first in [*form.terms, *([None] if form.constant else [])]:
                if first is not second and _join(engine, form, first, second, held, below):
                    return True
    return False


def _join(
    engine: Engine, form: Linear, first: Node | None, second: Node, held: Monomial, below: Node
) -> bool:
    one = Monomial() if first is None else monomial(first)
    numerator = Monomial(held.coefficient, dict(held.factors))
    numerator.factors[below] += 1
    if numerator.factors[below] == 0:
        del numerator.factors[below]
    common = {
        f: math.copysign(min(abs(p), abs(one.factors[f])), p)
        for f, p in numerator.factors.items()
        if f in one.factors and p * one.factors[f] > 0
    }
    x, y = _less(one, common), _less(numerator, common)
    scale = form.constant if first is None else form.terms[first]
    gap = Linear()
    denominator = linear(below)
    for term, coefficient in denominator.terms.items():
        gap = gap.plus(linear(_times(engine, x, term)), scale * coefficient)
    if denominator.constant:
        gap = gap.plus(linear(build_product(engine.graph, x)), scale * denominator.constant)
    gap = gap.plus(linear(build_product(engine.graph, y)), form.terms[second])
    if below.op == "expm1":
        count = engine.firings
        if gap.size > 2 or engine.sum_of(gap).op == "add" or engine.firings == count:
            return False
    elif gap.size >= denominator.size:
        return False
    rest = Linear(dict(form.terms), 0.0 if first is None else form.constant)
    del rest.terms[second]
    if first is not None:
        del rest.terms[first]
    if gap.size:
        factor = Monomial(1.0, {**common})
        factor.multiply(below, -1.0)
        better = engine.mul(engine.sum_of(gap), build_product(engine.graph, factor))
        before = build_sum(engine.graph, form.plus(rest, -1.0))
        engine.fired("common_denominator", before, better, "what cancels in the numerator cancels exactly")
        rest = rest.plus(linear(better))
    return _replace(form, rest)


def _less(form: Monomial, common: dict[Node, float]) -> Monomial:
    rest = dict(form.factors)
    for factor, power in common.items():
        rest[factor] -= power
        if rest[factor] == 0:
            del rest[factor]
    return Monomial(form.coefficient, rest)


def _times(engine: Engine, x: Monomial, term: Node) -> Node:
    product = Monomial(x.coefficient, dict(x.factors))
    held = monomial(term)
    for factor, power in held.factors.items():
        product.multiply(factor, power)
    product.coefficient *= held.coefficient
    return build_product(engine.graph, product)


def same_choice(engine: Engine, form: Linear) -> bool:
    """Choices by one condition are added up branch by branch."""
    items = [t for t in form.terms if t.op == "select"]
    for i, first in enumerate(items):
        for second in items[i + 1 :]:
            if first.args[0] is not second.args[0]:
                continue
            branches = [
                engine.sum_of(
                    linear(x).plus(Linear(), 0.0).plus(linear(y), form.terms[second] / form.terms[first])
                )
                for x, y in zip(first.args[1:], second.args[1:], strict=True)
            ]
            coefficient = form.terms[first]
            better = engine.make("select", first.args[0], *branches)
            rest = Linear(dict(form.terms), form.constant)
            del rest.terms[first], rest.terms[second]
            return _replace(form, rest.plus(linear(better), coefficient))
    return False


IDENTITIES = (
    same_choice,
    exponential_whole,
    hyperbolic_cosine,
    softplus_pair,
    logaddexp_reflection,
    log_softmax_of_difference,
    log_sum_share,
    log_mean_exp,
    logaddexp_halves,
    softplus_halves,
    softplus_share,
    logaddexp_pair,
    logarithm_pair,
    leave_one_out,
    common_sum,
    common_denominator,
)
