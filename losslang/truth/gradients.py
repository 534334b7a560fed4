"""Derivatives by reverse mode over balls.

Each op has its own rule here, written from the mathematics and the conventions for corners, not
from the table that the compiler differentiates with. A cotangent that is exactly 0 stops: nothing
is multiplied by it, so what a mask drops may be NaN or infinite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from losslang.ir import Node, walk
from losslang.truth.arrays import Objects, aligned, elementwise, filled, last, ordered, unlast
from losslang.truth.ball import (
    F_NAN,
    F_NINF,
    HALF,
    ONE,
    UNKNOWN,
    ZERO,
    Ball,
    Doubt,
    ball,
    compare,
    log_add,
    magnitude,
    total,
)
from losslang.truth.context import CONTEXT, in_time
from losslang.truth.functions import DERIVATIVES, UNARY, derivative_of, exp, log, polygamma, pow_
from losslang.truth.values import (
    Evaluation,
    chain_sum,
    chained,
    largest,
    last_kept,
    merge,
    paths,
    softmax,
    transposed,
    unchained,
    unmerge,
)

Rule = Callable[[Evaluation, Node, Objects], Iterable[tuple[Node, Objects]]]


def backward(run: Evaluation, output: Node, wrt: Sequence[Node]) -> list[Objects]:
    """The derivative of the sum of ``output`` (already evaluated by ``run``) for each node of ``wrt``."""
    wanted = set(wrt)
    needed = _depending(output, wanted)
    cotangents: dict[Node, Objects] = {output: filled(run.shape(output.axes), ONE)}
    for node in reversed(list(walk([output]))):
        ct = cotangents.get(node)
        if ct is None or node not in needed or not _flows(ct):
            continue
        in_time(run.deadline)
        rule = RULES.get(node.op)
        contributions = _elementwise(run, node, ct) if rule is None else rule(run, node, ct)
        for arg, part in contributions:
            if arg in needed and arg.elem == "real":
                before = cotangents.get(arg)
                cotangents[arg] = part if before is None else elementwise(lambda a, b: a + b, before, part)
    return [cotangents.get(n, filled(run.shape(n.axes), ZERO)) for n in wrt]


def _depending(output: Node, wanted: set[Node]) -> set[Node]:
    needed: set[Node] = set()
    for node in walk([output]):
        if node in wanted or (node.op != "stop" and any(a in needed for a in node.args)):
            needed.add(node)
    return needed


def _flows(ct: Objects) -> bool:
    return any(not x.is_zero for x in ct.flat)


def _times(ct: Ball, derivative: Callable[[], Ball]) -> Ball:
    return ZERO if ct.is_zero else ct * derivative()


def reduced(run: Evaluation, part: Objects, axes: Iterable[str], to: Node) -> Objects:
    """``part`` over ``axes`` (all of them) summed over those that ``to`` lacks."""
    have = frozenset(axes)
    extra = have - to.axes
    if extra:
        rows = last(part, have, extra)
        out = np.empty(rows.shape[:-1], dtype=object)
        for place in np.ndindex(out.shape):
            out[place] = total(rows[place])
        part = out
    missing = to.axes - have
    if missing:
        part = np.broadcast_to(aligned(part, have & to.axes, to.axes), run.shape(to.axes))
    return part


# -- elementwise ------------------------------------------------------------------------------------


def _elementwise(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    partial = PARTIALS.get(node.op)
    values = []
    for i, a in enumerate(node.args):
        values.append(
            aligned(run.values[a] if node.op == "select" and i == 0 else run.real(a), a.axes, node.axes)
        )
    if partial is None and node.op not in DERIVATIVES and node.op != "polygamma":
        return
    for i, arg in enumerate(node.args):
        if arg.elem != "real" or node.op == "stop":
            continue
        if partial is not None:
            held = tuple(a.op == "const" for a in node.args)
            function = partial(i, held)
        elif node.op == "polygamma":
            function = _polygamma_rule(node.attr)
        else:
            function = _unary_rule(node.op)
        part = elementwise(function, ct, run.values[node], *values)
        yield arg, reduced(run, part, node.axes, arg)


def _unary_rule(op: str) -> Callable[..., Ball]:
    return lambda ct, out, x: _times(ct, lambda: derivative_of(op, x, out))


def _polygamma_rule(order: int) -> Callable[..., Ball]:
    return lambda ct, out, x: _times(ct, lambda: polygamma(order + 1)(x))


def _add(i: int, held: tuple[bool, ...]) -> Callable[..., Ball]:
    return lambda ct, out, *xs: ct


def _mul(i: int, held: tuple[bool, ...]) -> Callable[..., Ball]:
    def rule(ct: Ball, out: Ball, *xs: Ball) -> Ball:
        for j, x in enumerate(xs):
            if j != i and not ct.is_zero:
                ct = ct * x
        return ct

    return rule


def _div(i: int, held: tuple[bool, ...]) -> Callable[..., Ball]:
    if i == 0:
        return lambda ct, out, a, b: _times(ct, lambda: ONE / b)
    return lambda ct, out, a, b: _times(ct, lambda: ZERO if a.is_zero and not b.is_zero else -(out / b))


def _pow(i: int, held: tuple[bool, ...]) -> Callable[..., Ball]:
    if i == 0:
        return lambda ct, out, a, b: _times(ct, lambda: ZERO if b.is_zero else b * pow_(a, b - ONE))
    return lambda ct, out, a, b: _times(ct, lambda: ZERO if a.is_zero else out * log(a))


def _mod(i: int, held: tuple[bool, ...]) -> Callable[..., Ball]:
    if i == 0:
        return lambda ct, out, a, b: ct
    return lambda ct, out, a, b: _times(ct, lambda: (out - a) / b)


def _share(a: Ball, b: Ball, tie: Ball) -> Ball:
    """The derivative of max(a, b) in a; ``tie`` where they are equal."""
    order = compare(a, b)
    if order is None or (order == 0 and CONTEXT.hull):
        return Ball(HALF.v, -1.0)
    return (ZERO, tie, ONE)[order + 1]


def _extremum(sign: int) -> Callable[[int, tuple[bool, ...]], Callable[..., Ball]]:
    def partial(i: int, held: tuple[bool, ...]) -> Callable[..., Ball]:
        tie = ZERO if any(held) else HALF

        def rule(ct: Ball, out: Ball, a: Ball, b: Ball) -> Ball:
            x, y = (a, b) if i == 0 else (b, a)
            return _times(ct, lambda: _share(x, y, tie) if sign > 0 else _share(-x, -y, tie))

        return rule

    return partial


def _clip(i: int, held: tuple[bool, ...]) -> Callable[..., Ball]:
    def slope(x: Ball, lo: Ball, hi: Ball) -> Ball:
        below, above = compare(x, lo), compare(x, hi)
        kink = below is None or above is None or below == 0 or above == 0
        if kink and (CONTEXT.hull or below is None or above is None):
            return Ball(HALF.v, -1.0)
        outside = (below == -1, above == 1)
        inside = not any(outside)
        return ONE if (inside, *outside)[i] else ZERO

    return lambda ct, out, x, lo, hi: _times(ct, lambda: slope(x, lo, hi))


def _logaddexp(i: int, held: tuple[bool, ...]) -> Callable[..., Ball]:
    def slope(a: Ball, b: Ball) -> Ball:
        if not a.finite or not b.finite:
            return ZERO if a.v == F_NINF else ONE
        return UNARY["sigmoid"](a - b)

    return lambda ct, out, a, b: _times(ct, lambda: slope(a, b) if i == 0 else slope(b, a))


def _hypot(i: int, held: tuple[bool, ...]) -> Callable[..., Ball]:
    return lambda ct, out, a, b: _times(ct, lambda: ZERO if out.is_zero else (a, b)[i] / out)


def _select(i: int, held: tuple[bool, ...]) -> Callable[..., Any]:
    def rule(ct: Ball, out: Ball, condition: Any, then: Any, otherwise: Any) -> Ball:
        if i == 0:
            return ZERO
        if isinstance(condition, Doubt):
            taken = ct if condition.guess is (i == 1) else ZERO
            return Ball(taken.v, log_add(magnitude(ct.v), ct.e))
        return ct if bool(condition) is (i == 1) else ZERO

    return rule


def _silence(i: int, held: tuple[bool, ...]) -> Callable[..., Ball]:
    if i == 0:
        return lambda ct, out, x, y: _times(ct, lambda: y)
    return lambda ct, out, x, y: ZERO if x.is_zero else _times(ct, lambda: x)


def _computed_as(i: int, held: tuple[bool, ...]) -> Callable[..., Any]:
    return lambda ct, out, meaning, formula: ct if i == 0 else ZERO


PARTIALS: dict[str, Callable[[int, tuple[bool, ...]], Callable[..., Any]]] = {
    "add": _add,
    "mul": _mul,
    "div": _div,
    "pow": _pow,
    "mod": _mod,
    "minimum": _extremum(-1),
    "maximum": _extremum(1),
    "clip": _clip,
    "logaddexp": _logaddexp,
    "hypot": _hypot,
    "select": _select,
    "silence": _silence,
    "computed_as": _computed_as,
}


# -- along axes -------------------------------------------------------------------------------------


def _sum(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    x = node.args[0]
    yield x, np.broadcast_to(aligned(ct, node.axes, x.axes), run.shape(x.axes))


def _rowwise(function: Callable[[list[Ball], Any, Any], Sequence[Ball]], keeps: bool) -> Rule:
    """From (row, output, cotangent) to the row's cotangents; for an op that keeps axes all are rows."""

    def rule(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
        x = node.args[0]
        if x.elem != "real":
            return
        rows = last(run.full(x), x.axes, node.attr)
        outs = run.full(node)
        if keeps:
            ct, outs = last(ct, x.axes, node.attr), last(outs, x.axes, node.attr)
        parts = np.empty(rows.shape, dtype=object)
        for place in np.ndindex(rows.shape[:-1]):
            cts: Any = list(ct[place]) if keeps else ct[place]
            zero = all(c.is_zero for c in (cts if keeps else [cts]))
            out: Any = list(outs[place]) if keeps else outs[place]
            row = [ZERO] * rows.shape[-1] if zero else function(list(rows[place]), out, cts)
            for i, value in enumerate(row):
                parts[(*place, i)] = value
        yield x, unlast(parts, x.axes, node.attr, run.sizes)

    return rule


def _prod_row(row: list[Ball], out: Ball, ct: Any) -> list[Ball]:
    result = []
    for i in range(len(row)):
        share = ct
        for j, x in enumerate(row):
            if j != i and not share.is_zero:
                share = share * x
        result.append(share)
    return result


def _extreme_row(sign: int) -> Callable[[list[Ball], Ball, Any], list[Ball]]:
    def rule(row: list[Ball], out: Ball, ct: Any) -> list[Ball]:
        signed = row if sign > 0 else [-x for x in row]
        top = largest(signed)
        orders = [compare(x, top) for x in signed]
        if top.v == F_NINF:
            return [ZERO] * len(row)
        ties = sum(o != -1 for o in orders)
        if ties > 1 and (CONTEXT.hull or None in orders):
            return [ZERO if o == -1 else ct * Ball(HALF.v, -1.0) for o in orders]
        return [ZERO if o == -1 else ct / ball(ties) for o in orders]

    return rule


def _logsumexp_row(row: list[Ball], out: Ball, ct: Any) -> list[Ball]:
    return [_times(ct, lambda p=p: p) for p in softmax(row)]  # type: ignore[misc]


def _softmax_row(row: list[Ball], out: Any, cts: Any) -> list[Ball]:
    """p_i (ct_i - sum_j p_j ct_j) as p_i sum_j p_j (ct_i - ct_j), which loses no digits to 1 - p_i."""
    flowing = [j for j, p in enumerate(out) if not p.is_zero]
    return [
        ZERO if p.is_zero else p * total(out[j] * (cts[i] - cts[j]) for j in flowing if j != i)
        for i, p in enumerate(out)
    ]


def _log_softmax_row(row: list[Ball], out: Any, cts: Any) -> list[Ball]:
    shares = softmax(row)
    kept = [i for i, x in enumerate(row) if x.v != F_NINF]
    # ct_i - p_i sum_j ct_j, with 1 - p_i summed from the others.
    result = [ZERO] * len(row)
    for i in kept:
        others = total(shares[j] for j in kept if j != i)
        rest = total(cts[j] for j in kept if j != i)
        result[i] = _times(cts[i], lambda others=others: others) - shares[i] * rest  # type: ignore[misc]
    return result


def _cumsum_row(row: list[Ball], out: Any, cts: Any) -> list[Ball]:
    return [total(cts[i:]) for i in range(len(cts))]


def _reverse_cumsum_row(row: list[Ball], out: Any, cts: Any) -> list[Ball]:
    return [total(cts[: i + 1]) for i in range(len(cts))]


def _cumlogsumexp_row(row: list[Ball], out: Any, cts: Any) -> list[Ball]:
    parts: list[list[Ball]] = [[] for _ in row]
    for i, ct in enumerate(cts):
        if not ct.is_zero:
            for j, p in enumerate(softmax(row[: i + 1])):
                parts[j].append(ct * p)
    return [total(p) for p in parts]


def _decay_scan(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    values = []
    for arg in node.args:
        full = np.broadcast_to(aligned(run.real(arg), arg.axes, node.axes), run.shape(node.axes))
        values.append(last(full, node.axes, node.attr))
    cts, outs = last(ct, node.axes, node.attr), last(run.full(node), node.axes, node.attr)
    x_part, d_part = np.empty(cts.shape, dtype=object), np.empty(cts.shape, dtype=object)
    for place in np.ndindex(cts.shape[:-1]):
        flowing = ZERO
        n = cts.shape[-1]
        for i in range(n):
            # out[i] feeds out[i - 1] with the factor exp(decay[i - 1]).
            if i and not flowing.is_zero:
                flowing = flowing * exp(values[1][place][i - 1])
            flowing = flowing + cts[place][i]
            x_part[(*place, i)] = flowing
            if i + 1 < n and not flowing.is_zero:
                d_part[(*place, i)] = flowing * exp(values[1][place][i]) * outs[place][i + 1]
            else:
                d_part[(*place, i)] = ZERO
    for arg, part in zip(node.args, (x_part, d_part), strict=True):
        yield arg, reduced(run, unlast(part, node.axes, node.attr, run.sizes), node.axes, arg)


# -- dynamic programs ---------------------------------------------------------------------------------


def _log_chain(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    time, source, state = node.attr
    start, steps = node.args
    begun = chained(run, node, run.real(start), start.axes, (state,))
    transitions = chained(run, node, run.real(steps), steps.axes, (time, source, state))
    outs = chained(run, node, run.values[node], node.axes, (time, state))
    cts = chained(run, node, ct, node.axes, (time, state))
    to_start, to_steps = filled(begun.shape, ZERO), filled(transitions.shape, ZERO)
    for place in np.ndindex(cts.shape[:-2]):
        flow = filled(begun.shape[-1:], ZERO)
        for t in range(cts.shape[-2] - 1, -1, -1):
            entering = elementwise(lambda a, b: a + b, cts[place][t], flow)
            flow = filled(flow.shape, ZERO)
            ways = paths(outs[place][t - 1] if t else begun[place], transitions[place][t])
            for j, c in enumerate(entering):
                for i, share in enumerate(ZERO if c.is_zero else p for p in softmax(ways[j])):
                    to_steps[(*place, t, i, j)] = _times(c, lambda share=share: share)  # type: ignore[misc]
                    flow[i] = flow[i] + to_steps[(*place, t, i, j)]
        to_start[place] = flow
    riding = node.axes - {time, state}
    yield start, reduced(run, unchained(node, to_start, (state,)), riding | {state}, start)
    yield steps, reduced(run, unchained(node, to_steps, (time, source, state)), node.axes | {source}, steps)


def _chain_sum(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    time, source, state, backward = node.attr
    x, weights = node.args
    joining = chained(run, node, run.real(weights), weights.axes, (time, source, state))
    outs = chained(run, node, run.values[node], node.axes, (time, state))
    cts = chained(run, node, ct, node.axes, (time, state))
    to_x, to_weights = filled(outs.shape, ZERO), filled(joining.shape, ZERO)
    for place in np.ndindex(cts.shape[:-2]):
        to_x[place] = chain_sum(cts[place], joining[place], not backward)
        for t, i, j in np.ndindex(joining[place].shape):
            if t:
                left, entered = (t - 1, i), (t, j)
                flowing: Any = to_x[(*place, *(left if backward else entered))]
                other: Any = outs[(*place, *(entered if backward else left))]
                to_weights[(*place, t, i, j)] = _times(flowing, lambda other=other: other)  # type: ignore[misc]
    yield x, reduced(run, unchained(node, to_x, (time, state)), node.axes, x)
    whole = unchained(node, to_weights, (time, source, state))
    yield weights, reduced(run, whole, node.axes | {source}, weights)


# -- structure --------------------------------------------------------------------------------------


def _contract(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    union = node.args[0].axes | node.args[1].axes
    cts = np.broadcast_to(aligned(ct, node.axes, union), run.shape(union))
    for arg, other in (node.args, node.args[::-1]):
        values = aligned(run.real(other), other.axes, union)
        yield arg, reduced(run, elementwise(lambda c, y: _times(c, lambda: y), cts, values), union, arg)


def _broadcast(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    yield node.args[0], reduced(run, ct, node.axes, node.args[0])


def _rename(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    old, new = node.attr
    yield node.args[0], transposed(ct, [old if a == new else a for a in ordered(node.axes)])


def _merge(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    parts, new = node.attr
    yield node.args[0], unmerge(ct, node.axes, parts, new, run.sizes)


def _unmerge(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    yield node.args[0], merge(ct, node.axes, *node.attr)


def _gather(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    x, at = node.args
    axis = node.attr
    full = run.shape(node.axes)
    index = np.broadcast_to(aligned(run.values[at], at.axes, node.axes), full)
    names, x_names = ordered(node.axes), ordered(x.axes)
    sums: dict[tuple[int, ...], list[Ball]] = {}
    for place in np.ndindex(full):
        c: Any = ct[place]
        i: Any = index[place]
        if c.is_zero:
            continue
        candidates = range(run.sizes[axis]) if isinstance(i, Doubt) else (i,)
        for k in candidates:
            if 0 <= k < run.sizes[axis]:
                where = tuple(k if a == axis else place[names.index(a)] for a in x_names)
                share = (
                    Ball(c.v if k == i.guess else ZERO.v, log_add(magnitude(c.v), c.e))
                    if isinstance(i, Doubt)
                    else c
                )
                sums.setdefault(where, []).append(share)
    out = filled(run.shape(x.axes), ZERO)
    for where, items in sums.items():
        out[where] = total(items)
    yield x, out


def _scatter_add(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    axis, _ = node.attr
    x, at = node.args
    union = x.axes | at.axes
    places = np.broadcast_to(aligned(run.values[at], at.axes, union), run.shape(union))
    rows = last_kept(ct, node.axes, axis, union)
    rows = np.broadcast_to(rows, (*run.shape(union), run.sizes[axis]))
    part = filled(run.shape(union), ZERO)
    for place in np.ndindex(part.shape):
        index = places[place]
        if isinstance(index, Doubt):
            part[place] = Ball(F_NAN, UNKNOWN)
        elif 0 <= index < run.sizes[axis]:
            part[place] = rows[place][index]
    yield x, reduced(run, part, union, x)


def _stack(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    kept = node.axes - {node.attr}
    moved = np.moveaxis(ct, ordered(node.axes).index(node.attr), 0)
    for i, arg in enumerate(node.args):
        yield arg, reduced(run, moved[i] if kept else moved[i : i + 1].reshape(()), kept, arg)


def _nothing(run: Evaluation, node: Node, ct: Objects) -> Iterable[tuple[Node, Objects]]:
    return ()


RULES: dict[str, Rule] = {
    "stop": _nothing,
    "sum": _sum,
    "prod": _rowwise(_prod_row, keeps=False),
    "max": _rowwise(_extreme_row(1), keeps=False),
    "min": _rowwise(_extreme_row(-1), keeps=False),
    "logsumexp": _rowwise(_logsumexp_row, keeps=False),
    "softmax": _rowwise(_softmax_row, keeps=True),
    "log_softmax": _rowwise(_log_softmax_row, keeps=True),
    "cumsum": _rowwise(_cumsum_row, keeps=True),
    "reverse_cumsum": _rowwise(_reverse_cumsum_row, keeps=True),
    "cumlogsumexp": _rowwise(_cumlogsumexp_row, keeps=True),
    "decay_scan": _decay_scan,
    "log_chain": _log_chain,
    "chain_sum": _chain_sum,
    "contract": _contract,
    "broadcast": _broadcast,
    "rename": _rename,
    "merge": _merge,
    "unmerge": _unmerge,
    "gather": _gather,
    "scatter_add": _scatter_add,
    "stack": _stack,
}
