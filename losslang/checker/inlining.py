"""Definitions, distributions and divergences are inlined where they are called.

Each call gets a scope of its own: parameters as values, the definition's axes mapped to the
caller's, and the axes that its text introduces under names that nothing else can have.
"""

from __future__ import annotations

from losslang import model as m
from losslang.checker.along import restriction_of
from losslang.checker.arithmetic import map_members
from losslang.checker.binding import (
    Arguments,
    Inlined,
    bind_axes,
    bind_values,
    call_mask,
    given_arguments,
    introduced_names,
    written_axes,
)
from losslang.checker.collections import view_scope
from losslang.checker.conversion import kind_from, single
from losslang.checker.modules import Definition, Module
from losslang.checker.report import Failed
from losslang.checker.scope import Context, Scope
from losslang.checker.suggest import did_you_mean, listing
from losslang.checker.values import Collection, Meaning, Value, merged_facts
from losslang.ir import Node
from losslang.kinds import ELEMENTS, INTERVALS


def call_definition(
    context: Context, scope: Scope, call: m.Call, found: Definition, module: Module
) -> Meaning:
    if isinstance(found, m.Extern):
        return call_extern(context, scope, call, found, module)
    target = Inlined(found.name, found.axes, found.params, found.body, module, found)
    arguments = given_arguments(context, scope, call, target)
    return inline(context, scope, call, target, arguments)


def call_extern(context: Context, scope: Scope, call: m.Call, found: m.Extern, module: Module) -> Value:
    """A host function: its arguments and result are arrays whose riding axes lead, then those declared."""
    nothing = m.Number.make(value=0, text="0", span=found.span)
    target = Inlined(found.name, found.axes, found.params, nothing, module, found)
    arguments = given_arguments(context, scope, call, target)
    if call.along is not None and call.along.where is not None:
        raise context.fail(
            "LL213", "an extern takes no `where`", call.along.where.span, "mask what it returns"
        )
    axes, packs = bind_axes(context, scope, call, target, arguments)
    inner = Scope(module, axes=dict(axes), packs=packs, inside=found.name)
    context.reporter.enter(found.name, call.span, module.path, module.is_user, found.span)
    try:
        bind_values(context, inner, target, arguments, scope, call)
        kind = kind_from(context, inner, found.result, in_def=False)
        own = written_axes(context, inner, found.result)
        orders = [written_axes(context, inner, p.kind) for p in found.params]
    finally:
        context.reporter.leave()
    values = [single(context, inner.values[p.name], call.span) for p in found.params]
    riding = {a for v, order in zip(values, orders, strict=True) for a in v.axes - set(order)} - set(own)
    lead = tuple(a for a in scope.axes.values() if a in riding)
    lead += tuple(sorted(riding - set(lead)))
    layouts = tuple(
        (*(a for a in lead if a in v.axes), *(a for a in order if a in v.axes))
        for v, order in zip(values, orders, strict=True)
    )
    elem = ELEMENTS.get(kind.name, "real")
    attr = (found.name, layouts, (*lead, *own), elem, len(lead))
    node = context.graph.make("extern", tuple(v.node for v in values), attr)
    promised = INTERVALS.get(kind.name)
    if promised is not None:
        context.graph.declared[node] = promised
    spoilt, introduced, _ = merged_facts(values) if values else (frozenset(), frozenset(), None)
    return Value(node, kind, spoilt, introduced)


def call_distribution(context: Context, scope: Scope, tilde: m.Tilde) -> Meaning:
    """The log-density of the distribution at the value."""
    call, dist, module = _find_dist(context, scope, tilde.dist)
    target = Inlined(dist.name, dist.axes, (*dist.params, dist.at), dist.body, module, dist)
    arguments = given_arguments(
        context, scope, call, Inlined(dist.name, dist.axes, dist.params, dist.body, module, dist)
    )
    arguments[dist.at.name] = (context.eval(scope, tilde.value), tilde.value.span)
    return inline(context, scope, call, target, arguments)


def call_divergence(context: Context, scope: Scope, node: m.Call, left: m.Call, right: m.Call) -> Meaning:
    """The closed form that is registered for the pair."""
    left_call, p, p_module = _find_dist(context, scope, left)
    right_call, q, q_module = _find_dist(context, scope, right)
    found = scope.module.find_kl(p.name, q.name)
    if found is None:
        raise context.fail(
            "LL117", f"no closed form is known for the divergence of `{p.name}` from `{q.name}`", node.span,
            f"give one: `kl {p.name}(…), {q.name}(…) = …`",
        )  # fmt: skip
    closed, module = found
    arguments: Arguments = {}
    params: list[m.Param] = []
    for call, dist, own, names in (
        (left_call, p, p_module, closed.left_params),
        (right_call, q, q_module, closed.right_params),
    ):
        given = given_arguments(
            context, scope, call, Inlined(dist.name, dist.axes, dist.params, dist.body, own, dist)
        )
        if len(names) != len(dist.params):
            raise context.fail(
                "LL114", f"`{dist.name}` has {len(dist.params)} parameters, its `kl` names {len(names)}", closed.span,
                "name each parameter once",
            )  # fmt: skip
        for name, param in zip(names, dist.params, strict=True):
            given_value = given.get(param.name)
            if given_value is None:
                continue
            arguments[name] = given_value
            params.append(m.Param.make(name=name, kind=param.kind, span=param.span))
    axes = closed.left_axes or closed.right_axes
    along = left.along or right.along
    target = Inlined(f"kl({p.name}, {q.name})", axes, tuple(params), closed.body, module, closed)
    merged = m.Call.make(function=target.name, along=along, span=node.span)
    return inline(context, scope, merged, target, arguments)


def _find_dist(context: Context, scope: Scope, expression: m.Expression) -> tuple[m.Call, m.Dist, Module]:
    if not isinstance(expression, m.Call):
        raise context.fail(
            "LL105", "a distribution is wanted here", expression.span, "write `normal(mean, scale)`"
        )
    found = scope.module.find_dist(expression.function)
    if found is None:
        names = scope.module.dist_names()
        help = (
            did_you_mean(expression.function, names) or f"distributions: {listing(sorted(names), limit=20)}"
        )
        raise context.fail(
            "LL105", f"there is no distribution `{expression.function}`", expression.span, help
        )
    return expression, *found


# -- inlining ---------------------------------------------------------------------------------------


def inline(context: Context, scope: Scope, call: m.Call, target: Inlined, arguments: Arguments) -> Meaning:
    own = _along_members(scope, call, arguments)
    if own is not None:
        return _member_by_member(context, scope, call, target, arguments, own)
    _require_not_recursive(context, call, target)
    axes, packs = bind_axes(context, scope, call, target, arguments)
    mask = call_mask(context, scope, call, axes, packs)
    key = (
        id(target.statement), tuple((name, meaning) for name, (meaning, _) in arguments.items()), tuple(axes.items()),
        tuple(packs.items()), frozenset(mask.items()), frozenset(context.restrictions.items()),
    )  # fmt: skip
    if key not in context.inlined:
        context.inlined[key] = None
        inner = _inner_scope(context, target, axes, packs)
        result = _inline_body(context, scope, call, target, arguments, inner, mask)
        context.inlined[key] = map_members(
            context, [result], call.span, lambda values: _close(context, values[0], call, target, inner, axes)
        )
    known = context.inlined[key]
    if known is None:
        raise Failed
    return known


def _along_members(scope: Scope, call: m.Call, arguments: Arguments) -> Collection | None:
    """A collection among the arguments along whose members' own axes the call works, and not along the members."""
    if call.along is None:
        return None
    names = {("*" if ref.pack else "") + ref.name for ref in call.along.axes}
    for meaning, _ in arguments.values():
        if isinstance(meaning, Collection) and any(names & dict(view).keys() for view in meaning.views):
            return None if meaning.axis in {scope.axes.get(name) for name in names} else meaning
    return None


def _member_by_member(
    context: Context, scope: Scope, call: m.Call, target: Inlined, arguments: Arguments, along: Collection
) -> Meaning:
    """The definition applied to each member, in which the names of axes mean those of the member."""
    collections = {
        name: meaning for name, (meaning, _) in arguments.items() if isinstance(meaning, Collection)
    }
    keys = [key for key, _ in along.members]
    if any([key for key, _ in other.members] != keys for other in collections.values()):
        raise context.fail(
            "LL222", "these collections have different members", call.span, "combine collections with the same members"
        )  # fmt: skip
    brought = scope.module.brought_in(call)
    views = tuple(
        (*view, *((name, (f"{name}.{key}",)) for name in brought if name not in dict(view)))
        for key, view in zip(keys, along.views, strict=True)
    )
    along = Collection(along.axis, along.members, views)
    members = []
    for index, key in enumerate(keys):
        given: Arguments = {
            name: (collections[name].members[index][1] if name in collections else meaning, span)
            for name, (meaning, span) in arguments.items()
        }
        result = inline(context, view_scope(scope, along, index), call, target, given)
        assert isinstance(result, Value)
        members.append((key, result))
    return Collection(along.axis, tuple(members), along.views)


#: How deep definitions may call each other.
DEEPEST = 300


def _require_not_recursive(context: Context, call: m.Call, target: Inlined) -> None:
    if any(target.statement is s for s in context.calls):
        raise context.fail(
            "LL110",
            f"`{target.name}` calls itself",
            call.span,
            "a definition cannot be recursive: write it out",
        )
    if len(context.calls) >= DEEPEST:
        raise context.fail(
            "LL110",
            f"definitions call each other more than {DEEPEST} deep",
            call.span,
            "write some of them out",
        )


def _inner_scope(
    context: Context, target: Inlined, axes: dict[str, str], packs: dict[str, tuple[str, ...]]
) -> Scope:
    inner = Scope(target.module, axes=dict(axes), packs=packs, inside=target.name)
    around = (*axes.values(), *(axis for pack in packs.values() for axis in pack))
    for name in introduced_names(target):
        if name not in inner.axes:
            inner.axes[name] = context.local_axis(name, len(context.calls), around)
    return inner


def _inline_body(
    context: Context, scope: Scope, call: m.Call, target: Inlined, arguments: Arguments, inner: Scope,
    mask: dict[str, Node],
) -> Meaning:  # fmt: skip
    context.calls.append(target.statement)
    local = set(introduced_names(target))
    own = {axis for name, axis in inner.axes.items() if name not in local}
    context.own_axes.append(frozenset(own.union(*inner.packs.values())))
    context.reporter.enter(
        target.name, call.span, target.module.path, target.module.is_user, target.statement.span
    )
    try:
        bind_values(context, inner, target, arguments, scope, call)
        with context.restricting(mask):
            return _clear_dropped(context, context.eval(inner, target.body), mask)
    finally:
        context.reporter.leave()
        context.own_axes.pop()
        context.calls.pop()


def _clear_dropped(context: Context, result: Meaning, mask: dict[str, Node]) -> Meaning:
    """Results at dropped places are 0."""
    if not mask or not isinstance(result, Value):
        return result
    value = result
    for axis in mask:
        if axis in value.axes and value.node.elem != "bool":
            kept = restriction_of(context, axis, [value])
            if kept is not None and kept.axes <= value.axes:
                zero: float | int = 0 if value.node.elem == "int" else 0.0
                value = value.with_node(context.graph.select(kept, value.node, zero))
    return value


def _close(
    context: Context, value: Value, call: m.Call, target: Inlined, inner: Scope, axes: dict[str, str]
) -> Value:
    """No axis that the definition introduced may leave it: the caller has no name for it."""
    mapped = {*axes.values(), *sum(inner.packs.values(), ())}
    local = {axis: name for name, axis in inner.axes.items() if axis not in mapped}
    left = [local[a] for a in sorted(value.axes) if a in local]
    if left:
        raise context.fail(
            "LL223", f"the result of `{target.name}` still has the axis {listing(left)} that it introduces inside",
            call.span, "reduce it in the definition, or make it one of the definition's axes",
        )  # fmt: skip
    introduced = frozenset(a for a in value.introduced if a not in local)
    ordered = frozenset(a for a in value.ordered if a in context.restrictions)
    return Value(value.node, value.kind, value.spoilt, introduced, value.logarithmic, ordered)
