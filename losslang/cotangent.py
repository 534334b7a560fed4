"""Cotangents that know where they flow, and the small algebra that keeps garbage out of them.

A cotangent travels with ``kept``, a boolean node that is false where nothing flows (None where it
flows everywhere). Its value is exactly 0 where ``kept`` is false. Both may lack axes of the node
that they belong to: then they are the same along them. Multiplying by a derivative that may be
NaN or infinite at places that are not kept clears the product there, never multiplies 0 by it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from losslang.ir import Node, peel


@dataclass(frozen=True, slots=True)
class Cotangent:
    """``value`` flows where ``kept`` holds; ``kept`` has no axes that ``value`` lacks."""

    value: Node
    kept: Node | None = None


# -- kept: boolean algebra ------------------------------------------------------------------------


def conjuncts(kept: Node | None) -> tuple[Node, ...]:
    if kept is None:
        return ()
    return kept.args if kept.op == "and" else (kept,)


def both(a: Node | None, b: Node | None) -> Node | None:
    """``a and b``, where None holds everywhere."""
    parts = list(dict.fromkeys((*conjuncts(a), *conjuncts(b))))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else parts[0].graph.apply("and", *parts)


def either(a: Node | None, b: Node | None) -> Node | None:
    """``a or b``; complementary conditions cancel."""
    left, right = dict.fromkeys(conjuncts(a)), dict.fromkeys(conjuncts(b))
    only_left = [c for c in left if c not in right]
    only_right = [c for c in right if c not in left]
    common = [c for c in left if c in right]
    if not only_left or not only_right:
        return _all_of(common)
    if len(only_left) == len(only_right) == 1 and complementary(only_left[0], only_right[0]):
        return _all_of(common)
    assert a is not None and b is not None
    return a.graph.apply("or", a, b)


def _all_of(parts: Sequence[Node]) -> Node | None:
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else parts[0].graph.apply("and", *parts)


def complementary(a: Node, b: Node) -> bool:
    return (a.op == "not" and a.args[0] is b) or (b.op == "not" and b.args[0] is a)


def negation(condition: Node) -> Node:
    return condition.args[0] if condition.op == "not" else condition.graph.apply("not", condition)


def any_over(kept: Node | None, axes: Iterable[str]) -> Node | None:
    """Where some place along ``axes`` is kept."""
    over = frozenset(axes)
    outside = [c for c in conjuncts(kept) if not c.axes & over]
    inside = [c for c in conjuncts(kept) if c.axes & over]
    for axis in sorted(over):
        users = [c for c in inside if axis in c.axes]
        if len(users) == 1 and one_place(users[0], axis) is not None:
            # Exactly one place along the axis is kept, whichever it is.
            inside.remove(users[0])
    for axis in sorted(over):
        inside = _any_along(inside, axis)
    return _all_of([*outside, *inside])


def _any_along(parts: list[Node], axis: str) -> list[Node]:
    having = _all_of([c for c in parts if axis in c.axes])
    rest = [c for c in parts if axis not in c.axes]
    return rest if having is None else [*rest, having.graph.reduce("any", having, (axis,))]


def one_place(condition: Node, axis: str) -> Node | None:
    """The index ``at`` where the condition says ``index(axis) == at``, else None."""
    if condition.op == "eq":
        for this, other in (condition.args, condition.args[::-1]):
            if this.op == "index" and this.attr == axis and axis not in other.axes:
                return other
    return None


def undropped(x: Node) -> Node | None:
    """Where no mask put -inf into ``x``, the neutral element of softmax and its kin; None where there is no mask."""
    x = peel(x)
    if x.op != "select":
        return None
    condition, then, other = x.args
    if is_number(other, -math.inf):
        return both(condition, undropped(then))
    if is_number(then, -math.inf):
        return both(negation(condition), undropped(other))
    return None


# -- cotangents -----------------------------------------------------------------------------------


def is_number(node: Node, value: float) -> bool:
    return node.op == "const" and not isinstance(node.attr, bool) and node.attr == value


def keep_where(c: Cotangent, condition: Node) -> Cotangent:
    """Nothing flows where ``condition`` is false."""
    kept = both(c.kept, condition)
    assert kept is not None
    return Cotangent(_cleared(_bare(c.value, kept), kept), kept)


def times(c: Cotangent, derivative: Node | float) -> Cotangent | None:
    """``c`` times a local derivative, cleared where ``c`` is not kept; None where that is 0."""
    d = c.value.graph.lift(derivative)
    if d.op == "const":
        return None if d.attr == 0 else Cotangent(_product(c.value, d), c.kept)
    if c.kept is None:
        return Cotangent(_product(c.value, d))
    return Cotangent(_cleared(_product(_bare(c.value, c.kept), d), c.kept), c.kept)


def where_undropped(c: Cotangent, x: Node) -> Cotangent:
    """What a mask dropped is a constant 0 or -inf in the result, whatever the others are."""
    kept = undropped(x)
    return c if kept is None else keep_where(c, kept)


def where_undropped_at(c: Cotangent, x: Node, axis: str, at: Node) -> Cotangent:
    """The same where the cotangent looks at one place along the axis only."""
    kept = undropped(x)
    if kept is None:
        return c
    return keep_where(c, kept.graph.gather(kept, at, axis) if axis in kept.axes else kept)


def clear_operand(operand: Node, kept: Node | None) -> Node:
    """``operand`` with 0 where no kept place uses it."""
    used = None if kept is None else any_over(kept, kept.axes - operand.axes)
    return operand if used is None else _cleared(operand, used)


def onto(c: Cotangent, source: frozenset[str], target: frozenset[str]) -> Cotangent:
    """Sums over the axes of ``source`` that ``target`` lacks."""
    value, g = c.value, c.value.graph
    missing = source - target
    for axis in sorted(missing - value.axes):
        value = _product(value, g.real(g.size(axis)))
    over = missing & value.axes
    return Cotangent(_sum(value, over), any_over(c.kept, over)) if over else Cotangent(value, c.kept)


def total(parts: Sequence[Cotangent]) -> Cotangent:
    """The sum of what several users send back."""
    kept = parts[0].kept
    for part in parts[1:]:
        kept = either(kept, part.kept)
    counts = Counter(part.value for part in parts)
    values = [v if n == 1 else _product(v, v.graph.const(float(n))) for v, n in counts.items()]
    values = _merge_branches(values)
    value = values[0] if len(values) == 1 else values[0].graph.apply("add", *values)
    if kept is not None and not kept.axes <= value.axes:
        value = value.graph.broadcast(value, kept.axes)
    return Cotangent(value, kept)


def full(c: Cotangent, axes: Iterable[str]) -> Cotangent:
    """The same with every one of ``axes``."""
    return Cotangent(c.value.graph.broadcast(c.value, axes), c.kept)


def one_hot(value: Node, axis: str) -> tuple[Node, Node] | None:
    """``(at, v)`` where ``value`` is v at the index ``at`` along ``axis`` and 0 elsewhere."""
    if value.op != "select" or not is_number(value.args[2], 0) or axis in value.args[1].axes:
        return None
    conditions = conjuncts(value.args[0])
    hot = [c for c in conditions if axis in c.axes]
    at = one_place(hot[0], axis) if len(hot) == 1 else None
    if at is None:
        return None
    others = _all_of([c for c in conditions if axis not in c.axes])
    return at, value.args[1] if others is None else _cleared(value.args[1], others)


def share_of(value: Node, over: frozenset[str]) -> tuple[Node, Node] | None:
    """``(v, p)`` where ``value`` is v times p, p a softmax along ``over`` that drops no place, and v has no such axis."""
    if value.op == "softmax" and value.attr == over:
        return (value.graph.const(1.0), value) if undropped(value.args[0]) is None else None
    if value.op not in ("neg", "mul", "div", "silence", "broadcast"):
        return None
    for i, factor in enumerate(value.args):
        others = [a for j, a in enumerate(value.args) if j != i]
        if (value.op == "div" and i) or any(a.axes & over for a in others):
            continue
        found = share_of(factor, over)
        if found is not None:
            outer = [found[0] if j == i else a for j, a in enumerate(value.args)]
            op = "mul" if value.op == "silence" else value.op
            return (found[0] if op == "broadcast" else value.graph.apply(op, *outer)), found[1]
    return None


def _sum(value: Node, over: frozenset[str]) -> Node:
    for axis in sorted(over):
        hot = one_hot(value, axis)
        if hot is not None:
            value, over = hot[1], over - {axis}
            rest = over & value.axes
            for lost in sorted(over - rest):
                value = _product(value, value.graph.real(value.graph.size(lost)))
            over = rest
    return value.graph.reduce("sum", value, over)


def _product(a: Node, b: Node) -> Node:
    """``a * b`` without multiplications by 1; a division by b stays one."""
    g = a.graph
    for one, other in ((a, b), (b, a)):
        if is_number(one, 1):
            return other
        if is_number(one, -1):
            return -other
    if b.op == "neg":
        return -_product(a, b.args[0])
    if b.op == "div" and b.args[0].op == "const":
        return g.apply("div", _product(a, b.args[0]), b.args[1])
    return g.apply("mul", a, b)


def _cleared(value: Node, kept: Node) -> Node:
    g = value.graph
    return value if is_number(value, 0) else g.select(kept, value, 0.0)


def _bare(value: Node, kept: Node) -> Node:
    """``value`` before it was cleared by conditions that ``kept`` repeats."""
    known = set(conjuncts(kept))
    while value.op == "select" and is_number(value.args[2], 0) and known.issuperset(conjuncts(value.args[0])):
        value = value.args[1]
    return value


def _merge_branches(values: list[Node]) -> list[Node]:
    """``select(c, a, 0) + select(not c, b, 0)`` is ``select(c, a, b)``."""
    merged: list[Node] = []
    for value in values:
        partner = next((m for m in merged if _opposite(m, value)), None)
        if partner is None:
            merged.append(value)
        else:
            merged[merged.index(partner)] = value.graph.select(
                partner.args[0], partner.args[1], value.args[1]
            )
    return merged


def _opposite(a: Node, b: Node) -> bool:
    if a.op != "select" or b.op != "select":
        return False
    return is_number(a.args[2], 0) and is_number(b.args[2], 0) and complementary(a.args[0], b.args[0])
