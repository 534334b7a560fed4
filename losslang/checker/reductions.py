"""The operations along axes, a row each: what they lower to, and the kind of the result."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from losslang.checker.arithmetic import by_range
from losslang.checker.scope import Context
from losslang.checker.values import Value
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
    axis, node, mask = _joined(a, x.node)
    filled = node if mask is None else graph.select(mask, node, math.inf)
    order = graph.rename(_order(a, axis, node, mask), axis, ranked := graph.fresh_axis(axis))
    ascending = graph.gather(filled, order, axis)
    count = graph.size(axis) if mask is None else graph.reduce("count", mask, [axis])
    last = graph.apply("maximum", graph.apply("add", count, -1), 0)
    low = graph.apply("floor", graph.real(last) / 2.0)
    high = graph.apply("floor", graph.real(graph.apply("add", last, 1)) / 2.0)
    middle = 0.5 * graph.gather(ascending, low, ranked) + 0.5 * graph.gather(ascending, high, ranked)
    if mask is not None:
        middle = graph.select(graph.apply("eq", count, 0), 0.0, middle)
    return middle, x.kind if x.kind.name == "score" else by_range(interval_of(middle))


def _joined(a: Along, x: Node) -> tuple[str, Node, Node | None]:
    """Several axes as one: the axis, and along it ``x`` and the mask."""
    graph = a.context.graph
    mask = None if a.mask is None else graph.broadcast(a.mask, a.axes)
    if len(a.axes) == 1:
        return a.axes[0], x, mask
    from losslang.ir import AxisSize

    joined = graph.fresh_axis("places", AxisSize("merged", a.axes))
    return joined, graph.merge(x, a.axes, joined), None if mask is None else graph.merge(mask, a.axes, joined)


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


def _order(a: Along, axis: str, x: Node, mask: Node | None) -> Node:
    """The places in ascending order; what is dropped comes after whatever is kept, infinities and NaN included."""
    graph = a.context.graph
    if mask is None:
        return graph.along("argsort", x, [axis])
    largest = graph.limit("max")
    finite = graph.select(graph.apply("le", x, largest), x, largest)
    return graph.along("argsort", graph.select(mask, finite, math.inf), [axis])


def _argsort(a: Along, x: Value) -> tuple[Node, Kind]:
    _one_axis(a)
    return _order(a, a.axes[0], a.context.graph.real(x.node), a.mask), INDEX


def _sort(a: Along, x: Value) -> tuple[Node, Kind]:
    _one_axis(a)
    graph, axis = a.context.graph, a.axes[0]
    filled = a.kept(graph.real(x.node), math.inf)
    unsorted = graph.fresh_axis(axis)
    order = _order(a, axis, graph.real(x.node), a.mask)
    node = graph.gather(graph.rename(filled, axis, unsorted), order, unsorted)
    return node, x.kind if x.kind.name == "score" else by_range(interval_of(node))


def _rank(a: Along, x: Value) -> tuple[Node, Kind]:
    """1 for the largest; ties by position, among several axes in the order of the bracket."""
    graph = a.context.graph
    axis, node, mask = _joined(a, graph.real(x.node))
    descending = _order(a, axis, graph.apply("neg", node), mask)
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
