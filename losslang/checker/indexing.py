"""Picks, renames and array literals: how axes are left, entered and introduced."""

from __future__ import annotations

import math
from dataclasses import replace

from losslang import model as m
from losslang.checker.arithmetic import joined_kind, require_aligned
from losslang.checker.collections import view_scope
from losslang.checker.conversion import as_real, same_axis, shown_kind, single
from losslang.checker.report import Failed
from losslang.checker.scope import Context, Scope, resolve_axes, resolve_axis, shown, shown_axes
from losslang.checker.suggest import did_you_mean, listing
from losslang.checker.values import Collection, Meaning, Value, derived, merged_facts
from losslang.ir import AxisSize, Graph, Node
from losslang.kinds import INDEX, Kind
from losslang.source import Span


def index(context: Context, scope: Scope, node: m.Index) -> Meaning:
    meaning = context.eval(scope, node.base)
    if isinstance(meaning, Collection):
        return _index_members(context, scope, node, meaning)
    return _index(context, scope, node, meaning)


def _index_members(context: Context, scope: Scope, node: m.Index, collection: Collection) -> Collection:
    """Member by member; what renames a member's own axis is the member's own as well."""
    members, views = [], []
    for place, (key, value) in enumerate(collection.members):
        view = collection.view(place)
        renames = [item for item in node.items if isinstance(item, m.Rename)]
        own = {r.to: (f"{r.to}.{key}",) for r in renames if any(axis in view for axis in r.axes)}
        wider = replace(collection, views=(tuple({**view, **own}.items()),))
        members.append((key, _index(context, view_scope(scope, wider, 0), node, value)))
        views.append(wider.views[0])
    return Collection(collection.axis, tuple(members), tuple(views) if collection.views else ())


def _index(context: Context, scope: Scope, node: m.Index, value: Value) -> Value:
    """Picks are simultaneous: every index is read before any axis goes."""
    picks: list[tuple[str, Value, m.Pick]] = []
    renames: list[m.Rename] = []
    failed = False
    for item in node.items:
        try:
            if isinstance(item, m.Rename):
                renames.append(item)
            else:
                picks.append(_resolve_pick(context, scope, item, value))
        except Failed:
            failed = True
    if failed:
        raise Failed
    value = _pick_all(context, value, picks)
    return _rename_all(context, scope, value, renames)


# -- picks ----------------------------------------------------------------------------------------


def _resolve_pick(context: Context, scope: Scope, item: m.Pick, value: Value) -> tuple[str, Value, m.Pick]:
    axis = resolve_axis(context, scope, item.axis, item.span)
    if axis not in value.axes:
        raise context.fail(
            "LL204", f"this picks along `{item.axis}`, but the expression has {shown_axes(value.axes)}", item.span,
            "pick along an axis that it has",
        )  # fmt: skip
    at = _position(context, scope, item, axis)
    return axis, at, item


def _position(context: Context, scope: Scope, item: m.Pick, axis: str) -> Value:
    """The index as an integer value; a bare name may be a named place of the axis."""
    places = scope.places.get(item.axis, ())
    if isinstance(item.at, m.Name) and scope.is_place(item.axis, item.at.id):
        return Value(context.graph.const(places.index(item.at.id)), INDEX)
    if (
        isinstance(item.at, m.Name)
        and places
        and scope.find(item.at.id) is None
        and item.at.id not in scope.axes
    ):
        help = did_you_mean(item.at.id, places) or f"its places are {listing(places)}"
        raise context.fail("LL101", f"axis `{item.axis}` has no place `{item.at.id}`", item.at.span, help)
    at = single(context, context.eval(scope, item.at), item.at.span)
    if at.kind.name == "label" and at.kind.of and not same_axis(context, at.kind.of, axis):
        raise context.fail(
            "LL209", f"this is a label of `{shown(at.kind.of)}`, it cannot pick along `{item.axis}`", item.at.span,
            f"pick along `{shown(at.kind.of)}`, or use a label of `{item.axis}`; if both axes have the same classes, "
            f"say so: `y as label of {item.axis}`",
        )  # fmt: skip
    constant = at.constant
    if constant is not None:
        return _constant_position(context, constant, item, axis)
    if at.node.elem == "int":
        return at
    if at.kind.name in ("count", "binary"):
        return at.with_node(context.graph.apply("to_int", at.node), INDEX)
    whole = _whole(at.node)
    if whole is not None:
        return at.with_node(whole, INDEX)
    raise context.fail(
        "LL209", f"an index must be a whole number, a label or a position, not a `{shown_kind(at.kind)}`",
        item.at.span, "take `floor(x)` for the whole part, or declare it `label of …`",
    )  # fmt: skip


def _whole(node: Node) -> Node | None:
    """The integer that a real number is made to hold: sums, products and choices of counts and whole constants.

    The extremes of nothing become places that no axis has.
    """
    graph = node.graph
    if node.elem == "int":
        return node
    if node.op == "const" and float(node.attr).is_integer():
        return graph.const(int(node.attr))
    if node.op == "const" and math.isinf(node.attr):
        return graph.const(-1 if node.attr < 0 else 2**31 - 1)
    if node.op in ("min", "max", "sum"):
        inside = _whole(node.args[0])
        return None if inside is None else graph.reduce(node.op, inside, node.attr)
    if node.op == "to_real" or node in graph.counts:
        return graph.apply("to_int", node.args[0] if node.op == "to_real" else node)
    if node.op == "select":
        condition, *branches = node.args
    elif node.op in ("add", "mul", "neg", "minimum", "maximum", "clip"):
        condition, branches = None, list(node.args)
    else:
        return None
    whole = [_whole(branch) for branch in branches]
    parts = [part for part in whole if part is not None]
    if len(parts) < len(whole):
        return None
    return graph.apply(node.op, *parts) if condition is None else graph.select(condition, *parts)


def _constant_position(context: Context, constant: float, item: m.Pick, axis: str) -> Value:
    if not float(constant).is_integer() or constant < 0:
        raise context.fail(
            "LL209", f"{constant:g} is no position: they count 0, 1, 2, …", item.at.span,
            f"the last one is `{item.axis} = size[{item.axis}] - 1`" if constant < 0 else "write a whole number",
        )  # fmt: skip
    at = int(constant)
    size = context.fixed.get(axis)
    if size is None:
        known = context.graph.axis_sizes.get(axis)
        size = known.size if known is not None and known.kind == "fixed" else None
    if size is not None and at >= size:
        raise context.fail(
            "LL215", f"axis `{item.axis}` has {size} places, there is no {at}", item.at.span,
            f"positions go from 0 to {size - 1}",
        )  # fmt: skip
    context.constant_picks.append((axis, at))
    return Value(context.graph.const(at), INDEX)


def _pick_all(context: Context, value: Value, picks: list[tuple[str, Value, m.Pick]]) -> Value:
    if not picks:
        return value
    graph = context.graph
    node = value.node
    taken: list[tuple[str, Value]] = []
    for axis, at, item in picks:
        if any(axis == other for other, _, _ in picks[: picks.index((axis, at, item))]):
            raise context.fail(
                "LL209", f"axis `{item.axis}` is picked twice", item.span, "pick each axis once"
            )
        # Under a name of its own the picked axis cannot meet the index's axis of the same name.
        hidden = f"{axis}~picked"
        graph.axis_sizes.setdefault(hidden, AxisSize("same", (axis,)))
        node = graph.rename(node, axis, hidden)
        taken.append((hidden, at))
    for hidden, at in taken:
        node = graph.gather(node, at.node, hidden)
    ats = [at for _, at, _ in picks]
    _, introduced, _ = merged_facts([value, *ats])
    picked = {axis for axis, _, _ in picks}
    # Along a picked axis the places are now those of the index.
    ordered = frozenset().union(value.ordered - picked, *(at.ordered for at in ats))
    index_axes = frozenset().union(*(at.axes for at in ats))
    introduced = (introduced - (picked - index_axes)) | (index_axes - value.axes)
    spoilt = frozenset(_picked_label(graph, label, taken) for label in value.spoilt) | frozenset(
        at.node for at in ats if at.kind.name == "label" and at.kind.ignoring is not None
    )
    kind = value.kind
    if kind.over in picked:
        kind = replace(kind, over=None)
    ordered = frozenset(a for a in ordered if a in node.axes)
    return Value(node, kind, spoilt, introduced, value.logarithmic, ordered)


def _picked_label(graph: Graph, label: Node, taken: list[tuple[str, Value]]) -> Node:
    """The label at the places that a pick takes, as the same pick of the label would give it."""
    for hidden, at in taken:
        axis = hidden.removesuffix("~picked")
        if axis in label.axes:
            label = graph.gather(graph.rename(label, axis, hidden), at.node, hidden)
    return label


# -- renames --------------------------------------------------------------------------------------


def _rename_all(context: Context, scope: Scope, value: Value, renames: list[m.Rename]) -> Value:
    """Simultaneous too: ``x[a -> b, b -> a]`` exchanges two axes."""
    if not renames:
        return value
    leaving: set[str] = set()
    plan: list[tuple[tuple[str, ...], str, m.Rename]] = []
    for item in renames:
        refs = tuple(
            m.AxisRef.make(name=n.lstrip("*"), pack=n.startswith("*"), span=item.span) for n in item.axes
        )
        old = tuple(resolve_axes(context, scope, refs, frozenset()))
        for axis in old:
            name = shown(axis)
            if axis not in value.axes:
                raise context.fail(
                    "LL208", f"this renames `{name}`, but the expression has {shown_axes(value.axes)}", item.span,
                    "rename an axis that it has",
                )  # fmt: skip
            if axis in leaving:
                raise context.fail(
                    "LL208", f"axis `{name}` is renamed twice", item.span, "rename each axis once"
                )
            leaving.add(axis)
        plan.append((old, introduce_axis(context, scope, item.to, old), item))
    for _, new, item in plan:
        if new in value.axes - leaving:
            raise context.fail(
                "LL208", f"the expression has an axis `{item.to}` already", item.span, "choose another name"
            )
    return _carry_out(context, value, plan)


def _carry_out(context: Context, value: Value, plan: list[tuple[tuple[str, ...], str, m.Rename]]) -> Value:
    graph = context.graph
    node = value.node
    hidden: list[tuple[tuple[str, ...], str]] = []
    for old, new, _ in plan:
        temporary = tuple(f"{axis}~moved" for axis in old) if len(plan) > 1 else old
        for axis, name in zip(old, temporary, strict=True):
            graph.axis_sizes.setdefault(name, AxisSize("same", (axis,))) if name != axis else None
            node = graph.rename(node, axis, name)
        hidden.append((temporary, new))
    for temporary, new in hidden:
        node = (
            graph.merge(node, temporary, new) if len(temporary) > 1 else graph.rename(node, temporary[0], new)
        )
    moved = {axis: new for old, new, _ in plan for axis in old}
    introduced = frozenset(moved.get(a, a) for a in value.introduced) | frozenset(moved.values())
    ordered = frozenset(moved.get(a, a) for a in value.ordered)
    kind = value.kind
    if kind.over in moved:
        kind = replace(kind, over=moved[kind.over])
    for old, new, _ in plan:
        _carry_restriction(context, old, new)
    return Value(node, kind, value.spoilt, introduced, value.logarithmic, ordered, value.times_mask)


def introduce_axis(context: Context, scope: Scope, name: str, old: tuple[str, ...]) -> str:
    """The graph's axis for the target of a rename; a new one is as long as what it renames."""
    graph = context.graph
    axis = scope.axes[name]
    size = AxisSize("same", old) if len(old) == 1 else AxisSize("merged", old)
    known = axis in graph.axis_sizes
    if not known and not any(_measured_by(context, a, axis) for a in old):
        graph.axis_sizes[axis] = size
    if known or axis in context.given_axes:
        alike = old[0] if len(old) == 1 else graph.fresh_axis(name, size)
        if (axis in context.given_axes and alike != axis) or graph.size_root(axis) != graph.size_root(alike):
            context.equal_sizes.append((axis, alike))
    context.index_axes |= {axis}
    return axis


def _measured_by(context: Context, axis: str, other: str) -> bool:
    """Whether the length of ``axis`` is told by that of ``other``."""
    size = context.graph.axis_sizes.get(axis)
    return axis == other or (size is not None and any(_measured_by(context, a, other) for a in size.of))


def _carry_restriction(context: Context, old: tuple[str, ...], new: str) -> None:
    """A renamed copy of a restricted axis is restricted in the same places."""
    graph = context.graph
    if new in context.restrictions or not any(a in context.restrictions for a in old):
        return
    masks = [context.restrictions[a] for a in old if a in context.restrictions]
    if len(old) == 1:
        context.restrictions[new] = graph.rename(masks[0], old[0], new)
        return
    joint = masks[0] if len(masks) == 1 else graph.apply("and", *masks)
    context.restrictions[new] = graph.merge(graph.broadcast(joint, old), old, new)


# -- literals -------------------------------------------------------------------------------------


def array(context: Context, scope: Scope, node: m.Array) -> Meaning:
    if not node.axes:
        raise context.fail(
            "LL219",
            "an array literal must say along which axis it lies",
            node.span,
            "write `[a, b] along item`",
        )
    if len(set(node.axes)) != len(node.axes):
        raise context.fail("LL219", "an axis is named twice", node.span, "name each axis once")
    axes = [scope.axes[name] for name in node.axes]
    return _stack(context, scope, node, axes, list(node.axes))


def _stack(context: Context, scope: Scope, node: m.Array, axes: list[str], names: list[str]) -> Value:
    graph = context.graph
    axis = axes[0]
    if len(axes) > 1:
        rows = []
        for item in node.items:
            if not isinstance(item, m.Array) or item.axes:
                raise context.fail(
                    "LL219", f"the literal lies along {len(axes)} axes, so each row must be a bracket of its own",
                    item.span, "write `[[1, 2], [3, 4]] along (row, column)`",
                )  # fmt: skip
            rows.append(item)
        if len({len(r.items) for r in rows}) > 1:
            raise context.fail(
                "LL219", "the rows of this literal differ in length", node.span, "make them equally long"
            )
        values = [_stack(context, scope, row, axes[1:], names[1:]) for row in rows]
    else:
        for item in node.items:
            if isinstance(item, m.Array) and not item.axes:
                raise context.fail(
                    "LL219", "a nested literal must name an axis for each level", node.span,
                    "write `along (row, column)`",
                )  # fmt: skip
        meanings = context.eval_all(scope, list(node.items))
        values = [single(context, v, e.span) for v, e in zip(meanings, node.items, strict=True)]
    if len({v.node.elem for v in values}) > 1:
        values = [as_real(context, v, e.span) for v, e in zip(values, node.items, strict=True)]
    _fix_size(context, axis, names[0], len(values), node.span)
    for value in values:
        if axis in value.axes:
            raise context.fail(
                "LL219", f"an item has the axis `{names[0]}` already", node.span, "choose another axis"
            )
    require_aligned(context, values, node.span)
    result = graph.stack([v.node for v in values], axis)
    value = derived(result, _literal_kind(values, result), values, any(v.logarithmic for v in values))
    return replace(value, introduced=value.introduced | {axis})


def _literal_kind(values: list[Value], node: Node) -> Kind:
    if all(v.constant is not None for v in values):
        from losslang.checker.arithmetic import by_range
        from losslang.ranges import interval_of

        return INDEX if node.elem == "int" else by_range(interval_of(node))
    return joined_kind(values, node)


def _fix_size(context: Context, axis: str, name: str, size: int, span: Span) -> None:
    known = context.graph.axis_sizes.get(axis)
    declared = context.fixed.get(axis) or (
        known.size if known is not None and known.kind == "fixed" else None
    )
    if declared is not None and declared != size:
        raise context.fail(
            "LL214", f"axis `{name}` has {declared} places, this literal has {size}", span,
            "give one item for each place",
        )  # fmt: skip
    context.fixed[axis] = size
    context.graph.axis_sizes.setdefault(axis, AxisSize("fixed", (), size))
