"""The table of section 4: which kinds may serve as which, and what a refusal advises."""

from __future__ import annotations

from collections.abc import Callable

from losslang import model as m
from losslang.checker.scope import Context, Scope, resolve_axis, shown
from losslang.checker.suggest import did_you_mean, listing
from losslang.checker.values import Meaning, Value, constants_in
from losslang.ir import Node
from losslang.kinds import ABSTRACT, CONCRETE, INTERVALS, Kind
from losslang.source import Span

#: Kinds that mean a quantity: they may serve as `real`.
QUANTITIES = frozenset(
    ("real", "positive", "weight", "count", "score", "logit", "prob", "logprob", "embedding", "parameter", "binary",
     "sign", "mask", "index")
)  # fmt: skip
#: What may serve as a logit: unbounded numbers, not those with a meaning of their own.
AS_LOGIT = frozenset(("logit", "real", "score", "embedding", "parameter", "positive", "weight"))
WITH_OVER = ("logit", "prob", "logprob", "categorical")

_ADVICE = {
    ("prob", "logit"): "give the logits themselves, or `log(p / (1 - p))`",
    ("logprob", "logit"): "give the logits, or say `as logit over AXIS` if these are unnormalized",
    ("logit", "prob"): "write `sigmoid(x)`, or `softmax[axis](x)` for a distribution over an axis",
    (
        "real",
        "prob",
    ): "write `sigmoid(x)`, clip it to [0, 1], or say `as prob` if it is a probability already",
    ("score", "prob"): "write `sigmoid(x)`, or say `as prob` if it is a probability already",
    ("binary", "sign"): "write `2 * y - 1`, or declare the input `sign`",
    ("sign", "prob"): "write `(y + 1) / 2`, or declare the input `binary`",
    ("sign", "binary"): "write `(y + 1) / 2`, or declare the input `binary`",
    (
        "real",
        "positive",
    ): "write `exp(x)` or `softplus(x)`, declare it `positive` or with a range `> 0`, or say `as positive`",
    ("logit", "positive"): "write `exp(x)` or `softplus(x)`",
    (
        "real",
        "weight",
    ): "write `abs(x)` or `x^2`, declare it `weight`, or say `as weight` if it is never negative",
}


def kind_from(context: Context, scope: Scope, written: m.KindExpr, in_def: bool) -> Kind:
    """The kind that a text names, its axes resolved; reports what is wrong with it."""
    names = (*CONCRETE, *ABSTRACT) if in_def else CONCRETE
    if written.name not in names:
        if written.name in ABSTRACT:
            raise context.fail(
                "LL217", f"`{written.name}` is for parameters of a `def` only", written.span,
                "declare what the numbers are: `logit`, `prob` or `logprob`",
            )  # fmt: skip
        help = did_you_mean(written.name, names) or f"kinds: {listing(names, limit=20)}"
        raise context.fail("LL104", f"there is no kind `{written.name}`", written.span, help)
    over = resolve_axis(context, scope, written.over, written.span) if written.over else None
    of = _pointed_axis(context, scope, written, in_def)
    if over and written.name not in WITH_OVER:
        raise context.fail("LL218", f"a `{written.name}` has no `over`", written.span, "drop `over …`")
    if of and written.name != "label":
        raise context.fail("LL218", f"a `{written.name}` has no `of`", written.span, "drop `of …`")
    if written.name == "label" and not of and not in_def:
        raise context.fail(
            "LL218", "a label must say which axis it points into", written.span, "write `label of AXIS`"
        )
    if written.name == "categorical" and not over:
        raise context.fail(
            "LL218", "`categorical` must say over which axis", written.span, "write `categorical over c`"
        )
    if written.ignoring is not None and written.name != "label":
        raise context.fail("LL218", "only a label can ignore a value", written.span, "drop `ignoring …`")
    return Kind(written.name, over, of, written.ignoring)


def _pointed_axis(context: Context, scope: Scope, written: m.KindExpr, in_def: bool) -> str | None:
    """A label may point into an axis that nothing else has; a parameter of a def names one of its own."""
    if written.of is None or (not in_def and written.of not in scope.axes):
        return written.of
    return resolve_axis(context, scope, written.of, written.span)


def single(context: Context, meaning: Meaning, span: Span) -> Value:
    """A plain value; a collection has to be reduced first."""
    if isinstance(meaning, Value):
        return meaning
    raise context.fail(
        "LL221", "a collection of tensors cannot be used as one tensor here", span,
        "use it elementwise and reduce it over everything, as in `l2(theta)`",
    )  # fmt: skip


def as_number(context: Context, value: Value, span: Span) -> Value:
    """``value`` where a number is wanted: masks become 0 and 1, labels are refused."""
    if value.kind.name == "label":
        raise context.fail(
            "LL202", "a label is a name of a class, not a number", span,
            "compare it (`y == 3`), pick with it (`x[c = y]`), or give it to a loss that takes labels; "
            "if the order matters, declare it `count` or `real`",
        )  # fmt: skip
    if value.node.elem == "bool":
        return Value(
            context.graph.real(value.node), Kind("binary"), value.spoilt, value.introduced, False, value.ordered,
            times_mask=_is_mask(value.node),
        )  # fmt: skip
    return value


def _is_mask(node: Node) -> bool:
    """A declared mask, or one made of it; a comparison is an indicator, which may well be averaged."""
    if node.op in ("and", "or", "not", "rename"):
        return any(_is_mask(a) for a in node.args)
    return node.op == "input" and node.elem == "bool"


def as_real(context: Context, value: Value, span: Span) -> Value:
    number = as_number(context, value, span)
    if number.node.elem == "real":
        return number
    return number.with_node(to_real(context, number))


def to_real(context: Context, value: Value) -> Node:
    node = value.node
    if node.op == "const":
        return context.graph.const(float(node.attr))
    return context.graph.real(node)


def as_boolean(context: Context, value: Value, span: Span, where: str) -> Value:
    if value.node.elem == "bool":
        return value
    help = (
        "write a comparison, such as `y == 1`"
        if value.kind.name == "binary"
        else "write a comparison or a mask"
    )
    raise context.fail("LL210", f"{where} must be true or false, this is a `{value.kind}`", span, help)


def suit(context: Context, value: Value, target: Kind, span: Span, what: str) -> Value:
    """``value`` as an argument of kind ``target``, converted where section 4 allows, else refused."""
    name, source = target.name, value.kind.name
    if name == "label":
        return _suit_label(context, value, target, span, what)
    if source == "label":
        as_number(context, value, span)
    if name in ABSTRACT:
        return _suit_abstract(context, value, target, span, what)
    if name == "mask":
        return as_boolean(context, value, span, what)
    if not _serves(value, name):
        raise _refuse(context, value, target, span, what)
    number = as_real(context, value, span)
    if name in ("logit", "prob", "logprob") and target.over and target.over not in value.axes:
        raise context.fail(
            "LL207", f"{what} lacks the axis `{shown(target.over)}` that it is distributed over", span,
            f"give a value with the axis `{shown(target.over)}`",
        )  # fmt: skip
    if target.over is None and source == name and value.kind.over is not None:
        return number
    if name in ("real", "parameter"):
        return number
    return number.with_node(number.node, Kind(name, target.over))


def _serves(value: Value, name: str) -> bool:
    source, interval, constant = value.kind.name, value.interval, value.constant
    if name in ("real", "score", "embedding", "parameter", "parameters"):
        return source in QUANTITIES
    if name == "logit":
        return source in AS_LOGIT or (source == "index" and constants_in(value.node) is not None)
    if name == "prob":
        return source in ("prob", "binary", "mask") or (
            source not in ("logit", "sign") and interval.is_probability
        )
    if name == "logprob":
        return source == "logprob" or (source == "real" and interval.nonpositive and constant is None)
    if name == "positive":
        return source == "positive" or interval.positive
    if name == "weight":
        return interval.nonnegative
    if name == "binary":
        return source in ("binary", "mask") or _made_of(value, lambda v: v in (0.0, 1.0))
    if name == "sign":
        return source == "sign" or _made_of(value, lambda v: v in (-1.0, 1.0))
    if name == "count":
        return source in ("count", "index", "binary", "mask") or _made_of(
            value, lambda v: v >= 0 and v.is_integer()
        )
    return source == name


def _made_of(value: Value, allowed: Callable[[float], bool]) -> bool:
    """Whether the value is a constant, or a literal of constants, that are all allowed."""
    numbers = constants_in(value.node)
    return numbers is not None and all(allowed(float(n)) for n in numbers)


def _refuse(context: Context, value: Value, target: Kind, span: Span, what: str) -> Exception:
    source = value.kind.name
    help = (
        _ADVICE.get((source, target.name))
        or f"give a `{target.name}`, or state the kind with `as {target.name}`"
    )
    constant = value.constant
    if constant is not None:
        found = f"the number {constant:g}"
    elif source == "index":
        found = "a whole number, which may be 0" if target.name == "positive" else "a whole number"
    elif source == "real" and target.name in ("positive", "weight"):
        found = "a `real` whose sign is not known"
    else:
        found = f"a `{shown_kind(value.kind)}`"
    return context.fail("LL201", f"{what} must be a `{shown_kind(target)}`, but this is {found}", span, help)


def shown_kind(kind: Kind) -> str:
    return str(Kind(kind.name, kind.over and shown(kind.over), kind.of and shown(kind.of)))


def _suit_label(context: Context, value: Value, target: Kind, span: Span, what: str) -> Value:
    if value.kind.name in ("index",) or (value.constant is not None and value.node.elem == "int"):
        return value
    if value.kind.name != "label":
        help = f"declare it `label of {shown(target.of or 'AXIS')}`"
        if value.kind.name == "binary":
            help = "use a loss for two classes, such as `binary_cross_entropy`, or declare it a label"
        raise context.fail(
            "LL201",
            f"{what} must be a `{shown_kind(target)}`, but this is a `{shown_kind(value.kind)}`",
            span,
            help,
        )
    if target.of and value.kind.of and not same_axis(context, value.kind.of, target.of):
        raise context.fail(
            "LL201",
            f"{what} must be a label of `{shown(target.of)}`, but this is a label of `{shown(value.kind.of)}`",
            span,
            "use the label that belongs to this axis, or rename the axis",
        )
    return value


def same_axis(context: Context, a: str, b: str) -> bool:
    return context.graph.size_root(a) == context.graph.size_root(b)


def _suit_abstract(context: Context, value: Value, target: Kind, span: Span, what: str) -> Value:
    source = value.kind.name
    if target.name == "bernoulli":
        if source in ("binary", "mask"):
            return as_real(context, value, span).with_node(as_real(context, value, span).node, Kind("prob"))
        if source in ("logit", "prob", "logprob") and value.kind.over is None:
            return value
        if source in ("logit", "prob", "logprob"):
            raise context.fail(
                "LL201",
                f"{what} is about one event, but this is a distribution over `{shown(value.kind.over or '')}`",
                span,
                f"pick one class, or say `as {source}` if each entry is an event of its own",
            )
        if (
            source in ("real", "weight", "positive")
            and value.constant is None
            and value.interval.is_probability
        ):
            return value.with_node(value.node, Kind("prob"))
        raise context.fail(
            "LL201", f"{what} must say what it is: a `logit`, a `prob` or a `logprob`; this is {_found(value)}", span,
            "say which with `as logit` or `as prob`, or declare the input so",
        )  # fmt: skip
    over = target.over or ""
    if source in ("logit", "prob", "logprob") and value.kind.over == over:
        return value
    if source in ("logit", "prob", "logprob") and value.kind.over is None and over not in value.axes:
        raise context.fail(
            "LL207",
            f"{what} lacks the axis `{shown(over)}`",
            span,
            f"it needs one number for each `{shown(over)}`",
        )
    if source in ("real", "weight", "positive") and _proven_distribution(value) and over in value.axes:
        return value.with_node(value.node, Kind("prob", over))
    if source in ("logit", "prob", "logprob") and value.kind.over:
        problem = f"it is distributed over `{shown(value.kind.over)}`, not over `{shown(over)}`"
    elif source in ("logit", "prob", "logprob"):
        problem = f"this `{source}` is of one event each"
    else:
        problem = f"this is {_found(value)}"
    raise context.fail(
        "LL201", f"{what} must be a distribution over `{shown(over)}`: {problem}", span,
        f"declare it `logit[…] over {shown(over)}`, or say `as logit over {shown(over)}`",
    )  # fmt: skip


def _proven_distribution(value: Value) -> bool:
    return value.constant is None and value.interval.is_probability


def _found(value: Value) -> str:
    return (
        f"the bare number {value.constant:g}"
        if value.constant is not None
        else f"a `{shown_kind(value.kind)}`"
    )


def restate(context: Context, value: Value, target: Kind, span: Span) -> Value:
    """``EXPR as KIND``: the user's word for what the compiler cannot infer."""
    source = value.kind.name
    contradiction = {source, target.name} in ({"binary", "sign"}, {"prob", "logit"})
    if contradiction or (source == "label") != (target.name == "label"):
        suit(context, value, target, span, "this value")
    if target.over and target.over not in value.axes:
        raise context.fail(
            "LL207", f"this value has no axis `{shown(target.over)}` to be distributed over", span,
            f"it has {', '.join(sorted(shown(a) for a in value.axes)) or 'no axes'}",
        )  # fmt: skip
    if target.name == "mask":
        return as_boolean(context, value, span, "a mask")
    if target.name == "label":
        return value.with_node(value.node, target)
    promised = INTERVALS.get(target.name)
    constant = value.constant
    if constant is not None and promised is not None and not promised.contains(constant):
        raise context.fail(
            "LL201", f"{constant:g} is no `{target.name}`", span, _ADVICE.get((source, target.name), "")
        )
    number = as_real(context, value, span)
    if number.node.op not in ("const", "input"):
        graph = context.graph
        graph.declared[number.node] = Value(number.node, target).interval
        graph.intervals.pop(number.node, None)
    return number.with_node(number.node, target)
