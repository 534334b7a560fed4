"""How a cotangent goes back through the ops that choose, reduce, scan or move elements.

A rule takes a node and the cotangent of its result and gives one for each argument, with axes of
that argument only (None where nothing flows).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from losslang.cotangent import (
    Cotangent,
    any_over,
    both,
    clear_operand,
    conjuncts,
    full,
    is_number,
    keep_where,
    negation,
    one_hot,
    onto,
    share_of,
    times,
    undropped,
    where_undropped,
    where_undropped_at,
)
from losslang.ir import Node, peel

Parts = Sequence[Cotangent | None]
Pullback = Callable[[Node, Cotangent], Parts]

PULLBACKS: dict[str, Pullback] = {}


def _rule(*ops: str) -> Callable[[Pullback], Pullback]:
    def register(rule: Pullback) -> Pullback:
        PULLBACKS.update(dict.fromkeys(ops, rule))
        return rule

    return register


# -- choices: nothing flows to what was not chosen --------------------------------------------------


@_rule("select")
def _select(node: Node, c: Cotangent) -> Parts:
    condition, then, otherwise = node.args
    return (
        None,
        onto(keep_where(c, condition), node.axes, then.axes),
        onto(keep_where(c, negation(condition)), node.axes, otherwise.axes),
    )


@_rule("minimum", "maximum")
def _extremum(node: Node, c: Cotangent) -> Parts:
    a, b = node.args
    better = (a, b) if node.op == "minimum" else (b, a)
    loses = (better[::-1], better)
    return tuple(
        None if this.op == "const" else onto(_winner(c, this, other, order), node.axes, this.axes)
        for this, other, order in ((a, b, loses[1]), (b, a, loses[0]))
    )


def _winner(c: Cotangent, this: Node, other: Node, order: tuple[Node, ...]) -> Cotangent:
    """``this`` wins where ``order`` ascends; a tie of two variables is split in half."""
    g = this.graph
    if other.op == "const":
        return keep_where(c, g.apply("lt", *order))
    wins = keep_where(c, g.apply("le", *order))
    shared = g.select(g.apply("eq", this, other), wins.value * 0.5, wins.value)
    return Cotangent(shared, wins.kept)


@_rule("clip")
def _clip(node: Node, c: Cotangent) -> Parts:
    x, low, high = node.args
    g = node.graph
    above_low, below_high = g.apply("le", low, x), g.apply("le", x, high)
    conditions = (g.apply("and", above_low, below_high), negation(above_low), negation(below_high))
    return tuple(
        None if arg.op == "const" else onto(keep_where(c, condition), node.axes, arg.axes)
        for arg, condition in zip(node.args, conditions, strict=True)
    )


@_rule("silence")
def _silence(node: Node, c: Cotangent) -> Parts:
    """Nothing flows to the logarithm where the factor is 0, nor an infinite one to the factor there."""
    x, y = node.args
    g = node.graph
    nonzero = g.apply("ne", x, 0.0)
    finite = g.apply("le", g.apply("abs", y), g.limit("max"))
    to_x = times(keep_where(c, g.apply("or", nonzero, finite)), y)
    to_y = times(c, g.real(x))
    assert to_x is not None
    if to_y is not None:
        to_y = onto(Cotangent(g.broadcast(to_y.value, x.axes), both(to_y.kept, nonzero)), node.axes, y.axes)
    return onto(to_x, node.axes, x.axes), to_y


@_rule("max", "min")
def _reduced_extremum(node: Node, c: Cotangent) -> Parts:
    """Shared among ties."""
    (x,) = node.args
    g = node.graph
    wins = g.apply("eq", x, node)
    shared = g.apply("div", c.value, g.real(g.reduce("count", wins, node.attr)))
    return (keep_where(Cotangent(shared, c.kept), wins),)


# -- reductions and scans -----------------------------------------------------------------------


@_rule("sum")
def _sum(node: Node, c: Cotangent) -> Parts:
    return (c,)


@_rule("broadcast")
def _broadcast(node: Node, c: Cotangent) -> Parts:
    return (onto(c, node.axes, node.args[0].axes),)


@_rule("prod")
def _prod(node: Node, c: Cotangent) -> Parts:
    """The product of the others, also where some of them are 0."""
    (x,) = node.args
    g = node.graph
    zero = g.apply("eq", x, 0.0)
    zeros = g.reduce("count", zero, node.attr)
    others = g.reduce("prod", g.select(zero, 1.0, x), node.attr)
    at_zero = g.select(g.apply("eq", zeros, 1), others, 0.0)
    elsewhere = g.select(g.apply("eq", zeros, 0), others / g.select(zero, 1.0, x), 0.0)
    return (times(c, g.select(zero, at_zero, elsewhere)),)


@_rule("logsumexp")
def _logsumexp(node: Node, c: Cotangent) -> Parts:
    return (times(c, node.graph.along("softmax", node.args[0], node.attr)),)


@_rule("softmax")
def _softmax(node: Node, c: Cotangent) -> Parts:
    (x,) = node.args
    g, over = node.graph, node.attr
    if not c.value.axes & over:
        return (None,)
    (axis,) = over if len(over) == 1 else (None,)
    hot = None if axis is None else one_hot(c.value, axis)
    if hot is None or axis is None:
        c = where_undropped(replace(c, value=_without_totals(c.value, over, x)), x)
    else:
        c = where_undropped_at(c, x, axis, hot[0])
    kept = any_over(c.kept, over)
    if hot is not None and axis is not None:
        at, v = hot
        here = g.gather(node, at, axis)
        others = -g.apply("expm1", g.gather(g.along("log_softmax", x, over), at, axis))
        back = g.select(g.apply("eq", g.index(axis), at), v * here * others, -(node * (v * here)))
    else:
        # All entries may be shifted alike. By the cotangent of the largest part, so that nothing cancels
        # where that part is nearly 1.
        ct = c.value - _at_largest(x, g.broadcast(c.value, x.axes), over)
        weighted = node * ct
        back = weighted - node * g.reduce("sum", weighted, over)
    return (_clear(back, kept),)


def _at_largest(x: Node, value: Node, over: frozenset[str]) -> Node:
    """``value`` where ``x`` is largest along ``over``; the mean of it at ties of several axes."""
    g = x.graph
    if len(over) == 1:
        (axis,) = over
        return g.gather(value, g.make("argmax", (x,), over), axis)
    top = g.apply("eq", x, g.reduce("max", x, over))
    return g.reduce("sum", g.select(top, value, 0.0), over) / g.real(g.reduce("count", top, over))


def _without_totals(value: Node, over: frozenset[str], x: Node) -> Node:
    """``value`` up to what is the same along ``over``, wherever the softmax of ``x`` is not 0: log_softmax is its
    logits less their log-sum-exp."""
    if value.op == "log_softmax" and value.attr == over:
        return value.args[0]
    if value.op == "computed_as":
        meant = _without_totals(value.args[0], over, x)
        return value if meant is value.args[0] else meant
    if value.op in ("add", "neg"):
        return value.graph.apply(value.op, *(_without_totals(a, over, x) for a in value.args))
    if value.op == "select":
        condition, then, other = value.args
        if _rules_out(condition, x):
            return value.graph.select(condition, then, _without_totals(other, over, x))
        if all(_fails_where_ruled_out(c, over, x) for c in conjuncts(condition)):
            return value.graph.select(condition, _without_totals(then, over, x), other)
        return value
    along = [i for i, a in enumerate(value.args) if a.axes & over]
    if len(along) != 1 or value.op not in ("mul", "div", "broadcast") or (value.op == "div" and along[0]):
        return value
    (at,) = along
    inner = _without_totals(value.args[at], over, x)
    if value.op == "broadcast":
        return value.graph.broadcast(inner, value.axes)
    return value.graph.apply(value.op, *value.args[:at], inner, *value.args[at + 1 :])


def _rules_out(condition: Node, x: Node) -> bool:
    """Whether ``condition`` says that a logit is -inf."""
    infinite = any(is_number(a, -math.inf) for a in condition.args)
    return condition.op == "eq" and infinite and any(peel(a) is peel(x) for a in condition.args)


def _fails_where_ruled_out(condition: Node, over: frozenset[str], x: Node) -> bool:
    """Whether ``condition``, where it does not hold, tells that the softmax of ``x`` is 0, or tells the same of all
    places along ``over``."""
    if not condition.axes & over or condition in conjuncts(undropped(x)):
        return True
    if condition.op == "or":
        return any(_fails_where_ruled_out(a, over, x) for a in condition.args)
    if condition.op != "ne" or not any(is_number(a, 0.0) for a in condition.args):
        return False
    return any(peel(a).op == "softmax" and peel(peel(a).args[0]) is peel(x) for a in condition.args)


@_rule("log_softmax")
def _log_softmax(node: Node, c: Cotangent) -> Parts:
    """ct - softmax * sum(ct), without cancellation where one place has most of the weight."""
    (x,) = node.args
    g, over = node.graph, node.attr
    soft = g.along("softmax", x, over)
    (axis,) = over if len(over) == 1 else (None,)
    hot = None if axis is None else one_hot(c.value, axis)
    c = where_undropped(c, x) if hot is None or axis is None else where_undropped_at(c, x, axis, hot[0])
    kept = any_over(c.kept, over)
    if hot is not None and axis is not None:
        at, v = hot
        others = -g.apply("expm1", g.gather(node, at, axis))
        back = g.select(g.apply("eq", g.index(axis), at), v * others, -(soft * v))
    elif (share := share_of(c.value, over)) is not None:
        back = share[0] * (share[1] - soft)  # both add up to 1
    else:
        ct = g.broadcast(c.value, over)
        back = ct * -g.apply("expm1", node) - soft * (g.reduce("sum", ct, over) - ct)
    return (_clear(back, kept),)


def _clear(value: Node, kept: Node | None) -> Cotangent:
    return Cotangent(value) if kept is None else keep_where(Cotangent(value), kept)


@_rule("cumsum", "reverse_cumsum")
def _cumsum(node: Node, c: Cotangent) -> Parts:
    g = node.graph
    back = "reverse_cumsum" if node.op == "cumsum" else "cumsum"
    return (Cotangent(g.along(back, g.broadcast(c.value, node.attr), node.attr), _swept(c.kept, back, node)),)


def _swept(kept: Node | None, op: str, node: Node) -> Node | None:
    """Where some kept place lies ahead, in the direction of the scan."""
    if kept is None or not kept.axes & node.attr:
        return kept
    g = node.graph
    return g.apply("lt", 0.0, g.along(op, g.real(kept), node.attr))


@_rule("cumlogsumexp")
def _cumlogsumexp(node: Node, c: Cotangent) -> Parts:
    """The sum over later places j of ct[j] * exp(x - out[j]), by steps that only decay."""
    (x,) = node.args
    (axis,) = node.attr
    g = node.graph
    ahead = g.apply("minimum", g.index(axis) + 1, g.size(axis) + -1)
    following = g.along_itself(node, ahead, axis)
    nothing = float("-inf")
    decay = g.select(g.apply("eq", node, nothing), nothing, node - following)
    reached = _swept(c.kept, "reverse_cumsum", node)
    if reached is not None and axis in reached.axes:
        decay = g.select(g.along_itself(reached, ahead, axis), decay, nothing)
    finite = keep_where(full(c, node.attr), g.apply("ne", node, nothing))
    swept = g.make("decay_scan", (finite.value, decay), node.attr)
    kept = both(reached, g.apply("ne", x, nothing))
    assert kept is not None
    back = times(Cotangent(swept, kept), g.apply("exp", x - node))
    return (back,)


@_rule("decay_scan")
def _decay_scan(node: Node, c: Cotangent) -> Parts:
    x, d = node.args
    (axis,) = node.attr
    g = node.graph
    last = g.size(axis) + -1
    position = g.index(axis)
    mirrored = last + -position
    ct = g.broadcast(c.value, node.axes)
    steps = g.along_itself(g.broadcast(d, node.axes), g.apply("maximum", last + -position + -1, 0), axis)
    swept = g.make("decay_scan", (g.along_itself(ct, mirrored, axis), steps), node.attr)
    to_x = g.along_itself(swept, mirrored, axis)
    following = g.along_itself(node, g.apply("minimum", position + 1, last), axis)
    used = g.apply("lt", position, last)
    kept = _swept(c.kept, "cumsum", node)
    to_d = times(keep_where(Cotangent(to_x, kept), used), g.apply("exp", d) * following)
    assert to_d is not None
    return onto(Cotangent(to_x, kept), node.axes, x.axes), onto(to_d, node.axes, d.axes)


# -- dynamic programs ---------------------------------------------------------------------------


@_rule("log_chain")
def _log_chain(node: Node, c: Cotangent) -> Parts:
    """Each transition gets its share of what flows through the state that it enters."""
    start, steps = node.args
    time, source, state = node.attr
    g = node.graph
    first = g.apply("eq", g.index(time), 0)
    previous = g.rename(g.select(first, start, _one_before(node, time)), state, source)
    shares = g.along("softmax", previous + steps, {source})
    reached = _reached(c.kept, time, state)
    if reached is not None:
        shares = g.select(reached, shares, 0.0)
    flow = g.make("chain_sum", (g.broadcast(c.value, node.axes), shares), (*node.attr, True))
    through = Cotangent(flow * shares, reached)
    possible = keep_where(through, g.apply("ne", steps, float("-inf")))
    left = node.axes - {state} | {source}
    begun = keep_where(onto(through, node.axes | {source}, left), first)
    begun = onto(begun, left, left - {time})
    entered = Cotangent(*(_renamed(v, source, state) for v in _nodes(begun)))
    entered = keep_where(entered, g.apply("ne", start, float("-inf")))
    return (
        onto(entered, node.axes - {time}, start.axes),
        onto(possible, node.axes | {source}, steps.axes),
    )


def _one_before(x: Node, time: str) -> Node:
    """``x`` a step earlier; at the first place its own value there, which nobody may use."""
    g = x.graph
    return g.along_itself(x, g.apply("maximum", g.index(time) + -1, 0), time)


def _reached(kept: Node | None, time: str, state: str) -> Node | None:
    """Where a kept place is the same one or lies at a later time."""
    if kept is None:
        return None
    g = kept.graph
    kept = g.broadcast(kept, {time})
    some = g.real(g.reduce("any", kept, kept.axes & {state}))
    later = g.apply("lt", some, g.along("reverse_cumsum", some, {time}))
    return g.apply("or", kept, later)


@_rule("chain_sum")
def _chain_sum(node: Node, c: Cotangent) -> Parts:
    """The same sums in the other direction; a weight joins what it leaves and what it enters."""
    x, weights = node.args
    time, source, state, backward = node.attr
    g = node.graph
    kept = any_over(c.kept, {time, state})
    cleared = clear_operand(weights, kept)
    flow = g.make(
        "chain_sum", (g.broadcast(c.value, node.axes), cleared), (time, source, state, not backward)
    )
    before, after = (flow, node) if backward else (node, flow)
    left = g.rename(_one_before(before, time), state, source)
    to_weights = times(Cotangent(after, kept), left)
    assert to_weights is not None
    to_weights = keep_where(to_weights, g.apply("lt", 0, g.index(time)))
    return (
        onto(Cotangent(flow, kept), node.axes, x.axes),
        onto(to_weights, node.axes | {source}, weights.axes),
    )


# -- moving elements ----------------------------------------------------------------------------


@_rule("contract")
def _contract(node: Node, c: Cotangent) -> Parts:
    a, b = node.args
    return _operand(c, a, b), _operand(c, b, a)


def _operand(c: Cotangent, this: Node, other: Node) -> Cotangent:
    """The cotangent of one factor: the other one, cleared where no kept place uses it, times ct."""
    g = this.graph
    factor = g.real(clear_operand(other, c.kept))
    over = (c.value.axes | factor.axes) - this.axes
    value = g.contract(c.value, factor, over) if over else _plain_product(c.value, factor)
    return Cotangent(value, _within(any_over(c.kept, over), value))


def _within(kept: Node | None, value: Node) -> Node | None:
    return kept if kept is None or kept.axes <= value.axes else any_over(kept, kept.axes - value.axes)


def _plain_product(ct: Node, factor: Node) -> Node:
    part = times(Cotangent(ct), factor)
    return ct.graph.const(0.0) if part is None else part.value


@_rule("rename")
def _rename(node: Node, c: Cotangent) -> Parts:
    old, new = node.attr
    return (Cotangent(*(_renamed(v, new, old) for v in _nodes(c))),)


def _renamed(v: Node, old: str, new: str) -> Node:
    """``v`` with an axis renamed, inside choices too, so that one place among zeros stays one."""
    g = v.graph
    if old not in v.axes:
        return v
    if v.op == "index":
        return g.index(new)
    if v.op in ("select", "eq", "ne", "lt", "le", "and", "or", "not", "neg"):
        return g.make(v.op, tuple(_renamed(a, old, new) for a in v.args), v.attr)
    return g.rename(v, old, new)


@_rule("merge")
def _merge(node: Node, c: Cotangent) -> Parts:
    new = node.attr[1]
    back = [v.graph.make("unmerge", (v,), node.attr) if new in v.axes else v for v in _nodes(c)]
    return (Cotangent(*back),)


@_rule("unmerge")
def _unmerge(node: Node, c: Cotangent) -> Parts:
    axes, old = node.attr
    back = [
        v.graph.merge(v.graph.broadcast(v, axes), axes, old) if v.axes & set(axes) else v for v in _nodes(c)
    ]
    if len(back) == 2 and not back[1].axes <= back[0].axes:
        back[0] = back[0].graph.broadcast(back[0], back[1].axes)
    return (Cotangent(*back),)


def _nodes(c: Cotangent) -> list[Node]:
    return [c.value] if c.kept is None else [c.value, c.kept]


@_rule("gather")
def _gather(node: Node, c: Cotangent) -> Parts:
    x, at = node.args
    g, axis = node.graph, node.attr
    if at.axes <= x.axes:
        return keep_where(c, g.apply("eq", g.index(axis), at)), None
    kept_axes = tuple(sorted(x.axes - {axis}))
    value = g.make("scatter_add", (c.value, at), (axis, kept_axes))
    reached = g.real(c.kept) if c.kept is not None else g.const(1.0)
    hits = g.make("scatter_add", (reached, at), (axis, kept_axes))
    return Cotangent(value, g.apply("lt", 0.0, hits)), None


@_rule("scatter_add")
def _scatter_add(node: Node, c: Cotangent) -> Parts:
    x, at = node.args
    axis, _ = node.attr
    g = node.graph
    inside = g.apply("and", g.apply("le", 0, at), g.apply("lt", at, g.size(axis)))
    safe = g.apply("clip", at, 0, g.size(axis) + -1)
    back = [_picked(v, safe, axis) for v in _nodes(c)]
    part = keep_where(Cotangent(*back), inside)
    return onto(part, x.axes | at.axes | part.value.axes, x.axes), None


def _picked(v: Node, at: Node, axis: str) -> Node:
    if axis not in v.axes:
        return v
    return v.graph.along_itself(v, at, axis) if axis in at.axes else v.graph.gather(v, at, axis)


@_rule("stack")
def _stack(node: Node, c: Cotangent) -> Parts:
    g, axis = node.graph, node.attr
    parts: list[Cotangent] = []
    for i, item in enumerate(node.args):
        back = [g.gather(v, g.const(i), axis) if axis in v.axes else v for v in _nodes(c)]
        parts.append(onto(Cotangent(*back), node.axes - {axis}, item.axes))
    return parts
