"""Sums: flattened, merged, and freed of cancellation.

Pairs of terms of opposite sign whose common factors are set aside are looked up in the table of
differences; families of logarithms are merged into what they mean together.
"""

from __future__ import annotations

import math

from losslang.ir import Node, peel
from losslang.rewrite.complements import complement_of
from losslang.rewrite.differences import difference
from losslang.rewrite.engine import Engine, handles
from losslang.rewrite.forms import (
    Linear,
    Monomial,
    bounded_below,
    build_product,
    build_sum,
    linear,
    monomial,
    nonnegative,
)
from losslang.rewrite.identities import IDENTITIES
from losslang.rewrite.logarithms import log_of
from losslang.rewrite.rules import sum_rules
from losslang.rewrite.swings import wild

_MOST_TERMS = 16


@handles("add", "neg")
def normal_sum(engine: Engine, node: Node) -> Node | None:
    if node.elem != "real":
        return None
    form = linear(node)
    if any(not math.isfinite(v) for v in (*form.terms.values(), form.constant)):
        return None
    changed = True
    rounds = 0
    while changed and rounds < 20 and form.size <= _MOST_TERMS:
        rounds += 1
        changed = _step(engine, form, node)
    result = build_sum(engine.graph, form)
    engine.settled.setdefault(result, result)
    return result


def _step(engine: Engine, form: Linear, node: Node) -> bool:
    if sum_rules(engine, form, node):
        return True
    for identity in IDENTITIES:
        if identity(engine, form):
            return True
    return (
        _one_difference(engine, form)
        or _common_exponential(engine, form)
        or _guarded_complement(engine, form)
    )


def _guarded_complement(engine: Engine, form: Linear) -> bool:
    """1 + tiny - p is tiny + (1 - p)."""
    for term, coefficient in form.terms.items():
        rest = form.constant + coefficient
        if coefficient >= 0 or rest == 0 or abs(rest) > -0.5 * coefficient or not wild(term):
            continue
        better = complement_of(engine, term)
        if better is None:
            continue
        left = Linear({t: c for t, c in form.terms.items() if t is not term}, rest)
        merged = left.plus(linear(better), -coefficient)
        form.terms, form.constant = merged.terms, merged.constant
        return True
    return False


def _common_exponential(engine: Engine, form: Linear) -> bool:
    """c·e^u + d·e^(u + v), of opposite signs: e^u·(c + d·e^v), where what is inside has a better form."""
    items = [t for t in form.terms if t.op in ("exp", "mul", "div") and wild(t) and nonnegative(t)]
    for first in items[:4]:
        for second in items[:4]:
            if first is second or form.terms[first] * form.terms[second] >= 0:
                continue
            logs = [log_of(engine, t) for t in (first, second)]
            if logs[0] is None or logs[1] is None or "log" in (logs[0].op, logs[1].op):
                continue
            gap = linear(engine.sub(logs[1], logs[0]))
            if gap.size > 1 or gap.constant or not all(bounded_below(t) for t in gap.terms):
                continue
            factor = engine.make("exp", build_sum(engine.graph, gap))
            inner = engine.sum_of(Linear({factor: form.terms[second]}, form.terms[first]))
            if inner.op == "add":
                continue
            form.terms.pop(first)
            form.terms.pop(second)
            merged = form.plus(linear(engine.mul(first, inner)))
            form.terms, form.constant = merged.terms, merged.constant
            return True
    return False


def _one_difference(engine: Engine, form: Linear) -> bool:
    """Replace one pair of terms that cancel by their difference as such."""
    items: list[tuple[Node | None, float]] = [*form.terms.items()]
    if form.constant:
        items.append((None, form.constant))
    for i, (first, coefficient) in enumerate(items):
        for second, other in items[i + 1 :]:
            if coefficient != -other:
                continue
            found = factored_difference(engine, first, second)
            if found is None:
                continue
            before = build_sum(engine.graph, Linear({t: c for t, c in ((first, 1.0), (second, -1.0)) if t is not None},
                                                    (first is None) * 1.0 - (second is None) * 1.0))  # fmt: skip
            engine.fired("difference", before, found, "two close numbers are not subtracted after rounding")
            for each in (first, second):
                if each is None:
                    form.constant = 0.0
                else:
                    form.terms.pop(each)
            merged = form.plus(linear(found), coefficient)
            form.terms, form.constant = merged.terms, merged.constant
            return True
    return False


def factored_difference(engine: Engine, first: Node | None, second: Node | None) -> Node | None:
    """first - second (None stands for 1), with what both are multiples of outside."""
    a = Monomial() if first is None else monomial(first)
    b = Monomial() if second is None else monomial(second)
    if a.coefficient != b.coefficient:
        return None
    common = _common(a, b)
    rest_a, rest_b = _without(a, common), _without(b, common)
    if not rest_a.factors and not rest_b.factors:
        return None
    found = difference(engine, _node(engine, rest_a), _node(engine, rest_b))
    if found is None:
        return None
    if not common.factors and a.coefficient == 1:
        return found
    return engine.mul(build_product(engine.graph, Monomial(a.coefficient, common.factors)), found)


def _common(a: Monomial, b: Monomial) -> Monomial:
    shared: dict[Node, float] = {}
    for factor, power in a.factors.items():
        other = b.factors.get(factor, 0.0)
        if power * other > 0:
            shared[factor] = math.copysign(min(abs(power), abs(other)), power)
    return Monomial(1.0, shared)


def _without(form: Monomial, common: Monomial) -> Monomial:
    rest = dict(form.factors)
    for factor, power in common.factors.items():
        rest[factor] -= power
        if rest[factor] == 0:
            del rest[factor]
    return Monomial(1.0, rest)


def _node(engine: Engine, form: Monomial) -> Node | None:
    if not form.factors:
        return None
    return peel(build_product(engine.graph, form))
