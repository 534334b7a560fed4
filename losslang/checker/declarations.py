"""Inputs, hyperparameters and axes of a loss, as nodes of its graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from losslang import model as m
from losslang.checker import constants
from losslang.checker.conversion import kind_from
from losslang.checker.scope import Context, Scope
from losslang.checker.suggest import did_you_mean
from losslang.checker.values import Collection, Meaning, Value
from losslang.checker.walking import introduced_axes
from losslang.ir import AxisSize, Elem
from losslang.kinds import ELEMENTS, INTERVALS, Kind
from losslang.lowered import Leaf, LoweredHyper, LoweredInput

#: The rank taken for a pack while nothing has been bound to it.
SAMPLE_RANK = 2
SAMPLE_MEMBERS = (("first.weight", 2), ("first.bias", 1))


def axis_names(
    statements: list[m.Node], brought: Callable[[m.Call], Iterable[str]] = lambda _: ()
) -> list[str]:
    """Every axis that the statements name, those of inputs first, in order of appearance.

    Renames, literals and calls bring in axes that no input has.
    """
    declared: dict[str, None] = {}
    introduced: dict[str, None] = {}
    for statement in statements:
        if isinstance(statement, (m.Input, m.Hyper)):
            kind = statement.kind
            for ref in kind.axes or ():
                if not ref.pack:
                    declared[ref.name] = None
            for name in (kind.over, kind.of, kind.each):
                if name:
                    declared[name] = None
        if isinstance(statement, m.AxisDecl):
            declared[statement.name] = None
        introduced.update(dict.fromkeys(introduced_axes(statement, brought)))
    return [*declared, *(name for name in introduced if name not in declared)]


def declare_axis(context: Context, scope: Scope, statement: m.AxisDecl) -> None:
    size = statement.size if statement.size is not None else len(statement.places)
    if size < 1:
        raise context.fail(
            "LL214", "an axis has at least one place", statement.span, "give a size of 1 or more"
        )
    if len(set(statement.places)) != len(statement.places):
        raise context.fail(
            "LL106", "a place of this axis is named twice", statement.span, "name each place once"
        )
    context.fixed[statement.name] = size
    context.graph.axis_sizes[statement.name] = AxisSize("fixed", (), size)
    if statement.places:
        scope.places[statement.name] = statement.places


def declare_input(context: Context, scope: Scope, statement: m.Input) -> tuple[LoweredInput, Meaning]:
    written = statement.kind
    kind = kind_from(context, scope, written, in_def=False)
    refs = written.axes or ()
    names = [("*" + r.name if r.pack else r.name) for r in refs]
    if len(set(names)) != len(names):
        raise context.fail("LL103", "an axis is named twice", written.span, "name each axis once")
    if kind.over and kind.over not in names:
        raise context.fail(
            "LL218", f"`over {kind.over}`, but the input has no axis `{kind.over}`", written.span,
            did_you_mean(kind.over, names) or f"add it: `{kind.name}[…, {kind.over}]`",
        )  # fmt: skip
    is_collection = kind.name == "parameters" or written.each is not None
    if is_collection:
        return _declare_collection(context, scope, statement, kind, refs)
    axes: list[str] = []
    for ref in refs:
        axes.extend(
            pack_axes(context, scope, ref.name or statement.name, bool(ref.name)) if ref.pack else [ref.name]
        )
    node = context.graph.input(statement.name, axes, _element(kind), INTERVALS.get(kind.name))
    if kind.name == "count":
        context.graph.counts.add(node)
    context.given_axes.update(axes)
    leaf = Leaf(None, node, tuple(axes))
    lowered = LoweredInput(statement.name, kind, tuple(names), (leaf,), doc=statement.doc or "")
    return lowered, Value(node, kind)


def _element(kind: Kind) -> Elem:
    return ELEMENTS.get(kind.name, "real")


def pack_axes(context: Context, scope: Scope, pack: str, named: bool) -> tuple[str, ...]:
    """The graph's axes of a pack, as many as the call's signature tells."""
    ranks = dict(context.signature.ranks) if context.signature else {}
    axes = tuple(f"{pack}.{i}" for i in range(ranks.get(pack, SAMPLE_RANK)))
    if named:
        scope.packs[pack] = axes
    return axes


def _declare_collection(
    context: Context, scope: Scope, statement: m.Input, kind: Kind, refs: tuple[m.AxisRef, ...]
) -> tuple[LoweredInput, Meaning]:
    """A node for each member; axes that the members do not share get the member's key."""
    name, each = statement.name, statement.kind.each
    given = dict(context.signature.members).get(name) if context.signature else None
    members = given if given is not None else _sample_members(refs, each)
    leaves: list[Leaf] = []
    values: list[tuple[str, Value]] = []
    views: list[tuple[tuple[str, tuple[str, ...]], ...]] = []
    for key, rank in members:
        axes, view = _member_axes(context, name, key, rank, refs, each)
        node = context.graph.input(f"{name}.{key}", axes, _element(kind), INTERVALS.get(kind.name))
        context.given_axes.update(axes)
        leaves.append(Leaf(key, node, axes))
        values.append((key, Value(node, Kind("parameter") if kind.name == "parameters" else kind)))
        views.append(view)
    for ref in refs:
        if ref.pack and ref.name:
            scope.packs.setdefault(ref.name, ())
    axis = each or f"{name}~members"
    names = tuple("*" + r.name if r.pack else r.name for r in refs)
    lowered = LoweredInput(name, kind, names, tuple(leaves), collection=True, doc=statement.doc or "")
    return lowered, Collection(axis, tuple(values), tuple(views))


def _sample_members(refs: tuple[m.AxisRef, ...], each: str | None) -> tuple[tuple[str, int], ...]:
    if each is None:
        return SAMPLE_MEMBERS
    rank = sum(SAMPLE_RANK if r.pack else 1 for r in refs)
    return (("0", rank), ("1", rank))


def _member_axes(
    context: Context, name: str, key: str, rank: int, refs: tuple[m.AxisRef, ...], each: str | None
) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """The axes of one member, and what the names of axes and packs mean for it."""
    if each is None:
        return tuple(f"{name}.{key}.{i}" for i in range(rank)), ()
    axes: list[str] = []
    view: list[tuple[str, tuple[str, ...]]] = []
    singles = sum(not r.pack for r in refs)
    for ref in refs:
        if ref.pack:
            own = tuple(f"{ref.name or name}.{key}.{i}" for i in range(max(rank - singles, 0)))
            view.append((f"*{ref.name}", own))
        elif ref.name in context.shared_axes:
            own = (ref.name,)
        else:
            own = (f"{ref.name}.{key}",)
            view.append((ref.name, own))
        axes.extend(own)
    return tuple(axes), tuple(view)


def declare_hyper(
    context: Context, scope: Scope, statement: m.Hyper, override: m.Expression | None
) -> tuple[LoweredHyper, Value]:
    kind = kind_from(context, scope, statement.kind, in_def=False)
    if kind.name in ("label", "parameters", "mask"):
        raise context.fail(
            "LL201",
            f"a hyperparameter cannot be a `{kind.name}`",
            statement.kind.span,
            "use `real`, `positive`, `prob` …",
        )
    names = tuple(ref.name for ref in statement.kind.axes or ())
    allowed = constants.interval(context, statement.range)
    promised = INTERVALS.get(kind.name)
    if promised is not None:
        allowed = allowed.intersect(promised)
    node = context.graph.input(statement.name, names, "real", allowed)
    context.hyper_nodes.add(node)
    if kind.name == "count":
        context.graph.counts.add(node)
    context.given_axes.update(names)
    default = override if override is not None else statement.default
    if default is None:
        raise context.fail(
            "LL235", f"the hyperparameter `{statement.name}` has no default", statement.span,
            "write `= NUMBER` behind it, or make it an `input`",
        )  # fmt: skip
    value = constants.default(context, default, names, names)
    constants.require_within(context, value, allowed, statement.name, default.span)
    lowered = LoweredHyper(statement.name, kind, names, node, value, allowed, statement.doc or "")
    return lowered, Value(node, kind)
