"""Operations along axes: reductions, and those that keep their axes, with masks and weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from losslang import model as m
from losslang.checker.arithmetic import by_range, guards
from losslang.checker.conversion import as_boolean, as_real, shown_kind
from losslang.checker.scope import Context, Scope, resolve_axes, shown, shown_axes
from losslang.checker.values import Collection, Meaning, Value
from losslang.ir import Node
from losslang.kinds import COUNT, INDEX, REAL, WEIGHT, Kind
from losslang.ranges import interval_of
from losslang.source import Span


@dataclass(frozen=True)
class Along:
    """What an operation along axes works with, everything resolved.

    ``mask`` says what is kept (None: all); ``weight`` is the ``by``; ``options`` are named arguments.
    """

    context: Context
    name: str
    axes: tuple[str, ...]
    mask: Node | None
    weight: Node | None
    span: Span
    options: dict[str, float]

    def kept(self, x: Node, neutral: float | bool) -> Node:
        return x if self.mask is None else self.context.graph.select(self.mask, x, neutral)

    def reduce(self, op: str, x: Node) -> Node:
        return self.context.graph.reduce(op, x, self.axes)

    def count(self) -> Node:
        """How many places are kept: an integer, with the axes of the mask that stay."""
        graph = self.context.graph
        if self.mask is None:
            sizes = [graph.size(a) for a in self.axes]
            return graph.apply("mul", *sizes) if len(sizes) > 1 else sizes[0] if sizes else graph.const(1)
        inside = [a for a in self.axes if a in self.mask.axes]
        outside = [graph.size(a) for a in self.axes if a not in self.mask.axes]
        kept = graph.reduce("count", self.mask, inside)
        return graph.apply("mul", kept, *outside) if outside else kept

    def positive_count(self) -> Node:
        """The count as a denominator: at least 1, since a mean over nothing is 0."""
        graph = self.context.graph
        count = self.count()
        return graph.real(count if self.mask is None else graph.apply("maximum", count, 1))


Reduction = Callable[[Along, Value], tuple[Node, Kind]]


def _sum(a: Along, x: Value) -> tuple[Node, Kind]:
    if x.kind.name in ("mask", "binary", "count") and x.node.op != "const":
        return a.reduce("sum", a.kept(x.node, 0.0)), COUNT
    node = a.reduce("sum", a.kept(x.node, 0.0))
    return node, x.kind if x.kind.name in ("embedding", "score") else by_range(interval_of(node))


def _mean(a: Along, x: Value) -> tuple[Node, Kind]:
    graph = a.context.graph
    if a.weight is not None:
        node = _weighted_mean(a, x.node)
    else:
        node = a.reduce("sum", a.kept(x.node, 0.0)) / a.positive_count()
    keeps = x.kind.name in ("logit", "prob", "score", "embedding") and (
        x.kind.over is None or x.kind.over not in a.axes
    )
    if keeps and (a.mask is None or x.kind.name != "logit" or x.kind.over is None):
        return node, x.kind
    if x.interval.is_probability:
        graph.declared[node] = x.interval.union(interval_of(graph.const(0.0)))
        return node, Kind("prob") if x.kind.name in ("prob", "mask", "binary") else by_range(
            interval_of(node)
        )
    return node, by_range(interval_of(node))


def _weighted_mean(a: Along, x: Node) -> Node:
    """Σ w·x / Σ w over the kept places with a weight that is not 0; 0 where there are none."""
    graph = a.context.graph
    assert a.weight is not None
    weight = a.weight
    nonzero = graph.apply("ne", weight, 0.0)
    mask = nonzero if a.mask is None else graph.apply("and", nonzero, a.mask)
    top = graph.reduce("sum", graph.select(mask, weight * x, 0.0), a.axes)
    bottom = graph.reduce("sum", graph.broadcast(graph.select(mask, weight, 0.0), a.axes), a.axes)
    empty = graph.apply("eq", bottom, 0.0)
    return top / graph.select(empty, 1.0, bottom)


def _variance(a: Along, x: Value) -> Node:
    graph = a.context.graph
    mean = a.reduce("sum", a.kept(x.node, 0.0)) / a.positive_count()
    deviation = x.node - mean
    squares = a.reduce("sum", a.kept(graph.apply("pow", deviation, 2.0), 0.0))
    ddof = a.options.get("ddof", 0.0)
    if not ddof:
        return squares / a.positive_count()
    count = graph.apply("maximum", graph.apply("add", a.count(), -int(ddof)), 1)
    return squares / graph.real(count)


def _var(a: Along, x: Value) -> tuple[Node, Kind]:
    return _variance(a, x), WEIGHT


def _std(a: Along, x: Value) -> tuple[Node, Kind]:
    return a.context.graph.apply("sqrt", _variance(a, x)), WEIGHT


def _prod(a: Along, x: Value) -> tuple[Node, Kind]:
    node = a.reduce("prod", a.kept(x.node, 1.0))
    return node, Kind("prob") if x.kind.name == "prob" else by_range(interval_of(node))


def _extremum(op: str, neutral: float) -> Reduction:
    def lower(a: Along, x: Value) -> tuple[Node, Kind]:
        node = x.node if a.mask is None else a.kept(a.context.graph.real(x.node), neutral)
        result = a.reduce(op, node)
        if result.elem == "int":
            return result, INDEX
        keeps = x.kind.name in ("prob", "score", "logit") and (
            x.kind.over is None or x.kind.over not in a.axes
        )
        return result, x.kind if keeps and a.mask is None else by_range(interval_of(result))

    return lower


def _logsumexp(a: Along, x: Value) -> tuple[Node, Kind]:
    return a.reduce("logsumexp", a.kept(x.node, -math.inf)), REAL


def _logmeanexp(a: Along, x: Value) -> tuple[Node, Kind]:
    total = a.reduce("logsumexp", a.kept(x.node, -math.inf))
    return total - a.context.graph.apply("log", a.positive_count()), REAL


def _norm(a: Along, x: Value) -> tuple[Node, Kind]:
    graph = a.context.graph
    squares = a.reduce("sum", a.kept(graph.apply("pow", x.node, 2.0), 0.0))
    return graph.apply("sqrt", squares), WEIGHT


def _any(a: Along, x: Value) -> tuple[Node, Kind]:
    return a.reduce("any", a.kept(x.node, False)), Kind("mask")


def _all(a: Along, x: Value) -> tuple[Node, Kind]:
    return a.reduce("all", a.kept(x.node, True)), Kind("mask")


def _count(a: Along, x: Value) -> tuple[Node, Kind]:
    return a.reduce("count", a.kept(x.node, False)), INDEX


def _position(op: str, neutral: float) -> Reduction:
    def lower(a: Along, x: Value) -> tuple[Node, Kind]:
        _one_axis(a)
        return a.reduce(op, a.kept(a.context.graph.real(x.node), neutral)), INDEX

    return lower


def _median(a: Along, x: Value) -> tuple[Node, Kind]:
    """The middle of the kept values, of an even number the mean of the two middle ones; of none 0."""
    graph = a.context.graph
    axis, node = _joint_axis(a, x.node)
    mask = None if a.mask is None else _joint_axis(a, graph.broadcast(a.mask, a.axes))[1]
    filled = node if mask is None else graph.select(mask, node, math.inf)
    order = graph.rename(graph.along("argsort", filled, [axis]), axis, ranked := graph.fresh_axis(axis))
    ascending = graph.gather(filled, order, axis)
    count = graph.size(axis) if mask is None else graph.reduce("count", mask, [axis])
    last = graph.apply("maximum", graph.apply("add", count, -1), 0)
    low = graph.apply("floor", graph.real(last) / 2.0)
    high = graph.apply("floor", graph.real(graph.apply("add", last, 1)) / 2.0)
    middle = 0.5 * graph.gather(ascending, low, ranked) + 0.5 * graph.gather(ascending, high, ranked)
    if mask is not None:
        middle = graph.select(graph.apply("eq", count, 0), 0.0, middle)
    return middle, x.kind if x.kind.name == "score" else by_range(interval_of(middle))


def _joint_axis(a: Along, x: Node) -> tuple[str, Node]:
    """Several axes as one."""
    if len(a.axes) == 1:
        return a.axes[0], x
    from losslang.ir import AxisSize

    joined = a.context.graph.fresh_axis("places", AxisSize("merged", a.axes))
    return joined, a.context.graph.merge(x, a.axes, joined)


def _softmax(op: str, kind: str) -> Reduction:
    def lower(a: Along, x: Value) -> tuple[Node, Kind]:
        if x.kind.name == "prob":
            a.context.reporter.add(
                "LL308", f"this is a probability already: `{op}` would squash it a second time", a.span,
                f"drop the `{op}`, or declare the input `logit`",
            )  # fmt: skip
        node = a.context.graph.along(op, a.kept(x.node, -math.inf), a.axes)
        return node, Kind(kind, a.axes[0] if len(a.axes) == 1 else None)

    return lower


def _cumsum(a: Along, x: Value) -> tuple[Node, Kind]:
    _one_axis(a)
    node = a.context.graph.along("cumsum", a.kept(x.node, 0.0), a.axes)
    return node, by_range(interval_of(node)) if node.elem == "real" else INDEX


def _cumlogsumexp(a: Along, x: Value) -> tuple[Node, Kind]:
    _one_axis(a)
    return a.context.graph.along("cumlogsumexp", a.kept(x.node, -math.inf), a.axes), REAL


def _argsort_node(a: Along, keys: Node) -> Node:
    return a.context.graph.along("argsort", keys, a.axes)


def _argsort(a: Along, x: Value) -> tuple[Node, Kind]:
    _one_axis(a)
    return _argsort_node(a, a.kept(a.context.graph.real(x.node), math.inf)), INDEX


def _sort(a: Along, x: Value) -> tuple[Node, Kind]:
    _one_axis(a)
    graph, axis = a.context.graph, a.axes[0]
    filled = a.kept(graph.real(x.node), math.inf)
    unsorted = graph.fresh_axis(axis)
    node = graph.gather(graph.rename(filled, axis, unsorted), _argsort_node(a, filled), unsorted)
    return node, x.kind if x.kind.name == "score" else by_range(interval_of(node))


def _rank(a: Along, x: Value) -> tuple[Node, Kind]:
    """1 for the largest; ties by position, among several axes in the order of the bracket."""
    graph = a.context.graph
    axis, node = _joint_axis(a, a.kept(graph.real(x.node), -math.inf))
    descending = graph.along("argsort", graph.apply("neg", node), [axis])
    place = graph.along("argsort", graph.real(descending), [axis])
    if len(a.axes) > 1:
        place = graph.gather(place, _joint_position(a), axis)
    return graph.apply("add", place, 1), INDEX


def _joint_position(a: Along) -> Node:
    """Where a place of several axes lies along the one that they merge into."""
    graph = a.context.graph
    position = graph.index(a.axes[0])
    for axis in a.axes[1:]:
        position = graph.apply("add", graph.apply("mul", position, graph.size(axis)), graph.index(axis))
    return position


def _normalize(a: Along, x: Value) -> tuple[Node, Kind]:
    return unit_vector(a, x.node), Kind("embedding")


def unit_vector(a: Along, x: Node) -> Node:
    """``x`` over its norm along the axes; the zero vector stays zero, with gradient 0."""
    graph = a.context.graph
    cleared = a.kept(x, 0.0)
    norm = graph.apply("sqrt", a.reduce("sum", graph.apply("pow", cleared, 2.0)))
    return graph.select(graph.apply("eq", norm, 0.0), 0.0, cleared / norm)


def _one_axis(a: Along) -> None:
    if len(a.axes) != 1:
        raise a.context.fail(
            "LL213",
            f"`{a.name}` works along exactly one axis",
            a.span,
            "name one axis; merge several by a rename",
        )


@dataclass(frozen=True, slots=True)
class Row:
    """``takes``: what the argument is turned into; ``keeps``: whether the axes stay."""

    lower: Reduction
    takes: str = "real"
    keeps: bool = False
    options: tuple[str, ...] = ()
    sorts: bool = False


ALONG: dict[str, Row] = {
    "sum": Row(_sum),
    "mean": Row(_mean),
    "max": Row(_extremum("max", -math.inf), takes="number"),
    "min": Row(_extremum("min", math.inf), takes="number"),
    "prod": Row(_prod),
    "var": Row(_var, options=("ddof",)),
    "std": Row(_std, options=("ddof",)),
    "logsumexp": Row(_logsumexp),
    "logmeanexp": Row(_logmeanexp),
    "any": Row(_any, takes="boolean"),
    "all": Row(_all, takes="boolean"),
    "count": Row(_count, takes="boolean"),
    "median": Row(_median),
    "argmax": Row(_position("argmax", -math.inf), takes="number"),
    "argmin": Row(_position("argmin", math.inf), takes="number"),
    "norm": Row(_norm),
    "softmax": Row(_softmax("softmax", "prob"), keeps=True),
    "log_softmax": Row(_softmax("log_softmax", "logprob"), keeps=True),
    "cumsum": Row(_cumsum, keeps=True, takes="number"),
    "cumlogsumexp": Row(_cumlogsumexp, keeps=True),
    "sort": Row(_sort, keeps=True, sorts=True),
    "argsort": Row(_argsort, keeps=True, takes="number", sorts=True),
    "rank": Row(_rank, keeps=True, takes="number"),
    "normalize": Row(_normalize, keeps=True),
}


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
    _require_reducible(along, x, row)
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
    context.masks_in_where.add(mask.node)
    stray = mask.axes - everything - mask.introduced - introduced - context.index_axes
    if stray:
        raise context.fail(
            "LL212", f"the mask has the axis {shown_axes(stray)}, which the masked value lacks", expression.span,
            f"reduce the mask over {shown_axes(stray)} with `any` or `all`, or give the value that axis",
        )  # fmt: skip
    return mask.node


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
    if stray:
        raise context.fail(
            "LL212", f"the weight has the axis {shown_axes(stray)}, which the value lacks", expression.span,
            f"reduce it over {shown_axes(stray)} first",
        )  # fmt: skip
    return weight.node


def _require_reducible(along: Along, x: Value, row: Row) -> None:
    available = (
        x.axes if row.keeps else x.axes | (_mask_axes(along) & (x.introduced | along.context.index_axes))
    )
    missing = [a for a in along.axes if a not in available]
    if missing:
        names = ", ".join(f"`{shown(a)}`" for a in missing)
        raise along.context.fail(
            "LL204", f"`{along.name}` works along {names}, but the expression has {shown_axes(x.axes)}", along.span,
            f"leave {names} out of the bracket, or check what the expression is made of",
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
