"""Constant expressions of declarations: defaults, ranges, schedules, array defaults."""

from __future__ import annotations

import math

from losslang import model as m
from losslang.checker.scope import Context
from losslang.checker.suggest import did_you_mean
from losslang.interval import Interval
from losslang.lowered import NestedFloats, Schedule
from losslang.source import Span

SCHEDULES = ("linear", "cosine", "exponential", "constant")
_NAMED = {"pi": math.pi, "inf": math.inf}


def number(context: Context, expression: m.Expression) -> float:
    """The value of constant arithmetic."""
    try:
        value = _number(context, expression)
    except (ZeroDivisionError, OverflowError, ValueError):
        raise context.fail(
            "LL236", "this arithmetic has no value", expression.span, "write a number that can be computed"
        ) from None
    if math.isnan(value):
        raise context.fail("LL236", "this arithmetic has no value", expression.span, "write a number")
    return value


def _number(context: Context, node: m.Expression) -> float:
    if isinstance(node, m.Number):
        return float(node.value)
    if isinstance(node, m.Name) and node.id in _NAMED:
        return _NAMED[node.id]
    if isinstance(node, m.Unary):
        return -_number(context, node.operand)
    if isinstance(node, m.Power):
        result = _number(context, node.base) ** _number(context, node.exponent)
        if isinstance(result, complex):
            raise ValueError("no real power")
        return float(result)
    if isinstance(node, m.Chain):
        total = _number(context, node.first)
        for link in node.rest:
            total = _apply(link.op, total, _number(context, link.operand))
        return total
    functions = {"exp": math.exp, "log": math.log, "sqrt": math.sqrt, "log2": math.log2}
    if isinstance(node, m.Call) and node.function in functions and len(node.args) == 1 and node.along is None:
        return float(functions[node.function](_number(context, node.args[0])))
    raise context.fail(
        "LL236", "this must be a number that does not depend on anything", node.span,
        "write a number, or arithmetic with numbers and `pi`",
    )  # fmt: skip


def _apply(op: str, a: float, b: float) -> float:
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return a * b
    return a / b if op == "/" else a % b


def interval(context: Context, written: m.Range | None) -> Interval:
    if written is None:
        return Interval()
    low = number(context, written.low) if written.low is not None else -math.inf
    high = number(context, written.high) if written.high is not None else math.inf
    if low > high or (low == high and (written.low_open or written.high_open)):
        raise context.fail("LL234", "this range contains no number", written.span, "exchange its ends")
    return Interval(low, high, written.low_open, written.high_open)


def shown_interval(interval: Interval) -> str:
    """A range as it is written."""
    if interval.low == -math.inf and interval.high == math.inf:
        return "any number"
    if interval.high == math.inf:
        return f"{'>' if interval.low_open else '>='} {interval.low:g}"
    if interval.low == -math.inf:
        return f"{'<' if interval.high_open else '<='} {interval.high:g}"
    left, right = "(" if interval.low_open else "[", ")" if interval.high_open else "]"
    return f"in {left}{interval.low:g}, {interval.high:g}{right}"


def default(
    context: Context, expression: m.Expression, axes: tuple[str, ...], names: tuple[str, ...]
) -> NestedFloats | Schedule:
    """The default of a hyperparameter: a number, an array along its axes, or a schedule."""
    if isinstance(expression, m.Call) and expression.function in SCHEDULES:
        return _schedule(context, expression)
    if isinstance(expression, m.Array):
        return _array(context, expression, axes, names)
    if isinstance(expression, m.Call):
        help = did_you_mean(expression.function, SCHEDULES)
        if help:
            raise context.fail(
                "LL236", f"there is no schedule `{expression.function}`", expression.span, help
            )
    return number(context, expression)


def _schedule(context: Context, call: m.Call) -> Schedule:
    names = ("value",) if call.function == "constant" else ("start", "end", "over")
    form = f"`{call.function}(a)`" if call.function == "constant" else f"`{call.function}(a, b, over=N)`"
    given = dict(zip(names, call.args, strict=False))
    for argument in call.kwargs:
        if argument.name not in names or argument.name in given:
            raise context.fail(
                "LL114", f"a schedule has no `{argument.name}` here", argument.span, f"write {form}"
            )
        given[argument.name] = argument.value
    if len(call.args) > len(names) or set(given) != set(names) or call.along is not None:
        raise context.fail("LL114", f"this schedule is {form}", call.span, f"write {form}")
    values = {name: number(context, e) for name, e in given.items()}
    if call.function == "constant":
        return Schedule("constant", values["value"], values["value"], 1.0)
    if not values["over"] > 0 or math.isinf(values["over"]):
        raise context.fail(
            "LL234", "a schedule runs over a positive number of steps", call.span, "write `over=1000`"
        )
    if call.function == "exponential" and not values["start"] * values["end"] > 0:
        raise context.fail(
            "LL234", "an exponential schedule needs two numbers of one sign, neither 0", call.span,
            "start from a small number such as 1e-3, or use `linear` or `cosine`",
        )  # fmt: skip
    return Schedule(call.function, values["start"], values["end"], values["over"])


def _array(context: Context, node: m.Array, axes: tuple[str, ...], names: tuple[str, ...]) -> NestedFloats:
    if set(node.axes) != set(names) or len(node.axes) != len(names):
        wanted = ", ".join(names) or "no axes"
        raise context.fail(
            "LL219", f"this default lies along ({', '.join(node.axes)}), the hyperparameter has ({wanted})", node.span,
            f"write `along {names[0]}`" if len(names) == 1 else f"write `along ({wanted})`" if names else "give a number",
        )  # fmt: skip
    nested = _rows(context, node, len(node.axes))
    return nested if node.axes == names else _transposed(nested, node.axes, names)


def _rows(context: Context, node: m.Expression, depth: int) -> NestedFloats:
    if depth == 0:
        return number(context, node)
    if not isinstance(node, m.Array):
        raise context.fail(
            "LL219", "this literal needs a bracket for each axis", node.span, "write `[[1, 2], [3, 4]]`"
        )
    rows = tuple(_rows(context, item, depth - 1) for item in node.items)
    if depth > 1 and len({len(r) for r in rows if isinstance(r, tuple)}) > 1:
        raise context.fail(
            "LL219", "the rows of this literal differ in length", node.span, "make them equally long"
        )
    return rows


def _transposed(nested: NestedFloats, axes: tuple[str, ...], names: tuple[str, ...]) -> NestedFloats:
    sizes = {}
    level = nested
    for axis in axes:
        assert isinstance(level, tuple)
        sizes[axis] = len(level)
        level = level[0]

    def at(place: dict[str, int]) -> float:
        value = nested
        for axis in axes:
            assert isinstance(value, tuple)
            value = value[place[axis]]
        assert isinstance(value, float)
        return value

    def build(order: tuple[str, ...], place: dict[str, int]) -> NestedFloats:
        if not order:
            return at(place)
        return tuple(build(order[1:], {**place, order[0]: i}) for i in range(sizes[order[0]]))

    return build(names, {})


def leaves(nested: NestedFloats) -> list[float]:
    return [v for item in nested for v in leaves(item)] if isinstance(nested, tuple) else [float(nested)]


def require_within(
    context: Context, value: NestedFloats | Schedule, allowed: Interval, name: str, span: Span
) -> None:
    """Defaults and overrides stay inside the declared range; so do both ends of a schedule."""
    numbers = [value.start, value.end] if isinstance(value, Schedule) else leaves(value)
    for each in numbers:
        if not allowed.contains(each) or math.isinf(each):
            raise context.fail(
                "LL234", f"{each:g} is outside the range of `{name}`, which is {shown_interval(allowed)}", span,
                "choose a number in the range, or widen it",
            )  # fmt: skip
