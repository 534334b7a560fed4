"""Calls of operations along axes: their axes, masks and weights, and what outlives them."""

from __future__ import annotations

from losslang import model as m
from losslang.checker.arithmetic import guards
from losslang.checker.conversion import as_boolean, as_real, shown_kind
from losslang.checker.reductions import ALONG, Along, Row
from losslang.checker.scope import Context, Scope, resolve_axes, shown, shown_axes
from losslang.checker.values import Collection, Meaning, Value
from losslang.checker.walking import children
from losslang.ir import Node
from losslang.kinds import Kind


def call_along(context: Context, scope: Scope, call: m.Call) -> Meaning:
    """``f[axes where M by w](x)`` for a function of the table."""
    row = ALONG[call.function]
    options = _options(context, call, row)
    meaning = context.eval(scope, call.args[0])
    if call.along is None:
        raise context.fail(
            "LL213", f"`{call.function}` must name the axes it works along", call.span,
            f"write `{call.function}[axis](…)`; the argument has {_axes_of(meaning)}",
        )  # fmt: skip
    if isinstance(meaning, Collection):
        from losslang.checker.collections import call_on_collection

        return call_on_collection(context, scope, call, meaning, options)
    return along_value(context, scope, call, meaning, options)


def along_value(
    context: Context,
    scope: Scope,
    call: m.Call,
    x: Value,
    options: dict[str, float],
    along: Along | None = None,
) -> Value:
    row = ALONG[call.function]
    x = _taken(context, row, x, call)
    along = along or resolve_along(context, scope, call, [x], options)
    _require_reducible(along, x, row, scope, call)
    if row.keeps:
        missing = frozenset(along.axes) - x.axes
        assert not missing
    else:
        x = x.with_node(context.graph.broadcast(x.node, frozenset(along.axes) - x.axes))
    _warn_masked_mean(along, x)
    node, kind = row.lower(along, x)
    return finish(along, x, node, kind, keeps=row.keeps, sorts=row.sorts)


def finish(along: Along, x: Value, node: Node, kind: Kind, keeps: bool, sorts: bool = False) -> Value:
    """The result with the facts that outlive the operation."""
    spoilt = frozenset(y for y in x.spoilt if not _covered(along, y))
    if not keeps:
        for label in spoilt:
            if label.axes & frozenset(along.axes):
                raise along.context.fail(
                    "LL211",
                    f"this averages over places where the label `{label.attr[0] if label.op == 'input' else 'y'}` "
                    "is ignored, which have no loss",
                    along.span,
                    f"keep the valid ones: `{along.name}[… where valid({_label_name(label)})](…)`",
                )
    gone = frozenset() if keeps else frozenset(along.axes)
    introduced = (x.introduced | _mask_axes(along)) - gone
    ordered = (x.ordered - gone) | (
        frozenset(a for a in along.axes if a in along.context.restrictions) if sorts else frozenset()
    )
    logarithmic = along.name in ("log_softmax",) or (
        x.logarithmic and along.name in ("sum", "mean", "max", "min", "cumsum")
    )
    return Value(node, kind, spoilt, introduced, logarithmic, ordered)


def _label_name(label: Node) -> str:
    return str(label.attr[0]) if label.op == "input" else "y"


def _covered(along: Along, label: Node) -> bool:
    return along.mask is not None and guards(along.mask, label)


def _mask_axes(along: Along) -> frozenset[str]:
    return along.mask.axes if along.mask is not None else frozenset()


def _taken(context: Context, row: Row, x: Value, call: m.Call) -> Value:
    span = call.args[0].span
    if row.takes == "boolean":
        return as_boolean(context, x, span, f"what `{call.function}` looks at")
    if row.takes == "number" and x.node.elem == "int" and x.kind.name != "label":
        return x
    if row.takes == "number" and x.node.elem == "real":
        return x
    return as_real(context, x, span)


def resolve_along(
    context: Context, scope: Scope, call: m.Call, values: list[Value], options: dict[str, float]
) -> Along:
    """Axes, mask (with the restrictions of the axes) and weight of a call."""
    assert call.along is not None
    everything = frozenset().union(*(v.axes for v in values))
    axes = resolve_axes(context, scope, call.along.axes, everything)
    masks = []
    introduced = frozenset().union(*(v.introduced for v in values))
    if call.along.where is not None:
        masks.append(_mask(context, scope, call, everything, introduced))
    for axis in axes:
        restriction = restriction_of(context, axis, values)
        if restriction is not None:
            masks.append(restriction)
    weight = None
    if call.along.by is not None:
        weight = _weight(context, scope, call, everything | _axes_union(masks), introduced)
    mask = (
        None
        if not masks
        else masks[0]
        if len(masks) == 1
        else context.graph.apply("and", *dict.fromkeys(masks))
    )
    return Along(context, call.function, tuple(axes), mask, weight, call.span, options)


def _axes_union(nodes: list[Node]) -> frozenset[str]:
    return frozenset().union(*(n.axes for n in nodes)) if nodes else frozenset()


def restriction_of(context: Context, axis: str, values: list[Value]) -> Node | None:
    """The mask that an enclosing call put on ``axis``; of sorted values the first places are kept."""
    mask = context.restrictions.get(axis)
    if mask is None or not any(axis in v.ordered for v in values):
        return mask
    graph = context.graph
    return graph.apply("lt", graph.index(axis), graph.reduce("count", mask, [axis]))


def _mask(
    context: Context, scope: Scope, call: m.Call, everything: frozenset[str], introduced: frozenset[str]
) -> Node:
    assert call.along is not None and call.along.where is not None
    expression = call.along.where
    meaning = context.eval(scope, expression)
    if isinstance(meaning, Collection):
        raise context.fail("LL221", "a mask cannot be a collection", expression.span, "mask each member")
    mask = as_boolean(context, meaning, expression.span, "what stands after `where`")
    stray = mask.axes - everything - mask.introduced - introduced - context.index_axes
    if stray and not _positions(everything, introduced):
        raise context.fail(
            "LL212", f"the mask has the axis {shown_axes(stray)}, which the masked value lacks", expression.span,
            f"reduce the mask over {shown_axes(stray)} with `any` or `all`, multiply by the mask and sum, or give the value that axis",
        )  # fmt: skip
    return mask.node


def _positions(everything: frozenset[str], introduced: frozenset[str]) -> bool:
    """Whether what is reduced is made of positions alone, which may meet any value."""
    return bool(everything) and everything <= introduced


def _weight(
    context: Context, scope: Scope, call: m.Call, everything: frozenset[str], introduced: frozenset[str]
) -> Node:
    assert call.along is not None and call.along.by is not None
    expression = call.along.by
    if call.function != "mean":
        raise context.fail(
            "LL213",
            f"`by` weighs a mean; `{call.function}` has none",
            expression.span,
            "multiply by the weight instead",
        )
    meaning = context.eval(scope, expression)
    if isinstance(meaning, Collection):
        raise context.fail("LL221", "a weight cannot be a collection", expression.span, "weigh each member")
    weight = as_real(context, meaning, expression.span)
    if not weight.interval.nonnegative:
        raise context.fail(
            "LL220", f"a weight cannot be negative, and the sign of this `{shown_kind(weight.kind)}` is not known",
            expression.span, "declare it `weight`, or write `abs(w)`, `exp(w)` or `max(0, w)`",
        )  # fmt: skip
    stray = weight.axes - everything - weight.introduced - introduced
    if stray and not _positions(everything, introduced):
        raise context.fail(
            "LL212", f"the weight has the axis {shown_axes(stray)}, which the value lacks", expression.span,
            f"reduce it over {shown_axes(stray)} first",
        )  # fmt: skip
    return weight.node


def _greedy(scope: Scope, expression: m.Node) -> m.Call | None:
    """A call in it that names no axes and so takes all that its argument has."""
    if isinstance(expression, m.Call) and (expression.along is None or not expression.along.axes):
        found = scope.module.find_def(expression.function)
        if found is not None and any(ref.pack for ref in found[0].axes):
            return expression
    inner = (_greedy(scope, child) for child in children(expression))
    return next((call for call in inner if call is not None), None)


def _require_reducible(along: Along, x: Value, row: Row, scope: Scope, call: m.Call) -> None:
    available = (
        x.axes if row.keeps else x.axes | (_mask_axes(along) & (x.introduced | along.context.index_axes))
    )
    missing = [a for a in along.axes if a not in available]
    if missing:
        names = ", ".join(f"`{shown(a)}`" for a in missing)
        help = f"leave {names} out of the bracket, or check what the expression is made of"
        greedy = _greedy(scope, call.args[0])
        if greedy is not None:
            name = greedy.function
            help = f"`{name}` takes all axes where none are named: write `{name}[axis](…)`"
        raise along.context.fail(
            "LL204", f"`{along.name}` works along {names}, but the expression has {shown_axes(x.axes)}", along.span,
            help,
        )  # fmt: skip


def _warn_masked_mean(along: Along, x: Value) -> None:
    if along.name == "mean" and x.times_mask and x.node.op != "to_real" and along.mask is None:
        along.context.reporter.add(
            "LL309",
            "multiplying by a mask and taking the mean still divides by the number of masked-out places",
            along.span,
            "write `mean[… where mask](x)`, which divides by the number of kept places",
        )


def _options(context: Context, call: m.Call, row: Row) -> dict[str, float]:
    options: dict[str, float] = {}
    for argument in call.kwargs:
        if argument.name not in row.options:
            known = f"it takes {', '.join(row.options)}" if row.options else "it takes none"
            raise context.fail(
                "LL114", f"`{call.function}` has no option `{argument.name}`", argument.span, known
            )
        if not isinstance(argument.value, m.Number) or argument.value.value < 0 or argument.value.value % 1:
            raise context.fail(
                "LL114", f"`{argument.name}` must be a whole number", argument.span, "write `ddof=1`"
            )
        options[argument.name] = float(argument.value.value)
    if len(call.args) != 1:
        raise context.fail(
            "LL114", f"`{call.function}` takes one argument, here are {len(call.args)}", call.span,
            f"write `{call.function}[axis](x)`",
        )  # fmt: skip
    return options


def _axes_of(meaning: Meaning) -> str:
    return "the axes of its members" if isinstance(meaning, Collection) else shown_axes(meaning.axes)
