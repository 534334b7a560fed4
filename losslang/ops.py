"""The table of primitives: one row an op, read by the checker, the rewriter, the differentiator,
the backends, the high-precision evaluator and the printers.

A row says how many arguments there are, which axes and element class the result has, which
interval it lies in, what is known of its algebra, and its partial derivatives. Elementwise
derivatives are written here, in forms that do not overflow or cancel; those of ops along axes
are structural and stand in ``losslang.differentiate``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from losslang.interval import (
    EVERYTHING,
    NONNEGATIVE,
    POSITIVE,
    SIGNED_UNIT,
    UNIT,
    Interval,
    point,
)

if TYPE_CHECKING:
    from losslang.ir import Elem, Node

AxisRule = Callable[[tuple["Node", ...], Any], frozenset[str]]
IntervalRule = Callable[..., Interval]
Partials = Callable[..., tuple["Node | None", ...]]


@dataclass(frozen=True, slots=True)
class Op:
    """A primitive.

    ``arity`` -1 is any number. ``family`` is one of leaf, elementwise, reduce (attr: the axes),
    along (attr: the axes, kept), structure. ``partials(out, *args)`` gives a derivative for each
    argument, None where it is 0. ``interval(*intervals)`` bounds the result. ``linear`` says in
    every argument taken alone.
    """

    name: str
    arity: int
    family: str
    axes: AxisRule
    elem: Elem | Callable[[tuple[Node, ...], Any], Elem] = "real"
    partials: Partials | None = None
    interval: IntervalRule | None = None
    commutative: bool = False
    linear: bool = False
    doc: str = ""


OPS: dict[str, Op] = {}


def _union(args: tuple[Node, ...], attr: Any) -> frozenset[str]:
    return frozenset().union(*(a.axes for a in args)) if args else frozenset()


def _first_elem(args: tuple[Node, ...], attr: Any) -> Elem:
    return args[-1].elem


def _number_elem(args: tuple[Node, ...], attr: Any) -> Elem:
    return "int" if all(a.elem == "int" for a in args) else "real"


def _row(name: str, arity: int, family: str, axes: AxisRule, **columns: Any) -> None:
    OPS[name] = Op(name, arity, family, axes, **columns)


def _elementwise(name: str, arity: int, **columns: Any) -> None:
    _row(name, arity, "elementwise", _union, **columns)


def _constant_elem(args: tuple[Node, ...], attr: Any) -> Elem:
    if isinstance(attr, bool):
        return "bool"
    return "int" if isinstance(attr, int) else "real"


# -- leaves -------------------------------------------------------------------------------------
_row("const", 0, "leaf", lambda args, attr: frozenset(), elem=_constant_elem, doc="attr: the number")
_row(
    "limit",
    0,
    "leaf",
    lambda args, attr: frozenset(),
    doc="attr: tiny, max, eps or minexp of the computing type",
)
_row("input", 0, "leaf", lambda args, attr: frozenset(attr[1]), elem=lambda args, attr: attr[2],
     doc="attr: (name, axes as declared, element class)")  # fmt: skip
_row("index", 0, "leaf", lambda args, attr: frozenset((attr,)), elem="int", doc="attr: the axis")
_row("size", 0, "leaf", lambda args, attr: frozenset(), elem="int", doc="attr: the axis")

# -- arithmetic ---------------------------------------------------------------------------------
_elementwise("add", -1, elem=_number_elem, commutative=True, linear=True,
             partials=lambda out, *args: tuple(out.graph.const(1.0) for _ in args),
             interval=lambda *xs: _fold_add(xs))  # fmt: skip
_elementwise("mul", -1, elem=_number_elem, commutative=True, linear=True,
             partials=lambda out, *args: tuple(_product(out, args[:i] + args[i + 1 :]) for i in range(len(args))),
             interval=lambda *xs: _fold_mul(xs))  # fmt: skip
_elementwise("neg", 1, elem=_number_elem, linear=True, partials=lambda out, x: (out.graph.const(-1.0),),
             interval=lambda x: -x)  # fmt: skip
_elementwise("div", 2, partials=lambda out, a, b: (1.0 / b, -(out / b)),
             interval=lambda a, b: a * b.reciprocal())  # fmt: skip
_elementwise(
    "pow", 2, partials=lambda out, a, b: _pow_partials(out, a, b), interval=lambda a, b: _pow_interval(a, b)
)
_elementwise("mod", 2, elem=_number_elem,
             partials=lambda out, a, b: (out.graph.const(1.0), -out.graph.apply("floor", a / b)),
             interval=lambda a, b: Interval(0.0, b.high, False, True) if b.positive else EVERYTHING,
             doc="a - b * floor(a / b): the sign of b")  # fmt: skip
_elementwise("minimum", 2, elem=_number_elem, commutative=True,
             partials=lambda out, a, b: _extremum_partials(out, a, b, "lt"),
             interval=lambda a, b: _interval_min(a, b))  # fmt: skip
_elementwise("maximum", 2, elem=_number_elem, commutative=True,
             partials=lambda out, a, b: _extremum_partials(out, b, a, "lt")[::-1],
             interval=lambda a, b: -_interval_min(-a, -b))  # fmt: skip
_elementwise("clip", 3, elem=_number_elem, partials=lambda out, x, lo, hi: _clip_partials(out, x, lo, hi),
             interval=lambda x, lo, hi: _interval_min(-_interval_min(-x, -lo), hi),
             doc="derivative 1 on the closed interval")  # fmt: skip
_elementwise("floor", 1, elem="int", interval=lambda x: Interval(x.low, x.high), doc="gives an integer")
_elementwise("sign", 1, interval=lambda x: Interval(1.0 if x.positive else 0.0 if x.nonnegative else -1.0,
                                                    -1.0 if x.negative else 0.0 if x.nonpositive else 1.0))  # fmt: skip
_elementwise(
    "abs", 1, partials=lambda out, x: (out.graph.apply("sign", x),), interval=lambda x: _abs_interval(x)
)
_elementwise("stop", 1, elem=_first_elem, interval=lambda x: x, doc="the identity, with derivative 0")
_elementwise("to_real", 1, linear=True, partials=lambda out, x: (out.graph.const(1.0),), interval=lambda x: x)
_elementwise("widen", 1, linear=True, partials=lambda out, x: (out.graph.const(1.0),), interval=lambda x: x,
             doc="the same number in double precision")  # fmt: skip
_elementwise("narrow", 1, linear=True, partials=lambda out, x: (out.graph.const(1.0),), interval=lambda x: x,
             doc="the same number in the computing type")  # fmt: skip
_elementwise("to_int", 1, elem="int", interval=lambda x: x, doc="truncates; booleans become 0 and 1")

# -- exponentials and logarithms ----------------------------------------------------------------
_elementwise("exp", 1, partials=lambda out, x: (out,),
             interval=lambda x: _open_zero(x.monotone(math.exp)))  # fmt: skip
_elementwise("expm1", 1, partials=lambda out, x: (_f(x, "exp"),), interval=lambda x: x.monotone(math.expm1))
_elementwise("log", 1, partials=lambda out, x: (1.0 / x,), interval=lambda x: _log_interval(x))
_elementwise("log_saturated", 1, partials=lambda out, x: (1.0 / _f(x, "maximum", x.graph.limit("tiny")),),
             interval=lambda x: _log_interval(x),
             doc="log(max(x, tiny)) with its derivative 1/max(x, tiny): log of a probability")  # fmt: skip
_elementwise(
    "log1p", 1, partials=lambda out, x: (1.0 / (1.0 + x),), interval=lambda x: _log_interval(x + point(1))
)
_elementwise("sqrt", 1, partials=lambda out, x: (_safe(out, 0.5 / out),),
             interval=lambda x: x.intersect(NONNEGATIVE).monotone(math.sqrt), doc="derivative 0 at 0")  # fmt: skip
_elementwise("sigmoid", 1, partials=lambda out, x: (out * _f(-x, "sigmoid"),),
             interval=lambda x: Interval(_sigmoid(x.low), _sigmoid(x.high), _sigmoid(x.low) == 0, _sigmoid(x.high) == 1))  # fmt: skip
_elementwise("softplus", 1, partials=lambda out, x: (_f(x, "sigmoid"),),
             interval=lambda x: _open_zero(x.monotone(_softplus)))  # fmt: skip
_elementwise("log1mexp", 1, partials=lambda out, x: (-1.0 / _f(-x, "expm1"),), interval=lambda x: Interval(-math.inf, 0.0),
             doc="log(1 - exp(x)) for x <= 0")  # fmt: skip
_elementwise("logaddexp", 2, commutative=True,
             partials=lambda out, a, b: (_f(a - b, "sigmoid"), _f(b - a, "sigmoid")),
             interval=lambda a, b: Interval(max(a.low, b.low), max(a.high, b.high) + math.log(2)))  # fmt: skip
_elementwise("hypot", 2, commutative=True, partials=lambda out, a, b: (_safe(out, a / out), _safe(out, b / out)),
             interval=lambda a, b: NONNEGATIVE, doc="sqrt(a² + b²) without overflow; derivative 0 at (0, 0)")  # fmt: skip

# -- trigonometric and hyperbolic ---------------------------------------------------------------
_elementwise("sin", 1, partials=lambda out, x: (_f(x, "cos"),), interval=lambda x: SIGNED_UNIT)
_elementwise("cos", 1, partials=lambda out, x: (-_f(x, "sin"),), interval=lambda x: SIGNED_UNIT)
_elementwise("tan", 1, partials=lambda out, x: (1.0 + out * out,))
_elementwise("asin", 1, partials=lambda out, x: (_reciprocal_root((1.0 - x) * (1.0 + x)),),
             interval=lambda x: x.monotone(math.asin))  # fmt: skip
_elementwise("acos", 1, partials=lambda out, x: (-_reciprocal_root((1.0 - x) * (1.0 + x)),),
             interval=lambda x: Interval(0.0, math.pi))  # fmt: skip
_elementwise(
    "atan", 1, partials=lambda out, x: (1.0 / (1.0 + x * x),), interval=lambda x: x.monotone(math.atan)
)
_elementwise("sinh", 1, partials=lambda out, x: (_f(x, "cosh"),), interval=lambda x: x.monotone(math.sinh))
_elementwise("cosh", 1, partials=lambda out, x: (_f(x, "sinh"),), interval=lambda x: Interval(1.0, math.inf))
_elementwise(
    "tanh",
    1,
    partials=lambda out, x: (_square(1.0 / _f(x, "cosh")),),
    interval=lambda x: x.monotone(math.tanh),
)
_elementwise(
    "asinh",
    1,
    partials=lambda out, x: (1.0 / _f(x, "hypot", 1.0),),
    interval=lambda x: x.monotone(math.asinh),
)
_elementwise("acosh", 1, partials=lambda out, x: (_reciprocal_root(x - 1.0) / _f(x + 1.0, "sqrt"),),
             interval=lambda x: NONNEGATIVE)  # fmt: skip
_elementwise(
    "atanh", 1, partials=lambda out, x: (1.0 / ((1.0 - x) * (1.0 + x)),), interval=lambda x: EVERYTHING
)

# -- special functions --------------------------------------------------------------------------
_TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)
_elementwise("erf", 1, partials=lambda out, x: (_TWO_OVER_ROOT_PI * _f(-(x * x), "exp"),),
             interval=lambda x: x.monotone(math.erf))  # fmt: skip
_elementwise("erfc", 1, partials=lambda out, x: (-_TWO_OVER_ROOT_PI * _f(-(x * x), "exp"),),
             interval=lambda x: Interval(0.0, 2.0, True, True))  # fmt: skip
_elementwise("erfcx", 1, partials=lambda out, x: (-(math.sqrt(2.0) * out * _mills_less_line(-math.sqrt(2.0) * x)),), interval=lambda x: POSITIVE,
             doc="exp(x²) erfc(x)")  # fmt: skip
_elementwise("normal_cdf", 1, partials=lambda out, x: (_f(-(x * x) / 2.0, "exp") / math.sqrt(2 * math.pi),),
             interval=lambda x: Interval(0.0, 1.0, True, True))  # fmt: skip
_elementwise("log_normal_cdf", 1, partials=lambda out, x: (_f(x, "inverse_mills"),),
             interval=lambda x: Interval(-math.inf, 0.0, False, True))  # fmt: skip
_elementwise("inverse_mills", 1, partials=lambda out, x: (-out * (x + out),), interval=lambda x: POSITIVE,
             doc="normal density over normal cdf: sqrt(2/pi) / erfcx(-x / sqrt(2))")  # fmt: skip
_elementwise("lgamma", 1, partials=lambda out, x: (_f(x, "digamma"),))
_elementwise("digamma", 1, partials=lambda out, x: (x.graph.apply("polygamma", x, attr=1),))
_elementwise("polygamma", 1, partials=lambda out, x: (x.graph.apply("polygamma", x, attr=out.attr + 1),),
             doc="attr: the order, at least 1")  # fmt: skip
_elementwise(
    "log_bessel_i0", 1, partials=lambda out, x: (_f(x, "bessel_ratio"),), interval=lambda x: NONNEGATIVE
)
_elementwise("bessel_ratio", 1, interval=lambda x: Interval(-1.0, 1.0, True, True),
             partials=lambda out, x: (1.0 - out * out - x.graph.select(x.graph.apply("eq", x, 0.0), 0.5, out / x),),
             doc="I1(x) / I0(x)")  # fmt: skip

# -- comparisons, logic, choice -----------------------------------------------------------------
for _name in ("eq", "ne", "lt", "le"):
    _elementwise(_name, 2, elem="bool", commutative=_name in ("eq", "ne"))
_elementwise("and", -1, elem="bool", commutative=True)
_elementwise("or", -1, elem="bool", commutative=True)
_elementwise("not", 1, elem="bool")
_elementwise("select", 3, elem=lambda args, attr: _branch_elem(args), interval=lambda c, a, b: a.union(b),
             doc="the second argument where the first holds, else the third; nothing flows to the other")  # fmt: skip
_elementwise("silence", 2, interval=lambda x, y: x * y,
             doc="x * y, and 0 where x is exactly 0 whatever y is: a factor beside a logarithm")  # fmt: skip
_elementwise("computed_as", 2, partials=lambda out, meaning, formula: (out.graph.const(1.0), None),
             interval=lambda meaning, formula: meaning,
             doc="the value of the second argument, the derivative of the first: two forms of one quantity, of which "
             "the first differentiates well and the second evaluates well")  # fmt: skip
# The derivative of silence in y is cleared where x is 0 by the differentiator, as for select.


# -- along axes ---------------------------------------------------------------------------------
def _without(args: tuple[Node, ...], attr: Any) -> frozenset[str]:
    return _union(args, attr) - frozenset(attr)


def _reduce(name: str, **columns: Any) -> None:
    _row(name, 1, "reduce", _without, **columns)


def _keep(name: str, **columns: Any) -> None:
    _row(name, 1, "along", _union, **columns)


_reduce("sum", elem=_number_elem, linear=True, interval=lambda x: _sum_interval(x))
_reduce(
    "prod",
    elem=_number_elem,
    interval=lambda x: UNIT if x.is_probability else NONNEGATIVE if x.nonnegative else EVERYTHING,
)
_reduce(
    "max",
    elem=_number_elem,
    interval=lambda x: x,
    doc="over nothing -inf; its derivative is shared among ties",
)
_reduce(
    "min",
    elem=_number_elem,
    interval=lambda x: x,
    doc="over nothing +inf; its derivative is shared among ties",
)
_reduce("any", elem="bool")
_reduce("all", elem="bool")
_reduce("count", elem="int", interval=lambda x: NONNEGATIVE, doc="how many are true")
_reduce("logsumexp", interval=lambda x: EVERYTHING, doc="of nothing, or of -inf alone, -inf")
_reduce("argmax", elem="int", interval=lambda x: NONNEGATIVE, doc="attr: one axis; the first of ties")
_reduce("argmin", elem="int", interval=lambda x: NONNEGATIVE, doc="attr: one axis; the first of ties")
_keep("softmax", interval=lambda x: UNIT, doc="0 where x is -inf; all 0 where all are")
_keep("log_softmax", interval=lambda x: Interval(-math.inf, 0.0), doc="-inf where x is -inf")
_keep("cumsum", elem=_number_elem, linear=True, interval=lambda x: _sum_interval(x), doc="attr: one axis")
_keep(
    "reverse_cumsum",
    elem=_number_elem,
    linear=True,
    interval=lambda x: _sum_interval(x),
    doc="attr: one axis; from the end",
)
_keep("cumlogsumexp", interval=lambda x: EVERYTHING, doc="attr: one axis")
_keep("argsort", elem="int", interval=lambda x: NONNEGATIVE, doc="attr: one axis; ascending, stable")
_row("decay_scan", 2, "along", _union, interval=lambda x, d: EVERYTHING,
     doc="attr: one axis. From the end: out[i] = x[i] + exp(d[i]) * out[i + 1], d <= 0, d at the last place unused")  # fmt: skip

# -- structure ----------------------------------------------------------------------------------
_row("contract", 2, "structure", _without, linear=True, interval=lambda a, b: _sum_interval(a * b),
     doc="the sum of a * b over attr")  # fmt: skip
_row("broadcast", 1, "structure", lambda args, attr: args[0].axes | attr, elem=_first_elem, linear=True,
     interval=lambda x: x, doc="repeats the argument along attr")  # fmt: skip
_row("rename", 1, "structure", lambda args, attr: args[0].axes - {attr[0]} | {attr[1]}, elem=_first_elem, linear=True,
     interval=lambda x: x, doc="attr: (old, new)")  # fmt: skip
_row("merge", 1, "structure", lambda args, attr: args[0].axes - set(attr[0]) | {attr[1]}, elem=_first_elem, linear=True,
     interval=lambda x: x, doc="attr: (axes, new)")  # fmt: skip
_row("unmerge", 1, "structure", lambda args, attr: args[0].axes - {attr[1]} | set(attr[0]), elem=_first_elem, linear=True,
     interval=lambda x: x, doc="attr: (axes, old): the inverse of merge")  # fmt: skip
_row("gather", 2, "structure", lambda args, attr: args[0].axes - {attr} | args[1].axes,
     elem=lambda args, attr: args[0].elem, interval=lambda x, at: x,
     doc="attr: the axis of x that the index replaces; out of range gives NaN, 0 or False")  # fmt: skip
_row("scatter_add", 2, "structure", lambda args, attr: frozenset(attr[1]) | {attr[0]}, linear=True,
     interval=lambda x, at: EVERYTHING,
     doc="attr: (axis, kept axes). Sums x into place at along axis, over the other axes; out of range is dropped")  # fmt: skip
_row("log_chain", 2, "structure", lambda args, attr: _union(args, attr) - {attr[1]} | {attr[0], attr[2]},
     interval=lambda start, steps: EVERYTHING,
     doc="attr: (time, source, state). out[t, j] = logsumexp over i of previous[i] + steps[t, i, j], where previous is "
     "start at t = 0 and out[t - 1] after; -inf is an impossible transition")  # fmt: skip
_row("chain_sum", 2, "structure", lambda args, attr: _union(args, attr) - {attr[1]} | {attr[0], attr[2]},
     interval=lambda x, weights: NONNEGATIVE if x.nonnegative and weights.nonnegative else EVERYTHING,
     doc="attr: (time, source, state, backward). out[t, j] = x[t, j] + the sum over i of weights[t, i, j] * out[t - 1, i]; "
     "backward, out[t, i] = x[t, i] + the sum over j of weights[t + 1, i, j] * out[t + 1, j]. "
     "The weights at t = 0 are unused")  # fmt: skip
_row("extern", -1, "structure", lambda args, attr: frozenset(attr[2]), elem=lambda args, attr: attr[3],
     doc="attr: (name, layouts of the arguments, layout of the result, element class, how many axes of the result "
     "ride along: they lead): a host function; cut out before differentiation and emission")  # fmt: skip
_row("stack", -1, "structure", lambda args, attr: _union(args, attr) | {attr}, linear=True,
     elem=lambda args, attr: args[0].elem if len({a.elem for a in args}) == 1 else "real",
     interval=lambda *xs: _hull(xs), doc="attr: the new axis")  # fmt: skip


# -- the helpers that the rows above are written with ---------------------------------------------


def _f(x: Node, op: str, *more: Node | float) -> Node:
    return x.graph.apply(op, x, *more)


def _square(x: Node) -> Node:
    return x * x


def _safe(out: Node, derivative: Node) -> Node:
    """``derivative``, and 0 where ``out`` is 0."""
    g = out.graph
    return g.select(g.apply("eq", out, 0.0), 0.0, derivative)


def _mills_less_line(x: Node) -> Node:
    return x + _f(x, "inverse_mills")


def _reciprocal_root(x: Node) -> Node:
    """1 / sqrt(x), and 0 where ``x`` is 0, as the derivative of sqrt is."""
    root = _f(x, "sqrt")
    return _safe(root, 1.0 / root)


def _product(out: Node, args: tuple[Node, ...]) -> Node:
    if not args:
        return out.graph.const(1.0)
    return out.graph.real(args[0]) if len(args) == 1 else out.graph.apply("mul", *args)


def _pow_partials(out: Node, a: Node, b: Node) -> tuple[Node | None, ...]:
    g = out.graph
    if b.op == "const":
        exponent = b.attr
        if exponent == 0:
            return (None, None)
        lowered = a if exponent == 2 else g.apply("pow", a, float(exponent - 1))
        return (float(exponent) * lowered if exponent != 1 else g.const(1.0), None)
    slope = g.select(g.apply("eq", b, 0.0), 0.0, b * g.apply("pow", a, b - 1.0))
    return (slope, g.select(g.apply("eq", a, 0.0), 0.0, out * _f(a, "log")))


def _extremum_partials(out: Node, a: Node, b: Node, better: str) -> tuple[Node | None, ...]:
    """Of min(a, b) and, with the arguments exchanged, max. A tie of two variables is split in half;
    against a constant the variable gets nothing (the hinge is flat at its corner)."""
    g = out.graph
    tie = 0.0 if "const" in (a.op, b.op) else 0.5
    at_tie = g.select(g.apply("eq", a, b), tie, 0.0)
    wins_a = g.select(g.apply(better, a, b), 1.0, at_tie)
    wins_b = g.select(g.apply(better, b, a), 1.0, at_tie)
    return (None if a.op == "const" else wins_a, None if b.op == "const" else wins_b)


def _clip_partials(out: Node, x: Node, lo: Node, hi: Node) -> tuple[Node | None, ...]:
    g = out.graph
    below, above = g.apply("lt", x, lo), g.apply("lt", hi, x)
    inside = g.apply("not", g.apply("or", below, above))
    return tuple(g.select(c, 1.0, 0.0) for c in (inside, below, above))


def _branch_elem(args: tuple[Node, ...]) -> Elem:
    kinds = {args[1].elem, args[2].elem}
    return args[1].elem if len(kinds) == 1 else "real"


def _fold_add(xs: tuple[Interval, ...]) -> Interval:
    total = point(0.0)
    for x in xs:
        total = total + x
    return total


def _fold_mul(xs: tuple[Interval, ...]) -> Interval:
    total = point(1.0)
    for x in xs:
        total = total * x
    return total


def _hull(xs: tuple[Interval, ...]) -> Interval:
    total = xs[0]
    for x in xs[1:]:
        total = total.union(x)
    return total


def _interval_min(a: Interval, b: Interval) -> Interval:
    low, low_open = min((a.low, a.low_open), (b.low, b.low_open))
    high, closed = min((a.high, not a.high_open), (b.high, not b.high_open))
    return Interval(low, high, low_open, not closed)


def _abs_interval(x: Interval) -> Interval:
    if x.nonnegative:
        return x
    if x.nonpositive:
        return -x
    high, closed = max((x.high, not x.high_open), (-x.low, not x.low_open))
    return Interval(0.0, high, False, not closed)


def _open_zero(x: Interval) -> Interval:
    """Exponentials never reach 0, even where their lower end rounds to it."""
    return Interval(x.low, x.high, True, x.high_open) if x.low == 0 else x


def _log_interval(x: Interval) -> Interval:
    return x.intersect(NONNEGATIVE).monotone(lambda v: -math.inf if v == 0 else math.log(v))


def _pow_interval(a: Interval, b: Interval) -> Interval:
    if b.low == b.high and float(b.low).is_integer():
        exponent = int(b.low)
        if exponent % 2 == 0 and exponent > 0:
            return _abs_interval(a).monotone(lambda v: v**exponent)
        if exponent > 0:
            return a.monotone(lambda v: v**exponent)
    if a.positive:
        return UNIT.intersect(POSITIVE) if a.high <= 1 and b.nonnegative else POSITIVE
    if a.nonnegative:
        return UNIT if a.high <= 1 and b.nonnegative else NONNEGATIVE
    return EVERYTHING


def _sum_interval(x: Interval) -> Interval:
    if x.positive:
        return POSITIVE  # axes are never empty; what a mask may empty is no longer provably positive
    return NONNEGATIVE if x.nonnegative else Interval(-math.inf, 0.0) if x.nonpositive else EVERYTHING


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else (math.exp(x) / (1 + math.exp(x)) if x > -700 else 0.0)


def _softplus(x: float) -> float:
    return x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x))
