"""The value of every node, by the meaning that the table of primitives gives its op.

Reals are balls, integers and booleans are Python's (a :class:`Doubt` where the precision cannot
tell). What a ``select`` does not take never touches its result.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from losslang.ir import Node, walk
from losslang.truth.arrays import (
    Objects,
    aligned,
    along_last,
    boxed,
    elementwise,
    filled,
    last,
    ordered,
    reduce_last,
    unlast,
)
from losslang.truth.ball import (
    F_NAN,
    F_NINF,
    MINUS_INFINITY,
    NAN,
    NEXT,
    ONE,
    UNKNOWN,
    ZERO,
    Ball,
    Doubt,
    ball,
    close,
    compare,
    log_add,
    magnitude,
    total,
)
from losslang.truth.context import CONTEXT, in_time
from losslang.truth.functions import UNARY, exp, hypot, log, logaddexp, polygamma, pow_


class Evaluation:
    """The values of the nodes of a graph, each computed once.

    ``inputs``: by name, arrays with their dimensions as declared. ``sizes``: the length of every axis.
    """

    def __init__(
        self, inputs: Mapping[str, Any], sizes: Mapping[str, int], deadline: float = math.inf
    ) -> None:
        self.inputs = inputs
        self.deadline = deadline
        self.sizes = dict(sizes)
        self.values: dict[Node, Objects] = {}

    def shape(self, axes: Iterable[str]) -> tuple[int, ...]:
        return tuple(self.sizes[a] for a in ordered(axes))

    def run(self, roots: Iterable[Node]) -> None:
        for node in walk(roots):
            if node not in self.values:
                in_time(self.deadline)
                self.values[node] = self.compute(node)

    def full(self, node: Node) -> Objects:
        """The value with every one of its axes at full length."""
        return np.broadcast_to(self.values[node], self.shape(node.axes))

    def operand(self, node: Node, to: Iterable[str]) -> Objects:
        return aligned(self.values[node], node.axes, to)

    def real(self, node: Node) -> Objects:
        """The value of ``node`` as balls."""
        value = self.values[node]
        return value if node.elem == "real" else elementwise(ball, value)

    def compute(self, node: Node) -> Objects:
        structural = STRUCTURE.get(node.op)
        if structural is not None:
            return structural(self, node)
        arguments = []
        as_real = node.elem == "real" or node.op in ("eq", "ne", "lt", "le", "floor", "to_int", "argsort")
        for i, arg in enumerate(node.args):
            choosing = node.op == "select" and i == 0
            value = self.real(arg) if as_real and arg.elem != "bool" and not choosing else self.values[arg]
            if node.elem == "real" and arg.elem == "bool" and not choosing:
                value = elementwise(ball, value)
            arguments.append(aligned(value, arg.axes, node.axes))
        function = ELEMENTWISE[node.op]
        if node.op == "polygamma":
            function = polygamma(node.attr)
        elif node.elem == "int" and node.op in INTEGER:
            function = doubtful(INTEGER[node.op])
        return elementwise(function, *arguments)


# -- elementwise ------------------------------------------------------------------------------------


def doubtful(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of integers, that doubts where an argument does."""

    def careful(*args: Any) -> Any:
        if any(isinstance(a, Doubt) for a in args):
            return Doubt(function(*(a.guess if isinstance(a, Doubt) else a for a in args)))
        return function(*args)

    return careful


def _ordering(decide: Callable[[int], bool], with_nan: bool) -> Callable[[Any, Any], Any]:
    def relation(a: Any, b: Any) -> Any:
        x, y = ball(a), ball(b)
        if x.v == F_NAN or y.v == F_NAN:
            return Doubt(with_nan) if UNKNOWN in (x.e, y.e) else with_nan
        order = compare(x, y)
        if order is not None:
            return decide(order)
        return Doubt(decide(0))

    return relation


def _conjunction(*conditions: Any) -> Any:
    if any(c is False for c in conditions):
        return False
    guess = all(c.guess if isinstance(c, Doubt) else c for c in conditions)
    return Doubt(guess) if any(isinstance(c, Doubt) for c in conditions) else bool(guess)


def _negation(condition: Any) -> Any:
    return Doubt(not condition.guess) if isinstance(condition, Doubt) else not condition


def _disjunction(*conditions: Any) -> Any:
    return _negation(_conjunction(*map(_negation, conditions)))


def _select(condition: Any, then: Any, otherwise: Any) -> Any:
    if not isinstance(condition, Doubt):
        return then if condition else otherwise
    if not isinstance(then, Ball):
        return then if then == otherwise else Doubt(then if condition.guess else otherwise)
    return hull(then if condition.guess else otherwise, otherwise if condition.guess else then)


def hull(guess: Ball, *others: Ball) -> Ball:
    """A ball around ``guess`` that holds the others too."""
    error = guess.e
    for other in others:
        if other.v == guess.v and not other.finite:
            continue
        gap = guess - other
        error = log_add(error, magnitude(gap.v), gap.e)
    return Ball(guess.v, error)


def _floor(x: Any) -> Any:
    y = ball(x)
    if not y.finite or y.e == UNKNOWN:
        return Doubt(0)
    below = int(_to_fraction_floor(y))
    if y.e == -np.inf:
        return below
    for whole in (below, below + 1):
        if compare(y, ball(whole)) is None:
            return Doubt(whole)
    return below


def _to_fraction_floor(y: Ball) -> int:
    sign, mantissa, exponent, _ = y.v
    signed = -mantissa if sign else mantissa
    return signed << exponent if exponent >= 0 else signed >> -exponent


def _to_int(x: Any) -> Any:
    if isinstance(x, Doubt):
        return Doubt(int(x.guess))
    if not isinstance(x, Ball):
        return int(x)
    return _floor(x) if float(x) >= 0 else doubtful(lambda n: -n)(_floor(-x))


def _minimum(a: Ball, b: Ball) -> Ball:
    return -_maximum(-a, -b)


def _maximum(a: Ball, b: Ball) -> Ball:
    if F_NAN in (a.v, b.v):
        return Ball(F_NAN, max(a.e, b.e))
    order = compare(a, b)
    if order is None:
        larger = a if compare(Ball(a.v), Ball(b.v)) == 1 else b
        return Ball(larger.v, max(a.e, b.e))
    return a if order >= 0 else b


def _mod(a: Ball, b: Ball) -> Ball:
    quotient = _floor(a / b)
    if isinstance(quotient, Doubt):
        return Ball((a - b * ball(quotient.guess)).v, log_add(magnitude(b.v), b.e))
    return a - b * ball(quotient)


def _silence(x: Ball, y: Ball) -> Ball:
    return ZERO if x.is_zero else x * y


def _fold(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda *args: functools.reduce(function, args)


ELEMENTWISE: dict[str, Callable[..., Any]] = {
    **UNARY,
    "add": lambda *xs: total(xs),
    "mul": _fold(lambda a, b: a * b),
    "div": lambda a, b: a / b,
    "pow": pow_,
    "mod": _mod,
    "minimum": _minimum,
    "maximum": _maximum,
    "clip": lambda x, lo, hi: _minimum(_maximum(x, lo), hi),
    "floor": _floor,
    "widen": lambda x: x,
    "narrow": lambda x: x,
    "to_int": _to_int,
    "stop": lambda x: x,
    "to_real": ball,
    "logaddexp": logaddexp,
    "hypot": hypot,
    "polygamma": polygamma(1),
    "eq": _ordering(lambda o: o == 0, False),
    "ne": _ordering(lambda o: o != 0, True),
    "lt": _ordering(lambda o: o < 0, False),
    "le": _ordering(lambda o: o <= 0, False),
    "and": _conjunction,
    "or": _disjunction,
    "not": _negation,
    "select": _select,
    "silence": _silence,
    "computed_as": lambda meaning, formula: formula,
}
INTEGER: dict[str, Callable[..., Any]] = {
    "add": lambda *xs: sum(xs),
    "mul": _fold(lambda a, b: a * b),
    "neg": lambda x: -x,
    "mod": lambda a, b: a % b if b else 0,
    "minimum": min,
    "maximum": max,
    "clip": lambda x, lo, hi: min(max(x, lo), hi),
    "sign": lambda x: (x > 0) - (x < 0),
    "abs": abs,
    "stop": lambda x: x,
}


# -- leaves -----------------------------------------------------------------------------------------


def _const(run: Evaluation, node: Node) -> Objects:
    return boxed(ball(node.attr) if node.elem == "real" else node.attr)


def _limit(run: Evaluation, node: Node) -> Objects:
    return boxed(ball({"tiny": CONTEXT.tiny, "max": CONTEXT.largest, "eps": CONTEXT.eps}[node.attr]))


def _input(run: Evaluation, node: Node) -> Objects:
    name, axes, elem = node.attr
    given = np.asarray(run.inputs[name])
    converters: dict[str, Callable[[Any], Any]] = {"real": ball, "int": _integer, "bool": bool}
    convert = converters[elem]
    values = (
        elementwise(convert, given.astype(object)) if given.dtype != object else elementwise(convert, given)
    )
    return np.transpose(values, [axes.index(a) for a in ordered(axes)])


def _integer(x: Any) -> Any:
    return x if isinstance(x, Doubt) else int(x)


def _index(run: Evaluation, node: Node) -> Objects:
    out = np.empty(run.sizes[node.attr], dtype=object)
    out[:] = range(len(out))
    return out


# -- along axes -------------------------------------------------------------------------------------


def _rows(run: Evaluation, node: Node, arg: int = 0) -> Objects:
    """The argument with the axes of the attribute flattened into its last dimension."""
    x = node.args[arg]
    adds = node.op in (
        "cumsum",
        "reverse_cumsum",
    )  # whole numbers add up to whole numbers; the others compare
    values = run.real(x) if node.elem == "real" or (x.elem == "int" and not adds) else run.values[x]
    full = np.broadcast_to(values, run.shape(x.axes))
    return last(full, x.axes, node.attr)


def _reduction(
    function: Callable[[list[Any]], Any], integer: Callable[[list[Any]], Any] | None = None
) -> Any:
    def compute(run: Evaluation, node: Node) -> Objects:
        if node.elem == "int" and integer is not None and node.args[0].elem in ("int", "bool"):
            x = node.args[0]
            return reduce_last(doubtful_list(integer), last(run.full(x), x.axes, node.attr))
        return reduce_last(function, _rows(run, node))

    return compute


def doubtful_list(function: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    careful = doubtful(lambda *items: function(list(items)))
    return lambda items: careful(*items)


def _keeping(function: Callable[[list[Any]], Sequence[Any]]) -> Any:
    def compute(run: Evaluation, node: Node) -> Objects:
        x = node.args[0]
        return unlast(along_last(function, _rows(run, node)), x.axes, node.attr, run.sizes)

    return compute


def largest(items: list[Ball]) -> Ball:
    return functools.reduce(_maximum, items, MINUS_INFINITY)


def logsumexp(items: list[Ball]) -> Ball:
    if any(x.v == F_NAN for x in items):
        return Ball(F_NAN, max(x.e for x in items))
    kept = [x for x in items if x.v != F_NINF or x.e == UNKNOWN]
    if not kept:
        return MINUS_INFINITY
    if len(kept) == 1:
        return kept[0]
    top: Ball = max(kept, key=_midpoint)
    if not top.finite:
        return top
    return top + log(total(exp(x - top) for x in kept))


def _order(a: Ball, b: Ball) -> int:
    return compare(Ball(a.v), Ball(b.v)) or 0


_midpoint = functools.cmp_to_key(_order)


def softmax(items: list[Ball]) -> list[Ball]:
    if any(x.v == F_NAN for x in items):
        return [Ball(F_NAN, max(x.e for x in items))] * len(items)
    kept = [x for x in items if x.v != F_NINF]
    if not kept:
        return [ZERO] * len(items)
    top = max(kept, key=_midpoint)
    if not top.finite:
        return [NAN] * len(items)
    grown = [ZERO if x.v == F_NINF else ONE if x is top else exp(x - top) for x in items]
    whole = total(grown)
    shares = [g / whole for g in grown]
    at = items.index(top)  # next to 1 it is 1 less the others
    others = total(share for i, share in enumerate(shares) if i != at)
    if max(magnitude(others.v), others.e) <= NEXT:
        shares[at] = close(1, -others)
    return shares


def log_softmax(items: list[Ball]) -> list[Ball]:
    """Each item less the logarithm of the sum; the largest one's as log1p of the others' share."""
    if any(x.v == F_NAN for x in items):
        return [Ball(F_NAN, max(x.e for x in items))] * len(items)
    kept = [x for x in items if x.v != F_NINF]
    if not kept:
        return [MINUS_INFINITY] * len(items)
    top = max(kept, key=_midpoint)
    if not top.finite:
        return [NAN] * len(items)
    at = next(i for i, x in enumerate(items) if x is top)  # one object may stand at several places
    others = total(exp(x - top) for i, x in enumerate(items) if i != at and x.v != F_NINF)
    excess = UNARY["log1p"](others)
    return [
        MINUS_INFINITY if x.v == F_NINF else -excess if i == at else x - top - excess
        for i, x in enumerate(items)
    ]


def _cumulative(
    join: Callable[[list[Any]], Any], backwards: bool = False
) -> Callable[[list[Any]], list[Any]]:
    def scan(items: list[Any]) -> list[Any]:
        if backwards:
            return [join(items[i:]) for i in range(len(items))]
        return [join(items[: i + 1]) for i in range(len(items))]

    return scan


def _integer_or_real_sum(items: list[Any]) -> Any:
    if items and not isinstance(items[0], Ball):
        return doubtful_list(sum)(items)
    return total(items)


def argsort(items: list[Any]) -> list[Any]:
    """Ascending, ties by position, NaN last; doubtful where neighbours may be in either order."""
    balls = [ball(x) for x in items]

    def before(i: int, j: int) -> int:
        a, b = balls[i], balls[j]
        if F_NAN in (a.v, b.v):
            return (a.v == F_NAN) - (b.v == F_NAN) or i - j
        order = compare(a, b)
        return order if order else compare(Ball(a.v), Ball(b.v)) or i - j if order is None else i - j

    order = sorted(range(len(items)), key=functools.cmp_to_key(before))
    doubt = [False] * len(order)
    for k in range(len(order) - 1):
        a, b = balls[order[k]], balls[order[k + 1]]
        if F_NAN not in (a.v, b.v) and compare(a, b) is None:
            doubt[k] = doubt[k + 1] = True
    return [Doubt(i) if unsure else i for i, unsure in zip(order, doubt, strict=True)]


def _first_extreme(sign: int) -> Callable[[list[Any]], Any]:
    def find(items: list[Any]) -> Any:
        balls = [ball(x) if sign > 0 else -ball(x) for x in items]
        best, unsure = 0, False
        for i in range(1, len(balls)):
            order = compare(balls[i], balls[best])
            if order is None:
                unsure = True
                order = compare(Ball(balls[i].v), Ball(balls[best].v))
            if order == 1:
                best = i
        return Doubt(best) if unsure else best

    return find


def _product(items: list[Ball]) -> Ball:
    return functools.reduce(lambda a, b: a * b, items, ONE)


def decay_scan(x: list[Ball], decay: list[Ball]) -> list[Ball]:
    """From the end: out[i] = x[i] + exp(decay[i]) out[i + 1]."""
    out = list(x)
    for i in range(len(x) - 2, -1, -1):
        out[i] = x[i] + exp(decay[i]) * out[i + 1]
    return out


def _decay_scan(run: Evaluation, node: Node) -> Objects:
    rows = []
    for arg in node.args:
        value = np.broadcast_to(aligned(run.real(arg), arg.axes, node.axes), run.shape(node.axes))
        rows.append(last(value, node.axes, node.attr))
    out = np.empty(rows[0].shape, dtype=object)
    for place in np.ndindex(out.shape[:-1]):
        out[place] = decay_scan(list(rows[0][place]), list(rows[1][place]))
    return unlast(out, node.axes, node.attr, run.sizes)


# -- dynamic programs ---------------------------------------------------------------------------------


def chained(run: Evaluation, node: Node, value: Objects, axes: Iterable[str], to: Sequence[str]) -> Objects:
    """``value`` of ``axes`` at full length with the axes of ``to`` last, those that ride along before them."""
    time, _, state = node.attr[:3]
    dims = (*ordered(node.axes - {time, state}), *to)
    full = np.broadcast_to(aligned(value, axes, dims), run.shape(dims))
    return np.transpose(full, [ordered(dims).index(a) for a in dims])


def unchained(node: Node, value: Objects, to: Sequence[str]) -> Objects:
    """The inverse: the dimensions in the evaluator's order."""
    time, _, state = node.attr[:3]
    return transposed(value, [*ordered(node.axes - {time, state}), *to])


def paths(previous: Objects, step: Objects) -> list[list[Ball]]:
    """For each state that is entered, every way to it."""
    return [[p + step[i, j] for i, p in enumerate(previous)] for j in range(step.shape[1])]


def _log_chain(run: Evaluation, node: Node) -> Objects:
    time, source, state = node.attr
    start, steps = node.args
    previous = chained(run, node, run.real(start), start.axes, (state,))
    transitions = chained(run, node, run.real(steps), steps.axes, (time, source, state))
    out = np.empty((*transitions.shape[:-2], transitions.shape[-1]), dtype=object)
    for place in np.ndindex(out.shape[:-2]):
        row = previous[place]
        for t in range(out.shape[-2]):
            row = out[place][t] = listed(map(logsumexp, paths(row, transitions[place][t])))
    return unchained(node, out, (time, state))


def listed(items: Iterable[Any]) -> Objects:
    values = list(items)
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def chain_sum(x: Objects, weights: Objects, backward: bool) -> Objects:
    """One chain of sums: ``x`` by time and state, ``weights`` by time, source and state."""
    out = np.array(x, dtype=object)
    n = len(out)
    for t in range(n - 2, -1, -1) if backward else range(1, n):
        after = t + 1 if backward else t
        joining = weights[after] if backward else weights[after].T
        known = out[t + 1] if backward else out[t - 1]
        out[t] = listed(
            x[t][k] + total(w * y for w, y in zip(row, known, strict=True) if not (w.is_zero or y.is_zero))
            for k, row in enumerate(joining)
        )
    return out


def _chain_sum(run: Evaluation, node: Node) -> Objects:
    time, source, state, backward = node.attr
    x, weights = node.args
    values = chained(run, node, run.real(x), x.axes, (time, state))
    joining = chained(run, node, run.real(weights), weights.axes, (time, source, state))
    out = np.empty(values.shape, dtype=object)
    for place in np.ndindex(out.shape[:-2]):
        out[place] = chain_sum(values[place], joining[place], backward)
    return unchained(node, out, (time, state))


# -- structure --------------------------------------------------------------------------------------


def _contract(run: Evaluation, node: Node) -> Objects:
    union = node.args[0].axes | node.args[1].axes
    a, b = (aligned(run.real(arg), arg.axes, union) for arg in node.args)
    product = np.broadcast_to(elementwise(lambda x, y: x * y, a, b), run.shape(union))
    return reduce_last(total, last(product, union, node.attr))


def _broadcast(run: Evaluation, node: Node) -> Objects:
    return np.broadcast_to(run.operand(node.args[0], node.axes), run.shape(node.axes))


def transposed(x: Objects, now: Sequence[str]) -> Objects:
    """``x``, whose dimensions are ``now``, in the evaluator's order."""
    return np.transpose(x, [list(now).index(a) for a in ordered(now)])


def _rename(run: Evaluation, node: Node) -> Objects:
    old, new = node.attr
    x = node.args[0]
    return transposed(run.full(x), [new if a == old else a for a in ordered(x.axes)])


def merge(x: Objects, axes: Iterable[str], parts: tuple[str, ...], new: str) -> Objects:
    names = ordered(axes)
    kept = [a for a in names if a not in parts]
    moved = np.transpose(x, [names.index(a) for a in (*kept, *parts)])
    flat = moved.reshape(*moved.shape[: len(kept)], int(np.prod(moved.shape[len(kept) :], dtype=int)))
    return transposed(flat, [*kept, new])


def unmerge(
    x: Objects, axes: Iterable[str], parts: tuple[str, ...], old: str, sizes: Mapping[str, int]
) -> Objects:
    names = ordered(axes)
    kept = [a for a in names if a != old]
    moved = np.moveaxis(x, names.index(old), -1)
    split = moved.reshape(*moved.shape[:-1], *(sizes[p] for p in parts))
    return transposed(split, [*kept, *parts])


def _merge(run: Evaluation, node: Node) -> Objects:
    x = node.args[0]
    return merge(run.full(x), x.axes, *node.attr)


def _unmerge(run: Evaluation, node: Node) -> Objects:
    x, (parts, old) = node.args[0], node.attr
    return unmerge(run.full(x), x.axes, parts, old, run.sizes)


def gather_rows(run: Evaluation, node: Node) -> tuple[Objects, Objects]:
    """Rows of the gathered argument and the index, both at full length over the node's axes."""
    x, at = node.args
    axis = node.attr
    kept = x.axes - {axis}
    rows = aligned(last(run.full(x), x.axes, (axis,)), kept, kept | at.axes)
    rows = rows if x.axes >= node.axes else last_kept(run.full(x), x.axes, axis, node.axes)
    full = run.shape(node.axes)
    rows = np.broadcast_to(rows, (*full, run.sizes[axis]))
    return rows, np.broadcast_to(run.operand(at, node.axes), full)


def last_kept(x: Objects, axes: Iterable[str], axis: str, to: Iterable[str]) -> Objects:
    """``x`` with ``axis`` moved to the end, and the others aligned to ``to``."""
    names = ordered(axes)
    moved = np.moveaxis(x, names.index(axis), -1)
    have = set(names) - {axis}
    return moved[(*(slice(None) if a in have else None for a in ordered(to)), slice(None))]


def _gather(run: Evaluation, node: Node) -> Objects:
    rows, at = gather_rows(run, node)
    outside: Any = {"real": NAN, "int": 0, "bool": False}[node.elem]
    out = np.empty(at.shape, dtype=object)
    for place in np.ndindex(at.shape):
        index = at[place]
        guess = index.guess if isinstance(index, Doubt) else index
        value: Any = rows[place][guess] if 0 <= guess < rows.shape[-1] else outside
        if isinstance(index, Doubt):
            value = hull(value, *rows[place]) if isinstance(value, Ball) else Doubt(value)
        out[place] = value
    return out


def _extern(run: Evaluation, node: Node) -> Objects:
    raise ValueError(f"`{node.attr[0]}` is an extern: the formula does not say what it computes")


def _scatter_add(run: Evaluation, node: Node) -> Objects:
    axis, kept = node.attr
    x, at = node.args
    union = x.axes | at.axes
    values = np.broadcast_to(aligned(run.real(x), x.axes, union), run.shape(union))
    places = np.broadcast_to(aligned(run.values[at], at.axes, union), run.shape(union))
    names, out_names = ordered(union), ordered(node.axes)
    missing = [a for a in kept if a not in union]
    assert not missing, f"axes {missing} that a scatter keeps are not in its arguments"
    sums: dict[tuple[int, ...], list[Ball]] = {}
    for place in np.ndindex(values.shape):
        index: Any = places[place]
        value: Any = values[place]
        guess = index.guess if isinstance(index, Doubt) else index
        if 0 <= guess < run.sizes[axis]:
            where: Any = tuple(guess if a == axis else place[names.index(a)] for a in out_names)
            doubt = isinstance(index, Doubt)
            sums.setdefault(where, []).append(Ball(F_NAN, UNKNOWN) if doubt else value)
    out = filled(run.shape(node.axes), ZERO)
    for where, items in sums.items():
        out[where] = total(items)
    return out


def _stack(run: Evaluation, node: Node) -> Objects:
    kept = node.axes - {node.attr}
    parts = []
    for arg in node.args:
        value = run.real(arg) if node.elem == "real" else run.values[arg]
        parts.append(np.broadcast_to(aligned(value, arg.axes, kept), run.shape(kept)))
    return transposed(np.stack(parts), [node.attr, *ordered(kept)])


STRUCTURE: dict[str, Callable[[Evaluation, Node], Objects]] = {
    "const": _const,
    "limit": _limit,
    "input": _input,
    "index": _index,
    "size": lambda run, node: boxed(run.sizes[node.attr]),
    "sum": _reduction(total, sum),
    "prod": _reduction(_product, lambda items: functools.reduce(lambda a, b: a * b, items, 1)),
    "max": _reduction(largest, lambda items: max(items, default=0)),
    "min": _reduction(lambda items: -largest([-x for x in items]), lambda items: min(items, default=0)),
    "any": _reduction(lambda items: _disjunction(*items)),
    "all": _reduction(lambda items: _conjunction(*items)),
    "count": _reduction(doubtful_list(sum), sum),
    "logsumexp": _reduction(logsumexp),
    "argmax": _reduction(_first_extreme(1)),
    "argmin": _reduction(_first_extreme(-1)),
    "softmax": _keeping(softmax),
    "log_softmax": _keeping(log_softmax),
    "cumsum": _keeping(_cumulative(_integer_or_real_sum)),
    "reverse_cumsum": _keeping(_cumulative(_integer_or_real_sum, backwards=True)),
    "cumlogsumexp": _keeping(_cumulative(logsumexp)),
    "argsort": _keeping(argsort),
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
    "extern": _extern,
}
