"""Collections of tensors: selecting members, and reducing over the members and their axes."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from losslang import model as m
from losslang.checker import along as table
from losslang.checker.arithmetic import by_range
from losslang.checker.reductions import Along
from losslang.checker.scope import Context, Scope, resolve_axes
from losslang.checker.values import Collection, Meaning, Value, merged_facts
from losslang.ir import AxisSize, Node
from losslang.kinds import COUNT, INDEX
from losslang.ranges import interval_of

#: How a reduction of the members' reductions is written: one reduction over the stacked results.
_JOINS = {
    "sum": "sum",
    "max": "max",
    "min": "min",
    "prod": "prod",
    "logsumexp": "logsumexp",
    "any": "any",
    "all": "all",
}


def select_members(context: Context, collection: Collection, node: m.Matching) -> Collection:
    kept = [
        index
        for index, (key, _) in enumerate(collection.members)
        if any(fnmatchcase(key, pattern) for pattern in node.include)
        and not any(fnmatchcase(key, pattern) for pattern in node.exclude)
    ]
    if not kept and context.signature is None:
        return collection  # what is checked before a call is a sample, whose keys mean nothing
    members = tuple(collection.members[i] for i in kept)
    return Collection(
        collection.axis, members, tuple(collection.views[i] for i in kept) if collection.views else ()
    )


def view_scope(scope: Scope, collection: Collection, index: int) -> Scope:
    """The scope in which the names of axes mean those of one member."""
    view = collection.view(index)
    axes = {name: own[0] for name, own in view.items() if not name.startswith("*")}
    packs = {name[1:]: own for name, own in view.items() if name.startswith("*")}
    return replace(scope, axes={**scope.axes, **axes}, packs={**scope.packs, **packs})


def call_on_collection(
    context: Context, scope: Scope, call: m.Call, collection: Collection, options: dict[str, float]
) -> Meaning:
    """Over axes of the members, member by member; over the members too, joined into one value."""
    assert call.along is not None
    over_members = any(_names_members(scope, ref, collection) for ref in call.along.axes)
    inner = tuple(ref for ref in call.along.axes if not _names_members(scope, ref, collection))
    whole = any(
        ref.pack and scope.packs.get(ref.name) == (collection.axis,) for ref in call.along.axes
    ) or any(ref.pack and not ref.name for ref in call.along.axes)
    if not over_members:
        reduced = tuple(
            (key, table.along_value(context, view_scope(scope, collection, i), call, value, options))
            for i, (key, value) in enumerate(collection.members)
        )
        return Collection(collection.axis, reduced, collection.views)
    parts = []
    for index, (_, value) in enumerate(collection.members):
        if whole:
            axes = tuple(sorted(value.axes))
        else:
            axes = tuple(resolve_axes(context, view_scope(scope, collection, index), inner, value.axes))
        parts.append((value, axes))
    return _join(context, scope, call, parts)


def _names_members(scope: Scope, ref: m.AxisRef, collection: Collection) -> bool:
    if ref.pack:
        return not ref.name or collection.axis in scope.packs.get(ref.name, ())
    return scope.axes.get(ref.name) == collection.axis


def _join(context: Context, scope: Scope, call: m.Call, parts: list[tuple[Value, tuple[str, ...]]]) -> Value:
    """A reduction over several tensors at once."""
    graph = context.graph
    name = call.function
    if call.along is not None and (call.along.where is not None or call.along.by is not None):
        raise context.fail(
            "LL221",
            "`where` and `by` cannot reach over the members of a collection",
            call.span,
            "mask the members first",
        )
    if not parts:
        return Value(graph.const(0.0), COUNT)
    nodes: list[Node] = []
    counts: list[Node] = []
    for value, axes in parts:
        along = Along(context, name, axes, None, None, call.span, {})
        x = (
            value.node
            if value.node.elem == "bool" and name in ("any", "all", "count")
            else graph.real(value.node)
        )
        if name in ("mean", "sum"):
            nodes.append(graph.reduce("sum", x, axes))
        elif name == "norm":
            nodes.append(graph.reduce("sum", graph.apply("pow", x, 2.0), axes))
        elif name == "count":
            nodes.append(graph.reduce("count", x, axes))
        elif name in _JOINS:
            nodes.append(graph.reduce(_JOINS[name], x, axes))
        else:
            raise context.fail(
                "LL221", f"`{name}` cannot run over the members of a collection", call.span,
                "use sum, mean, max, min, prod, norm, logsumexp, any, all or count",
            )  # fmt: skip
        counts.append(along.count())
    result = _stacked(context, name, nodes)
    if name == "mean":
        total = graph.apply("add", *counts) if len(counts) > 1 else counts[0]
        result = result / graph.real(graph.apply("maximum", total, 1))
    elif name == "norm":
        result = graph.apply("sqrt", result)
    spoilt, introduced, ordered = merged_facts([v for v, _ in parts])
    kind = INDEX if result.elem == "int" else by_range(interval_of(result))
    return Value(result, kind, spoilt, introduced, False, ordered)


def _stacked(context: Context, name: str, nodes: list[Node]) -> Node:
    graph = context.graph
    if len(nodes) == 1:
        return nodes[0]
    if name in ("sum", "mean", "norm", "count"):
        return graph.apply("add", *nodes)
    axis = graph.fresh_axis("member", AxisSize("fixed", (), len(nodes)))
    return graph.reduce(_JOINS[name], graph.stack(nodes, axis), [axis])
