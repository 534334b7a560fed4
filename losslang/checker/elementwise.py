"""The elementwise functions: one row each with how it lowers and the kind it gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from losslang import model as m
from losslang.checker.arithmetic import by_range, joined_kind, map_members, require_aligned
from losslang.checker.conversion import as_real
from losslang.checker.guards import warn_guard
from losslang.checker.scope import Context, Scope, shown
from losslang.checker.values import Meaning, Value, derived
from losslang.ir import Node
from losslang.kinds import INDEX, PROB, Kind
from losslang.ranges import interval_of
from losslang.source import Span

Lower = Callable[[Context, list[Value], Span], Value]


@dataclass(frozen=True, slots=True)
class Elementwise:
    """``parameters`` are the names by which arguments may be given."""

    parameters: tuple[str, ...]
    lower: Lower


def _plain(op: str) -> Lower:
    def lower(context: Context, values: list[Value], span: Span) -> Value:
        node = context.graph.apply(op, *(v.node for v in values))
        return derived(node, by_range(interval_of(node)), values)

    return lower


def _exp(context: Context, values: list[Value], span: Span) -> Value:
    x = values[0]
    node = context.graph.apply("exp", x.node)
    kind = Kind("prob", x.kind.over) if x.kind.name == "logprob" else by_range(interval_of(node))
    return derived(node, kind, values)


def logarithm(context: Context, x: Value, span: Span) -> Value:
    """The natural logarithm; of a probability it saturates at the smallest normal number."""
    if x.kind.name == "prob":
        node = context.graph.apply("log_saturated", x.node)
        return derived(node, Kind("logprob", x.kind.over), [x], logarithmic=True)
    _judge_domain(context, x, span, "log")
    node = context.graph.apply("log", x.node)
    return derived(node, by_range(interval_of(node)), [x], logarithmic=True)


def _log(context: Context, values: list[Value], span: Span) -> Value:
    return logarithm(context, values[0], span)


def _log2(context: Context, values: list[Value], span: Span) -> Value:
    natural = logarithm(context, values[0], span)
    node = natural.node / math.log(2)
    return derived(node, by_range(interval_of(node)), [natural], logarithmic=True)


def _log1p(context: Context, values: list[Value], span: Span) -> Value:
    node = context.graph.apply("log1p", values[0].node)
    if (values[0].interval.high) < -1:
        raise context.fail(
            "LL237", "log1p of a number below -1", span, "take it of `abs(x)`, or check the sign"
        )
    return derived(node, by_range(interval_of(node)), values, logarithmic=True)


def _judge_domain(context: Context, x: Value, span: Span, name: str) -> None:
    interval = x.interval
    if interval.negative or (name == "log" and x.constant is not None and x.constant < 0):
        raise context.fail(
            "LL237", f"`{name}` of a number that is always negative", span,
            f"check the sign: `-{name}(x)` is not `{name}(-x)`",
        )  # fmt: skip
    if name == "log" and not interval.nonnegative:
        help = "declare the input `positive` or with a range, or write `log(abs(x))` or `log(exp(x) + …)`"
        if x.kind.name == "logit":
            squashed = f"softmax[{shown(x.kind.over)}](x)" if x.kind.over else "sigmoid(x)"
            help = f"a logit is no probability yet: write `log({squashed})`"
        context.reporter.add(
            "LL307",
            f"the sign of this `{x.kind}` is not known, and `log` needs a positive number",
            span,
            help,
        )


def _sqrt(context: Context, values: list[Value], span: Span) -> Value:
    _judge_domain(context, values[0], span, "sqrt")
    node = context.graph.apply("sqrt", values[0].node)
    return derived(node, by_range(interval_of(node)), values)


def _sigmoid(context: Context, values: list[Value], span: Span) -> Value:
    if values[0].kind.name == "prob":
        context.reporter.add(
            "LL308", "this is a probability already: `sigmoid` would squash it a second time", span,
            "drop the `sigmoid`, or declare the input `logit`",
        )  # fmt: skip
    return derived(context.graph.apply("sigmoid", values[0].node), PROB, values)


def _normal_cdf(context: Context, values: list[Value], span: Span) -> Value:
    return derived(context.graph.apply("normal_cdf", values[0].node), PROB, values)


def _stop(context: Context, values: list[Value], span: Span) -> Value:
    x = values[0]
    return derived(context.graph.apply("stop", x.node), x.kind, values, x.logarithmic)


def _floor(context: Context, values: list[Value], span: Span) -> Value:
    return derived(context.graph.apply("floor", values[0].node), INDEX, values)


def _extremum(op: str) -> Lower:
    def lower(context: Context, values: list[Value], span: Span) -> Value:
        node = values[0].node
        for value in values[1:]:
            node = context.graph.apply(op, node, value.node)
        kind = joined_kind(values, node)
        if kind.name == "logit" and any(v.constant is not None for v in values):
            kind = by_range(interval_of(node))  # cut off at a number it is no log-odds any more
        return derived(node, kind, values)

    return lower


def _clip(context: Context, values: list[Value], span: Span) -> Value:
    x, low, high = values
    if low.constant is not None and high.constant is not None and low.constant > high.constant:
        raise context.fail("LL237", "the lower bound of `clip` is above the upper one", span, "exchange them")
    node = context.graph.apply("clip", x.node, low.node, high.node)
    kind = (
        x.kind
        if x.kind.name in ("prob", "logit", "score") and x.kind.over is None
        else by_range(interval_of(node))
    )
    return derived(node, kind, values)


def _prob(context: Context, values: list[Value], span: Span) -> Value:
    """``prob(x)``: the probability that a logit, probability or log-probability stands for."""
    x = values[0]
    if x.kind.name == "prob":
        return x
    if x.kind.name == "logprob":
        return _exp(context, values, span)
    if x.kind.name == "logit":
        if x.kind.over is None:
            return derived(context.graph.apply("sigmoid", x.node), PROB, values)
        node = _masked_softmax(context, x, "softmax")
        return derived(node, Kind("prob", x.kind.over), values)
    raise context.fail(
        "LL201", f"`prob` needs a logit, a probability or a log-probability, not a `{x.kind}`", span,
        "say which it is, as in `x as logit`",
    )  # fmt: skip


def _log_prob(context: Context, values: list[Value], span: Span) -> Value:
    x = values[0]
    if x.kind.name == "logprob":
        return Value(x.node, x.kind, x.spoilt, x.introduced, True, x.ordered)
    if x.kind.name == "logit" and x.kind.over is not None:
        node = _masked_softmax(context, x, "log_softmax")
        return derived(node, Kind("logprob", x.kind.over), values, logarithmic=True)
    return logarithm(context, _prob(context, values, span), span)


def _masked_softmax(context: Context, x: Value, op: str) -> Node:
    over = x.kind.over or ""
    mask = context.restrictions.get(over)
    node = x.node if mask is None else context.graph.select(mask, x.node, -math.inf)
    return context.graph.along(op, node, [over])


def _valid(context: Context, values: list[Value], span: Span) -> Value:
    y = values[0]
    if y.kind.name != "label":
        raise context.fail(
            "LL201", f"`valid` is for labels, not for a `{y.kind}`", span, "use a mask or a comparison"
        )
    if y.kind.ignoring is None and context.reporter.frames:
        return Value(context.graph.const(True), Kind("mask"))  # a definition serves labels of both sorts
    if y.kind.ignoring is None:
        raise context.fail(
            "LL201", "this label ignores nothing, so all of it is valid", span,
            "declare what it ignores: `label[…] of c ignoring -100`",
        )  # fmt: skip
    node = context.graph.apply("ne", y.node, y.kind.ignoring)
    return derived(node, Kind("mask"), [Value(y.node, y.kind, frozenset(), y.introduced)])


def _unary(op: str) -> Elementwise:
    return Elementwise(("x",), _plain(op))


_PLAIN = [
    "abs",
    "sign",
    "expm1",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "softplus",
    "erf",
    "erfc",
    "lgamma",
    "digamma",
    "log_bessel_i0",
    "bessel_ratio",
]

ELEMENTWISE: dict[str, Elementwise] = {
    **{name: _unary(name) for name in _PLAIN},
    "exp": Elementwise(("x",), _exp),
    "log": Elementwise(("x",), _log),
    "log1p": Elementwise(("x",), _log1p),
    "log2": Elementwise(("x",), _log2),
    "sqrt": Elementwise(("x",), _sqrt),
    "sigmoid": Elementwise(("x",), _sigmoid),
    "logaddexp": Elementwise(("a", "b"), _plain("logaddexp")),
    "normal_cdf": Elementwise(("x",), _normal_cdf),
    "stop": Elementwise(("x",), _stop),
    "floor": Elementwise(("x",), _floor),
    "clip": Elementwise(("x", "low", "high"), _clip),
    "prob": Elementwise(("x",), _prob),
    "log_prob": Elementwise(("x",), _log_prob),
    "valid": Elementwise(("y",), _valid),
}
#: min and max take any number of arguments when they have no axes.
VARIADIC: dict[str, Lower] = {"min": _extremum("minimum"), "max": _extremum("maximum")}
#: Functions whose argument is not turned into a real number first.
UNCONVERTED = frozenset(("stop", "valid", "prob", "log_prob"))


def call_elementwise(context: Context, scope: Scope, call: m.Call, arguments: list[m.Expression]) -> Meaning:
    """A call of a function of the table, its arguments in the order of the parameters."""
    lower = VARIADIC[call.function] if call.function in VARIADIC else ELEMENTWISE[call.function].lower
    meanings = context.eval_all(scope, arguments)
    if call.function in ("log", "log2"):
        warn_guard(context, scope, call)

    def one(values: list[Value]) -> Value:
        if call.function not in UNCONVERTED:
            values = _converted(context, call.function, values, arguments)
        require_aligned(context, values, call.span)
        return lower(context, values, call.span)

    return map_members(context, meanings, call.span, one)


def _converted(
    context: Context, name: str, values: list[Value], arguments: list[m.Expression]
) -> list[Value]:
    keeps_integers = name in VARIADIC or name == "clip"
    if keeps_integers and all(v.node.elem == "int" and v.kind.name != "label" for v in values):
        return values
    return [as_real(context, v, a.span) for v, a in zip(values, arguments, strict=True)]
