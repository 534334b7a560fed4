"""dot, cosine and distance: two arguments meet along the named axes and over any others."""

from __future__ import annotations

from losslang import model as m
from losslang.checker.along import finish, resolve_along
from losslang.checker.arithmetic import map_members
from losslang.checker.conversion import as_real
from losslang.checker.reductions import Along, unit_vector
from losslang.checker.scope import Context, Scope, shown, shown_axes
from losslang.checker.values import Meaning, Value, merged_facts
from losslang.interval import SIGNED_UNIT
from losslang.ir import Node
from losslang.kinds import REAL, WEIGHT, Kind


def _dot(a: Along, x: Node, y: Node) -> tuple[Node, Kind]:
    return a.context.graph.contract(a.kept(x, 0.0), a.kept(y, 0.0), a.axes), REAL


def _cosine(a: Along, x: Node, y: Node) -> tuple[Node, Kind]:
    """The dot product of the unit vectors: 0 with gradient 0 where a vector is zero."""
    graph = a.context.graph
    node = graph.contract(unit_vector(a, x), unit_vector(a, y), a.axes)
    graph.declared[node] = SIGNED_UNIT
    return node, REAL


def _distance(a: Along, x: Node, y: Node) -> tuple[Node, Kind]:
    graph = a.context.graph
    difference = a.kept(x - y, 0.0)
    squares = a.reduce("sum", graph.apply("pow", difference, 2.0))
    return graph.apply("sqrt", squares), WEIGHT


CONTRACTIONS = {"dot": _dot, "cosine": _cosine, "distance": _distance}


def call_contraction(context: Context, scope: Scope, call: m.Call) -> Meaning:
    name = call.function
    if len(call.args) != 2 or call.kwargs:
        raise context.fail("LL114", f"`{name}` takes two arguments", call.span, f"write `{name}[axis](a, b)`")
    meanings = context.eval_all(scope, list(call.args))
    if call.along is None:
        raise context.fail(
            "LL213", f"`{name}` must name the axes it works along", call.span, f"write `{name}[axis](a, b)`"
        )
    return map_members(context, meanings, call.span, lambda values: _one(context, scope, call, values))


def _one(context: Context, scope: Scope, call: m.Call, values: list[Value]) -> Value:
    x, y = (as_real(context, v, e.span) for v, e in zip(values, call.args, strict=True))
    along = resolve_along(context, scope, call, [x, y], {})
    for axis in along.axes:
        for value, expression in ((x, call.args[0]), (y, call.args[1])):
            if axis not in value.axes:
                raise context.fail(
                    "LL204",
                    f"`{call.function}` works along `{shown(axis)}`, but this argument has {shown_axes(value.axes)}",
                    expression.span,
                    "both arguments need the axes in the bracket",
                )
    node, kind = CONTRACTIONS[call.function](along, x.node, y.node)
    apart = (x.axes ^ y.axes) if x.axes - y.axes and y.axes - x.axes else frozenset()
    spoilt, introduced, ordered = merged_facts([x, y])
    both = Value(node, kind, spoilt, introduced | apart, False, ordered)
    return finish(along, both, node, kind, keeps=False)
